//! The mean-field game behind W1 + W2 proximal flows: residuals of its optimality system and its known answers.
//!
//! The game over velocities v and critics φ with Lipschitz constant at most L is
//!
//! ```text
//! inf_v sup_φ  E φ(x_T) − E_π f*(φ) + λ ∫₀ᵀ ½ E‖v(x_t, t)‖² dt,   ẋ = v(x, t),  x₀ ~ ρ₀
//! ```
//!
//! At its optimum v = −∇U/λ, where the potential U and the law ρ of the particles solve the optimality system
//!
//! ```text
//! ∂ₜU = ‖∇U‖²/(2λ),  U(·, T) = φ          (Hamilton–Jacobi, backwards from the critic)
//! ∂ₜρ + ∇·(ρv) = 0,  ρ(·, 0) = ρ₀         (continuity, forwards from the initial law)
//! ```
//!
//! A [`Trajectory`] is what a flow did; [`Indicators`] say how far it is from this system; [`known_answers`] are
//! problems solved in closed form.
//!
//! With noise dX = v dt + σ dW and a running cost I(ρ_t) of the law itself the system is
//!
//! ```text
//! −∂ₜU + ‖∇U‖²/(2λ) − (σ²/2)ΔU = δI/δρ,   ∂ₜρ + ∇·(ρv) = (σ²/2)Δρ
//! ```
//!
//! and the optimal paths are no longer straight.
//!
//! Shapes are written `[N, d]`: N particles in R^d, one a row. `examples/known_answers.rs` prints the closed forms
//! beside what the functions here measure of them.
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
pub use trajectory::{Noise, Trajectory, TrajectoryParts, step_distance, step_invariance};

/// The program of the page that the registry shows is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
