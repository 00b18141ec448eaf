//! Flow matching against central differences and against all couplings of a few points.

use crate::common::{assert_gradient, uniform};
use flows::activation::Activation;
use flows::affine::Affine;
use flows::integrate::Scheme;
use flows::matching::{Coupling, PairBatch, Regression, VelocityFlow};
use flows::velocity::{GaussianVelocity, Velocity};
use ndarray::{Array1, Array2, ArrayView1, array};
use ot_core::gaussian::Gaussian;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// With noise, a horizon that is not 1 and a time of its own for each pair.
#[test]
fn the_gradient_of_the_regression_is_its_derivative() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for activation in [Activation::Tanh, Activation::Softplus, Activation::SharpSoftplus] {
        let velocity = Velocity::new(2, &[5, 4], activation).unwrap();
        let parameters = uniform(&mut rng, velocity.net().parameter_count());
        let [start, end, noise] = [(); 3].map(|()| uniform(&mut rng, 6));
        let shares = [0.0, 0.3, 0.9];
        let pairs = PairBatch { start: &start, end: &end, shares: &shares, noise: &noise };
        let mut regression = Regression::new(velocity, 1.7, 0.4);
        let mut gradient = vec![0.0; parameters.len()];
        regression.gradient(&parameters, pairs, &mut gradient).unwrap();
        let mut unused = vec![0.0; parameters.len()];
        // Third derivatives of a few units; those of a sharp softplus are a hundred times as large.
        let tolerance = if activation == Activation::SharpSoftplus { 1e-6 } else { 1e-8 };
        assert_gradient(&parameters, &gradient, tolerance, |at| {
            regression.gradient(at, pairs, &mut unused).unwrap()
        });
    }
}

/// From N((1, −1, 0), I) to N((0, 2, 3), Σ) with eigenvalues 9 and 1/4 in a plane that no axis lies in; the third is 1e-2, and
/// left out where the map is truncated.
fn base(horizon: f64, rank: usize) -> (GaussianVelocity, Affine) {
    let source = Gaussian::new(array![1.0, -1.0, 0.0], Array2::eye(3)).unwrap();
    let axes = [[2.0, 1.0, 2.0], [1.0, 2.0, -2.0], [2.0, -2.0, -1.0]];
    let covariance = Array2::from_shape_fn((3, 3), |(i, j)| {
        [9.0, 0.25, 1e-2].iter().zip(axes).map(|(s, axis)| s * axis[i] * axis[j] / 9.0).sum()
    });
    let target = Gaussian::new(array![0.0, 2.0, 3.0], covariance).unwrap();
    let affine = Affine::gaussian(&source, &target).unwrap().truncated(rank);
    (GaussianVelocity::new(&affine, horizon).unwrap(), affine)
}

/// A network of zeros: straight paths, so that one Euler step ends where many do, at the ends of the optimal map.
#[test]
fn the_base_of_a_velocity_is_the_optimal_flow_between_gaussians() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let start = Array2::from_shape_vec((700, 3), uniform(&mut rng, 2100)).unwrap();
    for rank in [2, 3] {
        let (base, affine) = base(1.7, rank);
        let velocity = Velocity::departing(base, &[4], Activation::Tanh).unwrap();
        let parameters = vec![0.0; velocity.net().parameter_count()];
        assert_eq!((velocity.dim(), velocity.net().output()), (3, rank));
        let rows = start.as_slice().unwrap();
        let exact = affine.points(&affine.beginnings(rows).unwrap()).unwrap();
        let flow = VelocityFlow { velocity, horizon: 1.7, parameters };
        for (scheme, steps) in [(Scheme::Euler, 1), (Scheme::Euler, 7)] {
            let mut x = start.mapv(|x| x as f32);
            flow.push_forward(scheme, steps, x.view_mut()).unwrap();
            let gap = x.iter().zip(&exact).fold(0.0_f64, |most, (&x, y)| most.max((f64::from(x) - y).abs()));
            // Seven steps of numbers of size 5 in single precision.
            assert!(gap < 1e-5, "rank {rank}, {steps} steps: {gap}");
        }
        let trajectory = flow.trajectory(start.view(), 5).unwrap();
        let speeds: Vec<Array1<f64>> =
            trajectory.parts().potential_gradient.iter().map(|v| v.row(3).to_owned()).collect();
        let apart = |a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>| (&a - &b).mapv(f64::abs).sum();
        // At the end nothing leads across the plane any more, and the other parts of the velocity are the same.
        assert!(speeds[..5].iter().all(|v| apart(v.view(), speeds[0].view()) < 1e-9), "{speeds:?}");
    }
}

