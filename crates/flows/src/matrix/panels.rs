//! The right factor of a product, packed for the register tiles.
#![allow(clippy::indexing_slicing, reason = "the panels are sized from the matrix that is packed")]

use super::Buffer;
use crate::real::Real;
use simd::{Portable, Row};

/// A matrix cut into panels as wide as a row of registers, each panel row by row; the last one is filled up with zeros,
/// and half as wide where that is enough.
#[derive(Debug, Clone, Default)]
pub(crate) struct Panels<T> {
    depth: usize,
    columns: usize,
    data: Buffer<T>,
}

impl<T: Real> Panels<T> {
    /// Columns of a panel, and of half a panel; those of a row of registers whatever the instructions.
    pub(super) const NUMBERS: usize = <T::Row<Portable>>::NUMBERS;
    const HALF: usize = <T::HalfRow<Portable>>::NUMBERS;

    /// The matrix without entries.
    pub(crate) fn new() -> Self {
        Self { depth: 0, columns: 0, data: Buffer::new() }
    }

    /// Packs the row-major `depth × columns` matrix `entries`.
    #[inline]
    pub(crate) fn pack(&mut self, entries: &[T], depth: usize, columns: usize) {
        self.fit(depth, columns);
        for (first, panel) in self.panels_mut() {
            let (width, count) = (panel.len() / depth, (columns - first).min(Self::NUMBERS));
            for (packed, row) in panel.chunks_exact_mut(width).zip(entries.chunks_exact(columns)) {
                packed[..count].copy_from_slice(&row[first..first + count]);
            }
        }
    }

    /// Packs the transpose of the row-major `columns × depth` matrix `entries`.
    #[inline]
    pub(crate) fn pack_transposed(&mut self, entries: &[T], depth: usize, columns: usize) {
        self.fit(depth, columns);
        for (first, panel) in self.panels_mut() {
            let (width, count) = (panel.len() / depth, (columns - first).min(Self::NUMBERS));
            // A few rows of the panel at a time, which stay near the core until they are whole.
            for (i, packed) in panel.chunks_mut(Self::NUMBERS * width).enumerate() {
                let rows = entries[first * depth..][..count * depth].chunks_exact(depth);
                for (column, row) in rows.enumerate() {
                    let entries = &row[i * Self::NUMBERS..];
                    for (packed, &entry) in packed.chunks_exact_mut(width).zip(entries) {
                        packed[column] = entry;
                    }
                }
            }
        }
    }

    fn fit(&mut self, depth: usize, columns: usize) {
        let size = depth * columns.div_ceil(Self::HALF) * Self::HALF;
        if (self.depth, self.columns) != (depth, columns) {
            // What fills up the last panel is written here only.
            self.data.clear();
            (self.depth, self.columns) = (depth, columns);
        }
        self.data.resize(size, T::zero());
    }

    /// Each panel with its first column.
    fn panels_mut(&mut self) -> impl Iterator<Item = (usize, &mut [T])> {
        let panels = self.data.chunks_mut((self.depth * Self::NUMBERS).max(1));
        panels.enumerate().map(|(i, panel)| (i * Self::NUMBERS, panel))
    }

    /// The column from which on the panels are half as wide; the number of columns where none is.
    #[inline(always)]
    pub(super) fn narrow_from(&self) -> usize {
        let rest = self.columns % Self::NUMBERS;
        if 0 < rest && rest <= Self::HALF { self.columns - rest } else { self.columns }
    }

    /// The first `rows` rows of the panel that begins at column `first`.
    #[inline(always)]
    pub(super) fn panel(&self, first: usize, rows: usize) -> &[T] {
        let width = if first < self.narrow_from() { Self::NUMBERS } else { Self::HALF };
        &self.data[first * self.depth..][..rows * width]
    }
}
