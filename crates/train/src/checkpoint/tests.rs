//! Every training goes on from the state after every iteration as if nothing had happened, and from no other state; a
//! file that is not what was written is noticed.

use super::{State, Stored};
use crate::TrainError;
use crate::config::{Configuration, FlowConfig, GeneratorConfig};
use crate::source::{Inputs, Source};
use crate::training::{Readings, Training};
use common::{FLOW, FLOWS, GENERATORS, changes, generator};
use flows::device::Device;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[path = "../../tests/all/common/mod.rs"]
mod common;

const ITERATIONS: u64 = 6;
/// Records that count, and a moving average that has not forgotten.
const SHORT: [&str; 2] = ["training.iterations=6", "training.average=0.5"];

fn flow(change: &[&str]) -> FlowConfig {
    let smooth = ["critic.activation=sharp-softplus"];
    FlowConfig::parse(FLOW, "small", None, &changes(smooth.iter().chain(change).chain(&SHORT))).unwrap()
}

fn rival((_, judge, change): common::Method) -> GeneratorConfig {
    GeneratorConfig::parse(&generator(judge), "ring", None, &changes(change.iter().chain(&SHORT))).unwrap()
}

fn begin<C: Configuration>(config: &C) -> C::Training {
    config.begin(Source::new(config, &Inputs::default()).unwrap(), Device::Cpu).unwrap()
}

/// Everything that a training keeps.
fn state(training: &impl Training) -> State {
    let mut state = State::default();
    training.store(&mut state);
    state
}

/// The last state and all readings of a training that goes on from a state after `done` iterations.
fn end<C: Configuration>(config: &C, from: &State, done: u64) -> (State, Vec<Readings>) {
    let (mut training, mut readings) = (begin(config), Vec::new());
    training.restore(&Stored::in_memory(from).unwrap(), done).unwrap();
    while training.iteration() < ITERATIONS {
        training.step().unwrap();
        readings.push(training.readings(true).unwrap());
    }
    (state(&training), readings)
}

/// The state before the first iteration and after each.
fn states<C: Configuration>(config: &C) -> Vec<State> {
    let mut training = begin(config);
    let mut states = vec![state(&training)];
    for _ in 0..ITERATIONS {
        training.step().unwrap();
        training.readings(true).unwrap();
        states.push(state(&training));
    }
    states
}

/// Bits, since some readings are NaN.
fn bits(readings: &[Readings]) -> Vec<(&'static str, u64)> {
    let values = readings.iter().flat_map(|readings| &readings.values);
    values.map(|(metric, value)| (metric.name, value.to_bits())).collect()
}

fn goes_on_from_every_iteration<C: Configuration>(config: &C, what: &str) {
    let states = states(config);
    let (last, readings) = end(config, &states[0], 0);
    for (done, from) in states.iter().enumerate() {
        let (state, again) = end(config, from, done as u64);
        assert!(state == last, "{what} after {done} iterations");
        assert_eq!(bits(&again), bits(&readings[done..]), "{what} after {done} iterations");
    }
}

#[test]
fn every_flow_goes_on_from_every_iteration_in_the_same_bits() {
    for change in FLOWS {
        goes_on_from_every_iteration(&flow(change), &change.join(" "));
    }
}

/// Without a critic.
#[test]
fn an_explicit_flow_goes_on_from_every_iteration_in_the_same_bits() {
    let text = include_str!("../../../../configs/table1/explicit/pinwheel-2d-w1w2.toml");
    let short = ["data.samples=500", "training.batch=16"];
    let config = FlowConfig::parse(text, "explicit", None, &changes(short.iter().chain(&SHORT))).unwrap();
    goes_on_from_every_iteration(&config, "explicit");
}

#[test]
fn every_generator_goes_on_from_every_iteration_in_the_same_bits() {
    for method in GENERATORS {
        goes_on_from_every_iteration(&rival(method), method.0);
    }
}

/// The comparison above notices every part of a state: an array that is changed by a few per cent, a count that is one
/// less, and another position of the streams, which is the number of iterations.
fn notices_every_part<C: Configuration>(config: &C, what: &str, unused: &[&str]) {
    let states = states(config);
    let (from, (last, _)) = (&states[3], end(config, &states[3], 3));
    assert!(end(config, from, 2).0 != last, "{what}: the position of the streams");
    for index in 0..from.arrays.len() {
        let mut changed = from.clone();
        let (name, dtype, bytes) = &mut changed.arrays[index];
        let name = name.clone();
        // What judges a generator uses its last parameters, which its average copies at every update.
        if bytes.is_empty() || unused.contains(&name.as_str()) {
            continue;
        }
        // The highest bits of the fraction of a little-endian number.
        let (width, high) = if *dtype == safetensors::Dtype::F32 { (4, 2) } else { (8, 6) };
        bytes.chunks_exact_mut(width).for_each(|number| number[high] ^= 0b1000);
        assert!(end(config, &changed, 3).0 != last, "{what}: {name}");
    }
    for name in from.counters.keys().filter(|name| name.ends_with("adam.steps")) {
        let mut changed = from.clone();
        let count: u64 = from.counters[name].parse().unwrap();
        changed.counter(name, count - 1);
        assert!(end(config, &changed, 3).0 != last, "{what}: {name}");
    }
}

