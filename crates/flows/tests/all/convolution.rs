//! Convolutional networks: against sums written out, and the closed forms against central differences.

use crate::common::{assert_gradient, uniform};
use flows::FlowError;
use flows::activation::Activation;
use flows::convolution::ConvolutionDescription;
use flows::critic::{Critic, CriticBatch, CriticObjective, Workspace};
use flows::flow::{self, Flow, FlowObjective, Paths};
use flows::game::{Game, Networks};
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, SlopePenalty};
use flows::mlp::{Cotangent, Mlp, Order, Output};
use flows::network::{Network, Tape, Weights};
use flows::potential::Potential;
use flows::scalar_field::{Evaluation, ScalarField};
use ndarray::Array2;
use ot_core::divergence::Divergence;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const ACTIVATIONS: [Activation; 4] =
    [Activation::Tanh, Activation::Softplus, Activation::SharpSoftplus, Activation::Relu];

/// The sharp softplus has third derivatives of order 100.
const TOLERANCE: f64 = 1e-6;

/// Images of 5 × 4 pixels of two numbers: the last row fills no square.
fn small() -> ConvolutionDescription {
    ConvolutionDescription { image: [5, 4, 2], channels: vec![3, 2], kernel: 3, pooling: 2 }
}

fn network(activation: Activation) -> Network {
    Network::of_images(&small(), (40, 0), &[5, 4], activation, Output::Identity).unwrap()
}

/// Initial parameters, moved: biases begin at zero, which a test should not.
fn parameters(net: &Network, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let drawn: Vec<f64> = net.initial(rng);
    drawn.iter().zip(uniform(rng, net.parameter_count())).map(|(p, noise)| p + 0.2 * noise).collect()
}

fn evaluated(net: &Network, theta: &[f64], z: &[f64], order: Order) -> Tape<f64> {
    let mut tape = Tape::default();
    net.evaluate(&Weights::new(net, theta).unwrap(), z, order, &mut tape).unwrap();
    tape
}

/// a₀ → a_L by the definition: every sum of every pixel, then the largest σ of every square.
fn by_definition(shape: &ConvolutionDescription, theta: &[f64], image: &[f64]) -> Vec<f64> {
    let ([mut rows, mut columns, mut numbers], mut a, mut theta) = (shape.image, image.to_vec(), theta);
    let (k, p) = (shape.kernel, shape.pooling);
    for &channels in &shape.channels {
        let inside = |y: usize, x: usize| y >= k / 2 && x >= k / 2 && y - k / 2 < rows && x - k / 2 < columns;
        let sum = |y: usize, x: usize, channel: usize| -> f64 {
            let mut sum = 0.0;
            for (dy, dx, i) in (0..k * k * numbers).map(|j| (j / numbers / k, j / numbers % k, j % numbers)) {
                if inside(y + dy, x + dx) {
                    let place = ((y + dy - k / 2) * columns + x + dx - k / 2) * numbers + i;
                    sum += theta[((channel * k + dy) * k + dx) * numbers + i] * a[place];
                }
            }
            sum
        };
        let mut pooled = Vec::new();
        for (y, x) in (0..rows / p).flat_map(|y| (0..columns / p).map(move |x| (y, x))) {
            for channel in 0..channels {
                let square = (0..p * p).map(|j| sum(y * p + j / p, x * p + j % p, channel).tanh());
                pooled.push(square.fold(f64::NEG_INFINITY, f64::max));
            }
        }
        theta = &theta[channels * k * k * numbers..];
        (rows, columns, numbers, a) = (rows / p, columns / p, channels, pooled);
    }
    a
}

#[test]
fn features_are_those_of_the_definition() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (image, channels, kernel, pooling) in [
        ([28, 28, 1], vec![8, 8], 7, 2),
        ([32, 32, 3], vec![4, 4], 5, 2),
        ([5, 4, 2], vec![3, 2], 3, 2),
        ([7, 10, 1], vec![2], 5, 3),
        ([3, 2, 2], vec![2, 1], 1, 1),
    ] {
        let shape = ConvolutionDescription { image, channels, kernel, pooling };
        let dim = shape.inputs();
        let net = Network::of_images(&shape, (dim, 0), &[3], Activation::Tanh, Output::Identity).unwrap();
        let theta = parameters(&net, &mut rng);
        let (kernels, head) = theta.split_at(net.convolutions().unwrap().parameter_count());
        let images = uniform(&mut rng, 2 * dim);
        let features: Vec<f64> =
            images.chunks_exact(dim).flat_map(|image| by_definition(&shape, kernels, image)).collect();
        let features = Array2::from_shape_vec((2, features.len() / 2), features).unwrap();
        let expected = net.head().at(head, features.view()).unwrap().0;
        let found = evaluated(&net, &theta, &images, Order::Value);
        for (found, expected) in found.value().iter().zip(&expected) {
            // Sums of up to 400 products of order one.
            assert!((found - expected).abs() < 1e-12, "{shape:?}: {found} against {expected}");
        }
    }
}

