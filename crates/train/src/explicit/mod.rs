//! The training of an explicit flow ([`flows::explicit`]): ascent of the game's dual over one network, or over two
//! potentials.

mod paired;
mod run;
mod start;
mod trainer;

pub use run::ExplicitRun;
pub(crate) use start::{description, flow};
pub use trainer::{StepReport, Trainer};
