//! The two potentials as a configuration describes them.

use super::{GapPenalty, KantorovichObjective, Pairing, Psi};
use crate::FlowError;
use crate::activation::Activation;
use crate::error::{not_negative, positive, require, widths};
use crate::mlp::{Initialisation, Mlp, Output};
use serde::{Deserialize, Serialize};

/// The two Kantorovich potentials: what they maximise, and their networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PotentialsDescription {
    /// How ψ is made of the second network.
    #[serde(default)]
    pub psi: Psi,
    /// The penalty on gaps.
    pub penalty: GapPenalty,
    /// Over which pairs of a minibatch it is averaged.
    #[serde(default)]
    pub pairing: Pairing,
    /// Whether interpolated pairs are penalised too.
    #[serde(default)]
    pub interpolated: bool,
    /// Weight of the equality terms.
    #[serde(default)]
    pub equality: f64,
    /// Hidden widths of each network; the first one of an explicit flow is its own.
    pub hidden: Vec<usize>,
    /// Activation.
    #[serde(default = "relu")]
    pub activation: Activation,
    /// How the initial parameters are drawn.
    #[serde(default)]
    pub initialisation: Initialisation,
}

impl PotentialsDescription {
    /// What the potentials maximise.
    pub fn objective(&self) -> KantorovichObjective {
        let Self { penalty, pairing, interpolated, equality, .. } = *self;
        KantorovichObjective { penalty, pairing, interpolated, equality }
    }

    /// One of the networks, of points of `dim` coordinates.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for widths that describe no network.
    pub fn network(&self, dim: usize) -> Result<Mlp, FlowError> {
        let network = Mlp::new(dim, &self.hidden, self.activation, Output::Identity)?;
        Ok(network.initialised(self.initialisation))
    }

    /// Checks the domain of every value.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for the first value outside of its domain.
    pub fn validate(&self) -> Result<(), FlowError> {
        not_negative("equality", self.equality)?;
        match self.penalty {
            GapPenalty::Linear { weight } => require(
                weight.is_finite() && weight > 1.0,
                "penalty.weight",
                weight,
                "give a number above 1: a plan is bounded by weight·μ⊗ν, and 1 leaves nothing but μ⊗ν",
            )?,
            GapPenalty::Quadratic { weight } => positive("penalty.weight", weight)?,
            GapPenalty::Entropic { temperature } => positive("penalty.temperature", temperature)?,
        }
        widths("hidden", &self.hidden)?;
        self.initialisation.validate()
    }
}

fn relu() -> Activation {
    Activation::Relu
}
