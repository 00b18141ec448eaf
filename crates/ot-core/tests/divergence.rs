//! The generators, conjugates and duals of the f-divergences against their definitions.

use ot_core::divergence::{DIVERGENCE_NAMES, Divergence, DivergenceError};

const ALL: [Divergence; 8] = [
    Divergence::KullbackLeibler,
    Divergence::DonskerVaradhan,
    Divergence::ReverseKullbackLeibler,
    Divergence::Alpha(2.0),
    Divergence::Alpha(3.5),
    Divergence::Alpha(0.5),
    Divergence::JensenShannon,
    Divergence::Wasserstein1,
];

/// Critic values that fill the domain of f*.
fn domain_grid(divergence: Divergence) -> Vec<f64> {
    let supremum = divergence.conjugate_domain_supremum();
    (0..60)
        .map(|step| {
            let offset = 0.03 + 0.08 * f64::from(step);
            if supremum.is_finite() { supremum - offset } else { 3.0 - 2.0 * offset }
        })
        .collect()
}

#[test]
fn every_generator_vanishes_at_one() {
    for divergence in ALL {
        // x log x and powers at x = 1 are exact in floating point.
        assert_eq!(divergence.f(1.0), 0.0, "{divergence}");
    }
}

#[test]
fn fenchel_young_holds_with_equality_at_the_derivative() {
    for divergence in ALL {
        for y in domain_grid(divergence) {
            let conjugate = divergence.conjugate(y);
            for step in 0..400 {
                let x = 0.025 * f64::from(step);
                let gap = divergence.f(x) + conjugate - x * y;
                // Rounding of three terms below 1e4.
                assert!(gap >= -1e-11, "{divergence}: f({x}) + f*({y}) − xy = {gap}");
            }
            let best = divergence.conjugate_derivative(y);
            let gap = divergence.f(best) + conjugate - best * y;
            // Relative to the size of the terms: both sides are closed forms in f64.
            assert!(
                gap.abs() <= 1e-11 * (1.0 + conjugate.abs() + (best * y).abs()),
                "{divergence} at {y}: {gap}"
            );
        }
    }
}

#[test]
fn conjugate_is_the_numeric_supremum() {
    for divergence in ALL {
        if divergence == Divergence::Wasserstein1 {
            continue; // f is finite at x = 1 only: no grid contains the supremum by chance.
        }
        for y in domain_grid(divergence) {
            // Ternary search in log x of the concave x·y − f(x); the maximisers of the grid lie in (e^−12, e^12).
            let objective = |log_x: f64| log_x.exp() * y - divergence.f(log_x.exp());
            let (mut low, mut high) = (-12.0, 12.0);
            for _ in 0..200 {
                let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
                if objective(left) < objective(right) { low = left } else { high = right }
            }
            // At x = 0 the supremum may sit on the boundary (α > 1, y ≤ 0).
            let supremum = objective(low).max(-divergence.f(0.0));
            let conjugate = divergence.conjugate(y);
            // A flat maximum is resolved to sqrt of rounding in x, to rounding in value.
            assert!(
                (supremum - conjugate).abs() <= 1e-9 * (1.0 + conjugate.abs()),
                "{divergence} at {y}: {supremum} {conjugate}"
            );
        }
    }
}

#[test]
fn conjugate_derivative_is_the_central_difference() {
    for divergence in ALL {
        for y in domain_grid(divergence) {
            let step = 1e-6;
            let slope = (divergence.conjugate(y + step) - divergence.conjugate(y - step)) / (2.0 * step);
            let derivative = divergence.conjugate_derivative(y);
            // Rounding 1e−16/1e−6 and curvature 1e−12·f*‴; f*‴ reaches 1e5 near the edge of a domain.
            assert!(
                (slope - derivative).abs() <= 1e-6 * (1.0 + derivative.abs()),
                "{divergence} at {y}: {slope} {derivative}"
            );
        }
    }
}

#[test]
fn dual_derivatives_are_central_differences() {
    let generated = [-0.4, -1.3, -2.2];
    let target = [-0.9, -0.2, -3.1, -1.0];
    for divergence in ALL {
        let dual = divergence.dual(&generated, &target).unwrap();
        let step = 1e-6;
        for index in 0..generated.len() + target.len() {
            let moved = |by: f64| {
                let (mut p, mut q) = (generated, target);
                if index < p.len() {
                    p[index] += by
                } else {
                    q[index - p.len()] += by
                }
                divergence.dual(&p, &q).unwrap().value
            };
            let slope = (moved(step) - moved(-step)) / (2.0 * step);
            let derivative = if index < generated.len() {
                dual.d_generated[index]
            } else {
                dual.d_target[index - generated.len()]
            };
            // Rounding 1e−16/1e−6 and curvature 1e−12·f*‴ with f*‴ < 1e3 at −0.2.
            assert!((slope - derivative).abs() < 1e-8, "{divergence}, value {index}: {slope} {derivative}");
        }
    }
}

