//! The training by flow matching ([`flows::matching`]): the regression of one network, without a game.

mod pairs;
mod run;
mod trainer;

pub use run::MatchingRun;
pub use trainer::Trainer;
pub(crate) use trainer::description;
