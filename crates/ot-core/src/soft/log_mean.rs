//! The soft minimum in double precision, also where potentials and costs are far below ε.

#![allow(clippy::indexing_slicing, reason = "kernel; indices are below the sizes of the pairs")]

use super::NEGLIGIBLE;
use simd::exp::exp_and_exp_m1;
use simd::{Instructions, Vectorised};

/// Numbers that are taken side by side.
const LANES: usize = 8;

/// Adds the costs of a row from a column on to its mean; they are overwritten.
pub(super) type Visit<'a> = &'a (dyn Fn(&mut LogMean, usize, &mut [f64]) + Sync);

/// −ε·log Σ_j exp((potential_j − c_ij)/ε + log b_j) for every source i, whose costs `rows` shows in ascending order.
///
/// With t_j = (potential_j − c_ij)/ε and Σ b = 1 the logarithm is max t + log(1 + Σ b_j (e^{t_j − max t} − 1)): where all
/// t_j are small, so is the sum, and the result has the digits of the costs, whatever ε is.
pub(super) fn soft_minimum(
    rows: impl FnOnce(Visit<'_>) -> Vec<LogMean>,
    potential: &[f64],
    log_b: &[f64],
    epsilon: f64,
) -> Vec<f64> {
    let b: Vec<f64> = log_b.iter().map(|log| log.exp()).collect();
    let total: f64 = b.iter().sum();
    // What rounding makes of a sum of one.
    let log_total = if (total - 1.0).abs() < 1e-9 { 0.0 } else { total.ln() };
    let factor = 1.0 / epsilon;
    let rows = rows(&|mean, first, costs| {
        let (potential, b) = (&potential[first..][..costs.len()], &b[first..][..costs.len()]);
        let largest = simd::run(Exponents { potential, b, factor, costs: &mut *costs });
        mean.add(costs, b, largest);
    });
    rows.iter().map(|mean| -epsilon * (mean.log(total) + log_total)).collect()
}

/// Turns costs into exponents (potential − c)/ε, −∞ where there is no mass, and returns the largest.
struct Exponents<'a> {
    potential: &'a [f64],
    b: &'a [f64],
    /// 1/ε.
    factor: f64,
    costs: &'a mut [f64],
}

impl Vectorised for Exponents<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) -> f64 {
        let Self { potential, b, factor, costs } = self;
        let exponent = |cost: f64, value: f64, b: f64| {
            if b > 0.0 { (value - cost) * factor } else { f64::NEG_INFINITY }
        };
        let larger = |one: f64, two: f64| if one > two { one } else { two };
        let (chunks, rest) = costs.as_chunks_mut::<LANES>();
        let (values, rest_values) = potential.as_chunks::<LANES>();
        let (masses, rest_masses) = b.as_chunks::<LANES>();
        let mut maxima = [f64::NEG_INFINITY; LANES];
        for ((costs, values), masses) in chunks.iter_mut().zip(values).zip(masses) {
            for lane in 0..LANES {
                costs[lane] = exponent(costs[lane], values[lane], masses[lane]);
                maxima[lane] = larger(costs[lane], maxima[lane]);
            }
        }
        for ((cost, value), mass) in rest.iter_mut().zip(rest_values).zip(rest_masses) {
            *cost = exponent(*cost, *value, *mass);
            maxima[0] = larger(*cost, maxima[0]);
        }
        maxima.into_iter().fold(f64::NEG_INFINITY, larger)
    }
}

/// Σ b_j e^{t_j} and Σ b_j (e^{t_j} − 1), relative to the largest exponent so far.
pub(super) struct LogMean {
    largest: f64,
    sum: f64,
    excess: f64,
    mass: f64,
}

impl Default for LogMean {
    fn default() -> Self {
        Self { largest: f64::NEG_INFINITY, sum: 0.0, excess: 0.0, mass: 0.0 }
    }
}

impl LogMean {
    /// Adds terms, of which the largest exponent is given.
    fn add(&mut self, exponents: &[f64], b: &[f64], largest: f64) {
        if largest == f64::NEG_INFINITY {
            return;
        }
        if largest > self.largest {
            let step = self.largest - largest;
            self.excess = self.excess * step.exp() + self.mass * step.exp_m1();
            self.sum *= step.exp();
            self.largest = largest;
        }
        let mass: f64 = b.iter().sum();
        self.mass += mass;
        let negligible = self.largest + self.sum.ln() - NEGLIGIBLE;
        if largest < negligible {
            self.excess -= mass;
            return;
        }
        let (sum, excess) = simd::run(Sums { exponents, b, largest: self.largest, negligible });
        self.sum += sum;
        self.excess += excess;
    }

