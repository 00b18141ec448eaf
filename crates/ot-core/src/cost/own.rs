//! A cost of somebody else's between the points of two clouds.

#![allow(
    clippy::indexing_slicing,
    reason = "kernel; every index is below the sizes fixed by the constructor"
)]

use super::{Cost, PairCost};
use ndarray::ArrayView2;

/// The points of both sides, row by row, and a function of two of them.
pub(crate) struct OwnPairs<'a> {
    sources: Vec<f64>,
    targets: Vec<f64>,
    dim: usize,
    cost: &'a dyn Cost,
}

impl<'a> OwnPairs<'a> {
    pub(crate) fn new(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, cost: &'a dyn Cost) -> Self {
        let by_point = |points: ArrayView2<'_, f64>| points.iter().copied().collect();
        Self { sources: by_point(x), targets: by_point(y), dim: x.ncols(), cost }
    }

    fn source(&self, index: usize) -> &[f64] {
        &self.sources[index * self.dim..(index + 1) * self.dim]
    }

    fn target(&self, index: usize) -> &[f64] {
        &self.targets[index * self.dim..(index + 1) * self.dim]
    }
}

impl PairCost for OwnPairs<'_> {
    fn sources(&self) -> usize {
        self.sources.len() / self.dim
    }

    fn targets(&self) -> usize {
        self.targets.len() / self.dim
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        self.cost.between(self.source(source), self.target(target))
    }
}