#[test]
fn the_input_gradient_is_the_derivative_of_the_value() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for activation in ACTIVATIONS {
        let net = network(activation);
        let theta = parameters(&net, &mut rng);
        let z = uniform(&mut rng, 2 * 40);
        let jet = evaluated(&net, &theta, &z, Order::Jet);
        assert_gradient(&z, jet.gradient(), TOLERANCE, |z| {
            evaluated(&net, &theta, z, Order::Value).value().iter().sum()
        });
    }
}

#[test]
fn the_pull_back_is_the_derivative_of_any_loss_of_the_jet() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for activation in ACTIVATIONS {
        let net = network(activation);
        let (theta, z) = (parameters(&net, &mut rng), uniform(&mut rng, 2 * 40));
        for with_slopes in [true, false] {
            let (cu, cg) = (uniform(&mut rng, 2), uniform(&mut rng, 2 * 40));
            let loss = |theta: &[f64], z: &[f64]| -> f64 {
                let jet = evaluated(&net, theta, z, Order::Jet);
                let value: f64 = jet.value().iter().zip(&cu).map(|(a, b)| a * b).sum();
                let slopes: f64 = jet.gradient().iter().zip(&cg).map(|(a, b)| a * b).sum();
                if with_slopes { value + slopes } else { value }
            };
            let order = if with_slopes { Order::Jet } else { Order::Value };
            let mut tape = evaluated(&net, &theta, &z, order);
            let (mut d_theta, mut d_z) = (vec![0.0; theta.len()], vec![0.0; z.len()]);
            let cotangent =
                Cotangent { value: &cu, gradient: with_slopes.then_some(cg.as_slice()), common: None };
            let weights = Weights::new(&net, &theta).unwrap();
            net.pull_back(&weights, &mut tape, cotangent, &mut d_theta, Some(&mut d_z)).unwrap();
            assert_gradient(&theta, &d_theta, TOLERANCE, |theta| loss(theta, &z));
            assert_gradient(&z, &d_z, TOLERANCE, |z| loss(&theta, z));
        }
    }
}

fn critic(activation: Activation) -> Critic {
    let penalty =
        Penalty { form: SlopePenalty::OneSidedSquared, weight: 0.7, points: PenaltyPoints::Interpolates };
    Critic {
        network: network(activation),
        objective: CriticObjective { divergence: Divergence::DonskerVaradhan, weight: 1.7 },
        bound: 0.25,
        lipschitz: Lipschitz::Penalty(penalty),
    }
}

/// The bound is the mean slope: some points are below it, and the penalty leaves them out.
#[test]
fn the_gradient_of_a_critic_with_a_penalty_is_the_derivative_of_its_objective() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for activation in ACTIVATIONS {
        let mut critic = critic(activation);
        let theta = parameters(&critic.network, &mut rng);
        let (generated, target) = (uniform(&mut rng, 6 * 40), uniform(&mut rng, 6 * 40));
        let mixing = [0.1, 0.3, 0.5, 0.6, 0.8, 0.9];
        let batch = CriticBatch { generated: &generated, target: &target, mixing: &mixing };
        let mut gradient = vec![0.0; theta.len()];
        let free = Workspace::default().gradient(&critic, &theta, batch, &mut gradient).unwrap();
        critic.bound = free.slope_mean;
        let value = Workspace::default().gradient(&critic, &theta, batch, &mut gradient).unwrap();
        assert!(value.penalty > 1e-4, "{activation}: {value:?}");
        assert_gradient(&theta, &gradient, TOLERANCE, |theta| {
            let mut discarded = vec![0.0; theta.len()];
            -Workspace::default().gradient(&critic, theta, batch, &mut discarded).unwrap().total()
        });
    }
}

/// The kinetic energy, the Hamilton–Jacobi residual, whose ∂ₜU comes of the time beside the features, and the terminal gap.
#[test]
fn the_gradient_of_a_flow_is_the_derivative_of_its_objective() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for activation in ACTIVATIONS {
        let potential = || Potential::of_images(40, &small(), &[5, 4], activation).unwrap();
        for flow in [Flow::Network(potential()), Flow::ExactTerminal(potential())] {
            let objective = FlowObjective {
                lambda: 0.7,
                horizon: 1.5,
                hamilton_jacobi: 0.3,
                terminal_gradient: 0.2,
                ..FlowObjective::default()
            };
            let game = Game { critic: critic(activation), flow, objective };
            let theta = parameters(potential().net(), &mut rng);
            let phi = parameters(&game.critic.network, &mut rng);
            let start = uniform(&mut rng, 2 * 40);
            let paths = Paths { start: &start, steps: 2, noise: &[] };
            let total = |theta: &[f64]| {
                let networks = Networks { flow: theta, critic: &phi };
                let mut gradient = vec![0.0; theta.len()];
                let value =
                    flow::Workspace::default().gradient(&game, networks, paths, &mut gradient).unwrap();
                (value, gradient)
            };
            let (value, gradient) = total(&theta);
            assert!(value.kinetic_energy > 1e-6 && value.hamilton_jacobi > 1e-6, "{activation}: {value:?}");
            assert_gradient(&theta, &gradient, TOLERANCE, |theta| total(theta).0.total);
        }
    }
}

