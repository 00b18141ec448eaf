//! The two backends against each other: same objectives, same gradients, same training.
//!
//! In double precision they must agree to the last digits, which no wrong formula survives; in single precision to the
//! rounding of the networks.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use flows::FlowError;
use flows::activation::Activation;
use flows::device::Device;
use flows::game::{
    Backend, CriticBatch, CriticObjective, CriticValue, FlowObjective, FlowValue, Game, Interaction, Native,
    Networks, Paths, PenaltyPoints, Representation, critic, flow,
};
use flows::hopf_lax::Stop;
use flows::mlp::{Initialisation, Mlp, Output};
use flows::potential::Potential;
use flows::real::Real;
use flows::torch::{Scalar, Torch, runtime};
use ot_core::divergence::Divergence;
use ot_core::dual::lipschitz::SlopePenalty;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BATCH: usize = 6;
const STEPS: usize = 4;

const DIVERGENCES: [Divergence; 7] = [
    Divergence::KullbackLeibler,
    Divergence::DonskerVaradhan,
    Divergence::ReverseKullbackLeibler,
    Divergence::Alpha(2.0),
    Divergence::Alpha(0.5),
    Divergence::JensenShannon,
    Divergence::Wasserstein1,
];
const PENALTIES: [SlopePenalty; 3] =
    [SlopePenalty::OneSidedSquared, SlopePenalty::OneSided, SlopePenalty::TwoSided];
const ACTIVATIONS: [Activation; 4] =
    [Activation::Tanh, Activation::Softplus, Activation::SharpSoftplus, Activation::Relu];
/// (d, hidden widths), from the smallest network to the largest that the experiments use.
const SHAPES: [(usize, &[usize]); 4] = [(1, &[2]), (2, &[6, 5]), (12, &[48; 5]), (7, &[128; 4])];

/// Not 1, which would hide a forgotten factor.
const DIVERGENCE_WEIGHT: f64 = 1.7;

fn game(dim: usize, hidden: &[usize], activation: Activation, divergence: Divergence) -> Game {
    // A potential has no ReLU.
    let smooth = if activation == Activation::Relu { Activation::Tanh } else { activation };
    Game {
        potential: Potential::new(dim, hidden, smooth).unwrap(),
        critic: Mlp::new(dim, hidden, activation, Output::for_divergence(divergence, DIVERGENCE_WEIGHT))
            .unwrap(),
        representation: Representation::Network,
        velocity: None,
        critic_objective: CriticObjective {
            divergence,
            divergence_weight: DIVERGENCE_WEIGHT,
            penalty: Some((SlopePenalty::OneSided, 0.7)),
            bound: 0.01,
            penalty_points: PenaltyPoints::Interpolates,
        },
        flow_objective: FlowObjective {
            lambda: 0.6,
            horizon: 1.3,
            kinetic: true,
            velocity_spread: 0.4,
            hamilton_jacobi: 0.3,
            terminal_gradient: 0.2,
            characteristic: 0.5,
            noise: 0.0,
            interaction: None,
        },
    }
}

/// Parameters and a minibatch; the same numbers in every precision.
struct Numbers<T> {
    potential: Vec<T>,
    critic: Vec<T>,
    generated: Vec<T>,
    target: Vec<T>,
    mixing: Vec<T>,
}

