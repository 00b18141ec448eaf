//! The one place that multiplies matrices, given as row-major slices.
//!
//! A network's matrices are small and each is used several times, so the right factor of [`Multiply`] is packed once
//! ([`Panels`]) and what follows, such as an activation, is done to each block of rows while it is near the core
//! ([`Finish`]). The gradients of weights have no such factor ([`AddProducts`]). The order of every sum depends on the
//! shapes and the instructions alone, not on the number of threads.

mod add_products;
mod buffer;
mod multiply;
mod panels;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use add_products::{AddProducts, AddWeightedRows};
pub(crate) use buffer::Buffer;
pub(crate) use multiply::{Finish, Multiply};
pub(crate) use panels::Panels;

use crate::real::Real;

/// ⟨a, b⟩, added term by term: for the searches and factorisations whose sums are too short, or too few, to be worth
/// lanes.
pub(crate) fn plain_dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}

/// ⟨a, b⟩, in sixteen interleaved partial sums so that it vectorises.
#[inline(always)]
pub(crate) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    const SUMS: usize = 16;
    let (a, b) = (a.chunks_exact(SUMS), b.chunks_exact(SUMS));
    let tail: T = a.remainder().iter().zip(b.remainder()).map(|(&a, &b)| a * b).sum();
    let mut sums = [T::zero(); SUMS];
    for (a, b) in a.zip(b) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum = a.mul_add(b, *sum);
        }
    }
    in_halves(sums) + tail
}

/// The sum of all, halves in turn: a chain of four additions instead of sixteen.
///
/// A function of its own: beside a tree of additions the compiler would keep the sums in pairs, an eighth of a register.
#[inline(never)]
pub(crate) fn in_halves<T: Real, const SUMS: usize>(mut sums: [T; SUMS]) -> T {
    let mut half = SUMS / 2;
    while half > 0 {
        let (low, high) = sums.split_at_mut(half);
        for (low, &mut high) in low.iter_mut().zip(high) {
            *low += high;
        }
        half /= 2;
    }
    sums[0]
}
