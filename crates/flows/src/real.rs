//! The two floating-point types that networks run in.

use num_traits::{Float, FloatConst, NumAssign};
use simd::exp::{exp_and_exp_m1, exp2};
use simd::{Instructions, Lanes, Portable, Row};

/// `f32` for training and sampling, `f64` for reference computations and tests.
///
/// The `vector_` functions are those that networks spend their time in. They are free of branches and calls, so that a loop
/// over them vectorises, and name what they fuse (in single precision all, in double nothing), so that every machine computes
/// the same bits.
pub trait Real:
    Float
    + FloatConst
    + NumAssign
    + faer::traits::ComplexField
    + std::iter::Sum
    + Default
    + Send
    + Sync
    + std::fmt::Debug
    + 'static
{
    /// The numbers of a row of registers, which are worked on together.
    type Row<I: Instructions>: Row<Self, I>;
    /// Half as many, for what would leave most of a row empty.
    type HalfRow<I: Instructions>: Row<Self, I>;

    /// Rounds from `f64`.
    fn of(x: f64) -> Self;
    /// Widens to `f64`, exactly.
    fn wide(self) -> f64;
    /// tanh, accurate to a few units in the last place of 1.
    fn vector_tanh(self) -> Self;
    /// eˣ for x ≤ 0, accurate to a few units in the last place of 1; at least 2⁻⁶⁴ in single precision and 2⁻²⁵⁶ in
    /// double, far from the subnormal numbers.
    fn vector_exp(self) -> Self;
    /// log(1 + x) for 0 ≤ x ≤ 1, accurate to a few units in the last place.
    fn vector_ln_1p(self) -> Self;
}

impl Real for f64 {
    type Row<I: Instructions> = I::Doubles;
    type HalfRow<I: Instructions> = I::HalfDoubles;

    #[inline]
    fn of(x: f64) -> Self {
        x
    }
    #[inline]
    fn wide(self) -> f64 {
        self
    }

    /// tanh |x| = −m/(2 + m) with m = e^(−2|x|) − 1.
    #[inline(always)]
    fn vector_tanh(self) -> Self {
        let m = exp_and_exp_m1(Portable, -2.0 * self.abs()).1;
        (-m / (2.0 + m)).copysign(self)
    }

    #[inline(always)]
    fn vector_exp(self) -> Self {
        /// The logarithm of 2⁻²⁵⁶.
        const LEAST: f64 = -256.0 * std::f64::consts::LN_2;
        exp_and_exp_m1(Portable, if self < LEAST { LEAST } else { self }).0
    }

    /// log(1 + x) = 2·artanh z = 2z·Σ_k z^(2k)/(2k + 1) with z = x/(2 + x) ≤ 1/3; the first term left out, of k = 17, is a
    /// relative 2e-18.
    #[inline(always)]
    fn vector_ln_1p(self) -> Self {
        let z = self / (2.0 + self);
        let w = z * z;
        let series = (0..17).rev().fold(0.0, |series, k| series * w + 1.0 / f64::from(2 * k + 1));
        2.0 * z * series
    }
}

impl Real for f32 {
    type Row<I: Instructions> = Lanes<I>;
    type HalfRow<I: Instructions> = I::HalfRow;

    #[inline]
    fn of(x: f64) -> Self {
        x as f32
    }
    #[inline]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    /// tanh x = x·P(x²)/Q(x²) on |x| ≤ 7.9, beyond which it is ±1 to 2.8e-7. P and Q of degree 4 were fitted to tanh on
    /// that interval by reweighted least squares, up to 5e-9.
    #[inline(always)]
    fn vector_tanh(self) -> Self {
        const P: [f32; 5] = [1.0, 0.134_444_52, 3.571_696e-3, 2.190_341_7e-5, 1.525_968_5e-8];
        const Q: [f32; 5] = [1.0, 0.467_777_73, 2.616_441_2e-2, 3.411_743e-4, 8.530_549e-7];
        let x = clip(self, 7.9);
        let y = x * x;
        let polynomial =
            |[c0, c1, c2, c3, c4]: [f32; 5]| c4.mul_add(y, c3).mul_add(y, c2).mul_add(y, c1).mul_add(y, c0);
        x * polynomial(P) / polynomial(Q)
    }

    #[inline(always)]
    fn vector_exp(self) -> Self {
        exp2(clip(self * std::f32::consts::LOG2_E, OCTAVES))
    }

