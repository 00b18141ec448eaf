//! Critics of orthonormal layers: their formula, their gradient and their bound.

use crate::common::{assert_gradient, uniform};
use flows::FlowError;
use flows::activation::Activation;
use flows::lipschitz::{Orthonormal, SpectralState};
use flows::mlp::{Initialisation, Layer, Mlp, Order, Output, Tape, Weights};
use flows::real::Real;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Layers that are taller than wide, square, and wider than tall.
const WIDTHS: [&[usize]; 3] = [&[8], &[12, 12, 6], &[4, 10, 10]];

fn network(input: usize, hidden: &[usize]) -> Mlp {
    Mlp::new(input, hidden, Activation::Relu, Output::Identity).unwrap()
}

/// Orthonormal layers with biases that matter.
fn trained(net: &Mlp, layers: &Orthonormal, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut trained = uniform(rng, net.parameter_count());
    layers.orthonormalise(&mut trained).unwrap();
    trained
}

fn jet<T: Real>(net: &Mlp, theta: &[T], z: &[T]) -> (Vec<T>, Vec<T>) {
    let mut tape = Tape::new();
    net.evaluate(&Weights::new(net, theta).unwrap(), z, Order::Jet, &mut tape).unwrap();
    (tape.value().to_vec(), tape.gradient().to_vec())
}

/// The rows of the matrix that a layer trains.
fn block(net: &Mlp, layer: &Layer, theta: &[f64]) -> Vec<Vec<f64>> {
    let rows = if layer.output == 1 { 1 } else { layer.output / 2 };
    let columns = if layer.input == net.input() { layer.input } else { layer.input / 2 };
    theta[layer.weight.clone()]
        .chunks_exact(layer.input)
        .take(rows)
        .map(|row| row[..columns].to_vec())
        .collect()
}

/// φ(x) = L·q·|…|Q₁x + c₁|…| + c, computed as it is written.
fn formula(net: &Mlp, theta: &[f64], bound: f64, x: &[f64]) -> f64 {
    let mut a = x.to_vec();
    for layer in net.layers() {
        let q = block(net, layer, theta);
        let bias = &theta[layer.bias.clone()];
        let dot = |row: &[f64]| row.iter().zip(&a).map(|(q, a)| q * a).sum::<f64>();
        if layer.output == 1 {
            return bound * dot(&q[0]) + bias[0];
        }
        a = q.iter().zip(bias).map(|(row, c)| (dot(row) + c).abs()).collect();
    }
    unreachable!("the last layer has one row")
}

#[test]
fn the_relu_network_is_the_formula_with_absolute_values() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for hidden in WIDTHS {
        let net = network(3, hidden);
        let layers = Orthonormal::new(&net, 2.5).unwrap();
        let trained = trained(&net, &layers, &mut rng);
        let effective = layers.effective(&trained).unwrap();
        let z = uniform(&mut rng, 3 * 50).iter().map(|z| 3.0 * z).collect::<Vec<_>>();
        let (values, _) = jet(&net, &effective, &z);
        for (x, value) in z.chunks_exact(3).zip(values) {
            let expected = formula(&net, &trained, 2.5, x);
            // The slope is held back by some 1e-6 for the roundings of single precision.
            assert!((value - expected).abs() < 1e-4, "{hidden:?}: {value} against {expected}");
        }
    }
}

#[test]
fn every_matrix_is_orthonormal_and_the_rest_of_the_buffer_is_zero() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for hidden in WIDTHS {
        let net = network(3, hidden);
        let layers = Orthonormal::new(&net, 1.0).unwrap();
        let trained = trained(&net, &layers, &mut rng);
        let mut used = 0;
        for layer in net.layers() {
            let q = block(&net, layer, &trained);
            let (rows, columns) = (q.len(), q[0].len());
            let entry = |i: usize, j: usize| -> f64 {
                if rows <= columns {
                    (0..columns).map(|k| q[i][k] * q[j][k]).sum()
                } else {
                    (0..rows).map(|k| q[k][i] * q[k][j]).sum()
                }
            };
            for i in 0..rows.min(columns) {
                for j in 0..rows.min(columns) {
                    let expected = if i == j { 1.0 } else { 0.0 };
                    // Tens of roundings.
                    assert!((entry(i, j) - expected).abs() < 1e-13, "{hidden:?}: {}", entry(i, j));
                }
            }
            used += rows * columns + rows;
        }
        assert_eq!(trained.iter().filter(|p| **p != 0.0).count(), used);
    }
}

