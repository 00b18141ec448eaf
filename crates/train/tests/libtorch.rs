//! Every kind of run on libtorch's CPU device: the records and the trained model of the native run, up to rounding.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use flows::device::Device;
use ndarray::Array2;
use std::path::Path;
use train::model::FlowModel;
use train::run::METRICS_FILE;
use train::{Configuration, FlowConfig, GeneratorConfig, Model, Run};

// The optimisers' ε of 1e-3 makes a step a smooth function of the gradient: with the usual one an entry that is zero up to
// rounding, such as that of a bias which the dual does not feel, would be moved by the whole learning rate, to either side.
const FLOW: &str = r#"
kind = "flow"
name = "small"
[data]
kind = "target"
target = "pinwheel"
dim = 3
samples = 500
[flow]
horizon = 1.0
lambda = 0.5
steps = { min = 1, max = 4 }
[representation]
kind = "network"
hidden = [8, 8]
[critic]
divergence = "kl-donsker-varadhan"
lipschitz = { method = "penalty", form = "lp", weight = 1.0 }
hidden = [8]
activation = "sharp-softplus"
[training]
iterations = 4
batch = 16
critic_updates = 2
optimiser = { learning_rate = 1e-2, epsilon = 1e-3 }
critic_optimiser = { learning_rate = 1e-2, epsilon = 1e-3 }
average = 0.5
log_every = 1
checkpoint_every = 4
"#;

const GENERATOR: &str = r#"
kind = "generator"
name = "ring"
[data]
kind = "target"
target = "ring"
dim = 2
balanced = true
[initial]
kind = "normal"
std = 0.5
dim = 2
[generator]
hidden = [8, 8]
batch_norm = true
residual = true
[potentials]
psi = "minus-phi"
penalty = { kind = "quadratic", weight = 20.0 }
interpolated = true
equality = 1.0
hidden = [8, 8]
activation = "softplus"
[update]
kind = "flow"
epsilon = 0.3
persistence = 2
[training]
iterations = 4
batch = 16
critic_updates = 2
optimiser = { learning_rate = 1e-2, epsilon = 1e-3 }
critic_optimiser = { learning_rate = 1e-2, epsilon = 1e-3 }
average = 0.5
log_every = 1
checkpoint_every = 4
"#;

/// Every way to represent a flow, to bend its paths and to hold its critic.
const FLOWS: [&[&str]; 7] = [
    &[],
    &["representation.kind=exact-terminal", "flow.terminal_gradient=0.1"],
    &["representation.kind=velocity", "flow.velocity_spread=0.1"],
    &["representation={ kind = \"hopf-lax\", refinements = 4, hidden = [8, 8] }", "flow.steps=1"],
    &["flow.noise=0.5", "flow.interaction={ kind = \"gaussian\", weight = 0.3, width = 0.5 }"],
    &["critic.lipschitz={ method = \"spectral\" }", "flow.hamilton_jacobi=0.1"],
    &["critic.lipschitz={ method = \"orthonormal\" }", "critic.activation=relu", "flow.characteristic=0.1"],
];

/// W2-FE and every kind of its rivals: the table of the critic where there is one, and changes.
const GENERATORS: [(Option<&str>, &[&str]); 5] = [
    (None, &[]),
    (None, &["update.scheme=adams-bashforth", "generator.batch_norm=false"]),
    (None, &["update={ kind = \"direct\" }", "generator.output={ kind = \"tanh\", scale = 2.0 }"]),
    (Some("divergence = \"w1\"\nlipschitz = { method = \"penalty\", form = \"gp\", weight = 5.0 }"), &[]),
    (
        Some("divergence = \"jensen-shannon\"\nlipschitz = { method = \"none\" }"),
        &["update={ kind = \"non-saturating\" }"],
    ),
];

/// The generator with a critic in the place of its potentials, where one is given.
fn generator(critic: Option<&str>, changes: &[&str]) -> GeneratorConfig {
    let changes: Vec<String> = changes.iter().map(|&change| change.into()).collect();
    let (start, end) = (GENERATOR.find("[potentials]").unwrap(), GENERATOR.find("[update]").unwrap());
    let text = critic.map_or(GENERATOR.into(), |fields| {
        let network = "hidden = [8, 8]\nactivation = \"softplus\"";
        format!("{}[critic]\n{network}\n{fields}\n{}", &GENERATOR[..start], &GENERATOR[end..])
    });
    GeneratorConfig::parse(&text, "ring.toml", None, &changes).unwrap()
}

/// Trains in `out`, and gives all numbers of all records, in their order.
fn records<C: Configuration>(config: &C, device: Device, out: &Path) -> Vec<(String, f64)> {
    Run::new(config.clone()).out(out).device(device).train().unwrap();
    let text = std::fs::read_to_string(out.join(METRICS_FILE)).unwrap();
    let record = |line: &str| {
        let record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        record
            .into_iter()
            .filter(|(name, _)| name != "seconds")
            .filter_map(|(name, value)| value.as_f64().map(|value| (name, value)))
            .collect::<Vec<_>>()
    };
    text.lines().flat_map(record).collect()
}

/// Records and samples of both devices.
fn devices_agree<C: Configuration>(config: &C, what: &str, sample: impl Fn(&Path) -> Array2<f64>) {
    let folder = tempfile::tempdir().unwrap();
    let (native, torch) = (folder.path().join("cpu"), folder.path().join("libtorch"));
    let expected = records(config, Device::Cpu, &native);
    let found = records(config, Device::Libtorch, &torch);
    assert!(expected.len() >= 4 * 5, "{what}: {expected:?}");
    assert_eq!(expected.len(), found.len(), "{what}");
    for ((name, expected), (name_found, found)) in expected.iter().zip(&found) {
        assert_eq!(name, name_found, "{what}");
        // Networks of 8 units in single precision round to some 1e-6. Eight updates with steps of 1e-2, each a ratio of moments,
        // carry that on, and some readings are small differences of large numbers.
        let error = (found - expected).abs() / (1e-2 + expected.abs());
        assert!(error < 1e-3, "{what}, {name}: {found} against {expected}");
    }
    // Samples are of order one.
    let gap = (&sample(&native) - &sample(&torch)).mapv(f64::abs).into_iter().fold(0.0, f64::max);
    assert!(gap < 1e-4, "{what}: samples differ by {gap}");
}

#[test]
fn every_flow_trains_on_libtorch_as_natively() {
    for changes in FLOWS {
        let overrides: Vec<String> = changes.iter().map(|&change| change.into()).collect();
        let config = FlowConfig::parse(FLOW, "small.toml", None, &overrides).unwrap();
        devices_agree(&config, &changes.join(" "), |run| {
            FlowModel::load(run).unwrap().sample(64, 4, 0).unwrap()
        });
    }
}

#[test]
fn every_generator_trains_on_libtorch_as_natively() {
    for (critic, changes) in GENERATORS {
        let what = format!("{critic:?} {changes:?}");
        devices_agree(&generator(critic, changes), &what, |run| {
            Model::load(run).unwrap().sample(64, 0).unwrap()
        });
    }
}
