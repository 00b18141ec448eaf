//! Every kind of run on libtorch's CPU device: the records and the samples of the native run, up to rounding.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use flows::device::Device;
use ndarray::Array2;
use train::config::{Configuration, FlowConfig, GeneratorConfig};
use train::observe::{Observer, Record};
use train::{Run, TrainError};

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

const POTENTIALS: &str = r#"
[potentials]
psi = "minus-phi"
penalty = { kind = "quadratic", weight = 20.0 }
interpolated = true
equality = 1.0
hidden = [8, 8]
activation = "softplus"
"#;
const GRADIENT_PENALTY: &str = r#"
[critic]
divergence = "w1"
lipschitz = { method = "penalty", form = "gp", weight = 5.0 }
hidden = [8, 8]
activation = "softplus"
"#;
const JENSEN_SHANNON: &str = r#"
[critic]
divergence = "jensen-shannon"
lipschitz = { method = "none" }
hidden = [8, 8]
activation = "softplus"
"#;

/// W2-FE and every kind of its rivals: what judges the generated points, and changes.
const GENERATORS: [(&str, &[&str]); 5] = [
    (POTENTIALS, &[]),
    (POTENTIALS, &["update.scheme=adams-bashforth", "potentials.pairing=all", "generator.batch_norm=false"]),
    (POTENTIALS, &["update={ kind = \"direct\" }", "generator.output={ kind = \"tanh\", scale = 2.0 }"]),
    (GRADIENT_PENALTY, &[]),
    (JENSEN_SHANNON, &["update={ kind = \"non-saturating\" }"]),
];

/// All numbers of all records, in their order.
#[derive(Default)]
struct Numbers(Vec<(&'static str, f64)>);

impl Observer for Numbers {
    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        self.0.extend(record.values.iter().map(|(metric, value)| (metric.name, *value)));
        Ok(())
    }
}

/// Records and samples of both devices.
fn devices_agree<C: Configuration>(
    config: &C,
    what: &str,
    sample: impl Fn(&<C::Training as train::training::Training>::Model) -> Array2<f64>,
) {
    let [(native, expected), (torch, found)] = [Device::Cpu, Device::Libtorch].map(|device| {
        let mut numbers = Numbers::default();
        let trained = Run::new(config.clone()).device(device).observer(&mut numbers).train().unwrap();
        (sample(&trained.model), numbers.0)
    });
    assert!(expected.len() >= 4 * 5, "{what}: {expected:?}");
    assert_eq!(expected.len(), found.len(), "{what}");
    for ((name, expected), (name_found, found)) in expected.iter().zip(&found) {
        assert_eq!(name, name_found, "{what}");
        // Networks of 8 units in single precision round to some 1e-6. Up to eight updates, each by a ratio of moments, carry that
        // on, and some readings are small differences of large numbers.
        let error = (found - expected).abs() / (1e-2 + expected.abs());
        let both_missing = expected.is_nan() && found.is_nan();
        assert!(both_missing || error < 1e-3, "{what}, {name}: {found} against {expected}");
    }
    // Samples are of order one.
    let gap = (&native - &torch).mapv(f64::abs).into_iter().fold(0.0, f64::max);
    assert!(gap < 1e-4, "{what}: samples differ by {gap}");
}

fn overrides(changes: &[&str]) -> Vec<String> {
    changes.iter().map(|&change| change.into()).collect()
}

#[test]
fn every_flow_trains_on_libtorch_as_natively() {
    for changes in FLOWS {
        let config = FlowConfig::parse(FLOW, "small.toml", None, &overrides(changes)).unwrap();
        devices_agree(&config, &changes.join(" "), |model| model.sample(64, 4, 0).unwrap());
    }
}

#[test]
fn every_generator_trains_on_libtorch_as_natively() {
    for (judge, changes) in GENERATORS {
        let text = GENERATOR.replace("[update]", &format!("{judge}[update]"));
        let config = GeneratorConfig::parse(&text, "ring.toml", None, &overrides(changes)).unwrap();
        devices_agree(&config, &format!("{judge} {}", changes.join(" ")), |model| {
            model.sample(64, 0).unwrap()
        });
    }
}
