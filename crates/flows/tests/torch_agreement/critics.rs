//! The critic's objective and its gradient.

use crate::{ACTIVATIONS, DIVERGENCE_WEIGHT, Numbers, SHAPES, assert_close, game, penalty, rounding};
use flows::activation::Activation;
use flows::critic::{CriticValue, Workspace};
use flows::device::Device;
use flows::game::Game;
use flows::lipschitz::{Lipschitz, PenaltyPoints, SlopePenalty};
use flows::mlp::Output;
use flows::torch::{Scalar, critic, runtime};
use ot_core::divergence::Divergence;

const DIVERGENCES: [Divergence; 7] = [
    Divergence::KullbackLeibler,
    Divergence::DonskerVaradhan,
    Divergence::ReverseKullbackLeibler,
    Divergence::Alpha(2.0),
    Divergence::Alpha(0.5),
    Divergence::JensenShannon,
    Divergence::Wasserstein1,
];
const PENALTIES: [SlopePenalty; 3] =
    [SlopePenalty::OneSidedSquared, SlopePenalty::OneSided, SlopePenalty::TwoSided];

fn critic_numbers(value: &CriticValue) -> Vec<f64> {
    vec![value.divergence, value.penalty, value.slope_mean, value.slope_max]
}

fn critics_agree<T: Scalar>() {
    for activation in ACTIVATIONS {
        for (dim, hidden) in SHAPES {
            for divergence in DIVERGENCES {
                for form in PENALTIES {
                    for points in [PenaltyPoints::Interpolates, PenaltyPoints::Everywhere] {
                        let mut game = game(dim, hidden, activation, divergence);
                        game.critic.lipschitz = penalty(form, points);
                        let what = format!("{activation:?} {dim} {hidden:?} {divergence} {form} {points:?}");
                        critic_agrees::<T>(&what, game, hidden);
                    }
                }
            }
        }
    }
}

fn critic_agrees<T: Scalar>(what: &str, mut game: Game, hidden: &[usize]) {
    let numbers = Numbers::<T>::draw(&game, 1);
    let mut native = vec![T::zero(); numbers.critic.len()];
    let mut torch = vec![T::one(); numbers.critic.len()];
    let mut native_gradient = |game: &Game| -> CriticValue {
        let mut workspace = Workspace::default();
        workspace.gradient(&game.critic, &numbers.critic, numbers.batch(), &mut native).unwrap()
    };
    // Half of the usual slope, so that the one-sided penalties are active, and away from their kinks.
    game.critic.bound = 0.5 * native_gradient(&game).slope_mean;
    let native_value = native_gradient(&game);
    assert!(native_value.penalty > 0.0, "{what}: the penalty is not active");

    let (phi, batch) = (&numbers.critic, numbers.batch());
    let device = runtime::open(Device::Libtorch).unwrap();
    let torch_value = critic::gradient(&game.critic, device, phi, batch, &mut torch).unwrap();
    let tolerance = rounding::<T>(hidden, 1);
    assert_close(what, tolerance, &critic_numbers(&native_value), &critic_numbers(&torch_value));
    assert_close(what, tolerance, &native, &torch);
}

/// What a step of training does with a critic whose slope its parameters hold: the effective parameters to the
/// backend, their gradient back through the reparametrisation.
fn reparametrised_critics_agree<T: Scalar>() {
    let device = runtime::open(Device::Libtorch).unwrap();
    let hidden = [8, 6];
    for divergence in DIVERGENCES {
        for lipschitz in [Lipschitz::None, Lipschitz::Spectral, Lipschitz::Orthonormal] {
            let what = format!("{lipschitz:?} {divergence}");
            let mut game = game(3, &hidden, Activation::Relu, divergence);
            (game.critic.lipschitz, game.critic.bound) = (lipschitz, 1.3);
            let critic = &game.critic;
            assert_eq!(critic.network.head().output(), Output::for_divergence(divergence, DIVERGENCE_WEIGHT));
            let numbers = Numbers::<T>::draw(&game, 6);
            let mut trained = numbers.critic.clone();
            let map = lipschitz.reparametrise(&critic.network, critic.bound, &mut trained).unwrap();
            let effective = map.effective(&trained).unwrap();
            let (mut native, mut torch) = (vec![T::zero(); trained.len()], vec![T::one(); trained.len()]);
            let batch = numbers.batch();
            let native_value = Workspace::default().gradient(critic, &effective, batch, &mut native).unwrap();
            let torch_value = critic::gradient(critic, device, &effective, batch, &mut torch).unwrap();
            map.pull_back(&trained, &mut native).unwrap();
            map.pull_back(&trained, &mut torch).unwrap();
            // Twice: the reparametrisation rounds once more, and its projection cancels a part of the gradient.
            let tolerance = 2.0 * rounding::<T>(&hidden, 1);
            assert_close(&what, tolerance, &critic_numbers(&native_value), &critic_numbers(&torch_value));
            assert_eq!((torch_value.penalty, torch_value.slope_max), (0.0, 0.0), "{what}");
            assert_close(&what, tolerance, &native, &torch);
        }
    }
}

#[test]
fn critics_agree_in_double_precision() {
    critics_agree::<f64>();
}

#[test]
fn critics_agree_in_single_precision() {
    critics_agree::<f32>();
}

#[test]
fn critics_held_by_their_parameters_agree_in_double_precision() {
    reparametrised_critics_agree::<f64>();
}

#[test]
fn critics_held_by_their_parameters_agree_in_single_precision() {
    reparametrised_critics_agree::<f32>();
}