#[test]
fn the_pull_back_is_the_derivative_through_the_nearest_orthonormal_matrix() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for hidden in WIDTHS {
        let net = network(3, hidden);
        let layers = Orthonormal::new(&net, 1.7).unwrap();
        let at = trained(&net, &layers, &mut rng);
        let cotangent = uniform(&mut rng, at.len());
        let mut gradient = cotangent.clone();
        layers.pull_back(&at, &mut gradient).unwrap();
        // The factor's third derivatives and the sums over a layer are of order ten.
        assert_gradient(&at, &gradient, 1e-7, |theta| {
            let mut moved = theta.to_vec();
            layers.orthonormalise(&mut moved).unwrap();
            layers.effective(&moved).unwrap().iter().zip(&cotangent).map(|(a, b)| a * b).sum()
        });
    }
}

#[test]
fn no_slope_exceeds_the_bound_in_single_precision() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for (dim, hidden) in [(2, &[64, 64][..]), (12, &[128, 128, 128]), (40, &[32, 48])] {
        for bound in [1.0, 2.5] {
            let net = network(dim, hidden);
            let layers = Orthonormal::new(&net, bound).unwrap();
            let mut drawn: Vec<f32> = Initialisation::GlorotUniform.draw(&net, &mut rng);
            for (p, noise) in drawn.iter_mut().zip(uniform(&mut rng, net.parameter_count())) {
                *p += 0.5 * noise as f32;
            }
            let effective = {
                let mut trained = drawn.clone();
                layers.orthonormalise(&mut trained).unwrap();
                layers.effective(&trained).unwrap()
            };
            let z: Vec<f32> = uniform(&mut rng, dim * 4000).iter().map(|&z| 4.0 * z as f32).collect();
            let steepest = |theta: &[f32]| {
                let (_, gradient) = jet(&net, theta, &z);
                let norm = |g: &[f32]| g.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
                gradient.chunks_exact(dim).map(norm).fold(0.0, f64::max)
            };
            assert!(steepest(&effective) <= bound, "{hidden:?}: {} of {bound}", steepest(&effective));
            assert!(steepest(&drawn) > bound, "the negative control: as drawn, the bound is broken");
            // Quotients of differences, in double precision: in single precision rounding makes those of near points.
            let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            let (values, _) = jet(&net, &wide(&effective), &wide(&z));
            for (pair, value) in z.chunks_exact(2 * dim).zip(values.chunks_exact(2)) {
                let (x, y) = pair.split_at(dim);
                let distance = x.iter().zip(y).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>().sqrt();
                assert!((value[0] - value[1]).abs() <= bound * distance);
            }
        }
    }
}

/// Backward through orthonormal rows is an isometry: when nothing is taller than wide, every slope is L, and single
/// precision must not round it above.
#[test]
fn no_slope_is_lost_through_layers_that_are_not_taller_than_wide() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let net = network(64, &[128, 128, 128, 128, 32]);
    let layers = Orthonormal::new(&net, 2.0).unwrap();
    let single = |x: Vec<f64>| x.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let mut trained = single(uniform(&mut rng, net.parameter_count()));
    layers.orthonormalise(&mut trained).unwrap();
    let z = single(uniform(&mut rng, 64 * 1000));
    let (_, gradient) = jet(&net, &layers.effective(&trained).unwrap(), &z);
    for g in gradient.chunks_exact(64) {
        let slope = g.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        // The slope is held back by some 1e-5 for the roundings.
        assert!(slope <= 2.0 && slope > 1.9999, "{slope}");
    }
}

#[test]
fn networks_that_are_not_pairs_of_relus_are_errors() {
    for (net, what) in [
        (
            Mlp::new(3, &[8], Activation::SharpSoftplus, Output::Identity).unwrap(),
            "activation is sharp-softplus",
        ),
        (network(3, &[8, 7]), "hidden is [8, 7]"),
    ] {
        let error = Orthonormal::new(&net, 1.0).unwrap_err();
        assert!(matches!(error, FlowError::Specification { .. }) && error.to_string().contains(what));
    }
}

#[test]
fn buffers_of_another_network_are_errors() {
    let net = network(3, &[8]);
    let layers = Orthonormal::new(&net, 1.0).unwrap();
    let mut state = SpectralState::new(&net, &vec![1.0; net.parameter_count()], 1.0).unwrap();
    let (short, mut gradient) = (vec![1.0; net.parameter_count() - 1], vec![1.0; net.parameter_count()]);
    assert!(layers.orthonormalise(&mut short.clone()).is_err());
    assert!(layers.effective(&short).is_err() && state.effective(&short).is_err());
    assert!(
        layers.pull_back(&short, &mut gradient).is_err() && state.pull_back(&short, &mut gradient).is_err()
    );
    assert!(state.iterate(&short).is_err() && SpectralState::new(&net, &short, 1.0).is_err());
    assert_eq!(gradient, vec![1.0; net.parameter_count()]);
}
