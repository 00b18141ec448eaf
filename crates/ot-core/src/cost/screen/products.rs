//! Many coordinates: the products of all points as one matrix product, kept from pass to pass where they are few for
//! their dimension.

#![allow(clippy::indexing_slicing, reason = "kernel; sizes are those of the clouds, checked at construction")]

use super::super::Clouds;
use super::frame::Frame;
use super::{DEEP, TASK};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Points that a task's rows are multiplied with at once: they stay in the second-level cache.
const CHUNK: usize = 512;

/// Columns that are looked at together where products are not kept.
const SPAN: usize = 2 * CHUNK;

/// Rows multiplied at once.
pub(in super::super) const ROWS: usize = 4 * TASK;

/// Single-precision numbers of a line of the cache.
pub(super) const LINE: usize = 16;

/// What all passes over the pairs of two clouds share.
pub(in super::super) struct Products {
    frame: Frame,
    sources: Side,
    targets: Side,
    kept: Option<Vec<[f32; LINE]>>,
}

/// Products of some rows with some columns, filled up to whole lines with what belongs to no column.
pub(super) struct Part<'a> {
    /// [row, line]
    lines: &'a [[f32; LINE]],
    /// Lines from one row to the next.
    stride: usize,
}

impl<'a> Part<'a> {
    /// The products of a row with so many columns.
    pub(super) fn row(&self, row: usize, columns: usize) -> &'a [[f32; LINE]] {
        &self.lines[row * self.stride..][..columns.div_ceil(LINE)]
    }
}

/// The points of one cloud.
pub(super) struct Side {
    pub count: usize,
    /// x' in single precision, [count, d]; empty where the products are kept.
    coordinates: Vec<f32>,
    /// ‖x'‖².
    pub squares: Vec<f64>,
    /// ‖x'‖² + 2x'·δ for sources, ‖y'‖² − 2y'·δ for targets.
    pub along: Vec<f64>,
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
    /// The products are kept if `is_shared` by several passes, and if they are few enough ([`is_worth_keeping`]).
    pub(crate) fn new(clouds: &Clouds<'_>, is_shared: bool) -> Option<Self> {
        if clouds.dim < DEEP {
            return None;
        }
        let frame = Frame::new(clouds)?;
        let sources = Side::new(clouds.sources, &frame.source_centre, &frame, 1.0);
        let targets = Side::new(clouds.targets, &frame.target_centre, &frame, -1.0);
        let (n, m) = (sources.count, targets.count);
        let mut products = Self { frame, sources, targets, kept: None };
        if is_shared && is_worth_keeping(n, m, clouds.dim) {
            let stride = lines_between_rows(m);
            let mut kept = vec![[0.0; LINE]; n * stride];
            kept.par_chunks_mut(ROWS * stride)
                .enumerate()
                .for_each(|(task, out)| products.multiply(false, task * ROWS, (0, m), out, stride));
            products.kept = Some(kept);
            products.sources.coordinates = Vec::new();
            products.targets.coordinates = Vec::new();
        }
        Some(products)
    }

    /// The points of the rows and those of the columns.
    pub(super) fn sides(&self, is_swapped: bool) -> (&Side, &Side) {
        if is_swapped { (&self.targets, &self.sources) } else { (&self.sources, &self.targets) }
    }

    /// The frame of both clouds.
    pub(super) fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Whether passes need not multiply.
    pub(crate) fn are_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Writes −2x'·y' for the rows from `first` on and `columns` points of the other side from `start` on.
    fn multiply(
        &self,
        is_swapped: bool,
        first: usize,
        (start, columns): (usize, usize),
        out: &mut [[f32; LINE]],
        stride: usize,
    ) {
        let (rows, others) = self.sides(is_swapped);
        let dim = self.frame.offset.len();
        let count = out.len() / stride;
        let left = &rows.coordinates[first * dim..(first + count) * dim];
        let left = MatRef::from_row_major_slice(left, count, dim).transpose();
        // Column by column this is the transposed product.
        let out = MatMut::from_column_major_slice_mut(out.as_flattened_mut(), stride * LINE, count);
        let mut out = out.subrows_mut(0, columns);
        for at in (0..columns).step_by(CHUNK) {
            let size = CHUNK.min(columns - at);
            let right = &others.coordinates[(start + at) * dim..(start + at + size) * dim];
            let right = MatRef::from_row_major_slice(right, size, dim);
            matmul(out.as_mut().subrows_mut(at, size), Accum::Replace, right, left, -2.0, Par::Seq);
        }
    }

    /// The most columns that [`Products::read`] should be asked for at once.
    pub(super) fn span(&self, is_swapped: bool) -> usize {
        // Rows that are kept need not fit anywhere.
        if self.are_kept() && !is_swapped { self.targets.count } else { SPAN }
    }

    /// The products of `count` rows from `first` on with `columns` points of the other side from `start` on, a multiple
    /// of [`LINE`]; in `buffer`, unless they are kept as such.
    pub(super) fn read<'a>(
        &'a self,
        is_swapped: bool,
        (first, count): (usize, usize),
        (start, columns): (usize, usize),
        buffer: &'a mut Vec<[f32; LINE]>,
    ) -> Part<'a> {
        let Some(kept) = &self.kept else {
            let stride = lines_between_rows(columns);
            buffer.resize(count * stride, [0.0; LINE]);
            self.multiply(is_swapped, first, (start, columns), buffer, stride);
            return Part { lines: buffer, stride };
        };
        let stride = lines_between_rows(self.targets.count);
        if !is_swapped {
            return Part { lines: &kept[first * stride + start / LINE..], stride };
        }
        // Columns that are rows of what is kept: line by line, so that what a line is made of stays in the cache.
        let between = lines_between_rows(columns);
        buffer.resize(count * between, [0.0; LINE]);
        for line in 0..columns.div_ceil(LINE) {
            let at = start + line * LINE;
            for lane in 0..LINE.min(start + columns - at) {
                let of_column = &kept[(at + lane) * stride..].as_flattened()[first..first + count];
                for (row, product) in of_column.iter().enumerate() {
                    buffer[row * between + line][lane] = *product;
                }
            }
        }
        Part { lines: buffer, stride: between }
    }
}

/// An odd number of lines for so many columns: columns of rows that begin a power of two apart would meet in the cache.
fn lines_between_rows(columns: usize) -> usize {
    columns.div_ceil(LINE) | 1
}

/// Whether products take at most twice the memory of the points.
fn is_worth_keeping(n: usize, m: usize, dim: usize) -> bool {
    n * m <= 4 * (n + m) * dim
}
