//! Figures as inline SVG.

mod canvas;
mod curves;
mod images;
mod scatter;

pub use curves::{Curves, Scale, Series};
pub use images::Images;
pub use scatter::{Cloud, Scatter};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Quantities over one variable.
    Curves(Curves),
    /// Clouds of points over each other.
    Scatter(Scatter),
    /// Grey pictures in rows.
    Images(Images),
}

/// A figure that cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FigureError {
    /// There is no finite point.
    #[error("the figure \"{caption}\" has no finite point to draw: leave it out")]
    Empty {
        /// The caption of the figure.
        caption: String,
    },
    /// The drawing library refused.
    #[error("the figure \"{caption}\" cannot be drawn ({reason}): check that its values are below 1e300")]
    Drawing {
        /// The caption of the figure.
        caption: String,
        /// The reason given.
        reason: String,
    },
}

impl Figure {
    /// The caption.
    #[must_use]
    pub fn caption(&self) -> &str {
        match self {
            Self::Curves(curves) => &curves.caption,
            Self::Scatter(scatter) => &scatter.caption,
            Self::Images(images) => &images.caption,
        }
    }

    /// The figure as one `<svg>` element whose axes take the colour of the surrounding text, and its legend.
    ///
    /// # Errors
    /// [`FigureError`] where there is nothing to draw.
    pub fn draw(&self) -> Result<Drawing, FigureError> {
        match self {
            Self::Curves(curves) => curves.draw(),
            Self::Scatter(scatter) => scatter.draw(),
            Self::Images(images) => images.draw(),
        }
    }
}

/// A drawn figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// One `<svg>` element.
    pub svg: String,
    /// Names and colours, in the order in which they are drawn.
    pub legend: Vec<(String, &'static str)>,
}
