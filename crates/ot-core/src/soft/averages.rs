//! Averages over the rows of an entropic plan, in one pass in double precision.

#![allow(clippy::indexing_slicing, reason = "kernel; indices are below the sizes of the pairs")]

use super::NEGLIGIBLE;
use crate::cost::{PairCost, accumulate_rows};
use ndarray::{Array2, ArrayView2, Axis};

/// Sums of exponentials of every source, and the averages that they weight.
pub(crate) struct SoftAverages {
    /// log Σ_j exp((potential_j − c_ij)/ε + log b_j), \[n\].
    pub log_sums: Vec<f64>,
    /// Σ_j w_ij v_j with w_ij the summands above divided by their sum, [n, k].
    pub means: Array2<f64>,
}

/// The sums of a source, relative to the largest exponent so far.
struct Sums {
    largest: f64,
    mass: f64,
    moments: Vec<f64>,
}

impl SoftAverages {
    /// The averages of the rows of `values`, [m, k]. O(n·m·(d + k)) operations, O(n·k) memory; the order of sums is
    /// fixed.
    pub(crate) fn new(
        cost: &dyn PairCost,
        potential: &[f64],
        log_b: &[f64],
        epsilon: f64,
        values: ArrayView2<'_, f64>,
    ) -> Self {
        let offsets: Vec<f64> =
            potential.iter().zip(log_b).map(|(value, log)| value / epsilon + log).collect();
        let width = values.ncols();
        let start = |_| Sums { largest: f64::NEG_INFINITY, mass: 0.0, moments: vec![0.0; width] };
        let rows = accumulate_rows(cost, start, |sums, _, first, costs| {
            for (exponent, offset) in costs.iter_mut().zip(&offsets[first..]) {
                *exponent = offset - *exponent / epsilon;
            }
            sums.rescale(costs.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            for (place, exponent) in costs.iter().enumerate() {
                if exponent - sums.largest > -NEGLIGIBLE {
                    let weight = (exponent - sums.largest).exp();
                    sums.mass += weight;
                    for (moment, value) in sums.moments.iter_mut().zip(values.row(first + place)) {
                        *moment += weight * value;
                    }
                }
            }
        });
        let mut means = Array2::zeros((rows.len(), width));
        for (mut mean, sums) in means.axis_iter_mut(Axis(0)).zip(&rows) {
            for (mean, moment) in mean.iter_mut().zip(&sums.moments) {
                *mean = moment / sums.mass;
            }
        }
        Self { log_sums: rows.iter().map(|sums| sums.largest + sums.mass.ln()).collect(), means }
    }
}

impl Sums {
    /// Makes the sums relative to an exponent, if it is larger than all before.
    fn rescale(&mut self, exponent: f64) {
        if exponent > self.largest {
            let factor = (self.largest - exponent).exp();
            self.mass *= factor;
            self.moments.iter_mut().for_each(|moment| *moment *= factor);
            self.largest = exponent;
        }
    }
}
