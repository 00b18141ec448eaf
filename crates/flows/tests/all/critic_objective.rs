//! The critic's objective against its formula on points whose values and slopes are known.

use crate::common::uniform;
use flows::FlowError;
use flows::activation::Activation;
use flows::critic::{Critic, CriticBatch, CriticObjective, CriticValue, Workspace};
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, Reparametrisation, SlopePenalty, SpectralState};
use flows::mlp::{Mlp, Output};
use flows::scalar_field::ScalarField;
use ndarray::ArrayView2;
use ot_core::divergence::Divergence;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// φ(x, y) = 3·relu(x) + relu(−y): two units of weights (1, 0) and (0, −1), without biases, then 3 and 1.
const PARAMETERS: [f64; 9] = [1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 3.0, 1.0, 0.0];
/// φ is 6, 0 and 1.
const GENERATED: [f64; 6] = [2.0, 1.0, -1.0, 1.0, -1.0, -1.0];
/// φ is 3, 9.5 and 0.
const TARGET: [f64; 6] = [1.0, 1.0, 3.0, -0.5, -1.0, 0.5];
/// The points are αx + (1 − α)y: (1.25, 1), (1, 0.25) and (−1, −0.25), of slopes 3, 3 and 1.
const MIXING: [f64; 3] = [0.25, 0.5, 0.5];
const BATCH: CriticBatch<'static, f64> =
    CriticBatch { generated: &GENERATED, target: &TARGET, mixing: &MIXING };

fn critic(divergence: Divergence, lipschitz: Lipschitz) -> Critic {
    let network = Mlp::new(2, &[2], Activation::Relu, Output::Identity).unwrap().into();
    Critic { network, objective: CriticObjective { divergence, weight: 0.5 }, bound: 2.0, lipschitz }
}

fn penalty(form: SlopePenalty) -> Lipschitz {
    Lipschitz::Penalty(Penalty { form, weight: 0.6, points: PenaltyPoints::Interpolates })
}

fn value(critic: &Critic) -> CriticValue {
    Workspace::default().gradient(critic, &PARAMETERS, BATCH, &mut [0.0; 9]).unwrap()
}

#[test]
fn the_dual_value_is_that_of_the_weighted_divergence() {
    // E φ − E φ whatever the weight, and E φ − c·E(e^{φ/c − 1}).
    let w1 = value(&critic(Divergence::Wasserstein1, Lipschitz::None));
    assert!((w1.divergence - (7.0 - 12.5) / 3.0).abs() < 1e-14, "{w1:?}");
    let kl = value(&critic(Divergence::KullbackLeibler, Lipschitz::None));
    let conjugate = [3.0, 9.5, 0.0].map(|phi: f64| 0.5 * (phi / 0.5 - 1.0).exp()).iter().sum::<f64>() / 3.0;
    let expected = 7.0 / 3.0 - conjugate;
    // A dozen roundings of 1e7.
    assert!((kl.divergence / expected - 1.0).abs() < 1e-13, "{kl:?} instead of {expected}");
    assert_eq!((kl.penalty, kl.slope_mean, kl.slope_max), (0.0, 0.0, 0.0));
    assert_eq!(kl.total(), kl.divergence);
}

#[test]
fn the_penalty_is_the_mean_over_the_mixed_points() {
    for (form, mean) in [
        // Slopes 3, 3 and 1 against L = 2.
        (SlopePenalty::OneSidedSquared, (5.0 + 5.0) / 3.0),
        (SlopePenalty::OneSided, (1.0 + 1.0) / 3.0),
        (SlopePenalty::TwoSided, (1.0 + 1.0 + 1.0) / 3.0),
    ] {
        let found = value(&critic(Divergence::Wasserstein1, penalty(form)));
        // Roundings of numbers below ten.
        assert!((found.penalty - 0.6 * mean).abs() < 1e-14, "{form}: {found:?}");
        assert!((found.slope_mean - 7.0 / 3.0).abs() < 1e-14 && found.slope_max == 3.0, "{found:?}");
        assert!((found.divergence + 5.5 / 3.0).abs() < 1e-14);
        assert_eq!(found.total(), found.divergence - found.penalty);
        let named = found.named().map(|(metric, number)| (metric.name, number));
        assert_eq!(
            named,
            [
                (metrics::CRITIC_DIVERGENCE.name, found.divergence),
                (metrics::CRITIC_PENALTY.name, found.penalty),
                (metrics::CRITIC_SLOPE_MEAN.name, found.slope_mean),
                (metrics::CRITIC_SLOPE_MAX.name, found.slope_max),
            ]
        );
    }
}