#[test]
fn no_training_goes_on_in_the_same_bits_from_a_state_that_differs() {
    for index in [0, 3, 5] {
        // Companions are for the samples of a trained flow; the training itself has all ends.
        notices_every_part(&flow(FLOWS[index]), &FLOWS[index].join(" "), &["companions"]);
    }
    for method in [GENERATORS[0], GENERATORS[1], GENERATORS[3]] {
        notices_every_part(&rival(method), method.0, &["critic.average", "second-potential.average"]);
    }
}

/// The indicators that `stop_when` counts are a part of the state.
#[test]
fn the_patience_of_stop_when_is_kept() {
    let config = flow(&["stop_when={ records = 4, path_ratio = 1e9 }"]);
    let stops = |readings: &[Readings]| readings.iter().map(|r| r.stop.is_some()).collect::<Vec<_>>();
    let states = states(&config);
    assert_eq!(stops(&end(&config, &states[0], 0).1), [false, false, false, true, true, true]);
    assert_eq!(stops(&end(&config, &states[2], 2).1), [false, true, true, true]);
}

fn sample() -> State {
    let mut state = State::default();
    state.floats("some", &[1.0, -2.5, 3.25]);
    state.doubles("others", &[0.1, 1e300]);
    state.counter("iteration", 7);
    state.counter("potential.adam.steps", 8);
    state
}

fn open(bytes: &[u8]) -> Result<Stored, TrainError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Stored::open(file.path())
}

#[test]
fn a_file_carries_its_digest_and_reads_back() {
    let bytes = sample().encode().unwrap();
    let stored = open(&bytes).unwrap();
    assert_eq!(stored.floats("some").unwrap(), [1.0, -2.5, 3.25]);
    assert_eq!(stored.doubles("others").unwrap(), [0.1, 1e300]);
    assert_eq!(stored.counter("iteration").unwrap(), 7);
    // Any reader of safetensors finds the digest, which is that of the file with zeros in its place.
    let (_, head) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let digest = head.metadata().as_ref().unwrap()["sha256"].clone();
    let blank = String::from_utf8_lossy(&bytes).replace(&digest, &"0".repeat(64));
    let ascii_head = bytes.len() - 3 * 4 - 2 * 8;
    let zeroed = [&blank.as_bytes()[..ascii_head], &bytes[ascii_head..]].concat();
    assert!(blank.as_bytes()[8..ascii_head].is_ascii());
    assert_eq!(crate::digest::sha256([&zeroed[..]]), digest);
}

#[test]
fn every_byte_that_is_changed_and_every_cut_is_noticed() {
    let bytes = sample().encode().unwrap();
    let damaged = |bytes: &[u8]| matches!(open(bytes), Err(TrainError::Damaged { .. }));
    for place in 0..bytes.len() {
        for change in [1, 0x20, 0x80, 0xFF] {
            let mut flipped = bytes.clone();
            flipped[place] ^= change;
            assert!(damaged(&flipped), "byte {place} changed by {change}");
        }
        assert!(damaged(&bytes[..place]), "cut after {place} bytes");
    }
    assert!(damaged(&[&bytes[..], b"\0"].concat()), "a byte too many");
}

proptest! {
    /// `PROPTEST_CASES` makes more of them.
    #[test]
    fn no_file_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), length in 0_u64..500) {
        prop_assert!(open(&bytes).is_err());
        // A head of a length that may be right, and contents behind a digest that is.
        let text = String::from_utf8_lossy(&bytes).replace('"', "'");
        let head = format!("{{\"__metadata__\":{{\"sha256\":\"{}\",{text}", super::BLANK);
        let mut file = [&length.to_le_bytes()[..], head.as_bytes()].concat();
        if let Some(place) = super::place_of_digest(&file) {
            let digest = super::digest_around(&file, &place);
            file.splice(place, digest.into_bytes());
            let stored = open(&file).unwrap();
            let _ = (stored.counter("iteration"), stored.floats("some"), stored.doubles("some"), stored.has("some"));
        }
    }

    /// Heads that describe arrays beyond the file.
    #[test]
    fn no_description_of_an_array_is_believed(shape in prop::collection::vec(any::<u64>(), 0..4), ends in any::<(u64, u64)>()) {
        let array = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [ends.0, ends.1]});
        let metadata = BTreeMap::from([("sha256", super::BLANK)]);
        let head = serde_json::json!({"__metadata__": metadata, "some": array}).to_string();
        let mut file = [&(head.len() as u64).to_le_bytes()[..], head.as_bytes(), &[0; 16]].concat();
        let place = super::place_of_digest(&file).unwrap();
        let digest = super::digest_around(&file, &place);
        file.splice(place, digest.into_bytes());
        prop_assert!(open(&file).unwrap().floats("some").is_err() || ends == (0, 16));
    }
}
