//! One parallel pass over all pairs, in blocks that fit the cache.

use super::PairCost;
use rayon::prelude::*;

/// Targets per block: with the coordinates of a low-dimensional cloud it stays in the first-level cache.
pub(crate) const BLOCK: usize = 512;

/// Sources per parallel task. Fixed, so that the work of a source never depends on the number of threads.
const TASK: usize = 32;

/// Folds each source's row of costs, block by block in ascending order of targets, into an accumulator of its own.
///
/// `visit(accumulator, source, first_target, costs)` may overwrite `costs`. Each accumulator sees its blocks in the
/// same order whatever the number of threads, so the results are bit-equal. O(n·m) cost evaluations, O(n) accumulators.
pub(crate) fn accumulate_rows<A: Send>(
    cost: &dyn PairCost,
    start: impl Fn(usize) -> A + Sync,
    visit: impl Fn(&mut A, usize, usize, &mut [f64]) + Sync,
) -> Vec<A> {
    let (sources, targets) = (cost.sources(), cost.targets());
    let mut accumulators: Vec<A> = (0..sources).map(start).collect();
    accumulators.par_chunks_mut(TASK).enumerate().for_each(|(task, chunk)| {
        let mut buffer = [0.0; BLOCK];
        for first_target in (0..targets).step_by(BLOCK) {
            let Some(costs) = buffer.get_mut(..BLOCK.min(targets - first_target)) else { continue };
            for (offset, accumulator) in chunk.iter_mut().enumerate() {
                let source = task * TASK + offset;
                cost.row(source, first_target, costs);
                visit(accumulator, source, first_target, costs);
            }
        }
    });
    accumulators
}