/// Slopes that differ from point to point show where they are taken.
#[test]
fn each_slope_is_taken_at_the_mixture_of_its_pair() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let network = Mlp::new(2, &[4], Activation::Softplus, Output::Identity).unwrap();
    let theta = uniform(&mut rng, network.parameter_count());
    let (generated, target) = (uniform(&mut rng, 6), uniform(&mut rng, 6));
    for (points, alphas) in [
        (PenaltyPoints::Interpolates, [0.2, 0.6, 0.9]),
        // 3u − 1, kept in [0, 1].
        (PenaltyPoints::Everywhere, [0.0, 0.8, 1.0]),
    ] {
        let mixed: Vec<f64> =
            (0..6).map(|k| alphas[k / 2] * generated[k] + (1.0 - alphas[k / 2]) * target[k]).collect();
        let mixed = ArrayView2::from_shape((3, 2), &mixed).unwrap();
        let (_, gradient) = network.at(&theta, mixed).unwrap();
        let slopes: Vec<f64> = gradient.rows().into_iter().map(|g| g[0].hypot(g[1])).collect();
        let form = SlopePenalty::TwoSided;
        let lipschitz = Lipschitz::Penalty(Penalty { form, weight: 0.6, points });
        let critic =
            Critic { network: network.clone().into(), ..critic(Divergence::Wasserstein1, lipschitz) };
        let batch = CriticBatch { generated: &generated, target: &target, mixing: &[0.2, 0.6, 0.9] };
        let mut discarded = vec![0.0; theta.len()];
        let found = Workspace::default().gradient(&critic, &theta, batch, &mut discarded).unwrap();
        let penalty = 0.6 * slopes.iter().map(|g| (g - 2.0).powi(2)).sum::<f64>() / 3.0;
        let largest = slopes.iter().copied().fold(0.0, f64::max);
        // Tens of roundings of numbers of order one.
        assert!((found.penalty - penalty).abs() < 1e-13, "{points:?}: {found:?} instead of {penalty}");
        assert!((found.slope_mean - slopes.iter().sum::<f64>() / 3.0).abs() < 1e-13);
        assert!((found.slope_max - largest).abs() < 1e-13);
    }
}

/// −(E φ(generated) − E φ(target)) + penalty by hand, in the entries of the last layer: its weights 3 and 1.
#[test]
fn the_gradient_is_of_what_is_to_be_minimised() {
    let mut gradient = [7.0; 9];
    let critic = critic(Divergence::Wasserstein1, penalty(SlopePenalty::OneSided));
    Workspace::default().gradient(&critic, &PARAMETERS, BATCH, &mut gradient).unwrap();
    // Units at the generated points: 2, 0, 0 and 0, 0, 1; at the target: 1, 3, 0 and 0, 0.5, 0. Slopes above L are
    // those of the first weight, at two points: 0.6·2·(3 − 2)·2/3.
    let expected = [-(2.0 - 4.0) / 3.0 + 0.8, -(1.0 - 0.5) / 3.0];
    for (found, expected) in gradient[6..8].iter().zip(expected) {
        assert!((found - expected).abs() < 1e-14, "{found} instead of {expected}");
    }
    // The constant of φ has no influence on W1.
    assert!(gradient[8].abs() < 1e-15);
}

#[test]
fn batches_that_do_not_fit_are_errors() {
    let critic = critic(Divergence::Wasserstein1, penalty(SlopePenalty::OneSided));
    let run = |batch, length: usize| {
        Workspace::default().gradient(&critic, &PARAMETERS, batch, &mut vec![0.0; length]).map(|_| ())
    };
    run(BATCH, 9).unwrap();
    for (batch, length) in [
        (CriticBatch { generated: &GENERATED[..5], ..BATCH }, 9),
        (CriticBatch { target: &TARGET[..4], ..BATCH }, 9),
        (CriticBatch { mixing: &MIXING[..2], ..BATCH }, 9),
        (BATCH, 8),
    ] {
        assert!(matches!(run(batch, length), Err(FlowError::Shape { .. })));
    }
}

