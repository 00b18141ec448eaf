//! The native backend, in single precision, against the same gradients in double precision, which other tests hold
//! against central differences.

use crate::common::uniform;
use flows::activation::Activation;
use flows::critic::{self, Critic, CriticBatch, CriticObjective};
use flows::flow::{self, Flow, FlowObjective, Paths, Steps};
use flows::game::{Backend, Game, Native, Networks};
use flows::hopf_lax::{Curvature, Stop};
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, SlopePenalty};
use flows::mlp::{Mlp, Output};
use flows::potential::Potential;
use flows::scalar_field::ScalarField;
use ndarray::{ArrayView2, ArrayViewMut2};
use ot_core::divergence::Divergence;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicUsize, Ordering};

const DIM: usize = 2;
const POINTS: usize = 8;

fn game() -> Game {
    let penalty = Penalty { form: SlopePenalty::TwoSided, weight: 0.6, points: PenaltyPoints::Interpolates };
    let critic = Critic {
        network: Mlp::new(DIM, &[5, 4], Activation::Softplus, Output::Identity).unwrap().into(),
        objective: CriticObjective { divergence: Divergence::KullbackLeibler, weight: 0.8 },
        bound: 1.0,
        lipschitz: Lipschitz::Penalty(penalty),
    };
    let flow = Flow::Network(Potential::new(DIM, &[6], Activation::Tanh).unwrap());
    let objective =
        FlowObjective { lambda: 0.7, horizon: 1.5, steps: Steps::Fixed(3), ..FlowObjective::default() };
    Game { critic, flow, objective }
}

fn single(wide: &[f64]) -> Vec<f32> {
    wide.iter().map(|&x| x as f32).collect()
}

/// Hundreds of operations on numbers of order one, each rounded by 6e-8.
fn close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    assert!(expected.iter().any(|x| x.abs() > 1e-2), "nothing is compared with nothing");
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < 2e-5 * (1.0 + expected.abs()), "{found} {expected}");
    }
}

#[test]
fn gradients_and_values_of_both_players_are_those_in_double_precision() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let game = game();
    let phi = uniform(&mut rng, game.critic.network.parameter_count());
    let theta = uniform(&mut rng, game.flow.parameter_count());
    let (x, y) = (uniform(&mut rng, POINTS * DIM), uniform(&mut rng, POINTS * DIM));
    let mixing = [0.1, 0.9, 0.5, 0.3, 0.7, 0.2, 0.6, 0.4];
    let (single_phi, single_theta) = (single(&phi), single(&theta));
    let (single_x, single_y, single_mixing) = (single(&x), single(&y), single(&mixing));
    let wide = Networks { flow: &theta, critic: &phi };
    let narrow = Networks { flow: &single_theta, critic: &single_phi };
    let wide_paths = Paths { start: &x, steps: 3, noise: &[] };
    let narrow_paths = Paths { start: &single_x, steps: 3, noise: &[] };
    let mut native = Native::new(game.clone());

    let ends = flow::Workspace::default().push_forward(&game, wide, wide_paths).unwrap();
    close(&native.push_forward(narrow, narrow_paths).unwrap(), &ends);

    let (mut found, mut expected) = (vec![7.0; theta.len()], vec![7.0; theta.len()]);
    let of_wide = flow::Workspace::default().gradient(&game, wide, wide_paths, &mut expected).unwrap();
    let of_narrow = native.flow_gradient(narrow, narrow_paths, &mut found).unwrap();
    close(&found, &expected);
    close(
        &[of_narrow.total as f32, of_narrow.kinetic_energy as f32],
        &[of_wide.total, of_wide.kinetic_energy],
    );

    let (mut found, mut expected) = (vec![7.0; phi.len()], vec![7.0; phi.len()]);
    let batch = CriticBatch { generated: &x, target: &y, mixing: &mixing };
    let of_wide = critic::Workspace::default().gradient(&game.critic, &phi, batch, &mut expected).unwrap();
    let batch = CriticBatch { generated: &single_x, target: &single_y, mixing: &single_mixing };
    let of_narrow = native.critic_gradient(&single_phi, batch, &mut found).unwrap();
    close(&found, &expected);
    close(
        &[of_narrow.divergence as f32, of_narrow.penalty as f32, of_narrow.slope_max as f32],
        &[of_wide.divergence, of_wide.penalty, of_wide.slope_max],
    );
}

/// ∇φ(y) + μ(y − x) = 0 with μ = λ/T; a row is offered the ends of all others.
#[test]
fn refined_ends_are_stationary_and_no_row_envies_another() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let game = game();
    let phi: Vec<f64> = uniform(&mut rng, game.critic.network.parameter_count());
    let (x, start) = (single(&uniform(&mut rng, POINTS * DIM)), single(&uniform(&mut rng, POINTS * DIM)));
    let mut y = start.clone();
    let stop = Stop { iterations: 100, tolerance: 1e-4 };
    Native::new(game.clone()).refine(&single(&phi), &x, &mut y, &mut Curvature::default(), stop).unwrap();
    assert_ne!(y, start);
    let pull = 0.7 / 1.5;
    let wide: Vec<f64> = y.iter().map(|&y| f64::from(y)).collect();
    let points = ArrayView2::from_shape((POINTS, DIM), &wide).unwrap();
    let (values, slopes) = game.critic.network.at(&phi, points).unwrap();
    for (k, (slope, y)) in slopes.iter().zip(&wide).enumerate() {
        // A share of 1e-4 of slopes of order one, and roundings.
        assert!((slope + pull * (y - f64::from(x[k]))).abs() < 1e-3, "coordinate {k}");
    }
    let cost = |i: usize, j: usize| {
        let square = |k: usize| (wide[j * DIM + k] - f64::from(x[i * DIM + k])).powi(2);
        values[j] + 0.5 * pull * (0..DIM).map(square).sum::<f64>()
    };
    for i in 0..POINTS {
        // What a stationary end may be above the minimum: squares of the 1e-3 above.
        assert!((0..POINTS).all(|j| cost(i, i) <= cost(i, j) + 1e-5), "row {i}");
    }
}

/// More rows than two blocks: the same bits for any number of threads, and in a block of its own as beside others.
#[test]
fn the_threads_that_move_points_change_nothing() {
    let proposal = Potential::new(DIM, &[4], Activation::Tanh).unwrap();
    let game = Game { flow: Flow::HopfLax { proposal, refinements: 4 }, ..game() };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut numbers = |count: usize| single(&uniform(&mut rng, count));
    let (flow, critic) =
        (numbers(game.flow.parameter_count()), numbers(game.critic.network.parameter_count()));
    let (companions, start) = (numbers(3 * DIM), numbers(8300 * DIM));
    let moved = |threads: usize, rows: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut x = start[..rows * DIM].to_vec();
        let told = AtomicUsize::new(0);
        let tell = |rows| {
            told.fetch_add(rows, Ordering::Relaxed);
        };
        let networks = Networks { flow: &flow, critic: &critic };
        let points = ArrayViewMut2::from_shape((rows, DIM), &mut x).unwrap();
        pool.install(|| game.push_forward(networks, &companions, 1, points, &tell)).unwrap();
        assert_eq!(told.into_inner(), rows);
        x
    };
    let one = moved(1, 8300);
    assert_ne!(one, start);
    assert_eq!(moved(3, 8300), one);
    assert_eq!(moved(2, 4096), one[..4096 * DIM]);
}
