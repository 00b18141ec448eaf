//! Many coordinates: the Euclidean costs of all pairs by matrix products, kept from update to update where they are few.

#![allow(clippy::indexing_slicing, reason = "kernel; sizes are those of the clouds")]

use super::Side;
use crate::cost::{Euclidean, squared_distance};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

/// Clouds of fewer coordinates have their costs computed when they are needed.
const DEEP: usize = 64;

/// More pairs are multiplied anew in every pass: the three problems of a divergence keep 768 MiB at this size.
const MOST_PAIRS: usize = 1 << 25;

/// Points multiplied at once with so many of the other side.
const ROWS: usize = 128;
const COLUMNS: usize = 512;

/// Numbers from one row of a block to the next: a power of two would let columns meet in the cache.
const STRIDE: usize = COLUMNS + 8;

/// Squared distances below this part of ‖x‖² + ‖y‖² are computed from differences: the product would leave them too few
/// digits.
const CLOSE: f64 = 1e-6;

/// The costs of all pairs of two clouds.
pub(crate) struct Products {
    cost: Euclidean,
    dim: usize,
    x: Points,
    y: Points,
    /// The costs, [n, m].
    kept: Option<Vec<f64>>,
}

/// One of the clouds, around the centre of both.
struct Points {
    /// [count, d]
    coordinates: Vec<f64>,
    squares: Vec<f64>,
    dim: usize,
}

impl Points {
    fn new(points: ArrayView2<'_, f64>, centre: &ndarray::Array1<f64>) -> Self {
        let dim = points.ncols();
        let coordinates: Vec<f64> = (&points - centre).iter().copied().collect();
        let squares =
            coordinates.par_chunks_exact(dim).map(|point| point.iter().map(|x| x * x).sum()).collect();
        Self { coordinates, squares, dim }
    }

    fn count(&self) -> usize {
        self.squares.len()
    }

    /// The coordinates of so many points from the first.
    fn rows(&self, first: usize, count: usize) -> &[f64] {
        &self.coordinates[first * self.dim..(first + count) * self.dim]
    }
}

impl Products {
    /// Nothing for few coordinates. O(n·m·d).
    pub(super) fn new(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, cost: Euclidean) -> Option<Self> {
        Self::keeping(MOST_PAIRS, x, y, cost)
    }

    /// The same, where at most so many pairs are kept.
    fn keeping(most: usize, x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, cost: Euclidean) -> Option<Self> {
        let (n, m, dim) = (x.nrows(), y.nrows(), x.ncols());
        if dim < DEEP {
            return None;
        }
        let mean = |points: ArrayView2<'_, f64>| points.mean_axis(Axis(0)).unwrap_or_default();
        let centre = 0.5 * (mean(x) + mean(y));
        let mut products =
            Self { cost, dim, x: Points::new(x, &centre), y: Points::new(y, &centre), kept: None };
        if n.saturating_mul(m) <= most {
            let mut kept = vec![0.0; n * m];
            kept.par_chunks_mut(ROWS * m).enumerate().for_each(|(task, out)| {
                let rows = (task * ROWS, out.len() / m);
                for start in (0..m).step_by(COLUMNS) {
                    let columns = (start, COLUMNS.min(m - start));
                    products.multiply(Side::Sources, rows, columns, &mut out[start..], m);
                }
            });
            products.kept = Some(kept);
        }
        Some(products)
    }

    /// The points of a side and those of the other.
    fn sides(&self, of: Side) -> (&Points, &Points) {
        match of {
            Side::Sources => (&self.x, &self.y),
            Side::Targets => (&self.y, &self.x),
        }
    }

    /// Writes the costs of `count` points of a side from `first` on with `columns` of the other from `start` on, as
    /// rows that begin `stride` numbers apart.
    fn multiply(
        &self,
        of: Side,
        (first, count): (usize, usize),
        (start, columns): (usize, usize),
        out: &mut [f64],
        stride: usize,
    ) {
        let (own, others) = self.sides(of);
        let left = MatRef::from_row_major_slice(own.rows(first, count), count, self.dim).transpose();
        let right = MatRef::from_row_major_slice(others.rows(start, columns), columns, self.dim);
        // Column by column this is the transposed product.
        let product = MatMut::from_column_major_slice_with_stride_mut(out, columns, count, stride);
        matmul(product, Accum::Replace, right, left, -2.0, Par::Seq);
        for (row, out) in out.chunks_mut(stride).take(count).enumerate() {
            let own_square = own.squares[first + row];
            for (column, value) in out[..columns].iter_mut().enumerate() {
                let size = own_square + others.squares[start + column];
                let mut squared = size + *value;
                if squared < CLOSE * size {
                    squared = squared_distance(own.rows(first + row, 1), others.rows(start + column, 1));
                }
                *value = self.cost.of_squared_distance(squared);
            }
        }
    }

