//! The gradient flow of ½·W2² on particles with the exact discrete transport map in place of networks.

use super::Scheme;
use crate::TrainError;
use crate::config::ConfigError;
use ndarray::{Array2, ArrayView2};
use ot_core::Measure;
use ot_core::cost::Euclidean;
use ot_core::exact::{self, ExactError};

/// Particles that follow dY = −∇φ(Y) dt, φ the Kantorovich potential from their cloud to a fixed target cloud.
///
/// At a particle ∇φ(yᵢ) = yᵢ − Σⱼ Pᵢⱼxⱼ/Σⱼ Pᵢⱼ with the optimal plan P; for clouds of one size it is an assignment,
/// and forward Euler then follows W2ₙ = (1 − ε)ⁿ·W2₀ for 0 < ε ≤ 1: each step stays on the geodesic to the target. It
/// is what [`super::Trainer`] would do with perfect networks, and so tells how much of an error is the networks'.
///
/// Source: Huang and Malik, arXiv 2406.13619, algorithm 1 and theorem on the Euler scheme.
///
/// ```
/// use ndarray::array;
/// use train::w2fe::{ExactFlow, Scheme};
/// let target = array![[1.0, 0.0], [3.0, 0.0]];
/// let mut flow = ExactFlow::new(array![[0.0, 0.0], [2.0, 0.0]], target, 0.5, Scheme::ForwardEuler)?;
/// assert_eq!(flow.step()?, 1.0); // W2 before the step assert_eq!(flow.step()?, 0.5);
/// # Ok::<(), train::TrainError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ExactFlow {
    particles: Array2<f64>,
    target: Array2<f64>,
    epsilon: f64,
    scheme: Scheme,
    previous: Option<Array2<f64>>,
}

impl ExactFlow {
    /// Particles [n, d] on their way to the points `target` [m, d] in steps of `epsilon`.
    ///
    /// # Errors
    /// [`TrainError::Config`] for a step that is not finite and positive. What is wrong with the clouds, the first step
    /// says.
    pub fn new(
        particles: Array2<f64>,
        target: Array2<f64>,
        epsilon: f64,
        scheme: Scheme,
    ) -> Result<Self, TrainError> {
        if !(epsilon.is_finite() && epsilon > 0.0) {
            return Err(TrainError::Config(ConfigError::Value {
                key: "epsilon".into(),
                found: epsilon.to_string(),
                remedy: "give a finite number above 0; forward Euler is stable below 2".into(),
            }));
        }
        Ok(Self { particles, target, epsilon, scheme, previous: None })
    }

    /// The particles now, [n, d].
    pub fn particles(&self) -> ArrayView2<'_, f64> {
        self.particles.view()
    }

    /// Moves the particles by one step; returns the W2 from before it.
    ///
    /// Complexity: that of [`exact::solve`].
    ///
    /// # Errors
    /// [`TrainError::Exact`] for clouds that are empty, of different dimensions or not finite.
    pub fn step(&mut self) -> Result<f64, TrainError> {
        let measure = |points| Measure::uniform(points).map_err(ExactError::from);
        let (source, target) = (measure(self.particles.view())?, measure(self.target.view())?);
        let plan = exact::solve(&source, &target, &Euclidean::Squared)?;
        let w2 = plan.primal().max(0.0).sqrt();
        let slope = &self.particles - &plan.barycentric_map();
        let (now, before) = self.scheme.weights(self.previous.is_some());
        self.particles.scaled_add(-self.epsilon * now, &slope);
        if let Some(previous) = &self.previous {
            self.particles.scaled_add(-self.epsilon * before, previous);
        }
        self.previous = Some(slope);
        Ok(w2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::{InitialLaw, Target, stream};

    fn ring(n: usize) -> Array2<f64> {
        Target::Ring.sample_balanced(n, 2, &mut stream(1, "target", 0)).unwrap()
    }

    fn blob(n: usize) -> Array2<f64> {
        InitialLaw::Normal { std: 0.05 }.sample(n, 2, &mut stream(1, "initial", 0)).unwrap()
    }

    fn distances(epsilon: f64, scheme: Scheme, steps: usize) -> Vec<f64> {
        let mut flow = ExactFlow::new(blob(256), ring(256), epsilon, scheme).unwrap();
        (0..=steps).map(|_| flow.step().unwrap()).collect()
    }

    #[test]
    fn forward_euler_shrinks_the_distance_by_one_minus_epsilon() {
        for epsilon in [0.1, 0.5] {
            let w2 = distances(epsilon, Scheme::ForwardEuler, 20);
            for (n, &found) in w2.iter().enumerate() {
                let expected = (1.0 - epsilon).powi(n as i32) * w2[0];
                // The plan is optimal up to rounding of costs of order one; at 20 halvings W2² is 1e-12 of them.
                assert!(
                    (found / expected - 1.0).abs() < 1e-6,
                    "step {n} of {epsilon}: {found} not {expected}"
                );
            }
        }
    }

    #[test]
    fn a_whole_step_lands_on_the_target() {
        let w2 = distances(1.0, Scheme::ForwardEuler, 1);
        // y − (y − x) is x up to one rounding of a number of order one.
        assert!(w2[0] > 0.5 && w2[1] < 1e-15, "{w2:?}");
    }

    /// The exact flow has W2(t) = e^{−t}·W2(0): halving ε divides the error at t = 1 by 2 for Euler and by 4 for
    /// Adams–Bashforth.
    #[test]
    fn schemes_have_their_order() {
        for (scheme, ratio) in [(Scheme::ForwardEuler, 2.0), (Scheme::AdamsBashforth, 4.0)] {
            let error = |steps: usize| {
                let w2 = distances(1.0 / steps as f64, scheme, steps);
                (w2[steps] / w2[0] - (-1.0_f64).exp()).abs()
            };
            let found = error(16) / error(32);
            // The next term of the expansion is smaller by ε = 1/16, with a constant of order one.
            assert!((found / ratio - 1.0).abs() < 0.15, "{scheme:?}: {found}");
        }
    }

    /// Two particles per target point and the reverse: the barycentric map still never raises the distance.
    #[test]
    fn clouds_of_different_sizes_flow_too() {
        for (n, m) in [(64, 32), (32, 64)] {
            let mut flow = ExactFlow::new(blob(n), ring(m), 0.5, Scheme::ForwardEuler).unwrap();
            let w2: Vec<f64> = (0..5).map(|_| flow.step().unwrap()).collect();
            assert!(w2.windows(2).all(|pair| pair[1] < pair[0]), "{w2:?}");
        }
    }

    #[test]
    fn wrong_input_is_named() {
        let message = ExactFlow::new(blob(4), ring(4), 0.0, Scheme::ForwardEuler).unwrap_err().to_string();
        assert!(message.contains("epsilon is 0"), "{message}");
        let mut flow = ExactFlow::new(Array2::zeros((0, 2)), ring(4), 0.5, Scheme::ForwardEuler).unwrap();
        assert!(matches!(flow.step(), Err(TrainError::Exact(_))));
    }
}
