//! The discrete c-transform φ^c(y) = min_x { c(x, y) − φ(x) }.

use crate::cost::{CloudCost, Cost, PairCost, Smallest, Swapped, largest_cost, minima_on_line, visit_below};
use crate::measure::{Measure, MeasureError};
use ndarray::ArrayView2;

/// Why a c-transform is not defined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// The points are none, not finite or of different dimensions.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The number of potential values is not the number of points.
    #[error("{values} potential values for {points} points: pass one per point")]
    Length {
        /// Number of values.
        values: usize,
        /// Number of points.
        points: usize,
    },
    /// A potential value is NaN or infinite.
    #[error("potential value {index} is {value}: it must be finite")]
    NotFinite {
        /// Position of the value.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// A cost is NaN or infinite.
    #[error(
        "a cost of source {source_index} is not finite or above 1e300: rescale the points or repair the cost"
    )]
    CostNotFinite {
        /// The source whose row holds it.
        source_index: usize,
    },
}

/// The c-transform of a potential on the points `x`, evaluated at the points `y`: φ^c(y_j) = min_i { c(x_i, y_j) −
/// φ(x_i) }.
///
/// (φ, φ^c) is feasible for the dual of optimal transport, and φ^c is the best partner of φ (Peyré & Cuturi, arXiv
/// 1803.00567, eq. (5.1)). φ^{cc}, the transform of φ^c back at `x`, raises the dual value, and φ^{ccc} = φ^c up to
/// rounding.
///
/// `x` is [n, d], `potential` \[n\] in units of cost, `y` [m, d]; the result is \[m\].
///
/// # Errors
/// Empty clouds, different dimensions, a potential of another length, values or costs that are not finite.
///
/// O(n·m·d) operations, on a line O((n + m)·log(n + m)); O((n + m)·d) memory, parallel; the result does not depend on
/// the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::{cost::Euclidean, dual::c_transform::c_transform};
/// let (x, y) = (array![[0.0], [4.0]], array![[1.0]]);
/// assert_eq!(c_transform(x.view(), &[0.0, 4.25], y.view(), &Euclidean::HalfSquared)?, [0.25]);
/// # Ok::<(), ot_core::dual::c_transform::TransformError>(())
/// ```
pub fn c_transform(
    x: ArrayView2<'_, f64>,
    potential: &[f64],
    y: ArrayView2<'_, f64>,
    cost: &dyn Cost,
) -> Result<Vec<f64>, TransformError> {
    let (x, y) = (Measure::named("source", x, None)?, Measure::named("target", y, None)?);
    check_potential(potential, x.count())?;
    Ok(row_minima(&Swapped(checked_pairs(&x, &y, cost)?.pairs()), potential))
}

/// The pairs of two measures, whose costs are all finite.
pub(crate) fn checked_pairs<'a>(
    x: &Measure<'a>,
    y: &Measure<'a>,
    cost: &'a dyn Cost,
) -> Result<CloudCost<'a>, TransformError> {
    let pairs = CloudCost::new(x, y, cost)?;
    // Finite points have finite Euclidean costs, or ones that no minimum is made of.
    if pairs.pairs().clouds().is_none() {
        largest_cost(pairs.pairs()).map_err(|source_index| TransformError::CostNotFinite { source_index })?;
    }
    Ok(pairs)
}

/// Checks that there is one finite value per point.
pub(super) fn check_potential(potential: &[f64], points: usize) -> Result<(), TransformError> {
    if potential.len() != points {
        return Err(TransformError::Length { values: potential.len(), points });
    }
    match potential.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, &value)) => Err(TransformError::NotFinite { index, value }),
        None => Ok(()),
    }
}

/// min_j { c(i, j) − potential_j } for every source i.
pub(crate) fn row_minima(cost: &dyn PairCost, potential: &[f64]) -> Vec<f64> {
    if let Some(clouds) = cost.clouds().filter(|clouds| clouds.dim == 1) {
        return minima_on_line(&clouds, potential);
    }
    visit_below(cost, potential, |_| Smallest::<1>::up_to(f64::INFINITY))
        .iter()
        .map(|row| row.values[0])
        .collect()
}
