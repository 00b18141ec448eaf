//! Explicit flows against closed forms, brute force and finite differences.

use crate::common::{assert_gradient, uniform};
use flows::activation::Activation;
use flows::affine::Affine;
use flows::critic::CriticObjective;
use flows::explicit::{Backend, Batch, DualGame, Explicit, ExplicitFlow, Native, trajectory};
use flows::flow::FlowObjective;
use flows::hopf_lax::{Curvature, Pull, Stop};
use flows::mlp::{Initialisation, Mlp, Output};
use flows::scalar_field::ScalarField;
use mfg::Indicators;
use ndarray::{Array1, Array2, ArrayView2, array};
use ot_core::divergence::Divergence;
use ot_core::gaussian::Gaussian;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const EXACT: Stop = Stop { iterations: 500, tolerance: 1e-11 };

pub(crate) fn flow(affine: Affine, lambda: f64, horizon: f64, bound: Option<f64>) -> ExplicitFlow {
    let objective = FlowObjective { lambda, horizon, ..FlowObjective::default() };
    let network = Mlp::new(affine.rank(), &[12, 12], Activation::Tanh, Output::Identity).unwrap();
    let network = network.initialised(Initialisation::GlorotNormal);
    ExplicitFlow::new(affine, network, &objective, bound).unwrap()
}

/// Parameters with slopes of about `size`, so that a map is near its base.
pub(crate) fn parameters(flow: &ExplicitFlow, size: f64, seed: u64) -> Vec<f64> {
    let network = flow.network();
    let mut parameters: Vec<f64> = network.initial(&mut ChaCha8Rng::seed_from_u64(seed));
    let last = network.head().layers().last().unwrap().weight.clone();
    parameters[last].iter_mut().for_each(|w| *w *= size);
    parameters
}

pub(crate) fn points(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let numbers = uniform(&mut ChaCha8Rng::seed_from_u64(seed), rows * columns);
    Array2::from_shape_vec((rows, columns), numbers).unwrap()
}

/// N(m, Σ) with a correlated covariance and deviations from 0.5 to 2.
fn gaussian(dim: usize, seed: u64) -> Gaussian {
    let root = points(dim, dim, seed) + Array2::<f64>::eye(dim);
    Gaussian::new(
        points(1, dim, seed + 1).row(0).to_owned(),
        root.dot(&root.t()) + 0.2 * Array2::<f64>::eye(dim),
    )
    .unwrap()
}

pub(crate) fn squares(a: ArrayView2<'_, f64>) -> Array1<f64> {
    a.rows().into_iter().map(|row| row.dot(&row)).collect()
}

/// N(0, diag(9, 1, 4)) in its two widest directions: the optimal map scales the first and the last coordinate by 3 and 2, and
/// the middle one ends in the mean.
#[test]
fn a_truncated_gaussian_map_keeps_its_widest_directions_alone() {
    let normal = Gaussian::new(Array1::zeros(3), Array2::eye(3)).unwrap();
    let target = Gaussian::new(array![1.0, 2.0, 3.0], Array2::from_diag(&array![9.0, 1.0, 4.0])).unwrap();
    let affine = Affine::gaussian(&normal, &target).unwrap().truncated(2);
    assert_eq!(affine.rank(), 2);
    let flow = flow(affine, 0.5, 1.0, None);
    let still = vec![0.0; flow.network().parameter_count()];
    let ends = flow.at(&still, &[]).unwrap().ends(array![[1.0, 5.0, -1.0]].view()).unwrap();
    for (&found, expected) in ends.iter().zip([4.0_f64, 2.0, 1.0]) {
        // Roots and their squares in double precision.
        assert!((found - expected).abs() < 1e-12, "{ends}");
    }
    let stored = Affine::of_numbers(3, &flow.affine().numbers()).unwrap();
    assert_eq!(&stored, flow.affine());
}

