//! Everything that a W2-FE run, or that of a rival, depends on.

use super::Scheme;
use crate::config::validate::{
    fraction, length, lipschitz, not_negative, optimiser, positive, require, run_name, widths,
};
use crate::config::{ConfigError, Configuration, Optimiser, text};
use datasets::{DigitSet, InitialLaw, Split, Target};
use flows::activation::Activation;
use flows::generator::{GeneratorInitialisation, GeneratorOutput};
use flows::kantorovich::{GapPenalty, Pairing, Psi};
use flows::lipschitz::Lipschitz;
use flows::mlp::Initialisation;
use ot_core::divergence::Divergence;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A run of the generator's loop; the methods are combinations of `critic.objective` and `update`.
///
/// | method | `critic.objective` | `update` |
/// | --- | --- | --- |
/// | W2-FE | `kantorovich` | `flow` |
/// | W2GAN | `kantorovich` | `direct` |
/// | W1-FE | `divergence`, w1 with the penalty `lp` | `flow` |
/// | W1-LP | `divergence`, w1 with the penalty `lp` | `direct` |
/// | WGAN-GP | `divergence`, w1 with the penalty `gp` | `direct` |
/// | GAN | `divergence`, jensen-shannon with the method `none` | `direct` or `non-saturating` |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the run.
    pub name: String,
    /// Seed of every random stream.
    #[serde(default)]
    pub seed: u64,
    /// The target π.
    pub data: Points,
    /// What the generator starts from.
    pub start: Points,
    /// The generator G.
    pub generator: Generator,
    /// The critic: φ, and ψ where there is one.
    pub critic: Critic,
    /// The generator's update.
    pub update: Update,
    /// The loop.
    pub training: Training,
}

/// A law to draw minibatches from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Points {
    /// Fresh points of a synthetic target.
    Target {
        /// Which one.
        target: Target,
        /// Its ambient dimension.
        dim: usize,
        /// Whether each minibatch has equal counts of the components.
        #[serde(default)]
        balanced: bool,
    },
    /// Fresh points of a law.
    Noise {
        /// The law of a coordinate.
        law: InitialLaw,
        /// Its dimension.
        dim: usize,
    },
    /// Handwritten digits on a grid of 16×16, drawn with replacement.
    Digits {
        /// Which ones.
        set: DigitSet,
        /// Which part of them.
        #[serde(default)]
        split: Split,
    },
    /// Rows of a .npy or .csv file, drawn with replacement.
    File {
        /// The file.
        file: PathBuf,
    },
}

/// The generator G.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
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
    /// Initial parameters.
    #[serde(default)]
    pub initialisation: GeneratorInitialisation,
}

/// The networks that judge the generated points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Critic {
    /// What they maximise.
    pub objective: Objective,
    /// Hidden widths.
    pub hidden: Vec<usize>,
    /// Activation.
    #[serde(default = "relu")]
    pub activation: Activation,
    /// Initial parameters.
    #[serde(default = "glorot")]
    pub initialisation: Initialisation,
    /// Updates for every iteration.
    pub updates: usize,
}

/// What the critic maximises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Objective {
    /// The Kantorovich dual of ½·W2² with two potentials.
    Kantorovich {
        /// How ψ is made of the second network.
        #[serde(default)]
        psi: Psi,
        /// The penalty on gaps.
        penalty: GapPenalty,
        /// Over which pairs of a minibatch it is averaged.
        #[serde(default)]
        pairing: Pairing,
        /// Whether interpolated pairs are penalised too.
        #[serde(default)]
        interpolated: bool,
        /// Weight of the equality terms.
        #[serde(default)]
        equality: f64,
    },
    /// The dual of a divergence, or of W1, with one critic.
    Divergence {
        /// Which one.
        #[serde(with = "text")]
        divergence: Divergence,
        /// How the slope is held.
        lipschitz: Lipschitz,
        /// The Lipschitz bound.
        #[serde(default = "one")]
        bound: f64,
    },
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

