//! The fields of a configuration.

use super::text;
use datasets::{InitialLaw, Target};
use flows::activation::Activation;
use flows::critic::CriticDescription;
use flows::flow::{
    self, FlowObjective, HopfLaxDescription, Interaction, PotentialDescription, Steps, VelocityDescription,
};
use flows::generator::GeneratorInitialisation;
use flows::lipschitz::Lipschitz;
use flows::mlp::Initialisation;
use ot_core::divergence::Divergence;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the run; the run folder is called after it.
    pub name: String,
    /// Seed of every random stream.
    #[serde(default)]
    pub seed: u64,
    /// The target π.
    pub data: Data,
    /// The initial law ρ₀.
    #[serde(default)]
    pub initial: InitialLaw,
    /// The flow and its objective.
    pub flow: Flow,
    /// The critic and its objective.
    pub critic: Critic,
    /// The loop.
    pub training: Training,
    /// How the trained flow is sampled.
    #[serde(default)]
    pub sampling: Sampling,
}

/// The target π: a synthetic set by name, or the rows of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// A synthetic target; excludes `file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// A .npy or .csv file, one point a row; excludes `target`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Ambient dimension d; for a file it is checked against the columns where given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dim: Option<usize>,
    /// How many points of a synthetic target are drawn, once, for training.
    #[serde(default = "hundred_thousand")]
    pub samples: usize,
}

/// The flow: U, λ, T, steps, and what it minimises beside E φ(x_T).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Horizon T.
    pub horizon: f64,
    /// Kinetic weight λ > 0 of v = −∇U/λ.
    pub lambda: f64,
    /// Euler steps: a number, or `{ min, max }` to draw one for every iteration.
    pub steps: Steps,
    /// Whether λ·KE is part of the objective (the W2 proximal).
    #[serde(default = "yes")]
    pub kinetic: bool,
    /// Weight of the spread of the velocity along each path.
    #[serde(default)]
    pub velocity_spread: f64,
    /// Weight of the squared Hamilton–Jacobi residual in units of energy.
    #[serde(default)]
    pub hamilton_jacobi: f64,
    /// Weight of the squared mismatch of the terminal condition in units of velocity.
    #[serde(default)]
    pub terminal_gradient: f64,
    /// Weight of the squared distance to the characteristics x_T + ((T − t)/λ)∇φ(x_T), in units of velocity.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub characteristic: f64,
    /// Strength σ of the noise in dX = v dt + σ dW, in length/√time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub noise: f64,
    /// A running cost of the particles' law.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<Interaction>,
    /// How the potential follows from the networks.
    #[serde(default)]
    pub representation: Representation,
    /// Hidden widths of U.
    pub hidden: Vec<usize>,
    /// Activation of U.
    #[serde(default = "tanh")]
    pub activation: Activation,
    /// Initial parameters of U.
    #[serde(default = "glorot")]
    pub initialisation: Initialisation,
}

/// How the potential of the flow is represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Representation {
    /// [`flow::Flow::Network`].
    #[default]
    Network,
    /// [`flow::Flow::ExactTerminal`].
    ExactTerminal,
    /// [`flow::Flow::Velocity`].
    Velocity,
    /// [`flow::Flow::HopfLax`].
    HopfLax {
        /// Descent steps on each proposed end before the critic learns from it.
        refinements: usize,
    },
}

impl Flow {
    /// What the flow minimises.
    pub fn objective(&self) -> FlowObjective {
        FlowObjective {
            horizon: self.horizon,
            lambda: self.lambda,
            steps: self.steps,
            kinetic: self.kinetic,
            velocity_spread: self.velocity_spread,
            hamilton_jacobi: self.hamilton_jacobi,
            terminal_gradient: self.terminal_gradient,
            characteristic: self.characteristic,
            noise: self.noise,
            interaction: self.interaction,
        }
    }

    /// The representation with its network.
    pub fn description(&self) -> flow::Representation {
        let (hidden, activation, initialisation) =
            (self.hidden.clone(), self.activation, self.initialisation);
        let potential = PotentialDescription { hidden: hidden.clone(), activation, initialisation };
        match self.representation {
            Representation::Network => flow::Representation::Network(potential),
            Representation::ExactTerminal => flow::Representation::ExactTerminal(potential),
            Representation::Velocity => flow::Representation::Velocity(VelocityDescription {
                hidden,
                activation,
                initialisation: GeneratorInitialisation::default(),
            }),
            Representation::HopfLax { refinements } => {
                let network = HopfLaxDescription { refinements, hidden, activation, initialisation };
                flow::Representation::HopfLax(network)
            }
        }
    }
}

