//! The records of a run, and the milestones in them.

use crate::MeasureError;
use eval::Metrics;
use metrics::Metric;
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;
use train::run::METRICS_FILE;

/// The distance that counts as near, in w2 between points of the ring.
const NEAR: f64 = 0.15;

/// The records of a run, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Records(Vec<Map<String, Value>>);

/// What a record is set over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abscissa {
    /// Iterations done.
    Iterations,
    /// Wall-clock seconds of training, without the measurements.
    Seconds,
}

impl Abscissa {
    /// Its field in a record.
    fn field(self) -> &'static str {
        match self {
            Self::Iterations => "step",
            Self::Seconds => "seconds",
        }
    }
}

impl Records {
    /// Reads the records of a run folder; a torn last line is left out.
    ///
    /// # Errors
    /// [`MeasureError::Records`] where there are none.
    pub fn read(folder: &Path) -> Result<Self, MeasureError> {
        let path = folder.join(METRICS_FILE);
        let text = fs::read_to_string(&path).map_err(|source| MeasureError::Records { path, source })?;
        Ok(Self(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()))
    }

    /// One metric over iterations or seconds, in the order of the records; records without it are left out.
    #[must_use]
    pub fn over(&self, abscissa: Abscissa, metric: &Metric) -> Vec<(f64, f64)> {
        let field = abscissa.field();
        self.0
            .iter()
            .filter_map(|record| Some((number(record, field)?, number(record, metric.name)?)))
            .collect()
    }

    /// The same with the iteration of each record before it.
    #[must_use]
    pub fn curve(&self, abscissa: Abscissa, metric: &Metric) -> Vec<[f64; 3]> {
        let iterations = self.over(Abscissa::Iterations, metric).into_iter();
        iterations
            .zip(self.over(abscissa, metric))
            .map(|((step, _), (at, value))| [step, at, value])
            .collect()
    }

    /// The first value of the abscissa at which a metric was at most `limit`.
    #[must_use]
    pub fn until(&self, abscissa: Abscissa, metric: &Metric, limit: f64) -> Option<f64> {
        self.over(abscissa, metric).into_iter().find(|(_, value)| *value <= limit).map(|(at, _)| at)
    }

    /// Iterations and seconds of training at the last record; none where there is no record.
    #[must_use]
    pub fn reached(&self) -> Option<(u64, f64)> {
        let last = self.0.last()?;
        Some((last.get("step").and_then(Value::as_u64)?, number(last, "seconds")?))
    }

    /// Seconds that all readings took.
    #[must_use]
    pub fn reading_seconds(&self) -> f64 {
        self.0.iter().filter_map(|record| number(record, "reading_seconds")).sum()
    }

    /// How many records are without readings, which were left out to save time.
    #[must_use]
    pub fn without_readings(&self) -> usize {
        self.0.iter().filter(|record| !record.contains_key("reading_seconds")).count()
    }

    /// What a table tells of the way of a generator: the first record at a distance, the best and the last one.
    #[must_use]
    pub fn milestones(&self) -> Metrics {
        let mut milestones = Metrics::default();
        let accuracies = self.over(Abscissa::Iterations, metrics::ACCURACY_ALL);
        // Of equal values the largest is the last one: turned around, the first iteration.
        if let Some(&(iteration, accuracy)) = accuracies.iter().rev().max_by(|a, b| a.1.total_cmp(&b.1)) {
            milestones.insert(metrics::ACCURACY_BEST, accuracy);
            milestones.insert(metrics::ITERATION_OF_ACCURACY_BEST, iteration);
            return milestones;
        }
        let w2 = |record: &Map<String, Value>| number(record, metrics::W2.name);
        if let Some(w2) = self.0.last().and_then(w2) {
            milestones.insert(metrics::W2_FIXED, w2);
        }
        // Random starting points have random counts of the modes, which alone may keep w2 above the level.
        let near = |record: &&Map<String, Value>| {
            number(record, metrics::W2_EVEN.name).or_else(|| w2(record)).is_some_and(|w2| w2 <= NEAR)
        };
        if let Some(record) = self.0.iter().find(near) {
            for (metric, abscissa) in [
                (metrics::ITERATIONS_TO_W2, Abscissa::Iterations),
                (metrics::SECONDS_TO_W2, Abscissa::Seconds),
            ] {
                milestones.insert(metric, number(record, abscissa.field()).unwrap_or(f64::NAN));
            }
        }
        milestones
    }
}

