//! Explicit flows under a condition, against brute force and finite differences: x moves, and c does not.

use crate::common::uniform;
use flows::activation::Activation;
use flows::affine::Affine;
use flows::critic::CriticObjective;
use flows::explicit::{Backend, DualGame, ExplicitFlow, Native};
use flows::flow::FlowObjective;
use flows::hopf_lax::{Curvature, Stop};
use flows::mlp::{Initialisation, Mlp, Output};
use flows::scalar_field::ScalarField;
use ndarray::{Array1, Array2, array, s};
use ot_core::divergence::Divergence;
use ot_core::gaussian::Gaussian;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// In the plane under a condition of two numbers, over the map between two Gaussians.
fn flow(dim: usize) -> ExplicitFlow {
    let objective = FlowObjective { lambda: 0.5, horizon: 1.5, ..FlowObjective::default() };
    let spread = Array2::from_diag(&Array1::linspace(0.7, 2.0, dim));
    let (source, target) = (
        Gaussian::new(Array1::zeros(dim), Array2::eye(dim)).unwrap(),
        Gaussian::new(Array1::from_elem(dim, 0.3), spread).unwrap(),
    );
    let affine = Affine::gaussian(&source, &target).unwrap().beside(2);
    let network = Mlp::new(affine.rank(), &[12, 12], Activation::Tanh, Output::Identity).unwrap();
    let network = network.initialised(Initialisation::GlorotNormal);
    let flow = ExplicitFlow::new(affine, network, &objective, None);
    flow.unwrap().conditioned(2).unwrap()
}

fn parameters(flow: &ExplicitFlow) -> Vec<f64> {
    flow.network().initial(&mut ChaCha8Rng::seed_from_u64(8))
}

/// Rows (x, c), every third one under the same condition.
fn points(rows: usize, dim: usize, seed: u64) -> Array2<f64> {
    let numbers = uniform(&mut ChaCha8Rng::seed_from_u64(seed), rows * dim);
    let points = Array2::from_shape_vec((rows, dim), numbers).unwrap();
    let conditions = [[0.0, 1.0], [1.0, 0.0], [-0.5, 0.5]];
    Array2::from_shape_fn(
        (rows, dim + 2),
        |(i, j)| if j < dim { points[[i, j]] } else { conditions[i % 3][j - dim] },
    )
}

#[test]
fn points_follow_the_slope_in_x_alone_and_their_volume_is_that_of_a_small_square() {
    let flow = flow(2);
    let theta = parameters(&flow);
    let mut field = flow.at(&theta, &[]).unwrap();
    let x = points(30, 2, 1);
    let ends = field.ends(x.view()).unwrap();
    assert_eq!(ends.slice(s![.., 2..]), x.slice(s![.., 2..]));
    let h = 1e-5;
    let step = |j: usize| Array2::from_shape_fn((1, 4), |(_, i)| if i == j { h } else { 0.0 });
    for j in 0..2 {
        let up = field.potential((&x + &step(j)).view()).unwrap();
        let down = field.potential((&x - &step(j)).view()).unwrap();
        for (row, slope) in ((up - down) / (2.0 * h)).into_iter().enumerate() {
            // x_T = x − (T/λ)·∂U₀; h² of third derivatives of order 1.
            assert!((x[[row, j]] - 3.0 * slope - ends[[row, j]]).abs() < 1e-7, "coordinate {j}");
        }
    }
    let mut side = |j: usize| {
        (field.ends((&x + &step(j)).view()).unwrap() - field.ends((&x - &step(j)).view()).unwrap())
            / (2.0 * h)
    };
    let (first, second) = (side(0), side(1));
    let found = field.log_determinant(x.view()).unwrap();
    for row in 0..30 {
        let determinant = first[[row, 0]] * second[[row, 1]] - first[[row, 1]] * second[[row, 0]];
        assert!((found[row] - determinant.abs().ln()).abs() < 1e-6 / determinant.abs().min(1.0));
    }
}

/// The largest U₀(x, c) − λ(x − y)²/(2T) over a fine grid of the line, c being that of y.
fn brute(flow: &ExplicitFlow, theta: &[f64], y: &[f64]) -> (f64, f64) {
    let grid = Array2::from_shape_fn((8001, 3), |(i, j)| if j == 0 { -8.0 + 2e-3 * i as f64 } else { y[j] });
    let heights = flow.at(theta, &[]).unwrap().potential(grid.view()).unwrap();
    let values = heights.iter().zip(grid.rows()).map(|(u, x)| (u - (x[0] - y[0]).powi(2) / 6.0, x[0]));
    values.fold((f64::NEG_INFINITY, 0.0), |best, next| if next.0 > best.0 { next } else { best })
}

