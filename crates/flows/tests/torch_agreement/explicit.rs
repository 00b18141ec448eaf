//! The dual of an explicit flow and the searches for its critic.

use crate::{ACTIVATIONS, SHAPES, assert_close, rounding};
use flows::activation::Activation;
use flows::affine::Affine;
use flows::critic::CriticObjective;
use flows::device::Device;
use flows::explicit::{Backend, Batch, DualGame, ExplicitFlow, Native};
use flows::flow::FlowObjective;
use flows::hopf_lax::{Curvature, Stop};
use flows::mlp::{Mlp, Output};
use flows::network::Network;
use flows::scalar_field::ScalarField;
use flows::torch::{Scalar, TorchDual};
use ndarray::{Array1, Array2};
use ot_core::divergence::Divergence;
use ot_core::gaussian::Gaussian;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROWS: usize = 6;

fn duals_agree<T: Scalar>() {
    for activation in ACTIVATIONS.into_iter().filter(|activation| *activation != Activation::Relu) {
        for (dim, hidden) in SHAPES {
            for divergence in
                [Divergence::DonskerVaradhan, Divergence::ReverseKullbackLeibler, Divergence::Wasserstein1]
            {
                for bounded in [false, true] {
                    let what = format!("{activation:?} {dim} {hidden:?} {divergence} {bounded}");
                    dual_agrees::<T>(&what, (dim, hidden, activation), divergence, bounded);
                }
            }
        }
    }
}

fn dual_agrees<T: Scalar>(
    what: &str,
    (dim, hidden, activation): (usize, &[usize], Activation),
    divergence: Divergence,
    bounded: bool,
) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut draw = |n: usize| -> Vec<T> { (0..n).map(|_| T::of(2.0 * rng.random::<f64>() - 1.0)).collect() };
    let law = |variance: f64| Gaussian::new(Array1::zeros(dim), Array2::eye(dim) * variance).unwrap();
    let affine =
        if bounded { Affine::identity(dim) } else { Affine::gaussian(&law(1.0), &law(2.0)).unwrap() };
    let objective = FlowObjective { lambda: 0.4, ..FlowObjective::default() };
    let bound = bounded.then_some(0.3);
    let network = Network::from(Mlp::new(dim, hidden, activation, Output::Identity).unwrap());
    // A quadratic part where the bound is not there to hold it.
    let network = if bounded { network } else { network.with_quadratic() };
    let flow = ExplicitFlow::new(affine, network, &objective, bound).unwrap();
    // Biases and the quadratic part start at zero; a test should not.
    let initial: Vec<f32> = flow.network().initial(&mut ChaCha8Rng::seed_from_u64(8));
    let noise = draw(initial.len());
    let theta: Vec<T> =
        initial.iter().zip(noise).map(|(&p, noise)| T::of(f64::from(p)) + T::of(0.05) * noise).collect();
    let (start, target) = (draw(ROWS * dim), draw(ROWS * dim));
    let objective = CriticObjective { divergence, weight: 0.7 };
    let game = DualGame { flow, objective, stop: Stop { iterations: 3, tolerance: 1e-3 } };
    let mut native = Native::new(game.clone());
    let mut torch = TorchDual::new(game, Device::Libtorch).unwrap();
    let mut ends = [target.clone(), target.clone()];
    native.search(&theta, &target, &mut ends[0], &mut Curvature::default()).unwrap();
    torch.search(&theta, &target, &mut ends[1], &mut Curvature::default()).unwrap();
    // Steps of a search multiply rounding by quotients of small differences.
    let tolerance = 100.0 * rounding::<T>(hidden, 1);
    assert_close(what, tolerance, &ends[0], &ends[1]);
    let batch = Batch { start: &start, target: &target, ends: &ends[0] };
    let mut gradients = [vec![T::zero(); theta.len()], vec![T::one(); theta.len()]];
    let [first, second] = &mut gradients;
    let values = [
        native.gradient(&theta, batch, first).unwrap().value,
        torch.gradient(&theta, batch, second).unwrap().value,
    ];
    let tolerance = rounding::<T>(hidden, 1);
    // The value is a difference of means of order one, whose rounding it has.
    assert_close(what, tolerance, &[1.0, values[0]], &[1.0, values[1]]);
    assert_close(what, tolerance, &gradients[0], &gradients[1]);
}

#[test]
fn duals_agree_in_double_precision() {
    duals_agree::<f64>();
}

#[test]
fn duals_agree_in_single_precision() {
    duals_agree::<f32>();
}