#[test]
fn donsker_varadhan_is_the_best_shift_of_kullback_leibler() {
    let generated = [0.3, -1.2, 2.0];
    let target = [1.1, 0.4, -0.7, 3.0, -2.0];
    let best = Divergence::DonskerVaradhan.dual(&generated, &target).unwrap().value;
    let shifted = |shift: f64| {
        let p: Vec<f64> = generated.iter().map(|value| value + shift).collect();
        let q: Vec<f64> = target.iter().map(|value| value + shift).collect();
        (p, q)
    };
    let mut attained = f64::NEG_INFINITY;
    for step in -4000..=4000 {
        let (p, q) = shifted(1e-3 * f64::from(step));
        let value = Divergence::KullbackLeibler.dual(&p, &q).unwrap().value;
        assert!(value <= best + 1e-14);
        attained = attained.max(value);
    }
    // The grid misses the best shift by at most 5e−4; the objective is flat there with second derivative 1.
    assert!(best - attained < 2e-7, "{best} {attained}");
    // The form itself is shift-invariant.
    let (p, q) = shifted(700.0);
    let moved = Divergence::DonskerVaradhan.dual(&p, &q).unwrap().value;
    // One rounding of numbers near 700.
    assert!((moved - best).abs() < 1e-12);
}

#[test]
fn dual_of_the_optimal_critic_is_the_divergence() {
    // P and Q on three atoms, as multiplicities in samples of 4 and 8: the optimal critic is f'(dP/dQ).
    let (p, q) = ([0.25, 0.25, 0.5], [0.25, 0.5, 0.25]);
    let critic_of = |divergence: Divergence, ratio: f64| match divergence {
        Divergence::KullbackLeibler => ratio.ln() + 1.0,
        Divergence::DonskerVaradhan => ratio.ln(),
        Divergence::ReverseKullbackLeibler => -1.0 / ratio,
        Divergence::Alpha(alpha) => ratio.powf(alpha - 1.0) / (alpha - 1.0),
        Divergence::JensenShannon => (2.0 * ratio / (ratio + 1.0)).ln(),
        Divergence::Wasserstein1 => unreachable!(),
    };
    for divergence in ALL.into_iter().filter(|&divergence| divergence != Divergence::Wasserstein1) {
        let direct: f64 = (0..3).map(|atom| q[atom] * divergence.f(p[atom] / q[atom])).sum();
        let sample = |weights: [f64; 3], size: f64| -> Vec<f64> {
            (0..3)
                .flat_map(|atom| {
                    vec![critic_of(divergence, p[atom] / q[atom]); (weights[atom] * size) as usize]
                })
                .collect()
        };
        let dual = divergence.dual(&sample(p, 4.0), &sample(q, 8.0)).unwrap().value;
        // Two sums of at most eight terms of order one.
        assert!((dual - direct).abs() < 1e-14, "{divergence}: {dual} {direct}");
    }
}

#[test]
fn values_outside_the_domain_are_errors() {
    let outside = Divergence::ReverseKullbackLeibler.dual(&[-1.0], &[-1.0, 0.0]);
    assert!(matches!(outside, Err(DivergenceError::OutsideDomain { index: 1, .. })));
    assert!(Divergence::JensenShannon.dual(&[0.0], &[0.7]).is_err());
    assert!(Divergence::JensenShannon.dual(&[0.0], &[0.69]).is_ok());
    assert!(Divergence::Alpha(0.5).dual(&[0.0], &[0.1]).is_err());
    for divergence in ALL {
        assert!(matches!(divergence.dual(&[f64::NAN], &[-1.0]), Err(DivergenceError::NotFinite { .. })));
        assert!(matches!(divergence.dual(&[-1.0], &[f64::NAN]), Err(DivergenceError::NotFinite { .. })));
        assert!(matches!(divergence.dual(&[], &[-1.0]), Err(DivergenceError::Empty { .. })));
        assert!(
            divergence.conjugate(f64::NAN).is_nan() && divergence.conjugate_derivative(f64::NAN).is_nan()
        );
        assert!(divergence.f(f64::NAN).is_nan());
    }
    assert!(matches!(Divergence::Alpha(1.0).dual(&[0.0], &[0.0]), Err(DivergenceError::Order(_))));
    assert!(matches!(
        Divergence::KullbackLeibler.dual(&[0.0], &[1e4]),
        Err(DivergenceError::Overflow { .. })
    ));
}

#[test]
fn names_round_trip_and_unknown_names_list_the_valid_ones() {
    for name in DIVERGENCE_NAMES {
        assert_eq!(name.parse::<Divergence>().unwrap().to_string(), name);
    }
    let message = "kullback".parse::<Divergence>().unwrap_err().to_string();
    assert!(DIVERGENCE_NAMES.iter().all(|name| message.contains(name)), "{message}");
    for order in ["alpha:1", "alpha:0", "alpha:-2", "alpha:nan", "alpha:two", "alpha:"] {
        assert!(order.parse::<Divergence>().is_err(), "{order}");
    }
}
