//! A Hopf–Lax flow that departs from a Gaussian map, against the textbook's map, finite differences and other ends.

use crate::common::uniform;
use flows::affine::{Affine, Base};
use flows::critic::CriticDescription;
use flows::flow::{FlowObjective, HopfLaxDescription, Representation};
use flows::game::{Game, Networks};
use flows::hopf_lax::Based;
use flows::mlp::Initialisation;
use flows::scalar_field::ScalarField;
use flows::{activation::Activation, lipschitz::Lipschitz};
use mfg::Indicators;
use ndarray::{Array1, Array2, ArrayView2};
use ot_core::gaussian::Gaussian;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const LAMBDA: f64 = 0.6;
const HORIZON: f64 = 1.5;

fn representation(base: Base) -> Representation {
    Representation::HopfLax(HopfLaxDescription {
        base,
        rank: None,
        snapshots: 0,
        refinements: 8,
        hidden: vec![4],
        activation: Activation::Tanh,
        initialisation: Initialisation::default(),
    })
}

fn critic(lipschitz: Lipschitz) -> CriticDescription {
    CriticDescription {
        hidden: vec![6, 6],
        activation: Activation::Tanh,
        lipschitz,
        ..CriticDescription::default()
    }
}

fn game(rank: usize) -> Game {
    let objective = FlowObjective { lambda: LAMBDA, horizon: HORIZON, ..FlowObjective::default() };
    Game::new(&objective, &representation(Base::Gaussian), &critic(Lipschitz::None), rank).unwrap()
}

fn points(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let numbers = uniform(&mut ChaCha8Rng::seed_from_u64(seed), rows * columns);
    Array2::from_shape_vec((rows, columns), numbers).unwrap()
}

fn gaussian(dim: usize, seed: u64) -> Gaussian {
    let root = points(dim, dim, seed) + Array2::<f64>::eye(dim);
    let covariance = root.dot(&root.t()) + 0.2 * Array2::<f64>::eye(dim);
    Gaussian::new(points(1, dim, seed + 1).row(0).to_owned(), covariance).unwrap()
}

