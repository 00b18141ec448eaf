//! Φ and its flow against formulas written plainly, finite differences, and an affine flow in closed form.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use super::evaluate::Tape;
use super::potential::Weights;
use super::pull_back::{Scratch, Sums};
use super::{OtFlow, ResidualPotential, Workspace};
use ndarray::{Array2, arr2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DIM: usize = 3;

fn potential() -> ResidualPotential {
    ResidualPotential::new(DIM, 5, 2).unwrap()
}

/// Nothing is 1, which would hide a forgotten factor.
fn flow() -> OtFlow {
    OtFlow { potential: potential(), horizon: 1.3, lambda: 0.7, likelihood: 1.9, hamilton_jacobi: 0.6 }
}

/// Numbers in [−1, 1].
fn uniform(rng: &mut ChaCha8Rng, count: usize) -> Vec<f64> {
    (0..count).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
}

/// Φ(s), as its formula is written.
fn phi(potential: ResidualPotential, parameters: &[f64], s: &[f64]) -> f64 {
    let (layout, m) = (potential.layout(), potential.width());
    let times = |matrix: &[f64], x: &[f64]| -> Vec<f64> {
        matrix.chunks(x.len()).map(|row| row.iter().zip(x).map(|(k, x)| k * x).sum()).collect()
    };
    let layer = |weight, bias, x: &[f64]| -> Vec<f64> {
        let sums = times(weight, x);
        sums.iter().zip(bias as &[f64]).map(|(p, b)| (2.0 * (p + b).cosh()).ln()).collect()
    };
    let part = |range: &std::ops::Range<usize>| &parameters[range.clone()];
    let u0 = layer(part(&layout.opening), part(&layout.opening_bias), s);
    let u1 = layer(part(&layout.hidden), part(&layout.hidden_bias), &u0);
    let network: f64 = (0..m).map(|i| part(&layout.outer)[i] * (u0[i] + u1[i])).sum();
    let linear: f64 = part(&layout.linear).iter().zip(s).map(|(b, s)| b * s).sum();
    network + 0.5 * times(part(&layout.factor), s).iter().map(|a| a * a).sum::<f64>() + linear
}

/// The central difference of `of` in each of `at`, with an error of h² ≈ 1e-10 times a third derivative.
fn differences(at: &[f64], of: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let mut moved = at.to_vec();
    let mut difference = |i: usize| {
        moved[i] = at[i] + STEP;
        let above = of(&moved);
        moved[i] = at[i] - STEP;
        let below = of(&moved);
        moved[i] = at[i];
        (above - below) / (2.0 * STEP)
    };
    (0..at.len()).map(&mut difference).collect()
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let scale = expected.abs().max(1.0);
        assert!((found - expected).abs() < tolerance * scale, "{what} {i}: {found} is not {expected}");
    }
}

/// ∇Φ and the trace at one s.
fn evaluated(parameters: &[f64], s: &[f64]) -> (Vec<f64>, f64) {
    let weights = Weights::new(potential(), parameters).unwrap();
    let mut tape = Tape::default();
    tape.take(&weights, &s[..DIM], s[DIM]);
    tape.slopes(&weights);
    tape.traces(&weights);
    (tape.gradient.to_vec(), tape.trace[0])
}

#[test]
fn slopes_and_trace_are_derivatives_of_the_potential() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..3 {
        let parameters = uniform(&mut rng, potential().parameter_count());
        let s = uniform(&mut rng, DIM + 1);
        let (gradient, trace) = evaluated(&parameters, &s);
        // Rounding of Φ ≈ 10 over the step: 1e-10.
        let expected = differences(&s, |s| phi(potential(), &parameters, s));
        assert_close(&gradient, &expected, 1e-8, "∇Φ");
        let diagonal: f64 = (0..DIM).map(|j| differences(&s, |s| evaluated(&parameters, s).0[j])[j]).sum();
        assert_close(&[trace], &[diagonal], 1e-8, "trace");
    }
}

