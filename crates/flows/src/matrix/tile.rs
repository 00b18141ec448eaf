//! Register tiles: small blocks of a product whose sums stay in registers.
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "loops with constant bounds over whole arrays, which the compiler unrolls into registers"
)]

use super::LANES;
use crate::real::Real;

/// R × G·[`LANES`] sums. Loops over them have constant bounds and nothing indexes them otherwise, so that the compiler
/// keeps them in registers.
type Sums<T, const R: usize, const G: usize> = [[[T; LANES]; G]; R];

/// sums_r ← sums_r + factor_r·row.
#[inline(always)]
fn accumulate<T: Real, const R: usize, const G: usize>(
    sums: &mut Sums<T, R, G>,
    factors: [T; R],
    row: &[[T; LANES]; G],
) {
    for r in 0..R {
        for g in 0..G {
            for j in 0..LANES {
                sums[r][g][j] = factors[r].mul_add(row[g][j], sums[r][g][j]);
            }
        }
    }
}

/// The R entries of `a` from `first` on, `stride` apart.
///
/// # Safety
/// They lie in `a`.
#[inline(always)]
unsafe fn gather<T: Real, const R: usize>(a: &[T], first: usize, stride: usize) -> [T; R] {
    let mut entries = [T::zero(); R];
    for (r, entry) in entries.iter_mut().enumerate() {
        // SAFETY: the caller's.
        *entry = unsafe { *a.get_unchecked(first + r * stride) };
    }
    entries
}

/// Writes R rows of the product of `a`, R rows of `depth` entries, and `panel`, to `out`, rows of `stride` entries.
#[inline(always)]
pub(super) fn multiply<T: Real, const R: usize, const G: usize>(
    (out, stride): (&mut [T], usize),
    (a, depth): (&[T], usize),
    panel: &[[T; LANES]],
) {
    let mut sums = [[[T::zero(); LANES]; G]; R];
    let (panel, _) = panel.as_chunks::<G>();
    assert!(a.len() == R * depth && panel.len() == depth, "the shapes of a tile");
    for (k, row) in panel.iter().enumerate() {
        // SAFETY: k < depth, and `a` has R·depth entries.
        let factors = unsafe { gather(a, k, depth) };
        accumulate(&mut sums, factors, row);
    }
    for r in 0..R {
        let row = &mut out[r * stride..][..G * LANES];
        for g in 0..G {
            for j in 0..LANES {
                row[g * LANES + j] = sums[r][g][j];
            }
        }
    }
}
