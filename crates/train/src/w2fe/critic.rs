//! The critic's side of the loop: two Kantorovich potentials, or the critic of a divergence.

use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::{Dual, GeneratorConfig, Optimiser};
use crate::player::{Player, finite};
use crate::source::name;
use crate::training::StepError;
use datasets::stream;
use flows::FlowError;
use flows::critic::{Critic, CriticBatch};
use flows::generation::Gradients;
use flows::kantorovich::{KantorovichObjective, PairBatch, Potentials};
use flows::network::Network;
use flows::scalar_field::ScalarField;

/// What the last update of a critic measured on its minibatch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CriticReport {
    /// The dual value: an estimate of ½·W2², of W1 or of the divergence.
    pub dual: f64,
    /// All penalties together.
    pub penalty: f64,
}

/// The networks that judge the generated points, with their optimisers.
#[allow(clippy::large_enum_variant, reason = "a run has one")]
pub(super) enum Critics {
    Kantorovich { potentials: Potentials, objective: KantorovichObjective, phi: Player, eta: Player },
    Divergence { critic: Critic, phi: Player },
}

impl Critics {
    pub(super) fn new(config: &GeneratorConfig, dim: usize) -> Result<Self, TrainError> {
        let draw = |net: &Network, name: &str| net.initial(&mut stream(config.seed, name, 0));
        Ok(match &config.dual {
            Dual::Kantorovich(described) => {
                let network = described.network(dim)?;
                let potentials = Potentials { phi: network.clone(), eta: network, psi: described.psi };
                Self::Kantorovich {
                    phi: Player::new(draw(&potentials.phi.clone().into(), name::CRITIC)),
                    eta: Player::new(draw(&potentials.eta.clone().into(), name::SECOND_POTENTIAL)),
                    potentials,
                    objective: described.objective(),
                }
            }
            Dual::Divergence(described) => {
                let critic = described.build(dim)?;
                let phi = Player::critic(&critic, draw(&critic.network, name::CRITIC))?;
                Self::Divergence { critic, phi }
            }
        })
    }

    /// φ: its shape and the parameters that it uses.
    pub(super) fn phi(&self) -> Result<(Network, Vec<f32>), FlowError> {
        Ok(match self {
            Self::Kantorovich { potentials, phi, .. } => (potentials.phi.clone().into(), phi.effective()?),
            Self::Divergence { critic, phi, .. } => (critic.network.clone(), phi.effective()?),
        })
    }

    pub(super) fn store(&self, state: &mut State) {
        let (Self::Kantorovich { phi, .. } | Self::Divergence { phi, .. }) = self;
        state.player(name::CRITIC, phi);
        if let Self::Kantorovich { eta, .. } = self {
            state.player(name::SECOND_POTENTIAL, eta);
        }
    }

    pub(super) fn restore(&mut self, stored: &Stored) -> Result<(), TrainError> {
        let (Self::Kantorovich { phi, .. } | Self::Divergence { phi, .. }) = self;
        stored.player(name::CRITIC, phi)?;
        if let Self::Kantorovich { eta, .. } = self {
            stored.player(name::SECOND_POTENTIAL, eta)?;
        }
        Ok(())
    }

    /// One ascent step on generated points `y` and target points `x`; `mixing` holds two numbers in [0, 1] for each
    /// pair.
    pub(super) fn ascend(
        &mut self,
        gradients: &mut dyn Gradients,
        y: &[f32],
        x: &[f32],
        mixing: &[f32],
        settings: &Optimiser,
        rate: f64,
    ) -> Result<CriticReport, StepError> {
        // The last parameters are the ones in use: nothing is averaged.
        let decay = 0.0;
        match self {
            Self::Kantorovich { potentials, objective, phi, eta } => {
                let mut d_phi = vec![0.0; phi.parameters.len()];
                let mut d_eta = vec![0.0; eta.parameters.len()];
                let value = gradients.potentials_gradient(
                    potentials,
                    *objective,
                    (&phi.parameters, &eta.parameters),
                    PairBatch { generated: y, target: x, mixing },
                    (&mut d_phi, &mut d_eta),
                )?;
                finite("objective of the potentials", value.total())?;
                phi.descend(settings, rate, decay, d_phi)?;
                eta.descend(settings, rate, decay, d_eta)?;
                let penalty = value.penalty + value.interpolated + value.equality;
                Ok(CriticReport { dual: value.dual, penalty })
            }
            Self::Divergence { critic, phi } => {
                let mut gradient = vec![0.0; phi.parameters.len()];
                let (mixing, _) = mixing.split_at(mixing.len() / 2);
                let batch = CriticBatch { generated: y, target: x, mixing };
                let value = gradients.critic_gradient(critic, &phi.effective()?, batch, &mut gradient)?;
                finite("objective of the critic", value.total())?;
                phi.descend(settings, rate, decay, gradient)?;
                Ok(CriticReport { dual: value.divergence, penalty: value.penalty })
            }
        }
    }
}
