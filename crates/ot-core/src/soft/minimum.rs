//! The soft minimum over all pairs of two clouds, in blocks with a running maximum.

#![allow(
    clippy::indexing_slicing,
    reason = "kernel; indices are below the sizes of the clouds, checked at entry"
)]

use super::clusters::{BLOCK, Clusters};
use crate::cost::Euclidean;
use rayon::prelude::*;
use simd::exp::exp;
use simd::{Instructions, Vectorised};

/// Blocks whose exponents are this far below the largest seen are skipped: a million of their terms together are below
/// the rounding of the sum, 10⁶·e^−50 < 2^−52.
pub(crate) const NEGLIGIBLE: f64 = 50.0;

/// −ε·log Σ_j exp((potential_j − c_ij)/ε + log b_j) for every source i, all in sorted order.
///
/// Exponents are formed in `f64`, since c/ε may be large; the exponentials, at most one, are `f32`, which costs 2e−7·ε
/// in the result. Blocks of targets are taken in the order of what they can contribute at most to a block of sources,
/// until the rest is negligible: for small ε most pairs are never looked at. Every source adds its terms in an order
/// that no thread changes.
pub(super) fn soft_minimum(
    sources: &Clusters,
    targets: &Clusters,
    cost: Euclidean,
    potential: &[f64],
    log_b: &[f64],
    epsilon: f64,
) -> Vec<f64> {
    let rows = Exponents::new(sources, targets, cost, potential, log_b, epsilon);
    let mut minima = vec![0.0; sources.len()];
    minima.par_chunks_mut(BLOCK).enumerate().for_each(|(block, minima)| {
        simd::run(LogSums { rows: &rows, block, bounds: &rows.bounds(block), out: minima });
        minima.iter_mut().for_each(|log_sum| *log_sum *= -epsilon);
    });
    minima
}

/// The exponents (potential_j − c(x_i, y_j))/ε + log b_j, a row of them for every source.
pub(crate) struct Exponents<'a> {
    pub sources: &'a Clusters,
    pub targets: &'a Clusters,
    pub cost: Euclidean,
    /// The part without the cost; what fills the last block has no mass.
    pub offsets: Vec<f64>,
    /// The largest offset of every block.
    largest: Vec<f64>,
    /// 1/ε.
    pub factor: f64,
}

impl<'a> Exponents<'a> {
    pub(crate) fn new(
        sources: &'a Clusters,
        targets: &'a Clusters,
        cost: Euclidean,
        potential: &[f64],
        log_b: &[f64],
        epsilon: f64,
    ) -> Self {
        let mut offsets = vec![f64::NEG_INFINITY; targets.blocks() * BLOCK];
        for ((offset, value), log) in offsets.iter_mut().zip(potential).zip(log_b) {
            *offset = value / epsilon + log;
        }
        let largest = offsets
            .chunks_exact(BLOCK)
            .map(|block| block.iter().copied().fold(f64::NEG_INFINITY, f64::max))
            .collect();
        Self { sources, targets, cost, offsets, largest, factor: 1.0 / epsilon }
    }

    /// Upper bounds of the exponents between a block of sources and every block of targets, descending.
    pub(crate) fn bounds(&self, block: usize) -> Vec<(f64, usize)> {
        let bound = |target| {
            let gap = self.sources.squared_gap(block, self.targets, target);
            self.largest[target] - self.cost.of_squared_distance(gap) * self.factor
        };
        let mut bounds: Vec<(f64, usize)> =
            (0..self.targets.blocks()).map(|target| (bound(target), target)).collect();
        bounds.sort_unstable_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(&two.1)));
        bounds
    }

    /// Writes the exponents of one source against a block of targets; returns the largest.
    ///
    /// The lanes stay in registers from the coordinates to the maximum: passes over the block would wait for its loads.
    #[inline(always)]
    fn exponents<I: Instructions>(
        &self,
        instructions: I,
        point: &[f64],
        target: usize,
        exponents: &mut [f64],
    ) -> f64 {
        let width = exponents.len();
        let (block, offsets) =
            (self.targets.block(target), &self.offsets[target * width..(target + 1) * width]);
        let (scale, root) = match self.cost {
            Euclidean::Distance => (1.0, true),
            Euclidean::HalfSquared => (0.5, false),
            Euclidean::Squared => (1.0, false),
        };
        let factor = -scale * self.factor;
        let mut maxima = [f64::NEG_INFINITY; LANES];
        let lanes = exponents.as_chunks_mut::<LANES>().0.iter_mut().zip(offsets.as_chunks::<LANES>().0);
        for (chunk, (exponents, offsets)) in lanes.enumerate() {
            let mut cost = [0.0; LANES];
            for (value, coordinates) in point.iter().zip(block.chunks_exact(width)) {
                let coordinates = &coordinates.as_chunks::<LANES>().0[chunk];
                for lane in 0..LANES {
                    let difference = value - coordinates[lane];
                    cost[lane] = instructions.multiply_add(difference, difference, cost[lane]);
                }
            }
            if root {
                cost.iter_mut().for_each(|squared| *squared = squared.sqrt());
            }
            for lane in 0..LANES {
                cost[lane] = instructions.multiply_add(cost[lane], factor, offsets[lane]);
            }
            for lane in 0..LANES {
                maxima[lane] = larger(cost[lane], maxima[lane]);
            }
            *exponents = cost;
        }
        folded(maxima, larger)
    }
}