    /// The same with rows [`STRIDE`] apart, from what is kept if it is.
    fn costs(&self, of: Side, rows: (usize, usize), columns: (usize, usize), out: &mut [f64]) {
        let Some(kept) = &self.kept else {
            return self.multiply(of, rows, columns, out, STRIDE);
        };
        let ((first, count), (start, columns), width) = (rows, columns, self.y.count());
        match of {
            Side::Sources => {
                for (row, out) in out.chunks_exact_mut(STRIDE).enumerate() {
                    out[..columns].copy_from_slice(&kept[(first + row) * width + start..][..columns]);
                }
            }
            Side::Targets => {
                for column in 0..columns {
                    let of_column = &kept[(start + column) * width + first..][..count];
                    let places = out[column..].iter_mut().step_by(STRIDE);
                    places.zip(of_column).for_each(|(place, cost)| *place = *cost);
                }
            }
        }
    }

    /// Folds the costs of each point of a side, block by block in ascending order of the other's points, into an
    /// accumulator of its own.
    ///
    /// `visit(accumulator, first, costs)` may overwrite `costs`. Each accumulator sees its blocks in the same order
    /// whatever the number of threads.
    pub(super) fn accumulate<A: Send>(
        &self,
        of: Side,
        start: impl Fn() -> A,
        visit: impl Fn(&mut A, usize, &mut [f64]) + Sync,
    ) -> Vec<A> {
        let (own, others) = self.sides(of);
        let mut accumulators: Vec<A> = (0..own.count()).map(|_| start()).collect();
        accumulators.par_chunks_mut(ROWS).enumerate().for_each(|(task, chunk)| {
            let mut block = vec![0.0; chunk.len() * STRIDE];
            for first in (0..others.count()).step_by(COLUMNS) {
                let columns = COLUMNS.min(others.count() - first);
                self.costs(of, (task * ROWS, chunk.len()), (first, columns), &mut block);
                for (accumulator, costs) in chunk.iter_mut().zip(block.chunks_exact_mut(STRIDE)) {
                    visit(accumulator, first, &mut costs[..columns]);
                }
            }
        });
        accumulators
    }

