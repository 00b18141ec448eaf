//! Rounds of a generator and its critics on both backends, as the training of a generator goes.

use crate::generators::{drawn, uniform};
use crate::{assert_close, rounding};
use flows::activation::Activation;
use flows::critic::{Critic, CriticBatch, CriticObjective};
use flows::device::Device;
use flows::generation::{Gradients, NativeGradients};
use flows::generator::{Generator, GeneratorForm, GeneratorOutput, RunningStatistics, fit, push};
use flows::kantorovich::{GapPenalty, KantorovichObjective, PairBatch, Pairing, Potentials, Psi};
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, SlopePenalty};
use flows::mlp::{Mlp, Output};
use flows::network::Network;
use flows::scalar_field::ScalarField;
use flows::torch::TorchGradients;
use ot_core::divergence::Divergence;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const BATCH: usize = 12;
const DIM: usize = 3;
const ROUNDS: usize = 5;
const HIDDEN: [usize; 2] = [7, 5];
const RATE: f32 = 0.02;

/// What judges the generated points.
enum Judge {
    Potentials(Potentials, KantorovichObjective),
    Critic(Critic),
}

impl Judge {
    fn phi(&self) -> Network {
        match self {
            Self::Potentials(potentials, _) => potentials.phi.clone().into(),
            Self::Critic(critic) => critic.network.clone(),
        }
    }
}

fn descend(parameters: &mut [f32], gradient: &[f32]) {
    parameters.iter_mut().zip(gradient).for_each(|(p, d)| *p -= RATE * d);
}

/// What each network and each statistic has moved by after [`ROUNDS`] rounds of plain gradient descent.
fn moved(gradients: &mut dyn Gradients, judge: &Judge, form: GeneratorForm) -> Vec<(&'static str, Vec<f32>)> {
    let mut rng = ChaCha8Rng::seed_from_u64(41);
    let generator = Generator::new(DIM, &HIDDEN, DIM, form).unwrap();
    let mut draw = || -> Vec<f32> { judge.phi().initial(&mut rng) };
    let (mut phi, mut eta) = (draw(), draw());
    *eta.last_mut().unwrap() += 1.0;
    let mut theta: Vec<f32> = drawn(&generator, &mut rng);
    let mut running = RunningStatistics::new(&generator);
    let start = [phi.clone(), eta.clone(), theta.clone(), running.mean.clone(), running.variance.clone()];
    for _ in 0..ROUNDS {
        let (z, target) = (uniform::<f32>(&mut rng, BATCH * DIM), uniform::<f32>(&mut rng, BATCH * DIM));
        let mixing: Vec<f32> = uniform::<f32>(&mut rng, 2 * BATCH).iter().map(|u| 0.5 * u + 0.5).collect();
        let generated = gradients.generate(&generator, &theta, &z).unwrap();
        let mut d_phi = vec![1.0; phi.len()];
        match judge {
            Judge::Potentials(potentials, objective) => {
                let mut d_eta = vec![1.0; eta.len()];
                let batch = PairBatch { generated: &generated, target: &target, mixing: &mixing };
                let into = (d_phi.as_mut_slice(), d_eta.as_mut_slice());
                gradients.potentials_gradient(potentials, *objective, (&phi, &eta), batch, into).unwrap();
                descend(&mut eta, &d_eta);
            }
            Judge::Critic(critic) => {
                let batch = CriticBatch { generated: &generated, target: &target, mixing: &mixing[..BATCH] };
                gradients.critic_gradient(critic, &phi, batch, &mut d_phi).unwrap();
            }
        }
        descend(&mut phi, &d_phi);
        let generated = gradients.generate(&generator, &theta, &z).unwrap();
        let judged = gradients.judge(&judge.phi(), &phi, &generated).unwrap();
        let aims: Vec<f32> = generated.iter().zip(&judged.slopes).map(|(y, slope)| y - 0.3 * slope).collect();
        for cotangent in
            [fit(&generated, &aims, DIM).unwrap().1, push(&judged.values, &judged.slopes, DIM).unwrap()]
        {
            gradients.generate(&generator, &theta, &z).unwrap();
            let mut d_theta = vec![1.0; theta.len()];
            gradients.generator_gradient(&generator, &theta, &cotangent, &mut d_theta).unwrap();
            gradients.update_statistics(&mut running, 0.1).unwrap();
            descend(&mut theta, &d_theta);
        }
    }
    let names = ["φ", "η", "generator", "running means", "running variances"];
    let end = [phi, eta, theta, running.mean, running.variance];
    let differences =
        start.iter().zip(&end).map(|(start, end)| end.iter().zip(start).map(|(e, s)| e - s).collect());
    names.into_iter().zip(differences).collect()
}

fn rounds_agree(judge: &Judge, what: &str) {
    for activation in [Activation::Tanh, Activation::Relu] {
        for batch_norm in [false, true] {
            let output = GeneratorOutput::Tanh { scale: 2.0 };
            let form = GeneratorForm { activation, batch_norm, residual: true, output };
            let native = moved(&mut NativeGradients::default(), judge, form);
            let torch = moved(&mut TorchGradients::new(Device::Libtorch).unwrap(), judge, form);
            for ((name, native), (_, torch)) in native.iter().zip(&torch) {
                let unused = match (*name, judge) {
                    ("running means" | "running variances", _) => !batch_norm,
                    ("η", Judge::Critic(_)) => true,
                    _ => false,
                };
                if unused {
                    assert!(native.iter().chain(torch).all(|&x| x == 0.0), "{name} has moved");
                    continue;
                }
                // What has moved is a hundredth of what it moved from, whose rounding it has; each round adds its own.
                let tolerance = (ROUNDS * 100) as f64 * rounding::<f32>(&HIDDEN, 1);
                assert_close(&format!("{name}, {what}, {form:?}"), tolerance, native, torch);
            }
        }
    }
}

#[test]
fn rounds_against_kantorovich_potentials_agree() {
    let net = |activation| Mlp::new(DIM, &HIDDEN, activation, Output::Identity).unwrap();
    for (psi, pairing) in [(Psi::Separate, Pairing::Paired), (Psi::MinusPhi, Pairing::All)] {
        let potentials = Potentials { phi: net(Activation::Softplus), eta: net(Activation::Softplus), psi };
        let penalty = GapPenalty::Quadratic { weight: 20.0 };
        let objective = KantorovichObjective { penalty, pairing, interpolated: true, equality: 0.3 };
        rounds_agree(&Judge::Potentials(potentials, objective), &format!("{objective:?}"));
    }
}

#[test]
fn rounds_against_the_critic_of_a_divergence_agree() {
    for divergence in [Divergence::Wasserstein1, Divergence::JensenShannon] {
        let network =
            Mlp::new(DIM, &HIDDEN, Activation::Softplus, Output::for_divergence(divergence, 1.0)).unwrap();
        let penalty =
            Penalty { form: SlopePenalty::TwoSided, weight: 2.0, points: PenaltyPoints::Interpolates };
        let critic = Critic {
            network: network.into(),
            objective: CriticObjective { divergence, weight: 1.0 },
            bound: 1.0,
            lipschitz: Lipschitz::Penalty(penalty),
        };
        rounds_agree(&Judge::Critic(critic), &divergence.to_string());
    }
}
