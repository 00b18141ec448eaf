//! The machine's matrix-product speed, against which a training iteration is measured.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use std::time::Instant;

/// The best rate of a single-precision 512 × 512 × 512 product on one thread, in operations per second.
///
/// 2·n³ operations each; the best of several, since whatever disturbs a run only slows it down.
pub fn matrix_product_rate() -> f64 {
    const N: usize = 512;
    const REPETITIONS: usize = 12;
    let a = Mat::<f32>::from_fn(N, N, |i, j| ((i * 7 + j * 3) % 11) as f32);
    let mut product = Mat::<f32>::zeros(N, N);
    let mut best = f64::INFINITY;
    for _ in 0..REPETITIONS {
        let start = Instant::now();
        matmul(&mut product, Accum::Replace, &a, &a, 1.0, Par::Seq);
        best = best.min(start.elapsed().as_secs_f64());
        std::hint::black_box(&product);
    }
    2.0 * (N * N * N) as f64 / best
}
