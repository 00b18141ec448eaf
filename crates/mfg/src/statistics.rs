//! Means over particles and steps.

use ndarray::{Array1, ArrayRef1, ArrayRef2, ArrayView1};

/// The mean; NaN for no values.
pub(crate) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// The square root of the mean of squares that are given as squares.
pub(crate) fn root_mean(squares: impl IntoIterator<Item = f64>) -> f64 {
    mean(squares).sqrt()
}

/// ‖a‖².
pub(crate) fn square_norm(vector: &ArrayRef1<f64>) -> f64 {
    vector.iter().map(|value| value * value).sum()
}

/// ‖a_k − b_k‖² for the rows of two matrices of the same shape.
pub(crate) fn square_distances(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Array1<f64> {
    let square_distance = |(a, b): (ArrayView1<'_, f64>, ArrayView1<'_, f64>)| {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
    };
    a.rows().into_iter().zip(b.rows()).map(square_distance).collect()
}

/// ‖a_k − b_k‖ averaged over the rows of two matrices of the same shape.
pub(crate) fn mean_distance(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> f64 {
    mean(square_distances(a, b).mapv_into(f64::sqrt))
}

/// ‖a_k‖² averaged over the rows of a matrix.
pub(crate) fn mean_square_norm(a: &ArrayRef2<f64>) -> f64 {
    mean(a.rows().into_iter().map(|row| square_norm(&row)))
}

/// A ratio that does not exist where it is not finite, as where its denominator is 0.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    Some(numerator / denominator).filter(|ratio| ratio.is_finite())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::{mean, mean_distance, mean_square_norm, ratio, root_mean, square_distances, square_norm};

    /// All numbers are small integers, so every result is exact.
    #[test]
    fn means_by_hand() {
        assert_eq!(mean([1.0, 2.0, 6.0]), 3.0);
        assert!(mean([]).is_nan());
        assert_eq!(root_mean([9.0, 41.0]), 5.0);
        let (a, b) = (array![[3.0, 0.0], [1.0, 2.0]], array![[0.0, 4.0], [1.0, 5.0]]);
        assert_eq!(square_norm(&a.row(1)), 5.0);
        assert_eq!(mean_square_norm(&a), 7.0);
        assert_eq!(square_distances(&a, &b), array![25.0, 9.0]);
        assert_eq!(mean_distance(&a, &b), 4.0);
    }

    #[test]
    fn a_ratio_is_finite_or_none() {
        assert_eq!(ratio(3.0, 4.0), Some(0.75));
        assert_eq!(ratio(0.0, 2.0), Some(0.0));
        for (numerator, denominator) in [(1.0, 0.0), (0.0, 0.0), (1e300, 1e-300), (f64::NAN, 1.0)] {
            assert_eq!(ratio(numerator, denominator), None);
        }
    }
}