/// The least over z on a fine grid of the line through both points, on which the best z lies.
#[test]
fn the_pull_is_a_quadratic_cost_of_which_the_rest_is_paid_by_the_slope() {
    let (weight, reach) = (0.7, 1.3);
    let pull = Pull { weight, reach };
    for r in [0.0_f64, 0.4, 1.3, 1.31, 5.0] {
        let brute = (0..=100_000).map(|i| f64::from(i) * 1e-5 * r);
        let brute =
            brute.map(|s| 0.5 * weight * s * s + weight * reach * (r - s)).fold(f64::INFINITY, f64::min);
        // The grid misses the best z by at most 2.5e-5, which costs half the curvature times its square.
        assert!((pull.cost(r * r) - brute).abs() < 1e-9, "{r}: {} against {brute}", pull.cost(r * r));
        let difference = (pull.cost((r + 1e-5).powi(2)) - pull.cost((r - 1e-5_f64).powi(2))) / 2e-5;
        assert!((pull.rate(r * r) * r - difference).abs() < 1e-5, "{r}");
    }
}

#[test]
fn coordinates_split_the_cost_and_make_the_gaussian_map_the_identity() {
    let (source, target) = (gaussian(3, 1), gaussian(3, 5));
    let affine = Affine::gaussian(&source, &target).unwrap();
    let (x, y) = (points(5, 3, 9), points(5, 3, 10));
    let (inner, outer) =
        (affine.beginnings(x.as_slice().unwrap()).unwrap(), affine.ends(y.as_slice().unwrap()).unwrap());
    let moved = affine.points(&inner).unwrap();
    let exact = source.transport_map(&target).unwrap().apply(x.view()).unwrap();
    // Products of 3×3 matrices of order one.
    for (found, expected) in moved.iter().zip(&exact) {
        assert!((found - expected).abs() < 1e-12, "{found} against {expected}");
    }
    for (found, expected) in affine.points(&outer).unwrap().iter().zip(&y) {
        assert!((found - expected).abs() < 1e-12);
    }
    let terms = affine.beginning_terms(x.as_slice().unwrap(), &inner);
    let others = affine.end_terms(y.as_slice().unwrap(), &outer);
    let [inner, outer] = [inner, outer].map(|a| Array2::from_shape_vec((5, 3), a).unwrap());
    let (whole, part) = (squares((&x - &y).view()), squares((&inner - &outer).view()));
    for i in 0..5 {
        let sum = 0.5 * part[i] + terms[i] + others[i];
        assert!((0.5 * whole[i] - sum).abs() < 1e-12, "{} against {sum}", 0.5 * whole[i]);
    }
    let stored = Affine::of_numbers(3, &affine.numbers()).unwrap();
    assert_eq!(stored, affine);
    assert!(Affine::of_numbers(3, &affine.numbers()[..6]).is_err());
    let determinant = source.transport_map(&target).unwrap().matrix;
    assert!((affine.log_determinant().unwrap() - determinant_of_3(&determinant).ln()).abs() < 1e-12);
}

fn determinant_of_3(a: &Array2<f64>) -> f64 {
    let minor = |j: usize, k: usize| a[[1, j]] * a[[2, k]] - a[[1, k]] * a[[2, j]];
    a[[0, 0]] * minor(1, 2) - a[[0, 1]] * minor(0, 2) + a[[0, 2]] * minor(0, 1)
}

/// Data on a plane of R³, as their covariance tells: the network has two inputs, and every particle ends on it.
#[test]
fn ends_lie_in_the_plane_of_the_data_exactly() {
    let plane = array![[1.0, 0.5, 0.0], [-0.3, 2.0, 1.0]];
    let data = points(200, 2, 3).dot(&plane) + array![0.1, -0.2, 0.3];
    let target = Gaussian::from_samples(data.view()).unwrap();
    let source = Gaussian::new(Array1::zeros(3), Array2::eye(3)).unwrap();
    let flow = flow(Affine::gaussian(&source, &target).unwrap(), 0.5, 1.0, None);
    assert_eq!(flow.network().input(), 2);
    let theta = parameters(&flow, 0.3, 4);
    let mut field = flow.at(&theta, &[]).unwrap();
    let ends = field.ends(points(20, 3, 8).view()).unwrap();
    let normal = array![0.5, -1.0, 2.15];
    for end in ends.rows() {
        let off = (&end - &array![0.1, -0.2, 0.3]).dot(&normal);
        // The coefficients are of order one; the plane of 200 points is known to rounding.
        assert!(off.abs() < 1e-12, "{off} off the plane");
    }
    let error = field.log_determinant(points(2, 3, 1).view()).unwrap_err().to_string();
    assert!(error.contains("2 of 3 dimensions"), "{error}");
}

