//! Entropic optimal transport in the log domain, and the debiased Sinkhorn divergence.
//!
//! OT_ε(μ, ν) = min_P Σ P_ij c_ij + ε·KL(P‖μ⊗ν). The kernel exp(−c/ε) is never stored: every update streams over all pairs in blocks,
//! so the memory is O(n + m) and no ε underflows.

mod anderson;
mod clusters;
mod divergence;
mod gradient;
mod sinkhorn;
mod soft_minimum;
mod unbalanced;

pub use divergence::{Schedule, SinkhornDivergence, SinkhornPower, sinkhorn_divergence};
pub use gradient::sinkhorn_divergence_gradient;
pub use sinkhorn::{EntropicError, EntropicTransport, SinkhornOptions, sinkhorn};
pub use unbalanced::{UnbalancedTransport, sinkhorn_unbalanced};
