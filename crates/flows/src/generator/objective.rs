//! What a generator minimises, as cotangents of its points.

use crate::FlowError;
use crate::error::expect_length;
use crate::real::Real;

/// mean‖yᵢ − ζᵢ‖² of points y = G(z) and fixed ζ, and its derivative 2(y − ζ)/n in y.
///
/// Shapes: `points` and `aims` \[n·`dim`\], row-major. Source: arXiv 2406.13619, algorithm 1.
///
/// # Errors
/// [`FlowError::Shape`] when the two differ in length.
///
/// ```
/// let (value, cotangent) = flows::generator::fit(&[1.0, 2.0, 3.0, 4.0], &[1.0, 0.0, 3.0, 4.0], 2)?;
/// assert_eq!((value, cotangent), (2.0, vec![0.0, 2.0, 0.0, 0.0]));
/// # Ok::<(), flows::FlowError>(())
/// ```
pub fn fit<T: Real>(points: &[T], aims: &[T], dim: usize) -> Result<(f64, Vec<T>), FlowError> {
    expect_length("the aims of the points", aims.len(), points.len())?;
    let count = points.len() as f64 / dim as f64;
    let differences = points.iter().zip(aims).map(|(&y, &aim)| y - aim);
    let value = differences.clone().map(|d| d.wide() * d.wide()).sum::<f64>() / count;
    Ok((value, differences.map(|d| T::of(2.0 / count) * d).collect()))
}

/// The cotangent of mean w(φ(yᵢ)) of points y = G(z), given the weights w′ and the slopes ∇φ: w′ᵢ·∇φ(yᵢ)/n.
///
/// w′ = 1 is the loss of W2GAN, WGAN-GP and W1-LP. With an aim ζ = y − ε∇φ(y) the cotangent of [`fit`] is 2ε times this.
///
/// # Errors
/// [`FlowError::Shape`] when there is not one weight for every slope of `dim` numbers.
pub fn push<T: Real>(weights: &[T], slopes: &[T], dim: usize) -> Result<Vec<T>, FlowError> {
    expect_length("the slopes at the points", slopes.len(), weights.len() * dim)?;
    let share = T::of(1.0 / weights.len() as f64);
    let rows = slopes.chunks_exact(dim).zip(weights);
    Ok(rows.flat_map(|(row, &weight)| row.iter().map(move |&slope| share * weight * slope)).collect())
}