/// W of R² → 2 → 1 with singular values 5 and 2, and 10 in the last layer; L = 3.
#[test]
fn spectral_normalisation_divides_by_the_largest_singular_value() {
    let net = Mlp::new(2, &[2], Activation::Relu, Output::Identity).unwrap();
    let mut trained = [0.0, 5.0, 2.0, 0.0, 0.7, -0.3, 6.0, 8.0, 0.4];
    let mut method = Lipschitz::Spectral.reparametrise(&net, 3.0, &mut trained).unwrap();
    let close = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            // A hundred iterations of ratio (2/5)²; a few roundings.
            assert!((found - expected).abs() < 1e-14, "{found} instead of {expected}");
        }
    };
    close(&method.effective(&trained).unwrap(), &[0.0, 1.0, 0.4, 0.0, 0.7, -0.3, 1.8, 2.4, 0.4]);
    // u, v and σ of each layer.
    close(&method.flatten(), &[1.0, 0.0, 0.0, 1.0, 5.0, 1.0, 0.6, 0.8, 10.0]);
    // G = 1: s·(1 − ⟨G, W⟩/σ·uvᵀ); biases keep theirs.
    let mut gradient = [1.0; 9];
    method.pull_back(&trained, &mut gradient).unwrap();
    close(&gradient, &[0.2, 0.2 * (1.0 - 1.4), 0.2, 0.2, 1.0, 1.0, 0.3 * 0.16, 0.3 * -0.12, 1.0]);
    // One power iteration a step, from the vectors that are there.
    let mut moved = trained;
    moved[..4].copy_from_slice(&[0.0, 3.0, 4.0, 0.0]);
    moved[6..8].copy_from_slice(&[0.0, -2.0]);
    let saved = method.flatten();
    method.settle(&mut moved).unwrap();
    close(&method.flatten(), &[1.0, 0.0, 0.0, 1.0, 3.0, -1.0, 0.0, 1.0, 2.0]);
    method.restore(&saved).unwrap();
    assert_eq!(method.flatten(), saved);
    assert!(method.restore(&saved[1..]).is_err());
    let zero = SpectralState::new(&net, &[0.0; 9], 3.0).unwrap();
    assert_eq!(zero.effective(&[0.0; 9]).unwrap(), [0.0; 9]);
}

#[test]
fn methods_that_leave_the_parameters_alone_have_no_state() {
    let net = Mlp::new(2, &[2], Activation::Relu, Output::Identity).unwrap();
    for method in [Lipschitz::None, penalty(SlopePenalty::OneSided)] {
        let mut trained = PARAMETERS;
        let mut identity = method.reparametrise(&net, 3.0, &mut trained).unwrap();
        assert_eq!(
            (&identity, method.penalty().is_some()),
            (&Reparametrisation::None, method != Lipschitz::None)
        );
        identity.settle(&mut trained).unwrap();
        let mut gradient = [2.0; 9];
        identity.pull_back(&trained, &mut gradient).unwrap();
        assert_eq!((identity.effective(&trained).unwrap(), gradient), (PARAMETERS.to_vec(), [2.0; 9]));
        assert!(identity.pull_back(&trained, &mut gradient[1..]).is_err());
        assert!(identity.flatten().is_empty() && identity.restore(&[]).is_ok());
        assert!(identity.restore(&[1.0]).is_err());
        assert!(method.reparametrise(&net, 3.0, &mut trained[1..]).is_err());
    }
    let mut trained = PARAMETERS;
    let mut orthonormal = Lipschitz::Orthonormal.reparametrise(&net, 3.0, &mut trained).unwrap();
    assert!(orthonormal.flatten().is_empty() && orthonormal.restore(&[]).is_ok());
    assert!(orthonormal.restore(&[1.0]).is_err());
    // One unit and its opposite: q of size one, zeros beside it.
    assert_eq!(trained, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    trained[0] = 4.0;
    orthonormal.settle(&mut trained).unwrap();
    // A few roundings on the way to the unit vector.
    assert!((trained[0] - 1.0).abs() < 1e-14, "{}", trained[0]);
}
