//! Numbers for a dashboard: an array of `{name, unit, value}`, less of each being better, as github-action-benchmark takes it
//! for `customSmallerIsBetter`. The scripts in `benches/peers` write the same for what they time.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// One number of a series: the series has the name, each commit adds a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Number {
    pub name: String,
    pub unit: String,
    pub value: f64,
    /// The deviation of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Shown where the pointer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<String>,
}

impl Number {
    pub(super) fn new(name: String, unit: &str, value: f64) -> Self {
        Self { name, unit: unit.to_owned(), value, range: None, extra: None }
    }
}

/// Writes the numbers whole or not at all.
pub(super) fn write(path: &Path, numbers: &[Number]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let text = serde_json::to_string_pretty(numbers)?;
    datasets::write_whole(path, |file| writeln!(file, "{text}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    /// The example in the README of github-action-benchmark.
    const PUBLISHED: &str = r#"[
        {"name": "My Custom Smaller Is Better Benchmark - CPU Load", "unit": "Percent", "value": 50},
        {
            "name": "My Custom Smaller Is Better Benchmark - Memory Used",
            "unit": "Megabytes",
            "value": 100,
            "range": "3",
            "extra": "Value for Tooltip: 25\nOptional Num #2: 100\nAnything Else!"
        }
    ]"#;

    fn root() -> PathBuf {
        Workspace::find().unwrap().root().to_path_buf()
    }

    /// Reads a file as a dashboard does; each series once, and each number finite and above zero.
    fn read(text: &str) -> Result<Vec<Number>, String> {
        let numbers: Vec<Number> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let names: BTreeSet<&str> = numbers.iter().map(|number| number.name.as_str()).collect();
        let sound = numbers.iter().all(|number| number.value.is_finite() && number.value > 0.0);
        if numbers.is_empty() || names.len() < numbers.len() || !sound {
            return Err("no numbers, a name twice, or a value that is none".into());
        }
        Ok(numbers)
    }

    /// The files that the workflow hands to the dashboard.
    fn handed_over() -> Vec<(String, Vec<Number>)> {
        let workflow = fs::read_to_string(root().join(".github/workflows/bench.yml")).unwrap();
        assert!(workflow.contains("tool: customSmallerIsBetter"));
        assert!(workflow.contains("output-file-path: benches/results/${{ matrix.results }}.github.json"));
        let names = workflow.lines().filter_map(|line| line.trim().strip_prefix("results: "));
        let file = |name: &str| root().join(format!("benches/results/{name}.github.json"));
        names.map(|name| (name.to_owned(), read(&fs::read_to_string(file(name)).unwrap()).unwrap())).collect()
    }

    #[test]
    fn what_the_workflow_hands_over_has_the_published_format() {
        assert_eq!(read(PUBLISHED).unwrap().len(), 2);
        for broken in [
            PUBLISHED.replace("\"unit\"", "\"units\""),
            PUBLISHED.replace("\"value\": 50", "\"value\": \"50\""),
            PUBLISHED.replace("\"value\": 50", "\"value\": -1"),
            PUBLISHED.replace("Memory Used", "CPU Load"),
            "[]".to_owned(),
        ] {
            assert!(read(&broken).is_err(), "{broken}");
        }
        let written = serde_json::to_string(&[Number::new("a".into(), "s", 0.5)]).unwrap();
        assert_eq!(written, r#"[{"name":"a","unit":"s","value":0.5}]"#);
        assert_eq!(handed_over().len(), 4);
    }

    #[test]
    fn training_transport_sinkhorn_sampling_and_memory_are_series() {
        let numbers: Vec<Number> = handed_over().into_iter().flat_map(|(_, numbers)| numbers).collect();
        for (part, unit) in [
            ("training iteration 48x5 d=12", "s"),
            ("pinwheel-8000-12/ours time", "s"),
            ("pinwheel-8000-12/ours memory", "bytes"),
            ("sinkhorn divergence", "s"),
            ("1000 samples", "ms"),
            ("training memory", "MiB"),
        ] {
            let found = numbers.iter().any(|number| number.name.contains(part) && number.unit == unit);
            assert!(found, "no series `{part}` in {unit}");
        }
        // Less is better of all of them.
        assert!(numbers.iter().all(|number| ["s", "ms", "bytes", "MiB"].contains(&number.unit.as_str())));
    }
}
