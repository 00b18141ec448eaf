//! Particles on their way.

use super::canvas::{Frame, Join, Mark, draw, padded_range, square};
use super::{Drawing, FigureError, Pen};
use serde::{Deserialize, Serialize};

/// Paths in the plane over a cloud of data: lines from start to end, with both ends marked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paths {
    /// What the figure shows.
    pub caption: String,
    /// The data that the paths should end in; may be empty.
    pub data: Vec<(f64, f64)>,
    /// The positions of each particle from start to end.
    pub paths: Vec<Vec<(f64, f64)>>,
}

impl Paths {
    pub(super) fn draw(&self) -> Result<Drawing, FigureError> {
        let empty = || FigureError::Empty { caption: self.caption.clone() };
        let finite = |path: &&Vec<(f64, f64)>| path.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        let shown: Vec<&Vec<(f64, f64)>> = self.paths.iter().filter(finite).collect();
        let lost = self.paths.len() - shown.len();
        let everything = || self.data.iter().chain(shown.iter().copied().flatten());
        let (x, y) = square(
            padded_range(everything().map(|point| point.0)).ok_or_else(empty)?,
            padded_range(everything().map(|point| point.1)).ok_or_else(empty)?,
        );
        let starts = shown.iter().filter_map(|path| path.first().copied()).collect();
        let ends = shown.iter().filter_map(|path| path.last().copied()).collect();
        let (start, end) = (Pen::of(1), Pen::of(0));
        let mut marks = vec![Mark { pen: Pen::REFERENCE, join: Join::Dots, points: self.data.clone() }];
        marks.extend(shown.iter().map(|path| Mark {
            pen: Pen::REFERENCE,
            join: Join::Thread,
            points: path.to_vec(),
        }));
        marks.push(Mark { pen: start, join: Join::Dots, points: starts });
        marks.push(Mark { pen: end, join: Join::Dots, points: ends });
        let name = match lost {
            0 => "end".to_owned(),
            _ => format!("end ({lost} of {} paths are not finite)", self.paths.len()),
        };
        let legend = vec![("data".into(), Pen::REFERENCE), ("start".into(), start), (name, end)];
        let frame = Frame {
            size: (440.0, 440.0),
            x,
            y,
            x_label: "",
            x_values: None,
            logarithmic: (false, false),
            bare: false,
        };
        Ok(Drawing { svg: draw(&frame, &marks, &[]), legend })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_a_thread_and_lost_ones_are_counted() {
        let paths = vec![
            vec![(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)],
            vec![(0.0, 1.0), (1.0, 2.0)],
            vec![(0.0, 0.0), (f64::NAN, 1.0)],
        ];
        let figure = Paths { caption: "c".into(), data: vec![(1.0, 1.5)], paths };
        let drawing = figure.draw().unwrap();
        assert_eq!(drawing.svg.matches("stroke-opacity=\".35\"").count(), 2);
        // One point of data, two starts, two ends.
        assert_eq!(drawing.svg.matches("h0").count(), 5);
        assert_eq!(drawing.legend[2].0, "end (1 of 3 paths are not finite)");
        assert!(!drawing.svg.contains("NaN"));
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        assert!(Paths { caption: "c".into(), data: vec![], paths: vec![] }.draw().is_err());
    }
}
