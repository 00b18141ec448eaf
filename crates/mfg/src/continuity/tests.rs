//! The weak continuity equation against sums written out by hand, and against a law that is known.

use std::f64::consts::TAU;

use ndarray::{Array1, Array2, array};

use super::{GAUSS_LEGENDRE, TestFunction, residual, standardised};
use crate::{Noise, Trajectory, TrajectoryParts};

/// Three particles in the plane, two steps of different sizes, and gradients that have nothing to do with the paths: no
/// term of a residual vanishes.
fn parts(sigma: Option<f64>) -> TrajectoryParts {
    TrajectoryParts {
        lambda: 0.8,
        times: vec![0.0, 0.3, 1.0],
        positions: vec![
            array![[0.1, -0.7], [1.2, 0.4], [-0.5, 2.1]],
            array![[0.6, -0.2], [1.9, 0.3], [-1.1, 1.4]],
            array![[0.9, 0.8], [2.3, -0.6], [-0.2, 1.7]],
        ],
        potential_gradient: vec![
            array![[0.4, -1.1], [0.7, 0.2], [-0.3, 0.9]],
            array![[-0.8, 0.5], [1.3, -0.6], [0.2, 1.6]],
            array![[0.3, 0.1], [-0.9, 0.7], [1.1, -0.4]],
        ],
        potential_time_derivative: None,
        critic_gradient: Some(Array2::zeros((3, 2))),
        noise: sigma.map(|sigma| Noise { sigma, laplacian: None }),
        interaction: None,
    }
}

type Point = [f64; 2];

/// A test function in the plane with ψ, ∇ψ and Δψ written out.
struct Written(TestFunction, fn(Point) -> f64, fn(Point) -> Point, fn(Point) -> f64);

fn written() -> [Written; 9] {
    use TestFunction::{Coordinate, Cosine, Product, Sine, Square};
    [
        Written(Coordinate(0), |[x, _]| x, |_| [1.0, 0.0], |_| 0.0),
        Written(Square(0), |[x, _]| x * x, |[x, _]| [2.0 * x, 0.0], |_| 2.0),
        Written(Sine(0), |[x, _]| x.sin(), |[x, _]| [x.cos(), 0.0], |[x, _]| -x.sin()),
        Written(Cosine(0), |[x, _]| x.cos(), |[x, _]| [-x.sin(), 0.0], |[x, _]| -x.cos()),
        Written(Product(0, 1), |[x, y]| x * y, |[x, y]| [y, x], |_| 0.0),
        Written(Coordinate(1), |[_, y]| y, |_| [0.0, 1.0], |_| 0.0),
        Written(Square(1), |[_, y]| y * y, |[_, y]| [0.0, 2.0 * y], |_| 2.0),
        Written(Sine(1), |[_, y]| y.sin(), |[_, y]| [0.0, y.cos()], |[_, y]| -y.sin()),
        Written(Cosine(1), |[_, y]| y.cos(), |[_, y]| [0.0, -y.sin()], |[_, y]| -y.cos()),
    ]
}

/// The standardised violation of one test function by plain loops; integrals along a step by 4000 midpoints.
fn by_hand(parts: &TrajectoryParts, Written(_, value, gradient, laplacian): &Written) -> f64 {
    let row = |matrix: &Array2<f64>, k: usize| [matrix[[k, 0]], matrix[[k, 1]]];
    let between = |a: Point, b: Point, s: f64| [(1.0 - s) * a[0] + s * b[0], (1.0 - s) * a[1] + s * b[1]];
    let rate = |x: Point, p: Point| {
        let slope = gradient(x);
        -(slope[0] * p[0] + slope[1] * p[1]) / parts.lambda
    };
    let mut predicted = 0.0;
    for i in 0..2 {
        for k in 0..3 {
            let at = |i: usize| (row(&parts.positions[i], k), row(&parts.potential_gradient[i], k));
            let ((x, p), (x_next, p_next)) = (at(i), at(i + 1));
            let mean_rate = match &parts.noise {
                Some(Noise { sigma, .. }) => rate(x, p) + sigma.powi(2) / 2.0 * laplacian(x),
                None => {
                    let cells = 4000;
                    let node = |cell: usize| (cell as f64 + 0.5) / cells as f64;
                    let at_node = |s: f64| rate(between(x, x_next, s), between(p, p_next, s));
                    (0..cells).map(node).map(at_node).sum::<f64>() / cells as f64
                }
            };
            predicted += (parts.times[i + 1] - parts.times[i]) * mean_rate / 3.0;
        }
    }
    let values = |i: usize| [0, 1, 2].map(|k| value(row(&parts.positions[i], k)));
    let moments = |values: [f64; 3]| {
        let mean = (values[0] + values[1] + values[2]) / 3.0;
        (mean, values.iter().map(|value| value * value).sum::<f64>() / 3.0 - mean * mean)
    };
    let ((before, spread_before), (after, spread_after)) = (moments(values(0)), moments(values(2)));
    (after - before - predicted).abs() / ((spread_before + spread_after) / 3.0).sqrt()
}

