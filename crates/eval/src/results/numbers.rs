//! Numbers by metric, as results hold them.

use crate::Summary;
use metrics::{DEVIATION, Metric};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Finite numbers by metric; a number that is not finite is not taken in.
///
/// What is read from a file keeps the names that stand there, whether the catalogue knows them or not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Option<f64>>")]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Takes in a value, if it is finite.
    ///
    /// ```
    /// let mut metrics = eval::Metrics::default();
    /// metrics.insert(metrics::PATH_RATIO, 0.01);
    /// metrics.insert(metrics::STRAIGHTNESS, f64::NAN);
    /// assert_eq!(metrics.get(metrics::PATH_RATIO), Some(0.01));
    /// assert_eq!(metrics.get(metrics::STRAIGHTNESS), None);
    /// ```
    pub fn insert(&mut self, metric: &Metric, value: f64) {
        self.insert_as(metric.name.to_owned(), value);
    }

    /// Takes in mean and standard deviation of repeated measurements, the latter under the name of the metric with the
    /// ending [`DEVIATION`]; nothing if one of them is not finite.
    pub fn insert_repeated(&mut self, metric: &Metric, values: &[f64]) {
        if let Some(summary) = Summary::of(values) {
            self.insert(metric, summary.mean);
            if let Some(sd) = summary.sd {
                self.insert_as(format!("{metric}{DEVIATION}"), sd);
            }
        }
    }

    /// Keeps the value and the deviation of a repeated metric under a second one.
    pub fn repeat(&mut self, from: &Metric, to: &Metric) {
        if let Some(value) = self.get(from) {
            self.insert(to, value);
        }
        if let Some(sd) = self.deviation(from) {
            self.insert_as(format!("{to}{DEVIATION}"), sd);
        }
    }

    /// The value of a metric.
    #[must_use]
    pub fn get(&self, metric: &Metric) -> Option<f64> {
        self.0.get(metric.name).copied()
    }

    /// The standard deviation of a repeated metric.
    #[must_use]
    pub fn deviation(&self, metric: &Metric) -> Option<f64> {
        self.0.get(&format!("{metric}{DEVIATION}")).copied()
    }

    /// All values by name, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The values of known metrics, and their deviations, after `change`; the others as they are.
    #[must_use]
    pub fn map(self, change: impl Fn(&Metric, f64) -> f64) -> Self {
        let known = |name: &str| metrics::find(name).or_else(|| metrics::find(name.strip_suffix(DEVIATION)?));
        let changed = |(name, value): (String, f64)| {
            let value = known(&name).map_or(value, |metric| change(metric, value));
            (name, value)
        };
        Self(self.0.into_iter().map(changed).collect())
    }

    fn insert_as(&mut self, name: String, value: f64) {
        if value.is_finite() {
            self.0.insert(name, value);
        }
    }

    /// Takes in all values of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl From<BTreeMap<String, Option<f64>>> for Metrics {
    fn from(values: BTreeMap<String, Option<f64>>) -> Self {
        let mut metrics = Self::default();
        for (name, value) in values {
            metrics.insert_as(name, value.unwrap_or(f64::NAN));
        }
        metrics
    }
}

impl<'a> FromIterator<(&'a Metric, f64)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (&'a Metric, f64)>>(values: I) -> Self {
        let mut metrics = Self::default();
        for (metric, value) in values {
            metrics.insert(metric, value);
        }
        metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics::{W1, W2, W2_FIXED};

    #[test]
    fn a_deviation_changes_with_its_metric() {
        let mut metrics = Metrics::default();
        metrics.insert_repeated(W2, &[1.0, 3.0]);
        let doubled = metrics.map(|metric, value| if metric == W2 { 2.0 * value } else { value });
        assert_eq!((doubled.get(W2), doubled.deviation(W2)), (Some(4.0), Some(8.0_f64.sqrt())));
    }

    #[test]
    fn repeated_values_that_are_not_finite_leave_nothing() {
        let mut metrics = Metrics::default();
        metrics.insert_repeated(W1, &[1.0, f64::INFINITY]);
        assert_eq!(metrics.iter().count(), 0);
        metrics.insert_repeated(W1, &[1.0, 3.0]);
        assert_eq!(metrics.get(W1), Some(2.0));
        assert_eq!(metrics.deviation(W1), Some(2.0_f64.sqrt()));
        metrics.repeat(W1, W2);
        assert_eq!((metrics.get(W2), metrics.deviation(W2)), (Some(2.0), Some(2.0_f64.sqrt())));
        metrics.repeat(W2_FIXED, W1);
        assert_eq!(metrics.get(W1), Some(2.0));
    }
}
