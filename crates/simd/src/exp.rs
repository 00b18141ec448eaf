//! Exponentials without branches or calls, so that a loop over them vectorises.
//!
//! All split off a power of two and leave a polynomial on half an octave to each side. They differ in what has to be
//! exact: [`exp_and_exp_m1`] is in double precision; [`exp`] keeps its relative accuracy for every x ≤ 0, since sums of exponentials are compared over many
//! orders; [`exp2`] takes its argument as exact, so that eˣ = 2^(x·log₂ e) made of it is good to a unit in the last
//! place of 1, all that an activation needs.

use crate::Instructions;
use std::f32::consts::{LN_2, LOG2_E};

/// Adding and subtracting 1.5·2²³ rounds to the nearest integer and leaves it in the low bits, without a library call.
const ROUND: f32 = 12_582_912.0;

/// 2^k of the k in the low bits of `rounded` = k + [`ROUND`]: its biased exponent k + 127 ≥ 1 moves into place.
#[inline(always)]
fn power_of_two(rounded: f32) -> f32 {
    f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23))
}

/// eˣ for x ≤ 0, within 2 units in the last place; below −86 it stays at e^−86 ≈ 4e−38.
///
/// x = k·log 2 + r with |r| ≤ ½·log 2, and for eʳ the polynomial 1 + c₁r + … + c₅r⁵ whose largest relative error is
/// least (9e−8, by weighted least squares on a Chebyshev grid).
///
/// ```
/// use simd::Portable;
/// assert_eq!(simd::exp::exp(Portable, 0.0), 1.0);
/// ```
#[inline(always)]
pub fn exp<I: Instructions>(instructions: I, x: f32) -> f32 {
    /// log 2 in two parts, the first short enough for k·LN_2_HIGH to be exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x > -86.0 { x } else { -86.0 };
    let rounded = instructions.multiply_add_single(x, LOG2_E, ROUND);
    let k = rounded - ROUND;
    let r =
        instructions.multiply_add_single(k, -LN_2_LOW, instructions.multiply_add_single(k, -LN_2_HIGH, x));
    let mut polynomial = 0.008_290_272;
    for coefficient in [0.041_898_16, 0.166_676_39, 0.499_991_48, 0.999_999_7, 1.0] {
        polynomial = instructions.multiply_add_single(polynomial, r, coefficient);
    }
    polynomial * power_of_two(rounded)
}

/// 2^y for |y| ≤ 126: 2^y = 2^k·2^r, k the integer nearest to y and 2^r a degree-6 Taylor polynomial on |r| ≤ ½
/// (relative error 1.3e-7, one unit in the last place). A NaN stays one.
///
/// It is made of fused multiply-adds whatever the machine, so that every machine computes the same bits.
///
/// ```
/// assert_eq!(simd::exp::exp2(-3.0), 0.125);
/// ```
#[inline(always)]
pub fn exp2(y: f32) -> f32 {
    const C: [f32; 7] = [
        1.0,
        LN_2,
        LN_2 * LN_2 / 2.0,
        LN_2 * LN_2 * LN_2 / 6.0,
        LN_2 * LN_2 * LN_2 * LN_2 / 24.0,
        LN_2 * LN_2 * LN_2 * LN_2 * LN_2 / 120.0,
        LN_2 * LN_2 * LN_2 * LN_2 * LN_2 * LN_2 / 720.0,
    ];
    let rounded = y + ROUND;
    let r = y - (rounded - ROUND);
    let [c0, c1, c2, c3, c4, c5, c6] = C;
    let p = c6.mul_add(r, c5).mul_add(r, c4).mul_add(r, c3).mul_add(r, c2).mul_add(r, c1).mul_add(r, c0);
    // A NaN survives through r.
    p * power_of_two(rounded)
}

