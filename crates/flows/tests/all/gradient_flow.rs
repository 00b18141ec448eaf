//! Generators and Kantorovich potentials against central differences and hand computations, in double precision.

use crate::common::uniform;
use flows::activation::Activation;
use flows::generator::{
    Generator, GeneratorForm, GeneratorInitialisation, GeneratorOutput, GeneratorTape, NORMALISATION_FLOOR,
    RunningStatistics, Statistics, fit, push,
};
use flows::kantorovich::{GapPenalty, KantorovichObjective, PairBatch, Pairing, Potentials, Psi, Workspace};
use flows::mlp::{Initialisation, Mlp, Order, Output, Tape, Weights};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A factor 1000 for the third derivatives of small variances.
const TOLERANCE: f64 = 1e-7;

/// [`common::assert_gradient`] within [`TOLERANCE`].
fn assert_gradient(at: &[f64], gradient: &[f64], loss: impl FnMut(&[f64]) -> f64) {
    crate::common::assert_gradient(at, gradient, TOLERANCE, loss);
}

fn form(activation: Activation, batch_norm: bool, residual: bool, output: GeneratorOutput) -> GeneratorForm {
    GeneratorForm { activation, batch_norm, residual, output }
}

fn drawn(generator: &Generator, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let start = GeneratorInitialisation { hidden: None, last: 0.5, scale: Some(1.0) };
    let mut theta: Vec<f64> = start.draw(generator, rng);
    let noise = uniform(rng, theta.len());
    // Shifts start at zero; a test should not.
    theta.iter_mut().zip(noise).for_each(|(theta, noise)| *theta += 0.3 * noise);
    theta
}

#[test]
fn generator_pull_back_is_the_derivative_in_both_modes() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for activation in [Activation::Tanh, Activation::Relu] {
        for batch_norm in [false, true] {
            for (residual, out) in [(true, 3), (false, 2)] {
                for output in [GeneratorOutput::Identity, GeneratorOutput::Tanh { scale: 2.0 }] {
                    let form = form(activation, batch_norm, residual, output);
                    let generator = Generator::new(3, &[5, 4], out, form).unwrap();
                    let theta = drawn(&generator, &mut rng);
                    let (z, cotangent) = (uniform(&mut rng, 18), uniform(&mut rng, 6 * out));
                    let mut running = RunningStatistics::new(&generator);
                    running.variance.iter_mut().for_each(|v| *v += 0.5);
                    running.mean.iter_mut().for_each(|m| *m += 0.2);
                    for statistics in [Statistics::Batch, Statistics::Running(&running)] {
                        let mut tape = GeneratorTape::new();
                        generator.evaluate(&theta, &z, statistics, &mut tape).unwrap();
                        let mut gradient = vec![0.0; theta.len()];
                        let mut d_z = vec![0.0; z.len()];
                        let input = Some(d_z.as_mut_slice());
                        generator.pull_back(&theta, &mut tape, &cotangent, &mut gradient, input).unwrap();
                        let mut loss = |theta: &[f64], z: &[f64]| -> f64 {
                            generator.evaluate(theta, z, statistics, &mut tape).unwrap();
                            tape.points().iter().zip(&cotangent).map(|(a, b)| a * b).sum()
                        };
                        assert_gradient(&theta, &gradient, |theta| loss(theta, &z));
                        assert_gradient(&z, &d_z, |z| loss(&theta, z));
                    }
                }
            }
        }
    }
}

/// One hidden unit with weight 1 sees s = z = (1, 2, 6): mean 3, biased variance (4 + 1 + 9)/3, unbiased 7.
#[test]
fn normalisation_matches_the_computation_by_hand() {
    let form = form(Activation::Relu, true, false, GeneratorOutput::Identity);
    let generator = Generator::new(1, &[1], 1, form).unwrap();
    // W, β, γ, then W, b: relu(2n + 10)·1 + 0.
    let theta = [1.0, 10.0, 2.0, 1.0, 0.0];
    let z = [1.0, 2.0, 6.0];
    let mut tape = GeneratorTape::new();
    generator.evaluate(&theta, &z, Statistics::Batch, &mut tape).unwrap();
    for (&z, &y) in z.iter().zip(tape.points()) {
        let expected = 10.0 + 2.0 * (z - 3.0) / (14.0 / 3.0 + NORMALISATION_FLOOR).sqrt();
        assert!((y - expected).abs() < 1e-14 * expected, "a few roundings: {y} not {expected}");
    }
    let mut running = RunningStatistics::new(&generator);
    running.update(&tape, 0.1).unwrap();
    running.update(&tape, 0.1).unwrap();
    let (mean, variance) = (0.9 * 0.3 + 0.3, 0.9 * (0.9 + 0.7) + 0.7);
    assert!((running.mean[0] - mean).abs() < 1e-15 && (running.variance[0] - variance).abs() < 1e-14);
    generator.evaluate(&theta, &[5.0], Statistics::Running(&running), &mut tape).unwrap();
    let expected = 10.0 + 2.0 * (5.0 - mean) / (variance + NORMALISATION_FLOOR).sqrt();
    assert!((tape.points()[0] - expected).abs() < 1e-14 * expected);
    assert!(running.update(&tape, 0.1).is_err(), "a tape of evaluation has no statistics of its batch");
    assert!(generator.evaluate(&theta, &[5.0], Statistics::Batch, &mut tape).is_err());
}

