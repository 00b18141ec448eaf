//! A cost of somebody else's in every solver, against brute force and against the built-in cost that it copies.

use crate::common::{measure, normal_cloud, on_thread_counts, weights};
use ndarray::{Array2, array};
use ot_core::cost::{Cost, Euclidean};
use ot_core::dual::c_transform::{TransformError, c_transform};
use ot_core::dual::semi_dual::{double_transform, semi_dual};
use ot_core::entropic::{
    EntropicError, SinkhornOptions, sinkhorn, sinkhorn_divergence, sinkhorn_divergence_gradient,
    sinkhorn_unbalanced,
};
use ot_core::exact::{ExactError, ExactOptions, solve, solve_with};

/// Σ |x_k − y_k|^p.
struct Power(f64);

impl Cost for Power {
    fn between(&self, x: &[f64], y: &[f64]) -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - y).abs().powf(self.0)).sum()
    }
}

/// The built-in cost, hidden from the solvers.
struct Hidden(Euclidean);

impl Cost for Hidden {
    fn between(&self, x: &[f64], y: &[f64]) -> f64 {
        self.0.between(x, y)
    }
}

fn rows(points: &Array2<f64>) -> Vec<Vec<f64>> {
    points.outer_iter().map(|row| row.to_vec()).collect()
}

fn matrix(x: &Array2<f64>, y: &Array2<f64>, cost: &dyn Cost) -> Array2<f64> {
    let (x, y) = (rows(x), rows(y));
    Array2::from_shape_fn((x.len(), y.len()), |(i, j)| cost.between(&x[i], &y[j]))
}

/// The least cost of an assignment, by trying all.
fn best_assignment(costs: &Array2<f64>, row: usize, free: &mut Vec<usize>) -> f64 {
    if row == costs.nrows() {
        return 0.0;
    }
    let mut best = f64::INFINITY;
    for place in 0..free.len() {
        let target = free.remove(place);
        best = best.min(costs[[row, target]] + best_assignment(costs, row + 1, free));
        free.insert(place, target);
    }
    best
}

#[test]
fn exact_transport_with_a_concave_cost_is_the_best_assignment() {
    for (seed, d) in [(1, 1), (2, 1), (3, 2), (4, 3)] {
        let (x, y) = (normal_cloud(seed, 7, d), normal_cloud(seed + 50, 7, d) + 0.4);
        let plan = solve(&measure(x.view(), None), &measure(y.view(), None), &Power(0.5)).unwrap();
        let brute = best_assignment(&matrix(&x, &y, &Power(0.5)), 0, &mut (0..7).collect()) / 7.0;
        // Seven terms of order one in another order.
        assert!((plan.primal() - brute).abs() < 1e-14, "d = {d}: {} {brute}", plan.primal());
        assert_eq!(plan.coupling.len(), 7);
    }
}

/// On a line the monotone coupling is optimal for convex costs only: taking it for a concave one would be seen here.
#[test]
fn on_a_line_a_concave_cost_keeps_common_mass_where_it_is() {
    let (x, y) = (array![[0.0], [1.0]], array![[1.0], [2.0]]);
    let plan = solve(&measure(x.view(), None), &measure(y.view(), None), &Power(0.5)).unwrap();
    assert!((plan.primal() - 0.5 * 2f64.sqrt()).abs() < 1e-15);
    let monotone = 1.0;
    assert!(plan.primal() < monotone - 0.2);
}

