//! Arithmetic on rows that are padded with zeros to whole vectors.
//!
//! Without the padding a row of twelve numbers would be mostly remainder.

use crate::matrix::in_halves;
use crate::real::Real;

/// Numbers that are worked on together.
pub(super) const LANES: usize = 8;

/// The length of a row of `dim` numbers with its padding.
pub(super) fn padded(dim: usize) -> usize {
    dim.next_multiple_of(LANES)
}

/// ⟨a, b⟩ in interleaved partial sums.
#[inline(always)]
pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::zero(); LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    in_halves(sums)
}

/// x ← x + a·y.
#[inline(always)]
pub(super) fn add<T: Real>(x: &mut [T], a: T, y: &[T]) {
    for (x, &y) in x.iter_mut().zip(y) {
        *x += a * y;
    }
}
