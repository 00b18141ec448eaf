use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{
    OptimalFlow, ShiftedGaussians, SoftThreshold, least_kinetic_cost, lipschitz_kullback_leibler,
    lipschitz_kullback_leibler_slope, reach,
};
use crate::{Indicators, MfgError, continuity, step_invariance};

const POINT: SoftThreshold = SoftThreshold { lambda: 0.7, horizon: 2.0, lipschitz: 0.5, tangent: 0 };
const PLANE: SoftThreshold = SoftThreshold { tangent: 2, ..POINT };

fn shifted(lipschitz: f64) -> ShiftedGaussians {
    ShiftedGaussians {
        lambda: 0.3,
        horizon: 1.5,
        lipschitz,
        std: 0.8,
        initial_mean: array![0.2, -0.4, 1.0],
        target_mean: array![1.7, 0.3, 0.1],
    }
}

/// Both problems in both of their regimes.
fn flows() -> [Box<dyn OptimalFlow>; 4] {
    let (free, clipped) = (shifted(5.0), shifted(0.2));
    assert!(!free.is_clipped() && clipped.is_clipped());
    [Box::new(POINT), Box::new(PLANE), Box::new(free), Box::new(clipped)]
}

/// Starting points on both sides of the reach R = 10/7 of the soft thresholds.
fn starts(count: usize) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    Array2::from_shape_simple_fn((count, 3), || StandardNormal.sample(&mut rng))
}

fn norm(vector: &Array1<f64>) -> f64 {
    vector.dot(vector).sqrt()
}

/// min over all permutations of the mean squared distance: W2² between two small clouds by brute force.
fn brute_force_w2_squared(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    fn best(a: &Array2<f64>, b: &Array2<f64>, row: usize, free: &mut Vec<usize>) -> f64 {
        if row == a.nrows() {
            return 0.0;
        }
        let mut least = f64::INFINITY;
        for index in 0..free.len() {
            let column = free.swap_remove(index);
            let gap = &a.row(row) - &b.row(column);
            least = least.min(gap.dot(&gap) + best(a, b, row + 1, free));
            free.push(column);
            let last = free.len() - 1;
            free.swap(index, last);
        }
        least
    }
    best(a, b, 0, &mut (0..b.nrows()).collect()) / a.nrows() as f64
}

/// Values are of order 1 and go through some ten roundings a step; 64 steps of 1e-16 each stay below 1e-13. Squares of
/// such errors are 1e-26.
#[test]
fn every_indicator_vanishes_to_rounding() {
    for flow in flows() {
        for steps in [1, 2, 5, 64] {
            let trajectory = flow.trajectory(starts(300).view(), steps).unwrap();
            let indicators = Indicators::new(&trajectory, None).unwrap();
            assert!(indicators.hj_residual_rms.unwrap() < 1e-13);
            assert!(indicators.hj_residual_relative.unwrap() < 1e-12);
            assert!(indicators.terminal_gradient_rms.unwrap() < 1e-13);
            assert!(indicators.terminal_gradient_relative.unwrap() < 1e-12);
            assert!(indicators.characteristic_rms.unwrap() < 1e-13);
            assert!(indicators.path_ratio.unwrap() < 1e-13);
            assert!(indicators.velocity_spread.unwrap() < 1e-25);
            // The Gauss rule is exact to rounding for the polynomials; for sines of straight steps of length 1.4 its
            // error is 1e-13·1.4¹¹, 4e-12, in standard errors of 0.06.
            assert!(indicators.continuity_residual < 1e-9, "{}", indicators.continuity_residual);
        }
    }
}

/// The optimal flow is the optimal transport between its ends, which brute force knows without knowing the flow.
#[test]
fn straightness_and_the_energy_bound_are_sharp() {
    for flow in flows() {
        let start = starts(7);
        let trajectory = flow.trajectory(start.view(), 5).unwrap();
        let w2_squared = brute_force_w2_squared(&start, &trajectory.end().to_owned());
        assert!(trajectory.straightness(w2_squared).unwrap().abs() < 1e-13);
        let cost = flow.lambda() * trajectory.kinetic_energy();
        let bound = least_kinetic_cost(flow.lambda(), flow.horizon(), w2_squared);
        assert!((cost - bound).abs() < 1e-13 * bound);
    }
}

