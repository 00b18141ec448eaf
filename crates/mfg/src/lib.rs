//! The mean-field game behind W1 + W2 proximal flows: residuals of its optimality system and its known answers.
//!
//! The game over velocities v and critics φ with Lipschitz constant at most L is
//!
//! $$ \inf_v \sup_\varphi\; \mathbb E\,\varphi(x_T) - \mathbb E_\pi f^*(\varphi)
//! + \lambda \int_0^T \tfrac12\,\mathbb E\|v(x_t,t)\|^2\,dt, \qquad \dot x = v(x,t),\ x_0 \sim \rho_0 . $$
//!
//! Its optimality system: the velocity is v = −∇U/λ, the potential solves the Hamilton–Jacobi equation
//! ∂ₜU = ‖∇U‖²/(2λ) with U(·,T) = φ, and the particles' law solves the continuity equation. A [`Trajectory`] is what a
//! flow did; [`Indicators`] say how far it is from this system; [`known_answers`] are problems solved in closed form.
//!
//! With noise dX = v dt + σ dW and a running cost I(ρ_t) of the law itself the system is
//! −∂ₜU + ‖∇U‖²/(2λ) − (σ²/2)ΔU = δI/δρ and ∂ₜρ + ∇·(ρv) = (σ²/2)Δρ; the optimal paths are then no longer straight.
//!
//! Nothing here draws random numbers, reads or writes files.
#![deny(
    clippy::disallowed_methods,
    reason = "this crate changes no file and draws from streams that it is given"
)]

pub mod continuity;
mod error;
pub mod hamilton_jacobi;
mod indicators;
pub mod known_answers;
mod statistics;
mod trajectory;

pub use error::MfgError;
pub use indicators::Indicators;
pub use trajectory::{Noise, Trajectory, TrajectoryParts, step_invariance};

#[cfg(test)]
mod order_tests;