#[test]
fn a_residual_generator_with_small_last_weights_is_nearly_the_identity() {
    let form = form(Activation::Relu, true, true, GeneratorOutput::Tanh { scale: 2.0 });
    let generator = Generator::new(4, &[20, 30], 4, form).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let theta: Vec<f64> =
        GeneratorInitialisation { last: 1e-4, ..Default::default() }.draw(&generator, &mut rng);
    let z = uniform(&mut rng, 40);
    let mut tape = GeneratorTape::new();
    generator.evaluate(&theta, &z, Statistics::Batch, &mut tape).unwrap();
    let moved = tape.points().iter().zip(&z).map(|(y, z)| (y - z).abs()).fold(0.0, f64::max);
    // Activations are about 1, so 30 weights of 1e-4 add up to about 1e-3.
    assert!(moved > 0.0 && moved < 5e-3, "{moved}");
    let plain = GeneratorForm { residual: true, ..form };
    assert!(Generator::new(3, &[5], 2, plain).is_err(), "a residual needs one width");
}

/// Fitting G(z) to ζ = y − ε∇φ(y), K = 1, has 2ε times the gradient of mean φ(G(z)), the generator loss of W2GAN.
#[test]
fn one_flow_step_is_w2gan_up_to_twice_epsilon() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let form = form(Activation::Tanh, true, true, GeneratorOutput::Identity);
    let generator = Generator::new(2, &[6, 5], 2, form).unwrap();
    let phi = Mlp::new(2, &[7, 5], Activation::Softplus, Output::Identity).unwrap();
    let (theta, w) = (drawn(&generator, &mut rng), Initialisation::GlorotUniform.draw::<f64>(&phi, &mut rng));
    let w = Weights::new(&phi, &w).unwrap();
    let z = uniform(&mut rng, 16);
    let (mut tape, mut slopes) = (GeneratorTape::new(), Tape::new());
    generator.evaluate(&theta, &z, Statistics::Batch, &mut tape).unwrap();
    phi.evaluate(&w, tape.points(), Order::Jet, &mut slopes).unwrap();
    let epsilon = 0.3;
    let aims: Vec<f64> =
        tape.points().iter().zip(slopes.gradient()).map(|(y, slope)| y - epsilon * slope).collect();
    let (_, to_aims) = fit(tape.points(), &aims, 2).unwrap();
    let along = push(&[1.0; 8], slopes.gradient(), 2).unwrap();
    let mut gradient = |cotangent: &[f64]| {
        let mut gradient = vec![0.0; theta.len()];
        generator.pull_back(&theta, &mut tape, cotangent, &mut gradient, None).unwrap();
        gradient
    };
    let (flow, w2gan) = (gradient(&to_aims), gradient(&along));
    for (flow, w2gan) in flow.iter().zip(&w2gan) {
        // Roundings of a subtraction of numbers of order one, divided by nothing smaller than ε.
        assert!((flow - 2.0 * epsilon * w2gan).abs() < 1e-14, "{flow} {w2gan}");
    }
    // And W2GAN's is the derivative of mean φ(G(z)).
    assert_gradient(&theta, &w2gan, |theta| {
        let (mut tape, mut values) = (GeneratorTape::new(), Tape::new());
        generator.evaluate(theta, &z, Statistics::Batch, &mut tape).unwrap();
        phi.evaluate(&w, tape.points(), Order::Value, &mut values).unwrap();
        values.value().iter().sum::<f64>() / 8.0
    });
}

#[test]
fn kantorovich_gradient_is_the_derivative_of_its_objective() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for activation in [Activation::Softplus, Activation::Relu] {
        for psi in [Psi::Separate, Psi::MinusPhi] {
            for penalty in [
                GapPenalty::Linear { weight: 3.0 },
                GapPenalty::Quadratic { weight: 2.0 },
                GapPenalty::Entropic { temperature: 4.0 },
            ] {
                for (interpolated, equality) in [(false, 0.0), (true, 0.0), (false, 0.7), (true, 0.7)] {
                    let net = |hidden: &[usize]| Mlp::new(2, hidden, activation, Output::Identity).unwrap();
                    let potentials = Potentials { phi: net(&[5, 4]), eta: net(&[6]), psi };
                    let mut draw = |net: &Mlp| -> Vec<f64> {
                        let mut theta: Vec<f64> = Initialisation::GlorotUniform.draw(net, &mut rng);
                        let noise = uniform(&mut rng, theta.len());
                        theta.iter_mut().zip(noise).for_each(|(theta, noise)| *theta += 0.3 * noise);
                        // Costs are at most 4: gaps above 0, so that every penalty is active.
                        *theta.last_mut().unwrap() += 5.0;
                        theta
                    };
                    let both = [draw(&potentials.phi), draw(&potentials.eta)];
                    let split = both[0].len();
                    let both = both.concat();
                    let (y, x, mixing) = (
                        uniform(&mut rng, 8),
                        uniform(&mut rng, 8),
                        [0.1, 0.4, 0.6, 0.9, 0.3, 0.2, 0.8, 0.5],
                    );
                    let batch = PairBatch { generated: &y, target: &x, mixing: &mixing };
                    let pairing = if interpolated { Pairing::All } else { Pairing::Paired };
                    let objective = KantorovichObjective { penalty, pairing, interpolated, equality };
                    let mut workspace = Workspace::default();
                    let mut value = |both: &[f64]| {
                        let (phi, eta) = both.split_at(split);
                        let mut gradient = vec![0.0; both.len()];
                        let (d_phi, d_eta) = gradient.split_at_mut(split);
                        let value = workspace
                            .gradient(&potentials, objective, (phi, eta), batch, (d_phi, d_eta))
                            .unwrap();
                        (value, gradient)
                    };
                    let (found, gradient) = value(&both);
                    assert!(found.penalty > 0.0, "{found:?}");
                    assert_eq!(
                        (interpolated, equality > 0.0),
                        (found.interpolated > 0.0, found.equality > 0.0)
                    );
                    assert_gradient(&both, &gradient, |both| -value(both).0.total());
                }
            }
        }
    }
}
