//! Which arcs the simplex should know: a warm start from a coarser problem, and pricing of all pairs.

#![allow(
    clippy::indexing_slicing,
    reason = "kernels; indices are below the sizes of the cost they came from"
)]

use super::ExactError;
use super::simplex::Arc;
use crate::cost::{AllPairs, Smallest, largest_cost};

/// Candidates kept for each source and for each target: more arcs slow the simplex, fewer cost further rounds of
/// pricing.
const NEIGHBOURS: usize = 10;

/// Violated arcs added for each source in a round of pricing.
const VIOLATIONS: usize = 4;

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

/// From a first guess of f: its c-transform g, the c-transform of that, and the nearly tight arcs of every source and
/// target.
pub(super) fn warm_start(
    pairs: &AllPairs<'_>,
    guess: &[f64],
    keep_all: bool,
) -> Result<WarmStart, ExactError> {
    let cost = pairs.cost;
    let (n, m) = (cost.sources(), cost.targets());
    let scale = largest_cost(cost).map_err(|source_index| ExactError::CostNotFinite { source_index })?;
    let columns = pairs.of_targets(guess, |_| Smallest::<NEIGHBOURS>::up_to(f64::INFINITY));
    let g: Vec<f64> = columns.iter().map(|column| column.values[0]).collect();
    let rows = pairs.of_sources(&g, |_| Smallest::<NEIGHBOURS>::up_to(f64::INFINITY));
    let f: Vec<f64> = rows.iter().map(|row| row.values[0]).collect();
    let arc = |(source, target, cost): (usize, usize, f64)| Arc {
        source: source as u32,
        target_node: (n + target) as u32,
        cost,
    };
    let arcs = if keep_all {
        (0..n)
            .flat_map(|source| (0..m).map(move |target| (source, target)))
            .map(|(i, j)| arc((i, j, cost.cost(i, j))))
            .collect()
    } else {
        let of_sources = rows
            .iter()
            .enumerate()
            .flat_map(|(source, row)| row.pairs().map(move |(target, cost)| (source, target, cost)));
        let of_targets = columns
            .iter()
            .enumerate()
            .flat_map(|(target, column)| column.pairs().map(move |(source, cost)| (source, target, cost)))
            .filter(|&(source, target, _)| rows[source].targets().all(|known| known != target));
        of_sources.chain(of_targets).map(arc).collect()
    };
    let last = NEIGHBOURS.min(m) - 1;
    let slack = rows.iter().map(|row| row.values[last] - row.values[0]).sum::<f64>() / n as f64;
    Ok(WarmStart { f, g, arcs, slack, scale })
}

