//! Smooth maps that sort points by direction.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// ψ(x) = α·½‖x‖² + ε·log Σₖ exp((⟨aₖ, x⟩ + bₖ)/ε): T(x) = αx + Σₖ pₖ(x)·aₖ with pₖ the softmax of (⟨aₖ, x⟩ + bₖ)/ε.
#[derive(Debug, Clone)]
pub(super) struct LogSumExp {
    /// aₖ, [m, d].
    directions: Array2<f64>,
    /// bₖ.
    heights: Array1<f64>,
}

/// α.
const STRENGTH: f64 = 0.3;
/// ε.
const SOFTNESS: f64 = 0.5;
/// The number of directions.
const DIRECTIONS: usize = 10;
/// ‖aₖ‖.
const LENGTH: f64 = 2.0;
/// The standard deviation of bₖ.
const HEIGHT: f64 = 0.5;
/// A digit of the inverse takes some fifteen.
const STEPS: usize = 1000;

impl LogSumExp {
    pub(super) fn draw(dim: usize, rng: &mut impl Rng) -> Self {
        let mut directions: Array2<f64> =
            Array2::from_shape_fn((DIRECTIONS, dim), |_| StandardNormal.sample(rng));
        for mut direction in directions.rows_mut() {
            let length = direction.dot(&direction).sqrt();
            direction *= LENGTH / length;
        }
        let normal = |_| -> f64 { StandardNormal.sample(rng) };
        Self { directions, heights: Array1::from_shape_fn(DIRECTIONS, normal) * HEIGHT }
    }

    /// The exponents, less the largest of each row, and that.
    fn exponents(&self, x: ArrayView2<'_, f64>) -> (Array2<f64>, Array1<f64>) {
        let mut exponents = (x.dot(&self.directions.t()) + &self.heights) / SOFTNESS;
        let largest = exponents.map_axis(Axis(1), |row| row.iter().copied().fold(f64::MIN, f64::max));
        exponents -= &largest.view().insert_axis(Axis(1));
        (exponents, largest)
    }

    pub(super) fn potential(&self, x: ArrayView2<'_, f64>) -> Array1<f64> {
        let (exponents, largest) = self.exponents(x);
        let sums = exponents.mapv(f64::exp).sum_axis(Axis(1));
        let squares = x.map_axis(Axis(1), |x| x.dot(&x));
        (largest + sums.mapv(f64::ln)) * SOFTNESS + squares * (0.5 * STRENGTH)
    }

    pub(super) fn gradient(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let (exponents, _) = self.exponents(x);
        let mut weights = exponents.mapv(f64::exp);
        for mut row in weights.rows_mut() {
            let sum = row.sum();
            row /= sum;
        }
        &x * STRENGTH + weights.dot(&self.directions)
    }

    /// argmin ψ(x) − ⟨x, y⟩, by gradient steps with momentum.
    ///
    /// The eigenvalues of ∇²ψ lie between α and β = α + max‖aₖ‖²/ε; an error shrinks by 1 − √(α/β) a step.
    ///
    /// Source: Nesterov, Introductory Lectures on Convex Optimization (2004), scheme (2.2.11).
    pub(super) fn inverse(&self, y: ArrayView2<'_, f64>) -> Array2<f64> {
        let steepest = STRENGTH + LENGTH * LENGTH / SOFTNESS;
        let ratio = (STRENGTH / steepest).sqrt();
        let momentum = (1.0 - ratio) / (1.0 + ratio);
        let mut x = y.to_owned();
        let mut ahead = x.clone();
        for _ in 0..STEPS {
            let slope = self.gradient(ahead.view()) - y;
            let next = &ahead - &(&slope / steepest);
            ahead = &next + &((&next - &x) * momentum);
            x = next;
            if slope.iter().all(|s| s.abs() < 1e-12) {
                break;
            }
        }
        x
    }
}
