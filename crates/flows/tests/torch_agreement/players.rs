//! Both players through their backend, and what a backend refuses.

use crate::{ACTIVATIONS, Numbers, SHAPES, STEPS, assert_close, game, rounding};
use flows::FlowError;
use flows::activation::Activation;
use flows::critic::CriticBatch;
use flows::device::Device;
use flows::flow::Paths;
use flows::game::{Backend, Native, Networks};
use flows::hopf_lax::{Curvature, Stop};
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, SlopePenalty};
use flows::torch::Torch;
use ot_core::divergence::Divergence;

/// Ten rounds of both players with plain gradient descent; the parameters at the end.
fn train(backend: &mut dyn Backend, numbers: &Numbers<f32>) -> [Vec<f32>; 2] {
    const RATE: f32 = 0.05;
    let (mut flow, mut critic) = (numbers.flow.clone(), numbers.critic.clone());
    let (mut d_flow, mut d_critic) = (vec![0.0; flow.len()], vec![0.0; critic.len()]);
    for _ in 0..10 {
        let paths = Paths { start: &numbers.generated, steps: STEPS, noise: &[] };
        let networks = Networks { flow: &flow, critic: &critic };
        let generated = backend.push_forward(networks, paths).unwrap();
        let batch = CriticBatch { generated: &generated, ..numbers.batch() };
        backend.critic_gradient(&critic, batch, &mut d_critic).unwrap();
        critic.iter_mut().zip(&d_critic).for_each(|(p, d)| *p -= RATE * d);
        let networks = Networks { flow: &flow, critic: &critic };
        backend.flow_gradient(networks, paths, &mut d_flow).unwrap();
        flow.iter_mut().zip(&d_flow).for_each(|(p, d)| *p -= RATE * d);
    }
    [flow, critic]
}

/// A few steps of the same descent; both begin with the same probes, so what differs is rounding.
#[test]
fn refined_ends_agree() {
    let stop = Stop { iterations: 3, tolerance: 0.0 };
    for activation in ACTIVATIONS {
        let game = game(3, &[7, 5], activation, Divergence::DonskerVaradhan);
        let numbers = Numbers::<f32>::draw(&game, 5);
        let refined = |backend: &mut dyn Backend| {
            let mut ends = numbers.target.clone();
            backend
                .refine(&numbers.critic, &numbers.generated, &mut ends, &mut Curvature::default(), stop)
                .unwrap();
            ends
        };
        let native = refined(&mut Native::new(game.clone()));
        let torch = refined(&mut Torch::new(game, Device::Libtorch).unwrap());
        assert!(native.iter().zip(&numbers.target).any(|(a, b)| (a - b).abs() > 1e-3), "nothing has moved");
        // Quasi-Newton steps divide differences of gradients, which amplifies their rounding.
        assert_close(&format!("ends {activation:?}"), 1e-3, &native, &torch);
    }
}

