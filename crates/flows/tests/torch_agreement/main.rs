//! The two backends against each other: same objectives, same gradients, same training.
//!
//! In double precision they must agree to the last digits, which no wrong formula survives; in single precision to the
//! rounding of the networks.
//!
//! | part | what |
//! | --- | --- |
//! | `critics` | every divergence with its output, every way to hold the slope |
//! | `paths` | every representation, every term of the objective |
//! | `explicit` | the dual of an explicit flow, and the searches for its critic |
//! | `players` | rounds of both players, and what does not fit |
//! | `generators` | training and evaluation mode, running statistics |
//! | `potentials` | the Kantorovich objective in every form |
//! | `generation` | rounds of a generator and its critics |
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod critics;
mod explicit;
mod generation;
mod generators;
mod paths;
mod players;
mod potentials;

use flows::activation::Activation;
use flows::critic::{Critic, CriticBatch, CriticObjective};
use flows::flow::{Flow, FlowObjective, Steps};
use flows::game::Game;
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, SlopePenalty};
use flows::mlp::{Mlp, Output};
use flows::potential::Potential;
use flows::real::Real;
use flows::scalar_field::ScalarField;
use ot_core::divergence::Divergence;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BATCH: usize = 6;
const STEPS: usize = 4;

const ACTIVATIONS: [Activation; 4] =
    [Activation::Tanh, Activation::Softplus, Activation::SharpSoftplus, Activation::Relu];
/// (d, hidden widths), from the smallest network to the largest that the experiments use.
const SHAPES: [(usize, &[usize]); 4] = [(1, &[2]), (2, &[6, 5]), (12, &[48; 5]), (7, &[128; 4])];

/// Not 1, which would hide a forgotten factor.
const DIVERGENCE_WEIGHT: f64 = 1.7;

fn penalty(form: SlopePenalty, points: PenaltyPoints) -> Lipschitz {
    Lipschitz::Penalty(Penalty { form, weight: 0.7, points })
}

/// The potential's network; a potential has no ReLU.
fn potential(dim: usize, hidden: &[usize], activation: Activation) -> Potential {
    let smooth = if activation == Activation::Relu { Activation::Tanh } else { activation };
    Potential::new(dim, hidden, smooth).unwrap()
}

fn game(dim: usize, hidden: &[usize], activation: Activation, divergence: Divergence) -> Game {
    let output = Output::for_divergence(divergence, DIVERGENCE_WEIGHT);
    Game {
        critic: Critic {
            network: Mlp::new(dim, hidden, activation, output).unwrap().into(),
            objective: CriticObjective { divergence, weight: DIVERGENCE_WEIGHT },
            bound: 0.01,
            lipschitz: penalty(SlopePenalty::OneSided, PenaltyPoints::Interpolates),
        },
        flow: Flow::Network(potential(dim, hidden, activation)),
        objective: FlowObjective {
            horizon: 1.3,
            lambda: 0.6,
            steps: Steps::Fixed(STEPS),
            kinetic: true,
            velocity_spread: 0.4,
            hamilton_jacobi: 0.3,
            terminal_gradient: 0.2,
            characteristic: 0.5,
            ..FlowObjective::default()
        },
    }
}

/// Parameters and a minibatch; the same numbers in every precision.
struct Numbers<T> {
    flow: Vec<T>,
    critic: Vec<T>,
    generated: Vec<T>,
    target: Vec<T>,
    mixing: Vec<T>,
}

impl<T: Real> Numbers<T> {
    fn draw(game: &Game, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Biases start at zero; a test should not.
        let moved = |drawn: Vec<f32>, rng: &mut ChaCha8Rng| -> Vec<T> {
            drawn.iter().map(|&p| T::of(f64::from(p + 0.1 * (rng.random::<f32>() - 0.5)))).collect()
        };
        let flow = moved(game.flow.initial(&mut rng), &mut rng);
        let critic = moved(game.critic.network.initial(&mut rng), &mut rng);
        let mut uniform = |n: usize, centre: f32| -> Vec<T> {
            (0..n).map(|_| T::of(f64::from(centre + 2.0 * rng.random::<f32>() - 1.0))).collect()
        };
        let dim = game.flow.dim();
        let (generated, target) = (uniform(BATCH * dim, 0.0), uniform(BATCH * dim, 0.5));
        let mixing = (0..BATCH).map(|_| T::of(f64::from(rng.random::<f32>()))).collect();
        Self { flow, critic, generated, target, mixing }
    }

    fn batch(&self) -> CriticBatch<'_, T> {
        CriticBatch { generated: &self.generated, target: &self.target, mixing: &self.mixing }
    }
}

/// Asserts that two lists agree to `tolerance` of the largest entry.
fn assert_close<T: Real>(what: &str, tolerance: f64, native: &[T], torch: &[T]) {
    assert_eq!(native.len(), torch.len(), "{what}");
    let scale = native.iter().fold(0.0_f64, |largest, x| largest.max(x.wide().abs()));
    assert!(scale > 1e-6, "{what}: nothing to compare");
    for (i, (x, y)) in native.iter().zip(torch).enumerate() {
        let error = (x.wide() - y.wide()).abs() / scale;
        assert!(
            error <= tolerance,
            "{what}, entry {i}: native {x:?}, torch {y:?}, error {error:e} of {scale:e}"
        );
    }
}

/// How far two computations of the same network may be apart, relative to the largest entry of a result.
///
/// A layer of width w is a sum of w products, with a rounding error of about √w·ε; value, gradient and their adjoints
/// pass through every layer four times, and the errors of the layers add up. The activations' libraries differ by a few
/// ε more,
/// and a path repeats all of it in each step.
fn rounding<T: Real>(hidden: &[usize], steps: usize) -> f64 {
    let widest = hidden.iter().copied().max().unwrap() as f64;
    4.0 * (widest.sqrt() + 4.0) * (hidden.len() * steps) as f64 * T::epsilon().to_f64().unwrap()
}
