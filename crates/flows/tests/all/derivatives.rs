//! The closed forms against central differences in double precision.

use crate::common::uniform;
use flows::activation::Activation;
use flows::critic::{self, Critic, CriticBatch, CriticObjective};
use flows::flow::{self, Flow, FlowObjective, Interaction, Paths};
use flows::game::{Game, Networks};
use flows::integrate::VelocityField;
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, SlopePenalty, SpectralState};
use flows::mlp::{Cotangent, Initialisation, Mlp, Order, Output, Tape, Weights};
use flows::potential::Potential;
use flows::velocity::Velocity;
use ndarray::{Array2, ArrayView2};
use ot_core::divergence::Divergence;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A factor 100 for networks whose third derivatives are not of order one.
const TOLERANCE: f64 = 1e-8;

/// [`common::assert_gradient`] within [`TOLERANCE`].
fn assert_gradient(at: &[f64], gradient: &[f64], loss: impl FnMut(&[f64]) -> f64) {
    crate::common::assert_gradient(at, gradient, TOLERANCE, loss);
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

fn critic(divergence: Divergence, form: SlopePenalty, points: PenaltyPoints) -> Critic {
    let output = Output::for_divergence(divergence, DIVERGENCE_WEIGHT);
    Critic {
        network: Mlp::new(2, &[5, 4], Activation::Softplus, output).unwrap().into(),
        objective: CriticObjective { divergence, weight: DIVERGENCE_WEIGHT },
        bound: 1e-4,
        lipschitz: Lipschitz::Penalty(Penalty { form, weight: 0.7, points }),
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
                let critic = critic(divergence, penalty, points);
                let theta = parameters(critic.network.head(), &mut rng);
                let (generated, target) = (uniform(&mut rng, 8), uniform(&mut rng, 8));
                let mixing = [0.1, 0.4, 0.6, 0.9];
                let batch = CriticBatch { generated: &generated, target: &target, mixing: &mixing };
                let mut gradient = vec![0.0; theta.len()];
                let mut workspace = critic::Workspace::default();
                let value = workspace.gradient(&critic, &theta, batch, &mut gradient).unwrap();
                assert!(value.penalty > 0.0, "the penalty is not active: {value:?}");
                let mut discarded = gradient.clone();
                assert_gradient(&theta, &gradient, |theta| {
                    let value = workspace.gradient(&critic, theta, batch, &mut discarded).unwrap();
                    value.penalty - value.divergence
                });
            }
        }
    }
}

/// Every representation that is differentiated, alone and with noise and each interaction.
fn flow_games() -> Vec<Game> {
    let objective = FlowObjective {
        lambda: 0.6,
        horizon: 1.3,
        velocity_spread: 0.4,
        hamilton_jacobi: 0.3,
        terminal_gradient: 0.2,
        characteristic: 0.5,
        ..FlowObjective::default()
    };
    let forces = [
        (0.0, None),
        (0.7, None),
        (0.0, Some(Interaction::Quadratic { weight: 0.8 })),
        (0.7, Some(Interaction::Gaussian { weight: 0.6, width: 0.9 })),
    ];
    let potential = || Potential::new(2, &[6, 5], Activation::Tanh).unwrap();
    let velocity = Velocity::new(2, &[5, 4], Activation::Tanh).unwrap();
    let flows = [Flow::Network(potential()), Flow::ExactTerminal(potential()), Flow::Velocity(velocity)];
    let with_forces = |flow: Flow| {
        forces.map(move |(noise, interaction)| {
            let direct = matches!(flow, Flow::Velocity(_));
            let hamilton_jacobi = if direct { 0.0 } else { objective.hamilton_jacobi };
            Game {
                critic: critic(
                    Divergence::DonskerVaradhan,
                    SlopePenalty::OneSided,
                    PenaltyPoints::Interpolates,
                ),
                flow: flow.clone(),
                objective: FlowObjective { noise, interaction, hamilton_jacobi, ..objective },
            }
        })
    };
    flows.into_iter().flat_map(with_forces).collect()
}

/// Parameters of the flow's network.
fn flow_parameters(game: &Game, rng: &mut ChaCha8Rng) -> Vec<f64> {
    match &game.flow {
        Flow::Velocity(velocity) => uniform(rng, velocity.net().parameter_count()),
        Flow::Network(potential)
        | Flow::ExactTerminal(potential)
        | Flow::HopfLax { proposal: potential, .. } => parameters(potential.net().head(), rng),
    }
}

