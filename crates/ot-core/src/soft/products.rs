//! Many coordinates: the Euclidean costs of all pairs by one matrix product, kept from update to update.

#![allow(clippy::indexing_slicing, reason = "kernel; sizes are those of the clouds")]

use crate::cost::{Euclidean, PairCost, squared_distance};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

/// Clouds of fewer coordinates have their costs computed when they are needed.
const DEEP: usize = 64;

/// More pairs are not kept: a divergence of two clouds of this size, with its transpose and both clouds against
/// themselves, takes 512 MiB.
const MOST_PAIRS: usize = 1 << 24;

/// Rows multiplied at once.
const ROWS: usize = 128;

/// Squared distances below this part of ‖x‖² + ‖y‖² are computed from differences: the product would leave them too few
/// digits.
const CLOSE: f64 = 1e-6;

/// The costs of all pairs, [n, m], and from the other side.
pub(super) struct DenseCost {
    rows: Vec<f64>,
    /// The transpose; a cloud against itself needs none.
    columns: Option<Vec<f64>>,
    sources: usize,
    targets: usize,
}

impl DenseCost {
    /// Nothing for few coordinates or too many pairs. O(n·m·d).
    pub(super) fn new(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, cost: Euclidean) -> Option<Self> {
        let (n, m, dim) = (x.nrows(), y.nrows(), x.ncols());
        if dim < DEEP || n.saturating_mul(m) > MOST_PAIRS {
            return None;
        }
        let mean = |points: ArrayView2<'_, f64>| points.mean_axis(Axis(0)).unwrap_or_default();
        let centre = 0.5 * (mean(x) + mean(y));
        let owned = |points: ArrayView2<'_, f64>| points.iter().copied().collect::<Vec<_>>();
        let centred = |points: ArrayView2<'_, f64>| owned((&points - &centre).view());
        let squares = |points: &[f64]| -> Vec<f64> {
            points.par_chunks_exact(dim).map(|point| point.iter().map(|x| x * x).sum()).collect()
        };
        let (from_x, from_y) = (centred(x), centred(y));
        let (of_x, of_y) = (squares(&from_x), squares(&from_y));
        let (x_rows, y_rows) = (owned(x), owned(y));
        let right = MatRef::from_row_major_slice(&from_y, m, dim);
        let mut rows = vec![0.0; n * m];
        rows.par_chunks_mut(ROWS * m).enumerate().for_each(|(task, out)| {
            let (first, count) = (task * ROWS, out.len() / m);
            let left = &from_x[first * dim..(first + count) * dim];
            let left = MatRef::from_row_major_slice(left, count, dim).transpose();
            // Column by column this is the transposed product.
            let product = MatMut::from_column_major_slice_mut(out, m, count);
            matmul(product, Accum::Replace, right, left, -2.0, Par::Seq);
            for (row, out) in out.chunks_exact_mut(m).enumerate() {
                let source = first + row;
                for (target, value) in out.iter_mut().enumerate() {
                    let size = of_x[source] + of_y[target];
                    let mut squared = size + *value;
                    if squared < CLOSE * size {
                        let point = |points: &'_ [f64], at: usize| points[at * dim..(at + 1) * dim].to_vec();
                        squared = squared_distance(&point(&x_rows, source), &point(&y_rows, target));
                    }
                    *value = cost.of_squared_distance(squared);
                }
            }
        });
        let is_one_cloud = x.as_ptr() == y.as_ptr() && x.dim() == y.dim() && x.strides() == y.strides();
        let columns = (!is_one_cloud).then(|| transposed(&rows, m));
        Some(Self { rows, columns, sources: n, targets: m })
    }
}

fn transposed(rows: &[f64], width: usize) -> Vec<f64> {
    let height = rows.len() / width;
    let mut columns = vec![0.0; rows.len()];
    columns.par_chunks_exact_mut(height).enumerate().for_each(|(at, column)| {
        column.iter_mut().zip(rows[at..].iter().step_by(width)).for_each(|(entry, value)| *entry = *value);
    });
    columns
}

impl PairCost for DenseCost {
    fn sources(&self) -> usize {
        self.sources
    }

    fn targets(&self) -> usize {
        self.targets
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        self.rows[source * self.targets + target]
    }

    fn row(&self, source: usize, first_target: usize, out: &mut [f64]) {
        out.copy_from_slice(&self.rows[source * self.targets + first_target..][..out.len()]);
    }

    fn column(&self, target: usize, first_source: usize, out: &mut [f64]) {
        let columns = self.columns.as_ref().unwrap_or(&self.rows);
        out.copy_from_slice(&columns[target * self.sources + first_source..][..out.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn all(cost: &DenseCost) -> Array2<f64> {
        Array2::from_shape_fn((cost.sources, cost.targets), |(i, j)| cost.cost(i, j))
    }

    #[test]
    fn products_give_the_costs_of_differences() {
        let cloud = |count: usize, seed: usize, origin: f64| {
            Array2::from_shape_fn((count, 70), |(i, k)| {
                origin + ((seed + i * 73 + k * k) as f64 * 0.618_033_988_749_894_9).fract()
            })
        };
        for (n, m, origin) in [(300, 40, 0.0), (1, 5, 1e3), (130, 129, -1e3)] {
            let (x, mut y) = (cloud(n, 0, origin), cloud(m, 9, origin));
            // The same point, and one a millionth away.
            y.row_mut(0).assign(&x.row(0));
            y.row_mut(1).assign(&(&x.row(0) + 1e-6));
            for cost in [Euclidean::HalfSquared, Euclidean::Squared, Euclidean::Distance] {
                let exact = |a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>| {
                    Array2::from_shape_fn((a.nrows(), b.nrows()), |(i, j)| {
                        let difference = &a.row(i) - &b.row(j);
                        cost.of_squared_distance(difference.dot(&difference))
                    })
                };
                let between = DenseCost::new(x.view(), y.view(), cost).unwrap();
                let within = DenseCost::new(x.view(), x.view(), cost).unwrap();
                assert!(within.columns.is_none() && between.columns.is_some());
                for (found, expected) in
                    [(all(&between), exact(x.view(), y.view())), (all(&within), exact(x.view(), x.view()))]
                {
                    // Ten roundings of ‖x‖² + ‖y‖², which is up to a million times a squared distance.
                    let is_close = |(one, two): (&f64, &f64)| (one - two).abs() < 2e-9 * two + 1e-13;
                    assert!(found.iter().zip(&expected).all(is_close), "{n}x{m}, {cost:?}, {origin}");
                }
                assert_eq!(between.cost(0, 0), 0.0);
                let mut column = vec![0.0; n - 1];
                between.column(1, 1, &mut column);
                assert!(column.iter().enumerate().all(|(i, &value)| value == between.cost(i + 1, 1)));
            }
        }
        let flat = Array2::zeros((3, 63));
        assert!(DenseCost::new(flat.view(), flat.view(), Euclidean::Squared).is_none());
    }
}
