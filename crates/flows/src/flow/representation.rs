//! A flow as a configuration describes it.

use super::{Flow, FlowObjective};
use crate::FlowError;
use crate::activation::Activation;
use crate::affine::Base;
use crate::convolution::ConvolutionDescription;
use crate::critic::CriticDescription;
use crate::error::{require, widths};
use crate::explicit::ExplicitDescription;
use crate::generator::GeneratorInitialisation;
use crate::lipschitz::Lipschitz;
use crate::matching::MatchingDescription;
use crate::mlp::Initialisation;
use crate::ot_flow::OtFlowDescription;
use crate::potential::Potential;
use crate::velocity::Velocity;
use serde::{Deserialize, Serialize};

/// How the flow is represented, with the network that is trained for it; [`Representation::build`] makes a [`Flow`] of
/// it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Representation {
    /// [`Flow::Network`].
    Network(PotentialDescription),
    /// [`Flow::ExactTerminal`].
    ExactTerminal(PotentialDescription),
    /// [`Flow::Velocity`].
    Velocity(VelocityDescription),
    /// [`Flow::HopfLax`].
    HopfLax(HopfLaxDescription),
    /// [`crate::explicit`].
    Explicit(ExplicitDescription),
    /// [`crate::matching`].
    Matching(MatchingDescription),
    /// [`crate::ot_flow`].
    OtFlow(OtFlowDescription),
}

/// The network of a potential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PotentialDescription {
    /// What it sees of images; without it, the points themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convolutions: Option<ConvolutionDescription>,
    /// Hidden widths.
    pub hidden: Vec<usize>,
    /// Activation.
    #[serde(default = "tanh")]
    pub activation: Activation,
    /// How the initial parameters are drawn.
    #[serde(default)]
    pub initialisation: Initialisation,
}

/// The network of a velocity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VelocityDescription {
    /// Hidden widths.
    pub hidden: Vec<usize>,
    /// Activation.
    #[serde(default = "tanh")]
    pub activation: Activation,
    /// How the initial parameters are drawn.
    #[serde(default)]
    pub initialisation: GeneratorInitialisation,
}

/// The network that proposes the ends of paths, and how far the search goes on from there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HopfLaxDescription {
    /// What the critic departs from; its bound can be imposed with the identity alone.
    #[serde(default = "identity")]
    pub base: Base,
    /// Most directions of the Gaussian map that are kept, widest first: particles end in the plane of the data's widest
    /// directions, and both networks see so many coordinates. All where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// Critics that are kept along the training, and followed by the search for a sample; it then begins at the initial
    /// point, and nothing is proposed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub snapshots: usize,
    /// Descent steps on each proposed end before the critic learns from it.
    pub refinements: usize,
    /// Hidden widths.
    pub hidden: Vec<usize>,
    /// Activation.
    #[serde(default = "tanh")]
    pub activation: Activation,
    /// How the initial parameters are drawn.
    #[serde(default)]
    pub initialisation: Initialisation,
}

impl PotentialDescription {
    fn build(&self, dim: usize) -> Result<Potential, FlowError> {
        let potential = match &self.convolutions {
            Some(image) => Potential::of_images(dim, image, &self.hidden, self.activation)
                .map_err(|error| error.within("representation"))?,
            None => Potential::new(dim, &self.hidden, self.activation)?,
        };
        Ok(potential.initialised(self.initialisation))
    }

    fn validate(&self, flow: &FlowObjective) -> Result<(), FlowError> {
        self.initialisation.validate()?;
        let Some(convolutions) = &self.convolutions else { return Ok(()) };
        convolutions.validate()?;
        require(
            flow.noise == 0.0,
            "convolutions",
            "given beside flow.noise",
            "leave one of them out: noise needs the Laplacian of U",
        )
    }
}

