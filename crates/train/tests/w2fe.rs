//! The loop of W2-FE and of its rivals on the ring, small and short.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use datasets::{InitialLaw, Target, stream};
use ot_core::cost::Cost;
use train::config::Configuration;
use train::training::StepError;
use train::w2fe::Trainer;
use train::w2fe::config::Config;

const RING: &str = r#"
name = "ring"
[data]
from = "target"
target = "ring"
dim = 2
balanced = true
[start]
from = "noise"
law = { law = "normal", std = 0.05 }
dim = 2
[generator]
hidden = [32, 32]
batch_norm = true
residual = true
[critic]
objective = { kind = "kantorovich", psi = "minus-phi", penalty = { form = "quadratic", weight = 200.0 }, interpolated = true, equality = 1.0 }
hidden = [32, 32]
updates = 3
[update]
kind = "flow"
epsilon = 0.5
persistence = 3
[training]
iterations = 100
batch = 64
generator = { learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999 }
critic = { learning_rate = 2e-3, beta1 = 0.9, beta2 = 0.999 }
"#;

const RIVALS: [(&str, &[&str]); 8] = [
    ("W2-FE", &[]),
    ("W2-FE by Adams–Bashforth", &["update.scheme=adams-bashforth", "update.epsilon=0.3"]),
    ("W2GAN", &["update={ kind = \"direct\" }"]),
    (
        "W1-FE",
        &[
            "critic.objective={ kind = \"divergence\", divergence = \"w1\", lipschitz = { method = \"penalty\", form = \"lp\", weight = 5.0 } }",
        ],
    ),
    (
        "W1-FE by orthonormal layers",
        &[
            "critic.objective={ kind = \"divergence\", divergence = \"w1\", lipschitz = { method = \"orthonormal\" } }",
        ],
    ),
    (
        "WGAN-GP",
        &[
            "critic.objective={ kind = \"divergence\", divergence = \"w1\", lipschitz = { method = \"penalty\", form = \"gp\", weight = 5.0 } }",
            "update={ kind = \"direct\" }",
        ],
    ),
    (
        "GAN",
        &[
            "critic.objective={ kind = \"divergence\", divergence = \"jensen-shannon\", lipschitz = { method = \"none\" } }",
            "update={ kind = \"direct\" }",
        ],
    ),
    (
        "GAN, non-saturating",
        &[
            "critic.objective={ kind = \"divergence\", divergence = \"jensen-shannon\", lipschitz = { method = \"none\" } }",
            "update={ kind = \"non-saturating\" }",
        ],
    ),
];

fn config(changes: &[&str]) -> Result<Config, String> {
    let changes: Vec<String> = changes.iter().map(|&change| change.into()).collect();
    Config::parse(RING, "ring.toml", None, &changes).map_err(|error| error.to_string())
}

/// W2 between G of a fixed start and a fixed batch of the ring.
fn distance(trainer: &Trainer) -> f64 {
    let z = InitialLaw::Normal { std: 0.05 }.sample(256, 2, &mut stream(9, "start", 0)).unwrap();
    let ring = Target::Ring.sample_balanced(256, 2, &mut stream(9, "ring", 0)).unwrap();
    let points = trainer.generate(z.view()).unwrap();
    ot_core::exact::solve(points.view(), ring.view(), None, None, Cost::SquaredEuclidean)
        .unwrap()
        .primal()
        .sqrt()
}

#[test]
fn every_method_of_the_loop_runs_and_is_reproducible() {
    for (method, changes) in RIVALS {
        let config = config(changes).unwrap();
        let run = || {
            let mut trainer = Trainer::new(&config).unwrap();
            let reports: Vec<_> = (0..5).map(|_| trainer.step().unwrap()).collect();
            (trainer.current.clone(), reports)
        };
        let (first, second) = (run(), run());
        assert_eq!(first, second, "{method}");
        let before = Trainer::new(&config).unwrap().current;
        assert_ne!(first.0, before, "{method} does not train");
    }
}

/// The start is .94 from the ring; the potentials bring the particles to it at a rate of about ε an iteration.
#[test]
fn w2_fe_approaches_the_ring() {
    let mut trainer = Trainer::new(&config(&["training.iterations=400"]).unwrap()).unwrap();
    for _ in 0..400 {
        trainer.step().unwrap();
    }
    let after = distance(&trainer);
    assert!(after < 0.5, "half of the way from .94: {after}");
}

/// On one minibatch the misfit to the aims falls with each of the K updates.
#[test]
fn persistent_updates_reduce_the_misfit() {
    let mut trainer = Trainer::new(&config(&["update.persistence=10"]).unwrap()).unwrap();
    let reports: Vec<_> = (0..30).map(|_| trainer.step().unwrap()).collect();
    let last = reports[29];
    assert!(last.generator_last < last.generator_first, "{last:?}");
    // The first misfit is ε²·mean‖∇φ‖² up to roundings of points of order one.
    let expected = 0.25 * last.slope_rms * last.slope_rms;
    assert!((last.generator_first - expected).abs() < 1e-4 * expected + 1e-6, "{last:?}");
}

#[test]
fn divergence_is_told_and_leaves_the_generator_finite() {
    let mut trainer = Trainer::new(&config(&["update.epsilon=1e30"]).unwrap()).unwrap();
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
        ("critic.objective.penalty={ form = \"linear\", weight = 1.0 }", "above 1"),
        ("generator.hidden=[]", "generator.hidden is []"),
        ("critic.updates=0", "critic.updates is 0: "),
    ] {
        let error = config(&[change]).unwrap_err();
        assert!(error.contains(expected), "{change}: {error}");
    }
    let narrow = config(&["start.dim=3"]).unwrap();
    assert!(Trainer::new(&narrow).is_err(), "a residual generator keeps the dimension");
}
