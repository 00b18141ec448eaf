//! Matrices with orthonormal rows: the nearest one, and gradients along them.

use crate::matrix::plain_dot;
use crate::real::Real;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// Steps of the iteration. Each multiplies a small singular value by 3/2, and 3/2 to the power of 50 is 6·10⁸: what is
/// smaller beside the others is rounding of single precision, also after the first division.
const STEPS: usize = 50;

/// Replaces `x`, row-major with at most as many rows as `columns`, by its polar factor: the nearest matrix Q with QQᵀ =
/// I.
///
/// X ← ½(3I − XXᵀ)X converges to (XXᵀ)^{−½}X, quadratically near the end, for singular values in (0, √3) (Björck &
/// Bowie 1971, first order). A matrix further away is first divided by a bound of its norm. Directions in which X
/// (nearly) vanishes have no factor: Gram–Schmidt then completes what the iteration has reached. A NaN stays.
///
/// O(rows²·columns) for each step; a matrix within an optimiser's step takes two or three.
pub(super) fn orthonormalise<T: Real>(x: &mut [T], columns: usize) {
    let rows = x.len() / columns;
    let mut gram = vec![T::zero(); rows * rows];
    let mut product = vec![T::zero(); x.len()];
    multiply_transposed(&mut gram, x, x, columns);
    // Not ≥ 1: a product that has overflown counts as far away.
    if deviation(&gram, rows).is_none_or(|deviation| deviation >= 1.0) {
        let largest = x.iter().fold(T::zero(), |largest, x| largest.max(x.abs()));
        // A zero matrix is divided by a positive number, so that it stays zero.
        let largest = largest.max(T::min_positive_value());
        let size = T::of((x.len() as f64).sqrt());
        x.iter_mut().for_each(|x| *x = *x / largest / size);
        multiply_transposed(&mut gram, x, x, columns);
    }
    // From a deviation δ = ‖XXᵀ − I‖ on, one step leaves ¾δ² + ¼δ³: after a δ of the root of the rounding it is the
    // last.
    let close = T::epsilon().wide().sqrt();
    let (half, three_halves) = (T::of(0.5), T::of(1.5));
    for _ in 0..STEPS {
        multiply(&mut product, &gram, x, Accum::Replace, T::one());
        for (x, &p) in x.iter_mut().zip(&product) {
            *x = three_halves * *x - half * p;
        }
        if deviation(&gram, rows).is_some_and(|deviation| deviation < close) {
            return;
        }
        multiply_transposed(&mut gram, x, x, columns);
    }
    gram_schmidt(x, columns);
}

/// Replaces a gradient G in the rows of a Q with QQᵀ = I by G − ½(GQᵀ + QGᵀ)Q.
///
/// That is the derivative of G's function behind [`orthonormalise`]: from W = HQ with H symmetric, at H = I,
/// dQ = dW − sym(dW·Qᵀ)·Q, a projection that is its own adjoint (Absil, Mahony & Sepulchre 2008, section 3.6).
///
/// O(rows²·columns).
pub(super) fn project<T: Real>(q: &[T], gradient: &mut [T], columns: usize) {
    let rows = q.len() / columns;
    let mut overlap = vec![T::zero(); rows * rows];
    multiply_transposed(&mut overlap, gradient, q, columns);
    let mut transposed = vec![T::zero(); overlap.len()];
    transpose(&mut transposed, &overlap, rows);
    overlap.iter_mut().zip(transposed).for_each(|(a, b)| *a += b);
    multiply(gradient, &overlap, q, Accum::Add, T::of(-0.5));
}

/// out ← the transpose of `a`, which has `columns`.
pub(super) fn transpose<T: Real>(out: &mut [T], a: &[T], columns: usize) {
    let rows = a.len() / columns;
    for (j, out) in out.chunks_exact_mut(rows).enumerate() {
        for (out, a) in out.iter_mut().zip(a.iter().skip(j).step_by(columns)) {
            *out = *a;
        }
    }
}

