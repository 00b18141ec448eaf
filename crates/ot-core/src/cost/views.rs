//! A cost seen from the other side, or between some of its points.

#![allow(
    clippy::indexing_slicing,
    reason = "kernels; every index is below the sizes fixed by the constructors"
)]

use super::hooks::Accelerated;
use super::{Clouds, PairCost, Sealed};

/// The same cost with sources and targets exchanged.
pub(crate) struct Swapped<'a>(pub &'a dyn PairCost);

impl Accelerated for Swapped<'_> {
    fn clouds(&self) -> Option<Clouds<'_>> {
        let clouds = self.0.clouds()?;
        Some(Clouds { sources: clouds.targets, targets: clouds.sources, ..clouds })
    }
}

impl PairCost for Swapped<'_> {
    fn accelerated(&self, _: Sealed) -> Option<&dyn Accelerated> {
        Some(self)
    }

    fn sources(&self) -> usize {
        self.0.targets()
    }

    fn targets(&self) -> usize {
        self.0.sources()
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        self.0.cost(target, source)
    }

    fn row(&self, source: usize, first_target: usize, out: &mut [f64]) {
        self.0.column(source, first_target, out);
    }

    fn column(&self, target: usize, first_source: usize, out: &mut [f64]) {
        self.0.row(target, first_source, out);
    }
}

/// The cost between chosen sources and targets of another.
pub(crate) fn restricted<'a>(
    cost: &'a dyn PairCost,
    sources: Vec<usize>,
    targets: Vec<usize>,
) -> Box<dyn PairCost + 'a> {
    cost.select(&sources, &targets).unwrap_or_else(|| Box::new(Restricted { cost, sources, targets }))
}

struct Restricted<'a> {
    cost: &'a dyn PairCost,
    sources: Vec<usize>,
    targets: Vec<usize>,
}

impl PairCost for Restricted<'_> {
    fn sources(&self) -> usize {
        self.sources.len()
    }

    fn targets(&self) -> usize {
        self.targets.len()
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        self.cost.cost(self.sources[source], self.targets[target])
    }
}
