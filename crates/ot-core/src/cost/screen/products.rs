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
    /// The number of axes that add to products.
    depth: usize,
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
    /// x' in single precision along the axes of the products, [count, depth]; empty where the products are kept.
    coordinates: Vec<f32>,
    /// ‖x'‖².
    pub squares: Vec<f64>,
    /// ‖x'‖² + 2x'·δ for sources, ‖y'‖² − 2y'·δ for targets.
    pub along: Vec<f64>,
}

impl Side {
    fn new(points: &[f64], centre: &[f64], frame: &Frame, axes: &[usize], sign: f64) -> Self {
        let dim = centre.len();
        let mut coordinates = vec![0.0; points.len() / dim * axes.len()];
        let (squares, along) = points
            .par_chunks_exact(dim)
            .zip(coordinates.par_chunks_exact_mut(axes.len()))
            .map(|(point, singles)| {
                let (mut square, mut along) = (0.0, 0.0);
                for ((coordinate, centre), offset) in point.iter().zip(centre).zip(&frame.offset) {
                    let centred = (coordinate - centre) * frame.scale;
                    square += centred * centred;
                    along += centred * (centred + 2.0 * sign * offset);
                }
                for (single, &axis) in singles.iter_mut().zip(axes) {
                    *single = ((point[axis] - centre[axis]) * frame.scale) as f32;
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
        let axes = axes_of_products(clouds, &frame);
        let sources = Side::new(clouds.sources, &frame.source_centre, &frame, &axes, 1.0);
        let targets = Side::new(clouds.targets, &frame.target_centre, &frame, &axes, -1.0);
        let (n, m, depth) = (sources.count, targets.count, axes.len());
        let mut products = Self { frame, depth, sources, targets, kept: None };
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
        let dim = self.depth;
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
            let of_columns: [&[f32]; LINE] = std::array::from_fn(|lane| {
                let column = (at + lane).min(start + columns - 1);
                &kept[column * stride..].as_flattened()[first..first + count]
            });
            for (row, line) in buffer.iter_mut().skip(line).step_by(between).enumerate() {
                for (product, of_column) in line.iter_mut().zip(of_columns) {
                    *product = of_column[row];
                }
            }
        }
        Part { lines: buffer, stride: between }
    }
}

/// The axes along which neither cloud is flat; at least one.
///
/// Where all points of a cloud have the same coordinate, as on the border of images, x' is zero and so is the product.
fn axes_of_products(clouds: &Clouds<'_>, frame: &Frame) -> Vec<usize> {
    let flat = |points: &[f64], centre: &[f64]| {
        let mut flat: Vec<usize> = (0..clouds.dim).collect();
        for point in points.chunks_exact(clouds.dim) {
            flat.retain(|&axis| point[axis] == centre[axis]);
        }
        flat
    };
    let of_sources = flat(clouds.sources, &frame.source_centre);
    let of_targets = flat(clouds.targets, &frame.target_centre);
    let is_flat =
        |axis: &usize| of_sources.binary_search(axis).is_ok() || of_targets.binary_search(axis).is_ok();
    let axes: Vec<usize> = (0..clouds.dim).filter(|axis| !is_flat(axis)).collect();
    if axes.is_empty() { vec![0] } else { axes }
}

/// An odd number of lines for so many columns: columns of rows that begin a power of two apart would meet in the cache.
fn lines_between_rows(columns: usize) -> usize {
    columns.div_ceil(LINE) | 1
}

/// From this dimension on products take much longer to make than to read.
const DEEPER: usize = 256;

/// Products that are kept whatever the memory of the points: 512 MiB.
const FEW: usize = 1 << 27;

/// Whether products take at most twice the memory of the points, or little memory and much time to make.
fn is_worth_keeping(n: usize, m: usize, dim: usize) -> bool {
    let most = if dim < DEEPER { 4 * (n + m) * dim } else { FEW.max(4 * (n + m) * dim) };
    n.saturating_mul(m) <= most
}
