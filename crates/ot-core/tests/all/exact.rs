//! Exact transport against closed forms, brute force and its own laws.

use crate::common::{measure, normal_cloud, on_thread_counts, weights};
use ndarray::{Array2, Axis, array, s};
use ot_core::Measure;
use ot_core::cost::{CloudCost, Euclidean, FunctionCost, MatrixCost, PairCost};
use ot_core::exact::one_dimensional::{LineError, transport_cost};
use ot_core::exact::{ExactError, ExactOptions, certify_pairs, solve, solve_pairs, solve_pairs_with};
use proptest::prelude::*;

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    permutations(n - 1)
        .into_iter()
        .flat_map(|shorter| {
            (0..n).map(move |at| {
                let mut longer = shorter.clone();
                longer.insert(at, n - 1);
                longer
            })
        })
        .collect()
}

#[test]
fn brute_force_over_all_permutations() {
    for n in 1..=7 {
        for seed in 0..6 {
            let cost = normal_cloud(seed, n, n);
            let best = permutations(n)
                .iter()
                .map(|to| (0..n).map(|i| cost[[i, to[i]]]).sum::<f64>() / n as f64)
                .fold(f64::INFINITY, f64::min);
            let plan = solve_pairs(&MatrixCost(cost.view()), None, None).unwrap();
            // Seven terms of order one in another order; negative costs included.
            assert!((plan.primal() - best).abs() < 1e-14, "n = {n}: {} {best}", plan.primal());
            assert_eq!(plan.coupling.len(), n);
        }
    }
}

#[test]
fn a_translation_is_its_own_optimal_map() {
    // Above the size that is solved whole, so candidates, coarsening and pricing all take part.
    let x = normal_cloud(3, 700, 3);
    let shift = array![0.3, -1.0, 2.0];
    let y = &x + &shift;
    let plan = solve(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::Squared).unwrap();
    let expected = shift.mapv(|s: f64| s * s).sum();
    // Rounding of 700 squared distances of order 5.
    assert!((plan.primal() - expected).abs() < 1e-13 * expected * 700f64.sqrt());
    assert!(plan.coupling.iter().all(|flow| flow.source == flow.target));
}

#[test]
fn a_brenier_gradient_is_recovered() {
    // x ↦ A x with A symmetric positive definite is the gradient of a convex function: optimal for the squared cost.
    let x = normal_cloud(4, 400, 2);
    let y = x.dot(&array![[2.0, 0.5], [0.5, 1.0]]);
    let plan = solve(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::HalfSquared).unwrap();
    assert!(plan.coupling.iter().all(|flow| flow.source == flow.target));
}

#[test]
fn the_line_agrees_with_the_simplex() {
    for (n, m, weighted) in [(300, 300, false), (150, 400, true), (30, 20, false)] {
        let (x, y) = (normal_cloud(5, n, 1), normal_cloud(6, m, 1) + 0.5);
        let (a, b) = (weights(7, n), weights(8, m));
        let (a, b) = (weighted.then_some(a.as_slice()), weighted.then_some(b.as_slice()));
        for (cost, p) in [(Euclidean::Squared, 2.0), (Euclidean::Distance, 1.0)] {
            let sorted = solve(&measure(x.view(), a), &measure(y.view(), b), &cost).unwrap();
            let simplex = solve_pairs(
                &CloudCost::new(&measure(x.view(), None), &measure(y.view(), None), &cost).unwrap(),
                a,
                b,
            )
            .unwrap();
            assert_eq!(sorted.iterations, 0);
            assert!(simplex.iterations > 0);
            // Two certified values differ by their gaps, far below the tolerance of the certificate.
            assert!((sorted.primal() - simplex.primal()).abs() < 1e-12);
            let value = transport_cost(x.as_slice().unwrap(), y.as_slice().unwrap(), a, b, p).unwrap();
            assert!((value - simplex.primal()).abs() < 1e-12);
        }
    }
}