#[test]
fn the_pull_back_of_slopes_and_trace_is_their_derivative() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let parameters = uniform(&mut rng, potential().parameter_count());
    let (x, time, theta) = (uniform(&mut rng, 2 * DIM), 0.4, 0.8);
    let gamma = uniform(&mut rng, 2 * (DIM + 1));
    let of = |parameters: &[f64], x: &[f64]| -> f64 {
        let points = x.chunks(DIM).zip(gamma.chunks(DIM + 1));
        let terms = points.map(|(x, gamma)| {
            let (gradient, trace) = evaluated(parameters, &[x, &[time]].concat());
            gradient.iter().zip(gamma).map(|(g, c)| g * c).sum::<f64>() + theta * trace
        });
        terms.sum()
    };
    let weights = Weights::new(potential(), &parameters).unwrap();
    let (mut tape, mut scratch, mut sums) = (Tape::default(), Scratch::default(), Sums::new(&weights));
    tape.take(&weights, &x, time);
    tape.slopes(&weights);
    tape.traces(&weights);
    sums.pull_back(&weights, &tape, (&gamma, theta), &mut scratch);
    let mut gradient = vec![0.0; parameters.len()];
    sums.add_to(&weights, &mut gradient);
    // Third derivatives of some tens, and rounding over the step.
    assert_close(&gradient, &differences(&parameters, |p| of(p, &x)), 1e-7, "parameter");
    let in_x: Vec<f64> = scratch.inputs().chunks(DIM + 1).flat_map(|s| s[..DIM].to_vec()).collect();
    assert_close(&in_x, &differences(&x, |x| of(&parameters, x)), 1e-7, "x");
}

/// With more points than a block, and every term of the objective.
#[test]
fn the_gradient_is_the_derivative_of_the_objective() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let parameters = uniform(&mut rng, potential().parameter_count());
    let points = uniform(&mut rng, 67 * DIM);
    let mut gradient = vec![f64::NAN; parameters.len()];
    let value = Workspace::default().gradient(&flow(), &parameters, &points, 2, &mut gradient).unwrap();
    assert!(value.kinetic_energy > 0.0 && value.hamilton_jacobi > 0.0, "{value:?}");
    let expected = differences(&parameters, |parameters| {
        let mut discarded = vec![0.0; parameters.len()];
        Workspace::default().gradient(&flow(), parameters, &points, 2, &mut discarded).unwrap().total
    });
    // A residual that changes its sign within the step would be off by h times its slope, 1e-5/67.
    assert_close(&gradient, &expected, 3e-6, "parameter");
}

#[test]
fn the_objective_is_what_its_terms_say() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let parameters = uniform(&mut rng, potential().parameter_count());
    let points = Array2::from_shape_vec((2, DIM), uniform(&mut rng, 2 * DIM)).unwrap();
    let (flow, steps) = (flow(), 64);
    let mut gradient = vec![0.0; parameters.len()];
    let x = points.as_slice().unwrap();
    let value = Workspace::default().gradient(&flow, &parameters, x, steps, &mut gradient).unwrap();
    let log_density = flow.log_density(&parameters, points.view(), steps).unwrap();
    let likelihood = log_density.iter().sum::<f64>() / 2.0;
    assert_close(&[value.negative_log_likelihood], &[-likelihood], 1e-13, "likelihood");
    // The running costs, by the midpoint rule along paths of Euler steps, both of first order or better.
    let (mut energy, mut residual, fine) = (0.0, 0.0, 20_000);
    let h = flow.horizon / f64::from(fine);
    for row in points.rows() {
        let mut x = row.to_vec();
        for i in 0..fine {
            let (gradient, _) = evaluated(&parameters, &[&x[..], &[(f64::from(i) + 0.5) * h]].concat());
            let square: f64 = gradient[..DIM].iter().map(|g| g * g).sum();
            energy += 0.5 * h * 0.5 * square / flow.lambda.powi(2);
            residual += 0.5 * h * (gradient[DIM] - square / (2.0 * flow.lambda)).abs();
            x.iter_mut().zip(&gradient).for_each(|(x, g)| *x -= h * g / flow.lambda);
        }
    }
    assert_close(&[value.kinetic_energy, value.hamilton_jacobi], &[energy, residual], 1e-3, "running cost");
    let total =
        0.7 * value.kinetic_energy + 1.9 * value.negative_log_likelihood + 0.6 * value.hamilton_jacobi;
    assert_close(&[value.total], &[total], 1e-14, "total");
}

