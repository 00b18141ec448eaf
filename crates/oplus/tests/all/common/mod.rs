//! A run of a fraction of a second: a tiny flow on a file of 40 points, so that clouds are tiny too.
//!
//! The tests of the built program lie in its own package, since cargo tells a program's path to no other.

use assert_cmd::Command;
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const CONFIG: &str = r#"
kind = "flow"
name = "tiny"
[data]
kind = "file"
file = "points.csv"
dim = 2
[flow]
horizon = 1.0
lambda = 0.5
steps = 2
[representation]
kind = "network"
hidden = [6]
[critic]
divergence = "kl-donsker-varadhan"
lipschitz = { method = "penalty", form = "one-sided-squared", weight = 1.0 }
hidden = [6]
[training]
iterations = 6
batch = 8
critic_updates = 1
log_every = 2
optimiser = { learning_rate = 1e-3 }
critic_optimiser = { learning_rate = 1e-3 }
[sampling]
steps = 3
[presets.smoke]
"#;

/// A folder with a configuration and its data.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut points = String::from("x,y\n");
        for i in 0..40 {
            let angle = f64::from(i) * 0.7;
            writeln!(points, "{},{}", angle.cos(), 0.5 * angle.sin()).unwrap();
        }
        fs::write(folder.path().join("points.csv"), points).unwrap();
        fs::write(folder.path().join("tiny.toml"), CONFIG).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn oplus(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oplus"));
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    /// Trains the tiny flow into the folder `out`.
    pub(crate) fn train(&self, out: &str, changes: &[&str]) {
        let mut arguments = vec!["train", "tiny.toml", "--preset", "smoke", "--out", out];
        arguments.extend(changes);
        self.oplus(&arguments).assert().success();
    }

    /// The names that a results.json, or records beside it, hold though the catalogue of metrics does not.
    pub(crate) fn undefined(&self, folder: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(&format!("{folder}/metrics.jsonl"))).unwrap_or_default();
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut names: Vec<String> = records.flat_map(|record| keys(&record)).collect();
        // What a record is set over.
        names.retain(|name| !["step", "seconds", "reading_seconds"].contains(&name.as_str()));
        let results = fs::read_to_string(self.path(&format!("{folder}/results.json"))).unwrap();
        names.extend(measured(&serde_json::from_str(&results).unwrap()));
        assert!(!names.is_empty());
        names.retain(|name| metrics::definition(name).is_none());
        names
    }

    /// Every file below the folder with its contents.
    pub(crate) fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(self.folder.path(), &mut files);
        files.sort();
        files
    }
}

/// The names of all metrics in a results.json.
pub(crate) fn measured(results: &Value) -> Vec<String> {
    let lists = ["rows", "floors"].map(|list| results[list].as_array().unwrap());
    lists.into_iter().flatten().flat_map(|row| keys(&row["metrics"])).collect()
}

/// The metrics of a row that another run of it has too: without those of the machine.
pub(crate) fn without_clock(mut metrics: Value) -> Value {
    let of_the_machine = |name: &str| metrics::find(name).is_some_and(metrics::Metric::is_of_the_machine);
    if let Some(metrics) = metrics.as_object_mut() {
        metrics.retain(|name, _| !of_the_machine(name));
    }
    metrics
}

fn keys(object: &Value) -> Vec<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let bytes = fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
}