/// With parameters drawn at random: in the parameters, whose pullback goes through the plane, and in the points.
#[test]
fn derivatives_of_a_velocity_with_a_base_are_its_differences() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for rank in [2, 3] {
        let velocity = Velocity::departing(base(1.7, rank).0, &[5, 4], Activation::Tanh).unwrap();
        let parameters = uniform(&mut rng, velocity.net().parameter_count());
        let [start, end] = [(); 2].map(|()| uniform(&mut rng, 6));
        let pairs = PairBatch { start: &start, end: &end, shares: &[0.2, 0.8], noise: &[] };
        let mut regression = Regression::new(velocity.clone(), 1.7, 0.0);
        let mut gradient = vec![0.0; parameters.len()];
        regression.gradient(&parameters, pairs, &mut gradient).unwrap();
        let mut unused = vec![0.0; parameters.len()];
        // Third derivatives of a few units, times residuals of size 5.
        assert_gradient(&parameters, &gradient, 1e-7, |at| {
            regression.gradient(at, pairs, &mut unused).unwrap()
        });
        let mut tape = Default::default();
        let (x, t) = (&start[..3], 0.9);
        let jacobians = velocity.jacobians(&parameters, x, t, &mut tape).unwrap();
        for i in 0..3 {
            let row: Vec<f64> = (0..3).map(|j| jacobians[[0, i, j]]).collect();
            assert_gradient(x, &row, 1e-7, |at| {
                velocity.evaluate(&parameters, at, t, &mut tape).unwrap();
                tape.velocity()[i]
            });
        }
    }
}

/// Against v evaluated one pair at a time, at its place on the segment.
#[test]
fn the_loss_is_the_mean_square_of_its_residuals() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let velocity = Velocity::new(2, &[6], Activation::Tanh).unwrap();
    let parameters = uniform(&mut rng, velocity.net().parameter_count());
    let [start, end, noise] = [(); 3].map(|()| uniform(&mut rng, 6));
    let (shares, horizon, sigma) = ([0.2, 0.5, 0.7], 2.0, 0.3);
    let mut expected = 0.0;
    for row in 0..3 {
        let of = |points: &[f64], j: usize| points[2 * row + j];
        let place =
            |j| (1.0 - shares[row]) * of(&start, j) + shares[row] * of(&end, j) + sigma * of(&noise, j);
        let mut tape = Default::default();
        velocity.evaluate(&parameters, &[place(0), place(1)], horizon * shares[row], &mut tape).unwrap();
        for j in 0..2 {
            expected += (tape.velocity()[j] - (of(&end, j) - of(&start, j)) / horizon).powi(2) / 3.0;
        }
    }
    let pairs = PairBatch { start: &start, end: &end, shares: &shares, noise: &noise };
    let mut regression = Regression::new(velocity, horizon, sigma);
    let loss = regression.gradient(&parameters, pairs, &mut vec![0.0; parameters.len()]).unwrap();
    // Some dozens of roundings of numbers of size 1.
    assert!((loss - expected).abs() < 1e-13, "{loss} against {expected}");
    let silent = PairBatch { noise: &[], ..pairs };
    assert!(regression.gradient(&parameters, silent, &mut vec![0.0; parameters.len()]).is_err());
}

