//! What a run folder needs of a training: iterations, records and a state that can be written.

use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::outcome::Stop;
use crate::player::NotFinite;
use flows::FlowError;
use metrics::Metric;

/// How an iteration can end.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A loss or a gradient stopped being finite; the parameters are still those before the refused update.
    #[error("{0}")]
    Diverged(String),
    /// Anything else.
    #[error(transparent)]
    Failed(#[from] TrainError),
}

impl From<NotFinite> for StepError {
    fn from(error: NotFinite) -> Self {
        Self::Diverged(error.to_string())
    }
}

impl From<FlowError> for StepError {
    fn from(error: FlowError) -> Self {
        match error {
            // The conjugate is only ever refused for critic values that are not finite or left its domain.
            FlowError::Divergence(reason) => Self::Diverged(reason.to_string()),
            other => Self::Failed(other.into()),
        }
    }
}

/// What a training says of itself at a record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Readings {
    /// Metrics and values in the order of metrics.jsonl; a value that is not finite is written as null.
    pub values: Vec<(&'static Metric, f64)>,
    /// The same for a terminal, in a few words.
    pub headline: String,
    /// Why the run may end now, if it may.
    pub stop: Option<Stop>,
    /// A sentence where the training has come to something that it will hardly recover from; the user is told once.
    pub warning: Option<String>,
}

/// A training that can be run, recorded, interrupted and resumed.
pub trait Training {
    /// What it leaves: the averaged networks, ready to be sampled.
    type Model;

    /// Iterations done.
    fn iteration(&self) -> u64;

    /// One iteration.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when a loss or gradient is not finite.
    fn step(&mut self) -> Result<(), StepError>;

    /// What the last iteration measured, and with `live` what has to be measured now; what decides when the run ends is
    /// measured in any case.
    ///
    /// # Errors
    /// What the measurement reports.
    fn readings(&mut self, live: bool) -> Result<Readings, TrainError>;

    /// Writes the whole state into `state`, the number of iterations aside.
    fn store(&self, state: &mut State);

    /// Takes the state of a training of the same configuration, `iteration` iterations old.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when it is of another training.
    fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError>;

    /// The model as it is now.
    ///
    /// # Errors
    /// What drawing the points that it needs reports; a checked configuration has none.
    fn model(&self) -> Result<Self::Model, TrainError>;
}
