//! Entropic transport against its definition, its laws and exact transport.

use crate::common::{measure, normal_cloud, on_thread_counts, weights};
use ndarray::Array2;
use ot_core::cost::{CloudCost, Euclidean, PairCost};
use ot_core::entropic::{
    EntropicError, Schedule, SinkhornOptions, SinkhornPower, geomloss_divergence, sinkhorn,
    sinkhorn_divergence_gradient, sinkhorn_unbalanced,
};
use ot_core::exact::solve;
use proptest::prelude::*;

#[test]
fn the_plan_of_the_potentials_has_the_marginals_and_the_value() {
    let (x, y) = (normal_cloud(1, 40, 2), normal_cloud(2, 55, 2));
    let (a, b) = (weights(3, 40), weights(4, 55));
    let epsilon = 0.05;
    let options = SinkhornOptions { tolerance: 1e-6, max_iterations: 10_000 };
    let result = sinkhorn(
        &measure(x.view(), Some(&a)),
        &measure(y.view(), Some(&b)),
        &Euclidean::HalfSquared,
        epsilon,
        options,
    )
    .unwrap();
    assert!(result.converged && result.marginal_error <= 1e-6);
    let cost =
        CloudCost::new(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::HalfSquared).unwrap();
    let (total_a, total_b) = (a.iter().sum::<f64>(), b.iter().sum::<f64>());
    let (mut rows, mut columns, mut value) = (vec![0.0; 40], vec![0.0; 55], 0.0);
    for i in 0..40 {
        for j in 0..55 {
            let exponent = (result.potentials.f()[i] + result.potentials.g()[j] - cost.cost(i, j)) / epsilon;
            let mass = a[i] / total_a * b[j] / total_b * exponent.exp();
            rows[i] += mass;
            columns[j] += mass;
            value += mass * cost.cost(i, j) + epsilon * mass * exponent;
        }
    }
    let row_error: f64 = rows.iter().zip(&a).map(|(sum, weight)| (sum - weight / total_a).abs()).sum();
    let column_error: f64 = columns.iter().zip(&b).map(|(sum, weight)| (sum - weight / total_b).abs()).sum();
    // What the result claims, plus 1e−7 relative error of single-precision exponentials.
    assert!((row_error - result.marginal_error).abs() < 1e-6, "{row_error} {}", result.marginal_error);
    assert!(column_error < 1e-6, "{column_error}");
    // The primal value of that plan: equal up to marginal error times potentials of order 1.
    assert!((value - result.value).abs() < 5e-6, "{value} {}", result.value);
}

#[test]
fn the_entropic_cost_tends_to_the_exact_cost() {
    let (x, y) = (normal_cloud(5, 60, 2), normal_cloud(6, 60, 2));
    let exact =
        solve(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::HalfSquared).unwrap().primal();
    let options = SinkhornOptions { tolerance: 1e-4, max_iterations: 200_000 };
    let mut last_gap = f64::INFINITY;
    for epsilon in [0.3, 0.1, 0.03, 0.01] {
        let value = sinkhorn(
            &measure(x.view(), None),
            &measure(y.view(), None),
            &Euclidean::HalfSquared,
            epsilon,
            options,
        )
        .unwrap()
        .value;
        let gap = value - exact;
        // 0 ≤ OT_ε − OT ≤ ε·(entropy of an optimal assignment) = ε·log 60.
        assert!(gap > 0.0 && gap < epsilon * 60f64.ln() && gap < last_gap, "ε = {epsilon}: {gap}");
        last_gap = gap;
    }
}

/// Five arms of unit spread on a circle of radius 4, the k-th with `counts[k]` points.
fn arms(seed: u64, counts: [usize; 5]) -> Array2<f64> {
    let mut cloud = normal_cloud(seed, counts.iter().sum(), 2) * ndarray::array![0.4, 0.1];
    let arm_of = (0..5).flat_map(|arm| std::iter::repeat_n(arm, counts[arm]));
    for (mut point, arm) in cloud.rows_mut().into_iter().zip(arm_of) {
        let (sin, cos) = (f64::from(arm as u32) * std::f64::consts::TAU / 5.0).sin_cos();
        let (along, across) = (4.0 + point[0], point[1]);
        point.assign(&ndarray::array![along * cos - across * sin, along * sin + across * cos]);
    }
    cloud
}