/// A zero network leaves the Gaussian map, whose image of N(m₀, Σ₀) has a density in closed form.
#[test]
fn a_gaussian_becomes_the_gaussian_that_it_should() {
    let dim = 3;
    let (source, target) = (gaussian(dim, 21), gaussian(dim, 25));
    let flow = flow(Affine::gaussian(&source, &target).unwrap(), 0.3, 2.0, None);
    let theta = vec![0.0; flow.network().parameter_count()];
    let mut field = flow.at(&theta, &[]).unwrap();
    let y = points(10, dim, 2);
    let x = field.inverse(y.view()).unwrap();
    for (found, expected) in field.ends(x.view()).unwrap().iter().zip(&y) {
        assert!((found - expected).abs() < 1e-10);
    }
    let log_density = |law: &Gaussian, point: ndarray::ArrayView1<'_, f64>| {
        let off = &point - &law.mean();
        let covariance = law.covariance().to_owned();
        -0.5 * (off.dot(&solve_3(&covariance, &off)) + determinant_of_3(&covariance).ln())
    };
    let determinants = field.log_determinant(x.view()).unwrap();
    for i in 0..y.nrows() {
        let found = log_density(&source, x.row(i)) - determinants[i];
        let expected = log_density(&target, y.row(i));
        assert!((found - expected).abs() < 1e-9, "{found} against {expected}");
    }
}

/// The slopes are large enough for the map to fold: most particles are not alone at their end.
#[test]
fn every_particle_is_among_those_that_end_where_it_ends() {
    let flow = flow(Affine::gaussian(&gaussian(2, 21), &gaussian(2, 25)).unwrap(), 0.3, 2.0, None);
    let theta = parameters(&flow, 40.0, 6);
    let mut field = flow.at(&theta, &[]).unwrap();
    let (x, particles) = (points(300, 2, 71), points(4000, 2, 73));
    let ends = field.ends(x.view()).unwrap();
    let sources = field.sources(ends.view(), particles.view()).unwrap();
    let mut found = vec![false; x.nrows()];
    let again = field.ends(sources.beginnings.view()).unwrap();
    for (i, &row) in sources.of.iter().enumerate() {
        let near = |a: ndarray::ArrayView1<'_, f64>, b: ndarray::ArrayView1<'_, f64>, most: f64| {
            a.iter().zip(b).all(|(a, b)| (a - b).abs() < most)
        };
        assert!(near(again.row(i), ends.row(row), 1e-6), "source {i} of {row} ends elsewhere");
        found[row] |= near(sources.beginnings.row(i), x.row(row), 1e-3);
    }
    let missed = found.iter().filter(|found| !**found).count();
    let folded = sources.of.len() - x.nrows();
    assert!(folded > 30 && missed <= 3, "{missed} particles missed, {folded} more than one source");
}

/// Cramer's rule.
fn solve_3(a: &Array2<f64>, b: &Array1<f64>) -> Array1<f64> {
    let whole = determinant_of_3(a);
    (0..3)
        .map(|j| {
            let mut replaced = a.clone();
            replaced.column_mut(j).assign(b);
            determinant_of_3(&replaced) / whole
        })
        .collect()
}

fn divergences() -> impl Iterator<Item = Divergence> {
    ["kl", "kl-donsker-varadhan", "reverse-kl", "alpha:2", "alpha:0.5", "jensen-shannon", "w1"]
        .into_iter()
        .map(|name| name.parse().unwrap())
}

