//! Flow matching: a velocity is regressed on the differences of pairs of points, without a critic.
//!
//! ```text
//! min_v ∫₀ᵀ E‖v(x_t, t) − (x_T − x₀)/T‖² dt/T,    x_t = (1 − t/T)·x₀ + (t/T)·x_T + σξ,    ξ ~ N(0, I)
//! ```
//!
//! over a [coupling](Coupling) of ρ₀ and π. With σ = 0 the minimum v(x, t) = E[x_T − x₀ | x_t = x]/T moves ρ₀ to π
//! whatever the coupling is. Under the optimal one it is the optimal flow, whose paths are straight; under others paths bend where
//! those of different pairs cross, and more than one step is needed. The plan between minibatches lies in between. A
//! rectified flow is trained again on the pairs that another has made, which cross less.
//!
//! Sources: Tong et al. 2024, arXiv 2302.00482, section 3.2 (conditional flow matching and its optimal coupling of
//! minibatches); Liu, Gong and Liu 2023, arXiv 2209.03003, eq. (1) and section 2 (rectified flow).

mod coupling;
mod description;
mod flow;
mod regression;

pub use coupling::Coupling;
pub use description::MatchingDescription;
pub use flow::VelocityFlow;
pub use regression::{PairBatch, Regression};