/// The midpoint rule on a step is wrong by (1/4000)²/24 times second derivatives of order 10: 1e-7 is far above. The
/// sum of the noisy steps is the same sum, but for rounding.
#[test]
fn every_test_function_is_summed_as_written_by_hand() {
    let family: Vec<TestFunction> = written().iter().map(|written| written.0).collect();
    assert_eq!(family, TestFunction::family(2));
    for (sigma, tolerance) in [(None, 1e-7), (Some(0.6), 1e-12), (Some(1.9), 1e-12)] {
        let trajectory = Trajectory::new(parts(sigma)).unwrap();
        let mut largest = 0.0_f64;
        for written in written() {
            let expected = by_hand(trajectory.parts(), &written);
            let found = standardised(&trajectory, written.0).unwrap();
            assert!(
                (found - expected).abs() < tolerance,
                "{:?}, σ {sigma:?}: {found} for {expected}",
                written.0
            );
            largest = largest.max(expected);
        }
        assert!((residual(&trajectory) - largest).abs() < tolerance);
    }
}

/// Where all particles are one, no ψ has a spread to be compared with, however wrong the velocity is.
#[test]
fn a_test_function_without_spread_is_left_out() {
    let mut parts = parts(None);
    for (matrix, value) in parts.positions.iter_mut().zip([0.5, 0.7, 1.5]) {
        matrix.fill(value);
    }
    let trajectory = Trajectory::new(parts).unwrap();
    assert_eq!(standardised(&trajectory, TestFunction::Square(1)), None);
    assert_eq!(residual(&trajectory), 0.0);
}

/// 1024 points with the moments 0 and 1 of the standard normal law: the midpoints of a lattice, by Box and Muller.
fn normal_points() -> Array1<f64> {
    let node = |index: usize| (index as f64 + 0.5) / 32.0;
    let point = |index: usize| (-2.0 * node(index / 32).ln()).sqrt() * (TAU * node(index % 32)).cos();
    let points: Array1<f64> = (0..1024).map(point).collect();
    let scale = (points.dot(&points) / 1024.0).sqrt();
    points / scale
}

/// Ornstein–Uhlenbeck: dX = −rX dt + σ dW keeps N(0, s²) normal with s² = σ²/2r + (s₀² − σ²/2r)·e^{−2rt}, so a cloud
/// that is scaled by s(t) violates the equation by no more than the 100 left ends and the lattice do. Below 1 is below
/// what 1024 random particles could show; the drift alone, or another σ, is seen.
#[test]
fn the_law_of_an_ornstein_uhlenbeck_process_solves_the_noisy_equation() {
    let (lambda, rate, sigma, steps) = (0.7, 0.9, 1.3, 100_usize);
    let times: Vec<f64> = (0..=steps).map(|index| index as f64 / steps as f64).collect();
    let limit: f64 = sigma * sigma / (2.0 * rate);
    let spread = |time: f64| (limit + (0.2 - limit) * (-2.0 * rate * time).exp()).sqrt();
    let positions: Vec<Array2<f64>> =
        times.iter().map(|&time| (normal_points() * spread(time)).insert_axis(ndarray::Axis(1))).collect();
    let found = |noise: Option<f64>| {
        let parts = TrajectoryParts {
            lambda,
            times: times.clone(),
            potential_gradient: positions.iter().map(|x| lambda * rate * x).collect(),
            potential_time_derivative: None,
            critic_gradient: Some(Array2::zeros((1024, 1))),
            noise: noise.map(|sigma| Noise { sigma, laplacian: None }),
            interaction: None,
            positions: positions.clone(),
        };
        residual(&Trajectory::new(parts).unwrap())
    };
    assert!(found(Some(sigma)) < 0.5, "{}", found(Some(sigma)));
    assert!(found(Some(1.2 * sigma)) > 5.0);
    assert!(found(None) > 5.0);
}

/// ∫ s^k ds = 1/(k + 1) to degree 9 and not beyond.
#[test]
fn the_quadrature_has_degree_nine() {
    let integral = |k: i32| GAUSS_LEGENDRE.iter().map(|(s, w)| w * s.powi(k)).sum::<f64>();
    for k in 0..=9 {
        assert!((integral(k) - 1.0 / f64::from(k + 1)).abs() < 1e-15, "degree {k}");
    }
    assert!((integral(10) - 1.0 / 11.0).abs() > 1e-7);
}

/// Central differences; their error is below h²·5 + 1e-16/h for |x|, |v| ≤ 2.
#[test]
fn derivatives_are_those_of_the_values() {
    let (x, v, h) = ((0.7, -1.1), (1.3, 0.4), 1e-5);
    for test in TestFunction::family(3) {
        let at = |t: f64| test.value((x.0 + t * v.0, x.1 + t * v.1));
        let difference = (at(h) - at(-h)) / (2.0 * h);
        assert!((difference - test.derivative(x, v)).abs() < 1e-9, "{test:?}");
    }
}

/// Second differences along both coordinates; their error is below h²/12 + 4e-16/h², 1e-8 at h = 1e-4.
#[test]
fn laplacians_are_those_of_the_values() {
    let (x, h) = ((0.7, -1.1), 1e-4);
    for test in TestFunction::family(3) {
        let along = |direction: (f64, f64)| {
            let at = |t: f64| test.value((x.0 + t * direction.0, x.1 + t * direction.1));
            (at(h) - 2.0 * at(0.0) + at(-h)) / (h * h)
        };
        let difference = along((1.0, 0.0)) + along((0.0, 1.0));
        assert!((difference - test.laplacian(x)).abs() < 1e-6, "{test:?}");
    }
}

#[test]
fn the_family_covers_every_coordinate() {
    assert_eq!(TestFunction::family(1).len(), 4);
    assert_eq!(TestFunction::family(3).len(), 3 * 4 + 2);
    assert!(TestFunction::family(3).contains(&TestFunction::Product(1, 2)));
}