/// log |det ∂f/∂x| of the exact flow, which the trace is integrated to: with 256 steps both are exact to 1e-8.
#[test]
fn the_log_determinant_is_that_of_the_jacobian() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let parameters = uniform(&mut rng, potential().parameter_count());
    let x = uniform(&mut rng, DIM);
    let ends = |x: &[f64]| {
        let x = Array2::from_shape_vec((1, DIM), x.to_vec()).unwrap();
        flow().normalise(&parameters, x.view(), 256).unwrap()
    };
    let rows: Vec<Vec<f64>> = (0..DIM).map(|j| differences(&x, |x| ends(x).ends[[0, j]])).collect();
    let minor = |a: usize, b: usize| rows[1][a] * rows[2][b] - rows[1][b] * rows[2][a];
    let determinant = rows[0][0] * minor(1, 2) - rows[0][1] * minor(0, 2) + rows[0][2] * minor(0, 1);
    assert_close(&ends(&x).log_determinants, &[determinant.abs().ln()], 1e-7, "log-determinant");
}

/// Φ = ½·xᵀAᵀA·x + bᵀx with A = diag(a)·R, R a rotation: z = Rᵀ·e^{−a²T/λ}·(R·x + R·b/a²) − b′, each coordinate of R·x on its
/// own, and the determinant e^{−Σa²T/λ} everywhere.
#[test]
fn an_affine_flow_is_its_matrix_exponential() {
    let (a, angle, b, time) = ([0.8, 0.5], 0.6_f64, [0.3, -0.2], 1.3);
    let potential = ResidualPotential::new(2, 4, 2).unwrap();
    let flow = OtFlow { potential, ..flow() };
    let layout = potential.layout();
    let mut parameters = uniform(&mut ChaCha8Rng::seed_from_u64(6), potential.parameter_count());
    parameters[layout.outer.clone()].fill(0.0);
    let rotation = [[angle.cos(), angle.sin()], [-angle.sin(), angle.cos()]];
    let factor: Vec<f64> = (0..2).flat_map(|i| [a[i] * rotation[i][0], a[i] * rotation[i][1], 0.0]).collect();
    parameters[layout.factor.clone()].copy_from_slice(&factor);
    parameters[layout.linear.clone()].copy_from_slice(&[b[0], b[1], 0.4]);
    let x = arr2(&[[0.7, -1.1], [2.0, 0.3]]);
    let turned = |x: [f64; 2]| rotation.map(|row| row[0] * x[0] + row[1] * x[1]);
    let rest = turned(b);
    let end = |x: [f64; 2]| {
        let y = turned(x);
        let y: [f64; 2] = std::array::from_fn(|i| {
            let centre = -rest[i] / (a[i] * a[i]);
            centre + (-a[i] * a[i] * time / flow.lambda).exp() * (y[i] - centre)
        });
        [0, 1].map(|j| rotation[0][j] * y[0] + rotation[1][j] * y[1])
    };
    let expected: Vec<f64> = x.rows().into_iter().flat_map(|x| end([x[0], x[1]])).collect();
    let stretch = -(a[0] * a[0] + a[1] * a[1]) * time / flow.lambda;
    let found = flow.normalise(&parameters, x.view(), 64).unwrap();
    // Fourth order: (a²h/λ)⁵/120 a step, at most 1e-11.
    assert_close(found.ends.as_slice().unwrap(), &expected, 1e-9, "end");
    assert_close(&found.log_determinants, &[stretch, stretch], 1e-12, "log-determinant");
    let density: Vec<f64> = expected
        .chunks(2)
        .map(|z| stretch - 0.5 * (z[0] * z[0] + z[1] * z[1]) - (2.0 * std::f64::consts::PI).ln())
        .collect();
    assert_close(&flow.log_density(&parameters, x.view(), 64).unwrap(), &density, 1e-9, "log-density");
}

