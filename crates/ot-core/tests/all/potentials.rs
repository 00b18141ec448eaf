//! Potentials at new points, maps and plans, against their formulas over the dense matrix.

use crate::common::{measure, normal_cloud, weights};
use ndarray::{Array2, Axis, array};
use ot_core::Measure;
use ot_core::cost::{Cost, Euclidean};
use ot_core::dual::c_transform::TransformError;
use ot_core::entropic::{EntropicTransport, SinkhornOptions, sinkhorn, sinkhorn_unbalanced};
use ot_core::exact::{Flow, solve};

/// ‖x − y‖^{3/2}.
struct Own;

impl Cost for Own {
    fn between(&self, x: &[f64], y: &[f64]) -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().powf(0.75)
    }
}

fn costs(x: &Array2<f64>, y: &Array2<f64>, cost: &dyn Cost) -> Array2<f64> {
    let rows = |points: &Array2<f64>| points.outer_iter().map(|row| row.to_vec()).collect::<Vec<_>>();
    let (x, y) = (rows(x), rows(y));
    Array2::from_shape_fn((x.len(), y.len()), |(i, j)| cost.between(&x[i], &y[j]))
}

fn shares(weights: &[f64]) -> Vec<f64> {
    weights.iter().map(|weight| weight / weights.iter().sum::<f64>()).collect()
}

/// Clouds of different sizes with weights, some of them zero.
struct Problem {
    x: Array2<f64>,
    y: Array2<f64>,
    a: Vec<f64>,
    b: Vec<f64>,
    new: Array2<f64>,
}

impl Problem {
    fn new(d: usize) -> Self {
        let (mut a, mut b) = (weights(1, 60), weights(2, 85));
        a.iter_mut().step_by(7).for_each(|weight| *weight = 0.0);
        b.iter_mut().step_by(6).for_each(|weight| *weight = 0.0);
        let (x, y) = (normal_cloud(3, 60, d), normal_cloud(4, 85, d) + 0.5);
        Self { x, y, a, b, new: normal_cloud(5, 31, d) * 1.5 }
    }

    fn measures(&self) -> (Measure<'_>, Measure<'_>) {
        (measure(self.x.view(), Some(&self.a)), measure(self.y.view(), Some(&self.b)))
    }
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) -> bool {
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() <= tolerance)
}

#[test]
fn exact_potentials_are_c_transforms_everywhere() {
    for (d, cost) in [(1, &Euclidean::Squared as &dyn Cost), (2, &Euclidean::Distance), (2, &Own), (1, &Own)]
    {
        let problem = Problem::new(d);
        let (source, target) = problem.measures();
        let potentials = solve(&source, &target, cost).unwrap().potentials;
        // Potentials are certified to 1e-12 of the costs; at points with and without mass.
        assert!(close(&potentials.f_at(problem.x.view()).unwrap(), potentials.f(), 1e-11));
        assert!(close(&potentials.g_at(problem.y.view()).unwrap(), potentials.g(), 1e-11));
        let to_targets = costs(&problem.new, &problem.y, cost);
        let f: Vec<f64> = to_targets
            .outer_iter()
            .map(|row| row.iter().zip(potentials.g()).map(|(c, g)| c - g).fold(f64::INFINITY, f64::min))
            .collect();
        // The same differences of the same numbers.
        assert!(close(&potentials.f_at(problem.new.view()).unwrap(), &f, 1e-14));
        let from_sources = costs(&problem.x, &problem.new, cost);
        let g: Vec<f64> = from_sources
            .columns()
            .into_iter()
            .map(|row| row.iter().zip(potentials.f()).map(|(c, f)| c - f).fold(f64::INFINITY, f64::min))
            .collect();
        assert!(close(&potentials.g_at(problem.new.view()).unwrap(), &g, 1e-14));
        // The nearest atom among the targets with mass.
        let image = potentials.map(problem.new.view()).unwrap();
        for (row, image) in to_targets.outer_iter().zip(image.outer_iter()) {
            let reduced = |j: usize| row[j] - potentials.g()[j];
            let best = (0..85)
                .filter(|&j| problem.b[j] > 0.0)
                .min_by(|&i, &j| reduced(i).total_cmp(&reduced(j)))
                .unwrap();
            assert_eq!(image, problem.y.row(best));
        }
    }
}

#[test]
fn the_exact_barycentric_map_is_that_of_the_dense_plan() {
    for cost in [&Euclidean::Squared as &dyn Cost, &Own] {
        let problem = Problem::new(2);
        let (source, target) = problem.measures();
        let plan = solve(&source, &target, cost).unwrap();
        let mut dense = Array2::<f64>::zeros((60, 85));
        for flow in &plan.coupling {
            dense[[flow.source, flow.target]] += flow.mass;
        }
        let image = plan.barycentric_map();
        let extended = plan.potentials.map(problem.x.view()).unwrap();
        let mut splits = 0;
        for (i, row) in dense.outer_iter().enumerate() {
            if problem.a[i] == 0.0 {
                assert_eq!(image.row(i), extended.row(i));
                continue;
            }
            let expected = row.dot(&problem.y) / row.sum();
            // A few products of numbers of order one.
            assert!((&image.row(i) - &expected).iter().all(|gap| gap.abs() < 1e-13));
            splits += usize::from(row.iter().filter(|mass| **mass > 0.0).count() > 1);
        }
        // The sources that split their mass are where the mean is not one of the targets.
        assert!(splits > 10);
    }
}