/// The flow of a game with `critic` of the scale `size`, 0 for the Gaussian map alone.
fn with_flow<R>(affine: &Affine, size: f32, ask: impl FnOnce(Based<'_>) -> R) -> R {
    let game = game(affine.rank());
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let flow = vec![0.0; game.flow.parameter_count()];
    let drawn: Vec<f32> = game.critic.network.initial(&mut rng);
    let critic: Vec<f32> = drawn.iter().map(|p| size * p).collect();
    let networks = Networks { flow: &flow, critic: &critic };
    ask(Based { game: &game, affine, networks, companions: &[], earlier: &[] })
}

fn ends(flow: &Based<'_>, x: ArrayView2<'_, f64>) -> Array2<f64> {
    flow.ends(x.mapv(|x| x as f32).view(), 1, &|_| {}).unwrap().mapv(f64::from)
}

fn largest(a: &Array2<f64>) -> f64 {
    a.iter().fold(0.0, |largest, x| x.abs().max(largest))
}

#[test]
fn a_critic_that_is_flat_leaves_the_optimal_map_between_gaussians() {
    let (source, target) = (gaussian(3, 1), gaussian(3, 5));
    let affine = Affine::gaussian(&source, &target).unwrap();
    let x = points(20, 3, 9);
    let found = with_flow(&affine, 0.0, |flow| ends(&flow, x.view()));
    let expected = source.transport_map(&target).unwrap().apply(x.view()).unwrap();
    // Single precision.
    assert!(largest(&(&found - &expected)) < 1e-5);
    let volume = with_flow(&affine, 0.0, |flow| flow.log_volume(found.view()).unwrap());
    let log_determinant = affine.log_determinant().unwrap();
    assert!(volume.iter().all(|volume| (volume + log_determinant).abs() < 1e-12));
}

#[test]
fn a_path_ends_where_the_critic_and_the_way_there_are_least() {
    let affine = Affine::gaussian(&gaussian(2, 11), &gaussian(2, 15)).unwrap();
    let x = points(30, 2, 19);
    with_flow(&affine, 1.5, |flow| {
        let y = ends(&flow, x.view());
        assert!(largest(&(with_flow(&affine, 0.0, |flat| ends(&flat, x.view())) - &y)) > 0.05);
        let back = flow.inverse(y.view()).unwrap();
        // Ends are found in single precision, to a slope of 1e-5 of its parts.
        assert!(largest(&(&back - &x)) < 1e-3, "{}", largest(&(&back - &x)));
        // φ(y) = φ′(y′) − (λ/T)·e(y), from the parts.
        let critic: Vec<f64> = flow.networks.critic.iter().map(|&p| p.into()).collect();
        let phi = |y: &Array2<f64>| -> Array1<f64> {
            let rows: Vec<f64> = y.iter().copied().collect();
            let inner = affine.ends(&rows).unwrap();
            let terms = Array1::from(affine.end_terms(&rows, &inner));
            let inner = Array2::from_shape_vec((y.nrows(), 2), inner).unwrap();
            flow.game.critic.network.at(&critic, inner.view()).unwrap().0 - terms * (LAMBDA / HORIZON)
        };
        let objective = |y: &Array2<f64>| {
            let way: Array1<f64> = (&x - y).rows().into_iter().map(|way| way.dot(&way)).collect();
            phi(y) + way * (LAMBDA / (2.0 * HORIZON))
        };
        let least = objective(&y);
        for seed in 0..20 {
            let elsewhere = &y + &(points(30, 2, 100 + seed) * 0.5);
            let gap = objective(&elsewhere) - &least;
            assert!(gap.iter().all(|gap| *gap > -1e-6), "{gap}");
        }
        let gradient = flow.critic_gradient(y.view()).unwrap();
        for axis in 0..2 {
            let mut step = Array2::zeros((30, 2));
            step.column_mut(axis).fill(1e-5);
            let found = (phi(&(&y + &step)) - phi(&(&y - &step))) / 2e-5;
            // Rounding of double precision over the step, and a curvature of the third order.
            assert!(found.iter().zip(gradient.column(axis)).all(|(a, b)| (a - b).abs() < 1e-7));
        }
    });
}

/// Three coordinates of which two are kept.
#[test]
fn paths_end_in_the_plane_and_are_optimal_there() {
    let affine = Affine::gaussian(&gaussian(3, 21), &gaussian(3, 25)).unwrap().truncated(2);
    let x = points(40, 3, 29);
    with_flow(&affine, 1.5, |flow| {
        let y = ends(&flow, x.view());
        let rows: Vec<f64> = y.iter().copied().collect();
        let foot = affine.points(&affine.ends(&rows).unwrap()).unwrap();
        assert!(rows.iter().zip(&foot).all(|(y, foot)| (y - foot).abs() < 1e-5));
        let trajectory = flow.trajectory(x.view(), 3).unwrap();
        let last = trajectory.parts().positions.last().unwrap();
        assert!(largest(&(last - &y)) < 1e-3);
        let indicators = Indicators::new(&trajectory, None).unwrap();
        let way = (&x - &y).mapv(|way| way * way).sum() / 40.0;
        // ½E‖x_T − x₀‖²/T² over T.
        assert!(
            (indicators.kinetic_energy * 2.0 * HORIZON / way - 1.0).abs() < 1e-3,
            "{}",
            indicators.kinetic_energy
        );
        assert!(indicators.terminal_gradient_relative.unwrap() < 1e-3);
        assert!(indicators.hj_residual_relative.unwrap() < 1e-3);
        assert!(flow.log_volume(y.view()).is_err());
    });
}

/// φ = 2·tanh(2y + 1) − 2·tanh(2y − 1) is a hill around 0 between two valleys, and x = 0.2 is on its right side. The earlier
/// critic 3·tanh(y) falls to the left, from where the search comes into the left valley.
#[test]
fn a_search_that_follows_an_earlier_critic_ends_in_the_valley_of_that_one() {
    let objective = FlowObjective { lambda: LAMBDA, horizon: HORIZON, ..FlowObjective::default() };
    let critic = CriticDescription { hidden: vec![2], ..critic(Lipschitz::None) };
    let game = Game::new(&objective, &representation(Base::Identity), &critic, 1).unwrap();
    let (hill, left) = ([2.0, 2.0, 1.0, -1.0, 2.0, -2.0, 0.0], [1.0, 1.0, 0.0, 0.0, 3.0, 0.0, 0.0]);
    let flow = vec![0.0; game.flow.parameter_count()];
    let affine = Affine::identity(1);
    let x = Array2::from_elem((3, 1), 0.2);
    for (earlier, is_right) in [(&[][..], true), (&left[..], false)] {
        let networks = Networks { flow: &flow, critic: &hill };
        let flow = Based { game: &game, affine: &affine, networks, companions: &[], earlier };
        let y = ends(&flow, x.view());
        assert!(y.iter().all(|y| (*y > 1.0) == is_right && y.abs() > 1.0), "{y}");
        // Either is a minimum: ends are found in single precision.
        assert!(largest(&(flow.inverse(y.view()).unwrap() - &x)) < 1e-4);
        let trajectory = flow.trajectory(x.view(), 2).unwrap();
        assert!(largest(&(trajectory.parts().positions.last().unwrap() - &y)) < 1e-4);
    }
}

#[test]
fn a_base_other_than_the_identity_refuses_a_bound() {
    let objective = FlowObjective::default();
    let penalty = Lipschitz::Spectral;
    let error =
        representation(Base::Gaussian).validate(&objective, &critic(penalty)).unwrap_err().to_string();
    assert!(error.contains("critic.lipschitz") && error.contains("none"), "{error}");
    assert!(representation(Base::Identity).validate(&objective, &critic(penalty)).is_ok());
}
