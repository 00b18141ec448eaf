//! The semi-dual of optimal transport: one potential, the other its c-transform.

use super::c_transform::{TransformError, check_potential, checked_pairs, row_minima};
use crate::cost::{Cost, Smallest, Swapped, visit_below};
use crate::measure::{Measure, pairing};
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

/// J(φ) = Σ a_i φ_i + Σ b_j φ^c(y_j), with φ^c(y) = min_i { c(x_i, y) − φ_i }, and a supergradient.
///
/// J is concave, at most the transport cost, and equal to it at an optimal potential (Peyré & Cuturi, arXiv 1803.00567,
/// section 5.1). Replacing φ by φ^{cc} ([`double_transform`]) never lowers it.
///
/// `potential` is that of the sources, \[n\], in units of cost.
///
/// # Errors
/// Measures of different dimensions, a potential of another length, values or costs that are not finite.
///
/// O(n·m·d) operations, O((n + m)·d) memory, parallel; the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, cost::Euclidean, dual::semi_dual::semi_dual};
/// let (x, y) = (array![[0.0], [2.0]], array![[1.0], [3.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let dual = semi_dual(&source, &[0.0, 0.0], &target, &Euclidean::Squared)?;
/// assert_eq!((dual.value, dual.cells), (1.0, vec![0, 1]));
/// assert_eq!(dual.gradient, [0.0, 0.0]); // optimal
/// # Ok::<(), ot_core::dual::c_transform::TransformError>(())
/// ```
pub fn semi_dual(
    source: &Measure<'_>,
    potential: &[f64],
    target: &Measure<'_>,
    cost: &dyn Cost,
) -> Result<SemiDual, TransformError> {
    let pairs = checked_pairs(source, target, cost)?;
    check_potential(potential, source.count())?;
    let (a, b) = (source.probabilities(), target.probabilities());
    let nearest = visit_below(&Swapped(pairs.pairs()), potential, |_| Smallest::<1>::up_to(f64::INFINITY));
    let transformed: Vec<f64> = nearest.iter().map(|row| row.values[0]).collect();
    let cells: Vec<usize> = nearest.iter().map(|row| row.targets().next().unwrap_or_default()).collect();
    let mut gradient = a.all.clone();
    for (&cell, weight) in cells.iter().zip(&b.all) {
        if let Some(entry) = gradient.get_mut(cell) {
            *entry -= weight;
        }
    }
    let value = pairing(&a.all, potential) + pairing(&b.all, &transformed);
    Ok(SemiDual { value, transformed, cells, gradient })
}

/// The pair (φ^{cc}, φ^c) of a potential φ on the points `x`: φ^{cc} ≥ φ is the largest potential with the same
/// c-transform.
///
/// φ^{cc}(x) = min_j { c(x, y_j) − φ^c(y_j) }; potentials of this form are called c-concave, and (φ^{cc})^c = φ^c up to
/// rounding (Villani, Optimal Transport: Old and New, 2009, proposition 5.8).
///
/// Shapes, errors and complexity are those of [`super::c_transform::c_transform`], twice.
///
/// # Errors
/// Empty clouds, different dimensions, a potential of another length, values that are not finite.
///
/// ```
/// use ndarray::array;
/// use ot_core::{cost::Euclidean, dual::semi_dual::double_transform};
/// let (x, y) = (array![[0.0], [2.0]], array![[1.0]]);
/// let (twice, once) = double_transform(x.view(), &[0.0, -5.0], y.view(), &Euclidean::Squared)?;
/// assert_eq!((twice, once), (vec![0.0, 0.0], vec![1.0]));
/// # Ok::<(), ot_core::dual::c_transform::TransformError>(())
/// ```
pub fn double_transform(
    x: ArrayView2<'_, f64>,
    potential: &[f64],
    y: ArrayView2<'_, f64>,
    cost: &dyn Cost,
) -> Result<(Vec<f64>, Vec<f64>), TransformError> {
    let (x, y) = (Measure::named("source", x, None)?, Measure::named("target", y, None)?);
    check_potential(potential, x.count())?;
    let pairs = checked_pairs(&x, &y, cost)?;
    let once = row_minima(&Swapped(pairs.pairs()), potential);
    Ok((row_minima(pairs.pairs(), &once), once))
}
