//! What the training of an explicit flow begins with.

use crate::TrainError;
use crate::config::FlowConfig;
use crate::remembered::POOL;
use crate::source::{Conditions, Draw, Source, name};
use datasets::stream;
use flows::FlowError;
use flows::explicit::{Affine, Base, ExplicitDescription, ExplicitFlow};
use flows::flow::Representation;
use ndarray::{Array1, Array2, s};
use ot_core::gaussian::Gaussian;

/// The description of an explicit flow.
pub(super) fn description(config: &FlowConfig) -> Result<&ExplicitDescription, TrainError> {
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

/// The coordinates that the base asks for, one base for all conditions.
pub(super) fn affine(
    description: &ExplicitDescription,
    source: &Source,
    pool: &Array2<f32>,
    seed: u64,
) -> Result<Affine, TrainError> {
    let condition = source.condition.as_ref().map_or(0, Conditions::width);
    match description.base {
        Base::Identity => Ok(Affine::identity(source.dim())),
        Base::Gaussian => {
            let moved = pool.slice(s![.., ..pool.ncols() - condition]).mapv(f64::from);
            let target = Gaussian::from_samples(moved.view()).map_err(FlowError::from)?;
            let affine = Affine::gaussian(&moments(&source.initial, seed)?, &target)?;
            Ok(affine.truncated(description.rank.unwrap_or(usize::MAX)).beside(condition))
        }
    }
}

/// The Gaussian with the moments of the initial points: exact ones of a law, those of all rows or of a pool otherwise.
fn moments(initial: &Draw, seed: u64) -> Result<Gaussian, TrainError> {
    let gaussian = match initial {
        &Draw::Law { law, dim } => {
            let (mean, variance) = law.moments();
            Gaussian::new(Array1::from_elem(dim, mean), Array2::eye(dim) * variance)
        }
        Draw::Rows(rows) => Gaussian::from_samples(rows.mapv(f64::from).view()),
        Draw::Conditional { draw, .. } => return moments(draw, seed),
        Draw::Target { .. }
        | Draw::Labelled { .. }
        | Draw::Known { .. }
        | Draw::Funnels { .. }
        | Draw::Scaled { .. } => {
            let points = initial.points(POOL, &mut stream(seed, name::POOL, 1))?;
            Gaussian::from_samples(points.view())
        }
    };
    Ok(gaussian.map_err(FlowError::from)?)
}
