//! The results of a run or of a whole experiment, as they stand in `results.json`.

mod numbers;
mod seeds;
mod settings;
mod verdict;

pub use numbers::Metrics;
pub use seeds::{counted, over_seeds};
pub use settings::{Setting, Settings};
pub use verdict::{Layout, Reference, Verdict};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of this schema; it changes when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// The results of an experiment: one row for each configuration and seed. A single run has one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The name of the experiment, or of the single run.
    pub experiment: String,
    /// The preset of the settings.
    pub preset: String,
    /// How the rows were measured.
    pub protocol: Protocol,
    /// The rows.
    pub rows: Vec<Row>,
    /// The same measures between two independent samples of each target: no model can be expected to score less.
    pub floors: Vec<Floor>,
    /// What each metric is.
    #[serde(default)]
    pub definitions: BTreeMap<String, String>,
}

/// Sizes of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    /// Independent pairs of a generated and a target cloud; metrics are means over them.
    pub pairs: usize,
    /// Points a side for exact optimal transport, and particles for the indicators.
    pub exact_points: usize,
    /// Points a side for the Sinkhorn divergence, converged.
    pub sinkhorn_points: usize,
    /// Points a side for the Sinkhorn divergence with the published schedule.
    pub sinkhorn_points_as_published: usize,
}

impl Protocol {
    /// The protocol of reported numbers.
    pub const FULL: Self =
        Self { pairs: 8, exact_points: 2000, sinkhorn_points: 2000, sinkhorn_points_as_published: 5000 };
    /// The protocol of first impressions: fewer pairs of the same clouds, but for those of the published schedule, which
    /// would take half of the time.
    pub const QUICK: Self = Self { pairs: 4, sinkhorn_points_as_published: 2000, ..Self::FULL };
    /// A protocol of seconds, whose numbers only show that everything works: floors grow as clouds shrink.
    pub const SMOKE: Self =
        Self { pairs: 4, exact_points: 200, sinkhorn_points: 100, sinkhorn_points_as_published: 200 };

    /// The most points of one cloud that any measure takes.
    #[must_use]
    pub fn most_points(&self) -> usize {
        self.exact_points.max(self.sinkhorn_points).max(self.sinkhorn_points_as_published)
    }
}

/// One configuration with one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The method.
    pub method: String,
    /// The family of settings; empty for a single run.
    #[serde(default)]
    pub family: String,
    /// The data set.
    pub dataset: String,
    /// The ambient dimension d.
    pub dim: usize,
    /// The seed.
    pub seed: u64,
    /// The settings in which the runs of a sweep differ: values by key, in the order of the keys.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
    /// How the run ended.
    #[serde(flatten)]
    pub status: Status,
    /// The folder of the run, relative to this file.
    pub run: String,
    /// The generated clouds: a .npy file relative to this one, the pairs' clouds one after the other.
    pub samples: Option<String>,
    /// Iterations done.
    pub iterations: u64,
    /// Wall-clock seconds of the training.
    pub seconds: f64,
    /// Wall-clock seconds of what was measured during the training.
    #[serde(default)]
    pub reading_seconds: f64,
    /// The metrics; one that could not be computed is absent.
    pub metrics: Metrics,
    /// What happened on the way that a reader should know, such as a damaged checkpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The run judged against the floor, where that was measured with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Status {
    /// As it should.
    Ok,
    /// A number stopped being finite, or the samples lie far from the target where the initial points do not.
    Diverged {
        /// The iteration at which it did.
        step: u64,
        /// Which number, or how far.
        reason: String,
    },
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Diverged { step, .. } => write!(f, "diverged at {step}"),
        }
    }
}

/// The measures between two independent samples of a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    /// The data set.
    pub dataset: String,
    /// The ambient dimension d.
    pub dim: usize,
    /// The metrics.
    pub metrics: Metrics,
}

impl Floor {
    /// Whether it is one of this target, which may have several: `ring, random against equal counts` is one of `ring`.
    ///
    /// ```
    /// use eval::results::{Floor, Metrics};
    /// let floor = |dataset: &str| Floor { dataset: dataset.into(), dim: 2, metrics: Metrics::default() };
    /// assert!(floor("ring").is_of("ring", 2) && floor("ring, equal counts").is_of("ring", 2));
    /// assert!(!floor("student-t10").is_of("student-t1", 2) && !floor("ring").is_of("ring", 3));
    /// ```
    #[must_use]
    pub fn is_of(&self, dataset: &str, dim: usize) -> bool {
        let rest = self.dataset.strip_prefix(dataset);
        self.dim == dim && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
    }
}

impl Results {
    /// Results with the definitions of the metrics that occur in them.
    #[must_use]
    pub fn new(
        experiment: String,
        preset: String,
        protocol: Protocol,
        rows: Vec<Row>,
        floors: Vec<Floor>,
    ) -> Self {
        let measured = rows.iter().map(|row| &row.metrics).chain(floors.iter().map(|floor| &floor.metrics));
        let definitions = measured
            .flat_map(Metrics::iter)
            .filter_map(|(name, _)| Some((name.to_owned(), metrics::definition(name)?)))
            .collect();
        Self { schema_version: SCHEMA_VERSION, experiment, preset, protocol, rows, floors, definitions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn row(status: Status, metrics: Metrics) -> Row {
        Row {
            method: "w1w2".into(),
            family: "tuned".into(),
            dataset: "pinwheel".into(),
            dim: 7,
            seed: 3,
            settings: Settings::default(),
            status,
            run: "runs/a".into(),
            samples: Some("samples/a.npy".into()),
            iterations: 20,
            seconds: 1.5,
            reading_seconds: 0.25,
            metrics,
            notes: Vec::new(),
            verdict: None,
        }
    }

    #[test]
    fn the_written_form_is_the_one_that_others_read() {
        let metrics: Metrics =
            [(metrics::W2_SQUARED, 0.25), (metrics::PATH_RATIO, f64::NAN)].into_iter().collect();
        let diverged = Status::Diverged { step: 7, reason: "the loss is NaN".into() };
        let rows = vec![row(Status::Ok, metrics), row(diverged, Metrics::default())];
        let results = Results::new("table1".into(), "smoke".into(), Protocol::SMOKE, rows, vec![]);
        let written = serde_json::to_value(&results).unwrap();
        assert_eq!(
            written["rows"][0],
            json!({"method": "w1w2", "family": "tuned", "dataset": "pinwheel", "dim": 7, "seed": 3, "status": "ok",
                   "run": "runs/a", "samples": "samples/a.npy", "iterations": 20, "seconds": 1.5,
                   "reading_seconds": 0.25,
                   "metrics": {"w2_squared": 0.25}})
        );
        assert_eq!(written["rows"][1]["status"], "diverged");
        assert_eq!(written["rows"][1]["step"], 7);
        assert_eq!(written["rows"][1]["metrics"], json!({}));
        assert_eq!(written["schema_version"], 1);
        assert_eq!(written["protocol"]["pairs"], 4);
        assert!(written["definitions"]["w2_squared"].is_string());
        assert_eq!(serde_json::from_value::<Results>(written).unwrap(), results);
    }

    #[test]
    fn metrics_that_another_program_nulled_are_absent() {
        let value: Value = json!({"w2_squared": null, "path_ratio": 0.5});
        let metrics: Metrics = serde_json::from_value(value).unwrap();
        assert_eq!(metrics.iter().collect::<Vec<_>>(), [("path_ratio", 0.5)]);
    }
}
