//! A quantity over the values of one setting, with its spread.

use super::canvas::{Frame, Join, Mark, draw, padded_range};
use super::{Drawing, FigureError, Pen, Scale};
use crate::Summary;
use serde::{Deserialize, Serialize};

/// Half the width of the ends of a bar, and how far the curves of a figure stand apart, in steps between two values.
const CAP: f64 = 0.03;
const APART: f64 = 0.04;

/// Means with bars of one standard deviation, over values that stand side by side whatever they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// What the figure shows.
    pub caption: String,
    /// The name of what changes from left to right.
    pub x_label: String,
    /// Its values.
    pub values: Vec<String>,
    /// The scale of the ordinate.
    pub scale: Scale,
    /// The curves; the legend names them in this order.
    pub series: Vec<LevelSeries>,
}

/// One curve of [`Levels`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelSeries {
    /// Its name in the legend.
    pub name: String,
    /// One for each value; none where there is no number.
    pub points: Vec<Option<Summary>>,
}

impl Levels {
    pub(super) fn draw(&self) -> Result<Drawing, FigureError> {
        let mut marks = Vec::new();
        for (index, series) in self.series.iter().enumerate() {
            let pen = Pen::of(index);
            let shift = APART * (index as f64 - (self.series.len() as f64 - 1.0) / 2.0);
            let mut means = Vec::new();
            for (value, summary) in series.points.iter().enumerate() {
                let Some((summary, mean)) = summary.and_then(|it| Some((it, self.place(it.mean)?))) else {
                    continue;
                };
                let x = value as f64 + shift;
                means.push((x, mean));
                let sd = summary.sd.unwrap_or(0.0);
                // Where mean − sd has no logarithm the bar has no lower half.
                let low = self.place(summary.mean - sd).unwrap_or(mean);
                let high = self.place(summary.mean + sd).unwrap_or(mean);
                let bar =
                    [(x - CAP, low), (x + CAP, low), (x, low), (x, high), (x - CAP, high), (x + CAP, high)];
                marks.push(Mark { pen, join: Join::Line, points: bar.into() });
            }
            marks.push(Mark { pen, join: Join::Line, points: means });
        }
        let ordinates = marks.iter().flat_map(|mark| &mark.points).map(|point| point.1);
        let frame = Frame {
            size: (460.0, 300.0),
            x: -0.5..self.values.len() as f64 - 0.5,
            y: padded_range(ordinates).ok_or_else(|| FigureError::Empty { caption: self.caption.clone() })?,
            x_label: &self.x_label,
            x_values: Some(&self.values),
            logarithmic: (false, self.scale == Scale::Logarithmic),
            bare: false,
        };
        let legend = self.series.iter().enumerate();
        let legend = legend.map(|(index, series)| (series.name.clone(), Pen::of(index))).collect();
        Ok(Drawing { svg: draw(&frame, &marks, &[]), legend })
    }

    fn place(&self, value: f64) -> Option<f64> {
        let place = if self.scale == Scale::Logarithmic { value.log10() } else { value };
        place.is_finite().then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(scale: Scale, points: Vec<Option<Summary>>) -> Levels {
        let values = (0..points.len()).map(|i| format!("v{i}")).collect();
        let series = vec![LevelSeries { name: "s".into(), points }];
        Levels { caption: "c".into(), x_label: "λ".into(), values, scale, series }
    }

    #[test]
    fn every_value_is_named_once_and_what_has_no_number_has_no_bar() {
        let points = [Summary::of(&[1.0, 3.0]), None, Summary::of(&[2.0])];
        let svg = levels(Scale::Linear, points.into()).draw().unwrap().svg;
        for name in ["v0", "v1", "v2"] {
            assert_eq!(svg.matches(&format!(">{name}<")).count(), 1, "{svg}");
        }
        // Two bars and the line.
        assert_eq!(svg.matches("<path").count(), 3);
    }

    /// 2 ± √2 from 1 and 3: the bar reaches from 2 − √2 to 2 + √2, and both halves are equally long.
    #[test]
    fn bars_are_one_standard_deviation() {
        let svg =
            levels(Scale::Linear, vec![Summary::of(&[1.0, 3.0]), Summary::of(&[0.0])]).draw().unwrap().svg;
        let path =
            |index: usize| svg.split(" d=\"M").nth(index).unwrap().split('"').next().unwrap().to_owned();
        let heights = |path: &str| -> Vec<f64> {
            path.split('L').map(|point| point.split(' ').nth(1).unwrap().parse().unwrap()).collect()
        };
        let (bar, line) = (heights(&path(1)), heights(&path(3)));
        let (low, high, mean, zero) = (bar[0], bar[5], line[0], line[1]);
        // Pixels have one digit; lower on the page is larger.
        let deviation = (zero - mean) / 2.0 * 2.0_f64.sqrt();
        assert!(
            (low - mean - deviation).abs() <= 0.3 && (mean - high - deviation).abs() <= 0.3,
            "{bar:?} {line:?}"
        );
    }
}
