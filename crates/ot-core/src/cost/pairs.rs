//! Costs between all pairs of two finite sets, read in row blocks so that no n×m matrix need exist.

#![allow(
    clippy::indexing_slicing,
    reason = "kernels; every index is below the sizes fixed by the constructors"
)]

use super::hooks::{Accelerated, Sealed};
use ndarray::ArrayView2;

/// A cost c(i, j) between n sources and m targets.
///
/// [`PairCost::row`] and [`PairCost::column`] must return exactly the numbers of [`PairCost::cost`]; override them
/// where a whole block is cheaper than its entries.
pub trait PairCost: Sync {
    /// The number n of sources.
    fn sources(&self) -> usize;

    /// The number m of targets.
    fn targets(&self) -> usize;

    /// The cost c(source, target).
    fn cost(&self, source: usize, target: usize) -> f64;

    /// Writes c(source, first_target + k) into `out[k]`.
    fn row(&self, source: usize, first_target: usize, out: &mut [f64]) {
        for (offset, value) in out.iter_mut().enumerate() {
            *value = self.cost(source, first_target + offset);
        }
    }

    /// Writes c(first_source + k, target) into `out[k]`.
    fn column(&self, target: usize, first_source: usize, out: &mut [f64]) {
        for (offset, value) in out.iter_mut().enumerate() {
            *value = self.cost(first_source + offset, target);
        }
    }

    /// What the solvers of this crate can use beyond the cost of a pair.
    #[doc(hidden)]
    fn accelerated(&self, _: Sealed) -> Option<&dyn Accelerated> {
        None
    }
}

/// A given cost matrix, [n, m].
#[derive(Debug, Clone)]
pub struct MatrixCost<'a>(pub ArrayView2<'a, f64>);

impl PairCost for MatrixCost<'_> {
    fn sources(&self) -> usize {
        self.0.nrows()
    }

    fn targets(&self) -> usize {
        self.0.ncols()
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        self.0[[source, target]]
    }

    fn row(&self, source: usize, first_target: usize, out: &mut [f64]) {
        for (value, entry) in out.iter_mut().zip(self.0.row(source).iter().skip(first_target)) {
            *value = *entry;
        }
    }

    fn column(&self, target: usize, first_source: usize, out: &mut [f64]) {
        for (value, entry) in out.iter_mut().zip(self.0.column(target).iter().skip(first_source)) {
            *value = *entry;
        }
    }
}

/// A cost given by a function of the two indices.
pub struct FunctionCost<F> {
    sources: usize,
    targets: usize,
    function: F,
}

impl<F: Fn(usize, usize) -> f64 + Sync> FunctionCost<F> {
    /// The cost `function(i, j)` between `sources` and `targets` indices.
    pub fn new(sources: usize, targets: usize, function: F) -> Self {
        Self { sources, targets, function }
    }
}

impl<F: Fn(usize, usize) -> f64 + Sync> PairCost for FunctionCost<F> {
    fn sources(&self) -> usize {
        self.sources
    }

    fn targets(&self) -> usize {
        self.targets
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        (self.function)(source, target)
    }
}