#[test]
fn any_convex_power_on_the_line_agrees_with_the_simplex() {
    let (x, y) = (normal_cloud(44, 40, 1), normal_cloud(45, 40, 1) * 2.0 - 0.3);
    let (a, mut b) = (weights(46, 40), weights(47, 40));
    b[7] = 0.0;
    let (on_x, on_y) = (x.as_slice().unwrap(), y.as_slice().unwrap());
    for p in [1.0, 1.5, 2.0, 3.0] {
        let power = move |x: &[f64], y: &[f64]| (x[0] - y[0]).abs().powf(p);
        for (a, b) in [(None, None), (Some(a.as_slice()), Some(b.as_slice())), (None, Some(b.as_slice()))] {
            let simplex = solve(&measure(x.view(), a), &measure(y.view(), b), &power).unwrap().primal();
            let line = transport_cost(on_x, on_y, a, b, p).unwrap();
            // Sums of some tens of terms up to 100.
            assert!((line - simplex).abs() < 1e-12 * simplex.max(1.0), "p = {p}: {line} {simplex}");
        }
    }
    for p in [0.5, 0.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(transport_cost(on_x, on_y, None, None, p), Err(LineError::Power(_))), "{p}");
    }
    let message =
        |x: &[f64], b: Option<&[f64]>| transport_cost(x, on_y, None, b, 2.0).unwrap_err().to_string();
    assert!(message(&[], None).contains("no source points"));
    assert!(message(&[0.0, f64::NAN], None).contains("row 1, column 0 of the source points is NaN"));
    assert!(message(on_x, Some(&[1.0])).contains("1 weights for 40 target points"));
}

#[test]
fn a_point_mass_costs_the_mean_distance() {
    let x = array![[0.5, -0.5]];
    let y = normal_cloud(9, 5000, 2);
    let mean = y.axis_iter(Axis(0)).map(|row| (&row - &x.row(0)).mapv(|v| v * v).sum()).sum::<f64>() / 5000.0;
    let plan = solve(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::Squared).unwrap();
    // A mean of 5000 terms summed in another order.
    assert!((plan.primal() - mean).abs() < 1e-12);
}

#[test]
fn degenerate_problems_are_certified() {
    let ties = FunctionCost::new(200, 200, |i, j| f64::from(((i * 7 + j * 13) % 5) as u32));
    assert_eq!(solve_pairs(&ties, None, None).unwrap().primal(), 0.0);
    let constant = FunctionCost::new(150, 170, |_, _| 0.0);
    assert_eq!(solve_pairs(&constant, None, None).unwrap().primal(), 0.0);
    let duplicates = Array2::from_shape_fn((300, 2), |(i, _)| (i % 3) as f64);
    let plan =
        solve(&measure(duplicates.view(), None), &measure(duplicates.view(), None), &Euclidean::Distance)
            .unwrap();
    assert_eq!(plan.primal(), 0.0);
    let same = Array2::<f64>::ones((300, 2));
    assert_eq!(
        solve(&measure(same.view(), None), &measure(same.view(), None), &Euclidean::Distance)
            .unwrap()
            .primal(),
        0.0
    );
    let one = array![[4.0, 5.0]];
    let to_one =
        solve(&measure(same.view(), None), &measure(one.view(), None), &Euclidean::Distance).unwrap();
    // A sum of 300 terms 5/300.
    assert!((to_one.primal() - 5.0).abs() < 300.0 * 5.0 * f64::EPSILON);
}

#[test]
fn one_point_integer_costs_and_rectangles_are_certified() {
    let one = solve_pairs(&FunctionCost::new(1, 1, |_, _| -2.5), None, None).unwrap();
    assert_eq!((one.primal(), one.coupling.len()), (-2.5, 1));
    // The optimum of integer costs is an integer over n, and so is the dual value; each is a sum of 210 terms up to
    // 100.
    let costs = FunctionCost::new(210, 210, |i, j| ((i * 31 + j * 17 + i * j) % 101) as f64);
    let plan = solve_pairs(&costs, None, None).unwrap();
    let total = (210.0 * plan.primal()).round();
    assert!((210.0 * plan.primal() - total).abs() < 1e-10 && (210.0 * plan.dual() - total).abs() < 1e-10);
    for (n, m) in [(1, 400), (400, 1), (2, 900), (130, 131)] {
        let (x, y) = (normal_cloud(30, n, 2), normal_cloud(31, m, 2));
        let plan = solve(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::Distance).unwrap();
        assert!(plan.coupling.len() < n + m);
    }
}

/// All targets on one place: any plan is optimal, and its cost is the mean of the squares.
#[test]
fn a_cloud_onto_a_single_place_takes_no_search() {
    let x = normal_cloud(5, 3000, 3);
    let y = Array2::zeros((3000, 3));
    let plan = solve(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::Squared).unwrap();
    let mean = x.iter().map(|x| x * x).sum::<f64>() / 3000.0;
    // A sum of thousands of terms of order one.
    assert!((plan.primal() - mean).abs() < 1e-12);
    assert!(plan.coupling.len() < 6000);
}

