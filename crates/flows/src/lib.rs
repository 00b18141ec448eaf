//! Potentials, critics and flows: networks whose input derivatives are closed forms, integrators, and the
//! gradients of the game.
//!
//! | home | what |
//! | --- | --- |
//! | [`activation`] | activations with first and second derivative |
//! | [`scalar_field`] | what a critic can be made of: value, input gradient and the pullback of both |
//! | [`counted`] | such a field that counts its evaluations |
//! | [`mlp`] | scalar fields given by multilayer perceptrons |
//! | [`convolution`] | what a perceptron sees of an image: convolutions with pooling |
//! | [`network`] | what potentials and critics are made of: a perceptron, with convolutions before it and a quadratic form beside it or not |
//! | [`potential`] | U(x, t), its ∇ₓU and ∂ₜU, and the velocity v = −∇U/λ |
//! | [`velocity`] | v(x, t) as a network itself, without a potential |
//! | [`generator`] | generators: residual and plain networks R^p → R^d with batch normalisation |
//! | [`generation`] | what the training of a generator against its critics computes |
//! | [`kantorovich`] | two potentials for the dual of ½·W2², and the gradient of their objective |
//! | [`critic`] | the critic: its network, its objective, its bound, and the gradient of all that |
//! | [`envelope`] | a critic that is Lipschitz by construction: cones over finitely many tips |
//! | [`lipschitz`] | how a critic is held to its Lipschitz bound |
//! | [`flow`] | the flow: its representation, what it minimises, and the gradient of that |
//! | [`ot_flow`] | a normalising flow along the gradient of a potential, trained by its likelihood |
//! | [`affine`] | the coordinates in which the optimal map between two Gaussians is the identity |
//! | [`explicit`] | the potential at time 0 as the network, which determines the critic |
//! | [`hopf_lax`] | the potential that the critic determines, by the Hopf–Lax formula |
//! | [`matching`] | a velocity that is regressed on pairs of points, without a critic |
//! | [`integrate`] | forward Euler and fourth-order Runge–Kutta |
//! | [`euler_map`] | the way back along Euler steps, and their change of volume |
//! | [`game`] | the two players together, and the backends that compute their gradients |
//! | [`record`] | trajectories with everything that optimality is measured by |
//! | [`device`] | where the arithmetic runs |
//!
//! Everything here runs on the CPU without libtorch; the feature `torch` adds another [`game::Backend`] and other
//! [`generation::Gradients`] that run on libtorch.
#![deny(
    clippy::disallowed_methods,
    reason = "this crate changes no file and draws from streams that it is given"
)]

pub mod activation;
pub mod affine;
pub mod convolution;
pub mod counted;
pub mod critic;
pub mod device;
pub mod envelope;
pub mod error;
pub mod euler_map;
pub mod explicit;
pub mod flow;
pub mod game;
pub mod generation;
pub mod generator;
mod hessian;
pub mod hopf_lax;
pub mod integrate;
pub mod kantorovich;
pub mod lipschitz;
pub mod matching;
mod matrix;
pub mod mlp;
pub mod network;
pub mod ot_flow;
pub mod parallel;
pub mod potential;
mod quadratic;
pub mod real;
pub mod record;
pub mod scalar_field;
mod text;
#[cfg(feature = "torch")]
pub mod torch;
pub mod velocity;

pub use error::FlowError;

/// The program of the page that the registry shows is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
