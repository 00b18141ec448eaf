//! Matrices with orthonormal rows: the nearest one, and gradients along them.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// Steps of the iteration. Each multiplies a small singular value by 3/2, and 3/2 to the power of 40 is 10⁷: what is smaller
/// beside the others is rounding of single precision.
const STEPS: usize = 40;

/// From a deviation δ = ‖XXᵀ − I‖ on, one step is the last: it leaves ¾δ² + ¼δ³, the rounding of double precision.
const CLOSE: f64 = 1e-7;

/// Replaces `x`, row-major with at most as many rows as `columns`, by its polar factor: the nearest matrix Q with QQᵀ = I.
///
/// X ← ½(3I − XXᵀ)X converges to (XXᵀ)^{−½}X, quadratically near the end, for singular values in (0, √3) (Björck & Bowie
/// 1971, first order). A matrix further away is first divided by ‖XXᵀ‖^½, the Frobenius norm. Directions in which X
/// (nearly) vanishes have no factor: Gram–Schmidt then completes what the iteration has reached. A NaN stays.
///
/// O(rows²·columns) for each step; a matrix within an optimiser's step takes two to four.
pub(super) fn orthonormalise(x: &mut [f64], columns: usize) {
    let rows = x.len() / columns;
    let mut gram = vec![0.0; rows * rows];
    let mut product = vec![0.0; x.len()];
    multiply_transposed(&mut gram, x, x, columns);
    if deviation(&gram, rows) >= 1.0 {
        let norm = gram.iter().map(|g| g * g).sum::<f64>().sqrt();
        // A zero matrix keeps to the smallest positive number, so that it stays zero.
        let scale = 1.0 / norm.max(f64::MIN_POSITIVE).sqrt();
        x.iter_mut().for_each(|x| *x *= scale);
        multiply_transposed(&mut gram, x, x, columns);
    }
    for _ in 0..STEPS {
        multiply(&mut product, &gram, x, Accum::Replace, 1.0);
        for (x, p) in x.iter_mut().zip(&product) {
            *x = 1.5 * *x - 0.5 * p;
        }
        if deviation(&gram, rows) < CLOSE {
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
pub(super) fn project(q: &[f64], gradient: &mut [f64], columns: usize) {
    let rows = q.len() / columns;
    let mut overlap = vec![0.0; rows * rows];
    multiply_transposed(&mut overlap, gradient, q, columns);
    let mut transposed = vec![0.0; overlap.len()];
    transpose(&mut transposed, &overlap, rows);
    overlap.iter_mut().zip(transposed).for_each(|(a, b)| *a += b);
    multiply(gradient, &overlap, q, Accum::Add, -0.5);
}

/// out ← the transpose of `a`, which has `columns`.
pub(super) fn transpose(out: &mut [f64], a: &[f64], columns: usize) {
    let rows = a.len() / columns;
    for (j, out) in out.chunks_exact_mut(rows).enumerate() {
        for (out, a) in out.iter_mut().zip(a.iter().skip(j).step_by(columns)) {
            *out = *a;
        }
    }
}

/// ‖G − I‖, the Frobenius norm.
fn deviation(gram: &[f64], rows: usize) -> f64 {
    let square = |(i, g): (usize, &f64)| (g - if i % (rows + 1) == 0 { 1.0 } else { 0.0 }).powi(2);
    gram.iter().enumerate().map(square).sum::<f64>().sqrt()
}

/// Modified Gram–Schmidt on the rows, with reorthogonalisation: an orthonormal set whatever the rows are.
fn gram_schmidt(x: &mut [f64], columns: usize) {
    for row in 0..x.len() / columns {
        let (before, rest) = x.split_at_mut(row * columns);
        let Some(row) = rest.get_mut(..columns) else { return };
        let mut norm = deflate(before, row);
        // What is left of a row of size one would be rounding. Some coordinate vector is not in the span: the squares of
        // what is left of all of them sum to the number of missing directions, so one has at least the mean.
        let mut candidates = 0..columns;
        let mut least = 1e-10;
        while norm < least
            && let Some(candidate) = candidates.next()
        {
            least = (0.5 / columns as f64).sqrt();
            row.iter_mut().enumerate().for_each(|(j, x)| *x = if j == candidate { 1.0 } else { 0.0 });
            norm = deflate(before, row);
        }
        row.iter_mut().for_each(|x| *x /= norm);
    }
}

/// Takes the components along the orthonormal rows `before` out of `row`, twice for rounding; returns what norm is left.
fn deflate(before: &[f64], row: &mut [f64]) -> f64 {
    for _ in 0..2 {
        for q in before.chunks_exact(row.len()) {
            let inner = dot(q, row);
            row.iter_mut().zip(q).for_each(|(x, q)| *x -= inner * q);
        }
    }
    dot(row, row).sqrt()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// out ← a·bᵀ for matrices of the same `columns`.
fn multiply_transposed(out: &mut [f64], a: &[f64], b: &[f64], columns: usize) {
    let (rows, others) = (a.len() / columns, b.len() / columns);
    matmul(
        MatMut::from_row_major_slice_mut(out, rows, others),
        Accum::Replace,
        MatRef::from_row_major_slice(a, rows, columns),
        MatRef::from_row_major_slice(b, others, columns).transpose(),
        1.0,
        Par::Seq,
    );
}

/// out ← (out +) factor·square·a for a square matrix of as many rows as `a` and `out`.
fn multiply(out: &mut [f64], square: &[f64], a: &[f64], accumulate: Accum, factor: f64) {
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
    use super::{gram_schmidt, multiply_transposed, orthonormalise, project};
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
            // A hundred roundings.
            assert!(defect(&q, columns) < 1e-13, "{rows} × {columns}: {}", defect(&q, columns));
            let mut h = vec![0.0; rows * rows];
            multiply_transposed(&mut h, &w, &q, columns);
            for i in 0..rows {
                for j in 0..i {
                    let (a, b) = (h[i * rows + j], h[j * rows + i]);
                    // Rounding of a hundred terms of the size of w, spread over the steps from the smallest singular value.
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
