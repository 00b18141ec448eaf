//! The right factor of a product, packed for the register tiles.
#![allow(clippy::indexing_slicing, reason = "the panels are sized from the matrix that is packed")]

use super::{LANES, groups};
use crate::real::Real;

/// A matrix cut into panels of a register tile's columns, each panel row by row; the last one is filled up with zeros.
#[derive(Debug, Clone)]
pub(crate) struct Panels<T> {
    depth: usize,
    columns: usize,
    data: Vec<[T; LANES]>,
}

impl<T: Real> Panels<T> {
    /// The matrix without entries.
    pub(crate) fn new() -> Self {
        Self { depth: 0, columns: 0, data: Vec::new() }
    }

    /// Packs the row-major `depth × columns` matrix `entries`.
    pub(crate) fn pack(&mut self, entries: &[T], depth: usize, columns: usize) {
        self.fit(depth, columns);
        for first in (0..columns).step_by(groups::<T>() * LANES) {
            let width = (columns - first).min(groups::<T>() * LANES);
            let groups = width.div_ceil(LANES);
            let panel = &mut self.data[first / LANES * depth..][..groups * depth];
            for (packed, row) in panel.chunks_exact_mut(groups).zip(entries.chunks_exact(columns)) {
                packed.as_flattened_mut()[..width].copy_from_slice(&row[first..first + width]);
            }
        }
    }

    /// Packs the transpose of the row-major `columns × depth` matrix `entries`.
    pub(crate) fn pack_transposed(&mut self, entries: &[T], depth: usize, columns: usize) {
        self.fit(depth, columns);
        for first in (0..columns).step_by(groups::<T>() * LANES) {
            let width = (columns - first).min(groups::<T>() * LANES);
            let groups = width.div_ceil(LANES);
            let panel = &mut self.data[first / LANES * depth..][..groups * depth];
            let panel = panel.as_flattened_mut();
            for (column, row) in entries[first * depth..][..width * depth].chunks_exact(depth).enumerate() {
                for (packed, &entry) in panel.chunks_exact_mut(groups * LANES).zip(row) {
                    packed[column] = entry;
                }
            }
        }
    }

    fn fit(&mut self, depth: usize, columns: usize) {
        let size = depth * columns.div_ceil(LANES);
        if (self.depth, self.columns) != (depth, columns) {
            // What fills up the last panel is written here only.
            self.data.clear();
            (self.depth, self.columns) = (depth, columns);
        }
        self.data.resize(size, [T::zero(); LANES]);
    }

    /// The first `rows` rows of the panel that begins at column `first`, [`Panels::width`] groups to a row.
    #[inline(always)]
    pub(super) fn panel(&self, first: usize, rows: usize) -> &[[T; LANES]] {
        &self.data[first / LANES * self.depth..][..rows * self.width(first)]
    }

    /// Groups of columns in the panel that begins at column `first`.
    #[inline(always)]
    pub(super) fn width(&self, first: usize) -> usize {
        (self.columns - first).div_ceil(LANES).min(groups::<T>())
    }
}
