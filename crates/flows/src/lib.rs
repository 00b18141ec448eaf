//! Potentials, critics and flows: networks whose input derivatives are closed forms, integrators, and the
//! gradients of the game.
//!
//! | home | what |
//! | --- | --- |
//! | [`activation`] | activations with first and second derivative |
//! | [`mlp`] | scalar fields given by multilayer perceptrons: value, input gradient and the pullback of both |
//! | [`potential`] | U(x, t), its ∇ₓU and ∂ₜU, and the velocity v = −∇U/λ |
//! | [`generator`] | generators: residual and plain networks R^p → R^d with batch normalisation |
//! | [`generation`] | what the training of a generator against its critics computes |
//! | [`kantorovich`] | two potentials for the dual of ½·W2², and the gradient of their objective |
//! | [`lipschitz`] | how a critic is held to its Lipschitz bound by reparametrisation |
//! | [`hopf_lax`] | the potential that the critic determines, by the Hopf–Lax formula |
//! | [`integrate`] | forward Euler and fourth-order Runge–Kutta |
//! | [`game`] | the two players' objectives and their gradients |
//! | [`record`] | trajectories with everything that optimality is measured by |
//! | [`device`] | where the arithmetic runs |
//!
//! Everything here runs on the CPU without libtorch; the feature `torch` adds another [`game::Backend`] and other
//! [`generation::Gradients`] that run on libtorch.

pub mod activation;
pub mod device;
pub mod error;
pub mod game;
pub mod generation;
pub mod generator;
pub mod hopf_lax;
pub mod integrate;
pub mod kantorovich;
pub mod lipschitz;
mod matrix;
pub mod mlp;
pub mod potential;
pub mod real;
pub mod record;
#[cfg(feature = "torch")]
pub mod torch;
mod vector;

pub use error::FlowError;
