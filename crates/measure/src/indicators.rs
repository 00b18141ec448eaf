//! The indicators of the optimality system along the trajectories of a flow.

use crate::MeasureError;
use crate::closeness;
use crate::stream_name::INTERPOLATES;
use crate::subject::Target;
use datasets::{InitialLaw, stream};
use eval::{Metrics, Summary};
use flows::record::RecordError;
use flows::scalar_field::ScalarField;
use metrics::STEP_INVARIANCE_BY_STEPS;
use mfg::{Indicators, step_distance, step_invariance};
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use train::TrainError;
use train::model::FlowModel;

/// Steps of the reference that stands for the exact flow: the finest of arXiv 2407.11901, Figure 2, h = 2⁻⁶ at T = 5.
const FINE_STEPS: usize = 320;

/// Every indicator over the particles that begin at `start`, [n, d]; none where a trajectory is not finite. The
/// dependence on the number of steps is measured where it is asked for.
pub(crate) fn indicators<N: ScalarField>(
    model: &FlowModel<N>,
    target: &Target,
    start: ArrayView2<'_, f64>,
    with_other_steps: bool,
) -> Result<Metrics, MeasureError> {
    let optimal = model.optimal(start)?;
    let mut metrics = Metrics::default();
    if let Some((_, share)) = &optimal {
        metrics.insert(metrics::OPTIMAL_SHARE, *share);
    }
    let start = optimal.as_ref().map_or(start, |(points, _)| points.view());
    let trajectory = match model.trajectory(start, model.config.sampling.steps) {
        Ok(trajectory) => trajectory,
        Err(TrainError::Record(RecordError::Trajectory(_))) => return Ok(metrics),
        Err(other) => return Err(other.into()),
    };
    // A plan between all points would join those of different conditions, which no path does.
    let w2_squared = match model.condition() {
        Some(_) => None,
        None => closeness::in_range(target, eval::w2_squared(trajectory.start(), trajectory.end()))?,
    };
    let named = Indicators::new(&trajectory, w2_squared)?.named();
    let named = named.into_iter().filter_map(|(metric, value)| Some((metric, value?)));
    metrics.extend(named.collect());
    if !trajectory.is_free() || !with_other_steps {
        return Ok(metrics);
    }
    let fine = model.push_forward(start, FINE_STEPS, model.config.seed)?;
    for (steps, metric) in STEP_INVARIANCE_BY_STEPS {
        let coarse = model.push_forward(start, steps, model.config.seed)?;
        // Too few steps may be unstable where more are not.
        if coarse.iter().chain(&fine).any(|x| !x.is_finite()) {
            continue;
        }
        if let Some(value) = step_invariance(coarse.view(), fine.view(), start)? {
            metrics.insert(metric, value);
        }
        if steps == 1 {
            metrics.insert(metrics::STEP_DISTANCE, step_distance(coarse.view(), fine.view())?);
        }
    }
    Ok(metrics)
}

/// x + w·(y − x) of each row x of `from`, y of `to` and weight w in its `dim` coordinates; the other columns are those of
/// `to`: between two labels there is none.
fn interpolates(
    from: ArrayView2<'_, f64>,
    to: ArrayView2<'_, f64>,
    weights: ArrayView2<'_, f64>,
    dim: usize,
) -> Array2<f64> {
    let mut rows = to.to_owned();
    let [x, y] = [from, to].map(|points| points.slice_move(s![.., ..dim]));
    rows.slice_mut(s![.., ..dim]).assign(&(&x + &(&weights * &(&y - &x))));
    rows
}

/// Slopes of the critic, in units of its bound L, over target points, generated points and their interpolates, which are
/// under the conditions of the target points.
pub(crate) fn critic_slopes<N: ScalarField>(
    model: &FlowModel<N>,
    generated: ArrayView2<'_, f64>,
    target: ArrayView2<'_, f64>,
) -> Result<Metrics, MeasureError> {
    let mut rng = stream(model.config.seed, INTERPOLATES, 0);
    let weights = InitialLaw::Uniform { low: 0.0, high: 1.0 }.sample(generated.nrows(), 1, &mut rng)?;
    let interpolates = interpolates(generated, target, weights.view(), model.dim());
    let points = concatenate(Axis(0), &[target, generated, interpolates.view()])?;
    let slopes = model.critic_slopes(points.view())?;
    let bound = model.config.critic.bound;
    let mut metrics = Metrics::default();
    let max = slopes.iter().fold(0.0, |max: f64, slope| max.max(*slope));
    metrics.insert(metrics::CRITIC_SLOPE_MAX, max / bound);
    if let Some(summary) = Summary::of(&slopes) {
        metrics.insert(metrics::CRITIC_SLOPE_MEAN, summary.mean / bound);
    }
    Ok(metrics)
}

#[cfg(test)]
mod tests {
    use super::interpolates;
    use ndarray::array;

    #[test]
    fn points_are_mixed_and_labels_are_not() {
        let (from, to) = (array![[0.0, 2.0, 1.0, 0.0]], array![[4.0, 0.0, 0.0, 1.0]]);
        let mixed = |dim| interpolates(from.view(), to.view(), array![[0.25]].view(), dim);
        assert_eq!(mixed(2), array![[1.0, 1.5, 0.0, 1.0]]);
        assert_eq!(mixed(4), array![[1.0, 1.5, 0.75, 0.25]]);
    }
}
