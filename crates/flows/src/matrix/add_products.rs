//! Sums of products over the rows of matrices: the gradients of weights and biases.
#![allow(clippy::indexing_slicing, reason = "slices are cut to the shapes that the caller states")]

use super::LANES;
use crate::real::Real;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use simd::{Instructions, Vectorised};

/// out ← out + aᵀ·b: `a` has `m` columns, `b` has `n`, and `out` m rows of `stride` ≥ n entries.
///
/// Nothing is to be packed or finished here, so it is left to [`faer`].
pub(crate) fn add_products<T: Real>(
    (out, stride): (&mut [T], usize),
    (a, m): (&[T], usize),
    (b, n): (&[T], usize),
) {
    let rows = a.len() / m;
    let out = MatMut::from_row_major_slice_mut(out, m, stride).subcols_mut(0, n);
    let (a, b) = (MatRef::from_row_major_slice(a, rows, m), MatRef::from_row_major_slice(b, rows, n));
    matmul(out, Accum::Add, a.transpose(), b, T::one(), Par::Seq);
}

/// out ← out + Σ_r factor_r·a_r over the rows of `a`, as wide as `out`.
pub(crate) fn add_weighted_rows<T: Real>(out: &mut [T], factors: &[T], a: &[T]) {
    simd::run(AddWeightedRows { out, factors, a });
}

struct AddWeightedRows<'a, T> {
    out: &'a mut [T],
    factors: &'a [T],
    a: &'a [T],
}

impl<T: Real> Vectorised for AddWeightedRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self { out, factors, a } = self;
        let width = out.len();
        let (whole, rest) = out.as_chunks_mut::<LANES>();
        for (g, out) in whole.iter_mut().enumerate() {
            // Rows in turn to as many sums hide the latency of an addition.
            let mut sums = [[T::zero(); LANES]; TURNS];
            let rows = a[g * LANES..].chunks(TURNS * width).zip(factors.chunks(TURNS));
            for (rows, factors) in rows {
                if let Some(factors) = factors.first_chunk::<TURNS>() {
                    let rows = &rows[..(TURNS - 1) * width + LANES];
                    for t in 0..TURNS {
                        let row = &rows[t * width..][..LANES];
                        for j in 0..LANES {
                            sums[t][j] = factors[t].mul_add(row[j], sums[t][j]);
                        }
                    }
                } else {
                    for (row, &factor) in rows.chunks(width).zip(factors) {
                        let row = &row[..LANES];
                        for j in 0..LANES {
                            sums[0][j] = factor.mul_add(row[j], sums[0][j]);
                        }
                    }
                }
            }
            for sums in sums {
                for (entry, sum) in out.iter_mut().zip(sums) {
                    *entry += sum;
                }
            }
        }
        let first = width - rest.len();
        for (row, &factor) in a.chunks_exact(width).zip(factors) {
            for (entry, &addend) in rest.iter_mut().zip(&row[first..]) {
                *entry = factor.mul_add(addend, *entry);
            }
        }
    }
}

/// Sums that take turns in [`add_weighted_rows`].
const TURNS: usize = 8;
