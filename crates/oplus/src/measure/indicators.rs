//! The indicators of the optimality system along the trajectories of a flow.

use super::{Unmeasured, not_finite};
use datasets::{InitialLaw, stream};
use eval::Summary;
use eval::results::Metrics;
use flows::record::RecordError;
use mfg::{Indicators, step_invariance};
use ndarray::{ArrayView2, Axis, concatenate};
use train::TrainError;
use train::model::FlowModel as Model;

/// Steps of the reference that stands for the exact flow.
const FINE_STEPS: usize = 256;
/// Numbers of steps compared with it.
pub const COARSE_STEPS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Stream of the interpolation weights.
const INTERPOLATES: &str = "measured-interpolates";

/// Every indicator over the particles that begin at `start`; none where a trajectory is not finite.
pub fn indicators(model: &Model, start: ArrayView2<'_, f64>, steps: usize) -> Result<Metrics, Unmeasured> {
    let trajectory = match model.trajectory(start, steps) {
        Ok(trajectory) => trajectory,
        Err(TrainError::Record(RecordError::Trajectory(_))) => return Ok(Metrics::default()),
        Err(other) => return Err(other.into()),
    };
    let w2_squared = not_finite(eval::w2_squared(trajectory.start(), trajectory.end()))?;
    let named = Indicators::new(&trajectory, Some(w2_squared))?.named();
    let mut metrics: Metrics =
        named.into_iter().filter_map(|(metric, value)| Some((metric.name, value?))).collect();
    if !trajectory.is_free() {
        return Ok(metrics);
    }
    let fine = model.push_forward(start, FINE_STEPS, model.config.seed)?;
    for steps in COARSE_STEPS {
        let coarse = model.push_forward(start, steps, model.config.seed)?;
        if let Some(value) = step_invariance(&coarse, &fine, &start)? {
            metrics.insert(&step_invariance_name(steps), value);
        }
    }
    Ok(metrics)
}

/// Under which name the step invariance of a number of steps is kept.
pub fn step_invariance_name(steps: usize) -> String {
    if steps == 1 { "step_invariance".into() } else { format!("step_invariance_{steps}") }
}

/// Slopes of the critic, in units of its bound L, over target points, generated points and their interpolates.
pub fn critic_slopes(
    model: &Model,
    generated: ArrayView2<'_, f64>,
    target: ArrayView2<'_, f64>,
) -> Result<Metrics, Unmeasured> {
    let mut rng = stream(model.config.seed, INTERPOLATES, 0);
    let weights = InitialLaw::Uniform { low: 0.0, high: 1.0 }.sample(generated.nrows(), 1, &mut rng)?;
    let interpolates = &generated + &(&weights * &(&target - &generated));
    let points = concatenate(Axis(0), &[target, generated, interpolates.view()])?;
    let slopes = model.critic_slopes(points.view())?;
    let bound = model.config.critic.bound;
    let mut metrics = Metrics::default();
    metrics.insert("critic_slope_max", slopes.iter().fold(0.0, |max: f64, slope| max.max(*slope)) / bound);
    if let Some(summary) = Summary::of(&slopes) {
        metrics.insert("critic_slope_mean", summary.mean / bound);
    }
    Ok(metrics)
}