proptest! {
    /// Points that lie on each other are what one point with their weight is.
    #[test]
    fn duplicates_are_one_point_with_their_weight(
        seed in 0..1000_u64,
        places in prop::collection::vec((0..4_usize, 0.1..2.0_f64), 1..20),
        zero in any::<bool>(),
    ) {
        let (own, other) = (normal_cloud(seed, 4, 2), normal_cloud(seed + 1000, 5, 2));
        let rows: Vec<usize> = places.iter().map(|(place, _)| *place).collect();
        let mut mass: Vec<f64> = places.iter().map(|(_, mass)| *mass).collect();
        if zero && mass.len() > 1 {
            mass[0] = 0.0;
        }
        let cloud = own.select(Axis(0), &rows);
        let mut merged = vec![0.0; 4];
        rows.iter().zip(&mass).for_each(|(&row, mass)| merged[row] += mass);
        for cost in [Euclidean::Distance, Euclidean::Squared] {
            let plan = solve(&measure(cloud.view(), Some(&mass)), &measure(other.view(), None), &cost).unwrap();
            let single = solve(&measure(own.view(), Some(&merged)), &measure(other.view(), None), &cost).unwrap();
            // Some tens of terms of order one.
            prop_assert!((plan.primal() - single.primal()).abs() < 1e-13);
            let swapped = solve(&measure(other.view(), None), &measure(cloud.view(), Some(&mass)), &cost).unwrap();
            prop_assert!((plan.primal() - swapped.primal()).abs() < 1e-13);
            prop_assert!(plan.coupling.len() < places.len() + 5);
        }
    }
}

#[test]
fn duplicates_and_grids_with_ties_are_certified() {
    // 900 points on 9 places, and the 900 points of a lattice against it moved by one step: every pair ties with many
    // others.
    let places = Array2::from_shape_fn(
        (900, 2),
        |(i, axis)| if axis == 0 { (i % 3) as f64 } else { (i / 3 % 3) as f64 },
    );
    let lattice = Array2::from_shape_fn(
        (900, 2),
        |(i, axis)| if axis == 0 { (i % 30) as f64 } else { (i / 30) as f64 },
    );
    for cost in [Euclidean::Squared, Euclidean::Distance] {
        assert_eq!(
            solve(&measure(places.view(), None), &measure(places.view(), None), &cost).unwrap().primal(),
            0.0
        );
        let moved = &lattice + &array![1.0, 0.0];
        // Both costs of a translation by a unit vector are one: for the distance by Jensen's inequality. Sums of 900
        // terms 1/900.
        let primal =
            solve(&measure(lattice.view(), None), &measure(moved.view(), None), &cost).unwrap().primal();
        assert!((primal - 1.0).abs() < 900.0 * f64::EPSILON, "{primal}");
        solve(&measure(places.view(), None), &measure(lattice.view(), None), &cost).unwrap();
    }
}

#[test]
fn single_precision_input_is_solved_in_double_precision() {
    let (x, y) = (normal_cloud(32, 300, 3), normal_cloud(33, 300, 3));
    let single = |points: &Array2<f64>| points.mapv(|value| f64::from(value as f32));
    let (sx, sy) = (single(&x), single(&y));
    let plan = solve(&measure(sx.view(), None), &measure(sy.view(), None), &Euclidean::Squared).unwrap();
    let double = solve(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::Squared).unwrap();
    // Coordinates up to 4 move by 2e−7, so costs up to 60 by 1e−5.
    assert!((plan.primal() - double.primal()).abs() < 1e-5);
    assert!(plan.gap().abs() < 1e-12);
}

#[test]
fn clouds_far_apart_are_certified() {
    let (x, y) = (normal_cloud(34, 500, 2), normal_cloud(35, 500, 2));
    for distance in [1e2, 1e5] {
        for cost in [Euclidean::Squared, Euclidean::Distance] {
            let far = &y + distance;
            let plan = solve(&measure(x.view(), None), &measure(far.view(), None), &cost).unwrap();
            assert!(plan.primal() > cost.of_squared_distance(distance * distance));
        }
    }
}

#[test]
fn a_cloud_and_a_function_of_its_distances_agree() {
    // The function has no points to bound its costs by, to sort or to average: every pair is evaluated.
    let (a, b) = (weights(38, 400), weights(39, 300));
    for (d, cost) in [(12, Euclidean::HalfSquared), (12, Euclidean::Distance), (90, Euclidean::Squared)] {
        let (x, y) = (normal_cloud(36, 400, d), normal_cloud(37, 300, d));
        let pairs = CloudCost::new(&measure(x.view(), None), &measure(y.view(), None), &cost).unwrap();
        let plain = FunctionCost::new(400, 300, |i, j| pairs.cost(i, j));
        let (fast, slow) = (
            solve_pairs(&pairs, Some(&a), Some(&b)).unwrap(),
            solve_pairs(&plain, Some(&a), Some(&b)).unwrap(),
        );
        // Two certified values differ by their gaps, far below the tolerance of the certificate.
        assert!((fast.primal() - slow.primal()).abs() < 1e-12 * fast.primal().max(10.0));
        let total =
            |weights: &[f64]| weights.iter().map(|w| w / weights.iter().sum::<f64>()).collect::<Vec<_>>();
        certify_pairs(&plain, &total(&a), &total(&b), &fast.coupling, &fast.f, &fast.g).unwrap();
    }
}

