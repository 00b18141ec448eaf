//! The one place that multiplies matrices: row-major slices in, [`faer`] underneath.

use crate::real::Real;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// A `rows × columns` matrix at the start of row-major `data`.
#[inline]
pub(crate) fn matrix<T: Real>(data: &[T], rows: usize, columns: usize) -> MatRef<'_, T> {
    let (entries, _) = data.split_at(rows * columns);
    MatRef::from_row_major_slice(entries, rows, columns)
}

/// out ← a·b with `Accum::Replace`, out ← out + a·b with `Accum::Add`; `out` is row-major.
#[inline]
pub(crate) fn multiply<T: Real>(out: &mut [T], accumulate: Accum, a: MatRef<'_, T>, b: MatRef<'_, T>) {
    let (entries, _) = out.split_at_mut(a.nrows() * b.ncols());
    let out = MatMut::from_row_major_slice_mut(entries, a.nrows(), b.ncols());
    matmul(out, accumulate, a, b, T::one(), Par::Seq);
}

/// ⟨a, b⟩, in sixteen interleaved partial sums so that it vectorises.
#[inline(always)]
pub(crate) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    const LANES: usize = 16;
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: T = a.remainder().iter().zip(b.remainder()).map(|(&a, &b)| a * b).sum();
    let mut sums = [T::zero(); LANES];
    for (a, b) in a.zip(b) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.into_iter().sum::<T>() + tail
}
