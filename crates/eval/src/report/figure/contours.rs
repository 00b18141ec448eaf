//! A function of the plane as filled levels.

use super::canvas::{Frame, Join, Mark, draw, padded_range};
use super::{Drawing, FigureError, Pen};
use crate::summary::significant;
use contour::ContourBuilder;
use serde::{Deserialize, Serialize};

/// Levels of a figure: more lines than this run into each other.
const LEVELS: usize = 12;

/// A function on a grid, the higher the darker, with a line at each of equally spaced levels, and a cloud over it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contours {
    /// What the figure shows.
    pub caption: String,
    /// The least and the greatest abscissa of the grid.
    pub x: (f64, f64),
    /// The least and the greatest ordinate of the grid.
    pub y: (f64, f64),
    /// The values at equally spaced abscissae, the row of the least ordinate first; rows of one length.
    pub values: Vec<Vec<f64>>,
    /// The name of the cloud in the legend.
    pub name: String,
    /// Points that are drawn over the levels; may be empty.
    pub cloud: Vec<(f64, f64)>,
}

impl Contours {
    pub(super) fn draw(&self) -> Result<Drawing, FigureError> {
        let empty = || FigureError::Empty { caption: self.caption.clone() };
        let (rows, columns) = (self.values.len(), self.values.first().map_or(0, Vec::len));
        let values: Vec<f64> = self.values.iter().flatten().copied().collect();
        // Only where all values are finite, so that lines end nowhere; a constant has its range by rounding.
        let range =
            padded_range(values.iter().copied()).filter(|_| rows.min(columns) > 1).ok_or_else(empty)?;
        if values.len() != rows * columns || values.iter().any(|value| !value.is_finite()) {
            return Err(empty());
        }
        let apart = (range.end - range.start) / LEVELS as f64;
        let levels: Vec<f64> = (0..LEVELS).map(|level| range.start + level as f64 * apart).collect();
        let step = |(low, high): (f64, f64), count: usize| (high - low) / (count - 1) as f64;
        let (across, up) = (step(self.x, columns), step(self.y, rows));
        // The value of index i has the coordinate i + ½ there.
        let builder = ContourBuilder::new(columns, rows, true)
            .x_origin(self.x.0 - across / 2.0)
            .y_origin(self.y.0 - up / 2.0)
            .x_step(across)
            .y_step(up);
        let found = builder.contours(&values, &levels).map_err(|_| empty())?;
        let mut marks: Vec<Mark> = found
            .iter()
            .map(|level| {
                let polygons = level.geometry().0.iter();
                let rings = polygons
                    .flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()));
                let end = std::iter::once((f64::NAN, f64::NAN));
                let points = rings.flat_map(|ring| {
                    ring.0.iter().map(|point| self.inside((point.x, point.y))).chain(end.clone())
                });
                let points = points.collect();
                Mark { pen: Pen::of(1), join: Join::Rings, points }
            })
            .collect();
        let inside =
            |&&(x, y): &&(f64, f64)| (self.x.0..=self.x.1).contains(&x) && (self.y.0..=self.y.1).contains(&y);
        let points = self.cloud.iter().filter(inside).copied().collect();
        marks.push(Mark { pen: Pen::of(0), join: Join::Dots, points });
        let mut legend = vec![(format!("higher, a line every {}", significant(apart)), Pen::of(1))];
        legend.extend((!self.cloud.is_empty()).then(|| (self.name.clone(), Pen::of(0))));
        let frame = Frame {
            size: (440.0, 440.0),
            x: self.x.0..self.x.1,
            y: self.y.0..self.y.1,
            x_label: "",
            x_values: None,
            logarithmic: (false, false),
            bare: false,
        };
        Ok(Drawing { svg: draw(&frame, &marks, &[]), legend })
    }

    /// The nearest point of the grid's rectangle: levels that leave it are closed along its border.
    fn inside(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (x.clamp(self.x.0, self.x.1), y.clamp(self.y.0, self.y.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: impl Fn(f64, f64) -> f64) -> Contours {
        let at = |index: usize| -2.0 + index as f64 / 10.0;
        let row = |i: usize| (0..41).map(|j| value(at(j), at(i))).collect();
        Contours {
            caption: "c".into(),
            x: (-2.0, 2.0),
            y: (-2.0, 2.0),
            values: (0..41).map(row).collect(),
            name: "data".into(),
            cloud: vec![(0.0, 0.0), (9.0, 0.0)],
        }
    }

    /// The coordinates of the rings of a drawing, one list for each level.
    fn rings(svg: &str) -> Vec<Vec<(f64, f64)>> {
        let paths = svg.split("<path fill=\"#").skip(1).map(|part| part.split(" d=\"").nth(1).unwrap());
        let point = |pair: &str| {
            let (x, y) = pair.split_once(' ').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        };
        let points = |path: &str| {
            let path = path.split('"').next().unwrap();
            path.split(['M', 'L', 'Z']).filter(|pair| !pair.is_empty()).map(point).collect()
        };
        paths.map(points).collect()
    }

    /// The levels of −(x² + y²) are circles about the middle: r² = −level. Between grid points 0.1 apart a chord of the
    /// parabola is below it by up to 0.1²/4, which moves a circle of radius r by 0.00125/r: less than a pixel of 400.
    #[test]
    fn levels_are_where_the_function_has_them() {
        let found = rings(&figure(|x, y| -(x * x + y * y)).draw().unwrap().svg);
        assert_eq!(found.len(), LEVELS);
        let inner = &found[LEVELS - 1];
        let middle = |get: fn(&(f64, f64)) -> f64| {
            let (low, high) =
                inner.iter().map(get).fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
            ((low + high) / 2.0, (high - low) / 2.0)
        };
        let ((x, across), (y, up)) = (middle(|point| point.0), middle(|point| point.1));
        // The range is padded by 4 % of 8 on both sides: the last level is a twelfth of 8.64 below its end at 0.32.
        let radius = (8.64_f64 / 12.0 - 0.32).sqrt();
        let pixels = |svg_length: f64, units: f64| svg_length / units;
        let (scale_x, scale_y) = (pixels(across, radius), pixels(up, radius));
        for &(px, py) in inner {
            let r = ((px - x) / scale_x).hypot((py - y) / scale_y);
            assert!((r - radius).abs() < 0.01, "{r} is not {radius}");
        }
        // The plot is 440 − 14 − margin wide for four units: a radius is what it is in pixels.
        assert!((scale_x - 100.0).abs() < 7.0 && (scale_y - 100.0).abs() < 7.0, "{scale_x} {scale_y}");
    }

    /// Two hills have two rings at a level above the saddle, and no line from one to the other.
    #[test]
    fn rings_are_closed_one_by_one() {
        let hill = |x: f64, y: f64| (-4.0 * (x * x + y * y)).exp();
        let svg = figure(|x, y| hill(x - 1.0, y) + hill(x + 1.0, y)).draw().unwrap().svg;
        let last = svg.split("<path fill=\"#").last().unwrap().split(" d=\"").nth(1).unwrap();
        let last = last.split('"').next().unwrap();
        assert_eq!((last.matches('M').count(), last.matches('Z').count()), (2, 2), "{last}");
        for ring in last.split('Z').filter(|ring| !ring.is_empty()) {
            let across: Vec<f64> =
                ring.split(['M', 'L']).filter_map(|pair| pair.split_once(' ')?.0.parse().ok()).collect();
            // Along a ring a step is at most a cell, a fortieth of a plot of 400 pixels.
            assert!(
                across.len() > 8 && across.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 15.0),
                "{ring}"
            );
        }
    }

    #[test]
    fn what_has_no_levels_is_not_drawn() {
        assert!(figure(|x, _| if x > 1.0 { f64::NAN } else { x }).draw().is_err());
        assert!(Contours { values: vec![], ..figure(|x, _| x) }.draw().is_err());
        // A point of the cloud outside is left out; a constant is one level.
        let drawing = figure(|_, _| 1.0).draw().unwrap();
        assert_eq!(drawing.svg.matches("h0").count(), 1);
    }
}