    /// Σ_j P_ij ∇_x c(x_i, y_j) for every source, [n, d], with P_ij = `mass(i, j, c_ij)`.
    ///
    /// ∇_x c = s·(x − y) with s of the distance only, so the sum is x_i Σ_j P_ij s_ij − Σ_j P_ij s_ij y_j: a matrix
    /// product. O(n·m·d).
    pub(crate) fn pulls(&self, mass: impl Fn(usize, usize, f64) -> f64 + Sync) -> Vec<f64> {
        let mut pulls = vec![0.0; self.x.coordinates.len()];
        pulls.par_chunks_mut(ROWS * self.dim).enumerate().for_each(|(task, pulls)| {
            let (first, count) = (task * ROWS, pulls.len() / self.dim);
            let mut totals = vec![0.0; count];
            let mut block = vec![0.0; count * STRIDE];
            for start in (0..self.y.count()).step_by(COLUMNS) {
                let columns = COLUMNS.min(self.y.count() - start);
                self.costs(Side::Sources, (first, count), (start, columns), &mut block);
                for (row, costs) in block.chunks_exact_mut(STRIDE).enumerate() {
                    for (column, value) in costs[..columns].iter_mut().enumerate() {
                        // The slope of a squared distance does not depend on it.
                        let slope = self.cost.slope_factor(*value * *value);
                        *value = slope * mass(first + row, start + column, *value);
                        totals[row] += *value;
                    }
                }
                let out = MatMut::from_column_major_slice_mut(&mut *pulls, self.dim, count);
                let points = MatRef::from_column_major_slice(self.y.rows(start, columns), self.dim, columns);
                let weights = MatRef::from_column_major_slice_with_stride(&block, columns, count, STRIDE);
                matmul(out, Accum::Add, points, weights, -1.0, Par::Seq);
            }
            for (row, (pull, total)) in pulls.chunks_exact_mut(self.dim).zip(totals).enumerate() {
                let point = self.x.rows(first + row, 1);
                pull.iter_mut().zip(point).for_each(|(pull, x)| *pull += total * x);
            }
        });
        pulls
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    /// The costs of all pairs as a pass from one side sees them, [n, m].
    fn all(products: &Products, of: Side) -> Array2<f64> {
        let rows = products.accumulate(of, Vec::new, |row, first, costs| {
            assert_eq!(row.len(), first);
            row.extend_from_slice(costs);
        });
        let (n, m) = (products.x.count(), products.y.count());
        Array2::from_shape_fn((n, m), |(i, j)| match of {
            Side::Sources => rows[i][j],
            Side::Targets => rows[j][i],
        })
    }

    fn cloud(count: usize, seed: usize, origin: f64) -> Array2<f64> {
        Array2::from_shape_fn((count, 70), |(i, k)| {
            origin + ((seed + i * 73 + k * k) as f64 * 0.618_033_988_749_894_9).fract()
        })
    }

    const COSTS: [Euclidean; 3] = [Euclidean::HalfSquared, Euclidean::Squared, Euclidean::Distance];

    #[test]
    fn products_give_the_costs_of_differences_kept_or_not() {
        for (n, m, origin) in [(300, 40, 0.0), (1, 5, 1e3), (130, 700, -1e3)] {
            let (x, mut y) = (cloud(n, 0, origin), cloud(m, 9, origin));
            // The same point, and one a millionth away.
            y.row_mut(0).assign(&x.row(0));
            y.row_mut(1).assign(&(&x.row(0) + 1e-6));
            for cost in COSTS {
                for other in [&y, &x] {
                    let exact = Array2::from_shape_fn((n, other.nrows()), |(i, j)| {
                        let difference = &x.row(i) - &other.row(j);
                        cost.of_squared_distance(difference.dot(&difference))
                    });
                    for most in [0, usize::MAX] {
                        let products = Products::keeping(most, x.view(), other.view(), cost).unwrap();
                        for found in [Side::Sources, Side::Targets].map(|of| all(&products, of)) {
                            // Ten roundings of ‖x‖² + ‖y‖², which is up to a million times a squared distance.
                            let is_close = |(one, two): (&f64, &f64)| (one - two).abs() < 2e-9 * two + 1e-13;
                            assert!(found.iter().zip(&exact).all(is_close), "{n}x{m}, {cost:?}, {origin}");
                            assert_eq!(found[[0, 0]], 0.0);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn pulls_are_the_weighted_gradients_of_the_cost() {
        let (x, mut y) = (cloud(131, 0, 5.0), cloud(515, 9, 5.0));
        y.row_mut(0).assign(&x.row(0));
        for cost in COSTS {
            let mass = |i: usize, j: usize, cost: f64| ((i + 3 * j) % 7) as f64 + cost;
            for most in [0, usize::MAX] {
                let pulls = Products::keeping(most, x.view(), y.view(), cost).unwrap().pulls(mass);
                for (i, pull) in pulls.chunks_exact(70).enumerate().step_by(13) {
                    let mut expected = [0.0; 70];
                    for (j, y) in y.rows().into_iter().enumerate() {
                        let difference = &x.row(i) - &y;
                        let squared = difference.dot(&difference);
                        let factor =
                            mass(i, j, cost.of_squared_distance(squared)) * cost.slope_factor(squared);
                        expected.iter_mut().zip(&difference).for_each(|(sum, step)| *sum += factor * step);
                    }
                    // Sums of 515 terms of up to 50, some with slopes of a close point.
                    let is_close = |(one, two): (&f64, &f64)| (one - two).abs() < 1e-8;
                    assert!(pull.iter().zip(&expected).all(is_close), "{cost:?}, row {i}");
                }
            }
        }
    }

    #[test]
    fn few_coordinates_are_not_multiplied() {
        let cloud = |dim: usize| Array2::from_shape_fn((3, dim), |(i, k)| (i + k) as f64);
        let is_taken = |x: Array2<f64>| Products::new(x.view(), x.view(), Euclidean::Squared).is_some();
        assert!(!is_taken(cloud(63)) && is_taken(cloud(64)));
    }
}