#[test]
fn ten_rounds_of_training_agree() {
    for activation in ACTIVATIONS {
        for (dim, hidden) in SHAPES {
            let game = game(dim, hidden, activation, Divergence::DonskerVaradhan);
            let numbers = Numbers::draw(&game, 3);
            let native = train(&mut Native::new(game.clone()), &numbers);
            let torch = train(&mut Torch::new(game, Device::Libtorch).unwrap(), &numbers);
            for ((name, start), (native, torch)) in [("flow", &numbers.flow), ("critic", &numbers.critic)]
                .into_iter()
                .zip(native.iter().zip(&torch))
            {
                let moved = |end: &[f32]| -> Vec<f32> {
                    end.iter().zip(start).map(|(end, start)| end - start).collect()
                };
                let what = format!("{name} {activation:?} {dim} {hidden:?}");
                // Every round adds its own rounding.
                let tolerance = 10.0 * rounding::<f32>(hidden, STEPS);
                assert_close(&what, tolerance, &moved(native), &moved(torch));
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let game = game(2, &[3], Activation::Tanh, Divergence::ReverseKullbackLeibler);
    let numbers = Numbers::<f32>::draw(&game, 4);
    let mut gradient = vec![0.0; numbers.critic.len()];
    let mut torch = Torch::new(game.clone(), Device::Libtorch).unwrap();
    let is_shape =
        |result: Result<(), FlowError>| assert!(matches!(result, Err(FlowError::Shape { .. })), "{result:?}");

    let networks = Networks { flow: &numbers.flow, critic: &numbers.critic };
    let paths = Paths { start: &numbers.generated, steps: 1, noise: &[] };
    let swapped = Networks { flow: &numbers.critic, ..networks };
    is_shape(torch.push_forward(swapped, paths).map(drop));
    is_shape(torch.push_forward(networks, Paths { start: &[0.0; 3], ..paths }).map(drop));
    is_shape(torch.push_forward(networks, Paths { noise: &[0.0; 2], ..paths }).map(drop));
    is_shape(torch.critic_gradient(&numbers.critic, numbers.batch(), &mut [0.0]).map(drop));
    for batch in [
        CriticBatch { generated: &[0.0; 2], ..numbers.batch() },
        CriticBatch { mixing: &[0.5], ..numbers.batch() },
        CriticBatch { generated: &[0.0; 3], target: &[0.0; 3], mixing: &[0.5] },
    ] {
        is_shape(torch.critic_gradient(&numbers.critic, batch, &mut gradient).map(drop));
    }
    let zero_steps = torch.push_forward(networks, Paths { steps: 0, ..paths });
    assert!(matches!(zero_steps, Err(FlowError::Specification { .. })), "{zero_steps:?}");

    let broken = vec![f32::NAN; numbers.critic.len()];
    let not_finite = torch.critic_gradient(&broken, numbers.batch(), &mut gradient);
    assert!(matches!(not_finite, Err(FlowError::Divergence(_))), "{not_finite:?}");
}

#[test]
fn a_flat_critic_has_a_finite_gradient() {
    // ‖∇φ‖ = 0 everywhere: the norm has no gradient there, and the penalty takes its smallest subgradient, 0.
    let mut game = game(2, &[3], Activation::Tanh, Divergence::Wasserstein1);
    let two_sided =
        Penalty { form: SlopePenalty::TwoSided, weight: 1.0, points: PenaltyPoints::Interpolates };
    game.critic.lipschitz = Lipschitz::Penalty(two_sided);
    let numbers = Numbers::<f32>::draw(&game, 5);
    let mut gradient = vec![f32::NAN; numbers.critic.len()];
    let flat = vec![0.0; numbers.critic.len()];
    let value = Torch::new(game.clone(), Device::Libtorch)
        .unwrap()
        .critic_gradient(&flat, numbers.batch(), &mut gradient)
        .unwrap();
    assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
    assert_eq!(value.slope_max, 0.0);
    assert!((value.penalty - game.critic.bound.powi(2)).abs() < 1e-12);
}

#[test]
fn a_device_that_is_not_there_is_an_error_with_a_remedy() {
    let game = game(2, &[3], Activation::Tanh, Divergence::Wasserstein1);
    let missing = Device::Cuda(usize::try_from(tch::Cuda::device_count()).unwrap());
    let error = Torch::new(game.clone(), missing).unwrap_err();
    assert!(matches!(&error, FlowError::Device { device, .. } if *device == missing.to_string()), "{error}");
    assert!(error.to_string().contains("; take `c"), "{error}");
    let native = Torch::new(game, Device::Cpu).unwrap_err();
    assert!(native.to_string().contains("take `libtorch`"), "{native}");
}

#[test]
fn libtorch_runs_one_thread() {
    let game = game(2, &[3], Activation::Tanh, Divergence::Wasserstein1);
    let _torch = Torch::new(game, Device::Libtorch).unwrap();
    assert_eq!((tch::get_num_threads(), tch::get_num_interop_threads()), (1, 1));
}
