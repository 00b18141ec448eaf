//! Activations of the networks, with the derivatives that the closed-form input gradient needs.

use crate::real::Real;
use serde::{Deserialize, Serialize};
use simd::{Instructions, Vectorised};
use std::fmt;

/// An elementwise nonlinearity σ, 1-Lipschitz, with σ′ and σ″.
///
/// | name | σ(s) | σ′(s) | σ″(s) |
/// | --- | --- | --- | --- |
/// | `tanh` | tanh s | 1 − σ² | −2σσ′ |
/// | `softplus` | log(1 + eˢ) | 1/(1 + e⁻ˢ) | σ′(1 − σ′) |
/// | `sharp-softplus` | log(1 + e^{κs})/κ, κ = 10 | 1/(1 + e^{−κs}) | κσ′(1 − σ′) |
/// | `relu` | max(s, 0) | 1 if s > 0, else 0 | 0 |
///
/// The derivatives are functions of σ alone (for softplus 1 − e^{−κσ}), so a network keeps one number for each unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// tanh.
    Tanh,
    /// log(1 + eˢ).
    Softplus,
    /// log(1 + e^{10s})/10: smooth, and within .07 of a ReLU.
    SharpSoftplus,
    /// max(s, 0).
    Relu,
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tanh => "tanh",
            Self::Softplus => "softplus",
            Self::SharpSoftplus => "sharp-softplus",
            Self::Relu => "relu",
        })
    }
}

/// κ of the sharp softplus.
pub(crate) const SHARPNESS: f64 = 10.0;

impl Activation {
    /// Replaces pre-activations s by σ(s).
    pub fn apply<T: Real>(self, s: &mut [T]) {
        simd::run(Apply { activation: self, s });
    }

    /// Multiplies cotangents of σ(s) by σ′(s), given σ(s).
    pub(crate) fn pull_back<T: Real>(self, cotangents: &mut [T], values: &[T]) {
        simd::run(PullBack { activation: self, cotangents, values });
    }

    /// σ at one pre-activation, free of branches on `s`.
    #[inline(always)]
    pub(crate) fn value<T: Real>(self, s: T) -> T {
        // A NaN must stay visible, so it is passed on rather than replaced by 0.
        let positive = s * if s > T::zero() { T::one() } else { T::zero() };
        match self {
            Self::Tanh => s.vector_tanh(),
            // e^{−|s|} never overflows, on either side.
            Self::Softplus => positive + (-s.abs()).vector_exp().vector_ln_1p(),
            Self::SharpSoftplus => {
                let corner = (-(s * T::of(SHARPNESS)).abs()).vector_exp().vector_ln_1p();
                corner.mul_add(T::of(1.0 / SHARPNESS), positive)
            }
            Self::Relu => positive,
        }
    }

    /// σ′ from σ.
    #[inline(always)]
    pub fn slope<T: Real>(self, value: T) -> T {
        match self {
            Self::Tanh => (-value).mul_add(value, T::one()),
            Self::Softplus => T::one() - (-value).vector_exp(),
            Self::SharpSoftplus => T::one() - (-(value * T::of(SHARPNESS))).vector_exp(),
            Self::Relu => {
                if value > T::zero() {
                    T::one()
                } else {
                    T::zero()
                }
            }
        }
    }

    /// σ″/σ′ from σ and σ′.
    #[inline(always)]
    pub fn relative_curvature<T: Real>(self, value: T, slope: T) -> T {
        match self {
            Self::Tanh => -(value + value),
            Self::Softplus => T::one() - slope,
            Self::SharpSoftplus => T::of(SHARPNESS) * (T::one() - slope),
            Self::Relu => T::zero(),
        }
    }

    /// Whether σ″ vanishes everywhere.
    pub(crate) fn is_piecewise_linear(self) -> bool {
        self == Self::Relu
    }
}

/// [`Activation::apply`] as work that is compiled once more for the vector instructions of the machine.
struct Apply<'a, T> {
    activation: Activation,
    s: &'a mut [T],
}

impl<T: Real> Vectorised for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        // One loop for each activation, with no choice inside.
        match self.activation {
            Activation::Tanh => each(self.s, |s| Activation::Tanh.value(s)),
            Activation::Softplus => each(self.s, |s| Activation::Softplus.value(s)),
            Activation::SharpSoftplus => each(self.s, |s| Activation::SharpSoftplus.value(s)),
            Activation::Relu => each(self.s, |s| Activation::Relu.value(s)),
        }
    }
}

/// [`Activation::pull_back`], likewise.
struct PullBack<'a, T> {
    activation: Activation,
    cotangents: &'a mut [T],
    values: &'a [T],
}

impl<T: Real> Vectorised for PullBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let both = self.cotangents.iter_mut().zip(self.values);
        match self.activation {
            Activation::Tanh => both.for_each(|(c, &a)| *c *= Activation::Tanh.slope(a)),
            Activation::Softplus => both.for_each(|(c, &a)| *c *= Activation::Softplus.slope(a)),
            Activation::SharpSoftplus => both.for_each(|(c, &a)| *c *= Activation::SharpSoftplus.slope(a)),
            Activation::Relu => both.for_each(|(c, &a)| *c *= Activation::Relu.slope(a)),
        }
    }
}

/// Replaces each number by its image.
#[inline(always)]
fn each<T: Real>(s: &mut [T], value: impl Fn(T) -> T) {
    for s in s {
        *s = value(*s);
    }
}

#[cfg(test)]
mod tests {
    use super::Activation;

    /// Arithmetic with subnormal numbers is a hundred times slower: a trained critic, most of whose units are idle at a point,
    /// spent four fifths of its time in it.
    #[test]
    fn an_idle_unit_is_far_from_subnormal() {
        for activation in [Activation::Softplus, Activation::SharpSoftplus, Activation::Relu] {
            for s in [-20.0, -100.0, -1e4, -1e30_f32] {
                let value = activation.value(s);
                // So small a weight, and one more as a cotangent, leave it above 2⁻¹²⁶ = 1.2e-38.
                assert!(value == 0.0 || value > 1e-21, "{activation} of {s} is {value:e}");
                assert!(activation.slope(value) < 1e-6, "{activation} of {s}");
            }
        }
    }

    #[test]
    fn derivatives_match_central_differences() {
        for activation in
            [Activation::Tanh, Activation::Softplus, Activation::SharpSoftplus, Activation::Relu]
        {
            for s in [-3.0, -0.7, 0.4, 2.5, 30.0_f64] {
                let h = 1e-4;
                let at = |x: f64| {
                    let mut a = [x];
                    activation.apply(&mut a);
                    (a[0], activation.slope(a[0]))
                };
                let (value, slope) = at(s);
                // Central differences err by h²/6·|σ‴| ≤ 4e-9 and by rounding ε/h ≈ 1e-11 (times s for the large s); a
                // sharpness κ raises the third derivative of σ by κ² and that of its slope by κ³.
                let tolerance = if activation == Activation::SharpSoftplus { 1e-6 } else { 1e-8 };
                assert!(
                    ((at(s + h).0 - at(s - h).0) / (2.0 * h) - slope).abs() < tolerance,
                    "{activation:?} at {s}"
                );
                let curvature = slope * activation.relative_curvature(value, slope);
                assert!(
                    ((at(s + h).1 - at(s - h).1) / (2.0 * h) - curvature).abs() < tolerance,
                    "{activation:?} at {s}"
                );
            }
        }
    }
}
