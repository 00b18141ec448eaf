//! Measures of a trained flow.

use crate::error::finite;
use crate::subject::{FreshTarget, Side};
use crate::{MeasureError, Measurement, indicators, known};
use eval::closeness;
use eval::results::Protocol;
use flows::scalar_field::ScalarField;
use metrics::{W2_SQUARED, W2_SQUARED_BY_STEPS};
use ndarray::{Array2, ArrayView2, Axis, s};
use train::model::FlowModel;
use train::source::Inputs;

/// Measures a trained flow: distances to fresh points of its target, with its own number of Euler steps and with
/// others ([`W2_SQUARED_BY_STEPS`]); the indicators of the optimality system along the paths of its particles; the
/// slopes of its critic; the distance to the optimum where that is known.
///
/// `inputs` are those of the run: an array in memory, where it was trained on one. The generated points are those that
/// [`FlowModel::sample`] draws with the seed of the run. Complexity: exact transport between
/// [`Protocol::exact_points`] points a side, some ten times a pair, and the Sinkhorn divergences of [`closeness`].
///
/// # Errors
/// [`MeasureError::NotFinite`] where the flow leads out of the finite numbers; what reading the data reports.
pub fn flow<N: ScalarField + Clone>(
    model: &FlowModel<N>,
    inputs: &Inputs,
    protocol: Protocol,
) -> Result<Measurement, MeasureError> {
    let units = &model.units;
    Ok(in_training_units(&model.in_training_units(), inputs, protocol)?.in_units(units, units))
}

fn in_training_units<N: ScalarField>(
    model: &FlowModel<N>,
    inputs: &Inputs,
    protocol: Protocol,
) -> Result<Measurement, MeasureError> {
    let fresh = FreshTarget::new(&model.config, inputs)?;
    let size = fresh.largest_cloud().min(protocol.most_points());
    let steps = model.config.sampling.steps;
    let initial = model.initial(protocol.pairs * size, model.config.seed)?;
    let generated = finite(model.push_forward(initial.view(), steps, model.config.seed)?)?;
    let mut target = Array2::zeros((0, generated.ncols()));
    for pair in 0..protocol.pairs {
        target.append(Axis(0), fresh.cloud(Side::Reference, pair, size)?.view())?;
    }
    let clouds = |points: &Array2<f64>| -> Vec<Array2<f64>> {
        points.axis_chunks_iter(Axis(0), size.max(1)).map(|cloud| cloud.to_owned()).collect()
    };
    let (generated_clouds, target_clouds) = (clouds(&generated), clouds(&target));
    let pairs: Vec<_> =
        generated_clouds.iter().zip(&target_clouds).map(|(a, b)| (a.view(), b.view())).collect();
    let mut metrics = closeness(&pairs, protocol, fresh.manifold_dim())?;

    let initial_clouds = clouds(&initial);
    for (other, metric) in W2_SQUARED_BY_STEPS {
        if other == steps {
            metrics.repeat(W2_SQUARED, metric);
            continue;
        }
        let distances: Vec<f64> = initial_clouds
            .iter()
            .zip(&target_clouds)
            .map(|(start, target)| w2_squared_after(model, other, start, target, protocol))
            .collect::<Result<_, _>>()?;
        metrics.insert_repeated(metric, &distances);
    }
    let (start, end, reference) =
        (head(&initial, protocol), head(&generated, protocol), head(&target, protocol));
    if let Some(error) = known::exact_flow_error(&model.config, start, end) {
        metrics.insert(metrics::EXACT_FLOW_ERROR, error);
    }
    if let Some(error) = known::exact_law_error(&model.config, end)? {
        metrics.insert(metrics::EXACT_LAW_ERROR, error);
    }
    metrics.extend(indicators::indicators(model, start, steps)?);
    metrics.extend(indicators::critic_slopes(model, end, reference)?);
    Ok(Measurement { metrics, start: None, generated, target })
}

fn w2_squared_after<N: ScalarField>(
    model: &FlowModel<N>,
    steps: usize,
    start: &Array2<f64>,
    target: &Array2<f64>,
    protocol: Protocol,
) -> Result<f64, MeasureError> {
    let end = model.push_forward(head(start, protocol), steps, model.config.seed)?;
    Ok(eval::w2_squared(end.view(), head(target, protocol))?)
}

/// The points that exact transport takes.
fn head(points: &Array2<f64>, protocol: Protocol) -> ArrayView2<'_, f64> {
    points.slice(s![..points.nrows().min(protocol.exact_points), ..])
}
