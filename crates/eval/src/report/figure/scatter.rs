//! Clouds of points over each other.

use super::canvas::{Frame, Join, Mark, draw, padded_range, square};
use super::{Drawing, FigureError, Pen};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Clouds in the plane, drawn in order; the first is the reference that sets the frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scatter {
    /// What the figure shows.
    pub caption: String,
    /// The clouds.
    pub clouds: Vec<Cloud>,
    /// Whether it has no axes: one of many small pictures on one scale.
    #[serde(default)]
    pub bare: bool,
}

/// A cloud of points in the plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cloud {
    /// Its name in the legend.
    pub name: String,
    /// The points.
    pub points: Vec<(f64, f64)>,
}

impl Scatter {
    /// The ranges of both axes, which are those of the first cloud.
    pub(super) fn frame(&self) -> Result<(Range<f64>, Range<f64>), FigureError> {
        let empty = || FigureError::Empty { caption: self.caption.clone() };
        let reference = self.clouds.first().map_or(&[][..], |cloud| &cloud.points);
        Ok(square(
            padded_range(reference.iter().map(|point| point.0)).ok_or_else(empty)?,
            padded_range(reference.iter().map(|point| point.1)).ok_or_else(empty)?,
        ))
    }

    /// The pen of a cloud.
    pub(super) fn pen(index: usize) -> Pen {
        if index == 0 { Pen::REFERENCE } else { Pen::of(index - 1) }
    }

    pub(super) fn draw(&self) -> Result<Drawing, FigureError> {
        let (x, y) = self.frame()?;
        let inside = |point: &&(f64, f64)| x.contains(&point.0) && y.contains(&point.1);
        let mut marks = Vec::new();
        let mut legend = Vec::new();
        for (index, cloud) in self.clouds.iter().enumerate() {
            let points: Vec<_> = cloud.points.iter().filter(inside).copied().collect();
            let outside = cloud.points.len() - points.len();
            let name = match outside {
                0 => cloud.name.clone(),
                _ => format!("{} ({outside} of {} outside)", cloud.name, cloud.points.len()),
            };
            let pen = Self::pen(index);
            // Beside its neighbours a small picture needs no word about the reference.
            if !self.bare || index > 0 {
                legend.push((name, pen));
            }
            marks.push(Mark { pen, join: Join::Dots, points });
        }
        let frame = Frame {
            size: if self.bare { (240.0, 240.0) } else { (440.0, 440.0) },
            x: x.clone(),
            y: y.clone(),
            x_label: "",
            x_values: None,
            logarithmic: (false, false),
            bare: self.bare,
        };
        Ok(Drawing { svg: draw(&frame, &marks, &[]), legend })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_points_are_counted_and_do_not_shrink_the_reference() {
        let cloud = |name: &str, points| Cloud { name: name.into(), points };
        let reference = cloud("data", vec![(0.0, 0.0), (1.0, 2.0)]);
        let wild = cloud("generated", vec![(0.5, 0.5), (1e20, 0.0), (f64::NAN, 0.0)]);
        let scatter = Scatter { caption: "c".into(), clouds: vec![reference, wild], bare: false };
        let drawing = scatter.draw().unwrap();
        assert_eq!(drawing.svg.matches("h0").count(), 3);
        assert_eq!(drawing.legend[1].0, "generated (2 of 3 outside)");
        assert!(!drawing.svg.contains("NaN"));
    }

    #[test]
    fn an_empty_reference_is_an_error() {
        let scatter = Scatter { caption: "c".into(), clouds: vec![], bare: true };
        assert!(scatter.draw().is_err());
    }
}
