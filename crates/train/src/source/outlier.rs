//! Whether few points dominate the scale of a set.

use ndarray::{Array1, ArrayView2, Axis};

/// Rows that the median of a coordinate is taken over: its error of some 1/√ROWS of the spread decides nothing here.
const ROWS: usize = 1000;

/// The point farthest from the median of a set, beside the distances of the others from there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Farthest {
    /// Its row.
    pub(super) row: usize,
    /// The coordinate that is farthest off.
    pub(super) column: usize,
    /// The distance within which half of the points lie that are not at the median itself.
    pub(super) near: f64,
    /// The root mean square of the distance of all.
    pub(super) mean: f64,
}

impl Farthest {
    /// The root mean square over the median of the distances: of order 1 for laws with light tails, and large where few
    /// points dominate the scale.
    pub(super) fn ratio(&self) -> f64 {
        self.mean / self.near
    }
}

/// The farthest point; none where all are equal. Shapes: [n, d]. Complexity: O(n·d).
pub(super) fn farthest(points: ArrayView2<'_, f64>) -> Option<Farthest> {
    let rows = points.nrows();
    let some: Vec<usize> = (0..rows).step_by(rows.div_ceil(ROWS).max(1)).collect();
    let some = points.select(Axis(0), &some);
    let centre: Array1<f64> = some.columns().into_iter().map(|column| median(column.to_vec())).collect();
    // In units of the largest difference, so that no square leaves the range of the numbers.
    let most = points
        .rows()
        .into_iter()
        .flat_map(|row| row.into_iter().zip(&centre))
        .fold(0.0, |most: f64, (x, c)| most.max((x - c).abs()));
    if most == 0.0 {
        return None;
    }
    let distance = |row: ndarray::ArrayView1<'_, f64>| {
        row.iter().zip(&centre).map(|(x, c)| ((x - c) / most).powi(2)).sum::<f64>().sqrt()
    };
    let distances: Vec<f64> = points.rows().into_iter().map(distance).collect();
    let (row, _) = distances.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let off = |column: &usize| {
        points.get((row, *column)).zip(centre.get(*column)).map_or(0.0, |(x, c)| (x - c).abs())
    };
    let column = (0..points.ncols()).max_by(|a, b| off(a).total_cmp(&off(b)))?;
    let mean = most * (distances.iter().map(|d| d * d).sum::<f64>() / rows as f64).sqrt();
    let near = most * median(distances.into_iter().filter(|&d| d > 0.0).collect());
    Some(Farthest { row, column, near, mean })
}

/// The upper median; NaN of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return f64::NAN;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use rand::RngExt;
    use rand_distr::StandardNormal;

    fn normal(rows: usize, columns: usize) -> Array2<f64> {
        let mut rng = datasets::stream(1, "outlier", 0);
        Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
    }

    /// The median of |x| is 0.6745 for a normal coordinate, its root mean square 1; in the plane √(2 ln 2) and √2.
    #[test]
    fn normal_points_have_a_ratio_of_order_one_whatever_their_unit() {
        for (columns, expected) in [(1, 1.0 / 0.6745), (2, 1.0 / 2.0_f64.ln().sqrt())] {
            for (unit, offset) in [(1.0, 0.0), (100.0, 1000.0), (1e-200, 0.0), (1e200, 0.0)] {
                let ratio = farthest((normal(4000, columns) * unit + offset).view()).unwrap().ratio();
                // The median of 4000 distances is known within 3 %; 4 deviations.
                assert!((ratio / expected - 1.0).abs() < 0.1, "{columns} columns, unit {unit}: {ratio}");
            }
        }
    }

    #[test]
    fn one_point_among_thousands_is_found_in_its_row_and_column() {
        let mut points = normal(3000, 3);
        points[[1234, 2]] = -1e5;
        let found = farthest(points.view()).unwrap();
        assert_eq!((found.row, found.column), (1234, 2));
        // 1e5/√3000 over a median of 1.54 (chi with three degrees of freedom).
        assert!((found.ratio() / (1e5 / 3000.0_f64.sqrt() / 1.54) - 1.0).abs() < 0.1, "{}", found.ratio());
    }

    /// More than half of the rows in one place say nothing about the scale of the others.
    #[test]
    fn repeated_points_are_no_reason_to_call_the_others_far() {
        let mut points = Array2::zeros((1000, 2));
        points.slice_mut(ndarray::s![..100, ..]).assign(&normal(100, 2));
        assert!(farthest(points.view()).unwrap().ratio() < 2.0);
        assert_eq!(farthest(Array2::from_elem((9, 2), 4.0).view()), None);
    }
}
