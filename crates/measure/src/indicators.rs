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
use ndarray::{ArrayView2, Axis, concatenate};
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

/// Slopes of the critic, in units of its bound L, over target points, generated points and their interpolates.
pub(crate) fn critic_slopes<N: ScalarField>(
    model: &FlowModel<N>,
    generated: ArrayView2<'_, f64>,
    target: ArrayView2<'_, f64>,
) -> Result<Metrics, MeasureError> {
    let mut rng = stream(model.config.seed, INTERPOLATES, 0);
    let weights = InitialLaw::Uniform { low: 0.0, high: 1.0 }.sample(generated.nrows(), 1, &mut rng)?;
    let interpolates = &generated + &(&weights * &(&target - &generated));
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
