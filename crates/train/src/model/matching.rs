//! A trained velocity without a potential and without a critic.

use crate::TrainError;
use crate::checkpoint::Stored;
use crate::config::FlowConfig;
use crate::matching::description;
use flows::FlowError;
use flows::integrate::Scheme;
use flows::matching::VelocityFlow;
use ndarray::{Array2, ArrayView2};

/// The averaged velocity of a stored state.
pub(super) fn stored(config: &FlowConfig, state: &Stored) -> Result<VelocityFlow, TrainError> {
    let affine = config.stored_coordinates(state)?;
    let velocity = description(config)?.velocity(&affine, config.flow.horizon)?;
    let parameters = state.fitting("velocity.average", velocity.net().parameter_count())?;
    Ok(VelocityFlow { velocity, horizon: config.flow.horizon, parameters })
}

/// The ends of the paths of `steps` Euler steps from the rows of `start`, in single precision as in training.
pub(super) fn push_forward(
    flow: &VelocityFlow,
    start: ArrayView2<'_, f64>,
    steps: usize,
) -> Result<Array2<f64>, FlowError> {
    let mut x = start.mapv(|x| x as f32);
    flow.push_forward(Scheme::Euler, steps, x.view_mut())?;
    Ok(x.mapv(f64::from))
}

/// The error of a flow without a critic that is asked for one.
pub(super) fn without_critic() -> TrainError {
    FlowError::Specification {
        what: "the critic".into(),
        found: "asked of a flow that is trained without one".into(),
        remedy: "take another representation of the flow".into(),
    }
    .into()
}
