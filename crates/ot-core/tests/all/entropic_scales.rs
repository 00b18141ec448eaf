//! The Sinkhorn divergence at any scale of the clouds against ε, and in many dimensions.

use crate::common::{measure, normal_cloud, weights};
use ndarray::{Array2, Axis, array};
use ot_core::cost::{Cost, Euclidean};
use ot_core::entropic::{
    Schedule, SinkhornDivergence, SinkhornOptions, SinkhornPower, geomloss_divergence, sinkhorn_divergence,
    sinkhorn_divergence_gradient,
};
use ot_core::exact::solve;

const BLUR: f64 = 0.05;

fn divergence(x: &Array2<f64>, y: &Array2<f64>) -> SinkhornDivergence {
    let (x, y) = (measure(x.view(), None), measure(y.view(), None));
    geomloss_divergence(&x, &y, SinkhornPower::Two, BLUR, Schedule::CONVERGED).unwrap()
}

/// The mean, and the covariance divided by n.
fn moments(x: &Array2<f64>) -> (ndarray::Array1<f64>, Array2<f64>) {
    let mean = x.mean_axis(Axis(0)).unwrap();
    let centred = x - &mean;
    (mean, centred.t().dot(&centred) / x.nrows() as f64)
}

/// For clouds far narrower than the blur, OT_ε of centred measures is ½E‖x‖² + ½E‖y‖² − E⟨x, y⟩²/(2ε) + …, so that
/// S_ε = ½‖Δ mean‖² + ‖Σ_x − Σ_y‖²/(4ε) up to the next order.
#[test]
fn clouds_far_narrower_than_the_blur_differ_by_their_means_and_covariances() {
    let (x, y) = (normal_cloud(60, 200, 2), 1.2 * normal_cloud(61, 180, 2) + 0.03);
    let ((mean_x, cov_x), (mean_y, cov_y)) = (moments(&x), moments(&y));
    let (of_means, of_covariances) = (&mean_x - &mean_y, &cov_x - &cov_y);
    let first = 0.5 * of_means.dot(&of_means);
    let second = 0.25 * of_covariances.iter().map(|entry| entry * entry).sum::<f64>() / (BLUR * BLUR);
    for scale in [1e-3, 1e-4, 1e-6, 1e-8, 1e-12, 1e-60] {
        let squared = scale * scale;
        let (x, y) = (&x * scale, &y * scale);
        let expected = squared * (first + squared * second);
        let found = divergence(&x, &y);
        assert!(found.converged, "{scale:e}: {found:?}");
        // What convergence claims.
        assert!((found.value - expected).abs() < 1e-4 * expected, "{scale:e}: {found:?}, not {expected:e}");
        let (x, y) = (measure(x.view(), None), measure(y.view(), None));
        let schedule = Schedule::Converged { tolerance: 1e-10, max_iterations: 5000 };
        let found = geomloss_divergence(&x, &y, SinkhornPower::Two, BLUR, schedule).unwrap();
        // The next order is some σ²/ε of the second one.
        let next = 30.0 * squared / (BLUR * BLUR) * squared * squared * second;
        assert!(found.converged, "{scale:e}: {found:?}");
        assert!(
            (found.value - expected).abs() < next + 1e-10 * expected,
            "{scale:e}: {found:?}, not {expected:e}"
        );
    }
}

#[test]
fn clouds_far_wider_than_the_blur_have_half_their_exact_distance() {
    let (x, y) = (normal_cloud(62, 200, 2), normal_cloud(63, 180, 2) + 0.3);
    for scale in [1e3, 1e4, 72_000.0, 1e6, 1e8, 1e12, 1e100] {
        let (x, y) = (&x * scale, &y * scale);
        let exact =
            solve(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::HalfSquared).unwrap();
        let found = divergence(&x, &y);
        assert!(found.converged, "{scale:e}: {found:?}");
        // ε·log n = .013 of costs from 1e5 on, which the first-order term accounts for all but some per cent of.
        assert!((found.value / exact.primal() - 1.0).abs() < 1e-7, "{scale:e}: {found:?} {}", exact.primal());
    }
    for scale in [1e-9, 1.0, 1e6, 1e12] {
        let (x, y) = (array![[0.0, 0.0]], array![[3.0 * scale, 0.0]]);
        let found = divergence(&x, &y);
        assert!(found.converged);
        assert!((found.value / (4.5 * scale * scale) - 1.0).abs() < 1e-15, "{found:?}");
    }
}

/// S_ε(μ, ν + v) = S_ε(μ, ν) + ½‖v‖² + v·(mean ν − mean μ), and nothing of the first term if μ = ν.
#[test]
fn a_translation_adds_what_it_should_however_far_it_is() {
    let (x, y) = (normal_cloud(64, 150, 2), normal_cloud(65, 170, 2));
    let near = divergence(&x, &y).value;
    let ((mean_x, _), (mean_y, _)) = (moments(&x), moments(&y));
    for far in [10.0, 1e3, 1e6, 1e10] {
        let found = divergence(&x, &(&y + far));
        let expected = near + far * far + far * (&mean_y - &mean_x).sum();
        assert!(found.converged, "{found:?}");
        // The tolerance of the value, of which the near one is all that iterates; 1e−10·far of rounded coordinates.
        assert!(
            (found.value - expected).abs() < 1e-4 * near + 1e-14 * far * far,
            "{far}: {found:?} {expected}"
        );
    }
    // A step of 1e−5 is right to 4e−5, but that is within the rounding of costs up to twenty.
    for step in [1.0, 1e-3, 1e-4] {
        let found = divergence(&x, &(&x + step));
        assert!(found.converged, "{found:?}");
        assert!((found.value / (step * step) - 1.0).abs() < 1e-4, "{step}: {found:?}");
    }
}

