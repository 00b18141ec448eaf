//! A critic as a configuration describes it.

use super::{Critic, CriticObjective};
use crate::FlowError;
use crate::activation::Activation;
use crate::convolution::ConvolutionDescription;
use crate::error::{positive, require, widths};
use crate::lipschitz::Lipschitz;
use crate::mlp::{Initialisation, Mlp, Output};
use crate::network::Network;
use crate::text;
use ot_core::divergence::Divergence;
use serde::{Deserialize, Serialize};

/// A critic from which [`CriticDescription::build`] makes the critic in any dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriticDescription {
    /// The divergence whose dual the critic ascends.
    #[serde(with = "text")]
    pub divergence: Divergence,
    /// The weight c of the divergence against λ and L: the game is about c·D_f.
    #[serde(default = "one")]
    pub divergence_weight: f64,
    /// The Lipschitz bound L.
    #[serde(default = "one")]
    pub bound: f64,
    /// How the slope is held to it; nothing of this and of what follows is read of an explicit flow.
    #[serde(default)]
    pub lipschitz: Lipschitz,
    /// What it sees of images; without it, the points themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convolutions: Option<ConvolutionDescription>,
    /// Hidden widths of φ.
    #[serde(default)]
    pub hidden: Vec<usize>,
    /// Activation of φ.
    #[serde(default = "relu")]
    pub activation: Activation,
    /// How the initial parameters of φ are drawn.
    #[serde(default)]
    pub initialisation: Initialisation,
}

impl Default for CriticDescription {
    /// The critic of flows that have none: nothing of it is read.
    fn default() -> Self {
        Self {
            divergence: Divergence::DonskerVaradhan,
            divergence_weight: one(),
            bound: one(),
            lipschitz: Lipschitz::default(),
            convolutions: None,
            hidden: Vec::new(),
            activation: relu(),
            initialisation: Initialisation::default(),
        }
    }
}

impl CriticDescription {
    /// Checks every value against its domain; errors name the field.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for the first value outside its domain.
    pub fn validate(&self) -> Result<(), FlowError> {
        self.validate_objective()?;
        widths("hidden", &self.hidden)?;
        self.initialisation.validate()?;
        if let Some(convolutions) = &self.convolutions {
            convolutions.validate()?;
            require(
                matches!(self.lipschitz, Lipschitz::None | Lipschitz::Penalty(_)),
                "lipschitz.method",
                "one of the layers of a perceptron",
                "take penalty or none with convolutions",
            )?;
        }
        self.lipschitz.validate(self.activation, &self.hidden)
    }

    /// Checks what is not about the network: the weight of the divergence and the bound.
    ///
    /// # Errors
    /// As [`CriticDescription::validate`].
    pub fn validate_objective(&self) -> Result<(), FlowError> {
        positive("divergence_weight", self.divergence_weight)?;
        positive("bound", self.bound)
    }

    /// The critic on R^`dim`; its output keeps φ inside the domain of the conjugate ([`Output::for_divergence`]).
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a value outside its domain, and for images of another number of values.
    ///
    /// ```
    /// use flows::{activation::Activation, critic::CriticDescription, lipschitz::Lipschitz, mlp::Initialisation};
    /// use ot_core::divergence::Divergence;
    /// let description = CriticDescription {
    ///     divergence: Divergence::Wasserstein1, divergence_weight: 1.0, bound: 1.0,
    ///     lipschitz: Lipschitz::Orthonormal, convolutions: None, hidden: vec![64, 64],
    ///     activation: Activation::Relu, initialisation: Initialisation::default(),
    /// };
    /// assert_eq!(description.build(3)?.dim(), 3);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn build(&self, dim: usize) -> Result<Critic, FlowError> {
        self.validate()?;
        let output = Output::for_divergence(self.divergence, self.divergence_weight);
        let network = match &self.convolutions {
            Some(image) => Network::of_images(image, (dim, 0), &self.hidden, self.activation, output)?,
            None => Mlp::new(dim, &self.hidden, self.activation, output)?.into(),
        };
        Ok(self.with_network(network.initialised(self.initialisation)))
    }

    /// The critic of this description with another network; `convolutions`, `hidden`, `activation` and `initialisation` are not read.
    ///
    /// The values of the network must stay inside the domain of the conjugate f*, as [`Output::for_divergence`] says.
    pub fn with_network<N>(&self, network: N) -> Critic<N> {
        let objective = CriticObjective { divergence: self.divergence, weight: self.divergence_weight };
        Critic { network, objective, bound: self.bound, lipschitz: self.lipschitz }
    }
}

fn one() -> f64 {
    1.0
}

fn relu() -> Activation {
    Activation::Relu
}
