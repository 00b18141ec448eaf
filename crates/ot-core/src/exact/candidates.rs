//! Which arcs the simplex should know: a warm start from a coarser problem, and pricing of all pairs.

#![allow(
    clippy::indexing_slicing,
    reason = "kernels; indices are below the sizes of the cost they came from"
)]

use super::ExactError;
use super::simplex::Arc;
use crate::cost::{PairCost, Swapped, accumulate_rows};

/// Candidates kept for each source and for each target: more arcs slow the simplex, fewer cost further rounds of pricing.
const NEIGHBOURS: usize = 10;

/// Violated arcs added for each source in a round of pricing.
const VIOLATIONS: usize = 4;

/// Costs above this would overflow in sums along a path of the basis.
const LARGEST_COST: f64 = 1e300;

/// Feasible potentials near the optimal ones, with the arcs that are closest to tight.
pub(super) struct WarmStart {
    pub f: Vec<f64>,
    pub g: Vec<f64>,
    pub arcs: Vec<Arc>,
    /// The typical slack of the last arc kept, a scale for the error of the potentials.
    pub slack: f64,
    /// The largest |cost|.
    pub scale: f64,
}

/// The `K` smallest values seen, ascending, with their indices.
#[derive(Clone, Copy)]
struct Smallest<const K: usize> {
    values: [f64; K],
    indices: [u32; K],
}

const LANES: usize = 16;

impl<const K: usize> Smallest<K> {
    /// Only values below `bound` count.
    fn below(bound: f64) -> Self {
        Self { values: [bound; K], indices: [u32::MAX; K] }
    }

    /// Looks at costs[k] − potentials[k] for the indices first + k.
    #[inline(always)]
    fn offer(&mut self, first: usize, costs: &[f64], potentials: &[f64]) {
        let mut at = first;
        for (costs, potentials) in costs.chunks(LANES).zip(potentials.chunks(LANES)) {
            let mut reduced = [f64::INFINITY; LANES];
            for ((value, cost), potential) in reduced.iter_mut().zip(costs).zip(potentials) {
                *value = cost - potential;
            }
            // Most groups hold nothing new: one vectorised comparison dismisses them.
            let worst = self.values[K - 1];
            if reduced.iter().fold(false, |any, &value| any | (value < worst)) {
                for (offset, &value) in reduced.iter().enumerate() {
                    if value < self.values[K - 1] {
                        self.insert(value, (at + offset) as u32);
                    }
                }
            }
            at += LANES;
        }
    }

    fn insert(&mut self, value: f64, index: u32) {
        let mut at = K - 1;
        while at > 0 && value < self.values[at - 1] {
            (self.values[at], self.indices[at]) = (self.values[at - 1], self.indices[at - 1]);
            at -= 1;
        }
        (self.values[at], self.indices[at]) = (value, index);
    }

    fn found(&self) -> impl Iterator<Item = u32> + '_ {
        self.indices.iter().copied().filter(|&index| index != u32::MAX)
    }
}

fn is_invalid(cost: f64) -> bool {
    cost.is_nan() || cost.abs() > LARGEST_COST
}

/// From a first guess of f: its c-transform g, the c-transform of that, and the nearly tight arcs of every source and target.
pub(super) fn warm_start(
    cost: &dyn PairCost,
    guess: &[f64],
    keep_all: bool,
) -> Result<WarmStart, ExactError> {
    let (n, m) = (cost.sources(), cost.targets());
    let swapped = Swapped(cost);
    let columns = accumulate_rows(
        &swapped,
        |_| (Smallest::<NEIGHBOURS>::below(f64::INFINITY), 0.0f64, false),
        |(smallest, scale, invalid), _, first, costs| {
            for value in costs.iter() {
                *scale = scale.max(value.abs());
                *invalid |= is_invalid(*value);
            }
            smallest.offer(first, costs, &guess[first..]);
        },
    );
    let scale = columns.iter().map(|column| column.1).fold(0.0, f64::max);
    if columns.iter().any(|column| column.2) {
        let has_invalid = |source: &usize| (0..m).any(|target| is_invalid(cost.cost(*source, target)));
        return Err(ExactError::CostNotFinite { source_index: (0..n).find(has_invalid).unwrap_or_default() });
    }
    let g: Vec<f64> = columns.iter().map(|column| column.0.values[0]).collect();
    let rows = accumulate_rows(
        cost,
        |_| Smallest::<NEIGHBOURS>::below(f64::INFINITY),
        |smallest, _, first, costs| smallest.offer(first, costs, &g[first..]),
    );
    let f: Vec<f64> = rows.iter().map(|row| row.values[0]).collect();
    let arc = |source: usize, target: usize| Arc {
        source: source as u32,
        target_node: (n + target) as u32,
        cost: cost.cost(source, target),
    };
    let arcs = if keep_all {
        (0..n).flat_map(|source| (0..m).map(move |target| (source, target))).map(|(i, j)| arc(i, j)).collect()
    } else {
        let of_sources = rows
            .iter()
            .enumerate()
            .flat_map(|(source, row)| row.found().map(move |target| (source, target as usize)));
        let of_targets = columns
            .iter()
            .enumerate()
            .flat_map(|(target, column)| column.0.found().map(move |source| (source as usize, target)))
            .filter(|&(source, target)| !rows[source].indices.contains(&(target as u32)));
        of_sources.chain(of_targets).map(|(i, j)| arc(i, j)).collect()
    };
    let last = NEIGHBOURS.min(m) - 1;
    let slack = rows.iter().map(|row| row.values[last] - row.values[0]).sum::<f64>() / n as f64;
    Ok(WarmStart { f, g, arcs, slack, scale })
}

/// The most violated arcs of each source: those with c_ij < f_i + g_j − tolerance, over all pairs.
pub(super) fn violated_arcs(cost: &dyn PairCost, f: &[f64], g: &[f64], tolerance: f64) -> Vec<Arc> {
    let rows = accumulate_rows(
        cost,
        |source| Smallest::<VIOLATIONS>::below(f[source] - tolerance),
        |smallest, _, first, costs| smallest.offer(first, costs, &g[first..]),
    );
    let sources = cost.sources();
    rows.iter()
        .enumerate()
        .flat_map(|(source, row)| row.found().map(move |target| (source, target as usize)))
        .map(|(source, target)| Arc {
            source: source as u32,
            target_node: (sources + target) as u32,
            cost: cost.cost(source, target),
        })
        .collect()
}
