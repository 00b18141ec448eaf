//! The distances of generated points to those of a target.

use crate::subject::{OwnRows, Target};
use crate::{MeasureError, Tell, conditional};
use datasets::stream;
use eval::Protocol;
use eval::results::Metrics;
use metrics::{NEAREST_TRAINING_DISTANCE, STRAY_SHARE};
use ndarray::{Array2, ArrayView2, s};

/// A distance that is beyond the noise of the synthetic targets and below the gaps between their parts.
const STRAY: f64 = 0.3;
/// Points of a target that stand for all of it.
const ALL: usize = 100_000;

/// Points whose nearest training rows are looked for, among all rows.
const NEAREST: usize = 1000;

/// [`eval::closeness`] of pairs of clouds where the target is a law, [`eval::closeness_to_rows`] where it is rows of
/// somebody's own.
pub(crate) fn of_clouds(
    target: &Target,
    generated: &[Array2<f64>],
    reference: &[Array2<f64>],
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Metrics, MeasureError> {
    let of = |cloud| target.coordinates(cloud);
    let pairs: Vec<_> = generated.iter().zip(reference).map(|(x, y)| (of(x.view()), of(y.view()))).collect();
    if target.own().is_some() {
        tell("distances to the data");
        let directions = || stream(target.seed, crate::stream_name::DIRECTIONS, 0);
        let mut metrics = eval::closeness_to_rows(&pairs, directions)?;
        metrics.extend(conditional::of_clouds(target.condition.as_ref(), generated, reference)?);
        return Ok(metrics);
    }
    tell("distances to the target");
    let mut metrics = eval::closeness(&pairs, protocol, target.manifold_dim())?;
    let all = target.drawn(ALL, &mut stream(target.seed, crate::stream_name::ALL, 0))?;
    let shares = pairs.iter().map(|(points, _)| eval::stray_share(*points, of(all.view()), STRAY));
    metrics.insert_repeated(STRAY_SHARE, &shares.collect::<Result<Vec<f64>, _>>()?);
    if target.has_heavy_tails() {
        metrics.extend(eval::closeness_of_tails(&pairs)?);
    }
    metrics.extend(conditional::of_clouds(target.condition.as_ref(), generated, reference)?);
    Ok(metrics)
}

/// How near generated points are to the rows of the training, where others were held out.
pub(crate) fn of_training_rows(
    target: &Target,
    generated: &Array2<f64>,
    tell: Tell<'_>,
) -> Result<Metrics, MeasureError> {
    let generated = generated.slice(s![..generated.nrows().min(NEAREST), ..]);
    let found = target.own().filter(|rows| rows.held_out(NEAREST).is_some()).map(|rows| (rows, generated));
    nearest(target, found, tell)
}

/// The same of the rows that were held out: the floor.
pub(crate) fn of_held_out_rows(target: &Target, tell: Tell<'_>) -> Result<Metrics, MeasureError> {
    nearest(target, target.own().and_then(|rows| Some((rows, rows.held_out(NEAREST)?))), tell)
}

fn nearest(
    target: &Target,
    found: Option<(&OwnRows, ArrayView2<'_, f64>)>,
    tell: Tell<'_>,
) -> Result<Metrics, MeasureError> {
    let mut metrics = Metrics::default();
    if let Some((rows, points)) = found {
        tell("distances to the nearest training rows");
        let training = target.coordinates(rows.training.view()).to_owned();
        metrics.insert(
            NEAREST_TRAINING_DISTANCE,
            eval::median_nearest_distance(target.coordinates(points), &training)?,
        );
    }
    Ok(metrics)
}
