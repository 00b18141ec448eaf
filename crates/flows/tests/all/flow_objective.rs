//! The terms of the flow's objective, each computed again as its formula is written, along paths that follow the field.

use crate::common::uniform;
use flows::FlowError;
use flows::activation::Activation;
use flows::critic::{Critic, CriticObjective};
use flows::flow::{
    self, Flow, FlowField, FlowObjective, FlowValue, HamiltonJacobiSign, Interaction, Paths, TERMS,
};
use flows::game::{Backend, Game, Native, Networks};
use flows::hopf_lax::{Curvature, Stop};
use flows::lipschitz::Lipschitz;
use flows::mlp::{Initialisation, Mlp, Output};
use flows::potential::Potential;
use flows::scalar_field::ScalarField;
use flows::velocity::Velocity;
use ndarray::{Array2, ArrayView2};
use ot_core::divergence::Divergence;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Nothing is 1, which would hide a forgotten factor.
const LAMBDA: f64 = 0.6;
const HORIZON: f64 = 1.3;
const BATCH: usize = 3;
const INTERACTION: Interaction = Interaction::Gaussian { weight: 0.6, width: 0.9 };

fn objective() -> FlowObjective {
    FlowObjective {
        lambda: LAMBDA,
        horizon: HORIZON,
        velocity_spread: 0.4,
        hamilton_jacobi: 0.3,
        terminal_gradient: 0.2,
        characteristic: 0.5,
        noise: 0.7,
        interaction: Some(INTERACTION),
        ..FlowObjective::default()
    }
}

fn game(flow: Flow, objective: FlowObjective) -> Game {
    let critic = Critic {
        network: Mlp::new(2, &[5, 4], Activation::Softplus, Output::Identity).unwrap().into(),
        objective: CriticObjective { divergence: Divergence::KullbackLeibler, weight: 1.0 },
        bound: 1.0,
        lipschitz: Lipschitz::None,
    };
    Game { critic, flow, objective }
}

fn potential() -> Potential {
    Potential::new(2, &[6, 5], Activation::Tanh).unwrap()
}

fn flows() -> [Flow; 3] {
    let velocity = Velocity::new(2, &[5, 4], Activation::Tanh).unwrap();
    [Flow::Network(potential()), Flow::ExactTerminal(potential()), Flow::Velocity(velocity)]
}

fn square(x: [f64; 2]) -> f64 {
    x[0] * x[0] + x[1] * x[1]
}

/// ∇U and ∂ₜU at one point and time.
fn jet(field: &mut FlowField<'_, f64>, x: [f64; 2], t: f64) -> ([f64; 2], f64) {
    let found = field.derivatives(ArrayView2::from_shape((1, 2), &x).unwrap(), t).unwrap();
    ([found.gradient[[0, 0]], found.gradient[[0, 1]]], found.time[0])
}