#[test]
fn flow_gradient_is_the_derivative_of_its_objective() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for game in flow_games() {
        let (theta, phi) =
            (flow_parameters(&game, &mut rng), parameters(game.critic.network.head(), &mut rng));
        assert_eq!(theta.len(), game.flow.parameter_count());
        let x0 = uniform(&mut rng, 8);
        for steps in [1, 2, 5] {
            let numbers = if game.objective.noise > 0.0 { 8 * steps } else { 0 };
            let noise = uniform(&mut rng, numbers);
            let paths = Paths { start: &x0, steps, noise: &noise };
            let mut workspace = flow::Workspace::default();
            let mut gradient = vec![0.0; theta.len()];
            let networks = Networks { flow: &theta, critic: &phi };
            let value = workspace.gradient(&game, networks, paths, &mut gradient).unwrap();
            let exact_end = matches!(game.flow, Flow::ExactTerminal(_));
            // By construction the gap is that of rounding.
            assert_eq!(exact_end, value.terminal_gradient < 1e-25, "{value:?}");
            assert_eq!(game.objective.interaction.is_some(), value.interaction > 0.0, "{value:?}");
            let has_potential = game.flow.potential().is_some();
            assert_eq!(has_potential, value.hamilton_jacobi > 0.0, "{value:?}");
            assert!(value.characteristic > 0.0, "{value:?}");
            assert_eq!(
                steps > 1,
                value.velocity_spread > 1e-12,
                "one step is straight, several are not: {value:?}"
            );
            let mut discarded = gradient.clone();
            assert_gradient(&theta, &gradient, |theta| {
                let networks = Networks { flow: theta, critic: &phi };
                workspace.gradient(&game, networks, paths, &mut discarded).unwrap().total
            });
        }
    }
}

#[test]
fn noise_must_come_for_every_step() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let game = flow_games().swap_remove(1);
    let (theta, phi) = (flow_parameters(&game, &mut rng), parameters(game.critic.network.head(), &mut rng));
    let paths = Paths { start: &[0.1, 0.2], steps: 2, noise: &[0.3, 0.4] };
    let networks = Networks { flow: &theta, critic: &phi };
    let refused = flow::Workspace::default().push_forward(&game, networks, paths);
    assert!(matches!(refused, Err(flows::FlowError::Shape { .. })), "{refused:?}");
}

/// Training pushes its points along the field that is sampled and recorded; the second parameters find a workspace in
/// use.
#[test]
fn pushing_forward_is_euler_with_the_field() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for game in flow_games().into_iter().filter(|game| game.objective.noise == 0.0) {
        let mut workspace = flow::Workspace::default();
        for _ in 0..2 {
            let (theta, phi) =
                (flow_parameters(&game, &mut rng), parameters(game.critic.network.head(), &mut rng));
            let networks = Networks { flow: &theta, critic: &phi };
            let start = uniform(&mut rng, 8);
            let paths = Paths { start: &start, steps: 3, noise: &[] };
            let end = workspace.push_forward(&game, networks, paths).unwrap();
            let mut x = Array2::from_shape_vec((4, 2), start.clone()).unwrap();
            let (mut v, h) = (Array2::zeros((4, 2)), game.objective.horizon / 3.0);
            let mut field = game.field::<f64>(networks, &[]).unwrap();
            for i in 0..3 {
                field.velocity(x.view(), f64::from(i) * h, v.view_mut()).unwrap();
                x.scaled_add(h, &v);
            }
            let gap = end.iter().zip(&x).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            // Three steps of numbers of order one, rounded in another order.
            assert!(gap < 1e-13, "{:?}: {gap}", game.flow);
        }
    }
}

/// ∇U, ∂ₜU and ΔU of the field that is sampled and recorded, against differences of one another: no formula is shared.
#[test]
fn a_field_and_its_laplacian_are_of_one_function() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    // The network and the exact terminal condition, without noise and interaction.
    for game in [flow_games().swap_remove(0), flow_games().swap_remove(4)] {
        let (theta, phi) =
            (flow_parameters(&game, &mut rng), parameters(game.critic.network.head(), &mut rng));
        let networks = Networks { flow: &theta, critic: &phi };
        let mut field = game.field::<f64>(networks, &[]).unwrap();
        let (x, t, h) = (uniform(&mut rng, 2), 0.4, 1e-5);
        let mut jet = |x: &[f64], t: f64| {
            let found = field.derivatives(ArrayView2::from_shape((1, 2), x).unwrap(), t).unwrap();
            ([found.gradient[[0, 0]], found.gradient[[0, 1]]], found.time[0])
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
            assert!((mixed - in_time).abs() < 1e-7, "{:?}: {mixed} against {in_time}", game.flow);
        }
        let laplacian = field.laplacian(ArrayView2::from_shape((1, 2), &x).unwrap(), t).unwrap()[0];
        assert!((laplacian - trace).abs() < 1e-7, "{:?}: {laplacian} against {trace}", game.flow);
    }
}

#[test]
fn spectral_pull_back_is_the_derivative_through_the_normalisation() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let net = Mlp::new(3, &[5, 4], Activation::Softplus, Output::Identity).unwrap();
    let trained = parameters(&net, &mut rng);
    let cotangent = uniform(&mut rng, trained.len());
    let loss = |trained: &[f64]| -> f64 {
        let effective = SpectralState::new(&net, trained, 2.0).unwrap().effective(trained).unwrap();
        effective.iter().zip(&cotangent).map(|(a, b)| a * b).sum()
    };
    let mut gradient = cotangent.clone();
    SpectralState::new(&net, &trained, 2.0).unwrap().pull_back(&trained, &mut gradient).unwrap();
    assert_gradient(&trained, &gradient, loss);
}

#[test]
fn spectrally_normalised_critics_keep_their_bound() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let net = Mlp::new(3, &[16, 16], Activation::Relu, Output::Identity).unwrap();
    let trained: Vec<f64> = parameters(&net, &mut rng).iter().map(|p| 10.0 * p).collect();
    let effective = SpectralState::new(&net, &trained, 0.8).unwrap().effective(&trained).unwrap();
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
