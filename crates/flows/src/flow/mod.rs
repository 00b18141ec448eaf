//! The flow dx/dt = v: its representation, what it minimises, and the gradient of that.
//!
//! inf_v E φ(x_T) + λ∫₀ᵀ E ½‖v‖² dt, dx/dt = v = −∇U/λ, x₀ ~ ρ₀ (arXiv 2407.11901, eq. (10)), with penalties that
//! vanish at the exact optimum: [`FlowObjective`] is the whole formula.

mod field;
mod gradient;
mod interaction;
mod jet;
mod objective;
mod representation;
mod steps;

pub use field::FlowField;
pub use gradient::Workspace;
pub use interaction::Interaction;
pub use objective::{FlowObjective, FlowValue, HamiltonJacobiSign, TERMS};
pub use representation::{HopfLaxDescription, PotentialDescription, Representation, VelocityDescription};
pub use steps::Steps;

use crate::FlowError;
use crate::hopf_lax::Stop;
use crate::potential::Potential;
use crate::real::Real;
use crate::scalar_field::ScalarField;
use crate::velocity::Velocity;
use rand::Rng;

/// How the velocity of the flow follows from the network that is trained for it, and from the critic.
#[derive(Debug, Clone, PartialEq)]
pub enum Flow {
    /// v = −∇U/λ of a network U.
    Network(Potential),
    /// U(x, t) = (t/T)·φ(x) + (1 − t/T)·N(x, t): the terminal condition U(·, T) = φ holds whatever the network N is
    /// (APAC-Net, Lin et al. 2020, arXiv 2002.10113, section 3).
    ExactTerminal(Potential),
    /// v is a network R^{d+1} → R^d itself, without a potential: for comparison. −λv then stands where ∇U would, and
    /// there is no Hamilton–Jacobi equation.
    Velocity(Velocity),
    /// U follows from the critic by the Hopf–Lax formula ([`crate::hopf_lax`]).
    HopfLax {
        /// The network whose velocity proposes the ends of paths.
        proposal: Potential,
        /// Descent steps on each proposed end before the critic learns from it.
        refinements: usize,
    },
}

/// A search in training begins where an earlier one ended, and the next one goes on from where it ends.
const TRAINING_TOLERANCE: f64 = 5e-2;

impl Flow {
    /// The dimension d of the points that it moves.
    pub fn dim(&self) -> usize {
        match self {
            Self::Network(potential) | Self::ExactTerminal(potential) => potential.dim(),
            Self::Velocity(velocity) => velocity.dim(),
            Self::HopfLax { proposal, .. } => proposal.dim(),
        }
    }

    /// Length of the parameter buffer of its network.
    pub fn parameter_count(&self) -> usize {
        match self {
            Self::Network(potential) | Self::ExactTerminal(potential) => potential.net().parameter_count(),
            Self::Velocity(velocity) => velocity.net().parameter_count(),
            Self::HopfLax { proposal, .. } => proposal.net().parameter_count(),
        }
    }

    /// Initial parameters of its network.
    pub fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        match self {
            Self::Network(potential) | Self::ExactTerminal(potential) => potential.initial(rng),
            Self::Velocity(velocity) => velocity.initial(rng),
            Self::HopfLax { proposal, .. } => proposal.initial(rng),
        }
    }

    /// The potential's network, or the one that proposes; none for a velocity.
    pub fn potential(&self) -> Option<&Potential> {
        match self {
            Self::Network(potential) | Self::ExactTerminal(potential) => Some(potential),
            Self::HopfLax { proposal, .. } => Some(proposal),
            Self::Velocity(_) => None,
        }
    }

    /// The search for the ends of paths in a training iteration; none where the network leads to them by itself.
    pub fn refinement(&self) -> Option<Stop> {
        match self {
            Self::Network(_) | Self::ExactTerminal(_) | Self::Velocity(_) => None,
            Self::HopfLax { refinements, .. } => {
                Some(Stop { iterations: *refinements, tolerance: TRAINING_TOLERANCE })
            }
        }
    }
}

/// Where the particles of a minibatch begin and what moves them beside their velocity.
#[derive(Debug, Clone, Copy)]
pub struct Paths<'a, T> {
    /// x₀, [n, d].
    pub start: &'a [T],
    /// Euler steps.
    pub steps: usize,
    /// ξ, standard normal numbers, [steps, n, d]; empty without noise.
    pub noise: &'a [T],
}

/// out ← factor·from.
fn scaled<T: Real>(out: &mut Vec<T>, factor: T, from: &[T]) {
    out.clear();
    out.extend(from.iter().map(|&x| factor * x));
}

/// The error of a flow that has no potential and was asked for what only a potential has.
fn without_potential(what: &str) -> FlowError {
    FlowError::specification(
        what,
        "asked of a velocity without a potential",
        "take another representation of the flow",
    )
}
