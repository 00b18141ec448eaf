//! Means over particles and steps.

use ndarray::{ArrayView1, ArrayView2};

/// The mean; NaN for no values.
pub(crate) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// The square root of the mean of squares that are given as squares.
pub(crate) fn root_mean(squares: impl IntoIterator<Item = f64>) -> f64 {
    mean(squares).sqrt()
}

pub(crate) fn square_norm(vector: ArrayView1<'_, f64>) -> f64 {
    vector.iter().map(|value| value * value).sum()
}

/// ‖a_k − b_k‖² for the rows of two matrices of the same shape.
pub(crate) fn square_distances<'a>(
    a: ArrayView2<'a, f64>,
    b: ArrayView2<'a, f64>,
) -> impl Iterator<Item = f64> + use<'a> {
    let squares: Vec<f64> = a
        .rows()
        .into_iter()
        .zip(b.rows())
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum())
        .collect();
    squares.into_iter()
}

/// A ratio that does not exist where its denominator is 0.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    let ratio = numerator / denominator;
    (denominator != 0.0 && ratio.is_finite()).then_some(ratio)
}
