//! Exact transport of repeated points and of weights far below rounding, at any scale.

use crate::common::measure;
use ndarray::{Array2, array};
use ot_core::cost::Euclidean;
use ot_core::exact::{CertificateError, ExactError, solve};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// min Σ P_ij c_ij by successive shortest paths (Ahuja, Magnanti & Orlin, Network Flows, section 9.7): a source with
/// mass left sends what it can to the nearest target with room, over paths that may take earlier flows back.
fn least_cost(costs: &Array2<f64>, a: &[f64], b: &[f64]) -> f64 {
    let (n, m) = costs.dim();
    let shares = |weights: &[f64]| {
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum).collect::<Vec<_>>()
    };
    let (mut supply, mut demand) = (shares(a), shares(b));
    let mut flow = Array2::<f64>::zeros((n, m));
    // Gains below the rounding of a path are none.
    let rounding = 1e-15 * costs.iter().copied().fold(0.0, f64::max);
    while let Some(source) = (0..n).find(|&i| supply[i] > 0.0) {
        let (mut to_source, mut to_target) = (vec![f64::INFINITY; n], vec![f64::INFINITY; m]);
        let (mut before_source, mut before_target) = (vec![usize::MAX; n], vec![usize::MAX; m]);
        to_source[source] = 0.0;
        let mut is_changed = true;
        while is_changed {
            is_changed = false;
            for ((i, j), cost) in costs.indexed_iter() {
                if to_source[i] + cost < to_target[j] - rounding {
                    (to_target[j], before_target[j], is_changed) = (to_source[i] + cost, i, true);
                }
                if flow[[i, j]] > 0.0 && to_target[j] - cost < to_source[i] - rounding {
                    (to_source[i], before_source[i], is_changed) = (to_target[j] - cost, j, true);
                }
            }
        }
        let open = (0..m).filter(|&j| demand[j] > 0.0);
        let Some(target) = open.min_by(|&j, &k| to_target[j].total_cmp(&to_target[k])) else {
            // Both sides sum to one up to rounding, which is left over.
            break;
        };
        let mut path = vec![(before_target[target], target)];
        let mut amount = supply[source].min(demand[target]);
        while path[path.len() - 1].0 != source {
            let at = path[path.len() - 1].0;
            let back = before_source[at];
            amount = amount.min(flow[[at, back]]);
            path.push((before_target[back], back));
        }
        for (step, &(i, j)) in path.iter().enumerate() {
            flow[[i, j]] += amount;
            if let Some(&(_, back)) = path.get(step + 1) {
                flow[[i, back]] -= amount;
            }
        }
        (supply[source], demand[target]) = (supply[source] - amount, demand[target] - amount);
    }
    (&flow * costs).sum()
}

/// At most as many places as points, some of them those of `other`.
fn points(
    rng: &mut ChaCha8Rng,
    count: usize,
    dim: usize,
    scale: f64,
    other: Option<&Array2<f64>>,
) -> Array2<f64> {
    let places = rng.random_range(1..=count);
    let mut cloud = Array2::from_shape_simple_fn((places, dim), || {
        let normal: f64 = StandardNormal.sample(rng);
        scale * normal
    });
    if let Some(other) = other {
        for mut row in cloud.outer_iter_mut() {
            if rng.random_bool(0.3) {
                row.assign(&other.row(rng.random_range(0..other.nrows())));
            }
        }
    }
    let rows: Vec<usize> = (0..count).map(|_| rng.random_range(0..places)).collect();
    cloud.select(ndarray::Axis(0), &rows)
}

/// Equal weights, weights of order one, of 26 orders of magnitude, down to 1e−30; a fifth of them zero in half of the
/// cases.
fn some_weights(rng: &mut ChaCha8Rng, count: usize) -> Vec<f64> {
    let (kind, with_zeros) = (rng.random_range(0..4), rng.random_bool(0.5));
    let mut weights: Vec<f64> = (0..count)
        .map(|_| match kind {
            0 => 1.0,
            1 => 0.05 + rng.random::<f64>(),
            2 => rng.random::<f64>().powi(12),
            _ => 10f64.powf(-30.0 * rng.random::<f64>()),
        })
        .collect();
    if with_zeros {
        weights.iter_mut().filter(|_| rng.random_bool(0.2)).for_each(|weight| *weight = 0.0);
    }
    weights[rng.random_range(0..count)] += 0.1;
    weights
}

fn check_random_problems(count: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(14);
    for problem in 0..count {
        let (n, m, dim) = (rng.random_range(1..10), rng.random_range(1..10), rng.random_range(1..6));
        let scale = 10f64.powi(6 * rng.random_range(-2..3));
        let x = points(&mut rng, n, dim, scale, None);
        let y = points(&mut rng, m, dim, scale, Some(&x));
        let (a, b) = (some_weights(&mut rng, n), some_weights(&mut rng, m));
        for (cost, power) in [(Euclidean::Distance, 1), (Euclidean::Squared, 2)] {
            let plan = solve(&measure(x.view(), Some(&a)), &measure(y.view(), Some(&b)), &cost)
                .unwrap_or_else(|error| panic!("problem {problem}, {cost:?}: {error}"));
            let costs = Array2::from_shape_fn((n, m), |(i, j)| {
                let difference = &x.row(i) - &y.row(j);
                difference.dot(&difference).sqrt().powi(power)
            });
            let (least, largest) = (least_cost(&costs, &a, &b), costs.iter().copied().fold(0.0, f64::max));
            // Paths of at most 18 costs, each rounded, and weights that sum to one up to as many roundings.
            assert!(
                (plan.primal() - least).abs() <= 1e-13 * largest,
                "problem {problem}, {cost:?}: {:e}, not {least:e}",
                plan.primal()
            );
            assert!(plan.gap().abs() <= 1e-13 * largest, "problem {problem}, {cost:?}: gap {:e}", plan.gap());
        }
    }
}

