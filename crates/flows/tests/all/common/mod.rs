//! Central differences, which the closed forms are held against.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

const STEP: f64 = 1e-5;

pub(crate) fn uniform(rng: &mut ChaCha8Rng, n: usize) -> Vec<f64> {
    (0..n).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
}

/// Asserts that `gradient` is the derivative of `loss` at `at`, entry by entry. Central differences err by
/// h²/6·|third derivative| ≈ 1e-10 and by rounding ε·|ℓ|/h ≈ 1e-11; the caller's tolerance says how large its third
/// derivatives are.
pub(crate) fn assert_gradient(
    at: &[f64],
    gradient: &[f64],
    tolerance: f64,
    mut loss: impl FnMut(&[f64]) -> f64,
) {
    let mut moved = at.to_vec();
    let mut largest = 0.0_f64;
    for i in 0..at.len() {
        moved[i] = at[i] + STEP;
        let up = loss(&moved);
        moved[i] = at[i] - STEP;
        let down = loss(&moved);
        moved[i] = at[i];
        let expected = (up - down) / (2.0 * STEP);
        let error = (gradient[i] - expected).abs();
        assert!(error < tolerance * (1.0 + expected.abs()), "entry {i}: {} against {expected}", gradient[i]);
        largest = largest.max(expected.abs());
    }
    assert!(largest > 1e-4, "the loss does not depend on what is differentiated");
}