/// The entropic cost of the plan of the potentials after it is given exact marginals (Altschuler, Weed & Rigollet,
/// arXiv 1705.09634, algorithm 2), for equal weights: an upper bound of OT_ε in plain double precision, independent of
/// how the potentials were found.
fn primal_bound(cost: &CloudCost, f: &[f64], g: &[f64], epsilon: f64) -> f64 {
    let (n, m) = (f.len(), g.len());
    let (a, b) = (1.0 / n as f64, 1.0 / m as f64);
    let mut plan =
        Array2::from_shape_fn((n, m), |(i, j)| a * b * ((f[i] + g[j] - cost.cost(i, j)) / epsilon).exp());
    plan.rows_mut().into_iter().for_each(|mut row| row *= (a / row.sum()).min(1.0));
    plan.columns_mut().into_iter().for_each(|mut column| column *= (b / column.sum()).min(1.0));
    let missing_rows = a - plan.sum_axis(ndarray::Axis(1));
    let missing_columns = b - plan.sum_axis(ndarray::Axis(0));
    let total = missing_rows.sum().max(f64::MIN_POSITIVE);
    let mut value = 0.0;
    for ((i, j), mass) in plan.indexed_iter() {
        let mass = mass + missing_rows[i] * missing_columns[j] / total;
        if mass > 0.0 {
            value += mass * (cost.cost(i, j) + epsilon * (mass / (a * b)).ln());
        }
    }
    value
}

#[test]
fn clusters_of_different_mass_far_apart_converge() {
    let (x, y) = (arms(20, [40, 44, 36, 41, 39]), arms(21, [40, 37, 42, 38, 43]));
    let epsilon = 0.05 * 0.05;
    let run = |tolerance| {
        let options = SinkhornOptions { tolerance, max_iterations: 1000 };
        let result = sinkhorn(
            &measure(x.view(), None),
            &measure(y.view(), None),
            &Euclidean::HalfSquared,
            epsilon,
            options,
        );
        result.unwrap()
    };
    let (loose, tight) = (run(1e-3), run(1e-5));
    assert!(loose.converged && tight.converged, "{loose:?} {tight:?}");
    let cost =
        CloudCost::new(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::HalfSquared).unwrap();
    let gap = primal_bound(&cost, tight.potentials.f(), tight.potentials.g(), epsilon) - tight.value;
    // A marginal error of 1e−5, moved over costs of up to 40.
    assert!(-1e-9 < gap && gap < 4e-4, "gap {gap:e}");
    // The potentials are within some ε of the best ones: an error of 1e−3 times that.
    assert!((loose.value - tight.value).abs() < 1e-5, "{} {}", loose.value, tight.value);
    let exact =
        solve(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::HalfSquared).unwrap().primal();
    // 0 ≤ OT_ε − OT ≤ ε·log 200, the entropy of an optimal assignment.
    assert!(tight.value > exact && tight.value - exact < epsilon * 200f64.ln());
}

#[test]
fn the_gradient_is_the_difference_quotient() {
    let options = SinkhornOptions { tolerance: 1e-7, max_iterations: 10_000 };
    let (x, y) = (normal_cloud(30, 70, 3), normal_cloud(31, 9, 3) + 0.4);
    let (a, b) = (weights(30, 70), weights(31, 9));
    for power in [SinkhornPower::One, SinkhornPower::Two] {
        let solve = |x: &Array2<f64>| {
            sinkhorn_divergence_gradient(
                &measure(x.view(), Some(&a)),
                &measure(y.view(), Some(&b)),
                power.cost(),
                power.epsilon(0.5),
                options,
            )
            .unwrap()
        };
        let (divergence, gradient) = solve(&x);
        assert!(divergence.converged);
        for (i, k) in [(0, 0), (17, 1), (69, 2)] {
            let step = 1e-2;
            let value = |sign: f64| {
                let mut moved = x.clone();
                moved[[i, k]] += sign * step;
                solve(&moved).0.value
            };
            let quotient = (value(1.0) - value(-1.0)) / (2.0 * step);
            // The values carry 1e−7·ε, which the step divides to 1e−5; the quotient is off by step² times third
            // derivatives, which the weight of one point in seventy makes as small.
            assert!((gradient[[i, k]] - quotient).abs() < 2e-5, "{power:?}: {} {quotient}", gradient[[i, k]]);
        }
    }
}

