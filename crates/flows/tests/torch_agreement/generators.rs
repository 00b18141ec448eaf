//! Generators: points, gradients and statistics of both backends.

use crate::{assert_close, rounding};
use flows::FlowError;
use flows::activation::Activation;
use flows::device::Device;
use flows::generator::{
    Generator, GeneratorForm, GeneratorInitialisation, GeneratorOutput, GeneratorTape, RunningStatistics,
    Statistics, fit, push,
};
use flows::real::Real;
use flows::torch::generator::Evaluation;
use flows::torch::{Scalar, runtime};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BATCH: usize = 9;
const MOMENTUM: f64 = 0.3;
/// (p, hidden widths, d).
const SHAPES: [(usize, &[usize], usize); 3] = [(1, &[3], 1), (3, &[6, 5], 2), (8, &[128; 3], 8)];

/// The same numbers in every precision, from −1 to 1.
pub(crate) fn uniform<T: Real>(rng: &mut ChaCha8Rng, count: usize) -> Vec<T> {
    (0..count).map(|_| T::of(f64::from(2.0 * rng.random::<f32>() - 1.0))).collect()
}

pub(crate) fn drawn<T: Real>(generator: &Generator, rng: &mut ChaCha8Rng) -> Vec<T> {
    let start = GeneratorInitialisation { hidden: None, last: 0.5, scale: Some(1.0) };
    let drawn: Vec<f32> = start.draw(generator, rng);
    // Shifts start at zero; a test should not.
    let noise = uniform::<f32>(rng, drawn.len());
    drawn.iter().zip(noise).map(|(&p, noise)| T::of(f64::from(p + 0.1 * noise))).collect()
}

/// Every form of a generator of these widths.
fn forms(residual: bool) -> impl Iterator<Item = GeneratorForm> {
    let activations = [Activation::Tanh, Activation::Softplus, Activation::SharpSoftplus, Activation::Relu];
    let outputs = [GeneratorOutput::Identity, GeneratorOutput::Tanh { scale: 1.7 }];
    activations.into_iter().flat_map(move |activation| {
        outputs.into_iter().flat_map(move |output| {
            [false, true].map(|batch_norm| GeneratorForm { activation, batch_norm, residual, output })
        })
    })
}

fn generators_agree<T: Scalar>() {
    for (input, hidden, output) in SHAPES {
        for residual in [false, true].into_iter().filter(|&residual| !residual || input == output) {
            for form in forms(residual) {
                let generator = Generator::new(input, hidden, output, form).unwrap();
                generator_agrees::<T>(&generator, hidden, &format!("{input} {hidden:?} {output} {form:?}"));
            }
        }
    }
}

