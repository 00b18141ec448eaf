//! W1 of each column: what an average over all coordinates hides.

use ndarray::{ArrayView2, Axis};
use ot_core::MeasureError;
use ot_core::exact::one_dimensional::{LineError, transport_cost};
use serde::Serialize;

/// W1 of each column, and the worst of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoordinateW1 {
    /// W1 between the columns j of the clouds, \[d\], in the unit of the column.
    pub values: Vec<f64>,
    /// The same over E|y − median y| of the column in the second cloud, \[d\], which does not depend on the unit.
    #[serde(skip)]
    pub relative: Vec<f64>,
    /// The column with the largest relative value; none where the second cloud is one point.
    pub worst: Option<WorstColumn>,
}

/// The share of the mass away from the median from which on a column has a spread of its own.
const VARIES: f64 = 0.1;

/// The column in which two clouds differ most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WorstColumn {
    /// Its number, from 0.
    pub column: usize,
    /// Its W1.
    pub value: f64,
    /// Its relative value.
    pub relative: f64,
}

/// W1 between the columns of two clouds, [n, d] and [m, d], with weights `a`, \[n\], and `b`, \[m\], or equal ones.
///
/// A column of large unit or a heavy tail rules every distance in all coordinates, so that columns are compared by
/// W1_j/E|y_j − median y_j|, which is 1 for a generated column that is constant at the median. A column that hardly
/// varies in the second cloud, with less than a tenth of the mass away from its median, is set beside the mean over all
/// columns: its own spread would rest on a few points, or on none.
///
/// # Errors
/// Clouds that are empty, of different dimensions, hold numbers that are not finite or weights that are not measures.
///
/// O(d·(n log n + m log m)).
///
/// ```
/// use ndarray::array;
/// let (x, y) = (array![[0.0, 500.0], [0.0, 500.0]], array![[-1.0, 400.0], [1.0, 620.0]]);
/// let found = eval::coordinate_w1(x.view(), y.view(), None, None)?;
/// assert_eq!(found.values, [1.0, 110.0]);
/// let worst = found.worst.ok_or("no column")?;
/// assert_eq!((worst.column, worst.relative), (0, 1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn coordinate_w1(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
) -> Result<CoordinateW1, LineError> {
    let (source_dim, target_dim) = (x.ncols(), y.ncols());
    if source_dim != target_dim {
        return Err(LineError::Measure(MeasureError::Dimension { source_dim, target_dim }));
    }
    let (mut values, mut spreads, mut vary) = (Vec::new(), Vec::new(), Vec::new());
    for (x, y) in x.axis_iter(Axis(1)).zip(y.axis_iter(Axis(1))) {
        let (x, y) = (x.to_vec(), y.to_vec());
        values.push(transport_cost(&x, &y, a, b, 1.0)?);
        let median = median(&y, b);
        spreads.push(transport_cost(&y, &[median], b, None, 1.0)?);
        vary.push(share_away(&y, b, median) >= VARIES);
    }
    let mean = spreads.iter().sum::<f64>() / spreads.len() as f64;
    let over = |((&value, &spread), &varies): ((&f64, &f64), &bool)| match value {
        0.0 => 0.0,
        _ if varies => value / spread,
        _ => value / mean,
    };
    let relative: Vec<f64> = values.iter().zip(&spreads).zip(&vary).map(over).collect();
    let columns = values.iter().zip(&relative).enumerate();
    let columns = columns.map(|(column, (&value, &relative))| WorstColumn { column, value, relative });
    // Beside a single point there is nothing to compare the columns by.
    let worst = columns
        .filter(|column| mean > 0.0 && column.relative.is_finite())
        .reduce(|worst, next| if next.relative > worst.relative { next } else { worst });
    Ok(CoordinateW1 { values, relative, worst })
}

