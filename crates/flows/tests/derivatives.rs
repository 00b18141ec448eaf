//! The closed forms against central differences in double precision.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use common::uniform;
use flows::activation::Activation;
use flows::game::{
    CriticBatch, CriticObjective, FlowObjective, Game, Interaction, Networks, Paths, PenaltyPoints,
    Representation, critic, flow,
};
use flows::generator::{Generator, GeneratorForm, GeneratorOutput};
use flows::lipschitz::SpectralState;
use flows::mlp::{Cotangent, Initialisation, Mlp, Order, Output, Tape, Weights};
use flows::potential::Potential;
use ot_core::divergence::Divergence;
use ot_core::dual::lipschitz::SlopePenalty;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A factor 100 for networks whose third derivatives are not of order one.
const TOLERANCE: f64 = 1e-8;

/// [`common::assert_gradient`] within [`TOLERANCE`].
fn assert_gradient(at: &[f64], gradient: &[f64], loss: impl FnMut(&[f64]) -> f64) {
    common::assert_gradient(at, gradient, TOLERANCE, loss);
}

fn networks() -> Vec<Mlp> {
    let mut all = Vec::new();
    for activation in [Activation::Tanh, Activation::Softplus, Activation::SharpSoftplus, Activation::Relu] {
        for hidden in [&[5][..], &[6, 4][..], &[4, 7, 3][..]] {
            for output in [Output::Identity, Output::Below(0.5)] {
                all.push(Mlp::new(3, hidden, activation, output).unwrap());
            }
        }
    }
    all
}

fn parameters(net: &Mlp, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut theta: Vec<f64> = Initialisation::GlorotUniform.draw(net, rng);
    // Biases start at zero; a test should not.
    for (p, noise) in theta.iter_mut().zip(uniform(rng, net.parameter_count())) {
        *p += 0.3 * noise;
    }
    theta
}

#[test]
fn input_gradient_is_the_derivative_of_the_value() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for net in networks() {
        let theta = parameters(&net, &mut rng);
        let z = uniform(&mut rng, 4 * 3);
        let mut tape = Tape::new();
        net.evaluate(&Weights::new(&net, &theta).unwrap(), &z, Order::Jet, &mut tape).unwrap();
        let gradient = tape.gradient().to_vec();
        assert_gradient(&z, &gradient, |z| {
            let mut tape = Tape::new();
            net.evaluate(&Weights::new(&net, &theta).unwrap(), z, Order::Value, &mut tape).unwrap();
            tape.value().iter().sum()
        });
    }
}

#[test]
fn laplacian_is_the_divergence_of_the_gradient() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for net in networks() {
        let weights = Weights::new(&net, &parameters(&net, &mut rng)).unwrap();
        let z = uniform(&mut rng, 5 * 3);
        let jet = |z: &[f64], common: Option<f64>| {
            let mut tape = Tape::new();
            net.evaluate_with_common(&weights, z, common, Order::Jet, &mut tape).unwrap();
            tape
        };
        for common in [None, Some(0.4)] {
            let columns = if common.is_some() { 2 } else { 3 };
            let z = &z[..5 * columns];
            let laplacian = net.laplacian(&weights, &jet(z, common)).unwrap();
            let h = 1e-5;
            for (row, laplacian) in laplacian.iter().enumerate() {
                let trace: f64 = (0..columns)
                    .map(|j| {
                        let slope = |shift: f64| {
                            let mut moved = z.to_vec();
                            moved[row * columns + j] += shift;
                            jet(&moved, common).gradient()[row * columns + j]
                        };
                        (slope(h) - slope(-h)) / (2.0 * h)
                    })
                    .sum();
                // h²/6 of a fourth derivative, at most 1e5 for the sharp softplus, is 2e-6; rounding is 1e-11.
                assert!((trace - laplacian).abs() < 1e-5, "{net:?}: {laplacian} against {trace}");
            }
        }
    }
}