fn generator_agrees<T: Scalar>(generator: &Generator, hidden: &[usize], what: &str) {
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    let device = runtime::open(Device::Libtorch).unwrap();
    let theta = drawn::<T>(generator, &mut rng);
    let z = uniform::<T>(&mut rng, BATCH * generator.input());
    let aims = uniform::<T>(&mut rng, BATCH * generator.output());
    let weights = uniform::<T>(&mut rng, BATCH);
    // A normalisation divides by the deviation of a unit, which a batch of nine may make ten times smaller than the
    // unit.
    let tolerance = 10.0 * rounding::<T>(hidden, 1);
    let mut running = RunningStatistics::<T>::new(generator);
    let units = running.mean.len();
    running.mean = uniform(&mut rng, units);
    running.variance = uniform(&mut rng, units).into_iter().map(|v: T| v + T::of(1.5)).collect();

    for statistics in [Statistics::Batch, Statistics::Running(&running)] {
        let mode = if matches!(statistics, Statistics::Batch) { "training" } else { "evaluation" };
        let what = format!("{what}, {mode}");
        let mut tape = GeneratorTape::new();
        generator.evaluate(&theta, &z, statistics, &mut tape).unwrap();
        let evaluated = || Evaluation::new(generator, device, &theta, &z, statistics, true).unwrap();
        assert_close(&format!("points {what}"), tolerance, tape.points(), &evaluated().points().unwrap());

        let fitted = fit(tape.points(), &aims, generator.output()).unwrap().1;
        let pushed = push(&weights, &aims, generator.output()).unwrap();
        for (loss, cotangent) in [("fit", fitted), ("push", pushed)] {
            let mut native = vec![T::zero(); theta.len()];
            let mut torch = vec![T::one(); theta.len()];
            generator.evaluate(&theta, &z, statistics, &mut tape).unwrap();
            generator.pull_back(&theta, &mut tape, &cotangent, &mut native, None).unwrap();
            evaluated().pull_back(&cotangent, &mut torch).unwrap();
            assert_close(&format!("{loss} {what}"), tolerance, &native, &torch);
        }
    }

    let (mut native, mut torch) = (running.clone(), running.clone());
    let mut tape = GeneratorTape::new();
    generator.evaluate(&theta, &z, Statistics::Batch, &mut tape).unwrap();
    native.update(&tape, MOMENTUM).unwrap();
    let evaluation = Evaluation::new(generator, device, &theta, &z, Statistics::Batch, false).unwrap();
    evaluation.update(&mut torch, MOMENTUM).unwrap();
    if generator.form().batch_norm {
        assert_close(&format!("means {what}"), tolerance, &native.mean, &torch.mean);
        assert_close(&format!("variances {what}"), tolerance, &native.variance, &torch.variance);
    }
    assert_eq!((torch.mean.len(), torch.variance.len()), (units, units));
}

#[test]
fn generators_agree_in_double_precision() {
    generators_agree::<f64>();
}

#[test]
fn generators_agree_in_single_precision() {
    generators_agree::<f32>();
}

#[test]
fn what_does_not_fit_a_generator_is_an_error() {
    let form = GeneratorForm {
        activation: Activation::Relu,
        batch_norm: true,
        residual: false,
        output: GeneratorOutput::Identity,
    };
    let generator = Generator::new(2, &[3], 1, form).unwrap();
    let device = runtime::open(Device::Libtorch).unwrap();
    let theta = vec![0.5_f32; generator.parameter_count()];
    let evaluate = |theta: &[f32], z: &[f32], statistics: Statistics<'_, f32>| {
        Evaluation::new(&generator, device, theta, z, statistics, true)
    };
    let is_shape = |result: Result<(), FlowError>| {
        assert!(matches!(result, Err(FlowError::Shape { .. })), "{result:?}");
    };
    is_shape(evaluate(&theta[1..], &[0.0; 4], Statistics::Batch).map(drop));
    is_shape(evaluate(&theta, &[0.0; 3], Statistics::Batch).map(drop));
    let of_another = RunningStatistics { mean: vec![0.0], variance: vec![1.0] };
    is_shape(evaluate(&theta, &[0.0; 4], Statistics::Running(&of_another)).map(drop));
    let alone = evaluate(&theta, &[0.0; 2], Statistics::Batch).map(drop);
    assert!(matches!(alone, Err(FlowError::Specification { .. })), "{alone:?}");

    let running = RunningStatistics::new(&generator);
    let evaluated = evaluate(&theta, &[0.0; 2], Statistics::Running(&running)).unwrap();
    is_shape(evaluated.update(&mut running.clone(), 0.1));
    let batch = evaluate(&theta, &[0.0; 4], Statistics::Batch).unwrap();
    is_shape(batch.update(&mut of_another.clone(), 0.1));
    is_shape(batch.pull_back(&[1.0; 3], &mut vec![0.0; theta.len()]));
    batch.pull_back(&[1.0; 2], &mut vec![0.0; theta.len()]).unwrap();
    let again = batch.pull_back(&[1.0; 2], &mut vec![0.0; theta.len()]);
    assert!(matches!(again, Err(FlowError::Torch(_))), "{again:?}");
}
