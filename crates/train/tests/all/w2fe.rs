//! The loop of W2-FE and of its rivals on the ring, small and short.

use datasets::{InitialLaw, Target, stream};
use flows::device::Device;
use ot_core::Measure;
use ot_core::cost::Euclidean;
use train::TrainError;
use train::config::{Configuration, GeneratorConfig};
use train::source::{Inputs, Source};
use train::training::StepError;
use train::w2fe::Trainer;

const RING: &str = r#"
kind = "generator"
name = "ring"
[data]
kind = "target"
target = "ring"
dim = 2
balanced = true
[initial]
kind = "normal"
std = 0.05
dim = 2
[generator]
hidden = [32, 32]
batch_norm = true
residual = true
[potentials]
psi = "minus-phi"
penalty = { kind = "quadratic", weight = 200.0 }
interpolated = true
equality = 1.0
hidden = [32, 32]
[update]
kind = "flow"
epsilon = 0.5
persistence = 3
[training]
iterations = 100
batch = 64
critic_updates = 3
optimiser = { learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999 }
critic_optimiser = { learning_rate = 2e-3, beta1 = 0.9, beta2 = 0.999 }
"#;

/// A critic in the place of the potentials.
const CRITIC: &str = r#"
[critic]
hidden = [32, 32]
"#;
const LP: &str = "divergence = \"w1\"\nlipschitz = { method = \"penalty\", form = \"lp\", weight = 5.0 }";
const GP: &str = "divergence = \"w1\"\nlipschitz = { method = \"penalty\", form = \"gp\", weight = 5.0 }";
const ORTHONORMAL: &str = "divergence = \"w1\"\nlipschitz = { method = \"orthonormal\" }";
const JENSEN_SHANNON: &str = "divergence = \"jensen-shannon\"\nlipschitz = { method = \"none\" }";

/// Name, fields of the critic or none for potentials, and changes.
const RIVALS: [(&str, Option<&str>, &[&str]); 8] = [
    ("W2-FE", None, &[]),
    ("W2-FE by Adams–Bashforth", None, &["update.scheme=adams-bashforth", "update.epsilon=0.3"]),
    ("W2GAN", None, &["update={ kind = \"direct\" }"]),
    ("W1-FE", Some(LP), &[]),
    ("W1-FE by orthonormal layers", Some(ORTHONORMAL), &[]),
    ("WGAN-GP", Some(GP), &["update={ kind = \"direct\" }"]),
    ("GAN", Some(JENSEN_SHANNON), &["update={ kind = \"direct\" }"]),
    ("GAN, non-saturating", Some(JENSEN_SHANNON), &["update={ kind = \"non-saturating\" }"]),
];

fn config_of(critic: Option<&str>, changes: &[&str]) -> Result<GeneratorConfig, String> {
    let changes: Vec<String> = changes.iter().map(|&change| change.into()).collect();
    let (start, end) = (RING.find("[potentials]").unwrap(), RING.find("[update]").unwrap());
    let text = match critic {
        Some(fields) => format!("{}{CRITIC}{fields}\n{}", &RING[..start], &RING[end..]),
        None => RING.into(),
    };
    GeneratorConfig::parse(&text, "ring.toml", None, &changes).map_err(|error| error.to_string())
}

fn config(changes: &[&str]) -> Result<GeneratorConfig, String> {
    config_of(None, changes)
}

fn trainer(config: &GeneratorConfig) -> Result<Trainer, TrainError> {
    Trainer::new(config, Source::new(config, &Inputs::default())?, Device::Cpu)
}

/// W2 between G of a fixed start and a fixed batch of the ring.
fn distance(trainer: &Trainer) -> f64 {
    let z = InitialLaw::Normal { std: 0.05 }.sample(256, 2, &mut stream(9, "start", 0)).unwrap();
    let ring = Target::Ring.sample_balanced(256, 2, &mut stream(9, "ring", 0)).unwrap();
    let points = trainer.generate(z.view()).unwrap();
    ot_core::exact::solve(
        &Measure::uniform(points.view()).unwrap(),
        &Measure::uniform(ring.view()).unwrap(),
        &Euclidean::Squared,
    )
    .unwrap()
    .primal()
    .sqrt()
}

#[test]
fn every_method_of_the_loop_runs_and_is_reproducible() {
    for (method, critic, changes) in RIVALS {
        let config = config_of(critic, changes).unwrap();
        let run = || {
            let mut trainer = trainer(&config).unwrap();
            let reports: Vec<_> = (0..5).map(|_| trainer.step().unwrap()).collect();
            (trainer.current.clone(), reports)
        };
        let (first, second) = (run(), run());
        assert_eq!(first, second, "{method}");
        let before = trainer(&config).unwrap().current;
        assert_ne!(first.0, before, "{method} does not train");
    }
}

/// The start is .94 from the ring; the potentials bring the particles to it at a rate of about ε an iteration.
#[test]
fn w2_fe_approaches_the_ring() {
    let mut trainer = trainer(&config(&["training.iterations=400"]).unwrap()).unwrap();
    for _ in 0..400 {
        trainer.step().unwrap();
    }
    let after = distance(&trainer);
    assert!(after < 0.5, "half of the way from .94: {after}");
}

/// On one minibatch the misfit to the aims falls with each of the K updates.
#[test]
fn persistent_updates_reduce_the_misfit() {
    let mut trainer = trainer(&config(&["update.persistence=10"]).unwrap()).unwrap();
    let reports: Vec<_> = (0..30).map(|_| trainer.step().unwrap()).collect();
    let last = reports[29];
    assert!(last.generator_last < last.generator_first, "{last:?}");
    // The first misfit is ε²·mean‖∇φ‖² up to roundings of points of order one.
    let expected = 0.25 * last.slope_rms * last.slope_rms;
    assert!((last.generator_first - expected).abs() < 1e-4 * expected + 1e-6, "{last:?}");
}

#[test]
fn divergence_is_told_and_leaves_the_generator_finite() {
    let mut trainer = trainer(&config(&["update.epsilon=1e30"]).unwrap()).unwrap();
    let error = (0..50).find_map(|_| trainer.step().err()).unwrap();
    assert!(matches!(error, StepError::Diverged(_)), "{error}");
    assert!(trainer.current.parameters.iter().all(|p| p.is_finite()));
}

#[test]
fn mistakes_name_the_key_and_the_remedy() {
    for (change, expected) in [
        ("update.epsilom=1.0", "epsilon"),
        ("update.epsilon=0.0", "update.epsilon is 0: "),
        ("update.persistence=0", "update.persistence is 0: "),
        ("update={ kind = \"non-saturating\" }", "jensen-shannon"),
        (
            "potentials.penalty={ kind = \"linear\", weight = 1.0 }",
            "potentials.penalty.weight is 1: give a finite number above 1",
        ),
        ("generator.hidden=[]", "generator.hidden is []"),
        ("training.critic_updates=0", "training.critic_updates is 0: "),
    ] {
        let error = config(&[change]).unwrap_err();
        assert!(error.contains(expected), "{change}: {error}");
    }
    let both = config(&["critic={ divergence = \"w1\", lipschitz = { method = \"none\" }, hidden = [8] }"])
        .unwrap_err();
    assert!(both.contains("[critic]") && both.contains("[potentials]"), "{both}");
    let narrow = config(&["initial.dim=3"]).unwrap();
    assert!(trainer(&narrow).is_err(), "a residual generator keeps the dimension");
}