/// The table of [`FlowObjective`], row by row.
fn terms(game: &Game, networks: Networks<'_, f64>, paths: Paths<'_, f64>) -> [f64; TERMS] {
    let mut field = game.field::<f64>(networks, &[]).unwrap();
    let (steps, share) = (paths.steps, 1.0 / BATCH as f64);
    let h = HORIZON / steps as f64;
    let mut terms = [0.0; TERMS];
    let mut laws = vec![Vec::new(); steps + 1];
    for k in 0..BATCH {
        let mut path = vec![[paths.start[2 * k], paths.start[2 * k + 1]]];
        let (mut velocities, mut residuals) = (Vec::new(), Vec::new());
        for i in 0..steps {
            let (gradient, time) = jet(&mut field, path[i], i as f64 * h);
            let v = gradient.map(|g| -g / LAMBDA);
            let next = |j: usize| {
                let xi = paths.noise.get(2 * (i * BATCH + k) + j).copied().unwrap_or_default();
                path[i][j] + h * v[j] + game.objective.noise * h.sqrt() * xi
            };
            let next = [next(0), next(1)];
            path.push(next);
            velocities.push(v);
            residuals.push(match game.objective.hamilton_jacobi_sign {
                HamiltonJacobiSign::Right => time / LAMBDA - 0.5 * square(v),
                HamiltonJacobiSign::AsPublished => time / LAMBDA + 0.5 * square(v),
            });
        }
        let end = path[steps];
        let (phi, slope) =
            game.critic.network.at(networks.critic, ArrayView2::from_shape((1, 2), &end).unwrap()).unwrap();
        let mean = [0, 1].map(|j| velocities.iter().map(|v| v[j]).sum::<f64>() / steps as f64);
        let (at_end, _) = jet(&mut field, end, HORIZON);
        terms[0] += share * phi[0];
        terms[4] += share * square([0, 1].map(|j| (at_end[j] - slope[[0, j]]) / LAMBDA));
        for i in 0..steps {
            let (v, left) = (velocities[i], HORIZON - i as f64 * h);
            let lever = left / (LAMBDA * HORIZON);
            terms[1] += h * share * 0.5 * square(v);
            terms[2] += h * share * square([0, 1].map(|j| v[j] - mean[j]));
            if game.flow.potential().is_some() {
                terms[3] += h / HORIZON * share * residuals[i].powi(2);
            }
            let gap = [0, 1].map(|j| (path[i][j] - end[j]) / HORIZON - lever * slope[[0, j]]);
            terms[5] += h / HORIZON * share * square(gap);
        }
        laws.iter_mut().zip(&path).for_each(|(law, x)| law.extend(x));
    }
    if let Some(interaction) = game.objective.interaction {
        let cost = |law: &[f64]| interaction.cost(law, 2, &mut [0.0; 2 * BATCH]).unwrap();
        terms[6] = laws.windows(2).map(|pair| 0.5 * h * (cost(&pair[0]) + cost(&pair[1]))).sum();
    }
    terms
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
        // Tens of roundings of numbers of order one, in another order.
        assert!((found - expected).abs() < 1e-12, "{what}, term {k}: {found} against {expected}");
    }
}

#[test]
fn every_term_is_its_formula() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let phi: Vec<f64> =
        uniform(&mut rng, game(flows()[0].clone(), objective()).critic.network.parameter_count());
    let mut workspace = flow::Workspace::default();
    for flow in flows() {
        let theta = uniform(&mut rng, flow.parameter_count());
        for noise in [0.0, 0.7] {
            for interaction in [None, Some(INTERACTION)] {
                let game = game(flow.clone(), FlowObjective { noise, interaction, ..objective() });
                // From many steps to few: the workspace holds jets that are not of this path.
                for steps in [4, 1, 3] {
                    let start = uniform(&mut rng, 2 * BATCH);
                    let noise = uniform(&mut rng, if noise > 0.0 { 2 * BATCH * steps } else { 0 });
                    let paths = Paths { start: &start, steps, noise: &noise };
                    let networks = Networks { flow: &theta, critic: &phi };
                    let expected = terms(&game, networks, paths);
                    let mut gradient = vec![0.0; theta.len()];
                    let value = workspace.gradient(&game, networks, paths, &mut gradient).unwrap();
                    assert_close(&value.terms(), &expected, &format!("{:?}, {steps} steps", game.flow));
                    let weights = [1.0, LAMBDA, 0.4, 0.3, 0.2, 0.5, 1.0];
                    let total: f64 = expected.iter().zip(weights).map(|(term, weight)| weight * term).sum();
                    assert_close(&[value.total], &[total], "total");
                }
            }
        }
    }
}

/// Penalties of weight 0 that cost another evaluation are not evaluated, and the kinetic energy is always recorded.
#[test]
fn terms_without_weight_do_not_count() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for flow in flows() {
        let theta = uniform(&mut rng, flow.parameter_count());
        let bare =
            FlowObjective { lambda: LAMBDA, horizon: HORIZON, kinetic: false, ..FlowObjective::default() };
        let game = game(flow, bare);
        let phi = uniform(&mut rng, game.critic.network.parameter_count());
        let start = uniform(&mut rng, 2 * BATCH);
        let paths = Paths { start: &start, steps: 3, noise: &[] };
        let networks = Networks { flow: &theta, critic: &phi };
        let expected = terms(&game, networks, paths);
        let mut gradient = vec![0.0; theta.len()];
        let mut workspace = flow::Workspace::default();
        let value = workspace.gradient(&game, networks, paths, &mut gradient).unwrap();
        let [terminal, kinetic, spread, residual, ..] = expected;
        assert_close(&value.terms(), &[terminal, kinetic, spread, residual, 0.0, 0.0, 0.0], "terms");
        assert_eq!(value.total, value.terminal);
        crate::common::assert_gradient(&theta, &gradient, 1e-8, |theta| {
            let networks = Networks { flow: theta, critic: &phi };
            terms(&game, networks, paths)[0]
        });
    }
}