#[test]
fn going_back_inverts_going_there_at_fourth_order() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let parameters = uniform(&mut rng, potential().parameter_count());
    let x = Array2::from_shape_vec((70, DIM), uniform(&mut rng, 70 * DIM)).unwrap();
    let error = |steps| {
        let there = flow().normalise(&parameters, x.view(), steps).unwrap().ends;
        assert!((&there - &x).iter().any(|moved| moved.abs() > 0.1), "nothing has moved");
        let back = flow().generate(&parameters, there.view(), steps).unwrap();
        (&back - &x).iter().fold(0.0_f64, |most, gap| most.max(gap.abs()))
    };
    let (coarse, fine) = (error(16), error(32));
    // 2⁴ = 16 up to the next order.
    assert!(fine < 1e-3 && (8.0..40.0).contains(&(coarse / fine)), "{coarse} and {fine}");
}

/// The field of the samples solves the Hamilton–Jacobi equation where Φ does: both residuals are the same up to their sign.
#[test]
fn the_field_of_samples_is_that_of_the_potential_run_backwards() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let parameters = uniform(&mut rng, potential().parameter_count());
    let x = Array2::from_shape_vec((1, DIM), uniform(&mut rng, DIM)).unwrap();
    let (slope, rate) = flow().field(&parameters).unwrap().derivatives(x.view(), 0.5).unwrap();
    let (gradient, _) = evaluated(&parameters, &[x.as_slice().unwrap(), &[1.3 - 0.5]].concat());
    let expected: Vec<f64> = gradient[..DIM].iter().map(|g| -g).collect();
    assert_close(slope.as_slice().unwrap(), &expected, 1e-14, "∇U");
    assert_close(&rate, &gradient[DIM..], 1e-14, "∂ₜU");
    let value = flow().field(&parameters).unwrap().potential(x.view(), 0.5).unwrap();
    let expected = -phi(potential(), &parameters, &[x.as_slice().unwrap(), &[1.3 - 0.5]].concat());
    assert_close(&value, &[expected], 1e-13, "U");
}

#[test]
fn single_precision_agrees_with_double() {
    let potential = ResidualPotential::new(7, 32, 8).unwrap();
    let flow = OtFlow { potential, ..flow() };
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let parameters: Vec<f32> = potential.initial(&mut rng);
    let points: Vec<f32> = uniform(&mut rng, 100 * 7).iter().map(|&x| x as f32).collect();
    let wide = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let (mut single, mut double) = (vec![0.0_f32; parameters.len()], vec![0.0_f64; parameters.len()]);
    let a = Workspace::default().gradient(&flow, &parameters, &points, 3, &mut single).unwrap();
    let b = Workspace::default().gradient(&flow, &wide(&parameters), &wide(&points), 3, &mut double).unwrap();
    assert_close(&[a.total], &[b.total], 1e-6, "total");
    let scale = double.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
    for (single, double) in single.iter().zip(&double) {
        // Sums of thirty numbers a product, twelve evaluations in a row.
        assert!((f64::from(*single) - double).abs() < 1e-4 * scale, "{single} is not {double}");
    }
}

#[test]
fn buffers_that_do_not_fit_are_errors() {
    let (flow, count) = (flow(), potential().parameter_count());
    let run = |parameters: usize, x: usize, steps, gradient: usize| {
        let mut gradient = vec![0.0; gradient];
        Workspace::default().gradient(&flow, &vec![0.1; parameters], &vec![0.1; x], steps, &mut gradient)
    };
    run(count, 2 * DIM, 2, count).unwrap();
    for wrong in [run(count + 1, DIM, 2, count), run(count, DIM + 1, 2, count), run(count, DIM, 0, count)] {
        wrong.unwrap_err();
    }
    run(count, DIM, 2, count - 1).unwrap_err();
    flow.normalise(&vec![0.1; count], Array2::zeros((1, DIM + 1)).view(), 2).unwrap_err();
    flow.field(&vec![0.1; count]).unwrap().derivatives(Array2::zeros((1, DIM - 1)).view(), 0.0).unwrap_err();
}
