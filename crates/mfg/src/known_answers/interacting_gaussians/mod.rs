//! The game between two Gaussians with noise and a quadratic interaction: every law on the way is Gaussian.

#[cfg(test)]
mod tests;

use ndarray::{Array1, ArrayView1};

use super::same_dimension;
use crate::{MfgError, error::positive, statistics::square_norm};

/// ρ₀ = N(m₀, s₀²I), π = N(m₁, s₁²I), f the Kullback–Leibler generator without a Lipschitz bound, dX = v dt + σ dW, and
/// the interaction I(ρ) = (w/4)·∬‖x − y‖² dρ dρ, which pulls the particles together.
///
/// ```text
/// U(x, t) = ½a(t)·‖x − m(t)‖² + q·(x − m(t)) + c(t),   a(t) = λ·D′(T − t)/D(T − t)
/// D(s) = cosh(ωs) + (A/(λω))·sinh(ωs),   ω = √(w/λ)
/// ```
///
/// with q = (m(T) − m₁)/s₁², m(t) = m₀ − qt/λ, A = 1/s₁² − 1/s_T², and the variance
///
/// ```text
/// s(t)² = D(T − t)²·(s₀²/D(T)² + σ²·(G(T) − G(T − t))),   G(s) = sinh(ωs)/(ω·D(s))
/// ```
///
/// at t = T it is an equation for s_T, whose right side falls in s_T, so that there is one solution. For w = 0,
/// sinh(ωs)/ω means s; with σ = 0 too, the paths are straight.
///
/// Source: the Riccati equation a′ = a²/λ − w of linear–quadratic control, with the first variation log(ρ_T/π) of the
/// divergence as its end value.
///
/// ```
/// use mfg::known_answers::InteractingGaussians;
/// use ndarray::array;
/// // Without noise and interaction a Gaussian that is the target already stays where it is.
/// let flow = InteractingGaussians {
///     lambda: 1.0, horizon: 1.0, sigma: 0.0, attraction: 0.0,
///     initial_mean: array![1.0], initial_std: 2.0, target_mean: array![1.0], target_std: 2.0,
/// };
/// let end = flow.law(1.0)?;
/// assert!((end.std - 2.0).abs() < 1e-12 && end.mean == array![1.0]);
/// # Ok::<(), mfg::MfgError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct InteractingGaussians {
    /// λ > 0, the weight of the kinetic term.
    pub lambda: f64,
    /// T > 0, the horizon.
    pub horizon: f64,
    /// σ ≥ 0, the strength of the noise, in length/√time.
    pub sigma: f64,
    /// w ≥ 0, the weight of the interaction.
    pub attraction: f64,
    /// m₀, of length d.
    pub initial_mean: Array1<f64>,
    /// s₀ > 0.
    pub initial_std: f64,
    /// m₁, of length d.
    pub target_mean: Array1<f64>,
    /// s₁ > 0.
    pub target_std: f64,
}

/// N(mean, std²·I).
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    /// The mean, of length d.
    pub mean: Array1<f64>,
    /// The standard deviation of every coordinate.
    pub std: f64,
}

/// The potential's derivatives at a point, and the two terms that noise and interaction add to its equation.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivatives {
    /// ∇U, of length d.
    pub gradient: Array1<f64>,
    /// ∂ₜU.
    pub time: f64,
    /// ΔU.
    pub laplacian: f64,
    /// δI/δρ = (w/2)·∫‖x − y‖² dρ(y).
    pub interaction: f64,
}

/// sinh(ωs)/ω, D and D′ at s = T − t.
struct Fundamental {
    sine: f64,
    growth: f64,
    growth_rate: f64,
}

