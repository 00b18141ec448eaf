//! Clouds of points over each other.

use super::canvas::{Frame, Join, Mark, colour, draw, padded_range, square};
use super::{Drawing, FigureError};
use serde::{Deserialize, Serialize};

/// Clouds in the plane, drawn in order; the first is the reference that sets the frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scatter {
    /// What the figure shows.
    pub caption: String,
    /// The clouds.
    pub clouds: Vec<Cloud>,
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
    pub(super) fn draw(&self) -> Result<Drawing, FigureError> {
        let empty = || FigureError::Empty { caption: self.caption.clone() };
        let reference = self.clouds.first().map_or(&[][..], |cloud| &cloud.points);
        let (x, y) = square(
            padded_range(reference.iter().map(|point| point.0)).ok_or_else(empty)?,
            padded_range(reference.iter().map(|point| point.1)).ok_or_else(empty)?,
        );
        let inside = |point: &&(f64, f64)| x.contains(&point.0) && y.contains(&point.1);
        let mut marks = Vec::new();
        let mut legend = Vec::new();
        for (index, cloud) in self.clouds.iter().enumerate() {
            let points: Vec<_> = cloud.points.iter().filter(inside).copied().collect();
            let outside = cloud.points.len() - points.len();
            let name = match outside {
                0 => cloud.name.clone(),
                _ => format!("{} ({outside} of {} outside the frame)", cloud.name, cloud.points.len()),
            };
            legend.push((name, colour(index)));
            marks.push(Mark { colour: colour(index), join: Join::Dots, points });
        }
        let frame = Frame {
            caption: &self.caption,
            size: (720, 720),
            x: x.clone(),
            y: y.clone(),
            x_label: "",
            x_values: None,
            logarithmic: false,
        };
        Ok(Drawing { svg: draw(&frame, &marks)?, legend })
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
        let scatter = Scatter { caption: "c".into(), clouds: vec![reference, wild] };
        let drawing = scatter.draw().unwrap();
        assert_eq!(drawing.svg.matches("h0").count(), 3);
        assert_eq!(drawing.legend[1].0, "generated (2 of 3 outside the frame)");
        assert!(!drawing.svg.contains("NaN"));
    }

    #[test]
    fn an_empty_reference_is_an_error() {
        let scatter = Scatter { caption: "c".into(), clouds: vec![] };
        assert!(scatter.draw().is_err());
    }
}
