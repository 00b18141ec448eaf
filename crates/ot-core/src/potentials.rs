//! Dual potentials as functions on the whole space.

#![allow(clippy::indexing_slicing, reason = "targets come from a search among the very points they index")]

use crate::cost::{CloudCost, Cost, Smallest, Swapped, visit_below};
use crate::dual::c_transform::{TransformError, checked_pairs, row_minima};
use crate::measure::{Measure, Weights};
use crate::soft::{Kernel, Precision, Side, SoftAverages, log_weights};
use ndarray::{Array2, ArrayView2, Axis};
use std::fmt;

/// The dual potentials f and g of a transport problem, which know its measures and its cost and so can be evaluated
/// anywhere.
///
/// Between the points each has the formula that it obeys at them:
///
/// | solved by | f(x) | the map x ↦ T(x) |
/// | --- | --- | --- |
/// | exact | min_j c(x, y_j) − g_j, the c-transform of g | the target y_j that attains f(x) |
/// | entropic | −ε log Σ_j w_j, w_j = b_j e^{(g_j − c(x, y_j))/ε} | Σ_j w_j y_j / Σ_j w_j, the barycentric map |
/// | unbalanced | the same, times ρ/(ρ + ε) | the same |
///
/// and g(y) the one with the sides exchanged. Sources: Peyré & Cuturi, arXiv 1803.00567, section 5.1 (exact); Pooladian
/// & Niles-Weed, arXiv 2109.12004, eq. (5) (the entropic map); Séjourné et al., arXiv 1910.12958, definition 5
/// (unbalanced).
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, cost::Euclidean, exact};
/// let (x, y) = (array![[0.0], [1.0]], array![[3.0], [5.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let potentials = exact::solve(&source, &target, &Euclidean::HalfSquared)?.potentials;
/// assert_eq!(potentials.map(array![[-1.0], [1.5]].view())?, array![[3.0], [5.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Potentials<'a> {
    f: Vec<f64>,
    g: Vec<f64>,
    source: Measure<'a>,
    target: Measure<'a>,
    cost: &'a dyn Cost,
    extension: Extension,
}

/// What the potentials are between the points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Extension {
    /// The minimum over the other side.
    Minimum,
    /// The soft minimum, times ρ/(ρ + ε) where marginals may be missed.
    SoftMinimum {
        /// ε.
        epsilon: f64,
        /// ρ/(ρ + ε), or 1.
        damping: f64,
        /// The masses of the sources and of the targets.
        masses: [f64; 2],
    },
}

impl fmt::Debug for Potentials<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Potentials")
            .field("f", &self.f)
            .field("g", &self.g)
            .field("extension", &self.extension)
            .finish_non_exhaustive()
    }
}

impl<'a> Potentials<'a> {
    pub(crate) fn new(
        (source, f): (&Measure<'a>, Vec<f64>),
        (target, g): (&Measure<'a>, Vec<f64>),
        cost: &'a dyn Cost,
        extension: Extension,
    ) -> Self {
        Self { f, g, source: *source, target: *target, cost, extension }
    }

    /// f at the sources, \[n\], in units of cost.
    pub fn f(&self) -> &[f64] {
        &self.f
    }

    /// g at the targets, \[m\], in units of cost.
    pub fn g(&self) -> &[f64] {
        &self.g
    }

    /// The measure that f lives on.
    pub fn source(&self) -> &Measure<'a> {
        &self.source
    }

    /// The measure that g lives on.
    pub fn target(&self) -> &Measure<'a> {
        &self.target
    }

