//! Networks with a quadratic part: against the form written out, central differences, and the map between Gaussians.

use crate::common::{assert_gradient, uniform};
use flows::FlowError;
use flows::activation::Activation;
use flows::affine::Affine;
use flows::convolution::ConvolutionDescription;
use flows::explicit::ExplicitFlow;
use flows::flow::FlowObjective;
use flows::mlp::{Cotangent, Mlp, Order, Output};
use flows::network::{Network, Tape, Weights};
use flows::scalar_field::{Evaluation, ScalarField};
use ndarray::{Array2, Axis, array};
use ot_core::gaussian::Gaussian;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A perceptron of three numbers, and convolutions of images of 4 × 4 pixels.
fn networks() -> [Network; 2] {
    let image = ConvolutionDescription { image: [4, 4, 1], channels: vec![2], kernel: 3, pooling: 2 };
    let (activation, output) = (Activation::SharpSoftplus, Output::Identity);
    [
        Mlp::new(3, &[5, 4], activation, output).unwrap().into(),
        Network::of_images(&image, (16, 0), &[5], activation, output).unwrap(),
    ]
}

/// No initial parameters: those of the form begin at 0, and biases too.
fn parameters(net: &Network, rng: &mut ChaCha8Rng) -> Vec<f64> {
    uniform(rng, net.parameter_count()).into_iter().map(|p| 0.5 * p).collect()
}

fn evaluated(net: &Network, theta: &[f64], z: &[f64], order: Order) -> Tape<f64> {
    let mut tape = Tape::default();
    net.evaluate(&Weights::new(net, theta).unwrap(), z, order, &mut tape).unwrap();
    tape
}

/// b·x + Σ ½ x_i·A_ij·x_j and its derivative, of an A that is not symmetric; 130 points are more than two threads' worth.
#[test]
fn the_value_is_the_sum_of_the_network_and_the_form() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for plain in networks() {
        let (dim, net) = (plain.input(), plain.clone().with_quadratic());
        let theta = parameters(&net, &mut rng);
        let (own, form) = theta.split_at(plain.parameter_count());
        let (matrix, linear) = form.split_at(dim * dim);
        let z = uniform(&mut rng, 130 * dim);
        let (alone, both) = (evaluated(&plain, own, &z, Order::Jet), evaluated(&net, &theta, &z, Order::Jet));
        for (i, x) in z.chunks_exact(dim).enumerate() {
            let mut value = alone.value()[i];
            for j in 0..dim {
                let mut slope = alone.gradient()[i * dim + j] + linear[j];
                for k in 0..dim {
                    value += 0.5 * x[j] * matrix[j * dim + k] * x[k];
                    slope += 0.5 * (matrix[j * dim + k] + matrix[k * dim + j]) * x[k];
                }
                value += linear[j] * x[j];
                // Sums of at most 300 products below one.
                assert!((both.gradient()[i * dim + j] - slope).abs() < 1e-13, "slope {j} of {i}");
            }
            assert!((both.value()[i] - value).abs() < 1e-13, "value {i}");
        }
    }
}

#[test]
fn the_pull_back_is_the_derivative_of_any_loss_of_the_jet() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for plain in networks() {
        let (dim, net) = (plain.input(), plain.with_quadratic());
        let (theta, z) = (parameters(&net, &mut rng), uniform(&mut rng, 3 * dim));
        for with_slopes in [true, false] {
            let (cu, cg) = (uniform(&mut rng, 3), uniform(&mut rng, 3 * dim));
            let order = if with_slopes { Order::Jet } else { Order::Value };
            let loss = |theta: &[f64], z: &[f64]| -> f64 {
                let jet = evaluated(&net, theta, z, order);
                let value: f64 = jet.value().iter().zip(&cu).map(|(a, b)| a * b).sum();
                value + jet.gradient().iter().zip(&cg).map(|(a, b)| a * b).sum::<f64>()
            };
            let mut tape = evaluated(&net, &theta, &z, order);
            let (mut d_theta, mut d_z) = (vec![0.0; theta.len()], vec![0.0; z.len()]);
            let cotangent =
                Cotangent { value: &cu, gradient: with_slopes.then_some(cg.as_slice()), common: None };
            let weights = Weights::new(&net, &theta).unwrap();
            net.pull_back(&weights, &mut tape, cotangent, &mut d_theta, Some(&mut d_z)).unwrap();
            // The sharp softplus has third derivatives of order 100.
            assert_gradient(&theta, &d_theta, 1e-6, |theta| loss(theta, &z));
            assert_gradient(&z, &d_z, 1e-6, |z| loss(&theta, z));
        }
    }
}

