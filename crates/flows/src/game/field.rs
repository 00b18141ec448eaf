//! The flow that follows from the players' networks.

use super::{FlowObjective, Game};
use crate::FlowError;
use crate::hopf_lax::{CriticField, HopfLaxFlow, Stop};
use crate::integrate::{PotentialField, PotentialFlow};
use crate::real::Real;
use serde::{Deserialize, Serialize};

/// How the potential of the flow is represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Representation {
    /// U is the network.
    #[default]
    Network,
    /// U follows from the critic by the Hopf–Lax formula ([`crate::hopf_lax`]); the network proposes the ends of paths.
    HopfLax {
        /// Descent steps on each proposed end before the critic learns from it.
        refinements: usize,
    },
}

/// A training iteration begins near the minimum and ends near it.
const TRAINING_TOLERANCE: f64 = 1e-2;

impl Representation {
    /// The search for the ends of paths in a training iteration; none where the network leads to them by itself.
    pub fn refinement(self) -> Option<Stop> {
        match self {
            Self::Network => None,
            Self::HopfLax { refinements } => {
                Some(Stop { iterations: refinements, tolerance: TRAINING_TOLERANCE })
            }
        }
    }
}

impl FlowObjective {
    /// λ/T, the weight of ½‖x₀ − x_T‖² in the cost of a straight path.
    pub fn pull(&self) -> f64 {
        self.lambda / self.horizon
    }
}

impl Game {
    /// The flow of the two networks at the given parameters; the companions are those of [`HopfLaxFlow`].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are not of the networks.
    pub fn field<'a, T: Real>(
        &'a self,
        potential: &[T],
        critic: &[T],
        companions: &[T],
    ) -> Result<Box<dyn PotentialField<T> + 'a>, FlowError> {
        let FlowObjective { lambda, horizon, .. } = self.flow_objective;
        let network = PotentialFlow::new(&self.potential, potential, T::of(lambda))?;
        Ok(match self.representation {
            Representation::Network => Box::new(network),
            Representation::HopfLax { .. } => {
                let critic = CriticField::new(&self.critic, critic)?;
                Box::new(HopfLaxFlow::new(critic, network, lambda, horizon, companions.to_vec()))
            }
        })
    }
}