/// The coupling of a plan is its reader's to change.
#[test]
fn a_barycentric_map_ignores_flows_between_points_that_do_not_exist() {
    let problem = Problem::new(2);
    let (source, target) = problem.measures();
    let mut plan = solve(&source, &target, &Euclidean::Squared).unwrap();
    let image = plan.barycentric_map();
    for (source, target) in [(60, 1), (1, 85), (60, 85), (900, 0), (0, 900)] {
        plan.coupling.push(Flow { source, target, mass: 0.25 });
    }
    assert_eq!(plan.barycentric_map(), image);
}

#[test]
fn a_permutation_is_mapped_without_rounding() {
    // 49·(1/49) is not 1 in floating point.
    let (x, y) = (normal_cloud(6, 49, 2), normal_cloud(7, 49, 2));
    let (source, target) = (measure(x.view(), None), measure(y.view(), None));
    let plan = solve(&source, &target, &Euclidean::Squared).unwrap();
    let to: Vec<usize> = plan.coupling.iter().map(|flow| flow.target).collect();
    assert_eq!(plan.barycentric_map(), y.select(Axis(0), &to));
    // Every source lies in the cell of the one target that it serves, or on its border with others.
    let image = plan.potentials.map(x.view()).unwrap();
    for (i, (from, to)) in x.outer_iter().zip(image.outer_iter()).enumerate() {
        let j = y.outer_iter().position(|row| row == to).unwrap();
        let cost = Euclidean::Squared.between(&from.to_vec(), &to.to_vec());
        assert!((cost - plan.potentials.f()[i] - plan.potentials.g()[j]).abs() <= plan.certificate.tolerance);
    }
}

/// P_ij = a_i b_j e^{(f_i + g_j − c_ij)/ε} in full.
fn dense(plan: &EntropicTransport<'_>, problem: &Problem, cost: &dyn Cost) -> Array2<f64> {
    let (a, b, c) = (shares(&problem.a), shares(&problem.b), costs(&problem.x, &problem.y, cost));
    let (f, g) = (plan.potentials.f(), plan.potentials.g());
    Array2::from_shape_fn(c.dim(), |(i, j)| a[i] * b[j] * ((f[i] + g[j] - c[[i, j]]) / plan.epsilon).exp())
}

#[test]
fn an_entropic_plan_is_applied_without_its_matrix() {
    let options = SinkhornOptions { tolerance: 1e-6, max_iterations: 10_000 };
    for cost in [&Euclidean::HalfSquared as &dyn Cost, &Own] {
        let problem = Problem::new(2);
        let (source, target) = problem.measures();
        let plan = sinkhorn(&source, &target, cost, 0.15, options).unwrap();
        assert!(plan.converged);
        let dense = dense(&plan, &problem, cost);
        for i in [0, 1, 59] {
            // An exponential of a sum of order ten.
            assert!(close(&plan.row(i).unwrap(), &dense.row(i).to_vec(), 1e-16));
        }
        assert_eq!(plan.row(60), None);
        let (of_targets, of_sources) = (normal_cloud(8, 85, 3), normal_cloud(9, 60, 2));
        let gap = |one: &Array2<f64>, two: &Array2<f64>| {
            assert_eq!(one.dim(), two.dim());
            (one - two).iter().fold(0.0f64, |gap, value| gap.max(value.abs()))
        };
        // Sums of 85 terms below a hundredth.
        assert!(gap(&plan.apply(of_targets.view()).unwrap(), &dense.dot(&of_targets)) < 1e-14);
        assert!(gap(&plan.apply_transposed(of_sources.view()).unwrap(), &dense.t().dot(&of_sources)) < 1e-14);
        let wrong = plan.apply(of_sources.view());
        assert_eq!(wrong, Err(TransformError::Length { values: 60, points: 85 }));
        // The second marginal of the returned potentials is exact.
        let ones = Array2::ones((60, 1));
        let marginal = plan.apply_transposed(ones.view()).unwrap();
        // Single-precision exponentials of the built-in costs.
        assert!(close(&marginal.column(0).to_vec(), &shares(&problem.b), 1e-7 / 85.0 * 10.0));
        let image = plan.barycentric_map();
        for (i, row) in dense.outer_iter().enumerate().filter(|(i, _)| problem.a[*i] > 0.0) {
            let expected = row.dot(&problem.y) / row.sum();
            assert!((&image.row(i) - &expected).iter().all(|gap| gap.abs() < 1e-13));
        }
    }
}

