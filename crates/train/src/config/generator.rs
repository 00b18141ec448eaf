//! The configuration of a generator: W2-FE and its rivals.

use super::validate::{fraction, positive, require, run_name};
use super::{ConfigError, Points, Training};
use crate::w2fe::Scheme;
use flows::FlowError;
use flows::activation::Activation;
use flows::critic::CriticDescription;
use flows::generator::{Generator, GeneratorForm, GeneratorInitialisation, GeneratorOutput};
use flows::kantorovich::PotentialsDescription;
use ot_core::divergence::Divergence;
use serde::{Deserialize, Serialize};

/// A run of the generator's loop; the methods are combinations of a dual and an update.
///
/// | method | table | `update.kind` |
/// | --- | --- | --- |
/// | W2-FE | `[potentials]` | `flow` |
/// | W2GAN | `[potentials]` | `direct` |
/// | W1-FE | `[critic]`, w1 with the penalty `lp` | `flow` |
/// | W1-LP | `[critic]`, w1 with the penalty `lp` | `direct` |
/// | WGAN-GP | `[critic]`, w1 with the penalty `gp` | `direct` |
/// | GAN | `[critic]`, jensen-shannon with the method `none` | `direct` or `non-saturating` |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Sections", into = "Sections")]
pub struct GeneratorConfig {
    /// Name of the run.
    pub name: String,
    /// Seed of every random stream.
    pub seed: u64,
    /// The target π.
    pub data: Points,
    /// What the generator moves to it.
    pub initial: Points,
    /// The generator G.
    pub generator: GeneratorDescription,
    /// What judges the generated points, and what it maximises.
    pub dual: Dual,
    /// The generator's update.
    pub update: Update,
    /// The loop.
    pub training: Training,
}

/// What judges the generated points, and what it maximises: the table `[critic]` or the table `[potentials]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Dual {
    /// A critic: the dual of a divergence, or of W1.
    Divergence(CriticDescription),
    /// Two potentials: the Kantorovich dual of ½·W2².
    Kantorovich(PotentialsDescription),
}

/// The generator G.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorDescription {
    /// Hidden widths.
    pub hidden: Vec<usize>,
    /// Activation.
    #[serde(default = "relu")]
    pub activation: Activation,
    /// Whether the hidden layers are batch-normalised.
    #[serde(default)]
    pub batch_norm: bool,
    /// Share of a batch in the running averages of the normalisation.
    #[serde(default = "tenth")]
    pub momentum: f64,
    /// Whether G(z) = z + R(…).
    #[serde(default)]
    pub residual: bool,
    /// The map R.
    #[serde(default)]
    pub output: GeneratorOutput,
    /// How the initial parameters are drawn.
    #[serde(default)]
    pub initialisation: GeneratorInitialisation,
}

/// The generator's update.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Update {
    /// A step of the gradient flow: ζ = y − ε∇φ(y), then descent of mean‖G(z) − ζ‖² on the same minibatch.
    Flow {
        /// The step ε.
        epsilon: f64,
        /// Descent steps on one minibatch, K (persistent training for K > 1).
        #[serde(default = "single")]
        persistence: usize,
        /// The time stepping.
        #[serde(default)]
        scheme: Scheme,
    },
    /// Descent of mean φ(G(z)).
    Direct,
    /// Descent of −mean log(1 − e^φ/2), for Jensen–Shannon (Goodfellow et al., arXiv 1406.2661, section 3).
    NonSaturating,
}

/// The tables of a file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sections {
    name: String,
    #[serde(default, with = "super::seed")]
    seed: u64,
    data: Points,
    #[serde(default)]
    initial: Points,
    generator: GeneratorDescription,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    critic: Option<CriticDescription>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    potentials: Option<PotentialsDescription>,
    update: Update,
    training: Training,
}

impl TryFrom<Sections> for GeneratorConfig {
    type Error = &'static str;

    fn try_from(sections: Sections) -> Result<Self, Self::Error> {
        let Sections { name, seed, data, initial, generator, critic, potentials, update, training } =
            sections;
        let dual = match (critic, potentials) {
            (Some(critic), None) => Dual::Divergence(critic),
            (None, Some(potentials)) => Dual::Kantorovich(potentials),
            _ => {
                return Err(
                    "give one of the tables [critic], for the dual of a divergence, and [potentials], for that of \
                            ½·W2²",
                );
            }
        };
        Ok(Self { name, seed, data, initial, generator, dual, update, training })
    }
}

impl From<GeneratorConfig> for Sections {
    fn from(config: GeneratorConfig) -> Self {
        let GeneratorConfig { name, seed, data, initial, generator, dual, update, training } = config;
        let (critic, potentials) = match dual {
            Dual::Divergence(critic) => (Some(critic), None),
            Dual::Kantorovich(potentials) => (None, Some(potentials)),
        };
        Self { name, seed, data, initial, generator, critic, potentials, update, training }
    }
}

impl GeneratorDescription {
    /// The generator R^`input` → R^`output`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] where the widths describe no network, or a residual one would change the dimension.
    pub fn build(&self, input: usize, output: usize) -> Result<Generator, FlowError> {
        let form = GeneratorForm {
            activation: self.activation,
            batch_norm: self.batch_norm,
            residual: self.residual,
            output: self.output,
        };
        Generator::new(input, &self.hidden, output, form)
    }

    fn check(&self) -> Result<(), ConfigError> {
        super::validate::widths("generator.hidden", &self.hidden)?;
        fraction("generator.momentum", self.momentum)?;
        if let GeneratorOutput::Tanh { scale } = self.output {
            positive("generator.output.scale", scale)?;
        }
        Ok(self.initialisation.validate().map_err(|error| error.within("generator"))?)
    }
}

impl GeneratorConfig {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        run_name(&self.name)?;
        self.data.check_data()?;
        self.initial.check_initial(&self.data)?;
        self.generator.check()?;
        let jensen_shannon = match &self.dual {
            Dual::Kantorovich(potentials) => {
                potentials.validate().map_err(|error| error.within("potentials"))?;
                false
            }
            Dual::Divergence(critic) => {
                critic.validate().map_err(|error| error.within("critic"))?;
                critic.divergence == Divergence::JensenShannon
            }
        };
        if let Update::Flow { epsilon, persistence, .. } = self.update {
            positive("update.epsilon", epsilon)?;
            require(persistence >= 1, "update.persistence", "0".into(), "give at least 1")?;
        }
        require(
            jensen_shannon || self.update != Update::NonSaturating,
            "update.kind",
            "non-saturating".into(),
            "take `direct` or `flow`, or the divergence jensen-shannon, the only one with this loss",
        )?;
        self.training.check()
    }
}

fn relu() -> Activation {
    Activation::Relu
}
fn tenth() -> f64 {
    0.1
}
fn single() -> usize {
    1
}
