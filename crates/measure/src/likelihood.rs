//! What a flow that is trained by likelihood says of points of its target.

use crate::MeasureError;
use eval::Metrics;
use metrics::{INVERSE_ERROR, NEGATIVE_LOG_LIKELIHOOD};
use ndarray::{ArrayView2, Zip};
use train::model::FlowModel;

/// −E log p of the rows of `points`, [n, d], and E‖x − f⁻¹(f(x))‖; each is left out where it is not finite.
pub(crate) fn of_points<N: flows::scalar_field::ScalarField>(
    model: &FlowModel<N>,
    points: ArrayView2<'_, f64>,
) -> Result<Metrics, MeasureError> {
    let densities = model.log_density(points)?;
    let there = model.inverse(points)?;
    let back = model.push_forward(there.view(), model.steps(), model.config.seed)?;
    let gap = |x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>| {
        let mut distances = Vec::with_capacity(x.nrows());
        Zip::from(x.rows()).and(y.rows()).for_each(|x, y| {
            distances.push(x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt());
        });
        distances
    };
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    let measured =
        [(NEGATIVE_LOG_LIKELIHOOD, -mean(&densities)), (INVERSE_ERROR, mean(&gap(points, back.view())))];
    Ok(measured.into_iter().filter(|(_, value)| value.is_finite()).collect())
}