    /// The cost.
    pub fn cost(&self) -> &'a dyn Cost {
        self.cost
    }

    /// f at any points, [k, d].
    ///
    /// At the sources it is [`Potentials::f`], up to the rounding of exact potentials and up to the error of the
    /// marginals of entropic ones.
    ///
    /// # Errors
    /// Points that are none, of another dimension or not finite; a cost that is not finite.
    ///
    /// O(k·m·d), parallel; the result does not depend on the number of threads.
    pub fn f_at(&self, points: ArrayView2<'_, f64>) -> Result<Vec<f64>, TransformError> {
        let points = Measure::named("new", points, None)?;
        let pairs = checked_pairs(&points, &self.target, self.cost)?;
        let Extension::SoftMinimum { epsilon, damping, masses: [_, mass] } = self.extension else {
            return Ok(row_minima(pairs.pairs(), &self.g));
        };
        let kernel = Kernel::new(&points, &self.target, self.cost, Precision::Single);
        let g = kernel.sorted(Side::Targets, &self.g);
        let log_b = kernel.sorted(Side::Targets, &log_weights(&self.target, mass));
        let soft = kernel.soft_minimum(Side::Sources, &g, &log_b, epsilon);
        Ok(damped(kernel.restored(Side::Sources, &soft), damping))
    }

    /// g at any points, [k, d].
    ///
    /// # Errors
    /// Those of [`Potentials::f_at`].
    ///
    /// O(k·n·d), parallel; the result does not depend on the number of threads.
    pub fn g_at(&self, points: ArrayView2<'_, f64>) -> Result<Vec<f64>, TransformError> {
        let points = Measure::named("new", points, None)?;
        let pairs = checked_pairs(&self.source, &points, self.cost)?;
        let Extension::SoftMinimum { epsilon, damping, masses: [mass, _] } = self.extension else {
            return Ok(row_minima(&Swapped(pairs.pairs()), &self.f));
        };
        let kernel = Kernel::new(&self.source, &points, self.cost, Precision::Single);
        let f = kernel.sorted(Side::Sources, &self.f);
        let log_a = kernel.sorted(Side::Sources, &log_weights(&self.source, mass));
        let soft = kernel.soft_minimum(Side::Targets, &f, &log_a, epsilon);
        Ok(damped(kernel.restored(Side::Targets, &soft), damping))
    }

    /// Where mass at any points, [k, d], goes, [k, d].
    ///
    /// Of entropic potentials it is the barycentric map of the plan, extended by its own formula: at the sources it is
    /// [`crate::entropic::EntropicTransport::barycentric_map`].
    ///
    /// Of exact potentials it is the nearest-atom extension: x goes whole to the target with mass of least c(x, y_j) −
    /// g_j, the first of equal ones, in whose Laguerre cell it lies. The map is constant on each cell, and every source
    /// lies on the border of the cells of all targets that it serves, often of others too, since the potentials of a
    /// basis are tight on more pairs than carry mass: at the sources [`crate::exact::Transport::barycentric_map`] tells
    /// where mass goes, and close to them the entropic map is the smoother choice.
    ///
    /// # Errors
    /// Those of [`Potentials::f_at`].
    ///
    /// O(k·m·d), parallel; the result does not depend on the number of threads.
    pub fn map(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, TransformError> {
        checked_pairs(&Measure::named("new", points, None)?, &self.target, self.cost)?;
        Ok(self.image(points))
    }

    /// [`Potentials::map`] of points whose costs are known to be finite.
    pub(crate) fn image(&self, points: ArrayView2<'_, f64>) -> Array2<f64> {
        let targets = self.target.points();
        if let Extension::SoftMinimum { epsilon, masses: [_, mass], .. } = self.extension {
            let pairs = CloudCost::of_points(points, targets, self.cost);
            let log_b = log_weights(&self.target, mass);
            return SoftAverages::new(pairs.pairs(), &self.g, &log_b, epsilon, targets).means;
        }
        // A target without mass receives none.
        let Weights { support, .. } = self.target.probabilities();
        let atoms = targets.select(Axis(0), &support);
        let g: Vec<f64> = support.iter().map(|&target| self.g[target]).collect();
        let pairs = CloudCost::of_points(points, atoms.view(), self.cost);
        let nearest = visit_below(pairs.pairs(), &g, |_| Smallest::<1>::up_to(f64::INFINITY));
        let cells: Vec<usize> = nearest.iter().filter_map(|row| row.targets().next()).collect();
        atoms.select(Axis(0), &cells)
    }

    /// The pairs of the problem itself.
    pub(crate) fn pairs(&self) -> CloudCost<'a> {
        CloudCost::of_points(self.source.points(), self.target.points(), self.cost)
    }
}

fn damped(mut values: Vec<f64>, damping: f64) -> Vec<f64> {
    values.iter_mut().for_each(|value| *value *= damping);
    values
}
