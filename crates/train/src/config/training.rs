//! The loop and its optimisers, the same for flows and generators.

use super::ConfigError;
use super::validate::{fraction, positive, require};
use serde::{Deserialize, Serialize};

/// The loop and its optimisers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Updates of the flow, or rounds of updates of the generator.
    pub iterations: u64,
    /// Points in a minibatch.
    pub batch: usize,
    /// Updates of the critic for every iteration; an explicit flow has none.
    #[serde(default = "one")]
    pub critic_updates: usize,
    /// Decay of the moving average of the parameters; 0 keeps the last ones.
    #[serde(default)]
    pub average: f64,
    /// Iterations between two records of metrics.jsonl.
    #[serde(default = "hundred")]
    pub log_every: u64,
    /// Iterations between two checkpoints.
    #[serde(default = "five_thousand")]
    pub checkpoint_every: u64,
    /// Optimiser of the flow or of the generator.
    pub optimiser: Optimiser,
    /// Optimiser of the critic, or of the potentials; an explicit flow has none.
    #[serde(default)]
    pub critic_optimiser: Optimiser,
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
    /// factor^⌊parts·s⌋: the same in each of equal parts of the run.
    Steps {
        /// How many parts.
        parts: u64,
        /// What the rate is multiplied by from one part to the next.
        factor: f64,
    },
}

impl Training {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for (key, count) in [
            ("training.iterations", self.iterations),
            ("training.log_every", self.log_every),
            ("training.checkpoint_every", self.checkpoint_every),
            ("training.critic_updates", self.critic_updates as u64),
        ] {
            require(count >= 1, key, "0".into(), "give at least 1")?;
        }
        require(self.batch >= 2, "training.batch", self.batch.to_string(), "give at least 2")?;
        fraction("training.average", self.average)?;
        self.optimiser.check("training.optimiser")?;
        self.critic_optimiser.check("training.critic_optimiser")
    }

    /// Iterations done over all iterations.
    pub(crate) fn progress(&self, iteration: u64) -> f64 {
        iteration as f64 / self.iterations as f64
    }
}

impl Optimiser {
    fn check(&self, key: &str) -> Result<(), ConfigError> {
        positive(&format!("{key}.learning_rate"), self.learning_rate)?;
        fraction(&format!("{key}.beta1"), self.beta1)?;
        fraction(&format!("{key}.beta2"), self.beta2)?;
        positive(&format!("{key}.epsilon"), self.epsilon)?;
        let share = |name: &str, value: f64| {
            let key = format!("{key}.schedule.{name}");
            require((0.0..=1.0).contains(&value), &key, value.to_string(), "give a number from 0 to 1")
        };
        match self.schedule {
            Schedule::Constant => Ok(()),
            Schedule::Cosine { end } => share("end", end),
            Schedule::Linear { start, end } => share("start", start).and(share("end", end)),
            Schedule::Steps { parts, factor } => {
                let key = format!("{key}.schedule.parts");
                require(parts >= 1, &key, "0".into(), "give at least 1").and(share("factor", factor))
            }
        }
    }
}

impl Default for Optimiser {
    /// A constant rate of 2e-3, with the moments of adversarial training.
    fn default() -> Self {
        let (beta1, beta2, epsilon) = (half(), nine_tenths(), tiny());
        Self { learning_rate: 2e-3, beta1, beta2, epsilon, schedule: Schedule::default() }
    }
}

fn one() -> usize {
    1
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
