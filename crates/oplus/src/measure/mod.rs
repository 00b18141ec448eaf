//! Measures a trained flow by the protocol of its results: distances to fresh samples of the target, and the indicators
//! of the optimality system.

pub mod generator;
mod indicators;
mod known;
mod target;

pub use indicators::{COARSE_STEPS, step_invariance_name};
pub use target::FreshTarget;

use anyhow::{Context, Result};
use eval::results::{Metrics, Protocol};
use eval::{ClosenessError, closeness};
use ndarray::{Array2, ArrayView2, Axis, s};
use train::model::FlowModel as Model;

/// The first two coordinates carry every synthetic target.
pub const MANIFOLD_DIM: usize = 2;

/// Numbers of steps with which the distance to the target is measured beside that of the configuration.
pub const OTHER_STEPS: [(usize, &str); 4] = [
    (1, "w2_squared_one_step"),
    (2, "w2_squared_2_steps"),
    (5, "w2_squared_5_steps"),
    (64, "w2_squared_64_steps"),
];

/// What was measured of a trained flow.
pub struct Measurement {
    pub metrics: Metrics,
    /// The starting points of the generated clouds, where their places are kept.
    pub start: Option<Array2<f64>>,
    /// The generated clouds of all pairs, one after the other.
    pub generated: Array2<f64>,
    /// The target clouds of all pairs, one after the other.
    pub target: Array2<f64>,
}

/// How a measurement can end without one.
pub enum Unmeasured {
    /// The flow is there, but it leads out of the finite numbers.
    NotFinite(String),
    /// Anything else.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Unmeasured {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Measures a trained flow.
///
/// The generated points are those that `sample` draws with the seed of the run.
pub fn measure(model: &Model, protocol: Protocol) -> Result<Measurement, Unmeasured> {
    let fresh = FreshTarget::new(&model.config)?;
    let size = fresh.largest_cloud().min(protocol.most_points());
    let steps = model.config.sampling.steps;
    let initial = model.initial(protocol.pairs * size, model.config.seed)?;
    let generated = model.push_forward(initial.view(), steps, model.config.seed)?;
    if let Some(value) = generated.iter().find(|value| !value.is_finite()) {
        return Err(Unmeasured::NotFinite(format!("a generated coordinate is {value}")));
    }
    let mut target = Array2::zeros((0, generated.ncols()));
    for pair in 0..protocol.pairs {
        target.append(Axis(0), fresh.cloud(pair, size)?.view()).context("clouds of different dimensions")?;
    }
    let clouds = |points: &Array2<f64>| -> Vec<Array2<f64>> {
        points.axis_chunks_iter(Axis(0), size.max(1)).map(|cloud| cloud.to_owned()).collect()
    };
    let (generated_clouds, target_clouds) = (clouds(&generated), clouds(&target));
    let pairs: Vec<_> =
        generated_clouds.iter().zip(&target_clouds).map(|(a, b)| (a.view(), b.view())).collect();
    let mut metrics = not_finite(closeness(&pairs, protocol, fresh.manifold_dim()))?;

    let initial_clouds = clouds(&initial);
    for (other, name) in OTHER_STEPS {
        if other == steps {
            metrics.repeat("w2_squared", name);
            continue;
        }
        let distances: Vec<f64> = initial_clouds
            .iter()
            .zip(&target_clouds)
            .map(|(start, target)| w2_squared_after(model, other, start, target, protocol))
            .collect::<Result<_, _>>()?;
        metrics.insert_repeated(name, &distances);
    }
    let (start, end, reference) =
        (head(&initial, protocol), head(&generated, protocol), head(&target, protocol));
    if let Some(error) = known::exact_flow_error(&model.config, start, end) {
        metrics.insert("exact_flow_error", error);
    }
    if let Some(error) = known::exact_law_error(&model.config, end)? {
        metrics.insert("exact_law_error", error);
    }
    metrics.extend(indicators::indicators(model, start, steps)?);
    metrics.extend(indicators::critic_slopes(model, end, reference)?);
    Ok(Measurement { metrics, start: None, generated, target })
}

/// The same distances between pairs of independent clouds of the target.
pub fn floor(fresh: &FreshTarget, protocol: Protocol) -> Result<Metrics> {
    let size = fresh.largest_cloud().min(protocol.most_points());
    let clouds: Vec<(Array2<f64>, Array2<f64>)> = (0..protocol.pairs)
        .map(|pair| Ok((fresh.other_cloud(pair, size)?, fresh.cloud(pair, size)?)))
        .collect::<Result<_>>()?;
    let pairs: Vec<_> = clouds.iter().map(|(a, b)| (a.view(), b.view())).collect();
    Ok(closeness(&pairs, protocol, fresh.manifold_dim())?)
}

fn w2_squared_after(
    model: &Model,
    steps: usize,
    start: &Array2<f64>,
    target: &Array2<f64>,
    protocol: Protocol,
) -> Result<f64, Unmeasured> {
    let end = model.push_forward(head(start, protocol), steps, model.config.seed)?;
    not_finite(eval::w2_squared(end.view(), head(target, protocol)))
}

/// The points that exact transport takes.
fn head(points: &Array2<f64>, protocol: Protocol) -> ArrayView2<'_, f64> {
    points.slice(s![..points.nrows().min(protocol.exact_points), ..])
}

/// Tells numbers that are out of range from programming and input errors.
fn not_finite<T>(result: Result<T, ClosenessError>) -> Result<T, Unmeasured> {
    result.map_err(|error| match error {
        ClosenessError::OutOfRange(_) => Unmeasured::NotFinite(error.to_string()),
        other => Unmeasured::Failed(other.into()),
    })
}