/// The dual with ends that are searched anew for every perturbed parameter: the envelope theorem leaves them out.
#[test]
fn the_gradient_is_that_of_the_dual_with_searched_ends() {
    let (n, m) = (7, 5);
    for (affine, bound) in [
        (Affine::gaussian(&gaussian(2, 31), &gaussian(2, 35)).unwrap(), None),
        (Affine::identity(2), Some(0.1)),
    ] {
        let flow = flow(affine, 0.8, 1.6, bound);
        let theta = parameters(&flow, if bound.is_some() { 4.0 } else { 0.4 }, 6);
        let (start, target) = (points(n, 2, 41), points(m, 2, 43));
        let (start, target) = (start.as_slice().unwrap(), target.as_slice().unwrap());
        let searched = |backend: &mut Native<f64>, theta: &[f64]| {
            let mut ends = vec![0.1; 2 * m];
            backend.search(theta, target, &mut ends, &mut Curvature::default()).unwrap();
            ends
        };
        for divergence in divergences() {
            let objective = CriticObjective { divergence, weight: 0.6 };
            let game = DualGame { flow: flow.clone(), objective, stop: EXACT };
            let mut backend = Native::new(game);
            let mut gradient = vec![0.0; theta.len()];
            let ends = searched(&mut backend, &theta);
            if let Some(bound) = bound {
                let far = |(x, y): (&[f64], &[f64])| (x[0] - y[0]).hypot(x[1] - y[1]) > bound / 0.5;
                assert!(ends.chunks(2).zip(target.chunks(2)).any(far), "the bound is felt");
            }
            backend.gradient(&theta, Batch { start, target, ends: &ends }, &mut gradient).unwrap();
            let mut unused = vec![0.0; theta.len()];
            // λ/T = 1/2; the gradient is that of −2·dual.
            assert_gradient(&theta, &gradient, 1e-5, |theta| {
                let ends = searched(&mut backend, theta);
                -2.0 * backend
                    .gradient(theta, Batch { start, target, ends: &ends }, &mut unused)
                    .unwrap()
                    .value
            });
        }
    }
}

proptest! {
    /// Against 4000 shifts, and invariant under a constant.
    #[test]
    fn the_shift_is_the_best_one(
        generated in prop::collection::vec(-2.0..2.0_f64, 3),
        target in prop::collection::vec(-2.0..2.0_f64, 1..5),
        weight in 0.2..3.0_f64,
    ) {
        for divergence in divergences() {
            let objective = CriticObjective { divergence, weight };
            let dual = objective.shifted_dual(&generated, &target).unwrap();
            let shifted = |nu: f64| {
                let less = |values: &[f64]| values.iter().map(|v| v - nu).collect::<Vec<_>>();
                objective.dual(&less(&generated), &less(&target)).ok().map(|dual| dual.value)
            };
            let brute = (-2000..2000).filter_map(|i| shifted(f64::from(i) * 5e-3)).fold(f64::NEG_INFINITY, f64::max);
            // The grid misses the best shift by 2.5e-3; the curvature of the dual in ν is below 50 for these values.
            let gap = dual.value - brute;
            prop_assert!((-1e-9..3e-4).contains(&gap), "{divergence}: {} against {brute}", dual.value);
            let sum: f64 = dual.d_target.iter().sum();
            prop_assert!((sum + 1.0).abs() < 1e-6, "{divergence}: {sum}");
            let moved: Vec<f64> = target.iter().map(|v| v + 7.0).collect();
            let start: Vec<f64> = generated.iter().map(|v| v + 7.0).collect();
            let again = objective.shifted_dual(&start, &moved).unwrap();
            prop_assert!((again.value - dual.value).abs() < 1e-9 * (1.0 + dual.value.abs()));
        }
    }
}

/// On the line, with every x of a fine grid.
#[test]
fn the_critic_is_the_largest_of_its_definition_and_keeps_its_bound() {
    for bound in [None, Some(0.2)] {
        let flow = flow(Affine::identity(1), 0.6, 1.2, bound);
        let theta = parameters(&flow, 3.0, 11);
        let grid = Array2::from_shape_fn((40_001, 1), |(i, _)| i as f64 * 5e-4 - 10.0);
        let companions: Vec<f64> = (-40..=40).map(|i| f64::from(i) * 0.2).collect();
        let mut field = flow.at(&theta, &companions).unwrap();
        let potential = field.potential(grid.view()).unwrap();
        let y = array![[-1.5], [-0.2], [0.0], [0.7], [2.0]];
        let (values, slopes) = field.critic(y.view()).unwrap();
        for i in 0..y.nrows() {
            let pull = Pull { weight: 0.5, reach: bound.map_or(f64::INFINITY, |bound| bound / 0.5) };
            let rows = grid.iter().zip(&potential);
            let brute =
                rows.map(|(x, u)| u - pull.cost((x - y[[i, 0]]).powi(2))).fold(f64::NEG_INFINITY, f64::max);
            // The grid misses the best x by 2.5e-4; the curvature of U₀ is below 10.
            assert!((values[i] - brute).abs() < 1e-6, "{bound:?}: {} against {brute}", values[i]);
            assert!(bound.is_none_or(|bound| slopes[[i, 0]].abs() <= bound + 1e-12));
        }
    }
}

