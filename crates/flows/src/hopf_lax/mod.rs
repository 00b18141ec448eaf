//! The potential that solves the Hamilton–Jacobi equation exactly, given the critic: the Hopf–Lax formula.
//!
//! U(x, t) = min_y φ(y) + λ‖x − y‖²/(2(T − t)).
//!
//! It is the viscosity solution of ∂ₜU = ‖∇U‖²/(2λ) with U(·, T) = φ (Evans, *Partial Differential Equations*, 3.3), so
//! the second half of the game's optimality system holds whatever φ is. With a minimiser y:
//!
//! - ∇U(x, t) = λ(x − y)/(T − t) = ∇φ(y), and ∂ₜU(x, t) = ‖∇φ(y)‖²/(2λ);
//! - the velocity −∇U/λ = (y − x)/(T − t) points to y and stays constant along the path: one Euler step of any length
//!   is exact, and x ↦ y is the optimal transport map between ρ₀ and what it generates.
//!
//! The game inf_v sup_φ becomes the maximisation of its dual E_{ρ₀} U(x, 0) − E_π f*(φ) over φ alone, whose gradient is
//! that of the critic with the points y as generated ones (envelope theorem). What a network is needed for is a guess
//! at y from which descent finds the right valley of φ, as in amortised conjugation (Amos 2023, arXiv 2210.12153).
//!
//! Three things decide how good such a flow becomes:
//!
//! - a critic that is smooth, but near a ReLU network (`sharp-softplus`): the minima of a ReLU network lie on its kinks;
//! - minima that are searched well already in training: from proposals, four refinements of each end in the place of
//!   eight made `w2_squared` in 12 dimensions half as large again;
//! - the mean curvature along each coordinate, which all searches share: across a manifold it is a hundred times that
//!   along it. Companions, ends of other paths, are offered to all searches; without them single points stay in wrong
//!   valleys, and show as straightness.
//!
//! # What a search costs
//!
//! A training on the pinwheel in 12 dimensions (critic 3×128, batch 256) searched from fresh proposals with 6.4
//! evaluations a point after the first one: half of its time, an eighth of which was not the network's. These things
//! brought them to below 2 at the same `w2_squared`:
//!
//! - initial points that come back and remember their ends: 3.5, down to 1 part in 100 of the slope. A pool of 8192
//!   points in the place of 65 536 needs 2.8, but `w2_squared` was a tenth larger;
//! - ends that are remembered need no second step where the first one leads to 1 part in 20: the next visit goes on;
//! - a training that asks the network for proposals in its first round only trains it less: the rows `ours` update it
//!   once for every four updates of the critic;
//! - the curvature that earlier searches have met ([`Curvature`]) spares the short first step that feels for it: half an
//!   evaluation.
//!
//! Where points travel far, the scale of φ matters too. The moons need λ/c = 0.003 for a small bias, c the weight of
//! the divergence. With c = 1 the part of φ that moves points along the manifold is then smaller than what the steps of
//! an optimiser leave as noise; c = 30 with λ = 0.1 is the same game at the scale on which the network is trained.

mod based;
mod curvature;
mod exchange;
mod flow;
mod history;
mod inverse;
mod lanes;
mod minimise;
mod pull;

pub use based::Based;
pub use curvature::Curvature;
pub use flow::{CriticField, HopfLaxFlow};
pub use inverse::{inverse, log_volume};
pub use minimise::{Field, Minimiser, Stop};
pub use pull::Pull;
