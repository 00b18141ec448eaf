//! Every kind of run on libtorch's CPU device: the records and the samples of the native run, up to rounding.

use crate::common::{FLOW, FLOWS, GENERATORS, changes, generator};
use flows::device::Device;
use ndarray::Array2;
use train::config::{Configuration, FlowConfig, GeneratorConfig};
use train::observe::{Observer, Record};
use train::{Run, TrainError};

/// The optimisers' ε of 1e-3 makes a step a smooth function of the gradient: with the usual one an entry that is zero
/// up to rounding, such as that of a bias which the dual does not feel, would be moved by the whole learning rate, to
/// either side.
const SMOOTH: [&str; 5] = [
    "training.iterations=4",
    "training.log_every=1",
    "training.average=0.5",
    "training.optimiser={ learning_rate = 1e-2, epsilon = 1e-3 }",
    "training.critic_optimiser={ learning_rate = 1e-2, epsilon = 1e-3 }",
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
        // Networks of 8 units in single precision round to some 1e-6. Up to eight updates, each by a ratio of
        // moments, carry that on, and some readings are small differences of large numbers.
        let error = (found - expected).abs() / (1e-2 + expected.abs());
        let both_missing = expected.is_nan() && found.is_nan();
        assert!(both_missing || error < 1e-3, "{what}, {name}: {found} against {expected}");
    }
    // Samples are of order one.
    let gap = (&native - &torch).mapv(f64::abs).into_iter().fold(0.0, f64::max);
    assert!(gap < 1e-4, "{what}: samples differ by {gap}");
}

#[test]
fn every_flow_trains_on_libtorch_as_natively() {
    let smooth = ["critic.activation=sharp-softplus"];
    for change in FLOWS {
        let all = changes(SMOOTH.iter().chain(&smooth).chain(change));
        let config = FlowConfig::parse(FLOW, "small.toml", None, &all).unwrap();
        devices_agree(&config, &change.join(" "), |model| model.sample(64, 4, 0).unwrap());
    }
}

#[test]
fn every_generator_trains_on_libtorch_as_natively() {
    for (method, judge, change) in GENERATORS {
        let all = changes(SMOOTH.iter().chain(change));
        let config = GeneratorConfig::parse(&generator(judge), "ring.toml", None, &all).unwrap();
        devices_agree(&config, method, |model| model.sample(64, 0).unwrap());
    }
}