#[test]
fn slopes_of_the_critic_are_its_differences() {
    let flow = flow(Affine::gaussian(&gaussian(2, 51), &gaussian(2, 55)).unwrap(), 0.6, 1.2, None);
    let theta = parameters(&flow, 0.3, 12);
    let mut field = flow.at(&theta, &[]).unwrap();
    let y = array![[0.3, -0.4]];
    let (_, slopes) = field.critic(y.view()).unwrap();
    assert_gradient(y.as_slice().unwrap(), slopes.as_slice().unwrap(), 1e-6, |y| {
        field.critic(ArrayView2::from_shape((1, 2), y).unwrap()).unwrap().0[0]
    });
}

/// Of a map that is optimal every indicator vanishes, and the inverse leads back.
#[test]
fn a_small_network_gives_an_optimal_map_with_all_that_follows() {
    let flow = flow(Affine::gaussian(&gaussian(2, 61), &gaussian(2, 65)).unwrap(), 0.3, 0.9, None);
    let theta = parameters(&flow, 0.2, 13);
    let mut field = flow.at(&theta, &[]).unwrap();
    let x = points(40, 2, 7);
    assert!(field.returns(x.view()).unwrap().returned.iter().all(|back| *back));
    let ends = field.ends(x.view()).unwrap();
    for (found, expected) in field.inverse(ends.view()).unwrap().iter().zip(&x) {
        assert!((found - expected).abs() < 1e-6, "{found} against {expected}");
    }
    for t in [0.0, 0.2, 0.6] {
        let on_the_way = &x + &((&ends - &x) * (t / 0.9));
        let slopes = field.derivatives(on_the_way.view(), t).unwrap();
        for (i, slope) in slopes.gradient.rows().into_iter().enumerate() {
            let expected = (&x.row(i) - &ends.row(i)) / 3.0;
            assert!((&slope - &expected).iter().all(|gap| gap.abs() < 1e-6), "at {t}");
            assert!((slopes.time[i] - slope.dot(&slope) / 0.6).abs() < 1e-12);
        }
    }
    // In f32 parameters, as they are trained.
    let narrow: Vec<f32> = theta.iter().map(|&p| p as f32).collect();
    let recorded = trajectory(&flow, (&narrow, &[]), x.view(), 5).unwrap();
    let indicators = Indicators::new(&recorded, None).unwrap();
    for (metric, value) in indicators.named() {
        // The continuity equation is integrated over the steps, and is in units of a Monte-Carlo error.
        if ![metrics::KINETIC_ENERGY, metrics::STRAIGHTNESS, metrics::CONTINUITY_RESIDUAL].contains(&metric) {
            assert!(value.unwrap().abs() < 1e-9, "{metric} is {value:?}");
        }
    }
}

#[test]
fn the_determinant_is_that_of_the_differences_of_the_map() {
    let flow = flow(Affine::gaussian(&gaussian(2, 71), &gaussian(2, 75)).unwrap(), 0.3, 0.9, None);
    let theta = parameters(&flow, 0.5, 14);
    let mut field = flow.at(&theta, &[]).unwrap();
    let (x, h) = (array![[0.2, -0.7]], 1e-5);
    let mut column = |j: usize| {
        let mut shifted = |sign: f64| {
            let mut moved = x.clone();
            moved[[0, j]] += sign * h;
            field.ends(moved.view()).unwrap()
        };
        (shifted(1.0) - shifted(-1.0)) / (2.0 * h)
    };
    let (a, b) = (column(0), column(1));
    let expected = (a[[0, 0]] * b[[0, 1]] - a[[0, 1]] * b[[0, 0]]).abs().ln();
    let found = field.log_determinant(x.view()).unwrap()[0];
    // Central differences err by h² and by rounding over h.
    assert!((found - expected).abs() < 1e-8, "{found} against {expected}");
}