#[test]
fn random_problems_with_repeated_points_and_tiny_weights_are_those_of_shortest_paths() {
    check_random_problems(300);
}

/// `cargo test -p ot-core --test all tiny_weights -- --ignored`
#[test]
#[ignore = "the same on more problems"]
fn two_thousand_random_problems_are_those_of_shortest_paths() {
    check_random_problems(2000);
}

/// Two copies of a point, or a copy that lies elsewhere with next to no mass.
#[test]
fn tiny_weights_move_as_far_as_they_should() {
    let y = array![[0.3, -1.1]];
    let copies = array![[0.4, 0.3], [0.4, 0.3]];
    let apart = array![[0.3, -1.1], [0.4, 0.3]];
    for tiny in [1e-6, 1e-14, 1e-22, 1e-30] {
        let a = [0.1, tiny];
        let value = |x: &Array2<f64>, cost: Euclidean| {
            let there = solve(&measure(x.view(), Some(&a)), &measure(y.view(), None), &cost).unwrap();
            let back = solve(&measure(y.view(), None), &measure(x.view(), Some(&a)), &cost).unwrap();
            assert_eq!(there.primal(), back.primal());
            there.primal()
        };
        // All mass goes the same way: four roundings.
        assert!((value(&copies, Euclidean::Distance) - 1.97f64.sqrt()).abs() < 1e-15);
        assert!((value(&copies, Euclidean::Squared) - 1.97).abs() < 2e-15);
        // Only the tiny part moves; the smallest is an integer of twenty bits.
        let share = tiny / (0.1 + tiny);
        assert!((value(&apart, Euclidean::Squared) / (1.97 * share) - 1.0).abs() < 1e-6, "{tiny:e}");
        // On the line.
        let (line, origin) = (array![[0.0], [2.0]], array![[0.0]]);
        let cost =
            solve(&measure(line.view(), Some(&a)), &measure(origin.view(), None), &Euclidean::Distance);
        assert!((cost.unwrap().primal() / (2.0 * share) - 1.0).abs() < 1e-6, "{tiny:e}");
    }
}

/// Two hundred resampled particles, each of fifty places four times, with weights of thirty orders of magnitude.
#[test]
fn resampled_particles_with_softmax_weights_are_certified() {
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    let places = crate::common::normal_cloud(42, 50, 2);
    let x = places.select(ndarray::Axis(0), &(0..200).map(|row| row / 4).collect::<Vec<_>>());
    let a: Vec<f64> = (0..200).map(|_| (12.0 * rng.random::<f64>().ln()).exp()).collect();
    let y = crate::common::normal_cloud(43, 80, 2);
    let merged: Vec<f64> = a.chunks(4).map(|weights| weights.iter().sum()).collect();
    for cost in [Euclidean::Distance, Euclidean::Squared] {
        let plan = solve(&measure(x.view(), Some(&a)), &measure(y.view(), None), &cost).unwrap();
        let single = solve(&measure(places.view(), Some(&merged)), &measure(y.view(), None), &cost).unwrap();
        // Some hundred terms of order .1.
        assert!((plan.primal() - single.primal()).abs() < 1e-14 * plan.primal().max(1.0));
        // Every particle with mass goes somewhere.
        let sources: std::collections::BTreeSet<usize> =
            plan.coupling.iter().map(|flow| flow.source).collect();
        assert_eq!(sources.len(), 200);
    }
}

/// A point so far away that the costs of all others are below the rounding of its own, with next to no mass: whatever is
/// certified has the exact value.
///
/// The values are those of Python's `fractions` and successive shortest paths, for the points below, w = 2^−e and a far
/// point at (D, 0); without it the value is 0.29752604….
#[test]
fn a_certificate_does_not_overlook_the_points_near_a_far_one() {
    let near = array![[3.0, -11.0], [-7.0, 5.0], [12.0, 2.0], [-2.0, -9.0], [8.0, 14.0], [-15.0, -3.0]];
    let y = array![[10.0, -4.0], [-9.0, -13.0], [1.0, 7.0], [-5.0, 16.0], [14.0, 9.0], [-12.0, 0.0]] / 16.0;
    for (far, exponent, value) in [
        (2f64.powi(24), 60, 0.297_566_731_766_589_04),
        (2f64.powi(27), 70, 0.297_528_584_798_143_9),
        (2f64.powi(30), 80, 0.297_526_200_612_385_8),
        (2f64.powi(34), 90, 0.297_526_081_403_096_5),
    ] {
        for place in [0, 3, 6] {
            let mut x = Array2::zeros((7, 2));
            let mut a = [1.0; 7];
            for (row, point) in (0..7).filter(|&row| row != place).zip(near.outer_iter()) {
                x.row_mut(row).assign(&(&point / 16.0));
            }
            (x[[place, 0]], a[place]) = (far, 2f64.powi(-exponent));
            match solve(&measure(x.view(), Some(&a)), &measure(y.view(), None), &Euclidean::Squared) {
                // The tolerance on the value is 64·√13·ε of it and of potentials of its size.
                Ok(plan) => assert!((plan.primal() - value).abs() < 1e-12, "{far}: {}", plan.primal()),
                Err(error) => {
                    assert!(
                        matches!(error, ExactError::NotCertified(CertificateError::Value { .. })),
                        "{error}"
                    );
                }
            }
        }
    }
}
