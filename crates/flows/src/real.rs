//! The two floating-point types that networks run in.

use num_traits::{Float, FloatConst, NumAssign};

/// `f32` for training and sampling, `f64` for reference computations and tests.
pub trait Real:
    Float + FloatConst + NumAssign + std::iter::Sum + Default + Send + Sync + std::fmt::Debug + 'static
{
    /// Rounds from `f64`.
    fn of(x: f64) -> Self;
    /// Widens to `f64`, exactly.
    fn wide(self) -> f64;
    /// tanh of each entry in place, accurate to a few units in the last place of 1.
    fn tanh_in_place(x: &mut [Self]);
}

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }
    fn wide(self) -> f64 {
        self
    }
    fn tanh_in_place(x: &mut [Self]) {
        for v in x {
            *v = v.tanh();
        }
    }
}

impl Real for f32 {
    fn of(x: f64) -> Self {
        x as f32
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
    fn tanh_in_place(x: &mut [Self]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: both features were just detected.
            return unsafe { tanh_fma(x) };
        }
        for v in x {
            *v = v.tanh();
        }
    }
}

/// [`tanh_one`] over a slice, compiled for AVX2 with fused multiply-add so that it vectorises.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn tanh_fma(x: &mut [f32]) {
    for v in x {
        *v = tanh_one(*v);
    }
}

/// tanh x = (e^{2x} − 1)/(e^{2x} + 1) with a branch-free exponential: e^{2x} = 2^k·2^r, k the nearest integer
/// to 2x·log₂e and 2^r a degree-6 Taylor polynomial on |r| ≤ ½ (relative error 1.3e-7, one unit in the last place).
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn tanh_one(x: f32) -> f32 {
    // Beyond ±9 the result is ±1 in f32; `clamp` would keep a NaN, and so does this order of min and max.
    let clipped = if x > 9.0 {
        9.0
    } else if x < -9.0 {
        -9.0
    } else {
        x
    };
    let y = clipped * (2.0 * std::f32::consts::LOG2_E);
    // Adding and subtracting 1.5·2²³ rounds to the nearest integer without a library call.
    const ROUND: f32 = 12_582_912.0;
    let k = (y + ROUND) - ROUND;
    let r = y - k;
    const LN2: f32 = std::f32::consts::LN_2;
    const C: [f32; 7] = [
        1.0,
        LN2,
        LN2 * LN2 / 2.0,
        LN2 * LN2 * LN2 / 6.0,
        LN2 * LN2 * LN2 * LN2 / 24.0,
        LN2 * LN2 * LN2 * LN2 * LN2 / 120.0,
        LN2 * LN2 * LN2 * LN2 * LN2 * LN2 / 720.0,
    ];
    let [c0, c1, c2, c3, c4, c5, c6] = C;
    let p = c6.mul_add(r, c5).mul_add(r, c4).mul_add(r, c3).mul_add(r, c2).mul_add(r, c1).mul_add(r, c0);
    // |k| ≤ 26, so the biased exponent stays in range; a NaN survives through r.
    let e = p * f32::from_bits((((k as i32) + 127) << 23) as u32);
    (e - 1.0) / (e + 1.0)
}

#[cfg(test)]
mod tests {
    use super::Real;

    #[test]
    fn single_precision_tanh_agrees_with_double() {
        let points: Vec<f32> = (-20_000..=20_000).map(|i| i as f32 * 6e-4).collect();
        let mut fast = points.clone();
        f32::tanh_in_place(&mut fast);
        for (x, y) in points.iter().zip(&fast) {
            // e−1 and e+1 each carry one rounding and the polynomial one: four half-units of 1.2e-7.
            assert!((f64::from(*y) - f64::from(*x).tanh()).abs() < 2.5e-7, "tanh({x}) = {y}");
        }
        let mut special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, 0.0];
        f32::tanh_in_place(&mut special);
        assert!(special[0].is_nan());
        assert_eq!(special[1..], [1.0, -1.0, 1.0, 0.0]);
    }
}