#[test]
fn exact_transport_with_weights_ties_and_zeros_is_that_of_the_built_in_cost() {
    // Repeated points, weights that are zero, more sources than targets; above and below the size that is solved whole.
    for (n, m, d) in [(1, 1, 1), (30, 17, 1), (200, 150, 2), (40, 300, 2)] {
        let (mut x, y) = (normal_cloud(5, n, d), normal_cloud(6, m, d));
        for row in (0..n / 3).map(|row| 3 * row + 1) {
            let copy = x.row(row - 1).to_owned();
            x.row_mut(row).assign(&copy);
        }
        let (mut a, mut b) = (weights(7, n), weights(8, m));
        a.iter_mut().skip(1).step_by(5).for_each(|weight| *weight = 0.0);
        b.iter_mut().skip(1).step_by(4).for_each(|weight| *weight = 0.0);
        for cost in [Euclidean::Distance, Euclidean::Squared] {
            let (source, target) = (measure(x.view(), Some(&a)), measure(y.view(), Some(&b)));
            let (hidden, known) = (Hidden(cost), solve(&source, &target, &cost).unwrap());
            let own = solve(&source, &target, &hidden).unwrap();
            // Two certified values differ by their gaps, far below the tolerance of the certificate.
            assert!((own.primal() - known.primal()).abs() < 1e-12, "{cost:?}, {n} x {m}");
        }
    }
}

#[test]
fn a_limit_on_pivots_holds_for_measures_too() {
    let (x, y) = (normal_cloud(16, 40, 2), normal_cloud(17, 40, 2));
    let capped = solve_with(
        &measure(x.view(), None),
        &measure(y.view(), None),
        &Power(1.5),
        ExactOptions { max_iterations: 1 },
    );
    assert!(matches!(capped, Err(ExactError::IterationLimit { limit: 1 })));
}

#[test]
fn c_transform_and_semi_dual_are_the_brute_force_formulas() {
    let (x, y) = (normal_cloud(9, 33, 2), normal_cloud(10, 21, 2));
    let (a, b) = (weights(11, 33), weights(12, 21));
    let cost = Power(0.7);
    let costs = matrix(&x, &y, &cost);
    let phi: Vec<f64> = (0..33).map(|i| (i as f64 * 0.7).sin()).collect();
    let least = |j: usize| (0..33).map(|i| costs[[i, j]] - phi[i]).fold(f64::INFINITY, f64::min);
    let transformed = c_transform(x.view(), &phi, y.view(), &cost).unwrap();
    assert!((0..21).all(|j| transformed[j] == least(j)));
    let (source, target) = (measure(x.view(), Some(&a)), measure(y.view(), Some(&b)));
    let dual = semi_dual(&source, &phi, &target, &cost).unwrap();
    let total = |weights: &[f64]| weights.iter().sum::<f64>();
    let value = (0..33).map(|i| a[i] * phi[i]).sum::<f64>() / total(&a)
        + (0..21).map(|j| b[j] * least(j)).sum::<f64>() / total(&b);
    // Two sums of tens of terms of order one.
    assert!((dual.value - value).abs() < 1e-13);
    for (j, &cell) in dual.cells.iter().enumerate() {
        assert_eq!(costs[[cell, j]] - phi[cell], least(j));
    }
    let (twice, once) = double_transform(x.view(), &phi, y.view(), &cost).unwrap();
    assert_eq!(once, transformed);
    assert!(twice.iter().zip(&phi).all(|(after, before)| *after >= before - 1e-15));
}

/// f and g after many plain updates over the whole matrix in double precision: independent of the program's blocks,
/// mixing and starts.
fn brute_sinkhorn(costs: &Array2<f64>, a: &[f64], b: &[f64], epsilon: f64, damping: f64) -> [Vec<f64>; 2] {
    let (n, m) = costs.dim();
    let soft = |terms: &mut dyn Iterator<Item = f64>| -> f64 {
        let terms: Vec<f64> = terms.collect();
        let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        -epsilon * (largest + terms.iter().map(|term| (term - largest).exp()).sum::<f64>().ln()) * damping
    };
    let (mut f, mut g) = (vec![0.0; n], vec![0.0; m]);
    for _ in 0..3000 {
        f = (0..n).map(|i| soft(&mut (0..m).map(|j| (g[j] - costs[[i, j]]) / epsilon + b[j].ln()))).collect();
        g = (0..m).map(|j| soft(&mut (0..n).map(|i| (f[i] - costs[[i, j]]) / epsilon + a[i].ln()))).collect();
    }
    [f, g]
}

