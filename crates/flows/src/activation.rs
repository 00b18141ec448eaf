//! Activations of the networks, with the derivatives that the closed-form input gradient needs.

use crate::FlowError;
use crate::real::Real;
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
        match self {
            Self::Tanh => {
                T::tanh_in_place(s);
                for (a, d) in s.iter().zip(slope) {
                    *d = T::one() - *a * *a;
                }
            }
            Self::Softplus => {
                for (a, d) in s.iter_mut().zip(slope) {
                    // e^{−|s|} never overflows, on either side.
                    let e = (-a.abs()).exp();
                    let positive = T::one() / (T::one() + e);
                    *d = if *a >= T::zero() { positive } else { e * positive };
                    *a = a.max(T::zero()) + e.ln_1p();
                }
            }
            Self::Relu => {
                for (a, d) in s.iter_mut().zip(slope) {
                    let on = *a > T::zero();
                    *d = if on { T::one() } else { T::zero() };
                    // A NaN must stay visible, so it is passed on rather than replaced by 0.
                    *a = if on || a.is_nan() { *a } else { T::zero() };
                }
            }
        }
        Ok(())
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
