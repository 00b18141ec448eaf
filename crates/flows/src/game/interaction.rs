//! The running cost of a law that its particles feel.

use crate::real::Real;
use serde::{Deserialize, Serialize};

/// I(ρ) = (w/2)·∬ K(x − y) dρ(x) dρ(y), added to the flow's objective as ∫₀ᵀ I(ρ_t) dt.
///
/// | `kernel` | K(z) | w > 0 |
/// | --- | --- | --- |
/// | `quadratic` | ½‖z‖² | pulls the particles together: I is (w/2)·tr Cov(ρ) |
/// | `gaussian` | e^{−‖z‖²/(2·width²)} | pushes them apart where they crowd |
///
/// On N particles ρ ⊗ ρ is the mean over the pairs of different ones, which is unbiased.
///
/// Source: the interaction of a mean-field game, J.-M. Lasry and P.-L. Lions, Jpn. J. Math. 2 (2007), section 2.
///
/// ```
/// use flows::game::Interaction;
/// let pull = Interaction::Quadratic { weight: 3.0 };
/// // Two particles 2 apart: (3/2)·½·4.
/// let mut gradient = [0.0; 2];
/// assert_eq!(pull.cost(&[-1.0, 1.0], 1, &mut gradient), 3.0);
/// assert_eq!(gradient, [-3.0, 3.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kernel", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Interaction {
    /// ½‖z‖².
    Quadratic {
        /// w.
        weight: f64,
    },
    /// e^{−‖z‖²/(2·width²)}.
    Gaussian {
        /// w.
        weight: f64,
        /// The distance within which particles feel each other.
        width: f64,
    },
}

impl Interaction {
    /// w.
    pub fn weight(self) -> f64 {
        match self {
            Self::Quadratic { weight } | Self::Gaussian { weight, .. } => weight,
        }
    }

    /// K(z) and the factor k of ∇K(z) = k·z, from ‖z‖².
    fn kernel(self, square: f64) -> (f64, f64) {
        match self {
            Self::Quadratic { .. } => (0.5 * square, 1.0),
            Self::Gaussian { width, .. } => {
                let value = (-0.5 * square / (width * width)).exp();
                (value, -value / (width * width))
            }
        }
    }

    /// I of the particles in the rows of `x` in dimension `dim`, and its derivative in every coordinate, in the shape of
    /// `x`: (w/(N(N−1)))·Σ_{j≠i} ∇K(xᵢ − xⱼ) for particle i.
    ///
    /// Complexity: O(N²·d) time.
    pub fn cost<T: Real>(self, x: &[T], dim: usize, gradient: &mut [T]) -> f64 {
        let pairs = self.pair_weight(x.len() / dim.max(1)) / (x.len() / dim.max(1)) as f64;
        let mut total = 0.0;
        let mut sum = vec![0.0; dim];
        for (i, (row, out)) in x.chunks_exact(dim).zip(gradient.chunks_exact_mut(dim)).enumerate() {
            sum.fill(0.0);
            for (j, other) in x.chunks_exact(dim).enumerate() {
                if i != j {
                    let (value, factor) = self.kernel(square_distance(row, other));
                    total += value;
                    for ((sum, a), b) in sum.iter_mut().zip(row).zip(other) {
                        *sum += factor * (a.wide() - b.wide());
                    }
                }
            }
            for (out, sum) in out.iter_mut().zip(&sum) {
                *out = T::of(pairs * sum);
            }
        }
        0.5 * pairs * total
    }

    /// δI/δρ at every particle: (w/(N−1))·Σ_{j≠i} K(xᵢ − xⱼ), up to the constant that mass conservation leaves free.
    ///
    /// Complexity: O(N²·d) time.
    pub fn first_variation<T: Real>(self, x: &[T], dim: usize) -> Vec<f64> {
        let weight = self.pair_weight(x.len() / dim.max(1));
        let of = |(i, row): (usize, &[T])| {
            let others = x.chunks_exact(dim).enumerate().filter(|(j, _)| *j != i);
            weight * others.map(|(_, other)| self.kernel(square_distance(row, other)).0).sum::<f64>()
        };
        x.chunks_exact(dim).enumerate().map(of).collect()
    }

    /// w/(N − 1); a particle alone feels nothing.
    fn pair_weight(self, particles: usize) -> f64 {
        self.weight() / particles.saturating_sub(1).max(1) as f64
    }
}

fn square_distance<T: Real>(a: &[T], b: &[T]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a.wide() - b.wide()).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::Interaction;

    const KERNELS: [Interaction; 2] =
        [Interaction::Quadratic { weight: 0.7 }, Interaction::Gaussian { weight: -1.3, width: 0.8 }];
    const POINTS: [f64; 8] = [0.1, 0.9, -0.4, 0.3, 1.2, -0.8, 0.5, 0.5];

    /// Central differences: an error of h²/6·|K‴| ≤ 1e-9 and rounding of 1e-11.
    #[test]
    fn the_derivative_is_that_of_the_cost() {
        let h = 1e-5;
        for interaction in KERNELS {
            let mut gradient = [0.0; 8];
            interaction.cost(&POINTS, 2, &mut gradient);
            for (j, found) in gradient.into_iter().enumerate() {
                let at = |step: f64| {
                    let mut x = POINTS;
                    x[j] += step;
                    interaction.cost(&x, 2, &mut [0.0; 8])
                };
                assert!(((at(h) - at(-h)) / (2.0 * h) - found).abs() < 1e-8, "{interaction:?}, {j}");
            }
        }
    }

    /// ∫ δI/δρ dρ = 2·I for a quadratic functional of ρ: two sums of 12 terms, some ten roundings.
    #[test]
    fn the_first_variation_integrates_to_twice_the_cost() {
        for interaction in KERNELS {
            let variation = interaction.first_variation(&POINTS, 2);
            let mean = variation.iter().sum::<f64>() / 4.0;
            assert!((mean - 2.0 * interaction.cost(&POINTS, 2, &mut [0.0; 8])).abs() < 1e-14);
        }
    }

    /// (w/2)·tr Cov with the unbiased covariance, summed directly.
    #[test]
    fn the_quadratic_cost_is_the_trace_of_the_covariance() {
        let trace: f64 = (0..2)
            .map(|axis| {
                let values: Vec<f64> = POINTS.iter().skip(axis).step_by(2).copied().collect();
                let mean = values.iter().sum::<f64>() / 4.0;
                values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 3.0
            })
            .sum();
        let cost = KERNELS[0].cost(&POINTS, 2, &mut [0.0; 8]);
        assert!((cost - 0.35 * trace).abs() < 1e-14, "{cost}");
    }

    #[test]
    fn a_particle_alone_feels_nothing() {
        for interaction in KERNELS {
            let mut gradient = [1.0];
            assert_eq!(interaction.cost(&[0.3], 1, &mut gradient), 0.0);
            assert_eq!(gradient, [0.0]);
        }
    }
}
