//! Optimal transport with certificates: exact, entropic, one-dimensional, sliced, Gaussian; f-divergences and their
//! duals.
#![deny(
    clippy::disallowed_methods,
    reason = "this crate changes no file and draws from streams that it is given"
)]

mod compensated;
pub mod cost;
pub mod divergence;
pub mod dual;
pub mod entropic;
pub mod exact;
pub mod gaussian;
mod measure;
pub mod neighbours;
mod potentials;
pub mod sliced;
mod soft;
mod space;

pub use measure::{Measure, MeasureError};
pub use potentials::Potentials;

/// The program of the page that the registry shows is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
