//! The flow that follows from the players' networks.

use super::jet::{Arranged, Jet};
use super::{FlowObjective, Game, Networks};
use crate::FlowError;
use crate::error::expect_length;
use crate::generator::Generator;
use crate::hopf_lax::{CriticField, HopfLaxFlow, Stop};
use crate::integrate::{PotentialField, VelocityField};
use crate::real::Real;
use serde::{Deserialize, Serialize};

/// How the potential of the flow is represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Representation {
    /// U is the network N.
    #[default]
    Network,
    /// U(x, t) = (t/T)·φ(x) + (1 − t/T)·N(x, t): the terminal condition U(·, T) = φ holds whatever N is (APAC-Net, Lin et al.
    /// 2020, arXiv 2002.10113, section 3).
    ExactTerminal,
    /// v is a network R^{d+1} → R^d itself, without a potential: for comparison. −λv then stands where ∇U would, and there is no
    /// Hamilton–Jacobi equation.
    Velocity,
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
            Self::Network | Self::ExactTerminal | Self::Velocity => None,
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
    /// Length of the parameter buffer of the flow's network.
    pub fn flow_parameter_count(&self) -> usize {
        let of_potential = self.potential.net().parameter_count();
        self.velocity.as_ref().map_or(of_potential, Generator::parameter_count)
    }

    /// The flow of the two networks at the given parameters; the companions are those of [`HopfLaxFlow`].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are not of the networks.
    pub fn field<'a, T: Real>(
        &'a self,
        networks: Networks<'_, T>,
        companions: &[T],
    ) -> Result<Box<dyn PotentialField<T> + 'a>, FlowError> {
        let mut direct = NetworkField { game: self, weights: Arranged::default(), jet: Jet::default() };
        direct.weights.arrange(self, networks)?;
        if !matches!(self.representation, Representation::HopfLax { .. }) {
            return Ok(Box::new(direct));
        }
        let critic = CriticField::new(&self.critic, networks.critic)?;
        let FlowObjective { lambda, horizon, .. } = self.flow_objective;
        Ok(Box::new(HopfLaxFlow::new(critic, direct, lambda, horizon, companions.to_vec())))
    }
}

/// The potential as the networks give it directly.
struct NetworkField<'a, T: Real> {
    game: &'a Game,
    weights: Arranged<T>,
    jet: Jet<T>,
}

impl<T: Real> VelocityField<T> for NetworkField<'_, T> {
    fn velocity(&mut self, x: &[T], t: T, v: &mut [T]) -> Result<(), FlowError> {
        self.game.jet(&self.weights, x, t, &mut self.jet)?;
        expect_length("the velocity buffer", v.len(), x.len())?;
        let lambda = T::of(self.game.flow_objective.lambda);
        for (v, &g) in v.iter_mut().zip(self.jet.gradient()) {
            *v = -g / lambda;
        }
        Ok(())
    }
}

impl<T: Real> PotentialField<T> for NetworkField<'_, T> {
    fn derivatives(&mut self, x: &[T], t: T, gradient: &mut [T], time: &mut [T]) -> Result<(), FlowError> {
        self.game.jet(&self.weights, x, t, &mut self.jet)?;
        expect_length("the gradient buffer", gradient.len(), x.len())?;
        expect_length("the time derivative's buffer", time.len(), self.jet.time_derivative().len())?;
        gradient.copy_from_slice(self.jet.gradient());
        time.copy_from_slice(self.jet.time_derivative());
        Ok(())
    }

    fn laplacian(&mut self, x: &[T], t: T) -> Result<Vec<T>, FlowError> {
        self.game.jet(&self.weights, x, t, &mut self.jet)?;
        self.game.laplacian(&self.weights, &self.jet)
    }
}
