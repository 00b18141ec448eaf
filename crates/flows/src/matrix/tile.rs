//! Register tiles: small blocks of a product whose sums stay in registers.
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "loops with constant bounds over whole arrays, which the compiler unrolls into registers"
)]

use crate::real::Real;
use simd::{Instructions, Row};

/// Σ_k factor(k, r)·rows(k)_g in the order of k, for r < R and G rows of registers.
///
/// Nothing indexes the sums but loops with constant bounds, so that the compiler keeps them in registers.
#[inline(always)]
pub(super) fn sums<T: Real, I: Instructions, V: Row<T, I>, const R: usize, const G: usize>(
    instructions: I,
    depth: usize,
    factor: impl Fn(usize, usize) -> T,
    rows: impl Fn(usize) -> [V; G],
) -> [[V; G]; R] {
    let mut sums = [[V::zero(instructions); G]; R];
    for k in 0..depth {
        let rows = rows(k);
        for r in 0..R {
            let factor = factor(k, r);
            for g in 0..G {
                sums[r][g] = sums[r][g].add_multiple(instructions, factor, rows[g]);
            }
        }
    }
    sums
}