/// log Σ_j exp(exponent_ij) of the sources i of a block, over the blocks of targets in `bounds`.
struct LogSums<'a> {
    rows: &'a Exponents<'a>,
    block: usize,
    bounds: &'a [(f64, usize)],
    out: &'a mut [f64],
}

impl Vectorised for LogSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { rows, block, bounds, out } = self;
        let points = rows.sources.block(block);
        let width = points.len() / rows.sources.dim();
        let (mut exponents, mut relative) = (vec![0.0; width], vec![0.0f32; width]);
        let mut point = Vec::with_capacity(rows.sources.dim());
        for (lane, out) in out.iter_mut().enumerate() {
            let (mut largest, mut sum) = (f64::NEG_INFINITY, 0.0f64);
            point.clear();
            point.extend(points[lane..].iter().step_by(width));
            for &(bound, target) in bounds {
                if bound < largest - NEGLIGIBLE {
                    break;
                }
                let block_largest = rows.exponents(instructions, &point, target, &mut exponents);
                // Written so that a first block without mass (−∞ against −∞) is skipped too.
                if block_largest == f64::NEG_INFINITY || block_largest < largest - NEGLIGIBLE {
                    continue;
                }
                if block_largest > largest {
                    sum *= (largest - block_largest).exp();
                    largest = block_largest;
                }
                // Rounded in a loop of its own, so that the next one fills its registers with `f32`.
                for (relative, exponent) in relative.iter_mut().zip(&exponents) {
                    *relative = (exponent - largest) as f32;
                }
                let mut sums = [0.0f32; LANES];
                for relative in relative.as_chunks::<LANES>().0 {
                    for lane in 0..LANES {
                        sums[lane] += exp(instructions, relative[lane]);
                    }
                }
                sum += f64::from(folded(sums, |one, two| one + two));
            }
            *out = largest + sum.ln();
        }
    }
}

/// Numbers that are taken side by side: four registers of `f64`, two of `f32`.
const LANES: usize = 16;

/// The lanes combined by halves, which takes four steps one after the other where a running value takes fifteen.
#[inline(always)]
fn folded<T: Copy>(mut lanes: [T; LANES], combine: impl Fn(T, T) -> T) -> T {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            lanes[lane] = combine(lanes[lane], lanes[lane + width]);
        }
    }
    lanes[0]
}

/// The larger of two numbers of which none is NaN, in one instruction.
#[inline(always)]
fn larger(one: f64, two: f64) -> f64 {
    if one > two { one } else { two }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn cloud(len: usize, seed: usize) -> Array2<f64> {
        Array2::from_shape_fn((len, 2), |(i, k)| ((i * 31 + k * 17 + seed) % 101) as f64 * 0.03)
    }

    #[test]
    fn the_soft_minimum_is_the_naive_one() {
        let (x, y) = (cloud(45, 0), cloud(1300, 5));
        let (sources, targets) = (Clusters::new(x.view()), Clusters::new(y.view()));
        let potential: Vec<f64> = (0..1300).map(|j| ((j * 7) % 13) as f64 * 0.02).collect();
        let log_b = vec![-(1300f64).ln(); 1300];
        for cost in [Euclidean::HalfSquared, Euclidean::Squared, Euclidean::Distance] {
            for epsilon in [10.0, 0.1, 0.003] {
                let fast =
                    soft_minimum(&sources, &targets, cost, &targets.sorted(&potential), &log_b, epsilon);
                for (x, value) in x.rows().into_iter().zip(sources.restored(&fast)) {
                    let terms = y.rows().into_iter().zip(&potential).map(|(y, potential)| {
                        let squared = (x[0] - y[0]).powi(2) + (x[1] - y[1]).powi(2);
                        (potential - cost.of_squared_distance(squared)) / epsilon + log_b[0]
                    });
                    let terms: Vec<f64> = terms.collect();
                    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let sum: f64 = terms.iter().map(|term| (term - largest).exp()).sum();
                    // 2.4e−7 relative error of the single-precision exponentials, as much of their sums, times ε.
                    assert!((value + epsilon * (largest + sum.ln())).abs() < 1e-6 * epsilon, "ε = {epsilon}");
                }
            }
        }
    }

    #[test]
    fn targets_without_mass_do_not_count() {
        let sources = Clusters::new(ndarray::array![[0.0]].view());
        let targets =
            Clusters::new(Array2::from_shape_fn((600, 1), |(j, _)| if j < 599 { 0.0 } else { 2.0 }).view());
        let mut log_b = vec![f64::NEG_INFINITY; 600];
        log_b[599] = 0.0;
        let minimum = soft_minimum(
            &sources,
            &targets,
            Euclidean::Distance,
            &vec![0.0; 600],
            &targets.sorted(&log_b),
            0.5,
        );
        assert_eq!(minimum, [2.0]);
    }
}
