//! The semi-dual of optimal transport: one potential, the other its c-transform.

use super::c_transform::{TransformError, check_potential, row_minima};
use crate::WeightError;
use crate::cost::{CloudCost, Cost, Smallest, Swapped, visit_below};
use crate::weights::Weights;
use ndarray::ArrayView2;

/// The semi-dual objective at a potential.
#[derive(Debug, Clone, PartialEq)]
pub struct SemiDual {
    /// J(φ) = Σ a_i φ_i + Σ b_j φ^c_j: a lower bound of the transport cost.
    pub value: f64,
    /// φ^c at the targets, \[m\].
    pub transformed: Vec<f64>,
    /// The source that attains the minimum for each target, \[m\], the first of equal ones: its Laguerre cell.
    pub cells: Vec<usize>,
    /// A supergradient of the concave J, \[n\]: a_i less the mass of the cell of i.
    pub gradient: Vec<f64>,
}

/// Why a semi-dual objective is not defined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SemiDualError {
    /// Points or potential are not valid.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// The weights are not a measure.
    #[error(transparent)]
    Weight(#[from] WeightError),
}

/// J(φ) = Σ a_i φ_i + Σ b_j φ^c(y_j), with φ^c(y) = min_i { c(x_i, y) − φ_i }, and a supergradient.
///
/// J is concave, at most the transport cost, and equal to it at an optimal potential (Peyré & Cuturi, arXiv 1803.00567, section 5.1).
/// Replacing φ by φ^{cc} ([`double_transform`]) never lowers it.
///
/// `x` is \[n, d\], `potential` \[n\] in units of cost, `y` \[m, d\]; weights are divided by their sums, `None` means equal ones.
///
/// # Errors
/// Empty clouds, different dimensions, a potential of another length, values that are not finite, weights that are not measures.
///
/// O(n·m·d) operations, O(n + m) memory, parallel; the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::{cost::Cost, dual::semi_dual::semi_dual};
/// let (x, y) = (array![[0.0], [2.0]], array![[1.0], [3.0]]);
/// let dual = semi_dual(x.view(), &[0.0, 0.0], y.view(), None, None, Cost::SquaredEuclidean)?;
/// assert_eq!((dual.value, dual.cells), (1.0, vec![0, 1]));
/// assert_eq!(dual.gradient, [0.0, 0.0]); // optimal
/// # Ok::<(), ot_core::dual::semi_dual::SemiDualError>(())
/// ```
pub fn semi_dual(
    x: ArrayView2<f64>,
    potential: &[f64],
    y: ArrayView2<f64>,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    cost: Cost,
) -> Result<SemiDual, SemiDualError> {
    let pairs = CloudCost::new(x, y, cost).map_err(TransformError::from)?;
    check_potential(potential, x.nrows())?;
    let (a, b) = Weights::pair(a, b, x.nrows(), y.nrows())?;
    let nearest = visit_below(&Swapped(&pairs), potential, |_| Smallest::<1>::up_to(f64::INFINITY));
    let transformed: Vec<f64> = nearest.iter().map(|row| row.values[0]).collect();
    let cells: Vec<usize> = nearest.iter().map(|row| row.targets().next().unwrap_or_default()).collect();
    let mut gradient = a.all.clone();
    for (&cell, weight) in cells.iter().zip(&b.all) {
        if let Some(entry) = gradient.get_mut(cell) {
            *entry -= weight;
        }
    }
    let pairing = |weights: &[f64], values: &[f64]| -> f64 {
        weights.iter().zip(values).map(|(weight, value)| weight * value).sum()
    };
    let value = pairing(&a.all, potential) + pairing(&b.all, &transformed);
    Ok(SemiDual { value, transformed, cells, gradient })
}

/// The pair (φ^{cc}, φ^c) of a potential φ on the points `x`: φ^{cc} ≥ φ is the largest potential with the same c-transform.
///
/// φ^{cc}(x) = min_j { c(x, y_j) − φ^c(y_j) }; potentials of this form are called c-concave, and (φ^{cc})^c = φ^c up to rounding
/// (Villani, Optimal Transport: Old and New, 2009, proposition 5.8).
///
/// Shapes, errors and complexity are those of [`super::c_transform::c_transform`], twice.
///
/// # Errors
/// Empty clouds, different dimensions, a potential of another length, values that are not finite.
///
/// ```
/// use ndarray::array;
/// use ot_core::{cost::Cost, dual::semi_dual::double_transform};
/// let (x, y) = (array![[0.0], [2.0]], array![[1.0]]);
/// let (twice, once) = double_transform(x.view(), &[0.0, -5.0], y.view(), Cost::SquaredEuclidean)?;
/// assert_eq!((twice, once), (vec![0.0, 0.0], vec![1.0]));
/// # Ok::<(), ot_core::dual::c_transform::TransformError>(())
/// ```
pub fn double_transform(
    x: ArrayView2<f64>,
    potential: &[f64],
    y: ArrayView2<f64>,
    cost: Cost,
) -> Result<(Vec<f64>, Vec<f64>), TransformError> {
    let pairs = CloudCost::new(x, y, cost)?;
    check_potential(potential, x.nrows())?;
    let once = row_minima(&Swapped(&pairs), potential);
    Ok((row_minima(&pairs, &once), once))
}
