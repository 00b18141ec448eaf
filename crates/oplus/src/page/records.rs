//! The curves of a run from its metrics.jsonl.

use anyhow::{Context, Result};
use eval::report::{Curves, Figure, Scale, Series};
use eval::results::Metrics;
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;
use train::run::METRICS_FILE;

/// The records of a run.
pub struct Records(Vec<Map<String, Value>>);

impl Records {
    /// Reads the records of a run folder; a torn last line is left out.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(METRICS_FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Self(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()))
    }

    /// The curves of losses and indicators; a figure without any value is left out.
    pub fn figures(&self) -> Vec<Figure> {
        let figures = [
            self.curves(
                "Objectives: the critic's dual value and what the flow minimises",
                Scale::Linear,
                &["critic_divergence", "flow_objective", "critic_dual"],
            ),
            self.curves("Exact distances to a fixed batch", Scale::Logarithmic, &["w1", "w2", "w2_even"]),
            self.curves(
                "Accuracy of the nearest neighbour on the target's test digits",
                Scale::Linear,
                &["accuracy_all", "accuracy_2007"],
            ),
            self.curves("RMS slope ‖∇φ‖ at the generated points", Scale::Logarithmic, &["slope_rms"]),
            self.curves(
                "Misfit mean‖G(z) − ζ‖² before the first and the last of the K updates",
                Scale::Logarithmic,
                &["generator_objective_first", "generator_objective_last"],
            ),
            self.curves(
                "Slope ‖∇φ‖ of the critic",
                Scale::Linear,
                &["critic_slope_mean", "critic_slope_max"],
            ),
            self.curves(
                "Relative indicators, 0 at the exact optimum",
                Scale::Logarithmic,
                &["hj_residual_relative", "terminal_gradient_relative", "characteristic_rms", "path_ratio"],
            ),
            self.curves(
                "Kinetic energy and spread of the velocity",
                Scale::Logarithmic,
                &["kinetic_energy", "velocity_spread"],
            ),
        ];
        figures.into_iter().flatten().collect()
    }

    /// What a table tells of the way: the first record at a distance, the best and the last one.
    pub fn milestones(&self) -> Metrics {
        let mut metrics = Metrics::default();
        let number = |record: &Map<String, Value>, name: &str| record.get(name).and_then(Value::as_f64);
        let accuracies = self
            .0
            .iter()
            .filter_map(|record| Some((number(record, "accuracy_all")?, number(record, "step")?)));
        if let Some((accuracy, step)) = accuracies.max_by(|a, b| a.0.total_cmp(&b.0)) {
            metrics.insert("accuracy_best", accuracy);
            metrics.insert("iteration_of_accuracy_best", step);
            return metrics;
        }
        if let Some(w2) = self.0.last().and_then(|record| number(record, "w2")) {
            metrics.insert("w2_fixed", w2);
        }
        // Random starting points have random counts of the modes, which alone may keep w2 above the level.
        let near = |record: &&Map<String, Value>| {
            number(record, "w2_even").or_else(|| number(record, "w2")).is_some_and(|w2| w2 <= 0.15)
        };
        if let Some(record) = self.0.iter().find(near) {
            for (name, field) in [("iterations_to_w2_0.15", "step"), ("seconds_to_w2_0.15", "seconds")] {
                metrics.insert(name, number(record, field).unwrap_or(f64::NAN));
            }
        }
        metrics
    }

    /// One quantity over another, in the order of the records.
    pub fn over(&self, abscissa: &str, ordinate: &str) -> Vec<(f64, f64)> {
        let point = |record: &Map<String, Value>| {
            Some((record.get(abscissa)?.as_f64()?, record.get(ordinate)?.as_f64()?))
        };
        self.0.iter().filter_map(point).collect()
    }

    fn curves(&self, caption: &str, scale: Scale, names: &[&str]) -> Option<Figure> {
        let series: Vec<Series> = names
            .iter()
            .map(|name| Series { name: (*name).into(), points: self.points(name, scale) })
            .filter(|series| !series.points.is_empty())
            .collect();
        let curves = Curves { caption: caption.into(), x_label: "iteration".into(), scale, series };
        (!curves.series.is_empty()).then_some(Figure::Curves(curves))
    }

    fn points(&self, name: &str, scale: Scale) -> Vec<(f64, f64)> {
        self.over("step", name).into_iter().filter(|(_, y)| scale == Scale::Linear || *y > 0.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Records;
    use eval::report::Figure;

    #[test]
    fn values_that_are_null_or_missing_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let text = "{\"step\":1,\"path_ratio\":0.5,\"critic_divergence\":null}\n{\"step\":2,\"path_ratio\":0.0}\n{\"st";
        std::fs::write(folder.path().join("metrics.jsonl"), text).unwrap();
        let figures = Records::read(folder.path()).unwrap().figures();
        let [Figure::Curves(curves)] = figures.as_slice() else { panic!("{figures:?}") };
        assert_eq!(curves.series.len(), 1);
        assert_eq!(curves.series[0].points, [(1.0, 0.5)]);
    }

    #[test]
    fn the_first_record_at_a_distance_is_that_of_even_points_where_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let even = "{\"step\":1,\"seconds\":0.5,\"w2\":0.1,\"w2_even\":0.2}\n{\"step\":2,\"seconds\":1.5,\"w2\":0.3,\"w2_even\":0.15}\n";
        for (records, step) in [(even.to_owned(), 2.0), (even.replace("w2_even", "w1"), 1.0)] {
            std::fs::write(folder.path().join("metrics.jsonl"), records).unwrap();
            let milestones = Records::read(folder.path()).unwrap().milestones();
            assert_eq!(milestones.get("iterations_to_w2_0.15"), Some(step));
            assert_eq!(milestones.get("seconds_to_w2_0.15"), Some(step - 0.5));
        }
    }
}