/// x ← x + h·v(x, t) reaches the exact end for every number of steps, one included.
#[test]
fn euler_steps_of_any_size_are_exact() {
    for flow in flows() {
        let start = starts(100);
        let euler = |steps: usize| {
            let step = flow.horizon() / steps as f64;
            let mut end = start.clone();
            for mut x in end.rows_mut() {
                for i in 0..steps {
                    let next = &x + &(flow.velocity(x.view(), step * i as f64) * step);
                    x.assign(&next);
                }
            }
            end
        };
        let exact = flow.trajectory(start.view(), 1).unwrap().end().to_owned();
        for steps in [1, 7, 64] {
            let gap = step_invariance(euler(steps).view(), exact.view(), start.view()).unwrap().unwrap();
            assert!(gap < 1e-13, "{steps} steps: {gap}");
        }
    }
}

/// Central differences of U, away from the surfaces where its second derivatives jump: their error is of order h² =
/// 1e-10 times third derivatives of order 1, and rounding 1e-16/h = 1e-11.
#[test]
fn derivatives_and_the_hamilton_jacobi_equation_by_finite_differences() {
    let h = 1e-5;
    for flow in flows() {
        for x in starts(60).rows() {
            for time in [0.0_f64, 0.3, 0.9].map(|share| share * flow.horizon() + 2.0 * h) {
                let gradient = flow.potential_gradient(x, time);
                let mut square = 0.0;
                for j in 0..3 {
                    let at = |shift: f64| {
                        let mut moved = x.to_owned();
                        moved[j] += shift;
                        flow.potential(moved.view(), time)
                    };
                    let difference = (at(h) - at(-h)) / (2.0 * h);
                    assert!((difference - gradient[j]).abs() < 1e-6, "{difference} {}", gradient[j]);
                    square += difference * difference;
                }
                let rate = (flow.potential(x, time + h) - flow.potential(x, time - h)) / (2.0 * h);
                assert!((rate - flow.potential_time_derivative(x, time)).abs() < 1e-6);
                assert!((rate - square / (2.0 * flow.lambda())).abs() < 1e-5);
            }
        }
    }
}

/// The Hopf–Lax formula U(x,t) = min_y φ(y) + λ‖x − y‖²/(2(T − t)) on a grid of y along the ray of x. The minimum of a
/// function with curvature c is met within c·(spacing)²/8.
#[test]
fn the_soft_threshold_potential_is_the_hopf_lax_minimum() {
    for x in starts(40).rows() {
        for time in [0.0, 1.0, 1.9] {
            let spacing = 1e-3;
            let candidates = (-4000..=4000).map(|i| spacing * f64::from(i));
            let distance = x.dot(&x).sqrt();
            let curvature = POINT.lambda / (POINT.horizon - time);
            let least = candidates
                .map(|y| POINT.lipschitz * y.abs() + 0.5 * curvature * (distance - y).powi(2))
                .fold(f64::INFINITY, f64::min);
            let potential = POINT.potential(x, time);
            assert!(
                least - potential >= -1e-14
                    && least - potential <= curvature * spacing * spacing / 8.0 + 1e-14
            );
        }
    }
}

#[test]
fn the_plane_keeps_tangential_coordinates_and_particles_within_reach_arrive() {
    let start = array![[3.0, -2.0, 0.5], [0.0, 0.0, -5.0], [1.0, 1.0, 0.0]];
    let end = PLANE.trajectory(start.view(), 3).unwrap().end().to_owned();
    let left = -5.0 + 0.5 * 2.0 / 0.7;
    assert_eq!(end.row(0), array![3.0, -2.0, 0.0]);
    assert!((end[[1, 2]] - left).abs() < 1e-15);
    assert_eq!(end.row(2), start.row(2));
}

/// A wrong flow is seen: the paths of one problem with the potential of another.
#[test]
fn indicators_of_a_wrong_flow_are_large() {
    let mut parts = shifted(5.0).trajectory(starts(50).view(), 4).unwrap().parts().clone();
    parts.potential_gradient.iter_mut().for_each(|gradient| *gradient *= 1.1);
    let indicators = Indicators::new(&crate::Trajectory::new(parts).unwrap(), None).unwrap();
    assert!(indicators.hj_residual_relative.unwrap() > 0.2);
    assert!((indicators.terminal_gradient_relative.unwrap() - 0.1).abs() < 1e-12);
    assert!(indicators.velocity_spread.unwrap() > 1e-3);
    assert!(indicators.continuity_residual > 0.1);
}

