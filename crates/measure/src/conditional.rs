//! The distances of generated points to those of a target under each condition.

use crate::MeasureError;
use eval::results::Metrics;
use metrics::{CONDITIONAL_W2_SQUARED, WORST_CLASS_W2_SQUARED};
use ndarray::{Array2, Axis};
use train::source::Conditions;

/// w2_squared within each class, its mean and its largest over the classes, of pairs of clouds of rows (x, c); nothing where
/// the condition is no label, or some class is not on both sides of a pair.
///
/// Complexity: exact transport of each class, a k-th of the points of a cloud.
pub(crate) fn of_clouds(
    condition: Option<&Conditions>,
    generated: &[Array2<f64>],
    reference: &[Array2<f64>],
) -> Result<Metrics, MeasureError> {
    let mut metrics = Metrics::default();
    let Some((condition, labels)) = condition.and_then(|c| Some((c, c.labels()?))) else {
        return Ok(metrics);
    };
    let class = |(cloud, written): (&Array2<f64>, &Array2<f64>), label: f64| {
        let rows = written.iter().enumerate().filter(|(_, c)| **c == label).map(|(row, _)| row);
        condition.coordinates(cloud.view()).select(Axis(0), &rows.collect::<Vec<_>>())
    };
    let (mut means, mut worst) = (Vec::new(), Vec::new());
    for (generated, reference) in generated.iter().zip(reference) {
        let (theirs, ours) = (condition.written(reference.view()), condition.written(generated.view()));
        let mut distances = Vec::with_capacity(labels.len());
        for &label in labels {
            let (x, y) = (class((generated, &ours), label), class((reference, &theirs), label));
            if x.nrows() == 0 || y.nrows() == 0 {
                return Ok(metrics);
            }
            distances.push(eval::w2_squared(x.view(), y.view())?);
        }
        means.push(distances.iter().sum::<f64>() / distances.len().max(1) as f64);
        worst.push(distances.into_iter().fold(0.0, f64::max));
    }
    metrics.insert_repeated(CONDITIONAL_W2_SQUARED, &means);
    metrics.insert_repeated(WORST_CLASS_W2_SQUARED, &worst);
    Ok(metrics)
}