impl InteractingGaussians {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`MfgError`] with the parameter that is outside its domain.
    pub fn validate(&self) -> Result<(), MfgError> {
        for (name, value) in [
            ("lambda", self.lambda),
            ("horizon", self.horizon),
            ("initial_std", self.initial_std),
            ("target_std", self.target_std),
        ] {
            positive(name, value)?;
        }
        for (parameter, value) in [("sigma", self.sigma), ("attraction", self.attraction)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(MfgError::Parameter {
                    parameter,
                    value,
                    remedy: "give a finite number, 0 or above",
                });
            }
        }
        same_dimension("target_mean", self.target_mean.len(), self.initial_mean.len())
    }

    /// ρ_t = N(m(t), s(t)²·I), 0 ≤ t ≤ T.
    ///
    /// Complexity: O(d), and some hundred evaluations of D for s_T.
    ///
    /// # Errors
    /// As [`InteractingGaussians::validate`].
    ///
    /// ```
    /// # use mfg::known_answers::InteractingGaussians;
    /// # use ndarray::array;
    /// // Neither noise nor attraction moves the mean from where λ/T and 1/s₁² balance.
    /// let flow = InteractingGaussians {
    ///     lambda: 1.0, horizon: 1.0, sigma: 0.5, attraction: 2.0,
    ///     initial_mean: array![0.0], initial_std: 1.0, target_mean: array![2.0], target_std: 1.0,
    /// };
    /// assert_eq!(flow.law(1.0)?.mean, array![1.0]);
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    pub fn law(&self, time: f64) -> Result<Law, MfgError> {
        self.validate()?;
        let curvature = self.final_curvature();
        let drift = self.mean_gradient();
        let mean = self.initial_mean.iter().zip(&drift).map(|(m, q)| m - q * time / self.lambda).collect();
        Ok(Law { mean, std: self.variance(curvature, time).sqrt() })
    }

    /// The potential's derivatives at `point` and `time`.
    ///
    /// Complexity: as [`InteractingGaussians::law`].
    ///
    /// # Errors
    /// As [`InteractingGaussians::validate`], and for a point of another dimension.
    ///
    /// ```
    /// # use mfg::known_answers::InteractingGaussians;
    /// # use ndarray::array;
    /// // At the mean only q = (m(T) − m₁)/s₁² is left of ∇U.
    /// let flow = InteractingGaussians {
    ///     lambda: 1.0, horizon: 1.0, sigma: 0.5, attraction: 2.0,
    ///     initial_mean: array![0.0], initial_std: 1.0, target_mean: array![2.0], target_std: 1.0,
    /// };
    /// assert_eq!(flow.derivatives(array![0.0].view(), 0.0)?.gradient, array![-1.0]);
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    pub fn derivatives(&self, point: ArrayView1<'_, f64>, time: f64) -> Result<Derivatives, MfgError> {
        let Law { mean, std } = self.law(time)?;
        same_dimension("the point", point.len(), mean.len())?;
        let q = self.mean_gradient();
        let at = self.fundamental(self.final_curvature(), self.horizon - time);
        let a = self.lambda * at.growth_rate / at.growth;
        let offset: Array1<f64> = point.iter().zip(&mean).map(|(x, m)| x - m).collect();
        let (square, dimension) = (square_norm(&offset), mean.len() as f64);
        let interaction = 0.5 * self.attraction * (square + dimension * std * std);
        let curvature_rate = a * a / self.lambda - self.attraction;
        let along = offset.iter().zip(&q).map(|(x, q)| x * q).sum::<f64>();
        let time_derivative = 0.5 * curvature_rate * square
            + (a * along + 0.5 * square_norm(&q)) / self.lambda
            - 0.5 * dimension * (self.sigma * self.sigma * a + self.attraction * std * std);
        Ok(Derivatives {
            gradient: a * &offset + &q,
            time: time_derivative,
            laplacian: dimension * a,
            interaction,
        })
    }

    /// q = E∇U, the same at all times: (m_T − m₁)/s₁² with m_T = m₀ − qT/λ.
    fn mean_gradient(&self) -> Array1<f64> {
        let stiffness = self.target_std * self.target_std + self.horizon / self.lambda;
        (&self.initial_mean - &self.target_mean) / stiffness
    }

    fn fundamental(&self, curvature: f64, left: f64) -> Fundamental {
        let omega = (self.attraction / self.lambda).sqrt();
        let cosine = (omega * left).cosh();
        let sine = if omega > 0.0 { (omega * left).sinh() / omega } else { left };
        Fundamental {
            sine,
            growth: cosine + curvature / self.lambda * sine,
            growth_rate: (self.attraction * sine + curvature * cosine) / self.lambda,
        }
    }

    /// s(t)².
    fn variance(&self, curvature: f64, time: f64) -> f64 {
        let whole = self.fundamental(curvature, self.horizon);
        let left = self.fundamental(curvature, self.horizon - time);
        let spread = (self.initial_std / whole.growth).powi(2);
        let noise = whole.sine / whole.growth - left.sine / left.growth;
        left.growth * left.growth * (spread + self.sigma * self.sigma * noise)
    }

    /// A = 1/s₁² − 1/s_T² at the s_T that gives itself back, by bisection.
    fn final_curvature(&self) -> f64 {
        let precision = 1.0 / (self.target_std * self.target_std);
        let of_variance = |variance: f64| precision - 1.0 / variance;
        // Below this variance D(T) ≤ 0: there the right side has come down from infinity.
        let free = self.fundamental(0.0, self.horizon);
        let mut low = 1.0 / (precision + self.lambda * free.growth / free.sine);
        let mut high = (2.0 * low).max(self.variance(precision, self.horizon));
        while self.variance(of_variance(high), self.horizon) > high {
            high *= 2.0;
        }
        // Halving an interval of doubles ends after at most their number of bits.
        for _ in 0..f64::MANTISSA_DIGITS + 64 {
            let middle = 0.5 * (low + high);
            if self.variance(of_variance(middle), self.horizon) > middle {
                low = middle;
            } else {
                high = middle;
            }
        }
        of_variance(high)
    }
}