/// The recorded times are k·T/n, the positions and the derivatives those of these times.
#[test]
fn a_trajectory_records_the_closed_forms_at_equidistant_times() {
    for flow in flows() {
        let start = starts(5);
        let trajectory = flow.trajectory(start.view(), 4).unwrap();
        let parts = trajectory.parts();
        assert_eq!(parts.lambda, flow.lambda());
        assert_eq!(parts.times.len(), 5);
        for (index, share) in [0.0, 0.25, 0.5, 0.75, 1.0].into_iter().enumerate() {
            let time = share * flow.horizon();
            // T·k/4 is exact.
            assert_eq!(parts.times[index], time);
            for k in 0..5 {
                let position = flow.position(start.row(k), time);
                assert_eq!(parts.positions[index].row(k), position);
                if share < 1.0 {
                    let gradient = flow.potential_gradient(position.view(), time);
                    assert_eq!(parts.potential_gradient[index].row(k), gradient);
                    let derivative = flow.potential_time_derivative(position.view(), time);
                    assert_eq!(parts.potential_time_derivative.as_ref().unwrap()[index][k], derivative);
                    // v = −∇U/λ; λ·v is rounded twice.
                    let velocity = flow.velocity(position.view(), time);
                    assert!((velocity * flow.lambda() + gradient).iter().all(|gap| gap.abs() < 1e-15));
                }
            }
        }
        for k in 0..5 {
            let (gradient, derivative) = flow.arrival(start.row(k));
            assert_eq!(parts.critic_gradient.as_ref().unwrap().row(k), gradient);
            assert_eq!(parts.potential_gradient[4].row(k), gradient);
            assert_eq!(parts.potential_time_derivative.as_ref().unwrap()[4][k], derivative);
        }
    }
}

/// φ* of the soft threshold is L‖x_⊥‖, that of the shift is linear with the slope λ(m₀ − m)/T and vanishes at m.
#[test]
fn critics_are_the_potentials_at_the_horizon() {
    let point = array![3.0, -1.0, 4.0];
    assert_eq!(PLANE.critic(point.view()), 0.5 * 4.0);
    assert_eq!(PLANE.critic_gradient(point.view()), array![0.0, 0.0, 0.5]);
    let shift = shifted(5.0);
    let slope = (&shift.initial_mean - &shift.final_mean()) * (0.3 / 1.5);
    let expected = slope.dot(&(&point - &shift.final_mean()));
    // A few roundings of numbers of order 1.
    assert!((shift.critic(point.view()) - expected).abs() < 1e-14);
    assert!((shift.critic_gradient(point.view()) - slope).iter().all(|gap| gap.abs() < 1e-15));
}

/// At the kink (0, T), where ratios of the formulas would be 0/0, and for a particle that is there from the beginning.
#[test]
fn the_kink_of_the_soft_threshold_has_values() {
    let origin = Array1::zeros(3);
    for time in [0.0, POINT.horizon] {
        assert_eq!(POINT.potential(origin.view(), time), 0.0);
        assert_eq!(POINT.potential_gradient(origin.view(), time), origin);
        assert_eq!(POINT.potential_time_derivative(origin.view(), time), 0.0);
        assert_eq!(POINT.position(origin.view(), time), origin);
    }
    assert_eq!(POINT.arrival(origin.view()), (origin.clone(), 0.0));
    // Whoever arrives comes with λx₀/T, not with the subgradient 0.
    let start = array![0.7, 0.0, -0.2];
    let (gradient, derivative) = POINT.arrival(start.view());
    assert!((gradient - 0.35 * &start).iter().all(|gap: &f64| gap.abs() < 1e-15));
    assert!((derivative - 0.35 * start.dot(&start) / 4.0).abs() < 1e-15);
}

