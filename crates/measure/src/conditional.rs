//! The distances of generated points to those of a target under each condition.

use crate::MeasureError;
use eval::results::Metrics;
use metrics::{CONDITIONAL_W2_SQUARED, JOINT_W2_SQUARED, WORST_CLASS_W2_SQUARED};
use ndarray::{Array2, Axis};
use train::source::Conditions;

/// w2_squared within each class, its mean and its largest over the classes, of pairs of clouds of rows (x, c) whose condition
/// is a label; nothing where some class is not on both sides of a pair. Where it is a vector, w2_squared between the rows.
///
/// Complexity: exact transport of each class, a k-th of the points of a cloud, or of the rows.
pub(crate) fn of_clouds(
    condition: Option<&Conditions>,
    generated: &[Array2<f64>],
    reference: &[Array2<f64>],
) -> Result<Metrics, MeasureError> {
    let mut metrics = Metrics::default();
    let Some(condition) = condition else { return Ok(metrics) };
    let Some(labels) = condition.labels() else {
        let pairs = generated.iter().zip(reference);
        let joint = pairs.map(|(x, y)| eval::w2_squared(x.view(), y.view()));
        metrics.insert_repeated(JOINT_W2_SQUARED, &joint.collect::<Result<Vec<f64>, _>>()?);
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

#[cfg(test)]
mod tests {
    use super::of_clouds;
    use crate::subject::Target;
    use metrics::{CONDITIONAL_W2_SQUARED, WORST_CLASS_W2_SQUARED};
    use ndarray::{array, s};
    use train::config::{Configuration, FlowConfig};
    use train::source::Inputs;

    /// One class shifts by (1, 0), the other by (0, 3), so that the distances are 1 and 9.
    #[test]
    fn each_class_has_a_distance_of_its_own() {
        let text = include_str!("../../../configs/conditional/planar/moons-2d-explicit.toml");
        let config = FlowConfig::parse(text, "row", Some("smoke"), &[]).unwrap();
        let target = Target::new(&config, &Inputs::default()).unwrap();
        // The labels 0 and 1 as (1, 0) and (0, 1) behind the coordinates.
        let reference =
            array![[0.0, 0.0, 1.0, 0.0], [5.0, 1.0, 1.0, 0.0], [0.5, 0.5, 0.0, 1.0], [9.0, 9.0, 0.0, 1.0]];
        assert_eq!(target.labels(reference.view()).unwrap(), [0.0, 0.0, 1.0, 1.0]);
        let condition = target.condition;
        let mut generated = reference.clone();
        generated.slice_mut(s![..2, 0]).mapv_inplace(|x| x + 1.0);
        generated.slice_mut(s![2.., 1]).mapv_inplace(|x| x + 3.0);
        let found = of_clouds(condition.as_ref(), &[generated], std::slice::from_ref(&reference)).unwrap();
        let found = [CONDITIONAL_W2_SQUARED, WORST_CLASS_W2_SQUARED].map(|metric| found.get(metric).unwrap());
        // Sums of two terms.
        assert!((found[0] - 5.0).abs() < 1e-12 && (found[1] - 9.0).abs() < 1e-12, "{found:?}");
        let without = reference.slice(s![..2, ..]).to_owned();
        let none = of_clouds(condition.as_ref(), &[without], &[reference]).unwrap();
        assert_eq!(none.get(CONDITIONAL_W2_SQUARED), None, "a class is missing");
    }
}
