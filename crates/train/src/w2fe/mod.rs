//! W2-FE: generative modelling by the gradient flow of ½·W2².
//!
//! The flow dY = −∇φ(Y) dt, φ the Kantorovich potential from the law of Y to the target, shrinks W2 to the target like
//! e^{−t} (Huang and Malik, arXiv 2406.13619). [`ExactFlow`] follows it on particles with the exact transport map.

mod exact;
mod scheme;

pub use exact::ExactFlow;
pub use scheme::Scheme;
