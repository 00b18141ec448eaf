//! Products of many rows with a packed matrix.
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "tiles are cut from slices of the shapes that the caller states, and unrolled into registers"
)]

use super::{Panels, tile};
use crate::real::Real;
use simd::{Instructions, Row, Vectorised};

/// Rows that are worked on together: they and one strip of panels stay in the first-level cache.
const BLOCK: usize = 24;

/// What is done to the entries of a product before the next block is begun.
pub(crate) trait Finish<T> {
    /// `rows` are consecutive rows of the product, the first entry of which has the index `start`.
    fn finish(&mut self, start: usize, rows: &mut [T]);
}

/// Nothing is done.
impl<T> Finish<T> for () {
    #[inline(always)]
    fn finish(&mut self, _start: usize, _rows: &mut [T]) {}
}

/// out ← a·b, finished block by block: `out` has `columns` columns and `a` has `depth`, the first ones of b.
pub(crate) struct Multiply<'a, T, F> {
    /// The product and its columns.
    pub(crate) out: (&'a mut [T], usize),
    /// The left factor and its columns.
    pub(crate) a: (&'a [T], usize),
    pub(crate) b: &'a Panels<T>,
    pub(crate) finish: F,
}

impl<T: Real, F: Finish<T>> Vectorised for Multiply<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { out: (out, columns), a: (a, depth), b, mut finish } = self;
        let (numbers, narrow) = (Panels::<T>::NUMBERS, b.narrow_from().min(columns));
        let blocks = out.chunks_mut(BLOCK * columns).zip(a.chunks(BLOCK * depth));
        for (i, (out, a)) in blocks.enumerate() {
            let mut first = 0;
            while first < columns {
                let block = Block { out: &mut *out, columns, a, depth, b, first };
                let panels = match (narrow - first.min(narrow)).div_ceil(numbers) {
                    0 => instructions.run(Strip::<T, 1, true>(block)),
                    3 if <T::Row<I>>::SUMS >= 24 => instructions.run(Strip::<T, 3, false>(block)),
                    2.. if <T::Row<I>>::SUMS >= 24 => instructions.run(Strip::<T, 2, false>(block)),
                    _ => instructions.run(Strip::<T, 1, false>(block)),
                };
                first += panels * numbers;
            }
            finish.finish(i * BLOCK * columns, out);
        }
    }
}

/// Some rows of a product from column `first` on.
struct Block<'a, T> {
    out: &'a mut [T],
    columns: usize,
    a: &'a [T],
    depth: usize,
    b: &'a Panels<T>,
    first: usize,
}

/// The columns of a block that lie in its first G panels, which are whole or half as wide; gives G.
///
/// The order of each sum is the same whatever the tile.
struct Strip<'a, T, const G: usize, const HALF: bool>(Block<'a, T>);

impl<T: Real, const G: usize, const HALF: bool> Vectorised for Strip<'_, T, G, HALF> {
    type Output = usize;

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) -> usize {
        if HALF {
            self.0.fill::<I, T::HalfRow<I>, G>(instructions);
        } else {
            self.0.fill::<I, T::Row<I>, G>(instructions);
        }
        G
    }
}

impl<T: Real> Block<'_, T> {
    #[inline(always)]
    fn fill<I: Instructions, V: Row<T, I>, const G: usize>(mut self, instructions: I) {
        let (rows, mut row) = (self.out.len() / self.columns, 0);
        while row < rows {
            row += match rows - row {
                12.. if V::SUMS >= 12 * G => self.tile::<I, V, 12, G>(instructions, row),
                8.. if V::SUMS >= 8 * G => self.tile::<I, V, 8, G>(instructions, row),
                6.. if V::SUMS >= 6 * G => self.tile::<I, V, 6, G>(instructions, row),
                4.. if V::SUMS >= 4 * G => self.tile::<I, V, 4, G>(instructions, row),
                2.. => self.tile::<I, V, 2, G>(instructions, row),
                _ => self.tile::<I, V, 1, G>(instructions, row),
            };
        }
    }

    /// The entries of R rows and G panels; gives R.
    #[inline(always)]
    fn tile<I: Instructions, V: Row<T, I>, const R: usize, const G: usize>(
        &mut self,
        instructions: I,
        row: usize,
    ) -> usize {
        let Self { columns, depth, first, .. } = *self;
        let a = &self.a[row * depth..][..R * depth];
        let panels: [&[T]; G] = std::array::from_fn(|g| self.b.panel(first + g * V::NUMBERS, depth));
        assert!(panels.iter().all(|panel| panel.len() == depth * V::NUMBERS), "the shapes of a tile");
        let sums = tile::sums::<T, I, V, R, G>(
            instructions,
            depth,
            // SAFETY: r < R and k < depth, and `a` has R·depth entries.
            |k, r| unsafe { *a.get_unchecked(r * depth + k) },
            // SAFETY: k < depth, and each panel has that many rows.
            |k| panels.map(|panel| unsafe { V::load(instructions, panel.as_ptr().add(k * V::NUMBERS)) }),
        );
        for r in 0..R {
            let out = &mut self.out[(row + r) * columns..][first..columns];
            for g in 0..G {
                sums[r][g].store_first(instructions, &mut out[g * V::NUMBERS..]);
            }
        }
        R
    }
}