fn number(record: &Map<String, Value>, field: &str) -> Option<f64> {
    record.get(field).and_then(Value::as_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Records {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(METRICS_FILE);
        datasets::write_whole(path, |file| file.write_all(text.as_bytes())).unwrap();
        Records::read(folder.path()).unwrap()
    }

    #[test]
    fn values_that_are_null_or_missing_and_a_torn_line_are_left_out() {
        let records =
            records("{\"step\":1,\"path_ratio\":0.5,\"w1\":null}\n{\"step\":2,\"path_ratio\":0.0}\n{\"st");
        assert_eq!(records.over(Abscissa::Iterations, metrics::PATH_RATIO), [(1.0, 0.5), (2.0, 0.0)]);
        assert_eq!(records.over(Abscissa::Iterations, metrics::W1), []);
        assert_eq!(records.over(Abscissa::Seconds, metrics::PATH_RATIO), []);
    }

    #[test]
    fn how_far_a_run_has_come_is_its_last_record() {
        assert_eq!(records("").reached(), None);
        let two = records("{\"step\":10,\"seconds\":0.5}\n{\"step\":20,\"seconds\":1.5,\"w1\":null}\n");
        assert_eq!(two.reached(), Some((20, 1.5)));
    }

    #[test]
    fn the_first_record_at_a_distance_is_that_of_even_points_where_there_are() {
        let even = "{\"step\":1,\"seconds\":0.5,\"w2\":0.1,\"w2_even\":0.2}\n\
                    {\"step\":2,\"seconds\":1.5,\"w2\":0.3,\"w2_even\":0.15}\n";
        for (text, step) in [(even.to_owned(), 2.0), (even.replace("w2_even", "w1"), 1.0)] {
            let milestones = records(&text).milestones();
            assert_eq!(milestones.get(metrics::ITERATIONS_TO_W2), Some(step));
            assert_eq!(milestones.get(metrics::SECONDS_TO_W2), Some(step - 0.5));
            assert_eq!(milestones.get(metrics::W2_FIXED), Some(0.3));
        }
    }

    #[test]
    fn the_first_value_within_a_limit_is_found() {
        let records = records(
            "{\"step\":1,\"seconds\":2.0,\"w1\":0.9}\n{\"step\":2,\"seconds\":4.0}\n{\"step\":3,\"seconds\":6.0,\"w1\":0.5}\n\
             {\"step\":4,\"seconds\":8.0,\"w1\":0.6}\n",
        );
        let until = |limit| records.until(Abscissa::Seconds, metrics::W1, limit);
        assert_eq!([0.9, 0.6, 0.5, 0.4].map(until), [Some(2.0), Some(6.0), Some(6.0), None]);
    }

    #[test]
    fn the_best_accuracy_is_told_with_its_iteration() {
        let text = "{\"step\":5,\"accuracy_all\":0.3}\n{\"step\":10,\"accuracy_all\":0.6}\n\
                    {\"step\":15,\"accuracy_all\":0.5}\n{\"step\":20,\"accuracy_all\":0.6}\n";
        let milestones = records(text).milestones();
        assert_eq!(milestones.get(metrics::ACCURACY_BEST), Some(0.6));
        assert_eq!(milestones.get(metrics::ITERATION_OF_ACCURACY_BEST), Some(10.0));
    }
}