#[test]
fn entropic_potentials_are_soft_minima_everywhere() {
    let options = SinkhornOptions { tolerance: 1e-6, max_iterations: 10_000 };
    for (d, cost) in
        [(1, &Euclidean::Distance as &dyn Cost), (2, &Euclidean::HalfSquared), (2, &Own), (1, &Own)]
    {
        let problem = Problem::new(d);
        let (source, target) = problem.measures();
        let epsilon = 0.15;
        let plan = sinkhorn(&source, &target, cost, epsilon, options).unwrap();
        let potentials = &plan.potentials;
        let b = shares(&problem.b);
        let to_targets = costs(&problem.new, &problem.y, cost);
        let found = potentials.f_at(problem.new.view()).unwrap();
        let image = potentials.map(problem.new.view()).unwrap();
        for (k, row) in to_targets.outer_iter().enumerate() {
            let terms: Vec<f64> =
                (0..85).map(|j| b[j] * ((potentials.g()[j] - row[j]) / epsilon).exp()).collect();
            let sum: f64 = terms.iter().sum();
            // Single-precision exponentials: 1e-6·ε.
            assert!((found[k] + epsilon * sum.ln()).abs() < 1e-6 * epsilon);
            let mean = ndarray::Array1::from(terms).dot(&problem.y) / sum;
            assert!((&image.row(k) - &mean).iter().all(|gap| gap.abs() < 1e-12));
        }
        // g is the soft minimum of f at the targets, with mass and without.
        assert!(close(&potentials.g_at(problem.y.view()).unwrap(), potentials.g(), 1e-6 * epsilon));
        // f is so up to the error of its marginal: 1e-6 over the smallest weight.
        let at_sources = potentials.f_at(problem.x.view()).unwrap();
        for i in (0..60).filter(|&i| problem.a[i] > 0.0) {
            assert!((at_sources[i] - potentials.f()[i]).abs() < 1e-6 / 1e-3 * epsilon);
        }
        // The image of the sources is the barycentric map.
        assert_eq!(potentials.map(problem.x.view()).unwrap(), plan.barycentric_map());
    }
}

/// Between Gaussian samples that are moved copies of each other, the entropic map of ½‖x−y‖² is affine up to sampling;
/// a map that ignored the potentials would be the weighted mean of the nearest targets and lose the translation.
#[test]
fn the_entropic_map_of_a_translation_is_the_translation() {
    let x = normal_cloud(10, 400, 2);
    let shift = array![2.0, -1.0];
    let y = &x + &shift;
    let (source, target) = (measure(x.view(), None), measure(y.view(), None));
    let options = SinkhornOptions { tolerance: 1e-6, max_iterations: 10_000 };
    let plan = sinkhorn(&source, &target, &Euclidean::HalfSquared, 0.02, options).unwrap();
    let new = normal_cloud(11, 50, 2) * 0.5;
    let image = plan.potentials.map(new.view()).unwrap();
    let rms = ((&image - &new - &shift).mapv(|gap| gap * gap).sum() / 50.0).sqrt();
    // The blur √ε = .14 draws towards the middle and the spacing of 400 points is of the same size.
    assert!(rms < 0.1, "{rms}");
}

#[test]
fn unbalanced_potentials_are_damped_soft_minima_everywhere() {
    let problem = Problem::new(2);
    let (source, target) = problem.measures();
    let (epsilon, reach) = (0.2, 0.8);
    let options = SinkhornOptions { tolerance: 1e-6, max_iterations: 10_000 };
    let plan =
        sinkhorn_unbalanced(&source, &target, &Euclidean::HalfSquared, epsilon, reach, options).unwrap();
    let potentials = &plan.potentials;
    let to_targets = costs(&problem.new, &problem.y, &Euclidean::HalfSquared);
    let found = potentials.f_at(problem.new.view()).unwrap();
    for (row, found) in to_targets.outer_iter().zip(found) {
        // The weights themselves, whose sum is not one.
        let sum: f64 = (0..85).map(|j| problem.b[j] * ((potentials.g()[j] - row[j]) / epsilon).exp()).sum();
        let expected = -epsilon * sum.ln() * reach / (reach + epsilon);
        // Single-precision exponentials: 1e-6·ε.
        assert!((found - expected).abs() < 1e-6 * epsilon, "{found} {expected}");
    }
}

#[test]
fn new_points_are_checked() {
    let problem = Problem::new(2);
    let (source, target) = problem.measures();
    let potentials = solve(&source, &target, &Euclidean::Squared).unwrap().potentials;
    let message = |points: Array2<f64>| {
        let errors = [
            potentials.map(points.view()).unwrap_err(),
            potentials.f_at(points.view()).unwrap_err(),
            potentials.g_at(points.view()).unwrap_err(),
        ];
        errors.map(|error| error.to_string())
    };
    assert!(
        message(array![[f64::NAN, 0.0]])
            .iter()
            .all(|text| text.contains("row 0, column 0 of the new points"))
    );
    assert!(message(Array2::zeros((0, 2))).iter().all(|text| text.contains("no new points")));
    assert!(message(array![[1.0]]).iter().all(|text| text.contains("columns")));
}
