//! The running cost of a law that its particles feel.

use crate::FlowError;
use crate::error::{expect_length, expect_rows, positive, require};
use crate::real::Real;
use serde::{Deserialize, Serialize};

/// I(ρ) = (w/2)·∬ K(x − y) dρ(x) dρ(y), added to the flow's objective as ∫₀ᵀ I(ρ_t) dt.
///
/// | `kind` | K(z) | w > 0 |
/// | --- | --- | --- |
/// | `quadratic` | ½‖z‖² | pulls the particles together: I is (w/2)·tr Cov(ρ) |
/// | `gaussian` | e^{−‖z‖²/(2·width²)} | pushes them apart where they crowd |
///
/// On N particles ρ ⊗ ρ is the mean over the pairs of different ones, which is unbiased.
///
/// Source: the interaction of a mean-field game, J.-M. Lasry and P.-L. Lions, Jpn. J. Math. 2 (2007), section 2.
///
/// ```
/// use flows::flow::Interaction;
/// let pull = Interaction::Quadratic { weight: 3.0 };
/// // Two particles 2 apart: (3/2)·½·4.
/// let mut gradient = [0.0; 2];
/// assert_eq!(pull.cost(&[-1.0, 1.0], 1, &mut gradient)?, 3.0);
/// assert_eq!(gradient, [-3.0, 3.0]);
/// # Ok::<(), flows::FlowError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
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
    /// Checks weight and width; errors name the field.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a weight that is not finite or a width that is not positive.
    pub fn validate(self) -> Result<(), FlowError> {
        let weight = self.weight();
        require(weight.is_finite(), "interaction.weight", weight, "give a finite number")?;
        match self {
            Self::Quadratic { .. } => Ok(()),
            Self::Gaussian { width, .. } => positive("interaction.width", width),
        }
    }

    /// w.
    pub fn weight(self) -> f64 {
        match self {
            Self::Quadratic { weight } | Self::Gaussian { weight, .. } => weight,
        }
    }

    /// I of the particles in the rows of `x` in dimension `dim`, and its derivative in every coordinate, in the shape
    /// of `x`: (w/(N(N−1)))·Σ_{j≠i} ∇K(xᵢ − xⱼ) for particle i.
    ///
    /// Complexity: O(N·d) for the quadratic kernel, by the mean of the particles, and O(N²·d) for the other.
    ///
    /// # Errors
    /// [`FlowError::Shape`] or [`FlowError::Specification`] when `x` is not rows of `dim` ≥ 1 numbers, or `gradient`
    /// not of its length.
    pub fn cost<T: Real>(self, x: &[T], dim: usize, gradient: &mut [T]) -> Result<f64, FlowError> {
        expect_rows("the particles", x.len(), dim)?;
        expect_length("the gradient of the running cost", gradient.len(), x.len())?;
        let weight = self.pair_weight(x, dim);
        Ok(match self {
            Self::Quadratic { .. } => {
                let (mean, square) = spread(x, dim);
                let rows = x.chunks_exact(dim).zip(gradient.chunks_exact_mut(dim));
                for (out, (x, mean)) in rows.flat_map(|(row, out)| out.iter_mut().zip(row.iter().zip(&mean)))
                {
                    *out = T::of(weight * (x.wide() - mean));
                }
                0.5 * weight * square
            }
            Self::Gaussian { width, .. } => {
                let count = (x.len() / dim) as f64;
                let (mut total, mut sum) = (0.0, vec![0.0; dim]);
                for (row, out) in x.chunks_exact(dim).zip(gradient.chunks_exact_mut(dim)) {
                    sum.fill(0.0);
                    for other in x.chunks_exact(dim) {
                        let value = bump(row, other, width);
                        total += value;
                        for ((sum, a), b) in sum.iter_mut().zip(row).zip(other) {
                            *sum -= value / (width * width) * (a.wide() - b.wide());
                        }
                    }
                    for (out, sum) in out.iter_mut().zip(&sum) {
                        *out = T::of(weight / count * sum);
                    }
                }
                // Each particle has met itself, with K = 1 and no slope.
                0.5 * weight / count * (total - count)
            }
        })
    }

    /// δI/δρ at every particle: (w/(N−1))·Σ_{j≠i} K(xᵢ − xⱼ), up to the constant that mass conservation leaves free.
    ///
    /// Complexity: as [`Interaction::cost`].
    ///
    /// # Errors
    /// As [`Interaction::cost`].
    pub fn first_variation<T: Real>(self, x: &[T], dim: usize) -> Result<Vec<f64>, FlowError> {
        expect_rows("the particles", x.len(), dim)?;
        let weight = self.pair_weight(x, dim);
        Ok(match self {
            Self::Quadratic { .. } => {
                let (mean, square) = spread(x, dim);
                let count = (x.len() / dim) as f64;
                let of = |row: &[T]| 0.5 * weight * (count * square_distance(row, &mean) + square);
                x.chunks_exact(dim).map(of).collect()
            }
            Self::Gaussian { width, .. } => {
                let of = |row| {
                    weight * (x.chunks_exact(dim).map(|other| bump(row, other, width)).sum::<f64>() - 1.0)
                };
                x.chunks_exact(dim).map(of).collect()
            }
        })
    }

    /// w/(N − 1); a particle alone feels nothing.
    fn pair_weight<T>(self, x: &[T], dim: usize) -> f64 {
        self.weight() / (x.len() / dim).saturating_sub(1).max(1) as f64
    }
}