/// eˣ and eˣ − 1 for x ≤ 0 in double precision, each within 4 units in the last place; below −708 they stay at e^−708
/// and −1. A NaN stays one.
///
/// x = k·log 2 + r with |r| ≤ ½·log 2, and eʳ − 1 = p by its Taylor polynomial of degree 13 (relative error 2e-17):
/// eˣ = 2^k + 2^k·p and eˣ − 1 = 2^k·p + (2^k − 1), where nothing cancels.
///
/// ```
/// use simd::Portable;
/// assert_eq!(simd::exp::exp_and_exp_m1(Portable, -1e-20), (1.0, -1e-20));
/// ```
#[inline(always)]
pub fn exp_and_exp_m1<I: Instructions>(instructions: I, x: f64) -> (f64, f64) {
    /// Adding 1.5·2⁵² rounds to the nearest integer.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    /// log 2 in two parts, the first short enough for k·LN_2_HIGH to be exact.
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = if x < -708.0 { -708.0 } else { x };
    let rounded = instructions.multiply_add(x, std::f64::consts::LOG2_E, ROUND);
    let k = rounded - ROUND;
    let r = instructions.multiply_add(k, -LN_2_LOW, instructions.multiply_add(k, -LN_2_HIGH, x));
    // 1/13!, …, 1/2!.
    let mut polynomial = 1.605_904_383_682_161_3e-10;
    for coefficient in [
        2.087_675_698_786_81e-9,
        2.505_210_838_544_172e-8,
        2.755_731_922_398_589e-7,
        2.755_731_922_398_589_3e-6,
        2.480_158_730_158_73e-5,
        1.984_126_984_126_984e-4,
        1.388_888_888_888_889e-3,
        8.333_333_333_333_333e-3,
        4.166_666_666_666_666_4e-2,
        1.666_666_666_666_666_6e-1,
        0.5,
    ] {
        polynomial = instructions.multiply_add(polynomial, r, coefficient);
    }
    let p = instructions.multiply_add(r * r, polynomial, r);
    // The biased exponent k + 1023 ≥ 1 moves into place.
    let power = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52));
    (instructions.multiply_add(power, p, power), instructions.multiply_add(power, p, power - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Portable, Vectorised, run};

    /// Both double-precision functions of an array with the instructions of this machine.
    struct Doubles<'a>(&'a [f64]);

    impl Vectorised for Doubles<'_> {
        type Output = Vec<(f64, f64)>;
        #[inline(always)]
        fn run<I: Instructions>(self, instructions: I) -> Self::Output {
            self.0.iter().map(|&x| exp_and_exp_m1(instructions, x)).collect()
        }
    }

    #[test]
    fn exponentials_in_double_precision_are_those_of_the_library() {
        let mut arguments: Vec<f64> = (0..=70_000).map(|step| -f64::from(step) * 0.01).collect();
        arguments.extend((0..600).map(|power| -(0.9f64.powi(power))));
        let of_machine = run(Doubles(&arguments));
        for (&x, fast) in arguments.iter().zip(of_machine) {
            for (exp, exp_m1) in [fast, exp_and_exp_m1(Portable, x)] {
                // Four units in the last place.
                assert!((exp / x.exp() - 1.0).abs() < 9e-16, "at {x}");
                assert!((exp_m1 - x.exp_m1()).abs() <= 9e-16 * x.exp_m1().abs(), "at {x}");
            }
        }
        assert_eq!(exp_and_exp_m1(Portable, f64::NEG_INFINITY).1, -1.0);
        assert!(exp_and_exp_m1(Portable, f64::NEG_INFINITY).0 < 1e-307);
        assert!(exp_and_exp_m1(Portable, f64::NAN).1.is_nan());
    }

    /// The exponentials of an array with the instructions of this machine.
    struct Exponentials<'a>(&'a mut [f32]);

    impl Vectorised for Exponentials<'_> {
        type Output = ();
        #[inline(always)]
        fn run<I: Instructions>(self, instructions: I) {
            self.0.iter_mut().for_each(|x| *x = exp(instructions, *x));
        }
    }

    #[test]
    fn exp_is_accurate_to_single_precision() {
        let arguments: Vec<f32> = (0..=860_000).map(|step| -(step as f32) * 1e-4).collect();
        let mut values = arguments.clone();
        run(Exponentials(&mut values));
        for (&x, &fast) in arguments.iter().zip(&values) {
            let exact = f64::from(x).exp();
            for value in [fast, exp(Portable, x)] {
                // Two units in the last place of f32.
                assert!((f64::from(value) / exact - 1.0).abs() < 2.4e-7, "at {x}");
            }
        }
        assert!(exp(Portable, -1e30) < 1e-37 && exp(Portable, f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn exp2_is_accurate_to_single_precision() {
        for step in -126_000..=126_000 {
            let y = step as f32 * 1e-3;
            // Half a unit of rounding in each of two steps beside the polynomial.
            assert!((f64::from(exp2(y)) / f64::from(y).exp2() - 1.0).abs() < 2.4e-7, "at {y}");
        }
        assert!(exp2(f32::NAN).is_nan());
        assert_eq!([exp2(-126.0), exp2(0.0), exp2(126.0)], [2f32.powi(-126), 1.0, 2f32.powi(126)]);
    }
}
