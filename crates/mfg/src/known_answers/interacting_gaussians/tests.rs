//! The closed form against the equations that it claims to solve.

use super::InteractingGaussians;
use crate::MfgError;
use crate::hamilton_jacobi::{Diffusion, Terms, residual};
use ndarray::array;

fn flow(sigma: f64, attraction: f64) -> InteractingGaussians {
    InteractingGaussians {
        lambda: 0.7,
        horizon: 1.3,
        sigma,
        attraction,
        initial_mean: array![0.0, 0.5],
        initial_std: 1.4,
        target_mean: array![2.0, -1.0],
        target_std: 0.6,
    }
}

const CASES: [(f64, f64); 4] = [(0.0, 0.0), (0.8, 0.0), (0.0, 1.5), (0.8, 1.5)];

/// Ten roundings of numbers of order 10.
#[test]
fn the_full_hamilton_jacobi_equation_holds() {
    for (sigma, attraction) in CASES {
        for time in [0.0, 0.4, 1.3] {
            let at = flow(sigma, attraction).derivatives(array![0.3, -1.2].view(), time).unwrap();
            let [time_derivative, laplacian, interaction] =
                [at.time, at.laplacian, at.interaction].map(|value| array![value]);
            let terms = Terms {
                lambda: 0.7,
                time_derivative: time_derivative.view(),
                gradient: at.gradient.view().insert_axis(ndarray::Axis(0)),
                diffusion: Some(Diffusion { sigma, laplacian: laplacian.view() }),
                interaction: Some(interaction.view()),
            };
            assert!(residual(&terms).unwrap()[0].abs() < 1e-13);
        }
    }
}

/// ∂ₜ∇U by central differences (error h²·‖U‴‖, 1e-8) must be what the Riccati equation says: a and m move as
/// claimed. ∂ₜ∇U = ∇∂ₜU, here from ∂ₜU by differences in x.
#[test]
fn time_and_space_derivatives_are_of_one_function() {
    let h = 1e-5;
    for (sigma, attraction) in CASES {
        let flow = flow(sigma, attraction);
        let (x, time) = (array![0.3, -1.2], 0.6);
        let gradient = |t: f64| flow.derivatives(x.view(), t).unwrap().gradient;
        let in_time = (gradient(time + h) - gradient(time - h)) / (2.0 * h);
        for j in 0..2 {
            let at = |step: f64| {
                let mut x = x.clone();
                x[j] += step;
                flow.derivatives(x.view(), time).unwrap().time
            };
            let in_space = (at(h) - at(-h)) / (2.0 * h);
            assert!((in_time[j] - in_space).abs() < 1e-6, "{} against {in_space}", in_time[j]);
        }
    }
}

/// The law must follow its own velocity: s² ′ = −2as²/λ + σ², by central differences, and the divergence's first
/// variation at the end is ∇U = (x − m₁)/s₁² − (x − m_T)/s_T².
#[test]
fn the_law_follows_the_velocity_and_ends_on_the_first_variation() {
    let h = 1e-5;
    for (sigma, attraction) in CASES {
        let flow = flow(sigma, attraction);
        let variance = |t: f64| flow.law(t).unwrap().std.powi(2);
        for time in [0.2, 0.9] {
            let rate = (variance(time + h) - variance(time - h)) / (2.0 * h);
            let a = flow.derivatives(array![0.0, 0.0].view(), time).unwrap().laplacian / 2.0;
            let expected = -2.0 * a * variance(time) / 0.7 + sigma * sigma;
            assert!((rate - expected).abs() < 1e-7 * (1.0 + rate.abs()), "{rate} against {expected}");
        }
        let (x, end) = (array![0.3, -1.2], flow.law(1.3).unwrap());
        let expected = (&x - &flow.target_mean) / 0.36 - (&x - &end.mean) / (end.std * end.std);
        let found = flow.derivatives(x.view(), 1.3).unwrap().gradient;
        assert!((found - expected).iter().all(|gap| gap.abs() < 1e-12));
        assert!((variance(0.0).sqrt() - 1.4).abs() < 1e-12);
    }
}