#[test]
fn pull_back_is_the_derivative_of_any_loss_of_the_jet() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for net in networks() {
        let theta = parameters(&net, &mut rng);
        let z = uniform(&mut rng, 4 * 3);
        let (cu, cg) = (uniform(&mut rng, 4), uniform(&mut rng, 12));
        let loss = |theta: &[f64], z: &[f64]| -> f64 {
            let mut tape = Tape::new();
            net.evaluate(&Weights::new(&net, theta).unwrap(), z, Order::Jet, &mut tape).unwrap();
            let value: f64 = tape.value().iter().zip(&cu).map(|(a, b)| a * b).sum();
            value + tape.gradient().iter().zip(&cg).map(|(a, b)| a * b).sum::<f64>()
        };
        let mut tape = Tape::new();
        net.evaluate(&Weights::new(&net, &theta).unwrap(), &z, Order::Jet, &mut tape).unwrap();
        let (mut d_theta, mut d_z) = (vec![0.0; theta.len()], vec![0.0; z.len()]);
        let cotangent = Cotangent { value: &cu, gradient: Some(&cg), common: None };
        net.pull_back(
            &Weights::new(&net, &theta).unwrap(),
            &mut tape,
            cotangent,
            &mut d_theta,
            Some(&mut d_z),
        )
        .unwrap();
        assert_gradient(&theta, &d_theta, |theta| loss(theta, &z));
        assert_gradient(&z, &d_z, |z| loss(&theta, z));
    }
}

#[test]
fn pull_back_of_a_value_tape_is_plain_backpropagation() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for net in networks() {
        let theta = parameters(&net, &mut rng);
        let (z, cu) = (uniform(&mut rng, 12), uniform(&mut rng, 4));
        let mut tape = Tape::new();
        net.evaluate(&Weights::new(&net, &theta).unwrap(), &z, Order::Value, &mut tape).unwrap();
        let mut d_theta = vec![0.0; theta.len()];
        net.pull_back(
            &Weights::new(&net, &theta).unwrap(),
            &mut tape,
            Cotangent { value: &cu, gradient: None, common: None },
            &mut d_theta,
            None,
        )
        .unwrap();
        assert_gradient(&theta, &d_theta, |theta| {
            let mut tape = Tape::new();
            net.evaluate(&Weights::new(&net, theta).unwrap(), &z, Order::Value, &mut tape).unwrap();
            tape.value().iter().zip(&cu).map(|(a, b)| a * b).sum()
        });
    }
}

/// Not 1, which would hide a forgotten factor.
const DIVERGENCE_WEIGHT: f64 = 1.7;

