//! Clouds and weights for the tests.

use ndarray::{Array2, ArrayView2};
use ot_core::Measure;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// `n` standard normal points of R^d.
#[allow(dead_code, reason = "not every test file that shares this module needs it")]
pub(crate) fn normal_cloud(seed: u64, n: usize, d: usize) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng))
}

/// `n` weights between 0.05 and 1.05.
#[allow(dead_code, reason = "not every test file that shares this module needs it")]
pub(crate) fn weights(seed: u64, n: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| 0.05 + rng.random::<f64>()).collect()
}

/// The result of `work` on a pool of each of 1, 2, 3 and 8 threads.
#[allow(dead_code, reason = "not every test file that shares this module needs it")]
pub(crate) fn on_thread_counts<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
    [1, 2, 3, 8]
        .into_iter()
        .map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&work))
        .collect()
}

/// A measure of valid points and weights.
#[allow(dead_code, reason = "not every test file that shares this module needs it")]
pub(crate) fn measure<'a>(points: ArrayView2<'a, f64>, weights: Option<&'a [f64]>) -> Measure<'a> {
    Measure::new(points, weights).unwrap()
}
