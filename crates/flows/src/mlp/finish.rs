//! What follows the products of a network, done to each block of rows while it is near the core.
#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "every buffer is sized by `Tape::fit` from the same network, and loops over lanes have constant bounds"
)]

use crate::activation::Activation;
use crate::matrix::Finish;
use crate::real::Real;
use simd::LANES;

/// s ← s + b, then a = σ(s) in its place.
pub(super) struct Activate<'a, T> {
    pub(super) activation: Activation,
    pub(super) bias: &'a [T],
}

impl<T: Real> Finish<T> for Activate<'_, T> {
    #[inline(always)]
    fn finish(&mut self, _start: usize, rows: &mut [T]) {
        #[inline(always)]
        fn activate<T: Real>(rows: &mut [T], bias: &[T], value: impl Fn(T) -> T) {
            let (whole_bias, last_bias) = bias.as_chunks::<LANES>();
            for row in rows.chunks_exact_mut(bias.len()) {
                // Rows are short: a loop over whole lanes leaves less of them over than the compiler's own.
                let (whole, last) = row.as_chunks_mut::<LANES>();
                for (s, bias) in whole.iter_mut().zip(whole_bias) {
                    let mut lanes = *s;
                    for j in 0..LANES {
                        lanes[j] += bias[j];
                    }
                    for lane in &mut lanes {
                        *lane = value(*lane);
                    }
                    *s = lanes;
                }
                for (s, &bias) in last.iter_mut().zip(last_bias) {
                    *s = value(*s + bias);
                }
            }
        }
        match self.activation {
            Activation::Tanh => activate(rows, self.bias, |s| Activation::Tanh.value(s)),
            Activation::Softplus => activate(rows, self.bias, |s| Activation::Softplus.value(s)),
            Activation::SharpSoftplus => {
                activate(rows, self.bias, |s| Activation::SharpSoftplus.value(s));
            }
            Activation::Relu => activate(rows, self.bias, |s| Activation::Relu.value(s)),
        }
    }
}

/// q ← q ⊙ σ′.
pub(super) struct Scale<'a, T> {
    pub(super) activation: Activation,
    pub(super) values: &'a [T],
}

impl<T: Real> Finish<T> for Scale<'_, T> {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [T]) {
        #[inline(always)]
        fn scale<T: Real>(q: &mut [T], values: &[T], slope: impl Fn(T) -> T) {
            for (q, &value) in q.iter_mut().zip(values) {
                *q *= slope(value);
            }
        }
        let values = &self.values[start..][..rows.len()];
        match self.activation {
            Activation::Tanh => scale(rows, values, |a| Activation::Tanh.slope(a)),
            Activation::Softplus => scale(rows, values, |a| Activation::Softplus.slope(a)),
            Activation::SharpSoftplus => scale(rows, values, |a| Activation::SharpSoftplus.slope(a)),
            Activation::Relu => scale(rows, values, |a| Activation::Relu.slope(a)),
        }
    }
}

/// q̄ = p ⊙ σ′ in the place of p, and the part s̄ = p ⊙ q ⊙ σ″ of the value chain's cotangent in the place of
/// g = q ⊙ σ′.
pub(super) struct Curve<'a, T> {
    pub(super) activation: Activation,
    pub(super) values: &'a [T],
    pub(super) chain: &'a mut [T],
    /// What the last input adds to p in the first layer: its column of W_1 and its cotangents.
    pub(super) last_input: Option<(&'a [T], &'a [T])>,
}

impl<T: Real> Finish<T> for Curve<'_, T> {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [T]) {
        if let Some((column, cotangents)) = self.last_input {
            let first = start / column.len();
            for (p, &cotangent) in rows.chunks_exact_mut(column.len()).zip(&cotangents[first..]) {
                for (p, &weight) in p.iter_mut().zip(column) {
                    *p = cotangent.mul_add(weight, *p);
                }
            }
        }
        let values = &self.values[start..][..rows.len()];
        let chain = &mut self.chain[start..][..rows.len()];
        match self.activation {
            Activation::Tanh => curve(Activation::Tanh, rows, values, chain),
            Activation::Softplus => curve(Activation::Softplus, rows, values, chain),
            Activation::SharpSoftplus => curve(Activation::SharpSoftplus, rows, values, chain),
            Activation::Relu => Scale { activation: Activation::Relu, values }.finish(0, rows),
        }
    }
}

#[inline(always)]
fn curve<T: Real>(activation: Activation, p: &mut [T], values: &[T], chain: &mut [T]) {
    for ((p, &value), g) in p.iter_mut().zip(values).zip(chain) {
        let slope = activation.slope(value);
        *g = *p * *g * activation.relative_curvature(value, slope);
        *p *= slope;
    }
}

/// s̄ = ā ⊙ σ′ + (what the gradient chain left).
pub(super) struct Join<'a, T> {
    pub(super) activation: Activation,
    pub(super) values: &'a [T],
    pub(super) chain: Option<&'a [T]>,
}

impl<T: Real> Finish<T> for Join<'_, T> {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [T]) {
        Scale { activation: self.activation, values: self.values }.finish(start, rows);
        if let Some(chain) = self.chain {
            for (s, &extra) in rows.iter_mut().zip(&chain[start..]) {
                *s += extra;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simd::{Instructions, Vectorised, Width, run_at};

    /// The four steps one after the other, on rows of their own.
    struct All<'a> {
        activation: Activation,
        bias: &'a [f32],
        values: &'a [f32],
        rows: [Vec<f32>; 4],
        chain: Vec<f32>,
    }

    impl Vectorised for All<'_> {
        type Output = Vec<f32>;
        #[inline(always)]
        fn run<I: Instructions>(self, _: I) -> Vec<f32> {
            let Self { activation, bias, values, rows: [mut s, mut q, mut p, mut a], mut chain } = self;
            Activate { activation, bias }.finish(0, &mut s);
            Scale { activation, values }.finish(0, &mut q);
            Curve { activation, values, chain: &mut chain, last_input: None }.finish(0, &mut p);
            Join { activation, values, chain: Some(&chain) }.finish(0, &mut a);
            [s, q, p, a, chain].concat()
        }
    }

    /// 37 columns: whole rows of registers and a rest.
    #[test]
    fn what_follows_a_product_is_the_same_at_every_width() {
        let wave =
            |rate: f32, count: u16| (0..count).map(|i| (rate * f32::from(i)).sin()).collect::<Vec<_>>();
        let (bias, values) = (wave(0.7, 37), wave(0.9, 111));
        for activation in
            [Activation::Tanh, Activation::Softplus, Activation::SharpSoftplus, Activation::Relu]
        {
            let all = || All {
                activation,
                bias: &bias,
                values: &values,
                rows: [0.3, 0.4, 0.5, 0.6].map(|rate| wave(rate, 111)),
                chain: wave(1.1, 111),
            };
            let portable = run_at(Width::Bits128, all()).unwrap();
            // Sums and products of one entry, fused by name alone: no width rounds them otherwise.
            for width in Width::ALL.into_iter().filter(|&width| width <= Width::of_this_machine()) {
                assert_eq!(run_at(width, all()).unwrap(), portable, "{activation}, {width}");
            }
            for (i, &found) in portable.iter().take(111).enumerate() {
                let s = f64::from((0.3 * i as f32).sin() + bias[i % 37]);
                // A few roundings of numbers below 2.
                assert!(
                    (f64::from(found) - activation.value(s)).abs() < 1e-6,
                    "{activation} of {s}: {found}"
                );
            }
        }
    }
}