/// The mean m of the rows and Σ‖xᵢ − m‖².
fn spread<T: Real>(x: &[T], dim: usize) -> (Vec<f64>, f64) {
    let share = dim as f64 / x.len() as f64;
    let mut mean = vec![0.0; dim];
    for row in x.chunks_exact(dim) {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += share * x.wide());
    }
    let square = x.chunks_exact(dim).map(|row| square_distance(row, &mean)).sum();
    (mean, square)
}

/// e^{−‖a − b‖²/(2·width²)}.
fn bump<T: Real>(a: &[T], b: &[T], width: f64) -> f64 {
    let square: f64 = a.iter().zip(b).map(|(a, b)| (a.wide() - b.wide()).powi(2)).sum();
    (-0.5 * square / (width * width)).exp()
}

fn square_distance<T: Real>(a: &[T], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a.wide() - b).powi(2)).sum()
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
            interaction.cost(&POINTS, 2, &mut gradient).unwrap();
            for (j, found) in gradient.into_iter().enumerate() {
                let at = |step: f64| {
                    let mut x = POINTS;
                    x[j] += step;
                    interaction.cost(&x, 2, &mut [0.0; 8]).unwrap()
                };
                assert!(((at(h) - at(-h)) / (2.0 * h) - found).abs() < 1e-8, "{interaction:?}, {j}");
            }
        }
    }

    /// The definition: means over the pairs of different particles; a dozen terms, some ten roundings.
    #[test]
    fn cost_and_variation_are_means_over_pairs() {
        let kernel = |interaction: Interaction, square: f64| match interaction {
            Interaction::Quadratic { .. } => 0.5 * square,
            Interaction::Gaussian { width, .. } => (-0.5 * square / (width * width)).exp(),
        };
        for interaction in KERNELS {
            let point = |i: usize| &POINTS[2 * i..2 * i + 2];
            let pair = |i: usize, j: usize| {
                let square = (point(i)[0] - point(j)[0]).powi(2) + (point(i)[1] - point(j)[1]).powi(2);
                kernel(interaction, square)
            };
            let of = |i: usize| (0..4).filter(|&j| j != i).map(|j| pair(i, j)).sum::<f64>() / 3.0;
            let expected: Vec<f64> = (0..4).map(|i| interaction.weight() * of(i)).collect();
            for (found, expected) in interaction.first_variation(&POINTS, 2).unwrap().iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-14, "{interaction:?}: {found} against {expected}");
            }
            let cost = interaction.cost(&POINTS, 2, &mut [0.0; 8]).unwrap();
            assert!((cost - expected.iter().sum::<f64>() / 8.0).abs() < 1e-14, "{interaction:?}: {cost}");
        }
    }

    #[test]
    fn a_particle_alone_feels_nothing() {
        for interaction in KERNELS {
            let mut gradient = [1.0];
            assert_eq!(interaction.cost(&[0.3], 1, &mut gradient).unwrap(), 0.0);
            assert_eq!(gradient, [0.0]);
        }
    }

    #[test]
    fn points_without_coordinates_are_errors() {
        for interaction in KERNELS {
            assert!(interaction.cost::<f64>(&[], 0, &mut []).is_err());
            assert!(interaction.first_variation(&[1.0], 0).is_err());
            assert!(interaction.cost(&[1.0, 2.0, 3.0], 2, &mut [0.0; 3]).is_err());
        }
    }
}