/// U₀ so curved that paths cross: the particles that cross others do not return, and the shares say so.
#[test]
fn where_paths_cross_the_search_does_not_return() {
    let flow = flow(Affine::identity(1), 1.0, 1.0, None);
    let theta = parameters(&flow, 30.0, 15);
    let mut field = flow.at(&theta, &[]).unwrap();
    let x = Array2::from_shape_fn((200, 1), |(i, _)| i as f64 * 0.02 - 2.0);
    let ends = field.ends(x.view()).unwrap();
    let returned = field.returns(x.view()).unwrap().returned;
    // On the line a map is optimal where it increases: a particle that overtakes its neighbours is never a return.
    let overtaken =
        |i: usize| (0..200).any(|j| (x[[i, 0]] - x[[j, 0]]) * (ends[[i, 0]] - ends[[j, 0]]) < 0.0);
    let crossing: Vec<usize> = (0..200).filter(|&i| overtaken(i)).collect();
    assert!(!crossing.is_empty() && returned.iter().any(|back| !back));
    for pair in 0..200 {
        for other in 0..pair {
            let swapped = (x[[pair, 0]] - x[[other, 0]]) * (ends[[pair, 0]] - ends[[other, 0]]) < -1e-4;
            assert!(
                !(swapped && returned[pair] && returned[other]),
                "{pair} and {other} cross and both return"
            );
        }
    }
}

#[test]
fn a_bound_needs_the_identity_and_a_flow_is_not_made_of_relu() {
    let objective = FlowObjective::default();
    let gaussian = Affine::gaussian(&gaussian(2, 1), &gaussian(2, 5)).unwrap();
    let build = |affine: &Affine, activation, bound| {
        let network = Mlp::new(2, &[4], activation, Output::Identity).unwrap();
        ExplicitFlow::new(affine.clone(), network, &objective, bound)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert!(build(&gaussian, Activation::Tanh, Some(1.0)).unwrap_err().contains("take the identity"));
    assert!(build(&gaussian, Activation::Relu, None).unwrap_err().contains("sharp-softplus"));
    assert!(build(&Affine::identity(2), Activation::Tanh, Some(1.0)).is_ok());
    assert!(build(&Affine::identity(3), Activation::Tanh, None).unwrap_err().contains("2"));
}

#[test]
fn points_of_another_dimension_are_refused() {
    let flow = flow(Affine::identity(2), 1.0, 1.0, None);
    let theta = parameters(&flow, 1.0, 1);
    let mut field: Explicit<'_, f64> = flow.at(&theta, &[]).unwrap();
    let wrong = points(2, 3, 1);
    assert!(field.ends(wrong.view()).is_err() && field.inverse(wrong.view()).is_err());
    assert!(field.returns(wrong.view()).is_err() && field.critic(wrong.view()).is_err());
    assert!(flow.at(&theta, &[1.0]).is_err() && flow.at(&theta[1..], &[]).is_err());
}

/// What data have beside the plane of the ends says nothing of the plane: it must not weigh them.
#[test]
fn data_beside_the_plane_weigh_as_their_feet_do() {
    let affine = Affine::gaussian(&gaussian(3, 1), &gaussian(3, 2)).unwrap().truncated(2);
    let flow = flow(affine.clone(), 1.0, 1.0, None);
    let theta = parameters(&flow, 0.5, 4);
    let divergence = "kl-donsker-varadhan".parse().unwrap();
    let game = DualGame {
        flow,
        objective: CriticObjective { divergence, weight: 1.0 },
        stop: Stop { iterations: 20, tolerance: 1e-6 },
    };
    let (start, beside) = (points(6, 3, 5), points(6, 3, 6));
    let beside = beside.as_slice().unwrap();
    let inner = affine.ends(beside).unwrap();
    let feet = affine.points(&inner).unwrap();
    let gradient = |target: &[f64]| {
        let mut gradient = vec![0.0; theta.len()];
        let batch = Batch { start: start.as_slice().unwrap(), target, ends: &inner };
        let report = Native::new(game.clone()).gradient(&theta, batch, &mut gradient).unwrap();
        (report.value, gradient)
    };
    let ((off, off_gradient), (on, on_gradient)) = (gradient(beside), gradient(&feet));
    // Roundings of the feet.
    assert!((off - on).abs() < 1e-12, "{off} against {on}");
    assert!(off_gradient.iter().zip(&on_gradient).all(|(a, b)| (a - b).abs() < 1e-12));
}