/// λ = T = L = s = 1: the free displacement of a distance δ is δ/2, the reach 1. At δ = 2 the bound is met and not yet
/// active. The values are (δ/2)²/2 + (δ/2)²/2 below, and (δ − 1) − ½ + ½ above.
#[test]
fn the_bound_is_active_beyond_the_reach() {
    let shift = |distance: f64| ShiftedGaussians {
        lambda: 1.0,
        horizon: 1.0,
        lipschitz: 1.0,
        std: 1.0,
        initial_mean: array![0.0],
        target_mean: array![distance],
    };
    assert!(!shift(1.0).is_clipped() && !shift(2.0).is_clipped() && shift(2.5).is_clipped());
    assert_eq!([1.0, 2.0, 4.0].map(|distance| shift(distance).value()), [0.25, 1.0, 3.0]);
    assert_eq!([1.0, 2.0, 4.0].map(|distance| shift(distance).final_mean()[0]), [0.5, 1.0, 1.0]);
    // A target that is the start: nothing moves, and no direction is 0/0.
    let still = shift(0.0);
    assert_eq!((still.value(), still.final_mean()), (0.0, array![0.0]));
    assert_eq!(still.position(array![1.5].view(), 0.7), array![1.5]);
    assert_eq!(still.potential(array![1.5].view(), 0.3), 0.0);
}

#[test]
fn parameters_outside_their_domain_are_named() {
    let start = starts(4);
    let name = |flow: &dyn OptimalFlow| match flow.trajectory(start.view(), 2).unwrap_err() {
        MfgError::Parameter { parameter, .. } => parameter,
        MfgError::Shape { array, .. } => array,
        other => panic!("{other}"),
    };
    assert_eq!(name(&SoftThreshold { lambda: 0.0, ..POINT }), "lambda");
    assert_eq!(name(&SoftThreshold { horizon: -1.0, ..POINT }), "horizon");
    assert_eq!(name(&SoftThreshold { lipschitz: f64::NAN, ..POINT }), "lipschitz");
    assert_eq!(name(&SoftThreshold { tangent: 3, ..POINT }), "tangent");
    assert_eq!(name(&SoftThreshold { tangent: 4, ..POINT }), "tangent");
    assert_eq!(name(&ShiftedGaussians { std: 0.0, ..shifted(1.0) }), "std");
    assert_eq!(name(&ShiftedGaussians { lambda: f64::INFINITY, ..shifted(1.0) }), "lambda");
    assert_eq!(name(&ShiftedGaussians { horizon: 0.0, ..shifted(1.0) }), "horizon");
    assert_eq!(name(&shifted(0.0)), "lipschitz");
    assert_eq!(name(&ShiftedGaussians { initial_mean: array![1.0], ..shifted(1.0) }), "initial_mean");
    let unequal = ShiftedGaussians { target_mean: array![1.0], ..shifted(1.0) };
    assert_eq!(name(&unequal), "target_mean");
    assert!(unequal.value().is_finite() && unequal.position(array![1.0, 2.0].view(), 1.0).len() == 1);
    assert!(matches!(POINT.trajectory(start.view(), 0), Err(MfgError::TooFew { what: "steps", .. })));
    assert!(matches!(POINT.trajectory(starts(1).view(), 2), Err(MfgError::TooFew { what: "particles", .. })));
}

/// The value of the dual sup E_P φ − log E_Q e^φ over slopes |φ'| ≤ L on a grid, by accelerated projected ascent.
/// Nothing in it knows that the critic is linear. The curvature in the slopes is at most dx²·(number of slopes)/4.
fn dual_on_a_grid(distance: f64, std: f64, lipschitz: f64) -> f64 {
    let (low, cells) = (-7.0 * std, 200_usize);
    let spacing = (distance + 14.0 * std) / cells as f64;
    let law = |mean: f64| {
        let density = |i: usize| (-0.5 * ((low + spacing * i as f64 - mean) / std).powi(2)).exp();
        let weights: Array1<f64> = (0..=cells).map(density).collect();
        let total = weights.sum();
        weights / total
    };
    let (source, target) = (law(distance), law(0.0));
    let tilt = |slopes: &Array1<f64>| {
        let mut value = 0.0;
        let critic: Array1<f64> = std::iter::once(0.0)
            .chain(slopes.iter().map(|slope| {
                value += slope * spacing;
                value
            }))
            .collect();
        let top = critic.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let tilted = &target * &critic.mapv(|value| (value - top).exp());
        let mass = tilted.sum();
        (source.dot(&critic) - top - mass.ln(), tilted / mass)
    };
    let rate = 4.0 / (spacing * spacing * cells as f64);
    let mut slopes = Array1::<f64>::zeros(cells);
    let (mut ahead, mut momentum) = (slopes.clone(), 1.0_f64);
    for _ in 0..1500 {
        let excess = &source - &tilt(&ahead).1;
        // The slope of cell j moves all values to its right.
        let mut tail = 0.0;
        let mut next = ahead.clone();
        for j in (0..cells).rev() {
            tail += excess[j + 1];
            next[j] = (next[j] + rate * spacing * tail).clamp(-lipschitz, lipschitz);
        }
        let following = 0.5 * (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt());
        ahead = &next + &((momentum - 1.0) / following * (&next - &slopes));
        (slopes, momentum) = (next, following);
    }
    tilt(&slopes).0
}

