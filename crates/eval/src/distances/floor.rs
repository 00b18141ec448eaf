//! What distances between samples of one law are, measured on the halves of a cloud.

use super::{Distance, SampleFloor};
use crate::sampling::{caveat, is_high_dimensional, mean_squared_distance};
use crate::{w1, w2_squared};
use ndarray::{Array2, ArrayView2, Axis};
use rand::Rng;
use rand::seq::SliceRandom;

/// Points a side beyond which a floor takes longer than it says more.
const MOST_POINTS: usize = 2000;

/// The distances between two random halves of `y`, [m, d], and between one of them and as many rows of `x`, [n, d],
/// with a sentence where they are large; none where d ≤ ln n, since then they are small.
pub(super) fn floor<R: Rng + ?Sized>(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    wants: impl Fn(Distance) -> bool,
    rng: &mut R,
) -> Option<(SampleFloor, Option<String>)> {
    let n = (y.nrows() / 2).min(x.nrows()).min(MOST_POINTS);
    if n < 2 || !is_high_dimensional(x.nrows().min(y.nrows()), y.ncols()) {
        return None;
    }
    let of_x = shuffled(x.nrows(), rng);
    let of_y = shuffled(y.nrows(), rng);
    let samples = rows(x, of_x.iter().take(n));
    let (half, other) = (rows(y, of_y.iter().take(n)), rows(y, of_y.iter().skip(n).take(n)));
    let between = |of: Distance, measure: fn(ArrayView2<'_, f64>, ArrayView2<'_, f64>) -> _| {
        let values =
            wants(of).then(|| (measure(half.view(), other.view()), measure(half.view(), samples.view())));
        values.and_then(|(floor, value): (Result<f64, _>, Result<f64, crate::ClosenessError>)| {
            Some((floor.ok()?, value.ok()?))
        })
    };
    let (of_w1, of_w2) = (between(Distance::W1, w1), between(Distance::W2Squared, w2_squared));
    let floor = SampleFloor {
        n,
        w1: of_w1.map(|(floor, _)| floor),
        samples_w1: of_w1.map(|(_, value)| value),
        w2_squared: of_w2.map(|(floor, _)| floor),
        samples_w2_squared: of_w2.map(|(_, value)| value),
    };
    let note = of_w2.and_then(|(floor, _)| caveat(n, y.ncols(), floor, mean_squared_distance(y)));
    Some((floor, note))
}

fn shuffled<R: Rng + ?Sized>(count: usize, rng: &mut R) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..count).collect();
    indices.shuffle(rng);
    indices
}

fn rows<'a>(cloud: ArrayView2<'_, f64>, indices: impl Iterator<Item = &'a usize>) -> Array2<f64> {
    cloud.select(Axis(0), &indices.copied().collect::<Vec<_>>())
}