/// No other linear feedback is better: the cost KL + ∫(λ/2)k²s² + (w/2)s² dt over ṡ² = −2ks² + σ², integrated by
/// the classical Runge–Kutta rule, does not change to first order when k = a/λ does.
#[test]
fn the_gain_is_stationary_for_the_cost() {
    const STEPS: usize = 2000;
    for (sigma, attraction) in CASES {
        let flow = flow(sigma, attraction);
        let gain = |t: f64| flow.derivatives(array![0.0, 0.0].view(), t).unwrap().laplacian / 2.0 / 0.7;
        let h = 1.3 / STEPS as f64;
        let gains: Vec<f64> = (0..=2 * STEPS).map(|i| gain(0.5 * h * i as f64)).collect();
        let cost = |weight: f64, mode: f64| {
            let k = |half: usize| {
                let phase = std::f64::consts::PI * mode * half as f64 / (2 * STEPS) as f64;
                gains[half] + weight * phase.cos()
            };
            let rates = |half: usize, s2: f64| {
                let k = k(half);
                (-2.0 * k * s2 + sigma * sigma, 0.35 * k * k * s2 + 0.5 * attraction * s2)
            };
            let (mut s2, mut total) = (1.4_f64.powi(2), 0.0);
            for i in 0..STEPS {
                let one = rates(2 * i, s2);
                let two = rates(2 * i + 1, s2 + 0.5 * h * one.0);
                let three = rates(2 * i + 1, s2 + 0.5 * h * two.0);
                let four = rates(2 * i + 2, s2 + h * three.0);
                s2 += h / 6.0 * (one.0 + 2.0 * two.0 + 2.0 * three.0 + four.0);
                total += h / 6.0 * (one.1 + 2.0 * two.1 + 2.0 * three.1 + four.1);
            }
            total + 0.5 * (s2 / 0.36 - 1.0 - (s2 / 0.36).ln())
        };
        for mode in [0.0, 1.0, 3.0] {
            let (step, here) = (1e-3, cost(0.0, mode));
            let slope = (cost(step, mode) - cost(-step, mode)) / (2.0 * step);
            let bend = (cost(step, mode) - 2.0 * here + cost(-step, mode)) / (step * step);
            // The third derivative adds step²/6; a cost that bends by this much would show another optimum.
            assert!(slope.abs() < 1e-5, "σ {sigma}, w {attraction}, mode {mode}: slope {slope}");
            assert!(bend > 1e-2, "{bend}");
        }
    }
}

/// The same target as start, where s_T lies at the lower end of what is searched: for λ = T = 1, σ = 0, w = 3 the
/// deviation solves s·D(1) = 1, here by the bare formula.
#[test]
fn a_narrow_law_is_found() {
    let mean = array![0.0];
    let (lambda, horizon, sigma, attraction) = (1.0, 1.0, 0.0, 3.0);
    let (initial_mean, target_mean) = (mean.clone(), mean);
    let (initial_std, target_std) = (1.0, 1.0);
    let flow = InteractingGaussians {
        lambda,
        horizon,
        sigma,
        attraction,
        initial_mean,
        initial_std,
        target_mean,
        target_std,
    };
    let s = flow.law(1.0).unwrap().std;
    let omega = 3.0_f64.sqrt();
    let growth = omega.cosh() + (1.0 - 1.0 / (s * s)) * omega.sinh() / omega;
    // Bisection to the last bits of numbers of order 1.
    assert!((s * growth - 1.0).abs() < 1e-12, "{s}");
}