#[test]
fn the_same_cloud_in_another_order_is_at_distance_zero() {
    let x = normal_cloud(66, 120, 3);
    let order: Vec<usize> = (0..120).map(|i| (i * 77) % 120).collect();
    for cost in [Euclidean::HalfSquared, Euclidean::Distance] {
        let shuffled = x.select(Axis(0), &order);
        let (x, y) = (measure(x.view(), None), measure(shuffled.view(), None));
        let found = sinkhorn_divergence(&x, &y, &cost, 0.01, SinkhornOptions::default()).unwrap();
        assert_eq!((found.value, found.converged), (0.0, true));
    }
}

/// Distances of 1e3 hide a step of 1e−13: what is left of the difference is rounding, and the divergence says so.
#[test]
fn a_difference_below_rounding_is_not_called_converged() {
    let x = 1e3 * normal_cloud(67, 60, 2);
    let mut y = x.clone();
    y[[0, 0]] += 2e-13;
    assert_ne!(x, y);
    let (x, y) = (measure(x.view(), None), measure(y.view(), None));
    let options = SinkhornOptions { max_iterations: 200, ..SinkhornOptions::default() };
    let found = sinkhorn_divergence(&x, &y, &Euclidean::Distance, 100.0, options).unwrap();
    assert!(!found.converged && found.value.abs() < 1e-5, "{found:?}");
}

/// A hundred coordinates, whose costs are a product of matrices, against the same cost as a function of two points.
#[test]
fn many_coordinates_give_what_pair_by_pair_costs_give() {
    let (x, y) = (normal_cloud(68, 90, 100), normal_cloud(69, 70, 100) + 0.2);
    let (a, b) = (weights(70, 90), weights(71, 70));
    let (source, target) = (measure(x.view(), Some(&a)), measure(y.view(), Some(&b)));
    let squares = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
    let half = |x: &[f64], y: &[f64]| 0.5 * squares(x, y);
    let distance = |x: &[f64], y: &[f64]| squares(x, y).sqrt();
    let own: [(&dyn Cost, Euclidean, f64); 3] = [
        (&half, Euclidean::HalfSquared, 30.0),
        (&half, Euclidean::HalfSquared, 3.0),
        (&distance, Euclidean::Distance, 1.0),
    ];
    for (own, cost, epsilon) in own {
        let options = SinkhornOptions { tolerance: 1e-9, max_iterations: 20_000 };
        let (found, gradient) =
            sinkhorn_divergence_gradient(&source, &target, &cost, epsilon, options).unwrap();
        let (expected, slopes) =
            sinkhorn_divergence_gradient(&source, &target, own, epsilon, options).unwrap();
        assert!(found.converged && expected.converged, "{found:?} {expected:?}");
        assert!((found.value - expected.value).abs() < 1e-8 * expected.value, "{found:?} {expected:?}");
        // Central differences of the function: 1e−10 of slopes up to 30 with a ninetieth of the mass.
        assert!(gradient.iter().zip(&slopes).all(|(one, two)| (one - two).abs() < 1e-7));
    }
    // Far below the costs the exact plan decides.
    let found =
        sinkhorn_divergence(&source, &target, &Euclidean::HalfSquared, 1e-3, SinkhornOptions::default());
    let (found, exact) = (found.unwrap(), solve(&source, &target, &Euclidean::HalfSquared).unwrap());
    assert!(found.converged && (found.value / exact.primal() - 1.0).abs() < 1e-4, "{found:?}");
}

/// The gradient is that of the value, also where the value is a difference of nearly equal terms or ε has no digits.
#[test]
fn gradients_hold_at_any_scale() {
    let (x, y) = (normal_cloud(72, 12, 2), normal_cloud(73, 9, 2) + 0.5);
    // Repeated points move together or alone.
    let x = ndarray::concatenate![Axis(0), x, x.slice(ndarray::s![..3, ..])];
    for scale in [1e-4, 1e3, 1e7] {
        let (x, y) = (&x * scale, &y * scale);
        let value = |x: &Array2<f64>| {
            let (x, y) = (measure(x.view(), None), measure(y.view(), None));
            let options = SinkhornOptions { tolerance: 1e-8, max_iterations: 20_000 };
            sinkhorn_divergence_gradient(&x, &y, &Euclidean::HalfSquared, BLUR * BLUR, options).unwrap()
        };
        let (found, gradient) = value(&x);
        let step = 1e-3 * scale;
        for (row, axis) in [(0, 0), (5, 1), (13, 0)] {
            let moved = |by: f64| {
                let mut x = x.clone();
                x[[row, axis]] += by;
                value(&x).0.value
            };
            let quotient = (moved(step) - moved(-step)) / (2.0 * step);
            // Second order in the step; a piecewise quadratic function where ε is small.
            assert!(
                (quotient - gradient[[row, axis]]).abs() < 2e-5 * scale,
                "{scale:e}: {quotient:e} {:e} {found:?}",
                gradient[[row, axis]]
            );
        }
    }
}
