//! The configuration of a critic that is trained alone, between two laws that nothing moves.

use super::validate::{require, run_name};
use super::{ConfigError, Points, Training};
use flows::FlowError;
use flows::critic::CriticDescription;
use flows::envelope::EnvelopeDescription;
use serde::{Deserialize, Serialize};

/// A critic between the law P of `initial` and the law Q of `data`: it ascends E_P f − c·E_Q f*(f/c), for W1
/// E_P f − E_Q f, over functions of slope at most L.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriticConfig {
    /// Name of the run; the run folder is called after it.
    pub name: String,
    /// Seed of every random stream.
    #[serde(default, with = "super::seed")]
    pub seed: u64,
    /// Q.
    pub data: Points,
    /// P, in the dimension of the data.
    #[serde(default)]
    pub initial: Points,
    /// What the critic is made of.
    pub critic: CriticForm,
    /// The loop; `critic_updates` and `critic_optimiser` are not read.
    pub training: Training,
}

/// What a critic is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CriticForm {
    /// The Hopf–Lax formula over tips that are learnt ([`flows::envelope`]), for W1.
    HopfLax(EnvelopeDescription),
    /// A perceptron, for any divergence.
    Perceptron(CriticDescription),
}

impl CriticForm {
    /// The name in a configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::HopfLax(_) => "hopf-lax",
            Self::Perceptron(_) => "perceptron",
        }
    }

    /// The bound L on its slope.
    pub fn bound(&self) -> f64 {
        match self {
            Self::HopfLax(envelope) => envelope.bound,
            Self::Perceptron(critic) => critic.bound,
        }
    }

    fn validate(&self) -> Result<(), FlowError> {
        match self {
            Self::HopfLax(envelope) => envelope.build(1).map(drop),
            Self::Perceptron(critic) => critic.validate(),
        }
    }
}

impl CriticConfig {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        run_name(&self.name)?;
        self.data.check_data()?;
        self.initial.check_initial(&self.data)?;
        self.critic.validate().map_err(|error| error.within("critic"))?;
        self.training.check()?;
        let (Some(data), Some(initial)) = (self.data.dim(), self.initial.dim()) else { return Ok(()) };
        let remedy = format!("give {data}, the dimension of the data, or leave it out");
        require(data == initial, "initial.dim", initial.to_string(), &remedy)
    }
}
