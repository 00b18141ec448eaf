//! Many coordinates: the products of all points as one matrix product, kept from pass to pass where they are few for
//! their dimension.

#![allow(clippy::indexing_slicing, reason = "kernel; sizes are those of the clouds, checked at construction")]

use super::super::{Clouds, Row};
use super::frame::{Frame, Rounding};
use super::{DEEP, TASK};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Points that a task's rows are multiplied with at once: they stay in the second-level cache.
const CHUNK: usize = 512;

/// Sums that are looked at together: what is near among more of them lowers the limits faster.
const SPAN: usize = 4 * CHUNK;

/// Rows multiplied at once where all products are made together.
const ROWS: usize = 4 * TASK;

/// Sums compared with a limit at once.
const LANES: usize = 8;

/// What all passes over the pairs of two clouds share.
pub(in super::super) struct Products {
    frame: Frame,
    sources: Side,
    targets: Side,
    kept: Option<Vec<f32>>,
}

/// The points of one cloud.
struct Side {
    count: usize,
    /// x' in single precision, [count, d]; empty where the products are kept.
    coordinates: Vec<f32>,
    /// ‖x'‖².
    squares: Vec<f64>,
    /// ‖x'‖² + 2x'·δ for sources, ‖y'‖² − 2y'·δ for targets.
    along: Vec<f64>,
}

impl Side {
    fn new(points: &[f64], centre: &[f64], frame: &Frame, sign: f64) -> Self {
        let dim = centre.len();
        let mut coordinates = vec![0.0; points.len()];
        let (squares, along) = points
            .par_chunks_exact(dim)
            .zip(coordinates.par_chunks_exact_mut(dim))
            .map(|(point, singles)| {
                let (mut square, mut along) = (0.0, 0.0);
                for ((single, (coordinate, centre)), offset) in
                    singles.iter_mut().zip(point.iter().zip(centre)).zip(&frame.offset)
                {
                    let centred = (coordinate - centre) * frame.scale;
                    square += centred * centred;
                    along += centred * (centred + 2.0 * sign * offset);
                    *single = centred as f32;
                }
                (square, along)
            })
            .unzip();
        Self { count: points.len() / dim, coordinates, squares, along }
    }
}

impl Products {
    /// Nothing if there are few coordinates, or if their size is beyond single precision.
    ///
    /// The products are kept if `is_shared` by several passes, and if they take at most twice the memory of the points.
    pub(crate) fn new(clouds: &Clouds<'_>, is_shared: bool) -> Option<Self> {
        if clouds.dim < DEEP {
            return None;
        }
        let frame = Frame::new(clouds)?;
        let sources = Side::new(clouds.sources, &frame.source_centre, &frame, 1.0);
        let targets = Side::new(clouds.targets, &frame.target_centre, &frame, -1.0);
        let (n, m) = (sources.count, targets.count);
        let mut products = Self { frame, sources, targets, kept: None };
        if is_shared && n * m <= 4 * (n + m) * clouds.dim {
            let mut kept = vec![0.0; n * m];
            kept.par_chunks_mut(ROWS * m)
                .enumerate()
                .for_each(|(task, out)| products.multiply(false, task * ROWS, 0, m, out));
            products.kept = Some(kept);
            products.sources.coordinates = Vec::new();
            products.targets.coordinates = Vec::new();
        }
        Some(products)
    }

    fn sides(&self, is_swapped: bool) -> (&Side, &Side) {
        if is_swapped { (&self.targets, &self.sources) } else { (&self.sources, &self.targets) }
    }

    /// Whether passes need not multiply.
    pub(crate) fn are_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Writes −2x'·y' for the rows from `first` on and `columns` points of the other side from `start` on,
    /// [rows, columns].
    fn multiply(&self, is_swapped: bool, first: usize, start: usize, columns: usize, out: &mut [f32]) {
        let (rows, others) = self.sides(is_swapped);
        let dim = self.frame.offset.len();
        let count = out.len() / columns;
        let left = &rows.coordinates[first * dim..(first + count) * dim];
        let left = MatRef::from_row_major_slice(left, count, dim).transpose();
        // Column by column this is the transposed product.
        let mut out = MatMut::from_column_major_slice_mut(out, columns, count);
        for at in (0..columns).step_by(CHUNK) {
            let size = CHUNK.min(columns - at);
            let right = &others.coordinates[(start + at) * dim..(start + at + size) * dim];
            let right = MatRef::from_row_major_slice(right, size, dim);
            matmul(out.as_mut().subrows_mut(at, size), Accum::Replace, right, left, -2.0, Par::Seq);
        }
    }