/// Plain updates of both potentials with every cost as the sum of its squares: the plan and its dual value.
fn dense_plan(x: &Array2<f64>, y: &Array2<f64>, cost: Euclidean, epsilon: f64) -> (Array2<f64>, f64) {
    let (n, m) = (x.nrows(), y.nrows());
    let costs = Array2::from_shape_fn((n, m), |(i, j)| {
        cost.of_squared_distance(x.row(i).iter().zip(y.row(j)).map(|(x, y)| (x - y).powi(2)).sum())
    });
    let (mut f, mut g) = (vec![0.0; n], vec![0.0; m]);
    for _ in 0..500 {
        for j in 0..m {
            let sum: f64 = (0..n).map(|i| ((f[i] - costs[[i, j]]) / epsilon).exp() / n as f64).sum();
            g[j] = -epsilon * sum.ln();
        }
        for i in 0..n {
            let sum: f64 = (0..m).map(|j| ((g[j] - costs[[i, j]]) / epsilon).exp() / m as f64).sum();
            f[i] = -epsilon * sum.ln();
        }
    }
    let mass = |(i, j): (usize, usize)| ((f[i] + g[j] - costs[[i, j]]) / epsilon).exp() / (n * m) as f64;
    let value = f.iter().sum::<f64>() / n as f64 + g.iter().sum::<f64>() / m as f64;
    (Array2::from_shape_fn((n, m), mass), value)
}

#[test]
fn in_many_dimensions_value_and_gradient_are_those_of_the_whole_matrix() {
    let (x, y) = (normal_cloud(40, 37, 70), 0.8 * normal_cloud(41, 29, 70) + 0.1);
    // Costs are some 60, 120 and 11, so that the updates contract by a half each.
    for (cost, epsilon) in
        [(Euclidean::HalfSquared, 15.0), (Euclidean::Squared, 30.0), (Euclidean::Distance, 2.0)]
    {
        let options = SinkhornOptions { tolerance: 1e-9, max_iterations: 10_000 };
        let (divergence, gradient) = sinkhorn_divergence_gradient(
            &measure(x.view(), None),
            &measure(y.view(), None),
            &cost,
            epsilon,
            options,
        )
        .unwrap();
        assert!(divergence.converged);
        let (between, value) = dense_plan(&x, &y, cost, epsilon);
        let (within, of_x) = dense_plan(&x, &x, cost, epsilon);
        let (_, of_y) = dense_plan(&y, &y, cost, epsilon);
        // The tolerance on the value, of a divergence of some 10.
        assert!((divergence.value - (value - 0.5 * (of_x + of_y))).abs() < 1e-7, "{cost:?}");
        let pull = |plan: &Array2<f64>, other: &Array2<f64>, i: usize, k: usize| -> f64 {
            (0..other.nrows())
                .map(|j| {
                    let difference = &x.row(i) - &other.row(j);
                    plan[[i, j]] * cost.slope_factor(difference.dot(&difference)) * difference[k]
                })
                .sum()
        };
        for ((i, k), found) in gradient.indexed_iter() {
            let expected = pull(&between, &y, i, k) - pull(&within, &x, i, k);
            // Masses of 1/37 that are 1e−9 elsewhere, times differences of some units.
            assert!((found - expected).abs() < 1e-8, "{cost:?}, {i}, {k}: {found} {expected}");
        }
    }
}

#[test]
fn the_gradient_pulls_a_shifted_cloud_back_as_a_whole() {
    let y = normal_cloud(32, 100, 2);
    let shift = ndarray::array![0.3, -0.2];
    let x = &y + &shift;
    let (divergence, gradient) = sinkhorn_divergence_gradient(
        &measure(x.view(), None),
        &measure(y.view(), None),
        SinkhornPower::Two.cost(),
        SinkhornPower::Two.epsilon(0.2),
        SinkhornOptions { tolerance: 1e-6, ..SinkhornOptions::default() },
    )
    .unwrap();
    // S = ½‖δ‖² exactly for translations, so that every particle of mass 1/100 is pulled by δ/100; 1e−6 of mass that
    // is elsewhere may all be that of one particle, some units away.
    assert!((divergence.value - 0.065).abs() < 1e-5);
    for pull in gradient.rows() {
        assert!((&pull * 100.0 - &shift).iter().all(|gap| gap.abs() < 1e-3), "{pull}");
    }
}