fn game(divergence: Divergence, penalty: SlopePenalty, points: PenaltyPoints) -> Game {
    Game {
        potential: Potential::new(2, &[6, 5], Activation::Tanh).unwrap(),
        critic: Mlp::new(
            2,
            &[5, 4],
            Activation::Softplus,
            Output::for_divergence(divergence, DIVERGENCE_WEIGHT),
        )
        .unwrap(),
        representation: Representation::Network,
        velocity: None,
        critic_objective: CriticObjective {
            divergence,
            divergence_weight: DIVERGENCE_WEIGHT,
            penalty: Some((penalty, 0.7)),
            bound: 1e-4,
            penalty_points: points,
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

#[test]
fn critic_gradient_is_the_derivative_of_its_objective() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for divergence in [
        Divergence::KullbackLeibler,
        Divergence::DonskerVaradhan,
        Divergence::ReverseKullbackLeibler,
        Divergence::Alpha(2.0),
        Divergence::Alpha(0.5),
        Divergence::JensenShannon,
        Divergence::Wasserstein1,
    ] {
        for penalty in [SlopePenalty::OneSidedSquared, SlopePenalty::OneSided, SlopePenalty::TwoSided] {
            for points in [PenaltyPoints::Interpolates, PenaltyPoints::Everywhere] {
                let game = game(divergence, penalty, points);
                let theta = parameters(&game.critic, &mut rng);
                let (generated, target) = (uniform(&mut rng, 8), uniform(&mut rng, 8));
                let mixing = [0.1, 0.4, 0.6, 0.9];
                let batch = CriticBatch { generated: &generated, target: &target, mixing: &mixing };
                let mut gradient = vec![0.0; theta.len()];
                let mut workspace = critic::Workspace::default();
                let value = workspace.gradient(&game, &theta, batch, &mut gradient).unwrap();
                assert!(value.penalty > 0.0, "the penalty is not active: {value:?}");
                let mut discarded = gradient.clone();
                assert_gradient(&theta, &gradient, |theta| {
                    let value = workspace.gradient(&game, theta, batch, &mut discarded).unwrap();
                    value.penalty - value.divergence
                });
            }
        }
    }
}

/// Every representation that is differentiated, alone and with noise and each interaction.
fn flow_games() -> Vec<Game> {
    let plain = game(Divergence::DonskerVaradhan, SlopePenalty::OneSided, PenaltyPoints::Interpolates);
    let forces = [
        (0.0, None),
        (0.7, None),
        (0.0, Some(Interaction::Quadratic { weight: 0.8 })),
        (0.7, Some(Interaction::Gaussian { weight: 0.6, width: 0.9 })),
    ];
    let form = GeneratorForm {
        activation: Activation::Tanh,
        batch_norm: false,
        residual: false,
        output: GeneratorOutput::Identity,
    };
    let of = |representation: Representation| {
        let plain = plain.clone();
        let direct = representation == Representation::Velocity;
        let velocity = direct.then(|| Generator::new(3, &[5, 4], 2, form).unwrap());
        forces.map(move |(noise, interaction)| {
            let hamilton_jacobi = if direct { 0.0 } else { plain.flow_objective.hamilton_jacobi };
            let flow_objective =
                FlowObjective { noise, interaction, hamilton_jacobi, ..plain.flow_objective };
            Game { representation, velocity: velocity.clone(), flow_objective, ..plain.clone() }
        })
    };
    let representations = [Representation::Network, Representation::ExactTerminal, Representation::Velocity];
    representations.into_iter().flat_map(of).collect()
}

/// Parameters of the flow's network.
fn flow_parameters(game: &Game, rng: &mut ChaCha8Rng) -> Vec<f64> {
    match &game.velocity {
        Some(velocity) => uniform(rng, velocity.parameter_count()),
        None => parameters(game.potential.net(), rng),
    }
}

#[test]
fn flow_gradient_is_the_derivative_of_its_objective() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for game in flow_games() {
        let (theta, phi) = (flow_parameters(&game, &mut rng), parameters(&game.critic, &mut rng));
        assert_eq!(theta.len(), game.flow_parameter_count());
        let x0 = uniform(&mut rng, 8);
        for steps in [1, 2, 5] {
            let numbers = if game.flow_objective.noise > 0.0 { 8 * steps } else { 0 };
            let noise = uniform(&mut rng, numbers);
            let paths = Paths { start: &x0, steps, noise: &noise };
            let mut workspace = flow::Workspace::default();
            let mut gradient = vec![0.0; theta.len()];
            let networks = Networks { potential: &theta, critic: &phi };
            let value = workspace.gradient(&game, networks, paths, &mut gradient).unwrap();
            let exact_end = game.representation == Representation::ExactTerminal;
            // By construction the gap is that of rounding.
            assert_eq!(exact_end, value.terminal_gradient < 1e-25, "{value:?}");
            assert_eq!(game.flow_objective.interaction.is_some(), value.interaction > 0.0, "{value:?}");
            assert_eq!(game.velocity.is_none(), value.hamilton_jacobi > 0.0, "{value:?}");
            assert!(value.characteristic > 0.0, "{value:?}");
            assert_eq!(
                steps > 1,
                value.velocity_spread > 1e-12,
                "one step is straight, several are not: {value:?}"
            );
            let mut discarded = gradient.clone();
            assert_gradient(&theta, &gradient, |theta| {
                let networks = Networks { potential: theta, critic: &phi };
                workspace.gradient(&game, networks, paths, &mut discarded).unwrap().total
            });
        }
    }
}

#[test]
fn noise_must_come_for_every_step() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let game = flow_games().swap_remove(1);
    let (theta, phi) = (parameters(game.potential.net(), &mut rng), parameters(&game.critic, &mut rng));
    let paths = Paths { start: &[0.1, 0.2], steps: 2, noise: &[0.3, 0.4] };
    let networks = Networks { potential: &theta, critic: &phi };
    let refused = flow::Workspace::default().push_forward(&game, networks, paths);
    assert!(matches!(refused, Err(flows::FlowError::Shape { .. })), "{refused:?}");
}

/// Training pushes its points along the field that is sampled and recorded; the second parameters find a workspace in use.
#[test]
fn pushing_forward_is_euler_with_the_field() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for game in flow_games().into_iter().filter(|game| game.flow_objective.noise == 0.0) {
        let mut workspace = flow::Workspace::default();
        for _ in 0..2 {
            let (theta, phi) = (flow_parameters(&game, &mut rng), parameters(&game.critic, &mut rng));
            let networks = Networks { potential: &theta, critic: &phi };
            let start = uniform(&mut rng, 8);
            let paths = Paths { start: &start, steps: 3, noise: &[] };
            let end = workspace.push_forward(&game, networks, paths).unwrap();
            let (mut x, mut v, h) = (start.clone(), vec![0.0; 8], game.flow_objective.horizon / 3.0);
            let mut field = game.field::<f64>(networks, &[]).unwrap();
            for i in 0..3 {
                field.velocity(&x, f64::from(i) * h, &mut v).unwrap();
                x.iter_mut().zip(&v).for_each(|(x, v)| *x += h * v);
            }
            let gap = end.iter().zip(&x).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            // Three steps of numbers of order one, rounded in another order.
            assert!(gap < 1e-13, "{:?}: {gap}", game.representation);
        }
    }
}