/// Accelerated ascent is within 2·(curvature)·‖slopes‖²/k² of the supremum after k steps: below 2e-4 here. The grid's
/// own error is that of the rectangle rule for Gaussians, far below.
#[test]
fn the_huber_value_is_that_of_the_dual_on_a_grid() {
    for (distance, std, lipschitz) in
        [(0.5, 1.0, 2.0), (1.0, 1.0, 1.0), (2.0, 1.0, 0.5), (1.0, 0.5, 1.0), (0.3, 0.5, 4.0)]
    {
        let grid = dual_on_a_grid(distance, std, lipschitz);
        let closed = lipschitz_kullback_leibler(distance, std, lipschitz);
        assert!((grid - closed).abs() < 2e-4, "{distance} {std} {lipschitz}: {grid} {closed}");
    }
}

fn vector() -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(-4.0..4.0, 3).prop_map(Array1::from)
}

/// D_KL^L + (λ/2T)·‖m − m₀‖² of a shift to any mean.
fn shift_objective(problem: &ShiftedGaussians, mean: &Array1<f64>) -> f64 {
    lipschitz_kullback_leibler(norm(&(mean - &problem.target_mean)), problem.std, problem.lipschitz)
        + problem.lambda / (2.0 * problem.horizon) * norm(&(mean - &problem.initial_mean)).powi(2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_particle_exceeds_the_speed_limit(
        x in vector(), lambda in 0.05..3.0, horizon in 0.1..3.0, lipschitz in 0.1..3.0, tangent in 0..3_usize,
    ) {
        let limit = reach(lipschitz, horizon, lambda) * (1.0 + 1e-12);
        let moved = |flow: &dyn OptimalFlow| norm(&(flow.position(x.view(), horizon) - &x));
        let threshold = SoftThreshold { lambda, horizon, lipschitz, tangent };
        let gaussians = ShiftedGaussians { lambda, horizon, ..shifted(lipschitz) };
        prop_assert!(moved(&threshold) <= limit);
        prop_assert!(moved(&gaussians) <= limit);
    }

    /// No other end point has a smaller L‖y‖ + λ‖x − y‖²/(2T).
    #[test]
    fn the_soft_threshold_is_pointwise_optimal(x in vector(), y in vector()) {
        let objective = |y: &Array1<f64>| {
            POINT.critic(y.view()) + POINT.lambda / (2.0 * POINT.horizon) * norm(&(&x - y)).powi(2)
        };
        let end = POINT.position(x.view(), POINT.horizon);
        prop_assert!(objective(&end) <= objective(&y) + 1e-12);
        prop_assert!((objective(&end) - POINT.potential(x.view(), 0.0)).abs() < 1e-12);
    }

    /// No other shift has a smaller value, in either regime; near the optimum as well as far from it.
    #[test]
    fn the_shift_is_optimal(direction in vector(), size in 0.0..1.0, lipschitz in 0.05..6.0, lambda in 0.05..3.0) {
        let problem = ShiftedGaussians { lambda, ..shifted(lipschitz) };
        let best = problem.final_mean();
        let value = problem.value();
        prop_assert!((shift_objective(&problem, &best) - value).abs() < 1e-12);
        prop_assert!(value <= shift_objective(&problem, &(&best + &(direction * size))) + 1e-12);
        let slope = norm(&problem.critic_gradient(best.view()));
        let remaining = norm(&(&best - &problem.target_mean));
        // The potential's slope, from the dynamics, is the critic's, from the divergence.
        prop_assert!((slope - lipschitz_kullback_leibler_slope(remaining, problem.std, lipschitz)).abs() < 1e-12);
    }

    #[test]
    fn the_continuity_residual_of_an_optimum_does_not_depend_on_the_steps(steps in 1..20_usize) {
        prop_assert!(continuity::residual(&POINT.trajectory(starts(20).view(), steps).unwrap()) < 1e-9);
    }
}
