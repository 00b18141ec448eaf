//! One parallel pass over all pairs that looks closely only at those with a small enough reduced cost.

use super::screen::{DEEP, NearScreen, ProductScreen, Products, ROWS, TASK};
use super::spatial::directions;
use super::{PairCost, Swapped, accumulate_rows};
use rayon::prelude::*;
use std::cell::OnceCell;

/// What a pass keeps of each source.
pub(crate) trait Row: Send {
    /// Only reduced costs up to this matter; it never grows.
    fn limit(&self) -> f64;

    /// How many of the smallest reduced costs are kept: so many lower the limit to where it will stay. At least 1.
    fn wanted(&self) -> usize;

    /// Looks at a target with its cost and its reduced cost, which is at most the limit. What is kept must not depend on
    /// the order of the visits.
    fn visit(&mut self, target: usize, cost: f64, reduced: f64);
}

/// Reduced costs compared with the limit at once.
const GROUP: usize = 16;

/// All pairs of a cost, for one pass over them or for several.
///
/// Every pair is accounted for: the costs between point clouds are first bounded from below in single precision, with a
/// bound on the rounding, and only pairs that the bound cannot dismiss are evaluated. The result is that of evaluating
/// them all, to the bit, and does not depend on the number of threads. O(n·m·d) operations, O((n + m)·d) memory.
pub(crate) struct AllPairs<'a> {
    pub cost: &'a dyn PairCost,
    is_shared: bool,
    products: OnceCell<Option<Products>>,
}

impl<'a> AllPairs<'a> {
    /// For several passes: what they share is kept.
    pub(crate) fn shared(cost: &'a dyn PairCost) -> Self {
        Self { cost, is_shared: true, products: OnceCell::new() }
    }

    /// For one pass.
    pub(crate) fn once(cost: &'a dyn PairCost) -> Self {
        Self { cost, is_shared: false, products: OnceCell::new() }
    }

    /// Shows each source's row the pairs with c_ij − potential_j up to the row's limit; `start` gives each source's
    /// row.
    pub(crate) fn of_sources<R: Row>(&self, potential: &[f64], start: impl Fn(usize) -> R + Sync) -> Vec<R> {
        self.visit(self.cost, false, potential, start)
    }

    /// The same with sources and targets exchanged.
    pub(crate) fn of_targets<R: Row>(&self, potential: &[f64], start: impl Fn(usize) -> R + Sync) -> Vec<R> {
        self.visit(&Swapped(self.cost), true, potential, start)
    }

    /// Whether a pass reads products that it need not make, between points so far apart in so many directions that
    /// means of neighbours would not stand for them.
    pub(crate) fn are_cheap(&self) -> bool {
        self.products().is_some_and(Products::are_kept)
            && self.cost.clouds().is_some_and(|clouds| directions(&clouds) >= DEEP as f64)
    }

    /// Nothing if there are few coordinates, or if their size is beyond single precision.
    fn products(&self) -> Option<&Products> {
        let new = || self.cost.clouds().and_then(|clouds| Products::new(&clouds, self.is_shared));
        self.products.get_or_init(new).as_ref()
    }

    fn visit<R: Row>(
        &self,
        cost: &dyn PairCost,
        is_swapped: bool,
        potential: &[f64],
        start: impl Fn(usize) -> R + Sync,
    ) -> Vec<R> {
        let offer = |row: &mut R, source: usize, target: usize| {
            let cost = cost.cost(source, target);
            let reduced = cost - potential.get(target).copied().unwrap_or(f64::NAN);
            if reduced <= row.limit() {
                row.visit(target, cost, reduced);
            }
        };
        let scanned = |size: usize, scan: &(dyn Fn(usize, &mut [R]) + Sync)| {
            let mut rows: Vec<R> = (0..cost.sources()).map(&start).collect();
            rows.par_chunks_mut(size).enumerate().for_each(|(task, rows)| scan(task * size, rows));
            rows
        };
        if let Some(screen) = self.products().and_then(|all| ProductScreen::new(all, is_swapped, potential)) {
            return scanned(ROWS, &|first, rows| screen.scan(first, rows, offer));
        }
        if let Some(screen) = NearScreen::new(cost, potential) {
            return scanned(TASK, &|first, rows| screen.scan(first, rows, offer));
        }
        evaluate_all(cost, potential, start)
    }
}

