//! The training of a critic alone, between two laws that nothing moves: the estimate of W1, or of another divergence, and of
//! the direction in which it falls.

mod run;
mod start;
mod trainer;

pub use run::CriticRun;