    /// log(1 + x) = x·P(x), P of degree 8 with P(0) = 1 and the least largest relative error on [0, 1] (3.3e-8, by
    /// reweighted least squares): a division would take as long as all of it.
    #[inline(always)]
    fn vector_ln_1p(self) -> Self {
        let x = self;
        let high =
            5.364_825e-3_f32.mul_add(x, -3.006_579_5e-2).mul_add(x, 7.920_454e-2).mul_add(x, -0.137_538_03);
        let low = high.mul_add(x, 0.191_536_55).mul_add(x, -0.248_571_63).mul_add(x, 0.333_213_24);
        x * low.mul_add(x, -0.499_996_48).mul_add(x, 1.0)
    }
}

/// How many octaves eˣ may be below 1 in single precision. An activation σ(s) of a very negative s, its products with weights
/// and with cotangents stay so above 2⁻¹²⁶, below which the arithmetic of most processors is a hundred times slower.
const OCTAVES: f32 = 64.0;

/// `y` within ±`bound`; comparisons that are false for a NaN pass it on.
#[inline(always)]
fn clip(y: f32, bound: f32) -> f32 {
    let y = if y > bound { bound } else { y };
    if y < -bound { -bound } else { y }
}

#[cfg(test)]
mod tests {
    use super::Real;

    /// The largest error of `fast` against `exact` in double precision on 40 001 points of [from, to].
    fn error(from: f64, to: f64, fast: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        (0..=40_000)
            .map(|i| (from + (to - from) * f64::from(i) / 40_000.0) as f32)
            .map(|x| (f64::from(fast(x)) - exact(f64::from(x))).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn single_precision_agrees_with_double() {
        // P, Q, their quotient and the product each carry a rounding of at most 6e-8, and the ends 2.8e-7 alone.
        assert!(error(-12.0, 12.0, f32::vector_tanh, f64::tanh) < 3.0e-7);
        // One rounding of the argument, which |x|·eˣ < 0.4 damps, one of the polynomial and one of its last step.
        assert!(error(-100.0, 0.0, f32::vector_exp, f64::exp) < 2.0e-7);
        // Three roundings of a number below ln 2.
        assert!(error(0.0, 1.0, f32::vector_ln_1p, f64::ln_1p) < 1.5e-7);
    }

    #[test]
    fn double_precision_agrees_with_the_library() {
        for step in -40_000..=40_000 {
            let x = f64::from(step) * 1e-3;
            // Four units of the exponential, one more in each of the three steps after it.
            assert!((x.vector_tanh() - x.tanh()).abs() <= 1.5e-15 * x.tanh().abs(), "tanh {x}");
            assert!(((-x.abs()).vector_exp() / (-x.abs()).exp() - 1.0).abs() < 1e-15, "exp {}", -x.abs());
            let y = (x / 40.0).abs();
            // Some roundings of a number near 1, and three.
            assert!((y.vector_ln_1p() - y.ln_1p()).abs() <= 1e-15 * y.ln_1p(), "ln_1p {y}");
        }
        for function in [f64::vector_tanh, f64::vector_exp, f64::vector_ln_1p] {
            assert!(function(f64::NAN).is_nan());
        }
        assert_eq!([f64::INFINITY, f64::NEG_INFINITY, 0.0].map(f64::vector_tanh), [1.0, -1.0, 0.0]);
        assert!(((-1e9_f64).vector_exp() / 2.0_f64.powi(-256) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn special_values_stay_what_they_are() {
        for (x, expected) in [(f32::INFINITY, 1.0), (f32::NEG_INFINITY, -1.0), (1e30, 1.0_f32)] {
            let found = x.vector_tanh();
            // Never beyond ±1, where 1 − tanh² would be negative.
            assert!((found - expected).abs() < 3.0e-7 && found.abs() <= 1.0, "tanh {x} is {found}");
        }
        assert_eq!(0.0_f32.vector_tanh(), 0.0);
        assert_eq!([-1e30, f32::NEG_INFINITY].map(f32::vector_exp), [2.0_f32.powi(-64); 2]);
        assert_eq!((0.0_f32.vector_exp(), 0.0_f32.vector_ln_1p()), (1.0, 0.0));
        for function in [f32::vector_tanh, f32::vector_exp, f32::vector_ln_1p] {
            assert!(function(f32::NAN).is_nan());
        }
    }
}