/// ∇U, ∂ₜU and ΔU of the field that is sampled and recorded, against differences of one another: no formula is shared.
#[test]
fn a_field_and_its_laplacian_are_of_one_function() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for representation in [Representation::Network, Representation::ExactTerminal] {
        let game = Game { representation, ..flow_games().swap_remove(0) };
        let (theta, phi) = (parameters(game.potential.net(), &mut rng), parameters(&game.critic, &mut rng));
        let networks = Networks { potential: &theta, critic: &phi };
        let mut field = game.field::<f64>(networks, &[]).unwrap();
        let (x, t, h) = (uniform(&mut rng, 2), 0.4, 1e-5);
        let mut jet = |x: &[f64], t: f64| {
            let (mut gradient, mut time) = ([0.0; 2], [0.0]);
            field.derivatives(x, t, &mut gradient, &mut time).unwrap();
            (gradient, time[0])
        };
        let mut trace = 0.0;
        for j in 0..2 {
            let mut shifted = |step: f64| {
                let mut x = x.clone();
                x[j] += step;
                jet(&x, t)
            };
            let (up, down) = (shifted(h), shifted(-h));
            trace += (up.0[j] - down.0[j]) / (2.0 * h);
            // ∂ⱼ∂ₜU = ∂ₜ∂ⱼU; central differences err by h²·|U‴|, 1e-9, and rounding of 1e-11.
            let mixed = (up.1 - down.1) / (2.0 * h);
            let in_time = (jet(&x, t + h).0[j] - jet(&x, t - h).0[j]) / (2.0 * h);
            assert!((mixed - in_time).abs() < 1e-7, "{representation:?}: {mixed} against {in_time}");
        }
        let laplacian = field.laplacian(&x, t).unwrap()[0];
        assert!((laplacian - trace).abs() < 1e-7, "{representation:?}: {laplacian} against {trace}");
    }
}

#[test]
fn spectral_pull_back_is_the_derivative_through_the_normalisation() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let net = Mlp::new(3, &[5, 4], Activation::Softplus, Output::Identity).unwrap();
    let trained = parameters(&net, &mut rng);
    let cotangent = uniform(&mut rng, trained.len());
    let loss = |trained: &[f64]| -> f64 {
        let effective = SpectralState::new(&net, trained, 2.0).effective(trained);
        effective.iter().zip(&cotangent).map(|(a, b)| a * b).sum()
    };
    let mut gradient = cotangent.clone();
    SpectralState::new(&net, &trained, 2.0).pull_back(&trained, &mut gradient);
    assert_gradient(&trained, &gradient, loss);
}

#[test]
fn spectrally_normalised_critics_keep_their_bound() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let net = Mlp::new(3, &[16, 16], Activation::Relu, Output::Identity).unwrap();
    let trained: Vec<f64> = parameters(&net, &mut rng).iter().map(|p| 10.0 * p).collect();
    let effective = SpectralState::new(&net, &trained, 0.8).effective(&trained);
    let z = uniform(&mut rng, 300);
    let mut tape = Tape::new();
    let slopes = |theta: &[f64], tape: &mut Tape<f64>| {
        net.evaluate(&Weights::new(&net, theta).unwrap(), &z, Order::Jet, tape).unwrap();
        tape.gradient()
            .chunks_exact(3)
            .map(|g| g.iter().map(|g| g * g).sum::<f64>().sqrt())
            .fold(0.0, f64::max)
    };
    // Power iteration converges geometrically; 100 rounds leave well under one part in a thousand here.
    assert!(slopes(&effective, &mut tape) <= 0.8 * 1.001);
    assert!(slopes(&trained, &mut tape) > 0.8, "the negative control: unnormalised, the bound is broken");
}

#[test]
fn buffers_that_do_not_fit_are_errors() {
    let net = Mlp::new(3, &[4], Activation::Tanh, Output::Identity).unwrap();
    let mut tape = Tape::new();
    assert!(Weights::new(&net, &[0.0; 3]).is_err());
    let weights = Weights::new(&net, &vec![0.0; net.parameter_count()]).unwrap();
    assert!(net.evaluate(&weights, &[0.0; 4], Order::Jet, &mut tape).is_err());
    assert!(Mlp::new(3, &[], Activation::Tanh, Output::Identity).is_err());
    assert!(Potential::new(3, &[4], Activation::Relu).is_err());
}