/// (w/2)·E‖x − y‖² is of second degree in y, so four points with the mean and the covariance of ρ_t give it: m ±
/// √2·s along each of two axes.
#[test]
fn the_interaction_is_the_mean_square_distance() {
    for (sigma, attraction) in CASES {
        let flow = flow(sigma, attraction);
        for time in [0.0, 0.7, 1.3] {
            let (x, law) = (array![0.3, -1.2], flow.law(time).unwrap());
            let mut total = 0.0;
            for axis in 0..2 {
                for side in [-1.0, 1.0] {
                    let mut y = law.mean.clone();
                    y[axis] += side * 2.0_f64.sqrt() * law.std;
                    total += (&x - &y).mapv(|gap| gap * gap).sum() / 4.0;
                }
            }
            let found = flow.derivatives(x.view(), time).unwrap().interaction;
            // A few roundings of numbers below 10.
            assert!((found - 0.5 * attraction * total).abs() < 1e-13);
        }
    }
}

/// Without noise and attraction the paths are straight, and stretching the start by s_T/s₀ costs (λ/2T)·d·(s_T −
/// s₀)² beside the divergence d·(s_T²/s₁² − 1 − log s_T²/s₁²)/2: stationary where λ(s_T − s₀)/T + s_T/s₁² − 1/s_T =
/// 0.
#[test]
fn the_final_deviation_solves_its_quadratic_equation() {
    let stiffness = 0.7 / 1.3;
    let (curvature, slope): (f64, f64) = (stiffness + 1.0 / 0.36, stiffness * 1.4);
    let expected = (slope + (slope * slope + 4.0 * curvature).sqrt()) / (2.0 * curvature);
    // Bisection to the last bits of numbers of order 1.
    assert!((flow(0.0, 0.0).law(1.3).unwrap().std - expected).abs() < 1e-13);
}

/// Far apart in every parameter, s_T must give itself back: ends of the bisection that miss it would show.
#[test]
fn the_final_law_is_found_for_extreme_parameters() {
    for lambda in [1e-3, 1.0, 1e3] {
        for (initial_std, target_std) in [(1e-3, 1.0), (1.0, 1e-3), (1e3, 1.0), (1.0, 1e3)] {
            for (sigma, attraction) in [(0.0, 0.0), (30.0, 0.0), (0.1, 2.0)] {
                let flow =
                    InteractingGaussians { lambda, initial_std, target_std, ..flow(sigma, attraction) };
                let (x, end) = (array![0.3, -1.2], flow.law(1.3).unwrap());
                let found = flow.derivatives(x.view(), 1.3).unwrap().laplacian / 2.0;
                let expected = 1.0 / target_std.powi(2) - 1.0 / end.std.powi(2);
                let size = 1.0 / target_std.powi(2) + 1.0 / end.std.powi(2);
                // The root is found to rounding, which D(T) near 0 can magnify.
                assert!((found - expected).abs() < 1e-6 * size, "{flow:?}: {found} for {expected}");
            }
        }
    }
}

#[test]
fn parameters_outside_their_domain_are_named() {
    let name = |flow: InteractingGaussians| match flow.law(0.0).unwrap_err() {
        MfgError::Parameter { parameter, .. } => parameter,
        MfgError::Shape { array, .. } => array,
        other => panic!("{other}"),
    };
    let right = || flow(0.8, 1.5);
    assert_eq!(name(InteractingGaussians { lambda: 0.0, ..right() }), "lambda");
    assert_eq!(name(InteractingGaussians { horizon: f64::INFINITY, ..right() }), "horizon");
    assert_eq!(name(InteractingGaussians { initial_std: -1.0, ..right() }), "initial_std");
    assert_eq!(name(InteractingGaussians { target_std: f64::NAN, ..right() }), "target_std");
    for wrong in [-1.0, f64::INFINITY, f64::NAN] {
        assert_eq!(name(InteractingGaussians { sigma: wrong, ..right() }), "sigma");
        assert_eq!(name(InteractingGaussians { attraction: wrong, ..right() }), "attraction");
    }
    assert_eq!(name(InteractingGaussians { target_mean: array![0.0], ..right() }), "target_mean");
    let point = right().derivatives(array![0.0].view(), 0.0);
    assert!(matches!(point, Err(MfgError::Shape { array: "the point", .. })));
}