/// One pass of [`AllPairs::of_sources`].
pub(crate) fn visit_below<R: Row>(
    cost: &dyn PairCost,
    potential: &[f64],
    start: impl Fn(usize) -> R + Sync,
) -> Vec<R> {
    AllPairs::once(cost).of_sources(potential, start)
}

fn evaluate_all<R: Row>(cost: &dyn PairCost, potential: &[f64], start: impl Fn(usize) -> R + Sync) -> Vec<R> {
    accumulate_rows(cost, start, |row, _, first, costs| {
        let potentials = potential.get(first..).unwrap_or_default();
        for (group, (costs, potentials)) in costs.chunks(GROUP).zip(potentials.chunks(GROUP)).enumerate() {
            // Most groups hold nothing new: one vectorised comparison dismisses them.
            let limit = row.limit();
            let pairs = || costs.iter().zip(potentials);
            if pairs().fold(false, |any, (cost, potential)| any | (cost - potential <= limit)) {
                for (offset, (&cost, potential)) in pairs().enumerate() {
                    let reduced = cost - potential;
                    if reduced <= row.limit() {
                        row.visit(first + group * GROUP + offset, cost, reduced);
                    }
                }
            }
        }
    })
}

/// The `K` smallest reduced costs of a row up to a bound, ascending, with their targets; of equal ones those of the
/// first targets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Smallest<const K: usize> {
    pub values: [f64; K],
    costs: [f64; K],
    targets: [u32; K],
}

impl<const K: usize> Smallest<K> {
    pub(crate) fn up_to(bound: f64) -> Self {
        Self { values: [bound; K], costs: [0.0; K], targets: [u32::MAX; K] }
    }

    pub(crate) fn targets(&self) -> impl Iterator<Item = usize> + '_ {
        self.pairs().map(|(target, _)| target)
    }

    /// The targets and their costs.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let known = self.targets.iter().zip(&self.costs).take_while(|(target, _)| **target != u32::MAX);
        known.map(|(&target, &cost)| (target as usize, cost))
    }
}

impl<const K: usize> Row for Smallest<K> {
    #[inline]
    fn limit(&self) -> f64 {
        self.values.last().copied().unwrap_or(f64::NEG_INFINITY)
    }

    fn wanted(&self) -> usize {
        K
    }

    #[inline]
    fn visit(&mut self, target: usize, cost: f64, reduced: f64) {
        let comes_before = |(value, index): (&f64, &u32)| (*value, *index as usize) < (reduced, target);
        let at = self.values.iter().zip(&self.targets).take_while(|entry| comes_before(*entry)).count();
        insert(&mut self.values, at, reduced);
        insert(&mut self.costs, at, cost);
        insert(&mut self.targets, at, target as u32);
    }
}