/// ‖G − I‖, the Frobenius norm; `None` where it is not a number.
fn deviation<T: Real>(gram: &[T], rows: usize) -> Option<f64> {
    let row = |(i, row): (usize, &[T])| -> f64 {
        let entries = row.iter().enumerate();
        entries.map(|(j, g)| (g.wide() - if i == j { 1.0 } else { 0.0 }).powi(2)).sum()
    };
    let square: f64 = gram.chunks_exact(rows).enumerate().map(row).sum();
    square.is_finite().then(|| square.sqrt())
}

/// Modified Gram–Schmidt on the rows, with reorthogonalisation: an orthonormal set whatever the rows are.
fn gram_schmidt<T: Real>(x: &mut [T], columns: usize) {
    for row in 0..x.len() / columns {
        let (before, rest) = x.split_at_mut(row * columns);
        let Some(row) = rest.get_mut(..columns) else { return };
        let mut norm = deflate(before, row);
        // What is left of a row of size one may be rounding. Some coordinate vector is not in the span: the squares of
        // what is left of all of them sum to the number of missing directions, so one has at least the mean.
        let mut candidates = 0..columns;
        let mut least = T::epsilon().sqrt();
        while norm < least
            && let Some(candidate) = candidates.next()
        {
            least = T::of((0.5 / columns as f64).sqrt());
            let unit = |j| if j == candidate { T::one() } else { T::zero() };
            row.iter_mut().enumerate().for_each(|(j, x)| *x = unit(j));
            norm = deflate(before, row);
        }
        row.iter_mut().for_each(|x| *x /= norm);
    }
}

/// Takes the components along the orthonormal rows `before` out of `row`, twice for rounding; returns what norm is
/// left.
fn deflate<T: Real>(before: &[T], row: &mut [T]) -> T {
    for _ in 0..2 {
        for q in before.chunks_exact(row.len()) {
            let inner = plain_dot(q, row);
            row.iter_mut().zip(q).for_each(|(x, &q)| *x -= inner * q);
        }
    }
    plain_dot(row, row).sqrt()
}

/// out ← a·bᵀ for matrices of the same `columns`.
fn multiply_transposed<T: Real>(out: &mut [T], a: &[T], b: &[T], columns: usize) {
    let (rows, others) = (a.len() / columns, b.len() / columns);
    matmul(
        MatMut::from_row_major_slice_mut(out, rows, others),
        Accum::Replace,
        MatRef::from_row_major_slice(a, rows, columns),
        MatRef::from_row_major_slice(b, others, columns).transpose(),
        T::one(),
        Par::Seq,
    );
}

/// out ← (out +) factor·square·a for a square matrix of as many rows as `a` and `out`.
fn multiply<T: Real>(out: &mut [T], square: &[T], a: &[T], accumulate: Accum, factor: T) {
    let rows = square.len().isqrt();
    let columns = a.len() / rows;
    matmul(
        MatMut::from_row_major_slice_mut(out, rows, columns),
        accumulate,
        MatRef::from_row_major_slice(square, rows, rows),
        MatRef::from_row_major_slice(a, rows, columns),
        factor,
        Par::Seq,
    );
}

#[cfg(test)]
mod tests {
    use super::{deviation, gram_schmidt, multiply_transposed, orthonormalise, project};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn uniform(rng: &mut ChaCha8Rng, n: usize) -> Vec<f64> {
        (0..n).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
    }

    /// The largest entry of |QQᵀ − I|.
    fn defect(q: &[f64], columns: usize) -> f64 {
        let rows = q.len() / columns;
        let entry = |k: usize| {
            let (i, j) = (k / rows, k % rows);
            let inner: f64 = (0..columns).map(|l| q[i * columns + l] * q[j * columns + l]).sum();
            (inner - if i == j { 1.0 } else { 0.0 }).abs()
        };
        (0..rows * rows).map(entry).fold(0.0, f64::max)
    }

