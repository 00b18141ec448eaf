//! Activations of the networks, with the derivatives that the closed-form input gradient needs.

use crate::FlowError;
use crate::real::Real;
use crate::vector::{self, Vectorised};
use serde::{Deserialize, Serialize};

/// An elementwise nonlinearity σ, 1-Lipschitz, with σ′ and σ″.
///
/// | name | σ(s) | σ′(s) | σ″(s) |
/// | --- | --- | --- | --- |
/// | `tanh` | tanh s | 1 − σ² | −2σσ′ |
/// | `softplus` | log(1 + eˢ) | 1/(1 + e⁻ˢ) | σ′(1 − σ′) |
/// | `relu` | max(s, 0) | 1 if s > 0, else 0 | 0 |
///
/// The second derivative is a function of σ and σ′ alone, so a network keeps two numbers for each unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// tanh.
    Tanh,
    /// log(1 + eˢ).
    Softplus,
    /// max(s, 0).
    Relu,
}

impl Activation {
    /// Replaces pre-activations `s` by σ(s) and writes σ′(s) into `slope`.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the two slices differ in length.
    pub fn apply<T: Real>(self, s: &mut [T], slope: &mut [T]) -> Result<(), FlowError> {
        crate::error::expect_length("slope", slope.len(), s.len())?;
        self.apply_fitting(s, slope);
        Ok(())
    }

    /// [`Activation::apply`] for slices of one length.
    pub(crate) fn apply_fitting<T: Real>(self, s: &mut [T], slope: &mut [T]) {
        vector::run(Apply { activation: self, s, slope });
    }

    /// σ and σ′ at one pre-activation, free of branches on `s`.
    #[inline(always)]
    fn jet<T: Real>(self, s: T) -> (T, T) {
        match self {
            Self::Tanh => {
                let value = s.vector_tanh();
                (value, T::one() - value * value)
            }
            Self::Softplus => {
                // e^{−|s|} never overflows, on either side.
                let e = (-s.abs()).vector_exp();
                let positive = T::one() / (T::one() + e);
                let slope = if s >= T::zero() { positive } else { e * positive };
                // A NaN must stay visible, so it is passed on rather than replaced by 0, here and below.
                let above = if s <= T::zero() { T::zero() } else { s };
                (above + e.vector_ln_1p(), slope)
            }
            Self::Relu => {
                let value = if s <= T::zero() { T::zero() } else { s };
                (value, if s > T::zero() { T::one() } else { T::zero() })
            }
        }
    }

    /// σ″ from σ and σ′.
    #[inline(always)]
    pub fn curvature<T: Real>(self, value: T, slope: T) -> T {
        match self {
            Self::Tanh => -(value + value) * slope,
            Self::Softplus => slope * (T::one() - slope),
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
    slope: &'a mut [T],
}

impl<T: Real> Vectorised for Apply<'_, T> {
    #[inline(always)]
    fn run(self) {
        /// One loop for each activation, with no choice inside.
        #[inline(always)]
        fn each<T: Real>(s: &mut [T], slope: &mut [T], jet: impl Fn(T) -> (T, T)) {
            for (s, slope) in s.iter_mut().zip(slope) {
                (*s, *slope) = jet(*s);
            }
        }
        match self.activation {
            Activation::Tanh => each(self.s, self.slope, |s| Activation::Tanh.jet(s)),
            Activation::Softplus => each(self.s, self.slope, |s| Activation::Softplus.jet(s)),
            Activation::Relu => each(self.s, self.slope, |s| Activation::Relu.jet(s)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Activation;

    #[test]
    fn derivatives_match_central_differences() {
        for activation in [Activation::Tanh, Activation::Softplus, Activation::Relu] {
            for s in [-3.0, -0.7, 0.4, 2.5, 30.0_f64] {
                let h = 1e-4;
                let at = |x: f64| {
                    let (mut a, mut d) = ([x], [0.0]);
                    activation.apply(&mut a, &mut d).unwrap();
                    (a[0], d[0])
                };
                let (value, slope) = at(s);
                // Central differences err by h²/6·|σ‴| ≤ 4e-9 and by rounding ε/h ≈ 1e-11 (times s for the large s).
                assert!(
                    ((at(s + h).0 - at(s - h).0) / (2.0 * h) - slope).abs() < 1e-8,
                    "{activation:?} at {s}"
                );
                let curvature = activation.curvature(value, slope);
                assert!(
                    ((at(s + h).1 - at(s - h).1) / (2.0 * h) - curvature).abs() < 1e-8,
                    "{activation:?} at {s}"
                );
            }
        }
    }
}
