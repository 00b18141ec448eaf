//! Quantities over one variable.

use super::canvas::{Frame, Join, Mark, Tip, draw, padded_range};
use super::{Drawing, FigureError, Pen};
use crate::summary::significant;
use serde::{Deserialize, Serialize};

/// More points than this on a curve are not seen in a figure of this width.
const MOST_POINTS: usize = 500;
/// Abscissae whose values are shown under the pointer.
const MOST_TIPS: usize = 40;

/// Curves over a common variable, such as the iteration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// What the figure shows.
    pub caption: String,
    /// The name of the variable.
    pub x_label: String,
    /// The scale of the ordinate.
    pub scale: Scale,
    /// The scale of the abscissa.
    #[serde(default)]
    pub x_scale: Scale,
    /// The curves; the legend names them in this order.
    pub series: Vec<Series>,
}

/// The scale of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal steps are equal differences.
    #[default]
    Linear,
    /// Equal steps are equal ratios; values that are not positive are left out.
    Logarithmic,
}

/// One curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Abscissa and ordinate; points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
}

impl Curves {
    pub(super) fn draw(&self) -> Result<Drawing, FigureError> {
        let marks: Vec<Mark> = self
            .series
            .iter()
            .enumerate()
            .map(|(index, series)| Mark {
                pen: Pen::of(index),
                // A single record is a dot.
                join: if series.points.len() > 1 { Join::Line } else { Join::Dots },
                points: thinned(&series.drawable(self.scale, self.x_scale)),
            })
            .collect();
        let all = || marks.iter().flat_map(|mark| &mark.points);
        let empty = || FigureError::Empty { caption: self.caption.clone() };
        let frame = Frame {
            size: (460.0, 300.0),
            x: padded_range(all().map(|point| point.0)).ok_or_else(empty)?,
            y: padded_range(all().map(|point| point.1)).ok_or_else(empty)?,
            x_label: &self.x_label,
            x_values: None,
            logarithmic: (self.x_scale == Scale::Logarithmic, self.scale == Scale::Logarithmic),
            bare: false,
        };
        let legend = self.series.iter().zip(&marks);
        let legend = legend.map(|(series, mark)| (series.name.clone(), mark.pen)).collect();
        Ok(Drawing { svg: draw(&frame, &marks, &self.tips(&marks)), legend })
    }
}

impl Curves {
    /// The values of all curves at some abscissae: those of the curve that has the most of them.
    fn tips(&self, marks: &[Mark]) -> Vec<Tip> {
        let Some(longest) = marks.iter().max_by_key(|mark| mark.points.len()) else { return Vec::new() };
        let value = |scale: Scale, place: f64| match scale {
            Scale::Linear => significant(place),
            Scale::Logarithmic => significant(10_f64.powf(place)),
        };
        let points = &longest.points;
        let reach =
            points.first().zip(points.last()).map_or(0.0, |(a, b)| (b.0 - a.0).abs() / MOST_TIPS as f64);
        let tip = |&(x, _): &(f64, f64)| {
            let mut lines = vec![format!("{} {}", self.x_label, value(self.x_scale, x))];
            for (series, mark) in self.series.iter().zip(marks) {
                let distance = |point: &&(f64, f64)| (point.0 - x).abs();
                let nearest = mark.points.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
                if let Some(point) = nearest.filter(|point| distance(point) <= reach) {
                    lines.push(format!("{} {}", series.name, value(self.scale, point.1)));
                }
            }
            Tip { x, lines }
        };
        points.iter().step_by(points.len().div_ceil(MOST_TIPS).max(1)).map(tip).collect()
    }
}

impl Series {
    fn drawable(&self, scale: Scale, x_scale: Scale) -> Vec<(f64, f64)> {
        let place =
            |scale: Scale, value: f64| if scale == Scale::Logarithmic { value.log10() } else { value };
        let transformed = self.points.iter().map(|&(x, y)| (place(x_scale, x), place(scale, y)));
        transformed.filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
    }
}