impl Representation {
    /// The flow on R^`dim`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for widths or an activation that describe no potential or velocity, and for what is
    /// no side of a game: an explicit flow ([`ExplicitDescription::build`]), flow matching and OT-Flow.
    ///
    /// ```
    /// use flows::{activation::Activation, flow::{PotentialDescription, Representation}, mlp::Initialisation};
    /// let network = PotentialDescription {
    ///     convolutions: None, hidden: vec![48; 5], activation: Activation::Tanh,
    ///     initialisation: Initialisation::default(),
    /// };
    /// assert_eq!(Representation::ExactTerminal(network).build(3)?.dim(), 3);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn build(&self, dim: usize) -> Result<Flow, FlowError> {
        Ok(match self {
            Self::Network(network) => Flow::Network(network.build(dim)?),
            Self::ExactTerminal(network) => Flow::ExactTerminal(network.build(dim)?),
            Self::Velocity(VelocityDescription { hidden, activation, initialisation }) => {
                Flow::Velocity(Velocity::new(dim, hidden, *activation)?.initialised(*initialisation))
            }
            Self::HopfLax(HopfLaxDescription { refinements, hidden, activation, initialisation, .. }) => {
                let proposal = Potential::new(dim, hidden, *activation)?.initialised(*initialisation);
                Flow::HopfLax { proposal, refinements: *refinements }
            }
            Self::Explicit(_) => {
                let remedy = "build an explicit flow by `ExplicitDescription::build`, since it plays no game with a critic";
                return Err(FlowError::specification("representation.kind", self.kind(), remedy));
            }
            Self::OtFlow(_) => {
                let remedy = "build it by `OtFlow::new`, since it plays no game with a critic";
                return Err(FlowError::specification("representation.kind", self.kind(), remedy));
            }
            Self::Matching(_) => {
                let remedy = "build its velocity by `MatchingDescription::velocity`, since it plays no game with a critic";
                return Err(FlowError::specification("representation.kind", self.kind(), remedy));
            }
        })
    }

    /// The name in a configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Network(_) => "network",
            Self::ExactTerminal(_) => "exact-terminal",
            Self::Velocity(_) => "velocity",
            Self::HopfLax(_) => "hopf-lax",
            Self::Explicit(_) => "explicit",
            Self::Matching(_) => "matching",
            Self::OtFlow(_) => "ot-flow",
        }
    }

    /// Whether the velocity is −∇U/λ of a potential U.
    pub fn has_potential(&self) -> bool {
        !matches!(self, Self::Velocity(_) | Self::Matching(_))
    }

    /// Hidden widths of the network; none of an OT-Flow, whose potential has a shape of its own.
    pub fn hidden(&self) -> &[usize] {
        match self {
            Self::Network(network) | Self::ExactTerminal(network) => &network.hidden,
            Self::Velocity(network) => &network.hidden,
            Self::HopfLax(network) => &network.hidden,
            Self::Explicit(network) => &network.hidden,
            Self::Matching(network) => &network.hidden,
            Self::OtFlow(_) => &[],
        }
    }

    /// What the potential's network sees of images.
    pub fn convolutions(&self) -> Option<&ConvolutionDescription> {
        match self {
            Self::Network(network) | Self::ExactTerminal(network) => network.convolutions.as_ref(),
            Self::Explicit(network) => network.convolutions.as_ref(),
            _ => None,
        }
    }

    /// What the network departs from, and how many directions of it are kept.
    pub fn base(&self) -> (Base, Option<usize>) {
        match self {
            Self::HopfLax(HopfLaxDescription { base, rank, .. })
            | Self::Explicit(ExplicitDescription { base, rank, .. })
            | Self::Matching(MatchingDescription { base, rank, .. }) => (*base, *rank),
            Self::Network(_) | Self::ExactTerminal(_) | Self::Velocity(_) | Self::OtFlow(_) => {
                (Base::Identity, None)
            }
        }
    }

    /// Whether there is a critic: of a game, or the one that an explicit flow determines.
    pub fn has_critic(&self) -> bool {
        !matches!(self, Self::Matching(_) | Self::OtFlow(_))
    }

    /// Checks the representation against what it is to minimise and against the critic; errors name the path of the
    /// field, `flow.…`, `representation.…` or `critic.…`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for the first value that does not fit.
    pub fn validate(&self, flow: &FlowObjective, critic: &CriticDescription) -> Result<(), FlowError> {
        flow.validate().map_err(|e| e.within("flow"))?;
        if !matches!(self, Self::OtFlow(_)) {
            widths("representation.hidden", self.hidden())?;
        }
        if !matches!(self, Self::Explicit(_) | Self::Matching(_) | Self::OtFlow(_)) {
            critic.validate().map_err(|e| e.within("critic"))?;
        }
        let activation = critic.activation;
        match self {
            Self::Network(network) => network.validate(flow).map_err(|e| e.within("representation")),
            Self::ExactTerminal(network) => {
                network.validate(flow).map_err(|e| e.within("representation"))?;
                require(
                    activation != Activation::Relu,
                    "critic.activation",
                    activation,
                    "take softplus or tanh for the representation exact-terminal, whose velocity holds ∇φ, which jumps for a ReLU",
                )
            }
            Self::Velocity(VelocityDescription { initialisation, .. }) => {
                initialisation.validate().map_err(|e| e.within("representation"))?;
                require(
                    flow.hamilton_jacobi == 0.0,
                    "flow.hamilton_jacobi",
                    flow.hamilton_jacobi,
                    "leave it at 0 for the representation velocity, which has no potential",
                )
            }
            Self::HopfLax(HopfLaxDescription { base, rank, refinements, initialisation, .. }) => {
                initialisation.validate().map_err(|e| e.within("representation"))?;
                base.check_rank(*rank)?;
                require(
                    *base == Base::Identity || critic.lipschitz == Lipschitz::None,
                    "critic.lipschitz",
                    "imposed",
                    "take { method = \"none\" } with base = \"gaussian\", whose critic is quadratic and has any slope",
                )?;
                require(*refinements >= 1, "representation.refinements", 0, "give at least 1, such as 8")?;
                require(
                    activation != Activation::Relu,
                    "critic.activation",
                    activation,
                    "take sharp-softplus for the representation hopf-lax, whose minimum would lie on the kinks of a ReLU",
                )?;
                flow.validate_straight(self.kind())
            }
            Self::Explicit(network) => network.validate(flow, critic),
            Self::Matching(network) => {
                network.base.check_rank(network.rank)?;
                network.validate().map_err(|e| e.within("representation"))
            }
            Self::OtFlow(potential) => potential.validate().map_err(|e| e.within("representation")),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(snapshots: &usize) -> bool {
    *snapshots == 0
}

fn identity() -> Base {
    Base::Identity
}

fn tanh() -> Activation {
    Activation::Tanh
}
