//! OT-Flow: a continuous normalising flow along the gradient of a potential, trained by its likelihood.
//!
//! Data x at time 0 go to z = f(x) at the horizon, which is to be standard normal, along dx/dt = v = −∇Φ(x, t)/λ. The flow
//! minimises
//!
//! λ·∫E ½‖v‖² dt − c·E log p(x) + a·∫E |∂ₜΦ − ‖∇Φ‖²/(2λ)| dt,
//! log p(x) = log N(f(x); 0, I) + ∫ tr(∂v/∂x) dt,
//!
//! each integral by the classical Runge–Kutta rule in a few steps. The trace of ∇²Φ is a closed form, not an estimate
//! ([`ResidualPotential`]), and the gradient is that of the discrete scheme. Samples are normal points that go back.
//!
//! A density is all that the likelihood knows: of data on a thin manifold it has no largest value, the flow squeezes space
//! without end, and going back in few steps is then unstable.
//!
//! Source: Onken, Wu Fung, Li and Ruthotto, "OT-Flow: Fast and Accurate Continuous Normalizing Flows via Optimal
//! Transport", AAAI 2021, arXiv 2006.00104, eq. (8) to (14).

mod description;
mod evaluate;
mod flow;
mod gradient;
mod potential;
mod pull_back;
mod runge_kutta;
#[cfg(test)]
mod tests;
mod trajectory;

pub use description::OtFlowDescription;
pub use flow::{Normalised, OtField, OtFlow};
pub use gradient::{OtFlowValue, Workspace};
pub use potential::ResidualPotential;