#[test]
fn what_is_left_out_of_a_batch_is_left_out_of_the_form() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let net = networks()[0].clone().with_quadratic();
    let (theta, z) = (parameters(&net, &mut rng), uniform(&mut rng, 9));
    let mut tape = evaluated(&net, &theta, &z, Order::Jet);
    tape.retain(&[true, false, true]).unwrap();
    let few = [&z[..3], &z[6..]].concat();
    let mut alone = evaluated(&net, &theta, &few, Order::Jet);
    assert_eq!((tape.value(), tape.gradient()), (alone.value(), alone.gradient()));
    let (cu, cg, weights) = ([0.3, -0.7], uniform(&mut rng, 6), Weights::new(&net, &theta).unwrap());
    let gradients = [&mut tape, &mut alone].map(|tape| {
        let cotangent = Cotangent { value: &cu, gradient: Some(&cg), common: None };
        let (mut d_theta, mut d_z) = (vec![0.0; theta.len()], vec![0.0; 6]);
        net.pull_back(&weights, tape, cotangent, &mut d_theta, Some(&mut d_z)).unwrap();
        (d_theta, d_z)
    });
    assert_eq!(gradients[0], gradients[1]);
}

/// With a network of zeros, S = I − M and b = −m the particles go where the optimal map x ↦ Mx + m takes them.
#[test]
fn a_quadratic_part_alone_is_the_map_between_gaussians() {
    let law = |mean, covariance| Gaussian::new(mean, covariance).unwrap();
    let source = law(array![0.0, 0.0, 0.0], Array2::eye(3));
    let target = law(array![1.0, -2.0, 0.5], array![[4.0, 1.0, 0.2], [1.0, 2.0, -0.3], [0.2, -0.3, 0.6]]);
    let map = source.transport_map(&target).unwrap();
    let net = networks()[0].clone().with_quadratic();
    let objective = FlowObjective { lambda: 0.5, horizon: 2.0, ..FlowObjective::default() };
    let bounded = ExplicitFlow::new(Affine::identity(3), net.clone(), &objective, Some(1.0)).unwrap_err();
    assert!(bounded.to_string().contains("a quadratic form exceeds every slope"), "{bounded}");
    let flow = ExplicitFlow::new(Affine::identity(3), net, &objective, None).unwrap();
    let mut theta = vec![0.0; flow.network().parameter_count() - 12];
    theta.extend((Array2::eye(3) - &map.matrix).iter());
    theta.extend(target.mean().iter().map(|m| -m));
    let mut field = flow.at(&theta, &[]).unwrap();
    let x = Array2::from_shape_vec((10, 3), uniform(&mut ChaCha8Rng::seed_from_u64(4), 30)).unwrap();
    let (ends, expected) = (field.ends(x.view()).unwrap(), map.apply(x.view()).unwrap());
    let back = field.inverse(ends.view()).unwrap();
    let determinants = field.log_determinant(x.view()).unwrap();
    // det M is the root of det Σ = 4.142, written out.
    let determinant = 0.5 * (4.0 * (2.0 * 0.6 - 0.09) - (0.6 + 0.06) + 0.2 * (-0.3 - 0.4_f64)).ln();
    for i in 0..10 {
        let off = |a: &Array2<f64>, b: &Array2<f64>| {
            (&a.index_axis(Axis(0), i) - &b.index_axis(Axis(0), i))
                .iter()
                .fold(0.0_f64, |m, x| m.max(x.abs()))
        };
        assert!(off(&ends, &expected) < 1e-12, "{i}: roots of matrices of order one");
        assert!(off(&back, &x) < 1e-6, "{i}: a search ends where its slope is 1e-7");
        assert!((determinants[i] - determinant).abs() < 1e-12, "{} against {determinant}", determinants[i]);
    }
}

#[test]
fn a_quadratic_part_begins_at_zero_and_makes_no_perceptron() {
    for plain in networks() {
        let net = plain.clone().with_quadratic();
        let theta: Vec<f64> = net.initial(&mut ChaCha8Rng::seed_from_u64(5));
        let same: Vec<f64> = plain.initial(&mut ChaCha8Rng::seed_from_u64(5));
        assert_eq!(theta[..same.len()], same[..], "what is drawn of the network does not change");
        assert!(theta[same.len()..].iter().all(|p| *p == 0.0));
        assert!(net.perceptron().is_none() && net.has_quadratic() && !plain.has_quadratic());
        assert!(plain.quadratic_part(&same).unwrap().is_none());
        let is_shape =
            |result: Result<(), FlowError>| assert!(matches!(result, Err(FlowError::Shape { .. })));
        is_shape(Weights::new(&net, &same).map(drop));
        is_shape(net.quadratic_part(&same).map(drop));
        let weights = Weights::new(&net, &theta).unwrap();
        let z = vec![0.1; net.input() - 1];
        is_shape(net.evaluate(&weights, &z, Order::Jet, &mut Tape::default()));
        let tape = evaluated(&net, &theta, &vec![0.1; net.input()], Order::Jet);
        assert!(net.laplacian(&weights, &tape).is_err());
    }
}