    /// log Σ (b_j/total) e^{t_j}.
    fn log(&self, total: f64) -> f64 {
        let excess = self.excess / total;
        self.largest + if excess > -0.5 { excess.ln_1p() } else { (self.sum / total).ln() }
    }
}

/// Σ b e^{t − largest} and Σ b (e^{t − largest} − 1).
struct Sums<'a> {
    exponents: &'a [f64],
    b: &'a [f64],
    largest: f64,
    /// Terms with smaller exponents do not count in the first sum.
    negligible: f64,
}

impl Vectorised for Sums<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) -> (f64, f64) {
        let Self { exponents, b, largest, negligible } = self;
        let (mut sums, mut excesses) = ([0.0; LANES], [0.0; LANES]);
        let ((exponents, rest), (b, rest_b)) = (exponents.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (exponents, b) in exponents.iter().zip(b) {
            let mut any = false;
            for exponent in exponents {
                any |= *exponent > negligible;
            }
            if !any {
                for lane in 0..LANES {
                    excesses[lane] -= b[lane];
                }
                continue;
            }
            for lane in 0..LANES {
                let (exp, exp_m1) = exp_and_exp_m1(instructions, exponents[lane] - largest);
                sums[lane] = instructions.multiply_add(b[lane], exp, sums[lane]);
                excesses[lane] = instructions.multiply_add(b[lane], exp_m1, excesses[lane]);
            }
        }
        let (mut sum, mut excess) = (sums.iter().sum(), excesses.iter().sum());
        for (exponent, b) in rest.iter().zip(rest_b) {
            let (exp, exp_m1) = exp_and_exp_m1(instructions, exponent - largest);
            sum += b * exp;
            excess += b * exp_m1;
        }
        (sum, excess)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{FunctionCost, PairCost, accumulate_rows};

    /// More targets than a block, in an order in which the largest exponent grows and falls.
    #[test]
    fn the_soft_minimum_is_that_of_its_formula_at_any_size_of_the_costs() {
        let number = |index: usize| (index as f64 * 0.618_033_988_749_894_9).fract();
        let (n, m) = (7, 1300);
        let mut b: Vec<f64> = (0..m).map(|j| if j % 5 == 0 { 0.0 } else { 0.1 + number(j * j) }).collect();
        b[3] = 1e-30;
        for mass in [1.0, 3.0] {
            let sum: f64 = b.iter().sum();
            let log_b: Vec<f64> = b.iter().map(|b| (mass * b / sum).ln()).collect();
            for size in [1e-200, 1e-14, 1e-3, 1.0, 30.0, 1e4] {
                let potential: Vec<f64> = (0..m).map(|j| size * number(3 * j + 1)).collect();
                let cost = FunctionCost::new(n, m, |i, j| size * number(i * m + j));
                let rows = |visit: Visit<'_>| {
                    accumulate_rows(
                        &cost,
                        |_| LogMean::default(),
                        |mean, _, at, costs| visit(mean, at, costs),
                    )
                };
                let found = soft_minimum(rows, &potential, &log_b, 1.0);
                for (i, found) in found.iter().enumerate() {
                    let t: Vec<f64> = (0..m).map(|j| potential[j] - cost.cost(i, j)).collect();
                    let with_mass = || (0..m).filter(|&j| b[j] > 0.0);
                    let largest = with_mass().map(|j| t[j]).fold(f64::NEG_INFINITY, f64::max);
                    let log = if size < 0.1 {
                        // log(1 + s) with s = Σ b (e^t − 1).
                        with_mass().map(|j| b[j] / sum * t[j].exp_m1()).sum::<f64>().ln_1p()
                    } else {
                        let terms = with_mass().map(|j| b[j] / sum * (t[j] - largest).exp());
                        largest + terms.sum::<f64>().ln()
                    };
                    let expected = -(log + f64::ln(mass));
                    // Roundings of a thousand terms, relative to the largest.
                    let scale = if mass == 1.0 { size } else { size + 1.0 };
                    assert!((found - expected).abs() < 1e-13 * scale, "size {size}: {found} {expected}");
                }
            }
        }
    }
}
