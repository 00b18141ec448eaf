//! Entropic optimal transport in the log domain: plans, the debiased Sinkhorn divergence and its gradient, unbalanced
//! marginals.
//!
//! OT_ε(μ, ν) = min_P Σ P_ij c_ij + ε·KL(P‖μ⊗ν).
//!
//! | take | for |
//! | --- | --- |
//! | [`sinkhorn`] | the entropic cost and its potentials, with the marginal error they have |
//! | [`sinkhorn_divergence`] | a distance that vanishes for equal measures; smooth where exact transport is noisy |
//! | [`geomloss_divergence`] | the same in the convention of geomloss, or exactly as geomloss computes it |
//! | [`sinkhorn_divergence_gradient`] | the same as a loss: how each point should move |
//! | [`sinkhorn_unbalanced`] | measures of different masses, or with outliers that should not be transported |
//! | [`crate::exact`] | an unregularised cost with a proof; for n of some thousands it is often the faster one |
//!
//! The kernel exp(−c/ε) is never stored: every update streams over blocks of pairs that are close in space, and stops
//! at those that cannot count, so the memory is O((n + m)·d) and no ε underflows. In 64 and more dimensions costs are
//! made by a product of matrices and kept, for up to 2^24 pairs. At the last ε the updates are mixed
//! (Anderson), and where mass has to cross between clusters they start from exact potentials: some hundred updates
//! reach what plain ones need thousands for.

mod anderson;
mod divergence;
mod error;
mod estimate;
mod geomloss;
mod gradient;
mod plan;
mod reduced;
mod sinkhorn;
mod symmetric;
mod unbalanced;
mod vanishing;

pub use divergence::{Schedule, SinkhornDivergence, SinkhornPower, geomloss_divergence, sinkhorn_divergence};
pub use error::EntropicError;
pub use gradient::sinkhorn_divergence_gradient;
pub use plan::EntropicTransport;
pub use sinkhorn::{SinkhornOptions, sinkhorn};
pub use unbalanced::{UnbalancedTransport, sinkhorn_unbalanced};
