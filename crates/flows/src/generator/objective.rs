//! What a generator minimises, as cotangents of its points.

use crate::FlowError;
use crate::error::{expect_length, expect_rows};
use crate::real::Real;

/// mean‖yᵢ − ζᵢ‖² of points y = G(z) and fixed ζ, and its derivative 2(y − ζ)/n in y.
///
/// Shapes: `points` and `aims` [n, `dim`], row-major. Source: arXiv 2406.13619, algorithm 1.
///
/// # Errors
/// [`FlowError::Shape`] when the two differ in length, [`FlowError::Specification`] for a `dim` of 0.
///
/// ```
/// let (value, cotangent) = flows::generator::fit(&[1.0, 2.0, 3.0, 4.0], &[1.0, 0.0, 3.0, 4.0], 2)?;
/// assert_eq!((value, cotangent), (2.0, vec![0.0, 2.0, 0.0, 0.0]));
/// # Ok::<(), flows::FlowError>(())
/// ```
pub fn fit<T: Real>(points: &[T], aims: &[T], dim: usize) -> Result<(f64, Vec<T>), FlowError> {
    expect_rows("the points", points.len(), dim)?;
    expect_length("the aims of the points", aims.len(), points.len())?;
    let count = points.len() as f64 / dim as f64;
    let differences = points.iter().zip(aims).map(|(&y, &aim)| y - aim);
    let value = differences.clone().map(|d| d.wide() * d.wide()).sum::<f64>() / count;
    Ok((value, differences.map(|d| T::of(2.0 / count) * d).collect()))
}

/// The cotangent of mean w(φ(yᵢ)) of points y = G(z), given the weights w′ and the slopes ∇φ: w′ᵢ·∇φ(yᵢ)/n.
///
/// w′ = 1 is the loss of W2GAN, WGAN-GP and W1-LP. With an aim ζ = y − ε∇φ(y) the cotangent of [`fit`] is 2ε times
/// this.
///
/// # Errors
/// [`FlowError::Shape`] when there is not one weight for every slope of `dim` numbers, [`FlowError::Specification`] for
/// a `dim` of 0.
pub fn push<T: Real>(weights: &[T], slopes: &[T], dim: usize) -> Result<Vec<T>, FlowError> {
    expect_rows("the slopes at the points", slopes.len(), dim)?;
    expect_length("the slopes at the points", slopes.len(), weights.len() * dim)?;
    let share = T::of(1.0 / weights.len() as f64);
    let rows = slopes.chunks_exact(dim).zip(weights);
    Ok(rows.flat_map(|(row, &weight)| row.iter().map(move |&slope| share * weight * slope)).collect())
}

/// The weights w′ of the non-saturating loss w(φ) = −log(1 − e^φ/2), w′(φ) = e^φ/(2 − e^φ), for the Jensen–Shannon
/// critic φ < log 2.
///
/// Source: Goodfellow et al., arXiv 1406.2661, section 3, for the discriminator 1 − e^φ/2.
///
/// ```
/// assert_eq!(flows::generator::non_saturating(&[0.0_f64]), [1.0]);
/// ```
pub fn non_saturating<T: Real>(values: &[T]) -> Vec<T> {
    values.iter().map(|phi| phi.exp() / (T::of(2.0) - phi.exp())).collect()
}

#[cfg(test)]
mod tests {
    use super::{fit, non_saturating, push};

    #[test]
    fn points_without_coordinates_are_errors() {
        assert!(fit::<f64>(&[], &[], 0).is_err());
        assert!(push::<f64>(&[1.0], &[], 0).is_err());
        assert!(push(&[1.0], &[1.0, 2.0, 3.0], 2).is_err());
    }

    #[test]
    fn the_weights_are_the_derivative_of_the_loss() {
        let (h, loss) = (1e-5, |phi: f64| -(1.0 - phi.exp() / 2.0).ln());
        for phi in [-3.0, -0.4, 0.1, 0.6] {
            let difference = (loss(phi + h) - loss(phi - h)) / (2.0 * h);
            // h²/6 times a third derivative below 1e4, and rounding of 1e-11.
            assert!((non_saturating(&[phi])[0] - difference).abs() < 1e-6, "{phi}");
        }
    }
}