/// Puts a value into its place; the last one falls out.
fn insert<T: Copy>(values: &mut [T], at: usize, value: T) {
    if let Some([first, rest @ ..]) = values.get_mut(at..) {
        rest.iter_mut().fold(std::mem::replace(first, value), |moved, place| std::mem::replace(place, moved));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{CloudCost, Euclidean, FunctionCost};
    use ndarray::Array2;

    /// A fixed sequence in [−1, 1): the golden-ratio multiples.
    fn cloud(count: usize, dim: usize, seed: usize) -> Array2<f64> {
        Array2::from_shape_fn((count, dim), |(row, axis)| {
            let index = (seed + 1) * 7919 + row * (dim + 3) + axis * axis + axis;
            2.0 * (index as f64 * 0.618_033_988_749_894_9).fract() - 1.0
        })
    }

    fn smallest(cost: &dyn PairCost, potential: &[f64], bound: f64) -> Vec<([f64; 5], Vec<usize>)> {
        visit_below(cost, potential, |_| Smallest::<5>::up_to(bound))
            .iter()
            .map(|row| (row.values, row.targets().collect()))
            .collect()
    }

    #[test]
    fn a_screened_pass_gives_what_evaluating_every_pair_gives() {
        for cost in [Euclidean::Squared, Euclidean::HalfSquared, Euclidean::Distance] {
            for (n, m, dim) in [(1, 1, 1), (50, 33, 2), (97, 130, 12), (60, 70, 40), (100, 90, 70)] {
                for (scale, origin, apart) in
                    [(1.0, 0.0, 0.0), (1e-12, 0.0, 0.0), (1e12, 0.0, 3.0), (1.0, 1e6, 0.0), (1.0, 0.0, 1e5)]
                {
                    let x = cloud(n, dim, 0) * scale + origin;
                    // Duplicates and points of the other cloud give ties and zeros.
                    let mut y = cloud(m, dim, 1) * scale + origin + apart * scale;
                    // An axis on which one cloud is flat.
                    y.column_mut(dim / 2).fill(origin);
                    let copies: Vec<_> = x.outer_iter().step_by(5).map(|row| row.to_owned()).collect();
                    for (mut row, copy) in y.outer_iter_mut().step_by(4).zip(copies) {
                        row.assign(&copy);
                    }
                    let pairs = CloudCost::of_points(x.view(), y.view(), &cost);
                    let pairs = pairs.pairs();
                    let plain = FunctionCost::new(n, m, |i, j| pairs.cost(i, j));
                    let plain: &dyn PairCost = &plain;
                    assert!(pairs.clouds().is_some() && plain.clouds().is_none());
                    let unit = pairs.cost(0, m - 1).max(cost.of_squared_distance(scale * scale));
                    for constant in [0.0, -3.0, 1e4] {
                        let potential: Vec<f64> =
                            cloud(m, 1, 2).iter().map(|g| (g + constant) * unit).collect();
                        let median = plain.cost(n / 2, m / 2) - potential[m / 2];
                        for bound in [f64::INFINITY, median, f64::NEG_INFINITY] {
                            assert_eq!(
                                smallest(pairs, &potential, bound),
                                smallest(plain, &potential, bound),
                                "{cost:?} {n}x{m}, d = {dim}, scale {scale}, origin {origin}, apart {apart}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn products_give_what_evaluating_every_pair_gives() {
        // More columns than are looked at together, more rows than a task has, and both in parts.
        for (n, m, dim) in [(5, 2100, 64), (1, 1, 64), (230, 190, 71)] {
            for cost in [Euclidean::Squared, Euclidean::HalfSquared, Euclidean::Distance] {
                for (scale, origin) in [(1.0, 0.0), (1e-12, 0.0), (1e12, 0.0), (1.0, 1e6)] {
                    let (x, y) = (cloud(n, dim, 0) * scale + origin, cloud(m, dim, 1) * scale - origin);
                    let pairs = CloudCost::of_points(x.view(), y.view(), &cost);
                    let pairs = pairs.pairs();
                    let plain = FunctionCost::new(n, m, |i, j| pairs.cost(i, j));
                    let unit = pairs.cost(0, m - 1);
                    let potential = |count: usize| -> Vec<f64> {
                        cloud(count, 1, 2).iter().map(|value| 0.1 * value * unit).collect()
                    };
                    let (f, g) = (potential(n), potential(m));
                    let median = plain.cost(n / 2, m / 2) - g[m / 2];
                    for all in [AllPairs::shared(pairs), AllPairs::once(pairs)] {
                        assert_eq!(all.products().is_some_and(Products::are_kept), all.is_shared);
                        let plain = AllPairs::once(&plain);
                        for bound in [f64::INFINITY, median] {
                            let start = |_| Smallest::<5>::up_to(bound);
                            assert_eq!(all.of_sources(&g, start), plain.of_sources(&g, start));
                            assert_eq!(all.of_targets(&f, start), plain.of_targets(&f, start));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn potentials_that_are_not_finite_are_not_screened() {
        let (x, y) = (cloud(20, 2, 0), cloud(20, 2, 1));
        let pairs = CloudCost::of_points(x.view(), y.view(), &Euclidean::Distance);
        let pairs = pairs.pairs();
        let mut potential = vec![0.0; 20];
        assert!(NearScreen::new(pairs, &potential).is_some());
        potential[7] = f64::NAN;
        assert!(NearScreen::new(pairs, &potential).is_none());
        assert!(smallest(pairs, &potential, 1e9).iter().all(|(_, targets)| !targets.contains(&7)));
    }
}
