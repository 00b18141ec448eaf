//! Costs between all pairs of two finite sets, read in row blocks so that no n×m matrix need exist.

#![allow(
    clippy::indexing_slicing,
    reason = "kernels; every index is below the sizes fixed by the constructors"
)]

use super::Cost;
use super::coarsen::Coarse;
use ndarray::ArrayView2;

/// A cost c(i, j) between n sources and m targets.
///
/// [`PairCost::row`] and [`PairCost::column`] must return exactly the numbers of [`PairCost::cost`]; override them where a whole
/// block is cheaper than its entries.
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

    /// The same cost between the chosen sources and targets only, where that can be stored compactly; `None` looks the chosen pairs up one
    /// by one.
    fn select(&self, _sources: &[usize], _targets: &[usize]) -> Option<Box<dyn PairCost>> {
        None
    }

    /// The points, where the cost is one of [`Cost`] between two point clouds: solvers then dismiss most pairs by bounds in single precision
    /// and evaluate the others by [`PairCost::cost`].
    fn clouds(&self) -> Option<Clouds<'_>> {
        None
    }

    /// A problem with `sources` and `targets` points that stands for the whole one with weights `a` and `b`, where there is a better one than
    /// a random choice of points.
    fn coarsen<'a>(&'a self, _sources: (&[f64], usize), _targets: (&[f64], usize)) -> Option<Coarse<'a>> {
        None
    }
}

/// Why two sets have no cost between them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CostError {
    /// A set has no point.
    #[error("the {cloud} set is empty: pass at least one point")]
    Empty {
        /// `source` or `target`.
        cloud: &'static str,
    },
    /// The clouds live in different dimensions.
    #[error(
        "the source points have {source_dim} columns, the target points {target_dim}: select the same coordinates of both"
    )]
    Dimension {
        /// Columns of the source cloud.
        source_dim: usize,
        /// Columns of the target cloud.
        target_dim: usize,
    },
    /// The points have no coordinates.
    #[error("the {cloud} points have no columns: select at least one coordinate")]
    NoColumns {
        /// `source` or `target`.
        cloud: &'static str,
    },
    /// A coordinate is NaN or infinite.
    #[error("row {row}, column {column} of the {cloud} points is {value}: remove or repair that row")]
    NotFinite {
        /// `source` or `target`.
        cloud: &'static str,
        /// Row of the cloud.
        row: usize,
        /// Column of the cloud.
        column: usize,
        /// The offending value.
        value: f64,
    },
}

/// The points behind a cost, each cloud row by row.
#[derive(Debug, Clone, Copy)]
pub struct Clouds<'a> {
    /// \[n, d\], finite.
    pub sources: &'a [f64],
    /// \[m, d\], finite.
    pub targets: &'a [f64],
    /// The dimension d.
    pub dim: usize,
    /// The cost as a function of two points.
    pub cost: Cost,
}

/// A given cost matrix, \[n, m\].
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