/// One penalty at a time: the slope of the critic at the end is differentiated for either of them.
#[test]
fn each_penalty_alone_has_its_gradient() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let bare = FlowObjective { lambda: LAMBDA, horizon: HORIZON, ..FlowObjective::default() };
    for flow in flows() {
        let theta = uniform(&mut rng, flow.parameter_count());
        for (index, objective) in [
            (2, FlowObjective { velocity_spread: 0.7, ..bare }),
            (3, FlowObjective { hamilton_jacobi: 0.7, ..bare }),
            (
                3,
                FlowObjective {
                    hamilton_jacobi_sign: HamiltonJacobiSign::AsPublished,
                    hamilton_jacobi: 0.7,
                    ..bare
                },
            ),
            (4, FlowObjective { terminal_gradient: 0.7, ..bare }),
            (5, FlowObjective { characteristic: 0.7, ..bare }),
        ] {
            let game = game(flow.clone(), objective);
            let phi = uniform(&mut rng, game.critic.network.parameter_count());
            let start = uniform(&mut rng, 2 * BATCH);
            let paths = Paths { start: &start, steps: 3, noise: &[] };
            let networks = Networks { flow: &theta, critic: &phi };
            let mut gradient = vec![0.0; theta.len()];
            let mut workspace = flow::Workspace::default();
            workspace.gradient(&game, networks, paths, &mut gradient).unwrap();
            // Weights in [−1, 1] make third derivatives of some hundreds.
            crate::common::assert_gradient(&theta, &gradient, 1e-7, |theta| {
                let terms = terms(&game, Networks { flow: theta, critic: &phi }, paths);
                terms[0] + LAMBDA * terms[1] + 0.7 * terms[index]
            });
        }
    }
}

#[test]
fn values_keep_the_order_of_their_terms() {
    let terms = [2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0];
    let value = FlowValue::of_terms(terms, &objective());
    assert_eq!(value.terms(), terms);
    assert_eq!((value.terminal, value.kinetic_energy, value.velocity_spread), (2.0, 3.0, 5.0));
    assert_eq!((value.hamilton_jacobi, value.terminal_gradient, value.characteristic), (7.0, 11.0, 13.0));
    assert_eq!((value.interaction, objective().pull()), (17.0, LAMBDA / HORIZON));
    assert_eq!(objective().weights(), [1.0, LAMBDA, 0.4, 0.3, 0.2, 0.5, 1.0]);
    let total = 2.0 + LAMBDA * 3.0 + 0.4 * 5.0 + 0.3 * 7.0 + 0.2 * 11.0 + 0.5 * 13.0 + 17.0;
    assert_close(&[value.total], &[total], "total");
    let named = value.named().map(|(metric, number)| (metric.name, number));
    let names = [metrics::FLOW_OBJECTIVE, metrics::TERMINAL_COST, metrics::BATCH_KINETIC_ENERGY];
    assert_eq!(named, [(names[0].name, value.total), (names[1].name, 2.0), (names[2].name, 3.0)]);
}

/// The noise of a step moves its points by σ√h·ξ.
#[test]
fn noise_moves_points_by_its_strength_and_the_root_of_the_step() {
    let game = game(Flow::Network(potential()), objective());
    let theta = vec![0.0; game.flow.parameter_count()];
    let phi = vec![0.0; game.critic.network.parameter_count()];
    let (start, noise) = ([0.5, -1.0], [1.0, 2.0, 0.25, -0.5]);
    let paths = Paths { start: &start, steps: 2, noise: &noise };
    let networks = Networks { flow: &theta, critic: &phi };
    let end = flow::Workspace::default().push_forward(&game, networks, paths).unwrap();
    let spread = 0.7 * (HORIZON / 2.0).sqrt();
    assert_close(&end, &[0.5 + spread * 1.25, -1.0 + spread * 1.5], "x_T");
    let none = Paths { steps: 0, noise: &[], ..paths };
    assert!(flow::Workspace::default().push_forward(&game, networks, none).is_err());
}

