//! Quantities over one variable.

use super::canvas::{Frame, Join, Mark, colour, draw, padded_range};
use super::{Drawing, FigureError};
use serde::{Deserialize, Serialize};

/// More points than this on a curve are not seen in a figure of this width.
const MOST_POINTS: usize = 500;

/// Curves over a common variable, such as the iteration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// What the figure shows.
    pub caption: String,
    /// The name of the variable.
    pub x_label: String,
    /// The scale of the ordinate.
    pub scale: Scale,
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
                // The palette begins with the grey of reference clouds.
                colour: colour(index + 1),
                join: Join::Line,
                points: thinned(&series.drawable(self.scale)),
            })
            .collect();
        let all = || marks.iter().flat_map(|mark| &mark.points);
        let empty = || FigureError::Empty { caption: self.caption.clone() };
        let frame = Frame {
            caption: &self.caption,
            size: (900, 520),
            x: padded_range(all().map(|point| point.0)).ok_or_else(empty)?,
            y: padded_range(all().map(|point| point.1)).ok_or_else(empty)?,
            x_label: &self.x_label,
            x_values: None,
            logarithmic: self.scale == Scale::Logarithmic,
        };
        let legend = self.series.iter().zip(&marks);
        let legend = legend.map(|(series, mark)| (series.name.clone(), mark.colour)).collect();
        Ok(Drawing { svg: draw(&frame, &marks)?, legend })
    }
}

impl Series {
    fn drawable(&self, scale: Scale) -> Vec<(f64, f64)> {
        let transformed = self.points.iter().map(|&(x, y)| match scale {
            Scale::Linear => (x, y),
            Scale::Logarithmic => (x, y.log10()),
        });
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
        Curves { caption: "c".into(), x_label: "iteration".into(), scale, series }
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
        assert_eq!(curves(Scale::Linear, points.clone()).series[0].drawable(Scale::Linear).len(), 3);
        let logarithmic = curves(Scale::Logarithmic, points);
        assert_eq!(logarithmic.series[0].drawable(Scale::Logarithmic), [(0.0, 0.0), (3.0, 1.0)]);
        let svg = logarithmic.draw().unwrap().svg;
        assert_eq!(svg.matches("<path").count(), 1);
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
        let heights: Vec<i32> =
            path.split('L').map(|point| point.split(' ').nth(1).unwrap().parse().unwrap()).collect();
        let (first, second) = (heights[0] - heights[1], heights[1] - heights[2]);
        assert!(first > 0 && (first - second).abs() <= 1, "{heights:?}");
    }
}
