//! Normal points in the plane that fill their law evenly.

use std::f64::consts::TAU;

use ndarray::Array2;
use rand::{Rng, RngExt};

/// The golden ratio less 1, whose multiples are the most evenly spread on the circle.
const GOLDEN_STEP: f64 = 0.618_033_988_749_894_9;

/// `n` points of N(0, std²·I) in the plane, evenly spread: a sector of 1/k of the circle holds n/k points up to
/// rounding wherever it begins, and rings hold their share up to few points, where random counts differ by √n. A
/// randomly shifted Hammersley set, taken to the normal law by the method of Box and Muller.
///
/// Each point has the law of a random one, so means over the points are unbiased; the points are not independent. What
/// is measured from them lacks most of the noise that random points have.
///
/// ```text
/// u_i = (s + i/φ) mod 1,   v_i = (s′ + i/n) mod 1,   φ = (1 + √5)/2,   s and s′ uniform on [0, 1)
/// z_i = std·√(−2 ln u_i)·(cos 2πv_i, sin 2πv_i)
/// ```
///
/// Shapes: [n, 2]. Complexity: O(n).
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
        // Random counts would have a deviation of 21; of equal angles a sector has its share, and one may round across
        // its edge.
        assert!(sectors.iter().all(|count| (count - 512).abs() <= 1), "{sectors:?}");
        let within = z.rows().into_iter().filter(|row| row[0].hypot(row[1]) < 2.0).count() as f64;
        let expected = 1.0 - (-0.5_f64).exp();
        assert!((within / n as f64 - expected).abs() < 0.003, "{within}");
    }

    /// From a point to the next, the angle grows by 2π/n and u = e^{−r²/2σ²} by 1/φ, both around the circle. Angles of
    /// points near the origin are the least certain: some 1e-16 over a radius of 1e-2.
    #[test]
    fn points_follow_each_other_by_fixed_steps() {
        let (n, std) = (50_usize, 2.0);
        let z = stratified_normal(n, std, &mut stream(8, "start", 0));
        let turns = |row: usize| z[[row, 1]].atan2(z[[row, 0]]) / TAU;
        let level = |row: usize| (-z.row(row).dot(&z.row(row)) / (2.0 * std * std)).exp();
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        for row in 1..n {
            assert!(((turns(row) - turns(row - 1)).rem_euclid(1.0) - 1.0 / n as f64).abs() < 1e-12);
            assert!(((level(row) - level(row - 1)).rem_euclid(1.0) - golden).abs() < 1e-12);
        }
        assert!((0..n).all(|row| (0.0..1.0).contains(&level(row))));
    }

    /// The shifts are uniform, so over many draws the first point has the moments 0 and σ² of the normal law: 5
    /// standard errors σ/√N and σ²·√(2/N) for N = 2000.
    #[test]
    fn a_single_point_has_the_normal_law() {
        let draw = |step: u64| stratified_normal(3, 0.5, &mut stream(4, "start", step))[[0, 0]];
        let (mut sum, mut squares) = (0.0, 0.0);
        for x in (0..2000).map(draw) {
            sum += x;
            squares += x * x;
        }
        assert!((sum / 2000.0).abs() < 5.0 * 0.5 / 2000.0_f64.sqrt());
        assert!((squares / 2000.0 - 0.25).abs() < 5.0 * 0.25 * (2.0_f64 / 2000.0).sqrt());
    }
}