#[test]
fn two_masses_at_two_points_have_a_closed_form() {
    let (x, y) = (ndarray::array![[0.0]], ndarray::array![[1.5]]);
    let ([a], [b], epsilon, cost) = ([2.0_f64], [0.5_f64], 0.3_f64, 1.125);
    let (of_x, of_y) = ([a], [b]);
    for reach in [0.2, 1.0, 50.0] {
        let options = SinkhornOptions { tolerance: 1e-7, max_iterations: 2000 };
        let plan = sinkhorn_unbalanced(
            &measure(x.view(), Some(&of_x)),
            &measure(y.view(), Some(&of_y)),
            &Euclidean::HalfSquared,
            epsilon,
            reach,
            options,
        )
        .unwrap();
        // The derivative c + ρ log(p/a) + ρ log(p/b) + ε log(p/(ab)) vanishes.
        let mass = (((reach + epsilon) * (a * b).ln() - cost) / (2.0 * reach + epsilon)).exp();
        let divergence = |p: f64, q: f64| p * (p / q).ln() - p + q;
        let value = cost * mass
            + reach * (divergence(mass, a) + divergence(mass, b))
            + epsilon * divergence(mass, a * b);
        assert!(plan.converged);
        // The tolerance times the mass, and the single-precision exponentials.
        assert!(
            (plan.mass - mass).abs() < 1e-6 && (plan.value - value).abs() < 1e-6,
            "ρ = {reach}: {plan:?}"
        );
    }
}

#[test]
fn a_long_reach_keeps_the_marginals() {
    let (x, y) = (normal_cloud(33, 50, 2), normal_cloud(34, 60, 2));
    let (cost, options) = (Euclidean::HalfSquared, SinkhornOptions { tolerance: 1e-6, max_iterations: 5000 });
    let balanced =
        sinkhorn(&measure(x.view(), None), &measure(y.view(), None), &cost, 0.1, options).unwrap().value;
    let mut last_gap = f64::INFINITY;
    for reach in [1.0, 10.0, 100.0] {
        let plan = sinkhorn_unbalanced(
            &measure(x.view(), None),
            &measure(y.view(), None),
            &cost,
            0.1,
            reach,
            options,
        )
        .unwrap();
        let gap = balanced - plan.value;
        // The relaxed minimum is the smaller one, by O(1/ρ).
        assert!(plan.converged && gap > 0.0 && gap < last_gap && gap < 1.0 / reach, "ρ = {reach}: {gap}");
        last_gap = gap;
    }
}

#[test]
fn too_few_updates_do_not_claim_convergence() {
    let (x, y) = (normal_cloud(7, 50, 2), normal_cloud(8, 50, 2));
    let options = SinkhornOptions { tolerance: 1e-6, max_iterations: 1 };
    let result =
        sinkhorn(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::HalfSquared, 0.01, options)
            .unwrap();
    assert!(!result.converged && result.marginal_error > 1e-6);
    let schedule = Schedule::Converged { tolerance: 1e-6, max_iterations: 1 };
    let divergence = geomloss_divergence(
        &measure(x.view(), None),
        &measure(y.view(), None),
        SinkhornPower::Two,
        0.1,
        schedule,
    )
    .unwrap();
    assert!(!divergence.converged);
}

