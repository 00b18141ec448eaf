//! Two Kantorovich potentials: values and gradients of both backends.

use crate::generators::uniform;
use crate::{assert_close, rounding};
use flows::FlowError;
use flows::activation::Activation;
use flows::device::Device;
use flows::kantorovich::{
    GapPenalty, KantorovichObjective, KantorovichValue, PairBatch, Pairing, Potentials, Psi, Workspace,
};
use flows::mlp::{Initialisation, Mlp, Output};
use flows::torch::{Scalar, kantorovich, runtime};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const BATCH: usize = 7;
const PENALTIES: [GapPenalty; 3] = [
    GapPenalty::Linear { weight: 3.0 },
    GapPenalty::Quadratic { weight: 2.0 },
    GapPenalty::Entropic { temperature: 0.5 },
];

fn potentials(dim: usize, hidden: &[usize], activation: Activation, psi: Psi) -> Potentials {
    let net = || Mlp::new(dim, hidden, activation, Output::Identity).unwrap();
    Potentials { phi: net(), eta: net(), psi }
}

fn numbers(value: &KantorovichValue) -> Vec<f64> {
    vec![value.dual, value.penalty, value.interpolated, value.equality, value.total()]
}

fn potentials_agree<T: Scalar>() {
    for (dim, hidden) in [(1, &[3][..]), (3, &[6, 5]), (8, &[64; 3])] {
        for activation in [Activation::Tanh, Activation::SharpSoftplus, Activation::Relu] {
            for psi in [Psi::Separate, Psi::MinusPhi] {
                let potentials = potentials(dim, hidden, activation, psi);
                for penalty in PENALTIES {
                    for pairing in [Pairing::Paired, Pairing::All] {
                        for (interpolated, equality) in [(false, 0.0), (true, 0.0), (false, 0.7), (true, 0.7)]
                        {
                            let objective = KantorovichObjective { penalty, pairing, interpolated, equality };
                            let what = format!("{dim} {hidden:?} {activation:?} {psi:?} {objective:?}");
                            objective_agrees::<T>(&potentials, hidden, objective, &what);
                        }
                    }
                }
            }
        }
    }
}

fn objective_agrees<T: Scalar>(
    potentials: &Potentials,
    hidden: &[usize],
    objective: KantorovichObjective,
    what: &str,
) {
    let mut rng = ChaCha8Rng::seed_from_u64(31);
    let mut network = |net: &Mlp, level: f32| -> Vec<T> {
        let mut drawn: Vec<f32> = Initialisation::GlorotUniform.draw(net, &mut rng);
        let noise = uniform::<f32>(&mut rng, drawn.len());
        drawn.iter_mut().zip(noise).for_each(|(p, noise)| *p += 0.1 * noise);
        // A level that lifts the gaps of near points above 0, where the penalties are active.
        *drawn.last_mut().unwrap() += level;
        drawn.iter().map(|&p| T::of(f64::from(p))).collect()
    };
    let (phi, eta) = (network(&potentials.phi, 0.0), network(&potentials.eta, 2.0));
    let generated = uniform::<T>(&mut rng, BATCH * potentials.phi.input());
    let target = uniform::<T>(&mut rng, BATCH * potentials.phi.input());
    let mixing: Vec<T> =
        uniform::<T>(&mut rng, 2 * BATCH).into_iter().map(|u| T::of(0.5) * (u + T::one())).collect();
    let batch = PairBatch { generated: &generated, target: &target, mixing: &mixing };

    let gradients = |fill: T| (vec![fill; phi.len()], vec![fill; eta.len()]);
    let (mut native, mut torch) = (gradients(T::zero()), gradients(T::one()));
    let into = (native.0.as_mut_slice(), native.1.as_mut_slice());
    let native_value =
        Workspace::default().gradient(potentials, objective, (&phi, &eta), batch, into).unwrap();
    assert!(native_value.penalty > 0.0, "{what}: the penalty is not active");
    let device = runtime::open(Device::Libtorch).unwrap();
    let into = (torch.0.as_mut_slice(), torch.1.as_mut_slice());
    let torch_value =
        kantorovich::gradient(potentials, objective, device, (&phi, &eta), batch, into).unwrap();
    // The moved points of the equality terms go through each network twice, and exp(g/ε) multiplies the rounding of a
    // gap by 1/ε = 2.
    let tolerance = 4.0 * rounding::<T>(hidden, 1);
    assert_close(what, tolerance, &numbers(&native_value), &numbers(&torch_value));
    assert_close(&format!("φ {what}"), tolerance, &native.0, &torch.0);
    assert_close(&format!("η {what}"), tolerance, &native.1, &torch.1);
}

#[test]
fn potentials_agree_in_double_precision() {
    potentials_agree::<f64>();
}

#[test]
fn potentials_agree_in_single_precision() {
    potentials_agree::<f32>();
}

#[test]
fn what_does_not_fit_the_potentials_is_an_error() {
    let potentials = potentials(2, &[3], Activation::Tanh, Psi::Separate);
    let theta = vec![0.1_f32; potentials.phi.parameter_count()];
    let objective = KantorovichObjective {
        penalty: PENALTIES[0],
        pairing: Pairing::Paired,
        interpolated: true,
        equality: 0.0,
    };
    let device = runtime::open(Device::Libtorch).unwrap();
    let whole = PairBatch { generated: &[0.0; 4], target: &[0.5; 4], mixing: &[0.5; 4] };
    let gradient = |batch, parameters, length| {
        let (mut d_phi, mut d_eta) = (vec![0.0; length], vec![0.0; theta.len()]);
        let into = (d_phi.as_mut_slice(), d_eta.as_mut_slice());
        kantorovich::gradient(&potentials, objective, device, parameters, batch, into)
    };
    gradient(whole, (&theta, &theta), theta.len()).unwrap();
    for refused in [
        gradient(PairBatch { target: &[0.5; 2], ..whole }, (&theta, &theta), theta.len()),
        gradient(PairBatch { mixing: &[0.5; 2], ..whole }, (&theta, &theta), theta.len()),
        gradient(whole, (&theta, &theta[1..]), theta.len()),
        gradient(whole, (&theta, &theta), theta.len() - 1),
    ] {
        assert!(matches!(refused, Err(FlowError::Shape { .. })), "{refused:?}");
    }
}