const TIGHT: SinkhornOptions = SinkhornOptions { tolerance: 1e-9, max_iterations: 20_000 };

#[test]
fn sinkhorn_is_the_brute_force_iteration() {
    // One dimension, more sources than targets, repeated points, a weight of zero.
    let (mut x, y) = (normal_cloud(13, 23, 1), normal_cloud(14, 9, 1));
    x[[3, 0]] = x[[2, 0]];
    let (mut a, b) = (weights(15, 23), weights(16, 9));
    a[5] = 0.0;
    let total = |weights: &[f64]| {
        weights.iter().map(|weight| weight / weights.iter().sum::<f64>()).collect::<Vec<_>>()
    };
    let (epsilon, cost) = (0.2, Power(0.5));
    let [f, g] = brute_sinkhorn(&matrix(&x, &y, &cost), &total(&a), &total(&b), epsilon, 1.0);
    let (source, target) = (measure(x.view(), Some(&a)), measure(y.view(), Some(&b)));
    let plan = sinkhorn(&source, &target, &cost, epsilon, TIGHT).unwrap();
    assert!(plan.converged);
    // Potentials are unique up to a constant that is added to one and taken from the other.
    let shift = plan.potentials.f()[0] - f[0];
    let close = |found: &[f64], expected: &[f64], shift: f64| {
        found.iter().zip(expected).all(|(found, expected)| (found - expected - shift).abs() < 1e-7)
    };
    // A marginal error of 1e-9 over weights of a hundredth, times ε.
    assert!(close(plan.potentials.f(), &f, shift) && close(plan.potentials.g(), &g, -shift));
    let value: f64 = total(&a).iter().zip(&f).chain(total(&b).iter().zip(&g)).map(|(w, v)| w * v).sum();
    assert!((plan.value - value).abs() < 1e-12, "{} {value}", plan.value);
}

#[test]
fn unbalanced_transport_is_the_brute_force_iteration() {
    let (x, y) = (normal_cloud(18, 12, 2), normal_cloud(19, 20, 2) + 0.5);
    let (a, b) = (weights(20, 12), weights(21, 20));
    let (epsilon, reach, cost) = (0.3, 1.5, Power(1.2));
    let [f, g] = brute_sinkhorn(&matrix(&x, &y, &cost), &a, &b, epsilon, reach / (reach + epsilon));
    let (source, target) = (measure(x.view(), Some(&a)), measure(y.view(), Some(&b)));
    let plan = sinkhorn_unbalanced(&source, &target, &cost, epsilon, reach, TIGHT).unwrap();
    assert!(plan.converged);
    let gap = |found: &[f64], expected: &[f64]| {
        found.iter().zip(expected).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
    };
    // The tolerance over the weight of a point, times ρ.
    assert!(gap(plan.potentials.f(), &f) < 1e-7 && gap(plan.potentials.g(), &g) < 1e-7);
    // The extension at its own points is the potential itself, damping and masses included.
    assert!(gap(&plan.potentials.f_at(x.view()).unwrap(), &f) < 1e-7);
    assert!(gap(&plan.potentials.g_at(y.view()).unwrap(), &g) < 1e-7);
}

#[test]
fn a_hidden_euclidean_cost_gives_the_entropic_numbers_of_the_built_in_one() {
    let (x, y) = (normal_cloud(22, 90, 2), normal_cloud(23, 70, 2) + 0.3);
    let (a, b) = (weights(24, 90), weights(25, 70));
    let (source, target) = (measure(x.view(), Some(&a)), measure(y.view(), Some(&b)));
    for cost in [Euclidean::Distance, Euclidean::HalfSquared] {
        let (hidden, options) = (Hidden(cost), SinkhornOptions { tolerance: 1e-7, max_iterations: 10_000 });
        let own = sinkhorn_divergence_gradient(&source, &target, &hidden, 0.1, options).unwrap();
        let known = sinkhorn_divergence_gradient(&source, &target, &cost, 0.1, options).unwrap();
        // The built-in path adds single-precision exponentials: 1e-6·ε.
        assert!((own.0.value - known.0.value).abs() < 1e-6, "{} {}", own.0.value, known.0.value);
        // Masses of a ninetieth times slopes of order one, off by the marginal error and those exponentials; a
        // difference quotient of the distance where two points of one cloud are near is off by its step over their
        // distance, at most.
        let gap = (&own.1 - &known.1).iter().fold(0.0f64, |gap, value| gap.max(value.abs()));
        assert!(gap < 1e-6, "{cost:?}: {gap:e}");
        let value = sinkhorn_divergence(&source, &target, &hidden, 0.1, options).unwrap();
        assert_eq!(value, own.0);
    }
}

