//! An explicit flow as a configuration describes it.

use super::ExplicitFlow;
use crate::FlowError;
use crate::activation::Activation;
use crate::affine::{Affine, Base};
use crate::convolution::ConvolutionDescription;
use crate::critic::CriticDescription;
use crate::error::require;
use crate::flow::FlowObjective;
use crate::hopf_lax::Stop;
use crate::kantorovich::{KantorovichObjective, Potentials, PotentialsDescription};
use crate::mlp::{Initialisation, Mlp, Output};
use crate::network::Network;
use ot_core::divergence::Divergence;
use serde::{Deserialize, Serialize};

/// The network of U(·, 0), and how far the search for the critic goes in an iteration.
///
/// The critic follows from it: of a [`CriticDescription`] the divergence, its weight and the bound are read, not what
/// is about a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplicitDescription {
    /// What the network departs from.
    #[serde(default = "gaussian")]
    pub base: Base,
    /// Most directions of the Gaussian map that are kept, widest first: particles end in the plane of the data's widest
    /// directions, and the network sees so many coordinates. All where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// Most ascent steps of a data point's search in an iteration.
    #[serde(default = "eight")]
    pub refinements: usize,
    /// What the network sees of images, which are points at rest then; without it, the coordinates themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convolutions: Option<ConvolutionDescription>,
    /// Whether a quadratic form is trained beside the network; no bound is imposed on one ([`ExplicitDescription::is_bounded`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quadratic: bool,
    /// A second potential, which is trained beside the network as in W2-FE, with a penalty where both exceed the cost, in
    /// the place of searches for the critic; no bound is imposed then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub potentials: Option<PotentialsDescription>,
    /// Hidden widths.
    pub hidden: Vec<usize>,
    /// Activation.
    #[serde(default = "sharp_softplus")]
    pub activation: Activation,
    /// How the initial parameters are drawn.
    #[serde(default)]
    pub initialisation: Initialisation,
}

/// An iteration begins near the maximum and ends near it.
const TRAINING_TOLERANCE: f64 = 1e-2;

impl ExplicitDescription {
    /// The flow in given coordinates; `bound` is L.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a value outside its domain.
    pub fn build(
        &self,
        affine: Affine,
        objective: &FlowObjective,
        bound: f64,
    ) -> Result<ExplicitFlow, FlowError> {
        let bound = self.is_bounded().then_some(bound);
        let network = self.network(affine.rank())?.initialised(self.initialisation);
        let network = if self.quadratic { network.with_quadratic() } else { network };
        ExplicitFlow::new(affine, network, objective, bound)
    }

    /// Whether the bound L holds by construction: of points at rest without a quadratic form, which has any slope, or a second
    /// potential, whose cost has no end of its reach.
    pub fn is_bounded(&self) -> bool {
        self.base == Base::Identity && !self.quadratic && self.potentials.is_none()
    }

    /// Both potentials of a flow, φ = N and ψ, and what they maximise, where a second one is described.
    ///
    /// In the coordinates x′ and y′ of the flow the game with the linear divergence is Kantorovich's: its dual is λ/T times
    /// that of ½‖x′ − y′‖², up to terms without parameters, and x′ − ∇N(x′) is its map.
    ///
    /// # Errors
    /// As [`PotentialsDescription::network`].
    pub fn potentials(
        &self,
        flow: &ExplicitFlow,
    ) -> Result<Option<(Potentials, KantorovichObjective)>, FlowError> {
        let Some(described) = &self.potentials else { return Ok(None) };
        let phi = flow.network().head().clone();
        let eta = described.network(flow.affine().rank())?;
        Ok(Some((Potentials { phi, eta, psi: described.psi }, described.objective())))
    }

    /// The network of `dim` coordinates, without its quadratic part.
    fn network(&self, dim: usize) -> Result<Network, FlowError> {
        let (hidden, activation, output) = (&self.hidden, self.activation, Output::Identity);
        match &self.convolutions {
            Some(image) => Network::of_images(image, (dim, 0), hidden, activation, output),
            None => Ok(Mlp::new(dim, hidden, activation, output)?.into()),
        }
    }

    /// The search in a training iteration.
    pub fn stop(&self) -> Stop {
        Stop { iterations: self.refinements, tolerance: TRAINING_TOLERANCE }
    }

    /// Checks the description against what is to be minimised and against the critic, of which the divergence, its
    /// weight and the bound are read; errors name the path of the field, `flow.…`, `representation.…` or `critic.…`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for the first value that does not fit.
    pub fn validate(&self, flow: &FlowObjective, critic: &CriticDescription) -> Result<(), FlowError> {
        self.initialisation.validate().map_err(|e| e.within("representation"))?;
        self.base.check_rank(self.rank)?;
        require(self.refinements >= 1, "representation.refinements", 0, "give at least 1, such as 8")?;
        require(
            self.activation != Activation::Relu,
            "representation.activation",
            self.activation,
            "take sharp-softplus for the representation explicit, whose ends would jump at the kinks of a ReLU",
        )?;
        require(
            self.convolutions.is_none() || self.base == Base::Identity,
            "representation.base",
            "gaussian with convolutions",
            "take base = \"identity\": convolutions see pixels, and not the coordinates of the Gaussian map",
        )?;
        self.validate_potentials(critic)?;
        critic.validate_objective().map_err(|e| e.within("critic"))?;
        flow.validate_straight("explicit")
    }

    fn validate_potentials(&self, critic: &CriticDescription) -> Result<(), FlowError> {
        let Some(potentials) = &self.potentials else { return Ok(()) };
        potentials.validate().map_err(|e| e.within("representation.potentials"))?;
        let remedy = "leave it out beside representation.potentials, which are two perceptrons";
        require(self.convolutions.is_none(), "representation.convolutions", "given", remedy)?;
        require(!self.quadratic, "representation.quadratic", true, remedy)?;
        require(
            critic.divergence == Divergence::Wasserstein1,
            "critic.divergence",
            critic.divergence,
            "take w1 with representation.potentials, whose dual is that of the optimal transport cost; or leave these out",
        )
    }
}

fn gaussian() -> Base {
    Base::Gaussian
}

fn eight() -> usize {
    8
}

fn sharp_softplus() -> Activation {
    Activation::SharpSoftplus
}
