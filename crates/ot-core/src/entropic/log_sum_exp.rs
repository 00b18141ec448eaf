//! The soft minimum over all pairs, streamed in blocks with a running maximum.

#![allow(clippy::indexing_slicing, reason = "kernel; blocks are cut to the sizes of the cost they come from")]

use crate::cost::{PairCost, accumulate_rows};

/// Blocks whose largest exponent is this far below the largest seen are skipped: all their terms together are below the rounding of
/// the sum, 512·e^−45 < 2^−53.
const NEGLIGIBLE: f64 = 45.0;

/// −ε·log Σ_j exp((potential_j − c_ij)/ε + log b_j) for every source i.
///
/// Exponents are formed in `f64`, since c/ε may be large; the exponentials, at most one, are `f32`, which costs 1e−7·ε in the result.
pub(super) fn soft_minimum(cost: &dyn PairCost, potential: &[f64], log_b: &[f64], epsilon: f64) -> Vec<f64> {
    let offsets: Vec<f64> = potential.iter().zip(log_b).map(|(value, log)| value / epsilon + log).collect();
    let sums = accumulate_rows(
        cost,
        |_| (f64::NEG_INFINITY, 0.0f64),
        |sum, _, first, costs| {
            let offsets = &offsets[first..first + costs.len()];
            add_block(sum, costs, offsets, -1.0 / epsilon);
        },
    );
    sums.into_iter().map(|(largest, sum)| -epsilon * (largest + sum.ln())).collect()
}

/// Adds Σ_j exp(costs_j·factor + offsets_j) to a sum kept as exp(largest)·sum.
fn add_block(sum: &mut (f64, f64), costs: &mut [f64], offsets: &[f64], factor: f64) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just been seen to support AVX2.
        unsafe { add_block_avx2(sum, costs, offsets, factor) };
        return;
    }
    add_block_in_lanes(sum, costs, offsets, factor);
}

/// The same arithmetic, compiled for wider registers: no operation is fused or reordered, so the numbers are the same.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_block_avx2(sum: &mut (f64, f64), costs: &mut [f64], offsets: &[f64], factor: f64) {
    add_block_in_lanes(sum, costs, offsets, factor);
}

const LANES: usize = 16;

#[inline(always)]
fn add_block_in_lanes((largest, sum): &mut (f64, f64), costs: &mut [f64], offsets: &[f64], factor: f64) {
    let mut maxima = [f64::NEG_INFINITY; LANES];
    let mut groups = costs.chunks_exact_mut(LANES);
    let mut offset_groups = offsets.chunks_exact(LANES);
    for (group, offsets) in groups.by_ref().zip(offset_groups.by_ref()) {
        for ((value, offset), maximum) in group.iter_mut().zip(offsets).zip(&mut maxima) {
            let exponent = *value * factor + offset;
            *value = exponent;
            *maximum = if exponent > *maximum { exponent } else { *maximum };
        }
    }
    for ((value, offset), maximum) in
        groups.into_remainder().iter_mut().zip(offset_groups.remainder()).zip(&mut maxima)
    {
        *value = *value * factor + offset;
        *maximum = maximum.max(*value);
    }
    let block_largest = maxima.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Written so that the very first block of mass-free targets (−∞ against −∞) is skipped too.
    if block_largest == f64::NEG_INFINITY || block_largest < *largest - NEGLIGIBLE {
        return;
    }
    if block_largest > *largest {
        *sum *= (*largest - block_largest).exp();
        *largest = block_largest;
    }
    let mut sums = [0.0f32; LANES];
    let mut groups = costs.chunks_exact(LANES);
    for group in groups.by_ref() {
        for (sum, exponent) in sums.iter_mut().zip(group) {
            *sum += exponential((exponent - *largest) as f32);
        }
    }
    for (sum, exponent) in sums.iter_mut().zip(groups.remainder()) {
        *sum += exponential((exponent - *largest) as f32);
    }
    *sum += sums.iter().map(|&sum| f64::from(sum)).sum::<f64>();
}

/// e^x for x ≤ 0, within 2 units in the last place of `f32`; below −86 it stays at e^−86 ≈ 4e−38.
///
/// x = k·log 2 + r with |r| ≤ ½·log 2, e^r by its Taylor polynomial of degree 7 (error r⁸/8! < 6e−9) and 2^k put into the exponent bits.
#[inline(always)]
fn exponential(x: f32) -> f32 {
    /// Adding and subtracting 1.5·2^23 rounds to an integer.
    const ROUND: f32 = 12_582_912.0;
    /// log 2 in two parts, the first short enough for k·LN_2_HIGH to be exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x > -86.0 { x } else { -86.0 };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut polynomial = 1.0 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        polynomial = polynomial * r + coefficient;
    }
    // The low bits of `rounded` hold k in two's complement.
    let power = f32::from_bits(rounded.to_bits().wrapping_add(127) << 23);
    polynomial * power
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::FunctionCost;

    #[test]
    fn the_exponential_is_accurate_to_single_precision() {
        for step in 0..=860_000 {
            let x = -(step as f32) * 1e-4;
            let exact = f64::from(x).exp();
            // Two units in the last place of f32.
            assert!((f64::from(exponential(x)) / exact - 1.0).abs() < 2.4e-7, "at {x}");
        }
        assert!(exponential(-1e30) < 1e-37 && exponential(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn the_soft_minimum_is_the_naive_one() {
        let function = |i: usize, j: usize| ((i * 31 + j * 17) % 101) as f64 * 0.01;
        let potential: Vec<f64> = (0..1300).map(|j| ((j * 7) % 13) as f64 * 0.02).collect();
        let log_b = vec![-(1300f64).ln(); 1300];
        for epsilon in [10.0, 0.1, 0.003] {
            let fast = soft_minimum(&FunctionCost::new(5, 1300, function), &potential, &log_b, epsilon);
            for (i, value) in fast.iter().enumerate() {
                let sum: f64 =
                    (0..1300).map(|j| ((potential[j] - function(i, j)) / epsilon + log_b[j]).exp()).sum();
                // 1e−7 relative error of the single-precision exponentials and their sums, times ε.
                assert!((value + epsilon * sum.ln()).abs() < 1e-6 * epsilon, "ε = {epsilon}");
            }
        }
    }

    #[test]
    fn targets_without_mass_do_not_count() {
        let cost = FunctionCost::new(1, 600, |_, j| if j < 599 { 0.0 } else { 2.0 });
        let mut log_b = vec![f64::NEG_INFINITY; 600];
        log_b[599] = 0.0;
        assert_eq!(soft_minimum(&cost, &vec![0.0; 600], &log_b, 0.5), [2.0]);
    }
}
