//! How a command ends.

use eval::results::Status;
use std::process::ExitCode;

/// The exit code of a training that diverged: its folder is complete, but there is no flow to use.
pub(crate) const DIVERGED: u8 = 3;

/// How a command that did not fail has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Done,
    Diverged,
    /// By a signal of this number, with everything kept that is needed to go on.
    Interrupted(i32),
}

impl From<&Status> for Ending {
    fn from(status: &Status) -> Self {
        match status {
            Status::Ok => Self::Done,
            Status::Diverged { .. } => Self::Diverged,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Done => Self::SUCCESS,
            Ending::Diverged => Self::from(DIVERGED),
            // As shells say it.
            Ending::Interrupted(signal) => u8::try_from(128 + signal).map_or(Self::FAILURE, Self::from),
        }
    }
}