/// The critic: φ, its divergence, and how its slope is held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Critic {
    /// The divergence whose dual the critic ascends.
    #[serde(with = "text")]
    pub divergence: Divergence,
    /// The weight c of the divergence against λ and L: the game is about c·D_f.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub divergence_weight: f64,
    /// The Lipschitz bound L.
    #[serde(default = "one")]
    pub bound: f64,
    /// How the slope is held to it.
    pub lipschitz: Lipschitz,
    /// Hidden widths of φ.
    pub hidden: Vec<usize>,
    /// Activation of φ.
    #[serde(default = "relu")]
    pub activation: Activation,
    /// Initial parameters of φ.
    #[serde(default = "glorot")]
    pub initialisation: Initialisation,
    /// Critic updates for every flow update.
    pub updates: usize,
}

impl Critic {
    /// The critic alone, without the count of its updates.
    pub fn description(&self) -> CriticDescription {
        CriticDescription {
            divergence: self.divergence,
            divergence_weight: self.divergence_weight,
            bound: self.bound,
            lipschitz: self.lipschitz,
            hidden: self.hidden.clone(),
            activation: self.activation,
            initialisation: self.initialisation,
        }
    }
}

/// The loop and its optimisers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Flow updates.
    pub iterations: u64,
    /// Points in a minibatch.
    pub batch: usize,
    /// Optimiser of U.
    pub flow: Optimiser,
    /// Optimiser of φ.
    pub critic: Optimiser,
    /// Decay of the moving average of the parameters; 0 keeps the last ones.
    #[serde(default)]
    pub average: f64,
    /// Iterations between two records of metrics.jsonl.
    #[serde(default = "hundred")]
    pub log_every: u64,
    /// Iterations between two checkpoints.
    #[serde(default = "five_thousand")]
    pub checkpoint_every: u64,
    /// Ends the run early when the indicators stay low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_when: Option<StopWhen>,
}

/// The run ends when each given indicator was at or below its value for `records` records in a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopWhen {
    /// Records in a row.
    pub records: usize,
    /// RMS of the Hamilton–Jacobi residual over RMS of ∂ₜU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hj_residual_relative: Option<f64>,
    /// RMS ‖∇U(x_T, T) − ∇φ(x_T)‖ over RMS ‖∇φ‖.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal_gradient_relative: Option<f64>,
    /// Mean path length over mean displacement, minus 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_ratio: Option<f64>,
}

/// Adam and its learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimiser {
    /// Learning rate at the start.
    pub learning_rate: f64,
    /// Decay of the first moment.
    #[serde(default = "half")]
    pub beta1: f64,
    /// Decay of the second moment.
    #[serde(default = "nine_tenths")]
    pub beta2: f64,
    /// Added to the root of the second moment.
    #[serde(default = "tiny")]
    pub epsilon: f64,
    /// How the rate changes over the run.
    #[serde(default)]
    pub schedule: Schedule,
}

/// The learning rate as a fraction of its start, over the progress s ∈ [0, 1] of the run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// 1.
    #[default]
    Constant,
    /// end + (1 − end)·(1 + cos πs)/2.
    Cosine {
        /// Fraction at the end.
        end: f64,
    },
    /// 1 up to s = start, then linearly to `end`.
    Linear {
        /// Progress at which it begins to fall.
        start: f64,
        /// Fraction at the end.
        end: f64,
    },
}

/// How the trained flow is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Euler steps.
    pub steps: usize,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { steps: 64 }
    }
}

fn yes() -> bool {
    true
}
fn one() -> f64 {
    1.0
}
// Fields that came later are not written at their defaults, so that older runs keep their digests and can be resumed.
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}
fn is_one(value: &f64) -> bool {
    *value == 1.0
}
fn half() -> f64 {
    0.5
}
fn nine_tenths() -> f64 {
    0.9
}
fn tiny() -> f64 {
    1e-8
}
fn hundred() -> u64 {
    100
}
fn five_thousand() -> u64 {
    5000
}
fn hundred_thousand() -> usize {
    100_000
}
fn tanh() -> Activation {
    Activation::Tanh
}
fn relu() -> Activation {
    Activation::Relu
}
fn glorot() -> Initialisation {
    Initialisation::GlorotUniform
}
