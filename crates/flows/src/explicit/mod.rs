//! Flows whose potential at time 0 is the network: explicit, one gradient a sample.
//!
//! The mirror image of [`crate::hopf_lax`]: there the critic φ = U(·, T) is the network and U(·, 0) is searched for
//! every particle; here U₀ = U(·, 0) is, the particle from x₀ ends at
//!
//! x_T = x₀ − (T/λ)·∇U₀(x₀),
//!
//! and the critic is searched for every DATA point, in training only:
//!
//! φ(y) = max_x U₀(x) − λ‖x − y‖²/(2T).
//!
//! The game is again its dual, sup E_{ρ₀} U₀ − c·E_π f*(φ/c), over U₀ alone, without an adversary. By the envelope
//! theorem its derivative in φ(y_j) weighs ∂U₀(x_j)/∂θ at the maximiser x_j. Each data point remembers where its
//! search ended, and begins there the next time.
//!
//! - With a bound L on the slope of φ the quadratic cost becomes Huber's ([`Pull`](crate::hopf_lax::Pull)): φ is then
//!   L-Lipschitz whatever U₀ is, and at the optimum no particle moves further than R = LT/λ.
//! - The network does not learn what a Gaussian map does: U₀ is the potential of that map and the network, in
//!   coordinates in which the map is the identity ([`Affine`](crate::affine::Affine)).
//! - The map is optimal where ½‖x‖² − (T/λ)·U₀ equals its convex hull. There a particle is the beginning that the
//!   search from its end finds. Nothing forces this by construction: [`Explicit::returns`] measures it.
//! - Where the divergence is linear, the inner maximum can be a network too, a second potential with a penalty, as in W2-FE
//!   ([`ExplicitDescription::potentials`]): no searches, and a map as far off as the penalty lets it be.
//! - With a condition c, a label or a vector, U₀(x, c) moves x alone ([`ExplicitFlow::conditioned`]).

mod condition;
mod density;
mod description;
mod dual;
mod flow;
mod pairs;
mod trajectory;

pub use density::Sources;
pub use description::ExplicitDescription;
pub use dual::{Native, Negated};
pub use flow::{Explicit, ExplicitFlow, Returns};
pub use pairs::Pairs;
pub use trajectory::trajectory;

use crate::FlowError;
use crate::critic::CriticObjective;
use crate::hopf_lax::{Curvature, Stop};
use metrics::Metric;

/// What is maximised over the potential at time 0.
#[derive(Debug, Clone, PartialEq)]
pub struct DualGame {
    /// The shape of the potential, with λ, T and L.
    pub flow: ExplicitFlow,
    /// The divergence and its weight c.
    pub objective: CriticObjective,
    /// The search for the maximiser of a data point in one iteration.
    pub stop: Stop,
}

/// One minibatch, row-major.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, T> {
    /// Initial points x, [n, d].
    pub start: &'a [T],
    /// Data points y, [m, d].
    pub target: &'a [T],
    /// x′ of the maximisers of the data points, [m, k], as [`Backend::search`] leaves them.
    pub ends: &'a [T],
}

/// The dual on a minibatch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DualReport {
    /// E U₀ − c·E f*(φ/c).
    pub value: f64,
    /// The largest weight of a data point; 1/m where all weigh the same.
    pub largest_weight: f64,
}

impl DualReport {
    /// What a record of the training holds, by name.
    pub fn named(&self) -> [(&'static Metric, f64); 1] {
        [(metrics::CRITIC_DIVERGENCE, self.value)]
    }
}

/// Something that can compute the gradient of a [`DualGame`]: the native CPU code, or libtorch.
pub trait Backend<T = f32> {
    /// Moves each row of `ends`, x′, [m, k], uphill on N(x′) − h(‖x′ − y′‖) for its data point, a row of `target`,
    /// [m, d]; every row is also offered the others' of its condition. `curvature` is that of earlier searches, and goes on with this one.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit, and what the backend itself reports.
    fn search(
        &mut self,
        parameters: &[T],
        target: &[T],
        ends: &mut [T],
        curvature: &mut Curvature,
    ) -> Result<(), FlowError>;

    /// The dual and the gradient of −dual·T/λ in the parameters, which is overwritten.
    ///
    /// # Errors
    /// [`FlowError::Shape`] as above; [`FlowError::Divergence`] for values that are not finite.
    fn gradient(
        &mut self,
        parameters: &[T],
        batch: Batch<'_, T>,
        gradient: &mut [T],
    ) -> Result<DualReport, FlowError>;
}
