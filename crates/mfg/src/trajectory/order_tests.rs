//! A curved flow: what the Euler scheme does to it falls with the first power of the step.

use ndarray::{Array1, Array2};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::{MfgError, Trajectory, TrajectoryParts, continuity, step_invariance};

const LAMBDA: f64 = 0.6;
const HORIZON: f64 = 1.0;
/// U(x) = λ/2·Σ r_j·x_j², so ẋ_j = −r_j·x_j and x_j(t) = x_j(0)·e^{−r_j·t}: different rates bend the paths.
const RATES: [f64; 2] = [2.0, -0.8];

fn start() -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    Array2::from_shape_simple_fn((200, 2), || StandardNormal.sample(&mut rng))
}

fn rates() -> Array1<f64> {
    Array1::from(RATES.to_vec())
}

/// The Euler scheme, or the exact positions, in `steps` steps.
fn flow(steps: usize, exact: bool) -> Trajectory {
    let step = HORIZON / steps as f64;
    let mut positions = vec![start()];
    for index in 1..=steps {
        let next = if exact {
            start() * (&rates() * (-step * index as f64)).mapv(f64::exp)
        } else {
            &positions[index - 1] * &(1.0 - step * &rates())
        };
        positions.push(next);
    }
    let gradient = |x: &Array2<f64>| LAMBDA * x * &rates();
    Trajectory::new(TrajectoryParts {
        lambda: LAMBDA,
        times: (0..=steps).map(|index| step * index as f64).collect(),
        potential_gradient: positions.iter().map(gradient).collect(),
        potential_time_derivative: Some(vec![Array1::zeros(200); steps + 1]),
        critic_gradient: Some(gradient(positions.last().unwrap())),
        noise: None,
        interaction: None,
        positions,
    })
    .unwrap()
}