/// The loop and its optimisers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Iterations.
    pub iterations: u64,
    /// Points in a minibatch.
    pub batch: usize,
    /// Optimiser of the generator.
    pub generator: Optimiser,
    /// Optimiser of the critic's networks.
    pub critic: Optimiser,
    /// Decay of the moving average of the generator; 0 keeps the last one.
    #[serde(default)]
    pub average: f64,
    /// Iterations between two records of metrics.jsonl.
    #[serde(default = "hundred")]
    pub log_every: u64,
    /// Iterations between two checkpoints.
    #[serde(default = "five_thousand")]
    pub checkpoint_every: u64,
}

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        run_name(&self.name)?;
        widths("generator.hidden", &self.generator.hidden)?;
        fraction("generator.momentum", self.generator.momentum)?;
        if let GeneratorOutput::Tanh { scale } = self.generator.output {
            positive("generator.output.scale", scale)?;
        }
        let start = self.generator.initialisation;
        not_negative("generator.initialisation.last", start.last)?;
        not_negative("generator.initialisation.hidden", start.hidden.unwrap_or_default())?;
        not_negative("generator.initialisation.scale", start.scale.unwrap_or_default())?;
        widths("critic.hidden", &self.critic.hidden)?;
        if let Initialisation::Normal { std } = self.critic.initialisation {
            positive("critic.initialisation.normal.std", std)?;
        }
        require(self.critic.updates >= 1, "critic.updates", "0".into(), "give at least 1")?;
        self.validate_objective()?;
        if let Update::Flow { epsilon, persistence, .. } = self.update {
            positive("update.epsilon", epsilon)?;
            require(persistence >= 1, "update.persistence", "0".into(), "give at least 1")?;
        }
        let training = &self.training;
        length(self.length())?;
        fraction("training.average", training.average)?;
        require(training.batch >= 2, "training.batch", training.batch.to_string(), "give at least 2")?;
        optimiser("training.generator", &training.generator)?;
        optimiser("training.critic", &training.critic)
    }

    fn validate_objective(&self) -> Result<(), ConfigError> {
        let mut jensen_shannon = false;
        match self.critic.objective {
            Objective::Kantorovich { penalty, equality, .. } => {
                not_negative("critic.objective.equality", equality)?;
                let key = "critic.objective.penalty";
                match penalty {
                    GapPenalty::Linear { weight } => require(
                        weight.is_finite() && weight > 1.0,
                        &format!("{key}.weight"),
                        weight.to_string(),
                        "give a number above 1: a plan is bounded by weight·μ⊗ν, and 1 leaves nothing but μ⊗ν",
                    )?,
                    GapPenalty::Quadratic { weight } => positive(&format!("{key}.weight"), weight)?,
                    GapPenalty::Entropic { temperature } => {
                        positive(&format!("{key}.temperature"), temperature)?;
                    }
                }
            }
            Objective::Divergence { divergence, lipschitz: method, bound } => {
                jensen_shannon = divergence == Divergence::JensenShannon;
                positive("critic.objective.bound", bound)?;
                let (activation, hidden) = (self.critic.activation, &self.critic.hidden);
                lipschitz("critic.objective.lipschitz", method, activation, hidden)?;
            }
        }
        require(
            jensen_shannon || self.update != Update::NonSaturating,
            "update.kind",
            "non-saturating".into(),
            "take `direct` or `flow`, or the divergence jensen-shannon, the only one with this loss",
        )
    }
}

fn relu() -> Activation {
    Activation::Relu
}
fn glorot() -> Initialisation {
    Initialisation::GlorotUniform
}
fn tenth() -> f64 {
    0.1
}
fn one() -> f64 {
    1.0
}
fn hundred() -> u64 {
    100
}
fn five_thousand() -> u64 {
    5000
}
fn single() -> usize {
    1
}