/// The share of the mass that is not at `centre`.
fn share_away(values: &[f64], weights: Option<&[f64]>, centre: f64) -> f64 {
    let weight = |row: usize| weights.and_then(|weights| weights.get(row).copied()).unwrap_or(1.0);
    let (mut away, mut all) = (0.0, 0.0);
    for (row, &value) in values.iter().enumerate() {
        all += weight(row);
        away += if value == centre { 0.0 } else { weight(row) };
    }
    away / all
}

/// A median of a weighted sample.
fn median(values: &[f64], weights: Option<&[f64]>) -> f64 {
    let mut order: Vec<(f64, f64)> = match weights {
        Some(weights) => values.iter().copied().zip(weights.iter().copied()).collect(),
        None => values.iter().map(|&value| (value, 1.0)).collect(),
    };
    order.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let half = order.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let middle = order.iter().find(|(_, weight)| {
        below += weight;
        below >= half
    });
    middle.map_or(f64::NAN, |(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, Axis, array, concatenate};

    /// Columns in thousandths and in thousands: shifts of a tenth and of two of their E|y − median|, which is ½ for
    /// a uniform grid of 0, 2/n … 2.
    #[test]
    fn the_worst_column_does_not_depend_on_units() {
        let grid = Array2::from_shape_fn((201, 1), |(i, _)| 0.01 * i as f64);
        let y = concatenate(Axis(1), &[(&grid * 1e-3).view(), (&grid * 1e3).view()]).unwrap();
        let x = &y + &array![2e-3 * 0.5, 1e3 * 0.05];
        let found = coordinate_w1(x.view(), y.view(), None, None).unwrap();
        let worst = found.worst.unwrap();
        assert_eq!(worst.column, 0);
        // E|y − 1| over the 201 points of the grid is .01·(2·(1 + … + 100))/201.
        let spread = 0.01 * 10100.0 / 201.0;
        assert!((worst.relative - 1.0 / spread).abs() < 1e-12, "{worst:?}");
        assert!((found.values[1] - 50.0).abs() < 1e-10, "{found:?}");
    }

    #[test]
    fn weights_and_constant_columns_count() {
        let (x, y) = (array![[0.0, 7.0]], array![[0.0, 5.0], [4.0, 5.0]]);
        let found = coordinate_w1(x.view(), y.view(), None, Some(&[3.0, 1.0])).unwrap();
        // Column 0: a quarter of the mass at 4, whose spread is that too; column 1 is constant, beside (1 + 0)/2.
        assert_eq!(found.values, [1.0, 2.0]);
        assert_eq!(found.worst, Some(WorstColumn { column: 1, value: 2.0, relative: 4.0 }));
        let found = coordinate_w1(array![[3.0, 0.0]].view(), array![[0.0, 0.0]].view(), None, None).unwrap();
        assert_eq!((found.values, found.worst), (vec![3.0, 0.0], None), "one point has no spread");
        assert!(coordinate_w1(array![[3.0, 0.0]].view(), array![[0.0]].view(), None, None).is_err());
    }

    /// A border pixel that is grey in one row of twenty, and in two.
    #[test]
    fn a_column_that_hardly_varies_has_no_spread_of_its_own() {
        let column =
            |grey: usize| Array2::from_shape_fn((20, 1), |(row, _)| if row < grey { 1.0 } else { 0.0 });
        let wide = Array2::from_shape_fn((20, 1), |(row, _)| (row % 2) as f64 * 8.0);
        let relative = |grey: usize| {
            let y = concatenate(Axis(1), &[wide.view(), column(grey).view()]).unwrap();
            let x = concatenate(Axis(1), &[wide.view(), column(4).view()]).unwrap();
            coordinate_w1(x.view(), y.view(), None, None).unwrap().worst.unwrap().relative
        };
        // Three more rows are grey: .15, beside the mean of 4 and .05; two more: .1 over a spread of .1.
        assert!((relative(1) - 0.15 / ((4.0 + 0.05) / 2.0)).abs() < 1e-12, "{}", relative(1));
        assert!((relative(2) - 1.0).abs() < 1e-12, "{}", relative(2));
    }
}
