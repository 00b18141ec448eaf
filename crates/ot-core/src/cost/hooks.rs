//! What solvers ask of a cost to be faster; only the costs of this crate can answer.

use super::{Euclidean, PairCost};

/// An argument that nobody else can name, so that nobody else can override the methods that take it.
#[derive(Debug, Clone, Copy)]
pub struct Sealed;

/// What a solver can use beyond the cost of a pair. Every answer may be `None`: it changes the time, never a result.
pub trait Accelerated: Sync {
    /// The points: solvers then dismiss most pairs by bounds in single precision and evaluate the others.
    fn clouds(&self) -> Option<Clouds<'_>>;

    /// The same cost between the chosen sources and targets only, stored compactly.
    fn select(&self, _sources: &[usize], _targets: &[usize]) -> Option<Box<dyn PairCost>> {
        None
    }

    /// A problem between fewer points that stands for the whole one, better than a random choice of points would.
    /// `sources` and `targets` are the weights of each side and the number of points wanted.
    fn coarsen<'a>(&'a self, _sources: (&[f64], usize), _targets: (&[f64], usize)) -> Option<Coarse<'a>> {
        None
    }
}

/// The points behind a cost, each cloud row by row.
#[derive(Debug, Clone, Copy)]
pub struct Clouds<'a> {
    /// [n, d], finite.
    pub sources: &'a [f64],
    /// [m, d], finite.
    pub targets: &'a [f64],
    /// The dimension d.
    pub dim: usize,
    /// The cost as a function of two points.
    pub cost: Euclidean,
}

/// A transport problem between fewer points, with the costs that carry its potentials back to the larger one.
pub struct Coarse<'a> {
    /// The cost between the coarse sources and coarse targets.
    pub cost: Box<dyn PairCost + 'a>,
    /// The cost between all sources and the coarse targets.
    pub from_all_sources: Box<dyn PairCost + 'a>,
    /// The weights of the coarse sources.
    pub a: Vec<f64>,
    /// The weights of the coarse targets.
    pub b: Vec<f64>,
}

impl<'s> dyn PairCost + 's {
    /// [`Accelerated::clouds`], where there is any acceleration.
    pub(crate) fn clouds(&self) -> Option<Clouds<'_>> {
        self.accelerated(Sealed)?.clouds()
    }

    /// [`Accelerated::select`], likewise.
    pub(crate) fn select(&self, sources: &[usize], targets: &[usize]) -> Option<Box<dyn PairCost>> {
        self.accelerated(Sealed)?.select(sources, targets)
    }

    /// [`Accelerated::coarsen`], likewise.
    pub(crate) fn coarsen(&self, sources: (&[f64], usize), targets: (&[f64], usize)) -> Option<Coarse<'_>> {
        self.accelerated(Sealed)?.coarsen(sources, targets)
    }
}