#[test]
fn zero_weights_change_nothing() {
    let (x, y) = (normal_cloud(10, 200, 2), normal_cloud(11, 160, 2));
    let (mut a, mut b) = (weights(12, 200), weights(13, 160));
    for weight in a.iter_mut().skip(150).chain(b.iter_mut().take(40)) {
        *weight = 0.0;
    }
    let whole =
        solve(&measure(x.view(), Some(&a)), &measure(y.view(), Some(&b)), &Euclidean::Distance).unwrap();
    let (kept_x, kept_y) = (x.slice(ndarray::s![..150, ..]), y.slice(ndarray::s![40.., ..]));
    let part =
        solve(&measure(kept_x, Some(&a[..150])), &measure(kept_y, Some(&b[40..])), &Euclidean::Distance)
            .unwrap();
    // The same basis; its weights may differ by the rounding of their normalisation.
    assert!((whole.primal() - part.primal()).abs() < 1e-13);
    assert_eq!((whole.potentials.f().len(), whole.potentials.g().len()), (200, 160));
}

#[test]
fn scales_and_far_origins_are_certified() {
    let (x, y) = (normal_cloud(14, 300, 2), normal_cloud(15, 300, 2));
    let value =
        solve(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::Squared).unwrap().primal();
    for scale in [1e-100, 1e-12, 1e-3, 1e12, 1e100] {
        let (sx, sy) = (&x * scale, &y * scale);
        let scaled = solve(&measure(sx.view(), None), &measure(sy.view(), None), &Euclidean::Squared)
            .unwrap()
            .primal();
        // Relative rounding of the coordinates.
        assert!((scaled / (scale * scale) - value).abs() < 1e-12 * value);
    }
    let far =
        solve(&measure((&x + 1e6).view(), None), &measure((&y + 1e6).view(), None), &Euclidean::Squared)
            .unwrap()
            .primal();
    // Adding 1e6 rounds each coordinate to 1e−10.
    assert!((far - value).abs() < 1e-8 * value);
}

/// Two rings of eight clusters, generated and drawn, on which the basis of candidates breaks into parts that only high
/// artificial prices join: the search once pivoted without end there, between arcs whose potentials rounded to more
/// than the tolerance.
#[test]
fn parts_of_the_tree_behind_high_prices_do_not_cycle() {
    let numbers: Vec<f64> = include_str!("../data/rings.csv")
        .lines()
        .skip(1)
        .flat_map(|line| line.split(',').map(|number| number.parse().unwrap()))
        .collect();
    let rings = Array2::from_shape_vec((512, 4), numbers).unwrap();
    let (x, y) = (rings.slice(s![.., ..2]), rings.slice(s![.., 2..]));
    let cost = CloudCost::new(&measure(x, None), &measure(y, None), &Euclidean::Squared).unwrap();
    // 3751 pivots are taken.
    let options = ExactOptions { max_iterations: 20_000 };
    let plan = solve_pairs_with(&cost, None, None, options).unwrap();
    // linear_sum_assignment of scipy 1.17.1; rounding of 512 terms of order .01.
    assert!((plan.primal() - 0.008_184_003_357_627_298).abs() < 1e-15);
}

#[test]
fn too_few_iterations_are_an_error() {
    let (x, y) = (normal_cloud(16, 40, 2), normal_cloud(17, 40, 2));
    let pairs =
        CloudCost::new(&measure(x.view(), None), &measure(y.view(), None), &Euclidean::Squared).unwrap();
    let capped = solve_pairs_with(&pairs, None, None, ExactOptions { max_iterations: 1 });
    assert_eq!(capped, Err(ExactError::IterationLimit { limit: 1 }));
}

