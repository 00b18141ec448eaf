//! Rows that differ in their seeds, as one.

use super::{Row, Status};
use crate::summary::Summary;
use metrics::Metric;

/// The rows that a mean is taken over: those that ended well, or all of them where none did, so that no number of a run
/// that diverged hides among those of others.
#[must_use]
pub fn counted<'a>(rows: &[&'a Row]) -> Vec<&'a Row> {
    let well: Vec<&Row> = rows.iter().copied().filter(|row| row.status == Status::Ok).collect();
    if well.is_empty() { rows.to_vec() } else { well }
}

/// Mean and deviation of a metric over the [`counted`] rows that have it; the deviation over pairs of clouds where `rows`
/// is one row.
#[must_use]
pub fn over_seeds(rows: &[&Row], metric: &Metric) -> Option<Summary> {
    let values: Vec<f64> = counted(rows).iter().filter_map(|row| row.metrics.get(metric)).collect();
    let mut summary = Summary::of(&values)?;
    if let [row] = rows {
        summary.sd = row.metrics.deviation(metric);
    }
    Some(summary)
}
