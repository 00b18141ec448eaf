//! The critic φ: its network, what it maximises, and how its slope is held.
//!
//! sup_φ E_{ρ_T} φ − c·E_π f*(φ/c) over φ of slope at most L (arXiv 2407.11901, eq. (10)). The gradient is written out
//! as an adjoint of the network's closed forms, so an update needs no graph and no double backward pass.

mod description;
mod gradient;
mod shift;

pub use description::CriticDescription;
pub use gradient::Workspace;

use crate::lipschitz::Lipschitz;
use crate::network::Network;
use crate::scalar_field::ScalarField;
use metrics::Metric;
use ot_core::divergence::{Divergence, DivergenceError, DualValue};

/// A critic: the shape of φ, its objective, and how its slope is held to L. Its parameters are held by who trains it.
#[derive(Debug, Clone, PartialEq)]
pub struct Critic<N = Network> {
    /// The shape of φ.
    pub network: N,
    /// What φ maximises.
    pub objective: CriticObjective,
    /// The Lipschitz bound L, in units of φ per unit length.
    pub bound: f64,
    /// How the slope is held to it.
    pub lipschitz: Lipschitz,
}

impl<N: ScalarField> Critic<N> {
    /// The dimension d of the points that it judges.
    pub fn dim(&self) -> usize {
        self.network.input()
    }
}

/// The dual value of c·D_f, which a critic ascends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CriticObjective {
    /// D_f.
    pub divergence: Divergence,
    /// c > 0. The larger c, the closer the optimum is to the target for the same λ and L.
    pub weight: f64,
}

impl CriticObjective {
    /// E φ(generated) − c·E f*(φ(target)/c) with its derivatives in the critic's values.
    ///
    /// # Errors
    /// [`DivergenceError`] when a value is not finite or φ/c is outside the domain of f*.
    pub fn dual(&self, generated: &[f64], target: &[f64]) -> Result<DualValue, DivergenceError> {
        let weight = self.weight;
        let over_weight = |values: &[f64]| values.iter().map(|phi| phi / weight).collect::<Vec<_>>();
        let dual = self.divergence.dual(&over_weight(generated), &over_weight(target))?;
        Ok(DualValue { value: weight * dual.value, ..dual })
    }
}

/// One minibatch of the critic, row-major.
#[derive(Debug, Clone, Copy)]
pub struct CriticBatch<'a, T> {
    /// Generated points, [n, d].
    pub generated: &'a [T],
    /// Target points, [n, d].
    pub target: &'a [T],
    /// Numbers that are uniform in [0, 1], one for each pair: [`crate::lipschitz::PenaltyPoints::mixing`] makes them
    /// the α of the points α·generated + (1 − α)·target of a penalty. Not read without one.
    pub mixing: &'a [T],
}

/// The value of the critic's objective on a minibatch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CriticValue {
    /// The dual value of the divergence.
    pub divergence: f64,
    /// The weighted penalty.
    pub penalty: f64,
    /// Mean of ‖∇φ‖ over the points of the penalty (0 without one).
    pub slope_mean: f64,
    /// Maximum of ‖∇φ‖ over the points of the penalty (0 without one).
    pub slope_max: f64,
}

impl CriticValue {
    /// What the critic maximises.
    pub fn total(&self) -> f64 {
        self.divergence - self.penalty
    }

    /// What a record of the training holds, by name.
    pub fn named(&self) -> [(&'static Metric, f64); 4] {
        [
            (metrics::CRITIC_DIVERGENCE, self.divergence),
            (metrics::CRITIC_PENALTY, self.penalty),
            (metrics::CRITIC_SLOPE_MEAN, self.slope_mean),
            (metrics::CRITIC_SLOPE_MAX, self.slope_max),
        ]
    }
}