impl<T: Real> Numbers<T> {
    fn draw(game: &Game, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut network = |net: &Mlp| -> Vec<T> {
            let drawn: Vec<f32> = Initialisation::GlorotUniform.draw(net, &mut rng);
            // Biases start at zero; a test should not.
            drawn.iter().map(|&p| T::of(f64::from(p + 0.1 * (rng.random::<f32>() - 0.5)))).collect()
        };
        let (potential, critic) = (network(game.potential.net()), network(&game.critic));
        let mut uniform = |n: usize, centre: f32| -> Vec<T> {
            (0..n).map(|_| T::of(f64::from(centre + 2.0 * rng.random::<f32>() - 1.0))).collect()
        };
        let dim = game.potential.dim();
        let (generated, target) = (uniform(BATCH * dim, 0.0), uniform(BATCH * dim, 0.5));
        let mixing = (0..BATCH).map(|_| T::of(f64::from(rng.random::<f32>()))).collect();
        Self { potential, critic, generated, target, mixing }
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

fn critic_numbers(value: &CriticValue) -> Vec<f64> {
    vec![value.divergence, value.penalty, value.slope_mean, value.slope_max]
}

fn flow_numbers(value: &FlowValue) -> Vec<f64> {
    let FlowValue {
        total,
        terminal,
        kinetic_energy,
        velocity_spread,
        hamilton_jacobi,
        terminal_gradient,
        characteristic,
        interaction,
    } = *value;
    vec![
        total,
        terminal,
        kinetic_energy,
        velocity_spread,
        hamilton_jacobi,
        terminal_gradient,
        characteristic,
        interaction,
    ]
}

/// How far two computations of the same network may be apart, relative to the largest entry of a result.
///
/// A layer of width w is a sum of w products, with a rounding error of about √w·ε; value, gradient and their adjoints pass
/// through every layer four times, and the errors of the layers add up. The activations' libraries differ by a few ε more,
/// and a path repeats all of it in each step.
fn rounding<T: Real>(hidden: &[usize], steps: usize) -> f64 {
    let widest = hidden.iter().copied().max().unwrap() as f64;
    4.0 * (widest.sqrt() + 4.0) * (hidden.len() * steps) as f64 * T::epsilon().to_f64().unwrap()
}

fn critics_agree<T: Scalar>() {
    for activation in ACTIVATIONS {
        for (dim, hidden) in SHAPES {
            for divergence in DIVERGENCES {
                for penalty in PENALTIES {
                    for points in [PenaltyPoints::Interpolates, PenaltyPoints::Everywhere] {
                        let mut game = game(dim, hidden, activation, divergence);
                        game.critic_objective.penalty = Some((penalty, 0.7));
                        game.critic_objective.penalty_points = points;
                        let what =
                            format!("{activation:?} {dim} {hidden:?} {divergence} {penalty} {points:?}");
                        critic_agrees::<T>(&what, game);
                    }
                }
            }
        }
    }
}

fn critic_agrees<T: Scalar>(what: &str, mut game: Game) {
    let numbers = Numbers::<T>::draw(&game, 1);
    let mut native = vec![T::zero(); numbers.critic.len()];
    let mut torch = vec![T::one(); numbers.critic.len()];
    let mut native_gradient = |game: &Game| -> CriticValue {
        let mut workspace = critic::Workspace::default();
        workspace.gradient(game, &numbers.critic, numbers.batch(), &mut native).unwrap()
    };
    // Half of the usual slope, so that the one-sided penalties are active, and away from their kinks.
    game.critic_objective.bound = 0.5 * native_gradient(&game).slope_mean;
    let native_value = native_gradient(&game);
    assert!(native_value.penalty > 0.0, "{what}: the penalty is not active");

    let (phi, batch) = (&numbers.critic, numbers.batch());
    let device = runtime::open(Device::Cpu).unwrap();
    let torch_value = flows::torch::critic::gradient(&game, device, phi, batch, &mut torch).unwrap();
    let tolerance = rounding::<T>(game.critic.hidden(), 1);
    assert_close(what, tolerance, &critic_numbers(&native_value), &critic_numbers(&torch_value));
    assert_close(what, tolerance, &native, &torch);
}

fn flows_agree<T: Scalar>() {
    for activation in ACTIVATIONS {
        for (dim, hidden) in SHAPES {
            for divergence in [Divergence::DonskerVaradhan, Divergence::JensenShannon] {
                for terminal_gradient in [0.0, 0.2] {
                    let mut game = game(dim, hidden, activation, divergence);
                    game.flow_objective.terminal_gradient = terminal_gradient;
                    game.flow_objective.characteristic = terminal_gradient;
                    game.flow_objective.kinetic = terminal_gradient == 0.0;
                    flow_agrees::<T>(&game, &format!("{divergence} {terminal_gradient}"));
                }
            }
        }
    }
}

fn bent_flows_agree<T: Scalar>() {
    let forces = [
        (0.7, None),
        (0.0, Some(Interaction::Quadratic { weight: 0.8 })),
        (0.7, Some(Interaction::Gaussian { weight: -0.6, width: 0.9 })),
    ];
    for representation in [Representation::Network, Representation::ExactTerminal] {
        for (noise, interaction) in forces {
            let mut game = game(3, &[7, 5], Activation::Softplus, Divergence::DonskerVaradhan);
            game.representation = representation;
            game.flow_objective.noise = noise;
            game.flow_objective.interaction = interaction;
            flow_agrees::<T>(&game, &format!("{representation:?} {noise} {interaction:?}"));
        }
    }
}

/// Ends, values and gradients of both backends.
fn flow_agrees<T: Scalar>(game: &Game, what: &str) {
    let (activation, dim, hidden) = (game.critic.activation(), game.potential.dim(), game.critic.hidden());
    let what = format!("{activation:?} {dim} {hidden:?} {what}");
    let numbers = Numbers::<T>::draw(game, 2);
    let tolerance = rounding::<T>(hidden, STEPS);
    let device = runtime::open(Device::Cpu).unwrap();
    let mut workspace = flow::Workspace::default();

    let networks = Networks { potential: &numbers.potential, critic: &numbers.critic };
    let noise: Vec<T> = if game.flow_objective.noise > 0.0 {
        numbers.target.iter().copied().cycle().take(STEPS * BATCH * dim).collect()
    } else {
        Vec::new()
    };
    let paths = Paths { start: &numbers.generated, steps: STEPS, noise: &noise };
    let native = workspace.push_forward(game, networks, paths).unwrap();
    let torch = flows::torch::flow::push_forward(game, device, networks, paths).unwrap();
    assert_close(&what, tolerance, &native, &torch);

    let mut native = vec![T::zero(); numbers.potential.len()];
    let mut torch = vec![T::one(); numbers.potential.len()];
    let native_value = workspace.gradient(game, networks, paths, &mut native).unwrap();
    let torch_value = flows::torch::flow::gradient(game, device, networks, paths, &mut torch).unwrap();
    assert_close(&what, tolerance, &flow_numbers(&native_value), &flow_numbers(&torch_value));
    assert_close(&what, tolerance, &native, &torch);
}

#[test]
fn flows_with_noise_interaction_and_exact_end_agree_in_double_precision() {
    bent_flows_agree::<f64>();
}

#[test]
fn flows_with_noise_interaction_and_exact_end_agree_in_single_precision() {
    bent_flows_agree::<f32>();
}

#[test]
fn critics_agree_in_double_precision() {
    critics_agree::<f64>();
}

#[test]
fn critics_agree_in_single_precision() {
    critics_agree::<f32>();
}

#[test]
fn flows_agree_in_double_precision() {
    flows_agree::<f64>();
}

#[test]
fn flows_agree_in_single_precision() {
    flows_agree::<f32>();
}

/// Ten rounds of both players with plain gradient descent; the parameters at the end.
fn train(backend: &mut dyn Backend, numbers: &Numbers<f32>) -> [Vec<f32>; 2] {
    const RATE: f32 = 0.05;
    let (mut potential, mut critic) = (numbers.potential.clone(), numbers.critic.clone());
    let (mut d_potential, mut d_critic) = (vec![0.0; potential.len()], vec![0.0; critic.len()]);
    for _ in 0..10 {
        let paths = Paths { start: &numbers.generated, steps: STEPS, noise: &[] };
        let networks = Networks { potential: &potential, critic: &critic };
        let generated = backend.push_forward(networks, paths).unwrap();
        let batch = CriticBatch { generated: &generated, ..numbers.batch() };
        backend.critic_gradient(&critic, batch, &mut d_critic).unwrap();
        critic.iter_mut().zip(&d_critic).for_each(|(p, d)| *p -= RATE * d);
        let networks = Networks { potential: &potential, critic: &critic };
        backend.flow_gradient(networks, paths, &mut d_potential).unwrap();
        potential.iter_mut().zip(&d_potential).for_each(|(p, d)| *p -= RATE * d);
    }
    [potential, critic]
}

/// A few steps of the same descent; both begin with the same probes, so what differs is rounding.
#[test]
fn refined_ends_agree() {
    let stop = Stop { iterations: 3, tolerance: 0.0 };
    for activation in ACTIVATIONS {
        let game = game(3, &[7, 5], activation, Divergence::DonskerVaradhan);
        let numbers = Numbers::<f32>::draw(&game, 5);
        let refined = |backend: &mut dyn Backend| {
            let mut ends = numbers.target.clone();
            backend.refine(&numbers.critic, &numbers.generated, &mut ends, stop).unwrap();
            ends
        };
        let native = refined(&mut Native::new(game.clone()));
        let torch = refined(&mut Torch::new(game, Device::Cpu).unwrap());
        assert!(native.iter().zip(&numbers.target).any(|(a, b)| (a - b).abs() > 1e-3), "nothing has moved");
        // Quasi-Newton steps divide differences of gradients, which amplifies their rounding.
        assert_close(&format!("ends {activation:?}"), 1e-3, &native, &torch);
    }
}

#[test]
fn ten_rounds_of_training_agree() {
    for activation in ACTIVATIONS {
        for (dim, hidden) in SHAPES {
            let game = game(dim, hidden, activation, Divergence::DonskerVaradhan);
            let numbers = Numbers::draw(&game, 3);
            let native = train(&mut Native::new(game.clone()), &numbers);
            let torch = train(&mut Torch::new(game, Device::Cpu).unwrap(), &numbers);
            for ((name, start), (native, torch)) in
                [("potential", &numbers.potential), ("critic", &numbers.critic)]
                    .into_iter()
                    .zip(native.iter().zip(&torch))
            {
                let moved = |end: &[f32]| -> Vec<f32> {
                    end.iter().zip(start).map(|(end, start)| end - start).collect()
                };
                let what = format!("{name} {activation:?} {dim} {hidden:?}");
                // Every round adds its own rounding.
                let tolerance = 10.0 * rounding::<f32>(hidden, STEPS);
                assert_close(&what, tolerance, &moved(native), &moved(torch));
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let game = game(2, &[3], Activation::Tanh, Divergence::ReverseKullbackLeibler);
    let numbers = Numbers::<f32>::draw(&game, 4);
    let mut gradient = vec![0.0; numbers.critic.len()];
    let mut torch = Torch::new(game.clone(), Device::Cpu).unwrap();
    let is_shape =
        |result: Result<(), FlowError>| assert!(matches!(result, Err(FlowError::Shape { .. })), "{result:?}");

    let networks = Networks { potential: &numbers.potential, critic: &numbers.critic };
    let paths = Paths { start: &numbers.generated, steps: 1, noise: &[] };
    let swapped = Networks { potential: &numbers.critic, ..networks };
    is_shape(torch.push_forward(swapped, paths).map(drop));
    is_shape(torch.push_forward(networks, Paths { start: &[0.0; 3], ..paths }).map(drop));
    is_shape(torch.push_forward(networks, Paths { noise: &[0.0; 2], ..paths }).map(drop));
    is_shape(torch.critic_gradient(&numbers.critic, numbers.batch(), &mut [0.0]).map(drop));
    for batch in [
        CriticBatch { generated: &[0.0; 2], ..numbers.batch() },
        CriticBatch { mixing: &[0.5], ..numbers.batch() },
        CriticBatch { generated: &[0.0; 3], target: &[0.0; 3], mixing: &[0.5] },
    ] {
        is_shape(torch.critic_gradient(&numbers.critic, batch, &mut gradient).map(drop));
    }
    let zero_steps = torch.push_forward(networks, Paths { steps: 0, ..paths });
    assert!(matches!(zero_steps, Err(FlowError::Specification { .. })), "{zero_steps:?}");

    let broken = vec![f32::NAN; numbers.critic.len()];
    let not_finite = torch.critic_gradient(&broken, numbers.batch(), &mut gradient);
    assert!(matches!(not_finite, Err(FlowError::Divergence(_))), "{not_finite:?}");
}

#[test]
fn a_flat_critic_has_a_finite_gradient() {
    // ‖∇φ‖ = 0 everywhere: the norm has no gradient there, and the penalty takes its smallest subgradient, 0.
    let mut game = game(2, &[3], Activation::Tanh, Divergence::Wasserstein1);
    game.critic_objective.penalty = Some((SlopePenalty::TwoSided, 1.0));
    let numbers = Numbers::<f32>::draw(&game, 5);
    let mut gradient = vec![f32::NAN; numbers.critic.len()];
    let flat = vec![0.0; numbers.critic.len()];
    let value = Torch::new(game.clone(), Device::Cpu)
        .unwrap()
        .critic_gradient(&flat, numbers.batch(), &mut gradient)
        .unwrap();
    assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
    assert_eq!(value.slope_max, 0.0);
    assert!((value.penalty - game.critic_objective.bound.powi(2)).abs() < 1e-12);
}

#[test]
fn a_device_that_is_not_there_is_an_error_with_a_remedy() {
    let game = game(2, &[3], Activation::Tanh, Divergence::Wasserstein1);
    let missing = Device::Cuda(usize::try_from(tch::Cuda::device_count()).unwrap());
    let error = Torch::new(game, missing).unwrap_err();
    assert!(matches!(&error, FlowError::Device { device, .. } if *device == missing.to_string()), "{error}");
    assert!(error.to_string().contains("; take `c"), "{error}");
}

#[test]
fn libtorch_runs_one_thread() {
    let game = game(2, &[3], Activation::Tanh, Divergence::Wasserstein1);
    let _torch = Torch::new(game, Device::Cpu).unwrap();
    assert_eq!((tch::get_num_threads(), tch::get_num_interop_threads()), (1, 1));
}