#[test]
fn buffers_that_do_not_fit_are_errors() {
    for flow in flows() {
        let game = game(flow, FlowObjective { noise: 0.0, ..objective() });
        let count = game.flow.parameter_count();
        let (theta, phi) = (vec![0.1; count], vec![0.1; game.critic.network.parameter_count()]);
        let networks = Networks { flow: &theta, critic: &phi };
        let paths = Paths { start: &[0.1, 0.2], steps: 2, noise: &[] };
        let run = |game: &Game, networks, paths, length: usize| {
            flow::Workspace::default().gradient(game, networks, paths, &mut vec![0.0; length]).map(|_| ())
        };
        run(&game, networks, paths, count).unwrap();
        assert!(run(&game, networks, paths, count + 1).is_err());
        assert!(run(&game, networks, Paths { start: &[0.1], ..paths }, count).is_err());
        assert!(run(&game, networks, Paths { steps: 0, ..paths }, count).is_err());
        assert!(run(&game, networks, Paths { noise: &[0.0; 4], ..paths }, count).is_err());
        assert!(run(&game, Networks { flow: &theta[1..], ..networks }, paths, count).is_err());
        assert!(run(&game, Networks { critic: &phi[1..], ..networks }, paths, count).is_err());
        let narrow = Mlp::new(1, &[3], Activation::Softplus, Output::Identity).unwrap();
        let network = vec![0.1; narrow.parameter_count()];
        let other = Game { critic: Critic { network: narrow.into(), ..game.critic.clone() }, ..game.clone() };
        let networks = Networks { critic: &network, ..networks };
        assert!(matches!(
            run(&other, networks, paths, count),
            Err(FlowError::Shape { what: "the critic's input", .. })
        ));
        let mut field = game.field(Networks { critic: &phi, ..networks }, &[]).unwrap();
        assert!(field.derivatives(Array2::zeros((2, 3)).view(), 0.1).is_err());
    }
}

/// A Hopf–Lax flow has no Laplacian, a velocity has none either; the errors say what to take instead.
#[test]
fn a_laplacian_that_does_not_exist_is_an_error() {
    let hopf_lax = Flow::HopfLax { proposal: potential(), refinements: 4 };
    for flow in [flows()[2].clone(), hopf_lax] {
        let game = game(flow, FlowObjective::default());
        let (theta, phi) =
            (vec![0.1; game.flow.parameter_count()], vec![0.1; game.critic.network.parameter_count()]);
        let mut field = game.field(Networks { flow: &theta, critic: &phi }, &[]).unwrap();
        let error = field.laplacian(Array2::zeros((2, 2)).view(), 0.1).unwrap_err();
        assert!(error.to_string().contains("take another representation of the flow"), "{error}");
    }
}

/// The backend does for single precision what the workspaces do, and its search lowers the cost of each end.
#[test]
fn the_native_backend_pushes_forward_and_refines() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (lambda, horizon) = (0.3, 1.5);
    let objective = FlowObjective { lambda, horizon, ..FlowObjective::default() };
    let game = game(Flow::HopfLax { proposal: potential(), refinements: 50 }, objective);
    let theta: Vec<f32> = Initialisation::GlorotUniform.draw(potential().net().head(), &mut rng);
    let phi: Vec<f32> = Initialisation::GlorotUniform.draw(game.critic.network.head(), &mut rng);
    let networks = Networks { flow: &theta, critic: &phi };
    let start: Vec<f32> = uniform(&mut rng, 8).iter().map(|&x| x as f32).collect();
    let paths = Paths { start: &start, steps: 1, noise: &[] };
    let mut native = Native::new(game.clone());
    let proposed = native.push_forward(networks, paths).unwrap();
    assert_eq!(proposed, flow::Workspace::default().push_forward(&game, networks, paths).unwrap());
    let mut ends = proposed.clone();
    let mut curvature = Curvature::default();
    native.refine(&phi, &start, &mut ends, &mut curvature, Stop { iterations: 50, tolerance: 1e-4 }).unwrap();
    let ends = Array2::from_shape_vec((4, 2), ends).unwrap();
    let (_, slope) = game.critic.network.at(&phi, ends.view()).unwrap();
    for ((y, x), slope) in ends.iter().zip(&start).zip(&slope) {
        // ∇φ(y) + (λ/T)(y − x) = 0, within the tolerance of slopes below one and single precision.
        let left = slope + (lambda / horizon) as f32 * (y - x);
        assert!(left.abs() < 1e-3, "{left}");
    }
    let stop = Stop { iterations: 1, tolerance: 0.1 };
    assert!(native.refine(&phi, &start, &mut [0.0; 3], &mut curvature, stop).is_err());
}
