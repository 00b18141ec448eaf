//! What other programs make of a run: PyTorch of an export, TensorBoard of the events.

use crate::common::Workshop;
use ndarray::{Array2, Axis};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use train::export::Function;
use train::{Config, Model, Run};

/// Names another Python than that on PATH.
const PYTHON: &str = "OPLUS_PYTHON";

/// A Python that has some modules; where there is none the test says that it is skipped.
fn python(modules: &str) -> Option<String> {
    let python = std::env::var(PYTHON).unwrap_or("python3".into());
    let found = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    say::note!("skipped: {python} does not have {modules}; {PYTHON} may name one that does");
    None
}

/// What a Python program prints.
fn printed(python: &str, program: &str, arguments: &[&Path]) -> String {
    let output = Command::new(python).args(["-c", program]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What all flows of this file have, and what those with a critic have.
const FLOW: &str = r#"
kind = "flow"
name = "small"
data = { kind = "file", file = "points.csv" }
flow = { horizon = 2.0, lambda = 0.5, steps = 3 }
[training]
iterations = 10
batch = 16
critic_updates = 1
optimiser = { learning_rate = 1e-3 }
critic_optimiser = { learning_rate = 1e-3 }
"#;
const CRITIC: &str = r#"
[critic]
divergence = "DIVERGENCE"
hidden = [8, 8]
lipschitz = { method = "penalty", form = "lp", weight = 10.0 }
"#;
const EXPLICIT: &str = r#"
kind = "flow"
name = "small"
data = { kind = "file", file = "points.csv" }
flow = { horizon = 2.0, lambda = 0.5 }
training = { iterations = 10, batch = 16 }
"#;
const MATCHING: &str = r#"
kind = "flow"
name = "small"
data = { kind = "file", file = "points.csv" }
representation = { kind = "matching", hidden = [8, 8] }
training = { iterations = 10, batch = 16, optimiser = { learning_rate = 1e-3 } }
"#;
const GENERATOR: &str = r#"
kind = "generator"
name = "small"
data = { kind = "file", file = "points.csv" }
generator = { hidden = [8, 8], batch_norm = true, residual = true }
potentials = { penalty = { kind = "quadratic", weight = 10.0 }, hidden = [8] }
update = { kind = "flow", epsilon = 0.3 }
[training]
iterations = 12
batch = 32
critic_updates = 1
optimiser = { learning_rate = 1e-3 }
critic_optimiser = { learning_rate = 1e-3 }
"#;

/// A name, a configuration, and the function that is exported of it: each kind that `export` has, with each activation.
fn cases() -> Vec<(String, String, Function)> {
    // A key of its own comes before the tables.
    let with = |base: &str, representation: &str| format!("representation = {{ {representation} }}\n{base}");
    let game = |representation: &str, divergence: &str| {
        with(FLOW, representation) + &CRITIC.replace("DIVERGENCE", divergence)
    };
    let mut cases = Vec::new();
    let mut add = |name: &str, config: String, function| cases.push((name.to_owned(), config, function));
    for activation in ["softplus", "sharp-softplus", "tanh"] {
        let hidden = format!("hidden = [8, 8], activation = \"{activation}\"");
        let explicit = with(EXPLICIT, &format!("kind = \"explicit\", {hidden}"));
        add(&format!("map-{activation}"), explicit, Function::Map);
        let network = game(&format!("kind = \"network\", {hidden}"), "kl-donsker-varadhan");
        add(&format!("velocity-{activation}"), network, Function::Velocity);
    }
    let identity = with(EXPLICIT, "kind = \"explicit\", hidden = [8, 8], base = \"identity\"");
    add("map-identity", identity, Function::Map);
    let explicit = with(EXPLICIT, "kind = \"explicit\", hidden = [8, 8]");
    add("potential-explicit", explicit, Function::Potential);
    let network = game("kind = \"network\", hidden = [8, 8]", "kl-donsker-varadhan");
    add("potential-network", network, Function::Potential);
    let direct = game("kind = \"velocity\", hidden = [8, 8]", "kl-donsker-varadhan");
    add("velocity-direct", direct, Function::Velocity);
    add("velocity-matching", MATCHING.into(), Function::Velocity);
    add("critic", game("kind = \"hopf-lax\", hidden = [8]", "kl-donsker-varadhan"), Function::Critic);
    add("critic-below", game("kind = \"hopf-lax\", hidden = [8]", "kl"), Function::Critic);
    add("generator", GENERATOR.into(), Function::Map);
    cases
}

/// Trains a configuration into a folder.
fn train(folder: PathBuf, config: &str, points: &Path) {
    let place = format!("data.file=\"{}\"", points.display());
    match Config::parse(config, "small.toml", None, &[place]).unwrap() {
        Config::Flow(config) => drop(Run::new(*config).out(folder).train().unwrap()),
        Config::Generator(config) => drop(Run::new(*config).out(folder).train().unwrap()),
        Config::Critic(config) => drop(Run::new(*config).out(folder).train().unwrap()),
    }
}

/// What the model itself says of a function at points, at half of the horizon where it depends on the time.
fn expected(model: &Model, function: Function, x: &Array2<f64>) -> Array2<f64> {
    let column = |values: Vec<f64>| Array2::from_shape_vec((x.nrows(), 1), values).unwrap();
    match (function, model) {
        (Function::Map, model) => model.push_forward(x.view(), 0).unwrap(),
        (Function::Velocity, Model::Flow(flow)) => flow.velocity(x.view(), TIME).unwrap(),
        (Function::Potential, Model::Flow(flow)) => {
            let time = if flow.config.representation.kind() == "explicit" { 0.0 } else { TIME };
            column(flow.potential(x.view(), time).unwrap())
        }
        (Function::Critic, Model::Flow(flow)) => column(flow.critic(x.view()).unwrap()),
        _ => panic!("a generator has a map only"),
    }
}

const TIME: f64 = 0.5;

/// Loads each export with the example and evaluates it at x.npy.
const LOAD: &str = r#"
import importlib.util, pathlib, sys
import numpy as np, torch
spec = importlib.util.spec_from_file_location("load", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
for path in sorted(pathlib.Path(sys.argv[2]).glob("*.safetensors")):
    function = module.load(path)
    x = torch.from_numpy(np.load(path.with_suffix(".x.npy")))
    inputs = [x] + [torch.full((len(x), 1), 0.5) for _ in function.inputs[1:]]
    np.save(path.with_suffix(".y.npy"), function(*inputs).numpy())
"#;

#[test]
fn pytorch_computes_what_the_exported_model_does() {
    let Some(python) = python("torch, safetensors, numpy") else { return };
    let workshop = Workshop::new();
    fs::create_dir(workshop.path("files")).unwrap();
    let mut wanted = BTreeMap::new();
    for (name, config, function) in cases() {
        train(workshop.path(&name), &config, &workshop.path("points.csv"));
        let model = Model::load(&workshop.path(&name)).unwrap();
        let x = model.initial(50, 1).unwrap().mapv(|x| x as f32);
        datasets::write_npy_f32(workshop.path(&format!("files/{name}.x.npy")), &x).unwrap();
        let file = format!("files/{name}.safetensors");
        let export =
            ["export", &name, "--format", "safetensors", "--function", function.name(), "--out", &file];
        workshop.oplus(&export).assert().success();
        wanted.insert(name, (function, expected(&model, function, &x.mapv(f64::from))));
    }
    let loader = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/python/torch/load.py");
    printed(&python, LOAD, &[&loader, &workshop.path("files")]);
    for (name, (function, mut wanted)) in wanted {
        let mut found = datasets::read_matrix(workshop.path(&format!("files/{name}.y.npy"))).unwrap();
        if function == Function::Potential {
            // Up to a constant.
            found -= &found.mean_axis(Axis(0)).unwrap();
            wanted -= &wanted.mean_axis(Axis(0)).unwrap();
        }
        assert_eq!(found.dim(), wanted.dim(), "{name}");
        let largest = wanted.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
        let apart = (&found - &wanted).iter().fold(0.0_f64, |most, y| most.max(y.abs()));
        // Some layers of sums of a dozen terms of order 1, in single precision on both sides.
        assert!(apart <= 1e-5 * (1.0 + largest), "{name}: {apart} apart, of {largest}");
    }
}

/// Prints the steps and values of all scalars, and the steps and sizes of all pictures.
const READ: &str = r#"
import json, struct, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0}).Reload()
scalars = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
def size(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return list(struct.unpack(">II", png[16:24]))
images = {tag: [[e.step, [e.width, e.height], size(e.encoded_image_string)] for e in events.Images(tag)]
          for tag in events.Tags()["images"]}
print(json.dumps({"scalars": scalars, "images": images}))
"#;

/// The values of a metric in metrics.jsonl, by their steps.
fn recorded(workshop: &Workshop, run: &str, metric: &str) -> Vec<(u64, f64)> {
    let text = fs::read_to_string(workshop.path(&format!("{run}/metrics.jsonl"))).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter_map(|record| Some((record["step"].as_u64()?, record[metric].as_f64()?))).collect()
}

/// Trains with pictures and tables, forgets the newest two checkpoints, and goes on without being asked for them again.
fn trained_twice(workshop: &Workshop) {
    let changes = ["--set", "training.checkpoint_every=2", "--observe", "tensorboard,csv,jsonl"];
    workshop.train("run", &changes);
    for iteration in [4, 6] {
        fs::remove_file(workshop.path(&format!("run/checkpoints/{iteration:09}.safetensors"))).unwrap();
    }
    fs::remove_file(workshop.path("run/outcome.json")).unwrap();
    workshop.oplus(&["resume", "run"]).assert().success();
}

#[test]
fn a_run_that_goes_on_repeats_no_step_in_its_table() {
    let workshop = Workshop::new();
    trained_twice(&workshop);
    let table = fs::read_to_string(workshop.path("run/metrics.csv")).unwrap();
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let column = head.iter().position(|name| *name == "flow_objective").unwrap();
    let values: Vec<(u64, f64)> =
        lines.map(|cells| (cells[0].parse().unwrap(), cells[column].parse().unwrap())).collect();
    assert_eq!(values, recorded(&workshop, "run", "flow_objective"));
    assert_eq!(values.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [2, 4, 6]);
    let unknown = workshop.oplus(&["resume", "run", "--observe", "csv,tensorbord"]).output().unwrap();
    let message = String::from_utf8(unknown.stderr).unwrap();
    assert!(
        message.contains("there is no observer \"tensorbord\": take tensorboard, csv or jsonl"),
        "{message}"
    );
}

#[test]
fn tensorboard_reads_the_scalars_and_pictures_of_a_run_that_went_on() {
    let Some(python) = python("tensorboard") else { return };
    let workshop = Workshop::new();
    trained_twice(&workshop);
    // One whose events are asked for when it goes on has those of before too.
    workshop.train("late", &["--set", "training.checkpoint_every=2"]);
    fs::remove_file(workshop.path("late/checkpoints/000000006.safetensors")).unwrap();
    fs::remove_file(workshop.path("late/outcome.json")).unwrap();
    workshop.oplus(&["resume", "late", "--observe", "tensorboard"]).assert().success();
    for run in ["run", "late"] {
        let read: Value = serde_json::from_str(&printed(&python, READ, &[&workshop.path(run)])).unwrap();
        let scalars = read["scalars"].as_object().unwrap();
        assert!(scalars.len() > 10, "{scalars:?}");
        for (metric, events) in scalars {
            // Events are in single precision.
            let single = |events: Vec<(u64, f64)>| -> Vec<(u64, f32)> {
                events.into_iter().map(|(step, value)| (step, value as f32)).collect()
            };
            let events = single(serde_json::from_value(events.clone()).unwrap());
            let expected = single(recorded(&workshop, run, metric));
            assert_eq!(events, expected, "{metric} of {run}");
        }
        let pictures = read["images"]["samples"].as_array().unwrap();
        // The first, the second and the last of three records; those before were not drawn.
        let steps: Vec<u64> = pictures.iter().map(|picture| picture[0].as_u64().unwrap()).collect();
        assert_eq!(steps, if run == "run" { vec![2, 4, 6] } else { vec![6] });
        assert!(
            pictures.iter().all(|picture| picture[1] == picture[2] && picture[1][0] == 320),
            "{pictures:?}"
        );
    }
}