#[test]
fn the_critic_is_the_maximum_under_its_own_condition() {
    let flow = flow(1);
    let theta = parameters(&flow);
    // Companions under all conditions, of which those of another are no beginnings.
    let companions: Vec<f64> = points(60, 1, 4).iter().copied().collect();
    let mut field = flow.at(&theta, &companions).unwrap();
    let y = points(24, 1, 2) * array![[3.0, 1.0, 1.0]];
    let (values, slopes) = field.critic(y.view()).unwrap();
    let back = field.inverse(y.view()).unwrap();
    assert_eq!(back.slice(s![.., 1..]), y.slice(s![.., 1..]));
    assert!(slopes.slice(s![.., 1..]).iter().all(|slope| *slope == 0.0));
    for (row, y) in y.rows().into_iter().enumerate() {
        let (most, at) = brute(&flow, &theta, &y.to_vec());
        // The grid misses the maximum by 1e-3, which costs half of a curvature of order 1 times its square.
        assert!((values[row] - most).abs() < 1e-5, "{} against {most}", values[row]);
        assert!((back[[row, 0]] - at).abs() < 2e-2);
    }
    // The path from the beginning of y ends at y, and the density finds it.
    let ends = field.ends(back.view()).unwrap();
    assert!((&ends - &y).iter().all(|gap| gap.abs() < 1e-6));
    let sources = field.sources(y.view(), points(50, 1, 3).view()).unwrap();
    for (x, &of) in sources.beginnings.rows().into_iter().zip(&sources.of) {
        assert_eq!(x.slice(s![1..]), y.row(of).slice(s![1..]));
        let end = field.ends(x.insert_axis(ndarray::Axis(0))).unwrap();
        assert!((end[[0, 0]] - y[[of, 0]]).abs() < 1e-7);
    }
}

/// Rows of one condition begin at the best of their own; those of several, or alone, keep their condition too.
#[test]
fn a_search_in_training_changes_no_condition() {
    let flow = flow(1);
    let theta = parameters(&flow);
    let objective = CriticObjective { divergence: Divergence::Wasserstein1, weight: 1.0 };
    let stop = Stop { iterations: 500, tolerance: 1e-10 };
    let mut native = Native::new(DualGame { flow: flow.clone(), objective, stop });
    // Forty rows of each of three conditions, and as many conditions as rows.
    for alone in [false, true] {
        let mut y = points(120, 1, 6) * array![[3.0, 1.0, 1.0]];
        if alone {
            let own = uniform(&mut ChaCha8Rng::seed_from_u64(9), 120);
            y.column_mut(1).iter_mut().zip(own).for_each(|(c, own)| *c = own);
        }
        let targets: Vec<f64> = y.iter().copied().collect();
        let mut ends = flow.affine().ends(&targets).unwrap();
        let conditions =
            |rows: &[f64]| rows.chunks(3).flat_map(|row| row[1..].to_vec()).collect::<Vec<f64>>();
        native.search(&theta, &targets, &mut ends, &mut Curvature::default()).unwrap();
        assert_eq!(conditions(&ends), conditions(&targets));
        let found = flow.affine().origins(&ends).unwrap();
        let best = found.chunks(3).zip(y.rows()).filter(|(x, y)| {
            let (most, _) = brute(&flow, &theta, &y.to_vec());
            let at = Array2::from_shape_vec((1, 3), x.to_vec()).unwrap();
            let value = flow.at(&theta, &[]).unwrap().potential(at.view()).unwrap()[0];
            value - (x[0] - y[0]).powi(2) / 6.0 > most - 1e-5
        });
        // A row that begins in another valley than the best may stay there, if it is alone.
        assert!(best.count() >= if alone { 100 } else { 118 });
    }
}

#[test]
fn a_condition_leaves_something_to_move() {
    let flow = flow(1);
    assert_eq!((flow.moved(), flow.condition(), flow.affine().dim()), (1, 2, 3));
    assert!(flow.clone().conditioned(3).is_err());
    let stored = Affine::of_numbers(3, &flow.affine().numbers()).unwrap();
    assert_eq!(&stored, flow.affine());
}
