//! Smaller problems that stand for larger ones.

#![allow(
    clippy::indexing_slicing,
    reason = "chosen indices are below the number of points they are chosen from"
)]

use super::{Coarse, PairCost, Smallest, restricted, visit_below};

/// The coarse problem of the cost's own making, or one between pseudo-randomly chosen points.
///
/// `sources` and `targets` are the weights of each side and the size wanted.
pub(crate) fn coarsened<'a>(
    cost: &'a dyn PairCost,
    sources: (&[f64], usize),
    targets: (&[f64], usize),
) -> Coarse<'a> {
    cost.coarsen(sources, targets).unwrap_or_else(|| {
        let (chosen_sources, chosen_targets) =
            (sample(sources.0.len(), sources.1), sample(targets.0.len(), targets.1));
        let share = |weights: &[f64], chosen: &[usize]| -> Vec<f64> {
            let total: f64 = chosen.iter().map(|&index| weights[index]).sum();
            chosen.iter().map(|&index| weights[index] / total).collect()
        };
        Coarse {
            a: share(sources.0, &chosen_sources),
            b: share(targets.0, &chosen_targets),
            from_all_sources: restricted(cost, (0..sources.0.len()).collect(), chosen_targets.clone()),
            cost: restricted(cost, chosen_sources, chosen_targets),
        }
    })
}

/// A fixed pseudo-random choice of `size` of the indices, so that an order in the data (classes, time) does not bias
/// it.
pub(super) fn sample(count: usize, size: usize) -> Vec<usize> {
    let mut hashed: Vec<(u64, usize)> = (0..count).map(|index| (hash(index as u64), index)).collect();
    hashed.sort_unstable();
    let mut chosen: Vec<usize> = hashed.into_iter().take(size).map(|(_, index)| index).collect();
    chosen.sort_unstable();
    chosen
}

/// The finaliser of SplitMix64 (Steele, Lea & Flood 2014).
fn hash(index: u64) -> u64 {
    let mut bits = index.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The target of least cost for every source, the first of equal ones.
pub(super) fn nearest_targets(cost: &dyn PairCost) -> Vec<usize> {
    visit_below(cost, &vec![0.0; cost.targets()], |_| Smallest::<1>::up_to(f64::INFINITY))
        .iter()
        .map(|nearest| nearest.targets().next().unwrap_or_default())
        .collect()
}
