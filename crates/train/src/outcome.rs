//! How a run ends.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Why it ended.
    pub status: Status,
    /// Iterations done.
    pub iterations: u64,
    /// Wall-clock seconds of all iterations, without measurements.
    pub seconds: f64,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Status {
    /// All iterations were done.
    Completed,
    /// The indicators stayed below the limits of `stop_when`.
    Stopped(Stop),
    /// It was asked to end early; the run can go on.
    Interrupted,
    /// A loss or a gradient was not finite.
    Diverged {
        /// The iteration that could not be done.
        step: u64,
        /// What was not finite.
        reason: String,
    },
}

/// The indicators stayed below the limits of `stop_when`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// For so many records in a row.
    pub records: usize,
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => write!(formatter, "all iterations were done"),
            Self::Stopped(Stop { records }) => {
                write!(formatter, "the indicators of stop_when held for {records} records in a row")
            }
            Self::Interrupted => write!(formatter, "the run was interrupted"),
            Self::Diverged { step, reason } => write!(formatter, "diverged at iteration {step}: {reason}"),
        }
    }
}
