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

/// The limits of the generators at 0: those of x log x and powers are finite, that of −log x is not.
#[test]
fn generators_end_at_zero() {
    for divergence in ALL {
        assert_eq!(divergence.f(-1e-9), f64::INFINITY, "{divergence}");
        let at_zero = match divergence {
            Divergence::KullbackLeibler | Divergence::DonskerVaradhan => 0.0,
            Divergence::Alpha(alpha) => -1.0 / (alpha * (alpha - 1.0)),
            // −log ½.
            Divergence::JensenShannon => 2.0_f64.ln(),
            Divergence::ReverseKullbackLeibler | Divergence::Wasserstein1 => f64::INFINITY,
        };
        // Both sides are a formula of one rounding.
        let (found, slack) = (divergence.f(0.0), 1e-15);
        assert!(found == at_zero || (found - at_zero).abs() < slack, "{divergence}: {found}");
    }
}

/// Values by hand: 3 log 3; −log 3; (9 − 1)/2; (1 − √4)/(¼) = −4; 3 log 3 − 4 log 2.
#[test]
fn generators_have_the_values_of_their_formulas() {
    let (log2, log3) = (2.0_f64.ln(), 3.0_f64.ln());
    let cases = [
        (Divergence::KullbackLeibler, 3.0, 3.0 * log3),
        (Divergence::DonskerVaradhan, 3.0, 3.0 * log3),
        (Divergence::ReverseKullbackLeibler, 3.0, -log3),
        (Divergence::Alpha(2.0), 3.0, 4.0),
        (Divergence::Alpha(0.5), 4.0, -4.0),
        (Divergence::JensenShannon, 3.0, 3.0 * log3 - 4.0 * log2),
        (Divergence::Wasserstein1, 3.0, f64::INFINITY),
    ];
    for (divergence, x, expected) in cases {
        let found = divergence.f(x);
        assert!(found == expected || (found - expected).abs() < 1e-14, "{divergence}: {found}");
    }
}

/// The supremum of a domain does not belong to it: there, as beyond, the conjugate and its derivative are +∞.
#[test]
fn conjugates_are_infinite_from_the_supremum_on() {
    for divergence in ALL {
        let supremum = divergence.conjugate_domain_supremum();
        for y in [supremum, supremum + 1.0] {
            assert_eq!(divergence.conjugate(y), f64::INFINITY, "{divergence}");
            assert_eq!(divergence.conjugate_derivative(y), f64::INFINITY, "{divergence}");
        }
        if supremum.is_finite() {
            let critic = [supremum];
            let at_supremum = divergence.dual(&[-1.0], &critic);
            assert!(matches!(at_supremum, Err(DivergenceError::OutsideDomain { index: 0, .. })));
            // Generated values may lie where they like.
            assert!(divergence.dual(&critic, &[-1.0]).is_ok());
        }
    }
}

#[test]
fn an_order_that_is_not_allowed_gives_no_number() {
    for alpha in [1.0, 0.0, -1.0, f64::INFINITY, f64::NAN] {
        let divergence = Divergence::Alpha(alpha);
        for value in [-2.0, 0.5, 3.0] {
            // Below 1 the domain ends at 0, and outside it +∞ comes first.
            let outside = alpha < 1.0 && value >= 0.0;
            assert!(divergence.conjugate(value).is_nan() || outside, "{alpha} at {value}");
            assert!(divergence.conjugate_derivative(value).is_nan() || outside, "{alpha} at {value}");
        }
        assert!(divergence.f(0.5).is_nan() && divergence.f(2.0).is_nan(), "{alpha}");
        assert!(matches!(divergence.dual(&[-1.0], &[-1.0]), Err(DivergenceError::Order(_))), "{alpha}");
        assert!(format!("alpha:{alpha}").parse::<Divergence>().is_err(), "{alpha}");
    }
    assert_eq!("alpha:0.5".parse(), Ok(Divergence::Alpha(0.5)));
}

/// A value, or one derivative alone, that overflows is an error; the largest target value is named.
#[test]
fn what_overflows_is_an_error() {
    let overflows = |dual: Result<_, DivergenceError>| match dual {
        Err(DivergenceError::Overflow { largest, .. }) => largest,
        other => panic!("{other:?}"),
    };
    assert_eq!(overflows(Divergence::KullbackLeibler.dual(&[0.0], &[1.0, 1e4, 2.0])), 1e4);
    // The sum of the generated values, with derivatives that are all finite.
    assert_eq!(overflows(Divergence::Wasserstein1.dual(&[1e308, 1e308], &[0.5, -0.5])), 0.5);
    // f* = 4/|y| − 4 is finite at −1e−200, its derivative 4/y² is not.
    assert!(Divergence::Alpha(0.5).conjugate(-1e-200).is_finite());
    assert_eq!(overflows(Divergence::Alpha(0.5).dual(&[-1.0], &[-1.0, -1e-200])), -1e-200);
}

#[test]
fn a_value_that_is_not_finite_is_named_with_its_place() {
    let place = |generated: &[f64], target: &[f64]| match Divergence::Wasserstein1.dual(generated, target) {
        Err(DivergenceError::NotFinite { sample, index, .. }) => (sample, index),
        other => panic!("{other:?}"),
    };
    assert_eq!(place(&[0.0, 1.0, f64::INFINITY], &[0.0]), ("generated", 2));
    assert_eq!(place(&[0.0], &[0.0, f64::NAN, f64::NAN]), ("target", 1));
    let empty = Divergence::Wasserstein1.dual(&[0.0], &[]);
    assert!(matches!(empty, Err(DivergenceError::Empty { sample: "target" })));
}