#[test]
fn bad_input_is_named() {
    let x = array![[0.0, 1.0], [f64::NAN, 0.0]];
    let y = array![[0.0, 1.0]];
    let refused = |points: &Array2<f64>, weights: Option<&[f64]>| {
        Measure::named("target", points.view(), weights).unwrap_err().to_string()
    };
    assert!(refused(&x, None).contains("row 1, column 0 of the target points is NaN"));
    assert!(refused(&Array2::zeros((0, 2)), None).contains("no target points"));
    assert!(refused(&Array2::zeros((2, 0)), None).contains("no columns"));
    assert!(refused(&y, Some(&[-1.0])).contains("weight 0 of the target points is -1"));
    assert!(refused(&y, Some(&[f64::INFINITY])).contains("weight 0"));
    assert!(refused(&y, Some(&[0.0])).contains("sum to 0"));
    assert!(refused(&y, Some(&[0.5, 0.5])).contains("2 weights for 1"));
    let line = array![[1.0]];
    let error = solve(&measure(y.view(), None), &measure(line.view(), None), &Euclidean::Distance);
    assert!(error.unwrap_err().to_string().contains("the source points have 2 columns, the target points 1"));
    let pairs = |cost: &dyn PairCost, a: Option<&[f64]>| solve_pairs(cost, a, None).unwrap_err().to_string();
    let hole = FunctionCost::new(3, 3, |i, j| if (i, j) == (2, 1) { f64::NAN } else { 1.0 });
    assert!(pairs(&hole, None).contains("source 2"));
    assert!(pairs(&hole, Some(&[1.0])).contains("1 weights for 3 source"));
    assert!(pairs(&FunctionCost::new(0, 3, |_, _| 1.0), None).contains("0 sources"));
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (a, b) = (weights(22, 900), weights(23, 700));
    for (d, cost) in [(3, Euclidean::HalfSquared), (3, Euclidean::Distance), (70, Euclidean::Squared)] {
        let (x, y) = (normal_cloud(20, 900, d), normal_cloud(21, 700, d));
        for (a, b) in [(Some(a.as_slice()), Some(b.as_slice())), (None, None)] {
            let plans = on_thread_counts(|| {
                let plan = solve(&measure(x.view(), a), &measure(y.view(), b), &cost).unwrap();
                let (f, g) = (plan.potentials.f().to_vec(), plan.potentials.g().to_vec());
                (plan.coupling, f, g, plan.certificate)
            });
            assert!(plans.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn metamorphic_laws(seed in 0u64..1000, n in 2usize..220, m in 2usize..220, d in 1usize..4, scale in 0.1f64..10.0) {
        let (x, y) = (normal_cloud(seed, n, d), normal_cloud(seed + 1000, m, d) + 0.3);
        let z = normal_cloud(seed + 2000, n, d);
        let (a, b) = (weights(seed, n), weights(seed + 1, m));
        let value = |x: &Array2<f64>, y: &Array2<f64>, a: &[f64], b: &[f64], cost| {
            solve(&measure(x.view(), Some(a)), &measure(y.view(), Some(b)), &cost).unwrap().primal()
        };
        let w2_squared = value(&x, &y, &a, &b, Euclidean::Squared);
        let w1 = value(&x, &y, &a, &b, Euclidean::Distance);
        // Certified values carry a relative error far below this.
        let close = 1e-10 * (1.0 + w2_squared);
        prop_assert!((value(&y, &x, &b, &a, Euclidean::Squared) - w2_squared).abs() < close, "symmetry");
        prop_assert!((2.0 * value(&x, &y, &a, &b, Euclidean::HalfSquared) - w2_squared).abs() < close, "half");
        prop_assert!(value(&x, &x, &a, &a, Euclidean::Distance).abs() < close, "identity");
        prop_assert!(w1 <= w2_squared.sqrt() + close, "Jensen");
        let (sx, sy) = (&x * scale, &y * scale);
        prop_assert!((value(&sx, &sy, &a, &b, Euclidean::Distance) - scale * w1).abs() < 10.0 * close, "scaling");
        let w1_through_z = value(&x, &z, &a, &a, Euclidean::Distance) + value(&z, &y, &a, &b, Euclidean::Distance);
        prop_assert!(w1 <= w1_through_z + close, "triangle");
        // Moving one measure by v changes w2² by |v|² + 2 v·(mean y − mean x), exactly.
        let mean = |points: &Array2<f64>, weights: &[f64]| {
            let total: f64 = weights.iter().sum();
            (points * &Array2::from_shape_fn((weights.len(), 1), |(row, _)| weights[row] / total)).sum_axis(Axis(0))
        };
        let difference = (mean(&y, &b) - mean(&x, &a)).sum();
        let moved = value(&x, &(&y + 0.7), &a, &b, Euclidean::Squared);
        prop_assert!((moved - w2_squared - 0.49 * d as f64 - 1.4 * difference).abs() < 10.0 * close, "translation");
    }
}
