//! A game whose critic is a network from outside: every gradient against central differences.

#[path = "../../examples/own_network.rs"]
mod example;

use crate::common::{assert_gradient, uniform};
use example::Bumps;
use flows::FlowError;
use flows::activation::Activation;
use flows::critic::{self, Critic, CriticBatch, CriticObjective};
use flows::flow::{self, Flow, FlowObjective, Paths};
use flows::game::{Backend, Game, Native, Networks};
use flows::integrate::{Scheme, integrate};
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, SlopePenalty};
use flows::potential::Potential;
use flows::scalar_field::ScalarField;
use ndarray::Array2;
use ot_core::divergence::Divergence;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A factor 100 for third derivatives that are not of order one.
const TOLERANCE: f64 = 1e-8;

fn critic(form: SlopePenalty) -> Critic<Bumps> {
    Critic {
        network: Bumps { dim: 2, count: 3 },
        objective: CriticObjective { divergence: Divergence::DonskerVaradhan, weight: 1.3 },
        bound: 0.2,
        lipschitz: Lipschitz::Penalty(Penalty { form, weight: 0.7, points: PenaltyPoints::Interpolates }),
    }
}

fn potential() -> Potential {
    Potential::new(2, &[6, 5], Activation::Tanh).unwrap()
}

fn game(flow: Flow) -> Game<Bumps> {
    let objective = FlowObjective {
        lambda: 0.6,
        horizon: 1.3,
        velocity_spread: 0.4,
        hamilton_jacobi: 0.3,
        terminal_gradient: 0.2,
        characteristic: 0.5,
        ..FlowObjective::default()
    };
    Game { critic: critic(SlopePenalty::OneSided), flow, objective }
}

#[test]
fn the_examples_own_check_passes() {
    example::main().unwrap();
}

/// The one-sided penalty leaves points out, whose tape is then cut.
#[test]
fn the_critics_gradient_is_the_derivative_of_its_objective() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for form in [SlopePenalty::OneSided, SlopePenalty::TwoSided] {
        let critic = critic(form);
        let theta: Vec<f64> = critic.network.initial(&mut rng);
        let (generated, target, mixing) =
            (uniform(&mut rng, 12), uniform(&mut rng, 12), [0.1, 0.3, 0.4, 0.6, 0.8, 0.9]);
        let batch = CriticBatch { generated: &generated, target: &target, mixing: &mixing };
        let (mut workspace, mut gradient) = (critic::Workspace::default(), vec![0.0; theta.len()]);
        let value = workspace.gradient(&critic, &theta, batch, &mut gradient).unwrap();
        assert!(value.penalty > 0.0 && value.slope_max > critic.bound, "{value:?}");
        let mut discarded = gradient.clone();
        assert_gradient(&theta, &gradient, TOLERANCE, |theta| {
            -workspace.gradient(&critic, theta, batch, &mut discarded).unwrap().total()
        });
    }
}

#[test]
fn the_flows_gradient_is_the_derivative_of_its_objective() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for flow in [Flow::Network(potential()), Flow::ExactTerminal(potential())] {
        let game = game(flow);
        let (theta, phi) =
            (uniform(&mut rng, game.flow.parameter_count()), game.critic.network.initial(&mut rng));
        let start = uniform(&mut rng, 8);
        let paths = Paths { start: &start, steps: 3, noise: &[] };
        let (mut workspace, mut gradient) = (flow::Workspace::default(), vec![0.0; theta.len()]);
        let networks = Networks { flow: &theta, critic: &phi };
        workspace.gradient(&game, networks, paths, &mut gradient).unwrap();
        let mut discarded = gradient.clone();
        assert_gradient(&theta, &gradient, TOLERANCE, |theta| {
            let networks = Networks { flow: theta, critic: &phi };
            workspace.gradient(&game, networks, paths, &mut discarded).unwrap().total
        });
    }
}

/// x ↦ y with ∇φ(y) + (λ/T)(y − x) = 0, whether sampled or refined in training.
#[test]
fn a_hopf_lax_flow_ends_where_the_critics_slope_says() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let game = game(Flow::HopfLax { proposal: potential(), refinements: 8 });
    let theta = uniform(&mut rng, game.flow.parameter_count());
    let phi: Vec<f64> = game.critic.network.initial(&mut rng);
    let start = Array2::from_shape_vec((5, 2), uniform(&mut rng, 10)).unwrap();
    let (lambda, horizon) = (game.objective.lambda, game.objective.horizon);
    let gap = |end: &Array2<f64>| {
        let (_, slope) = game.critic.network.at(&phi, end.view()).unwrap();
        let balance = &slope + &((end - &start) * (lambda / horizon));
        (balance.iter().fold(0.0, |worst: f64, b| worst.max(b.abs())), slope.iter().any(|s| s.abs() > 1e-2))
    };
    let mut sampled = start.clone();
    let mut field = game.field::<f64>(Networks { flow: &theta, critic: &phi }, &[]).unwrap();
    integrate(&mut field, Scheme::Euler, horizon, 4, sampled.view_mut(), |_, _, _| {}).unwrap();
    // The search ends at 1e-5 of slopes of order one.
    assert!(gap(&sampled).0 < 1e-4 && gap(&sampled).1, "{:?}", gap(&sampled));

    let single = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<_>>();
    let flat: Vec<f64> = start.iter().copied().collect();
    let mut refined = single(&flat);
    let stop = flows::hopf_lax::Stop { iterations: 100, tolerance: 1e-4 };
    Native::new(game.clone())
        .refine(&single(&phi), &single(&flat), &mut refined, &mut flows::hopf_lax::Curvature::default(), stop)
        .unwrap();
    let refined = Array2::from_shape_vec((5, 2), refined.iter().map(|&y| f64::from(y)).collect()).unwrap();
    assert!(gap(&refined).0 < 1e-3, "{:?}", gap(&refined));
}

#[test]
fn what_needs_layers_or_a_laplacian_is_refused() {
    let critic = critic(SlopePenalty::OneSided);
    for method in [Lipschitz::Spectral, Lipschitz::Orthonormal] {
        let refused = method.reparametrise(&critic.network, 1.0, &mut [0.0_f64; 9]);
        assert!(matches!(refused, Err(FlowError::Specification { .. })), "{refused:?}");
    }
    let game = game(Flow::ExactTerminal(potential()));
    let theta = vec![0.1; game.flow.parameter_count()];
    let mut field = game.field::<f64>(Networks { flow: &theta, critic: &[0.5; 9] }, &[]).unwrap();
    let points = Array2::zeros((1, 2));
    assert!(field.laplacian(points.view(), 0.5).is_err());
    assert!(field.derivatives(Array2::zeros((1, 3)).view(), 0.5).is_err());
}