#[test]
fn bad_settings_are_named() {
    let x = normal_cloud(9, 5, 2);
    let solve_with = |epsilon| {
        sinkhorn(
            &measure(x.view(), None),
            &measure(x.view(), None),
            &Euclidean::Distance,
            epsilon,
            SinkhornOptions::default(),
        )
    };
    assert!(matches!(solve_with(0.0), Err(EntropicError::NotPositive { name: "epsilon", .. })));
    assert!(matches!(solve_with(f64::NAN), Err(EntropicError::NotPositive { .. })));
    assert!(matches!(solve_with(1e-14), Err(EntropicError::TooSmall { .. })));
    let scaling = Schedule::Geomloss { scaling: 1.0 };
    let result = geomloss_divergence(
        &measure(x.view(), None),
        &measure(x.view(), None),
        SinkhornPower::One,
        0.1,
        scaling,
    );
    assert_eq!(result, Err(EntropicError::Scaling(1.0)));
    let result = geomloss_divergence(
        &measure(x.view(), None),
        &measure(x.view(), None),
        SinkhornPower::One,
        -1.0,
        Schedule::CONVERGED,
    );
    assert!(matches!(result, Err(EntropicError::NotPositive { name: "blur", .. })));
}

#[test]
fn a_reach_that_is_not_positive_is_an_error() {
    let x = normal_cloud(12, 5, 2);
    for reach in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let options = SinkhornOptions::default();
        let result = sinkhorn_unbalanced(
            &measure(x.view(), None),
            &measure(x.view(), None),
            &Euclidean::Distance,
            0.1,
            reach,
            options,
        );
        assert!(
            matches!(result, Err(EntropicError::NotPositive { name: "reach", .. })),
            "{reach}: {result:?}"
        );
    }
}

#[test]
fn coinciding_points_have_no_diameter_and_no_divergence() {
    let x = Array2::<f64>::ones((5, 2));
    for schedule in [Schedule::CONVERGED, Schedule::AS_PUBLISHED] {
        let divergence = geomloss_divergence(
            &measure(x.view(), None),
            &measure(x.view(), None),
            SinkhornPower::Two,
            0.05,
            schedule,
        )
        .unwrap();
        assert!(divergence.value.abs() < 1e-9, "{divergence:?}");
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (x, y) = (normal_cloud(10, 150, 2), normal_cloud(11, 700, 2));
    for schedule in [Schedule::Converged { tolerance: 1e-3, max_iterations: 20 }, Schedule::AS_PUBLISHED] {
        let results = on_thread_counts(|| {
            geomloss_divergence(
                &measure(x.view(), None),
                &measure(y.view(), None),
                SinkhornPower::Two,
                0.1,
                schedule,
            )
            .unwrap()
        });
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    }
    let options = SinkhornOptions { tolerance: 1e-3, max_iterations: 20 };
    let unbalanced = on_thread_counts(|| {
        let plan = sinkhorn_unbalanced(
            &measure(x.view(), None),
            &measure(y.view(), None),
            &Euclidean::Squared,
            0.1,
            1.0,
            options,
        )
        .unwrap();
        (plan.value, plan.potentials.f().to_vec(), plan.potentials.g().to_vec())
    });
    assert!(unbalanced.windows(2).all(|pair| pair[0] == pair[1]));
    let gradients = on_thread_counts(|| {
        sinkhorn_divergence_gradient(
            &measure(x.view(), None),
            &measure(y.view(), None),
            SinkhornPower::Two.cost(),
            SinkhornPower::Two.epsilon(0.1),
            options,
        )
        .unwrap()
    });
    assert!(gradients.windows(2).all(|pair| pair[0] == pair[1]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn divergence_laws(seed in 0u64..1000, n in 2usize..40, m in 2usize..40) {
        let (x, y) = (normal_cloud(seed, n, 2), normal_cloud(seed + 1000, m, 2) + 0.5);
        let (a, b) = (weights(seed, n), weights(seed + 1, m));
        for power in [SinkhornPower::One, SinkhornPower::Two] {
            let schedule = Schedule::Converged { tolerance: 1e-5, max_iterations: 20_000 };
            let value = |x: &Array2<f64>, y: &Array2<f64>, a: &[f64], b: &[f64]| {
                let (x, y) = (measure(x.view(), Some(a)), measure(y.view(), Some(b)));
                geomloss_divergence(&x, &y, power, 0.3, schedule).unwrap().value
            };
            let forward = value(&x, &y, &a, &b);
            // Marginal error 1e−5 times potentials of order one.
            let close = 1e-4;
            prop_assert!(forward > -close, "positive");
            prop_assert!((forward - value(&y, &x, &b, &a)).abs() < close, "symmetric");
            prop_assert!(value(&x, &x, &a, &a).abs() < close, "identity");
        }
    }
}
