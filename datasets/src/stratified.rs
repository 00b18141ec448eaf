//! Normal points in the plane that fill their law evenly.

use std::f64::consts::TAU;

use ndarray::Array2;
use rand::{Rng, RngExt};

/// The golden ratio less 1, whose multiples are the most evenly spread on the circle.
const GOLDEN_STEP: f64 = 0.618_033_988_749_894_9;

/// `n` points of N(0, std²·I) in the plane, evenly spread: a sector of 1/k of the circle holds n/k points up to rounding wherever it begins, and
/// rings hold their share up to few points, where random counts differ by √n. A randomly shifted Hammersley set, taken to the normal law by
/// the method of Box and Muller.
///
/// Each point has the law of a random one, so means over the points are unbiased; the points are not independent. What is
/// measured from them lacks most of the noise that random points have.
///
/// uᵢ = (s + i·(1/φ, 1/n)) mod 1, zᵢ = σ·√(−2 ln uᵢ₁)·(cos 2πuᵢ₂, sin 2πuᵢ₂), φ = (1 + √5)/2.
///
/// Shape: \[n, 2\]. Complexity: O(n).
///
/// Source: Kuipers and Niederreiter, "Uniform Distribution of Sequences" (1974), chapter 2.3.
///
/// ```
/// let z = datasets::stratified_normal(800, 0.05, &mut datasets::stream(0, "start", 0));
/// let right = z.rows().into_iter().filter(|row| row[0] > 0.0).count();
/// assert!((399..=401).contains(&right));
/// ```
#[must_use]
pub fn stratified_normal<R: Rng + ?Sized>(n: usize, std: f64, rng: &mut R) -> Array2<f64> {
    let (first, second): (f64, f64) = (rng.random(), rng.random());
    let mut points = Array2::zeros((n, 2));
    for (index, mut point) in points.rows_mut().into_iter().enumerate() {
        let moved = |shift: f64, step: f64| (shift + index as f64 * step).fract();
        let (u, v) = (moved(first, GOLDEN_STEP), moved(second, 1.0 / n as f64));
        // The logarithm of 0 is kept away; the sequence meets it with probability zero.
        let radius = std * (-2.0 * u.max(f64::MIN_POSITIVE).ln()).sqrt();
        let (sin, cos) = (TAU * v).sin_cos();
        for (coordinate, value) in point.iter_mut().zip([radius * cos, radius * sin]) {
            *coordinate = value;
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream;

    #[test]
    fn sectors_are_even_and_the_law_is_normal() {
        let n = 4096;
        let z = stratified_normal(n, 2.0, &mut stream(3, "start", 0));
        let mut sectors = [0_i32; 8];
        for row in z.rows() {
            sectors[(row[1].atan2(row[0]).rem_euclid(TAU) / TAU * 8.0) as usize % 8] += 1;
        }
        // Random counts would have a deviation of 21; of equal angles a sector has its share, and one may round across its edge.
        assert!(sectors.iter().all(|count| (count - 512).abs() <= 1), "{sectors:?}");
        let within = z.rows().into_iter().filter(|row| row[0].hypot(row[1]) < 2.0).count() as f64;
        let expected = 1.0 - (-0.5_f64).exp();
        assert!((within / n as f64 - expected).abs() < 0.003, "{within}");
    }
}
