//! The training of an OT-Flow ([`flows::ot_flow`]): descent of the negative log-likelihood of the data, with the cost of
//! their paths.

mod run;
mod trainer;

pub use run::LikelihoodRun;
pub use trainer::Trainer;
pub(crate) use trainer::flow;
