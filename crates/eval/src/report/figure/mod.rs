//! Figures as inline SVG.

mod canvas;
mod contours;
mod curves;
mod heat_map;
mod images;
mod levels;
mod paths;
mod pen;
mod pixels;
mod raster;
mod scatter;
mod ticks;

pub use contours::Contours;
pub use curves::{Curves, Scale, Series};
pub use heat_map::{HeatCell, HeatMap};
pub use images::Images;
pub use levels::{LevelSeries, Levels};
pub use paths::Paths;
pub use pen::Pen;
pub use pixels::Pixels;
pub use raster::Raster;
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
    /// Particles on their way.
    Paths(Paths),
    /// A function of the plane.
    Contours(Contours),
    /// Grey pictures in rows.
    Images(Images),
    /// A picture that is there as a PNG file.
    Raster(Raster),
    /// A quantity over the values of one setting.
    Levels(Levels),
    /// A quantity over the values of two settings.
    HeatMap(HeatMap),
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
}

impl Figure {
    /// The caption.
    #[must_use]
    pub fn caption(&self) -> &str {
        match self {
            Self::Curves(curves) => &curves.caption,
            Self::Scatter(scatter) => &scatter.caption,
            Self::Paths(paths) => &paths.caption,
            Self::Contours(contours) => &contours.caption,
            Self::Images(images) => &images.caption,
            Self::Raster(raster) => &raster.caption,
            Self::Levels(levels) => &levels.caption,
            Self::HeatMap(map) => &map.caption,
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
            Self::Paths(paths) => paths.draw(),
            Self::Contours(contours) => contours.draw(),
            Self::Images(images) => images.draw(),
            Self::Raster(raster) => raster.draw(),
            Self::Levels(levels) => levels.draw(),
            Self::HeatMap(map) => map.draw(),
        }
    }
}

/// A drawn figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// One `<svg>` element.
    pub svg: String,
    /// Names and pens, in the order in which they are drawn.
    pub legend: Vec<(String, Pen)>,
}

impl Drawing {
    /// The figure as a file of its own, on white.
    ///
    /// ```
    /// # let drawing = eval::report::Drawing { svg: "<svg fill=\"currentColor\"></svg>".into(), legend: vec![] };
    /// assert!(drawing.to_document().starts_with("<svg style="));
    /// ```
    #[must_use]
    pub fn to_document(&self) -> String {
        self.svg.replacen("<svg ", "<svg style=\"background:#fff;color:#333\" ", 1)
    }
}