    /// The products of `rows` points from `first` on with `columns` of the other side from `start` on,
    /// [rows, columns].
    fn read(&self, is_swapped: bool, first: usize, start: usize, columns: usize, out: &mut [f32]) {
        let Some(kept) = &self.kept else {
            return self.multiply(is_swapped, first, start, columns, out);
        };
        let stride = self.targets.count;
        if is_swapped {
            let rows = out.len() / columns;
            for column in 0..columns {
                let of_column = &kept[(start + column) * stride + first..][..rows];
                for (row, product) in of_column.iter().enumerate() {
                    out[row * columns + column] = *product;
                }
            }
        } else {
            for (row, out) in out.chunks_exact_mut(columns).enumerate() {
                out.copy_from_slice(&kept[(first + row) * stride + start..][..columns]);
            }
        }
    }
}

/// The potentials of one pass, with the products that they are added to.
pub(in super::super) struct ProductScreen<'a> {
    products: &'a Products,
    /// Whether the rows are those of the targets.
    is_swapped: bool,
    rounding: Rounding,
    offsets: Vec<f32>,
    last: Vec<f32>,
}

impl<'a> ProductScreen<'a> {
    /// Nothing if the potentials are beyond single precision.
    pub(crate) fn new(products: &'a Products, is_swapped: bool, potential: &[f64]) -> Option<Self> {
        let frame = &products.frame;
        let gauge = frame.gauge(potential)?;
        let mut rounding = Rounding::new(frame, gauge);
        let (_, others) = products.sides(is_swapped);
        let (offsets, last) = others
            .along
            .iter()
            .zip(&others.squares)
            .zip(potential)
            .map(|((&along, &square), &value)| rounding.add(along, square, gauge.of_potential(value)))
            .unzip();
        rounding.is_sound().then_some(Self { products, is_swapped, rounding, offsets, last })
    }

    /// Offers each of the `rows`, which begin at `first`, every column whose reduced cost is not proved to be at or
    /// above the row's limit.
    pub(crate) fn scan<R: Row>(&self, first: usize, rows: &mut [R], offer: impl Fn(&mut R, usize, usize)) {
        let (own, others) = self.products.sides(self.is_swapped);
        let mut buffer = vec![0.0; rows.len() * SPAN.min(others.count)];
        let mut near = Vec::new();
        for start in (0..others.count).step_by(SPAN) {
            let columns = SPAN.min(others.count - start);
            let products = &mut buffer[..rows.len() * columns];
            self.products.read(self.is_swapped, first, start, columns, products);
            let (offsets, last) = (&self.offsets[start..start + columns], &self.last[start..start + columns]);
            for (index, (kept, products)) in rows.iter_mut().zip(products.chunks_exact(columns)).enumerate() {
                let row = first + index;
                let base = own.along[row] + self.rounding.squared_distance();
                let threshold = |kept: &R| self.rounding.threshold(kept.limit(), base, own.squares[row]);
                let mut limit = threshold(kept);
                let groups = products.chunks(LANES).zip(offsets.chunks(LANES).zip(last.chunks(LANES)));
                near.clear();
                for (group, (products, (offsets, last))) in groups.enumerate() {
                    let least = products
                        .iter()
                        .zip(offsets.iter().zip(last))
                        .map(|(product, (offset, last))| product + offset + limit.last * last)
                        .fold(f32::INFINITY, |least, sum| if sum < least { sum } else { least });
                    if least < limit.sum {
                        near.push((least, group));
                    }
                }
                // What is near is likely to lower the limit that dismisses the rest.
                near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                for &(_, group) in &near {
                    for lane in group * LANES..((group + 1) * LANES).min(columns) {
                        if products[lane] + offsets[lane] + limit.last * last[lane] < limit.sum {
                            offer(kept, row, start + lane);
                            limit = threshold(kept);
                        }
                    }
                }
            }
        }
    }
}
