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
            .flat_map(|(source, row)| row.targets().map(move |target| (source, target)));
        let of_targets = columns
            .iter()
            .enumerate()
            .flat_map(|(target, column)| column.targets().map(move |source| (source, target)))
            .filter(|&(source, target)| rows[source].targets().all(|known| known != target));
        of_sources.chain(of_targets).map(|(i, j)| arc(i, j)).collect()
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
        .flat_map(|(source, row)| row.targets().map(move |target| (source, target)))
        .map(|(source, target)| Arc {
            source: source as u32,
            target_node: (sources + target) as u32,
            cost: pairs.cost.cost(source, target),
        })
        .collect()
}
