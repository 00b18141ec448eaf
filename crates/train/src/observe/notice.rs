//! What the user of a run should know, beside its records.

use std::fmt;
use std::path::PathBuf;

/// What the user of a run should know, beside its records.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Data, settings or a turn of the training with which the run will hardly end well, in a sentence.
    Warning(String),
    /// A checkpoint was not what was written, and the one before is taken.
    Damaged {
        /// Where it was set aside.
        file: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Where the run goes on.
    Resumed {
        /// Iterations done; 0 where there is no checkpoint.
        iteration: u64,
        /// All iterations.
        iterations: u64,
    },
    /// Records of iterations that are made again.
    SetAside {
        /// How many.
        records: usize,
        /// Where they are now.
        file: PathBuf,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warning(sentence) => write!(formatter, "warning: {sentence}"),
            Self::Damaged { file, reason } => {
                write!(
                    formatter,
                    "a checkpoint is damaged ({reason}) and was set aside as {}: the one before is taken",
                    file.display()
                )
            }
            Self::Resumed { iteration: 0, .. } => {
                write!(formatter, "there is no checkpoint: the run begins again at iteration 0")
            }
            Self::Resumed { iteration, iterations } => {
                write!(formatter, "the run goes on at iteration {iteration} of {iterations}")
            }
            Self::SetAside { records, file } => {
                write!(
                    formatter,
                    "{records} later records are kept in {}: their iterations are made again",
                    file.display()
                )
            }
        }
    }
}