    #[test]
    fn the_deviation_is_the_norm_of_what_the_gram_matrix_has_beside_the_identity() {
        // 0.25² + 2·0.5² + 1² = 1.5625 = 1.25².
        assert_eq!(deviation(&[1.25, 0.5, 0.5, 0.0], 2), Some(1.25));
        assert_eq!(deviation(&[1.0, 0.0, 0.0, 1.0], 2), Some(0.0));
        assert_eq!(deviation(&[1.0, f64::NAN, 0.0, 1.0], 2), None);
        assert_eq!(deviation(&[f32::INFINITY], 1), None);
    }

    /// W = HQ with H symmetric and positive definite has one solution only.
    #[test]
    fn the_factor_is_the_polar_one() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (rows, columns, size) in
            [(1, 1, 1.0), (1, 9, 30.0), (5, 12, 1e-12), (12, 64, 1e20), (64, 64, 0.1)]
        {
            let w: Vec<f64> = uniform(&mut rng, rows * columns).iter().map(|w| size * w).collect();
            let mut q = w.clone();
            orthonormalise(&mut q, columns);
            // A hundred roundings, in double precision and in single.
            assert!(defect(&q, columns) < 1e-13, "{rows} × {columns}: {}", defect(&q, columns));
            let mut single: Vec<f32> = w.iter().map(|&w| w as f32).collect();
            orthonormalise(&mut single, columns);
            let wide: Vec<f64> = single.iter().map(|&q| q.into()).collect();
            assert!(defect(&wide, columns) < 1e-5, "{rows} × {columns}: {}", defect(&wide, columns));
            let mut h = vec![0.0; rows * rows];
            multiply_transposed(&mut h, &w, &q, columns);
            for i in 0..rows {
                for j in 0..i {
                    let (a, b) = (h[i * rows + j], h[j * rows + i]);
                    // Rounding of a hundred terms of the size of w, spread over the steps from the smallest singular
                    // value.
                    assert!((a - b).abs() < 1e-9 * size, "{rows} × {columns}: {a} and {b}");
                }
            }
            // Cholesky: the pivots of a positive definite matrix are positive.
            for k in 0..rows {
                let pivot = h[k * rows + k];
                assert!(pivot > 0.0, "{rows} × {columns}: pivot {k} is {pivot}");
                for i in k + 1..rows {
                    let factor = h[i * rows + k] / pivot;
                    (k..rows).for_each(|j| h[i * rows + j] -= factor * h[k * rows + j]);
                }
            }
        }
    }

    #[test]
    fn matrices_without_a_factor_get_a_defined_one_and_a_nan_stays() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let full = uniform(&mut rng, 6 * 8);
        let twice: Vec<f64> = full[..24].iter().chain(&full[..24]).copied().collect();
        let nearly: Vec<f64> = twice.iter().zip(&full).map(|(a, b)| a + 1e-9 * b).collect();
        for (name, w) in [("zero", vec![0.0; 48]), ("equal rows", twice), ("nearly equal rows", nearly)] {
            let mut q = w.clone();
            orthonormalise(&mut q, 8);
            assert!(defect(&q, 8) < 1e-13, "{name}: {}", defect(&q, 8));
            let mut gradient = uniform(&mut rng, 48);
            project(&q, &mut gradient, 8);
            // A projection makes nothing longer: 48 entries of at most 1.
            assert!(gradient.iter().all(|g| g.abs() < 7.0), "{name}");
        }
        let mut broken = full;
        broken[5] = f64::NAN;
        orthonormalise(&mut broken, 8);
        assert!(broken.iter().any(|q| q.is_nan()));
    }

    #[test]
    fn gram_schmidt_keeps_the_span_of_what_it_can_keep() {
        // Rows e1, e1, e2 of R³: the second has no direction of its own.
        let mut x = [2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 3.0, 0.0];
        gram_schmidt(&mut x, 3);
        assert_eq!(x, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
