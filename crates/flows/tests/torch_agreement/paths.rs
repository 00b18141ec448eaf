//! The flow's paths, its objective and its gradient.

use crate::{ACTIVATIONS, BATCH, Numbers, SHAPES, STEPS, assert_close, game, potential, rounding};
use flows::activation::Activation;
use flows::device::Device;
use flows::flow::{Flow, FlowValue, HamiltonJacobiSign, Interaction, Paths, Workspace};
use flows::game::{Game, Networks};
use flows::torch::{Scalar, flow, runtime};
use flows::velocity::Velocity;
use ot_core::divergence::Divergence;

fn flow_numbers(value: &FlowValue) -> Vec<f64> {
    [value.total].into_iter().chain(value.terms()).collect()
}

fn flows_agree<T: Scalar>() {
    for activation in ACTIVATIONS {
        for (dim, hidden) in SHAPES {
            for divergence in [Divergence::DonskerVaradhan, Divergence::JensenShannon] {
                for terminal_gradient in [0.0, 0.2] {
                    let mut game = game(dim, hidden, activation, divergence);
                    game.objective.terminal_gradient = terminal_gradient;
                    game.objective.characteristic = terminal_gradient;
                    game.objective.kinetic = terminal_gradient == 0.0;
                    if terminal_gradient == 0.0 {
                        game.objective.hamilton_jacobi_sign = HamiltonJacobiSign::AsPublished;
                    }
                    let what = format!("{activation:?} {dim} {hidden:?} {divergence} {terminal_gradient}");
                    flow_agrees::<T>(&game, hidden, &what);
                }
            }
        }
    }
}

/// Every representation, alone and with what bends its paths.
fn representations_agree<T: Scalar>() {
    let forces = [
        (0.0, None),
        (0.7, None),
        (0.0, Some(Interaction::Quadratic { weight: 0.8 })),
        (0.7, Some(Interaction::Gaussian { weight: -0.6, width: 0.9 })),
    ];
    let hidden = [7, 5];
    for activation in [Activation::Tanh, Activation::Softplus] {
        let potential = || potential(3, &hidden, activation);
        for flow in [
            Flow::Network(potential()),
            Flow::ExactTerminal(potential()),
            Flow::Velocity(Velocity::new(3, &hidden, activation).unwrap()),
            Flow::HopfLax { proposal: potential(), refinements: 2 },
        ] {
            for (noise, interaction) in forces {
                let mut game = game(3, &hidden, activation, Divergence::DonskerVaradhan);
                game.flow = flow.clone();
                game.objective.noise = noise;
                game.objective.interaction = interaction;
                flow_agrees::<T>(&game, &hidden, &format!("{flow:?} {noise} {interaction:?}"));
            }
        }
    }
}

/// Ends, values and gradients of both backends.
fn flow_agrees<T: Scalar>(game: &Game, hidden: &[usize], what: &str) {
    let numbers = Numbers::<T>::draw(game, 2);
    let tolerance = rounding::<T>(hidden, STEPS);
    let device = runtime::open(Device::Libtorch).unwrap();
    let mut workspace = Workspace::default();

    let networks = Networks { flow: &numbers.flow, critic: &numbers.critic };
    let noise: Vec<T> = if game.objective.noise > 0.0 {
        numbers.target.iter().copied().cycle().take(STEPS * BATCH * game.flow.dim()).collect()
    } else {
        Vec::new()
    };
    let paths = Paths { start: &numbers.generated, steps: STEPS, noise: &noise };
    let native = workspace.push_forward(game, networks, paths).unwrap();
    let torch = flow::push_forward(game, device, networks, paths).unwrap();
    assert_close(what, tolerance, &native, &torch);

    let mut native = vec![T::zero(); numbers.flow.len()];
    let mut torch = vec![T::one(); numbers.flow.len()];
    let native_value = workspace.gradient(game, networks, paths, &mut native).unwrap();
    let torch_value = flow::gradient(game, device, networks, paths, &mut torch).unwrap();
    assert_close(what, tolerance, &flow_numbers(&native_value), &flow_numbers(&torch_value));
    assert_close(what, tolerance, &native, &torch);
}

#[test]
fn flows_agree_in_double_precision() {
    flows_agree::<f64>();
}

#[test]
fn flows_agree_in_single_precision() {
    flows_agree::<f32>();
}

#[test]
fn all_representations_agree_in_double_precision() {
    representations_agree::<f64>();
}

#[test]
fn all_representations_agree_in_single_precision() {
    representations_agree::<f32>();
}
