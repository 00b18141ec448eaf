//! Optimal transport with certificates: exact, entropic, one-dimensional, sliced, Gaussian; f-divergences and their duals.
#![deny(
    clippy::disallowed_methods,
    reason = "this crate changes no file and draws from streams that it is given"
)]

pub mod cost;
pub mod divergence;
pub mod dual;
pub mod entropic;
pub mod exact;
pub mod gaussian;
pub mod neighbours;
pub mod sliced;
mod weights;

pub use weights::WeightError;
