//! W2-FE: generative modelling by the gradient flow of ½·W2², and its rivals.
//!
//! The flow dY = −∇φ(Y) dt, φ the Kantorovich potential from the law of Y to the target, shrinks W2 to the target like
//! e^{−t} (Huang and Malik, arXiv 2406.13619). [`Trainer`] follows it with networks for the potentials and a generator
//! for the law of Y; [`ExactFlow`] follows it on particles with the exact transport map. W1-FE, W2GAN, W1-LP, WGAN-GP
//! and
//! GAN
//! are configurations of the same loop ([`crate::config::GeneratorConfig`]).

mod critic;
mod exact;
mod fitted;
mod run;
mod scheme;
mod trainer;

pub use critic::CriticReport;
pub use exact::ExactFlow;
pub use fitted::Fitted;
pub use run::GeneratorRun;
pub use scheme::Scheme;
pub use trainer::{StepReport, Trainer};