#[test]
fn the_default_gradient_of_a_cost_is_that_of_its_formula() {
    let (x, y) = ([0.3, -20.0, 0.0], [1.0, 4.0, -2.0]);
    for cost in [Euclidean::HalfSquared, Euclidean::Squared, Euclidean::Distance] {
        let (mut formula, mut differences) = ([0.0; 3], [0.0; 3]);
        cost.gradient(&x, &y, &mut formula);
        Hidden(cost).gradient(&x, &y, &mut differences);
        for (formula, difference) in formula.iter().zip(differences) {
            // Rounding of costs of some hundreds over a step of 1e-5 to 1e-4.
            assert!((formula - difference).abs() < 1e-8, "{cost:?}: {formula} {difference}");
        }
    }
}

#[test]
fn a_cost_that_is_not_finite_is_an_error_everywhere() {
    let (x, y) = (normal_cloud(26, 6, 2), normal_cloud(27, 5, 2));
    let (source, target) = (measure(x.view(), None), measure(y.view(), None));
    let forbidden = x.row(4).to_vec();
    let cost = move |from: &[f64], to: &[f64]| if from == forbidden { f64::NAN } else { from[0] * to[0] };
    let is_named = |message: String| assert!(message.contains("source 4"), "{message}");
    is_named(solve(&source, &target, &cost).unwrap_err().to_string());
    is_named(sinkhorn(&source, &target, &cost, 0.1, TIGHT).unwrap_err().to_string());
    is_named(sinkhorn_unbalanced(&source, &target, &cost, 0.1, 1.0, TIGHT).unwrap_err().to_string());
    is_named(semi_dual(&source, &[0.0; 6], &target, &cost).unwrap_err().to_string());
    let transformed = c_transform(x.view(), &[0.0; 6], y.view(), &cost);
    assert_eq!(transformed, Err(TransformError::CostNotFinite { source_index: 4 }));
    let potentials = solve(&measure(x.slice(ndarray::s![..4, ..]), None), &target, &cost).unwrap().potentials;
    assert_eq!(potentials.map(x.view()), Err(TransformError::CostNotFinite { source_index: 4 }));
    let line = array![[1.0]];
    let other = measure(line.view(), None);
    assert!(matches!(sinkhorn(&source, &other, &cost, 0.1, TIGHT), Err(EntropicError::Measure(_))));
}

#[test]
fn own_costs_do_not_depend_on_the_number_of_threads() {
    let (x, y) = (normal_cloud(28, 150, 2), normal_cloud(29, 700, 2));
    let (source, target) = (measure(x.view(), None), measure(y.view(), None));
    let options = SinkhornOptions { tolerance: 1e-3, max_iterations: 20 };
    let results = on_thread_counts(|| {
        let exact = solve(&source, &target, &Power(0.5)).unwrap();
        let blurred = sinkhorn(&source, &target, &Power(0.5), 0.1, options).unwrap();
        let (_, gradient) =
            sinkhorn_divergence_gradient(&source, &target, &Power(1.5), 0.1, options).unwrap();
        let image = blurred.barycentric_map();
        let (f, blurred_f) = (exact.potentials.f().to_vec(), blurred.potentials.f().to_vec());
        (exact.coupling, f, blurred_f, image, gradient)
    });
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}
