//! What the training of an explicit flow begins with.

use crate::TrainError;
use crate::config::FlowConfig;
use flows::FlowError;
use flows::affine::Affine;
use flows::explicit::{ExplicitDescription, ExplicitFlow};
use flows::flow::Representation;

/// The description of an explicit flow.
pub(crate) fn description(config: &FlowConfig) -> Result<&ExplicitDescription, TrainError> {
    match &config.representation {
        Representation::Explicit(description) => Ok(description),
        other => Err(FlowError::Specification {
            what: "representation.kind".into(),
            found: other.kind().into(),
            remedy: "take explicit".into(),
        }
        .into()),
    }
}

/// The flow of a configuration in the coordinates of stored numbers ([`Affine::numbers`]).
///
/// The last `condition` of `dim` coordinates are what it is conditioned on.
pub(crate) fn flow(
    config: &FlowConfig,
    (dim, condition): (usize, usize),
    affine: &[f64],
) -> Result<ExplicitFlow, TrainError> {
    let affine = Affine::of_numbers(dim, affine)?;
    Ok(description(config)?.build(affine, &config.flow, config.critic.bound)?.conditioned(condition)?)
}
