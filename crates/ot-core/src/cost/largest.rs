//! The scale of a cost.

use super::{Clouds, PairCost, accumulate_rows, squared_distance};

/// Costs above this would overflow in sums along a path of the basis.
pub(crate) const LARGEST_COST: f64 = 1e300;

/// The largest |c_ij| over all pairs, or the first source with a cost that is not finite or too large.
///
/// Between point clouds it is the distance found by walking twice to a farthest point, which is at least a third of the
/// largest one by the triangle inequality, in O((n + m)·d); otherwise O(n·m).
pub(crate) fn largest_cost(cost: &dyn PairCost) -> Result<f64, usize> {
    if let Some(clouds) = cost.clouds() {
        let found = clouds.cost.of_squared_distance(farthest_pair(&clouds));
        // A ninth is left for a squared distance between points three times as far.
        if found < LARGEST_COST / 9.0 {
            return Ok(found);
        }
    }
    let rows = accumulate_rows(
        cost,
        |_| (0.0f64, false),
        |(scale, invalid), _, _, costs| {
            for &value in costs.iter() {
                *scale = scale.max(value.abs());
                *invalid |= value.is_nan() || value.abs() > LARGEST_COST;
            }
        },
    );
    match rows.iter().position(|&(_, invalid)| invalid) {
        Some(source) => Err(source),
        None => Ok(rows.iter().map(|row| row.0).fold(0.0, f64::max)),
    }
}

/// ‖x − y‖² for the target y farthest from the first source and the source x farthest from y.
fn farthest_pair(clouds: &Clouds<'_>) -> f64 {
    let farthest = |point: &[f64], others: &'_ [f64]| {
        others.chunks_exact(clouds.dim).map(|other| squared_distance(point, other)).enumerate().fold(
            (0, 0.0f64),
            |best, (index, distance)| if distance > best.1 { (index, distance) } else { best },
        )
    };
    let point = |points: &'_ [f64], index: usize| {
        points.chunks_exact(clouds.dim).nth(index).map(<[f64]>::to_vec).unwrap_or_default()
    };
    let (target, _) = farthest(&point(clouds.sources, 0), clouds.targets);
    let (source, _) = farthest(&point(clouds.targets, target), clouds.sources);
    farthest(&point(clouds.sources, source), clouds.targets).1
}
