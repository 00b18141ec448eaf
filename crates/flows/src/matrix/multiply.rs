//! Products of many rows with a packed matrix.
#![allow(clippy::indexing_slicing, reason = "tiles are cut from slices of the shapes that the caller states")]

use super::{LANES, Panels, ROWS, Spill, groups, tile, tile_rows};
use crate::real::Real;
use simd::{Instructions, Vectorised};

/// Rows that are worked on together: they and one panel stay in the first-level cache.
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
pub(crate) fn multiply<T: Real>(
    out: (&mut [T], usize),
    a: (&[T], usize),
    b: &Panels<T>,
    finish: impl Finish<T>,
) {
    simd::run(Multiply { out, a, b, finish });
}

struct Multiply<'a, T, F> {
    out: (&'a mut [T], usize),
    a: (&'a [T], usize),
    b: &'a Panels<T>,
    finish: F,
}

impl<T: Real, F: Finish<T>> Vectorised for Multiply<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self { out: (out, columns), a: (a, depth), b, mut finish } = self;
        let mut spill: Spill<T> = [[T::zero(); 2 * LANES]; ROWS];
        let blocks = out.chunks_mut(BLOCK * columns).zip(a.chunks(BLOCK * depth));
        for (i, (out, a)) in blocks.enumerate() {
            let rows = out.len() / columns;
            for first in (0..columns).step_by(groups::<T>() * LANES) {
                let (panel, width) = (b.panel(first, depth), b.width(first));
                let mut row = 0;
                while row < rows {
                    let count = tile_rows(rows - row);
                    let a = (&a[row * depth..][..count * depth], depth);
                    let out = &mut out[row * columns + first..];
                    let fits = width * LANES <= columns - first;
                    let target =
                        if fits { (&mut *out, columns) } else { (spill.as_flattened_mut(), 2 * LANES) };
                    if width == 1 {
                        dispatch::<T, 1>(target, a, panel, count);
                    } else {
                        dispatch::<T, 2>(target, a, panel, count);
                    }
                    if !fits {
                        for (out, spilled) in out.chunks_mut(columns).zip(&spill).take(count) {
                            out[..columns - first].copy_from_slice(&spilled[..columns - first]);
                        }
                    }
                    row += count;
                }
            }
            finish.finish(i * BLOCK * columns, out);
        }
    }
}

/// The register tile of `rows` rows.
#[inline(always)]
fn dispatch<T: Real, const G: usize>(
    out: (&mut [T], usize),
    a: (&[T], usize),
    panel: &[[T; LANES]],
    rows: usize,
) {
    match rows {
        6 => tile::multiply::<T, 6, G>(out, a, panel),
        4 => tile::multiply::<T, 4, G>(out, a, panel),
        2 => tile::multiply::<T, 2, G>(out, a, panel),
        _ => tile::multiply::<T, 1, G>(out, a, panel),
    }
}
