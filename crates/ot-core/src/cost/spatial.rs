//! Where the points of two clouds lie: the axes that matter to the other side, and an order in which neighbours are
//! near.

#![allow(
    clippy::indexing_slicing,
    reason = "axes are below the dimension, indices below the number of points"
)]

use super::screen::DEEP;
use super::{Clouds, Euclidean};
use crate::space::halve;

/// Runs of this many points need no order among themselves.
const RUN: usize = 8;

/// How far each axis is stretched to compare sources, and how far to compare targets.
///
/// Of a squared distance only −2x·y joins the two sides: what matters of x is where it lies along the spread of the y,
/// and vice versa. So each axis is stretched by the standard deviation of the OTHER cloud, relative to its largest; not
/// at all for a distance.
pub(super) fn stretches(clouds: &Clouds<'_>) -> [Vec<f64>; 2] {
    match clouds.cost {
        Euclidean::Distance => [vec![1.0; clouds.dim], vec![1.0; clouds.dim]],
        Euclidean::Squared | Euclidean::HalfSquared => {
            [spread(clouds.targets, clouds.dim), spread(clouds.sources, clouds.dim)]
        }
    }
}

/// The mean of the points.
pub(super) fn centroid(points: &[f64], dim: usize) -> Vec<f64> {
    let count = (points.len() / dim) as f64;
    let mut centre = vec![0.0; dim];
    for point in points.chunks_exact(dim) {
        for (sum, coordinate) in centre.iter_mut().zip(point) {
            *sum += coordinate / count;
        }
    }
    centre
}

/// The number of axes along which both clouds spread, counted by their share of the variance: (Σσ²)²/Σσ⁴ (the
/// participation ratio).
pub(super) fn directions(clouds: &Clouds<'_>) -> f64 {
    let of_cloud = |points: &[f64]| {
        let variances: Vec<f64> =
            spread(points, clouds.dim).iter().map(|deviation| deviation.powi(2)).collect();
        let fourth: f64 = variances.iter().map(|variance| variance * variance).sum();
        variances.iter().sum::<f64>().powi(2) / fourth
    };
    of_cloud(clouds.sources).min(of_cloud(clouds.targets))
}

/// The standard deviation along each axis, relative to the largest; ones for a single point.
fn spread(points: &[f64], dim: usize) -> Vec<f64> {
    let mean = centroid(points, dim);
    let mut squares = vec![0.0; dim];
    for point in points.chunks_exact(dim) {
        for (axis, coordinate) in point.iter().enumerate() {
            squares[axis] += (coordinate - mean[axis]) * (coordinate - mean[axis]);
        }
    }
    let largest = squares.iter().copied().fold(0.0, f64::max);
    squares.iter().map(|square| if largest > 0.0 { (square / largest).sqrt() } else { 1.0 }).collect()
}

/// The points with each axis stretched.
pub(super) fn stretched(points: &[f64], stretch: &[f64]) -> Vec<f64> {
    points.iter().zip(stretch.iter().cycle()).map(|(coordinate, factor)| coordinate * factor).collect()
}

/// Sorts the sources and the targets so that runs of them lie close together: each run is halved across its widest
/// axis.
///
/// `sources` and `targets` are indices of the cost's points. Nothing is done for points of so many coordinates that
/// runs of them would lie no closer together than others. O((n + m)·d·log(n + m)).
pub(crate) fn sort_in_space(clouds: &Clouds<'_>, sources: &mut [usize], targets: &mut [usize]) {
    if clouds.dim >= DEEP {
        return;
    }
    let [of_sources, of_targets] = stretches(clouds);
    for (points, stretch, indices) in
        [(clouds.sources, of_sources, sources), (clouds.targets, of_targets, targets)]
    {
        let coordinate = |index: usize, axis: usize| points[index * clouds.dim + axis] * stretch[axis];
        halve(indices, clouds.dim, coordinate, RUN, |count| count / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_the_order_are_neighbours_in_space() {
        // A line of points, shuffled by a multiplication modulo a prime, in a plane whose second axis the other side
        // does not see.
        let count = 1009;
        let points: Vec<f64> =
            (0..count).flat_map(|index| [(index * 577 % count) as f64, (index * 31 % 7) as f64]).collect();
        let flat: Vec<f64> = (0..count).flat_map(|index| [index as f64, 5.0]).collect();
        let clouds = Clouds { sources: &points, targets: &flat, dim: 2, cost: Euclidean::Squared };
        let (mut sources, mut targets): (Vec<usize>, Vec<usize>) =
            ((0..count).collect(), (0..count).collect());
        sort_in_space(&clouds, &mut sources, &mut targets);
        let mut seen = sources.clone();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..count));
        for run in sources.chunks(RUN) {
            let places: Vec<usize> = run.iter().map(|index| index * 577 % count).collect();
            let (low, high) = (places.iter().min().unwrap(), places.iter().max().unwrap());
            // A chunk of 8 meets at most three runs of 5 to 8 points.
            assert!(high - low < 3 * RUN, "{places:?}");
        }
    }
}