/// Forty images are three tiles; what is left out is left out of each.
#[test]
fn a_batch_is_its_images_one_by_one() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let net = network(Activation::Softplus);
    let (theta, z) = (parameters(&net, &mut rng), uniform(&mut rng, 40 * 40));
    let weights = Weights::new(&net, &theta).unwrap();
    let keep: Vec<bool> = (0..40).map(|i| i % 3 != 0 && !(16..32).contains(&i)).collect();
    let mut tape = evaluated(&net, &theta, &z, Order::Jet);
    tape.retain(&keep).unwrap();
    let count = tape.value().len();
    let (cu, cg) = (uniform(&mut rng, count), uniform(&mut rng, count * 40));
    let (mut d_theta, mut d_z) = (vec![0.0; theta.len()], vec![0.0; count * 40]);
    let (values, gradients) = (tape.value().to_vec(), tape.gradient().to_vec());
    let cotangent = Cotangent { value: &cu, gradient: Some(&cg), common: None };
    net.pull_back(&weights, &mut tape, cotangent, &mut d_theta, Some(&mut d_z)).unwrap();

    let mut sum = vec![0.0; theta.len()];
    let kept = z.chunks_exact(40).zip(&keep).filter(|(_, keep)| **keep);
    for (i, (image, _)) in kept.enumerate() {
        let own = i * 40..(i + 1) * 40;
        let mut one = evaluated(&net, &theta, image, Order::Jet);
        assert_eq!((one.value(), one.gradient()), (&values[i..=i], &gradients[own.clone()]));
        let cotangent = Cotangent { value: &cu[i..=i], gradient: Some(&cg[own.clone()]), common: None };
        let mut d_image = vec![0.0; 40];
        net.pull_back(&weights, &mut one, cotangent, &mut sum, Some(&mut d_image)).unwrap();
        assert_eq!(d_image, d_z[own]);
    }
    for (found, expected) in d_theta.iter().zip(&sum) {
        // Sums of 18 numbers of order one in another order.
        assert!((found - expected).abs() < 1e-12, "{found} against {expected}");
    }
}

#[test]
fn what_is_no_image_is_refused_by_its_name() {
    let refused = |description: ConvolutionDescription, dim: usize| match description
        .build(dim, Activation::Relu)
        .unwrap_err()
    {
        FlowError::Specification { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(refused(small(), 41), "convolutions.image");
    assert_eq!(refused(ConvolutionDescription { image: [40, 0, 1], ..small() }, 0), "convolutions.image");
    assert_eq!(refused(ConvolutionDescription { channels: vec![], ..small() }, 40), "convolutions.channels");
    assert_eq!(refused(ConvolutionDescription { kernel: 2, ..small() }, 40), "convolutions.kernel");
    for pooling in [0, 3] {
        assert_eq!(refused(ConvolutionDescription { pooling, ..small() }, 40), "convolutions.pooling");
    }
}

#[test]
fn buffers_that_do_not_fit_are_errors() {
    let net = network(Activation::Relu);
    let theta = vec![0.1; net.parameter_count()];
    let weights = Weights::new(&net, &theta).unwrap();
    let is_shape = |result: Result<(), FlowError>| assert!(matches!(result, Err(FlowError::Shape { .. })));
    is_shape(Weights::new(&net, &theta[1..]).map(drop));
    let mut tape = Tape::default();
    is_shape(net.evaluate(&weights, &[0.0; 39], Order::Jet, &mut tape));
    is_shape(net.evaluate_with_common(&weights, &[0.0; 40], Some(0.5), Order::Jet, &mut tape));
    let slopes = Cotangent { value: &[1.0], gradient: Some(&[1.0; 40]), common: None };
    let mut gradient = vec![0.0; theta.len()];
    let mut values = evaluated(&net, &theta, &[0.5; 40], Order::Value);
    is_shape(net.pull_back(&weights, &mut values, slopes, &mut gradient, None));
    let mut jet = evaluated(&net, &theta, &[0.5; 40], Order::Jet);
    is_shape(net.pull_back(&weights, &mut jet, slopes, &mut gradient[1..], None));
    is_shape(net.pull_back(&weights, &mut jet, slopes, &mut gradient, Some(&mut [0.0])));
    is_shape(jet.retain(&[true; 2]));
}

/// What asks for the layers of a perceptron is told that there are others.
#[test]
fn a_network_of_convolutions_is_no_perceptron() {
    assert!(network(Activation::Relu).perceptron().is_none());
    let plain = Mlp::new(2, &[3], Activation::Relu, Output::Identity).unwrap();
    assert_eq!(Network::from(plain.clone()).perceptron(), Some(&plain));
    for method in [Lipschitz::Spectral, Lipschitz::Orthonormal] {
        let net = network(Activation::Relu);
        let mut theta = vec![0.1; net.parameter_count()];
        assert!(method.reparametrise(&net, 1.0, &mut theta).is_err());
    }
}