/// The slope of log(error) over log(step) by least squares.
fn order(error: impl Fn(usize) -> f64) -> f64 {
    let points: Vec<(f64, f64)> =
        [32_usize, 64, 128, 256].iter().map(|&n| (-(n as f64).ln(), error(n).ln())).collect();
    let centre = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / points.len() as f64;
    let (x, y) = (centre(|p| p.0), centre(|p| p.1));
    let covariance: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    covariance / points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

/// A fitted order differs from the true one by the next term of the expansion, some RATES·h/2: 3 % at 32 steps.
fn assert_order(what: &str, expected: f64, error: impl Fn(usize) -> f64) {
    let order = order(error);
    assert!((order - expected).abs() < 0.08, "{what}: order {order}, expected {expected}");
}

/// ∫½r²x²e^{−2rt}dt = ¼·r·x²·(1 − e^{−2rT}).
#[test]
fn the_kinetic_energy_converges_to_its_closed_form() {
    let squares = start().mapv(|x| x * x).mean_axis(ndarray::Axis(0)).unwrap();
    let exact: f64 =
        RATES.iter().zip(&squares).map(|(r, s)| 0.25 * r * s * (1.0 - (-2.0 * r * HORIZON).exp())).sum();
    assert_order("kinetic energy", 1.0, |n| (flow(n, false).kinetic_energy() - exact).abs());
}

/// The arc length of the exact paths by 20000 chords, whose error is of second order and far below that of 256 steps.
#[test]
fn the_path_ratio_converges_to_that_of_the_exact_arcs() {
    let exact = flow(20_000, true).path_ratio().unwrap();
    assert!(exact > 0.01, "the paths must be curved for this test to mean anything");
    assert_order("path ratio", 1.0, |n| (flow(n, false).path_ratio().unwrap() - exact).abs());
    // Chords of the exact arcs: second order.
    assert_order("path ratio of chords", 2.0, |n| (flow(n, true).path_ratio().unwrap() - exact).abs());
}

#[test]
fn step_invariance_falls_with_the_step() {
    let fine = flow(1, true);
    assert_order("step invariance", 1.0, |n| {
        step_invariance(flow(n, false).end(), fine.end(), fine.start()).unwrap().unwrap()
    });
}

/// Of first order for Euler; for exact positions what is left is the trapezoidal rule of the residual, of second order.
#[test]
fn the_continuity_residual_falls_with_the_step() {
    assert_order("continuity of Euler", 1.0, |n| continuity::residual(&flow(n, false)));
    assert_order("continuity of exact positions", 2.0, |n| continuity::residual(&flow(n, true)));
}

/// ∫‖v − (x_T − x_0)/T‖²dt = 2·KE − E‖x_T − x_0‖²/T for exact paths; the left-point sum is of first order.
#[test]
fn the_velocity_spread_converges_to_its_closed_form() {
    let squares = start().mapv(|x| x * x).mean_axis(ndarray::Axis(0)).unwrap();
    let exact: f64 = RATES
        .iter()
        .zip(&squares)
        .map(|(r, s)| {
            0.5 * r * s * (1.0 - (-2.0 * r * HORIZON).exp()) - s * (1.0 - (-r * HORIZON).exp()).powi(2)
        })
        .sum();
    assert!(exact > 0.01);
    assert_order("velocity spread", 1.0, |n| (flow(n, false).velocity_spread() - exact).abs());
}

/// Curved paths are not characteristics, and are longer than optimal transport whatever the step.
#[test]
fn curvature_shows_in_every_path_indicator() {
    let trajectory = flow(64, false);
    let gap = &trajectory.end() - &trajectory.start();
    // The map scales each axis by a positive factor: the gradient of a convex function, so W2² is the mean squared
    // displacement.
    let w2_squared = (&gap * &gap).sum() / 200.0;
    assert!(trajectory.straightness(w2_squared).unwrap() > 0.05);
    assert!(trajectory.characteristic_rms().unwrap() > 0.1);
    assert!(crate::hamilton_jacobi::residual_rms(&trajectory).unwrap().unwrap() > 0.1);
}

#[test]
fn arrays_that_do_not_fit_are_named() {
    let parts = flow(2, false).parts().clone();
    let error = |change: &dyn Fn(&mut TrajectoryParts)| {
        let mut parts = parts.clone();
        change(&mut parts);
        Trajectory::new(parts).unwrap_err()
    };
    let shape_of =
        |name: &str, error: MfgError| matches!(error, MfgError::Shape { array, .. } if array == name);
    assert!(shape_of("positions", error(&|p| drop(p.positions.pop()))));
    assert!(shape_of("potential_gradient", error(&|p| p.potential_gradient[1] = Array2::zeros((200, 3)))));
    assert!(shape_of(
        "potential_time_derivative",
        error(&|p| p.potential_time_derivative.as_mut().unwrap()[2] = Array1::zeros(9))
    ));
    assert!(shape_of("positions", error(&|p| p.critic_gradient = Some(Array2::zeros((199, 2))))));
    assert!(matches!(
        error(&|p| p.positions[1][[3, 1]] = f64::NAN),
        MfgError::NonFinite { array: "positions", time: 1, .. }
    ));
    assert!(matches!(
        error(&|p| p.critic_gradient.as_mut().unwrap()[[0, 0]] = f64::INFINITY),
        MfgError::NonFinite { .. }
    ));
    assert!(matches!(error(&|p| p.times[1] = 0.0), MfgError::Times { index: 1, .. }));
    assert!(matches!(error(&|p| p.times[0] = 0.1), MfgError::Times { index: 0, .. }));
    assert!(matches!(error(&|p| p.times.truncate(1)), MfgError::TooFew { what: "times", .. }));
    assert!(matches!(error(&|p| p.lambda = -1.0), MfgError::Parameter { parameter: "lambda", .. }));
    let fine = parts.positions[0].view();
    assert!(step_invariance(fine, fine, Array2::zeros((3, 2)).view()).is_err());
    // Where nothing moves a ratio does not exist.
    assert_eq!(step_invariance(fine, fine, fine).unwrap(), None);
}
