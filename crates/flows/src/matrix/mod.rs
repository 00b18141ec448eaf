//! The one place that multiplies matrices, given as row-major slices.
//!
//! A network's matrices are small and each is used several times, so the right factor of a [`multiply`] is packed once
//! ([`Panels`]) and what follows, such as an activation, is done to each block of rows while it is near the core
//! ([`Finish`]). The gradients of weights have no such factor and are left to [`faer`] ([`add_products`]). The order of
//! every sum depends on the shapes and the machine alone, not on the number of threads.

mod add_products;
mod multiply;
mod panels;
mod tile;

pub(crate) use add_products::{add_products, add_weighted_rows};
pub(crate) use multiply::{Finish, multiply};
pub(crate) use panels::Panels;

use crate::real::Real;

/// Numbers that are worked on together; a multiple of every machine's vector in single precision.
const LANES: usize = 8;

/// Groups of [`LANES`] columns in a register tile: six rows of them fill twelve 256-bit registers, which leaves four
/// for the factors.
const fn groups<T>() -> usize {
    if size_of::<T>() == 4 { 2 } else { 1 }
}

/// Most rows of a register tile.
const ROWS: usize = 6;

/// Rows of the next register tile when `left` are left.
const fn tile_rows(left: usize) -> usize {
    match left {
        ROWS.. => ROWS,
        4.. => 4,
        2.. => 2,
        _ => 1,
    }
}

/// A tile as wide as its registers, for one that is cut off by the end of its matrix's rows.
type Spill<T> = [[T; 2 * LANES]; ROWS];

/// ⟨a, b⟩, added term by term: for the searches and factorisations whose sums are too short, or too few, to be worth
/// lanes.
pub(crate) fn plain_dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}

/// ⟨a, b⟩, in sixteen interleaved partial sums so that it vectorises.
#[inline(always)]
pub(crate) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    const SUMS: usize = 2 * LANES;
    let (a, b) = (a.chunks_exact(SUMS), b.chunks_exact(SUMS));
    let tail: T = a.remainder().iter().zip(b.remainder()).map(|(&a, &b)| a * b).sum();
    let mut sums = [T::zero(); SUMS];
    for (a, b) in a.zip(b) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum = a.mul_add(b, *sum);
        }
    }
    // Halves in turn: a chain of four additions instead of sixteen.
    let mut half = SUMS / 2;
    while half > 0 {
        let (low, high) = sums.split_at_mut(half);
        for (low, &mut high) in low.iter_mut().zip(high) {
            *low += high;
        }
        half /= 2;
    }
    sums[0] + tail
}
