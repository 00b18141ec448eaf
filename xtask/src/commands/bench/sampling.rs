//! What three representations of a flow cost in training, memory and sampling, for the dashboard: what a run measures of
//! itself.

use super::dashboard::{self, Number};
use crate::commands::oplus;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Flows to the pinwheel in 12 dimensions: the name of the series, and the configuration.
const FLOWS: [(&str, &str); 3] = [
    ("explicit", "configs/table1/explicit/pinwheel-12d-w1w2.toml"),
    ("Hopf–Lax", "configs/optimality/ours/pinwheel-12d-w1w2.toml"),
    ("adversarial", "configs/table1/tuned/pinwheel-12d-w1w2.toml"),
];
const PRESET: &str = "quick";
const RESULTS: &str = "benches/results/sampling.github.json";
/// Names of metrics, what the series is called, and its unit.
const SERIES: [(&str, &str, &str); 4] = [
    ("training_seconds", "training time", "s"),
    ("peak_memory", "training memory", "MiB"),
    ("ms_per_1000_one_step", "1000 samples, one step", "ms"),
    ("ms_per_1000_64_steps", "1000 samples, 64 steps", "ms"),
];

/// What `results.json` of a run has of this.
#[derive(Debug, Deserialize)]
struct Results {
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    metrics: BTreeMap<String, f64>,
}

/// Trains each flow in a process of its own, on one thread, and writes the numbers.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let program = oplus::build(workspace, &[])?;
    let mut numbers = Vec::new();
    for (name, config) in FLOWS {
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let mut train = Command::new(&program);
        train.current_dir(workspace.root()).args(["train", config, "--preset", PRESET, "--out"]);
        train.arg(folder.path().join("run")).env("RAYON_NUM_THREADS", "1");
        workspace.run(train, config)?;
        numbers.extend(series(name, &folder.path().join("run/results.json"))?);
    }
    dashboard::write(&workspace.root().join(RESULTS), &numbers)
}

/// The numbers of a run, each with the name of its series.
fn series(name: &str, results: &Path) -> Result<Vec<Number>> {
    let text =
        fs::read_to_string(results).with_context(|| format!("{} cannot be read", results.display()))?;
    let results: Results = serde_json::from_str(&text).context("the results of the run are damaged")?;
    let metrics = &results.rows.first().context("the results of the run have no row")?.metrics;
    let number = |(metric, what, unit): (&str, &str, &str)| {
        let value =
            *metrics.get(metric).with_context(|| format!("{name}: the run has measured no {metric}"))?;
        Ok(Number::new(format!("{name} d=12/{what}"), unit, value))
    };
    SERIES.into_iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_named_and_a_metric_that_is_missing_too() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let metrics = r#""training_seconds": 2.5, "peak_memory": 9, "ms_per_1000_one_step": 0.5"#;
        let write = |more: &str| {
            fs::write(file.path(), format!(r#"{{"rows": [{{"metrics": {{{metrics}{more}}}}}]}}"#)).unwrap();
            series("explicit", file.path())
        };
        let numbers = write(r#", "ms_per_1000_64_steps": 20.0, "other": 1"#).unwrap();
        let told: Vec<_> = numbers.iter().map(|number| (number.name.as_str(), number.value)).collect();
        let one = ("explicit d=12/1000 samples, one step", 0.5);
        assert_eq!((told.len(), told[0], told[2]), (4, ("explicit d=12/training time", 2.5), one));
        assert!(write("").unwrap_err().to_string().contains("ms_per_1000_64_steps"));
    }
}