/// The most violated arcs of each source: those with c_ij < f_i + g_j − tolerance, over all pairs.
pub(super) fn violated_arcs(pairs: &AllPairs<'_>, f: &[f64], g: &[f64], tolerance: f64) -> Vec<Arc> {
    let rows =
        pairs.of_sources(g, |source| Smallest::<VIOLATIONS>::up_to((f[source] - tolerance).next_down()));
    let sources = f.len();
    rows.iter()
        .enumerate()
        .flat_map(|(source, row)| row.pairs().map(move |(target, cost)| (source, target, cost)))
        .map(|(source, target, cost)| Arc {
            source: source as u32,
            target_node: (sources + target) as u32,
            cost,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::FunctionCost;

    /// A fixed sequence in [0, 1): multiples of the golden ratio.
    fn number(i: usize, j: usize) -> f64 {
        ((31 * i + 17 * j + i * j + 1) as f64 * 0.618_033_988_749_894_9).fract()
    }

    /// The `count` smallest values below `bound` with their indices, of equal ones the first.
    fn smallest(values: impl Iterator<Item = f64>, count: usize, bound: f64) -> Vec<(f64, usize)> {
        let mut all: Vec<_> = values
            .enumerate()
            .map(|(index, value)| (value, index))
            .filter(|(value, _)| *value < bound)
            .collect();
        all.sort_by(|one, other| one.partial_cmp(other).unwrap());
        all.truncate(count);
        all
    }

    #[test]
    fn a_warm_start_knows_the_nearest_of_every_source_and_target_once() {
        for (n, m) in [(40, 25), (12, 4), (3, 30)] {
            let cost = FunctionCost::new(n, m, number);
            let guess: Vec<f64> = (0..n).map(|i| 0.3 * number(i, 7)).collect();
            let nearest_sources =
                |j: usize| smallest((0..n).map(|i| number(i, j) - guess[i]), 10, f64::INFINITY);
            let g: Vec<f64> = (0..m).map(|j| nearest_sources(j)[0].0).collect();
            let nearest_targets = |i: usize| smallest((0..m).map(|j| number(i, j) - g[j]), 10, f64::INFINITY);
            let f: Vec<f64> = (0..n).map(|i| nearest_targets(i)[0].0).collect();
            let mut pairs: Vec<_> = (0..n)
                .flat_map(|i| nearest_targets(i).into_iter().map(move |(_, j)| (i, j)))
                .chain((0..m).flat_map(|j| nearest_sources(j).into_iter().map(move |(_, i)| (i, j))))
                .collect();
            pairs.sort_unstable();
            pairs.dedup();
            let spans = (0..n).map(|i| nearest_targets(i).last().unwrap().0 - f[i]);
            let slack = spans.sum::<f64>() / n as f64;
            let whole: Vec<_> = (0..n).flat_map(|i| (0..m).map(move |j| (i, j))).collect();
            for (keep_all, pairs) in [(false, pairs), (true, whole)] {
                let start = warm_start(&AllPairs::once(&cost), &guess, keep_all).unwrap();
                // The same differences of the same numbers.
                assert_eq!((&start.f, &start.g), (&f, &g));
                let mut found: Vec<_> = start
                    .arcs
                    .iter()
                    .map(|arc| (arc.source as usize, arc.target_node as usize - n))
                    .collect();
                found.sort_unstable();
                assert_eq!(found, pairs, "{n} x {m}");
                assert!(
                    start
                        .arcs
                        .iter()
                        .all(|arc| { arc.cost == number(arc.source as usize, arc.target_node as usize - n) })
                );
                // A mean of at most 40 terms below one.
                assert!((start.slack - slack).abs() < 1e-14);
                assert_eq!(start.scale, whole_scale(n, m));
            }
        }
    }

    fn whole_scale(n: usize, m: usize) -> f64 {
        (0..n).flat_map(|i| (0..m).map(move |j| number(i, j))).fold(0.0, f64::max)
    }

    #[test]
    fn pricing_finds_the_four_most_violated_arcs_of_a_source() {
        let (n, m, tolerance) = (20, 50, 0.1);
        let cost = FunctionCost::new(n, m, number);
        // Potentials of order one over costs of order one: sources with no, few and many violations.
        let f: Vec<f64> = (0..n).map(|i| 0.8 * number(i, 3)).collect();
        let g: Vec<f64> = (0..m).map(|j| 0.4 * number(5, j) - 0.3).collect();
        let expected: Vec<_> = (0..n)
            .flat_map(|i| {
                let worst = smallest((0..m).map(|j| number(i, j) - g[j]), 4, f[i] - tolerance);
                worst.into_iter().map(move |(_, j)| (i, j, number(i, j)))
            })
            .collect();
        let found: Vec<_> = violated_arcs(&AllPairs::once(&cost), &f, &g, tolerance)
            .iter()
            .map(|arc| (arc.source as usize, arc.target_node as usize - n, arc.cost))
            .collect();
        assert!(expected.len() > n && expected.len() < 4 * n);
        assert_eq!(found, expected);
        // An arc at the tolerance itself is not violated, in numbers that floats hold exactly.
        let one = FunctionCost::new(1, 1, |_, _| 1.0);
        let count = |tolerance| violated_arcs(&AllPairs::once(&one), &[1.25], &[0.25], tolerance).len();
        assert_eq!((count(0.5), count(0.25), count(0.0)), (0, 1, 1));
    }
}