/// At most [`MOST_POINTS`] points: the lowest and the highest of each of equal stretches, so that no spike is lost.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(MOST_POINTS / 2);
    let extremes = points.chunks(stretch).flat_map(|chunk| {
        let ordinate = |&(_, point): &(usize, &(f64, f64))| point.1;
        let order = |a: &(usize, &(f64, f64)), b: &(usize, &(f64, f64))| ordinate(a).total_cmp(&ordinate(b));
        let mut pair: Vec<_> = chunk.iter().enumerate().min_by(order).into_iter().collect();
        pair.extend(chunk.iter().enumerate().max_by(order));
        pair.sort_by_key(|(index, _)| *index);
        pair.into_iter().map(|(_, point)| *point)
    });
    extremes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(scale: Scale, points: Vec<(f64, f64)>) -> Curves {
        let series = vec![Series { name: "loss".into(), points }];
        Curves { caption: "c".into(), x_label: "iteration".into(), scale, x_scale: Scale::Linear, series }
    }

    #[test]
    fn thinning_keeps_spikes_and_order() {
        let points: Vec<_> =
            (0..10_000).map(|i| (f64::from(i), if i == 4321 { 99.0 } else { f64::from(i % 7) })).collect();
        let thin = thinned(&points);
        assert!(thin.len() <= MOST_POINTS && thin.contains(&(4321.0, 99.0)));
        assert!(thin.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }

    #[test]
    fn values_without_a_place_on_the_axis_are_left_out() {
        let points = vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, -3.0), (3.0, 10.0)];
        assert_eq!(
            curves(Scale::Linear, points.clone()).series[0].drawable(Scale::Linear, Scale::Linear).len(),
            3
        );
        let logarithmic = curves(Scale::Logarithmic, points);
        assert_eq!(
            logarithmic.series[0].drawable(Scale::Logarithmic, Scale::Linear),
            [(0.0, 0.0), (3.0, 1.0)]
        );
        let svg = logarithmic.draw().unwrap().svg;
        assert_eq!(svg.matches("<path").count(), 1);
    }

    #[test]
    fn values_are_there_for_the_pointer() {
        let figure = Curves {
            series: vec![
                Series { name: "a".into(), points: (0..100).map(|i| (f64::from(i), 0.01)).collect() },
                Series { name: "b".into(), points: vec![(0.0, 100.0), (1.0, 2.0)] },
            ],
            ..curves(Scale::Logarithmic, vec![])
        };
        let svg = figure.draw().unwrap().svg;
        let tips: Vec<&str> = svg.split("class=\"tip\"").skip(1).collect();
        assert!((30..=MOST_TIPS).contains(&tips.len()), "{}", tips.len());
        assert!(
            tips[0].contains("iteration 0<") && tips[0].contains("a 0.0100<") && tips[0].contains("b 100<")
        );
        // b ends at 1: further on it has no value.
        assert!(!tips[9].contains(">b "), "{}", tips[9]);
    }

    #[test]
    fn nothing_to_draw_is_said() {
        let error = curves(Scale::Logarithmic, vec![(0.0, -1.0)]).draw().err();
        assert_eq!(error, Some(FigureError::Empty { caption: "c".into() }));
    }

    /// On a logarithmic axis equal ratios are equal distances in pixels.
    #[test]
    fn decades_are_equally_long() {
        let points = vec![(0.0, 0.01), (1.0, 0.1), (2.0, 1.0)];
        let svg = curves(Scale::Logarithmic, points).draw().unwrap().svg;
        let path = svg.split(" d=\"M").nth(1).unwrap().split('"').next().unwrap();
        let heights: Vec<f64> =
            path.split('L').map(|point| point.split(' ').nth(1).unwrap().parse().unwrap()).collect();
        let (first, second) = (heights[0] - heights[1], heights[1] - heights[2]);
        assert!(first > 0.0 && (first - second).abs() <= 0.2, "{heights:?}");
    }
}
