//! Optimal transport with certificates: exact, entropic, one-dimensional, sliced, Gaussian; f-divergences and their duals.

#![allow(
    clippy::needless_pass_by_value,
    reason = "array views are small and passed by value, as in ndarray itself"
)]

pub mod cost;
pub mod divergence;
pub mod dual;
pub mod entropic;
pub mod exact;
pub mod gaussian;
pub mod sliced;
mod weights;

pub use weights::WeightError;