/// The cost of every arrangement of the rows of `end`, by Heap's algorithm; the least one.
fn least_cost(start: &[f64], end: &[f64]) -> f64 {
    fn visit(k: usize, order: &mut Vec<usize>, costs: &mut impl FnMut(&[usize])) {
        if k <= 1 {
            return costs(order);
        }
        for i in 0..k {
            visit(k - 1, order, costs);
            order.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
        }
    }
    let mut least = f64::INFINITY;
    visit(6, &mut (0..6).collect(), &mut |order| {
        let arranged: Vec<f64> = order.iter().flat_map(|&row| end[2 * row..2 * row + 2].to_vec()).collect();
        least = least.min(cost(start, &arranged));
    });
    least
}

fn cost(start: &[f64], end: &[f64]) -> f64 {
    start.iter().zip(end).map(|(x, y)| (x - y).powi(2)).sum()
}

/// Twice with points that lie on each other, as rows drawn with replacement do.
#[test]
fn the_optimal_coupling_is_the_cheapest_of_all() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for case in 0..20 {
        let (mut start, mut end) = (uniform(&mut rng, 12), uniform(&mut rng, 12));
        if case >= 18 {
            start.copy_within(0..2, 4);
            end.copy_within(2..6, 8);
        }
        let mut coupled = end.clone();
        Coupling::Optimal.arrange(2, &start, &mut coupled).unwrap();
        let least = least_cost(&start, &end);
        // A sum of twelve squares; the second best arrangement of random points is 1e-3 above.
        assert!((cost(&start, &coupled) - least).abs() < 1e-12, "{case}");
        assert!(cost(&start, &end) > least + 1e-6, "{case}: the rows came coupled");
        let sorted = |points: &[f64]| {
            let mut rows: Vec<(f64, f64)> = points.chunks(2).map(|row| (row[0], row[1])).collect();
            rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
            rows
        };
        assert_eq!(sorted(&coupled), sorted(&end), "{case}: every point once");
        let mut independent = end.clone();
        Coupling::Independent.arrange(2, &start, &mut independent).unwrap();
        assert_eq!(independent, end);
    }
    assert!(Coupling::Independent.arrange(2, &[0.0; 4], &mut [0.0; 2]).is_err());
}

/// In single and in double precision; blocks of rows change nothing.
#[test]
fn a_path_ends_where_its_points_are_moved_to() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let velocity = Velocity::new(2, &[7, 5], Activation::Tanh).unwrap();
    let count = velocity.net().parameter_count();
    let parameters: Vec<f32> = uniform(&mut rng, count).into_iter().map(|p| p as f32).collect();
    let flow = VelocityFlow { velocity, horizon: 1.5, parameters };
    let start = Array2::from_shape_vec((1100, 2), uniform(&mut rng, 2200)).unwrap();
    let end = |scheme, steps| {
        let mut x = start.mapv(|x| x as f32);
        flow.push_forward(scheme, steps, x.view_mut()).unwrap();
        x.mapv(f64::from)
    };
    let trajectory = flow.trajectory(start.view(), 6).unwrap();
    let gap = |a: &Array2<f64>, b: &Array2<f64>| (a - b).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    // Six steps of numbers of size 3 in single precision.
    assert!(gap(&end(Scheme::Euler, 6), &trajectory.end().to_owned()) < 2e-6);
    // Runge–Kutta with 20 steps is where Euler with 4000 nearly is: the error of the latter is of order h.
    assert!(gap(&end(Scheme::Rk4, 20), &end(Scheme::Euler, 4000)) < 2e-3);
    assert!(gap(&end(Scheme::Rk4, 20), &end(Scheme::Euler, 6)) > 1e-2);
    let mut x = start.mapv(|x| x as f32);
    assert!(flow.push_forward(Scheme::Euler, 0, x.view_mut()).is_err());
}
