//! The whole game between two Gaussians of the same covariance: a pure shift.

use ndarray::{Array1, ArrayView1};

use super::{OptimalFlow, least_kinetic_cost, lipschitz_kullback_leibler, reach, same_dimension};
use crate::{MfgError, error::positive, statistics::square_norm};

/// ρ₀ = N(m₀, s²I), π = N(m₁, s²I), f the Kullback–Leibler generator: every particle moves by the same vector.
///
/// The optimum is ρ_T = N(m, s²I) with
///
/// ```text
/// m = (m₁/s² + λm₀/T) / (1/s² + λ/T)     if then ‖m − m₁‖ ≤ L·s²
/// m = m₀ + R·(m₁ − m₀)/‖m₁ − m₀‖         otherwise, R = L·T/λ
/// ```
///
/// the minimiser of D_KL^L + (λ/2T)·W2². The critic is linear with the gradient p = λ(m₀ − m)/T, and
/// U(x,t) = p·(x − m) − (T − t)‖p‖²/(2λ), so every indicator vanishes.
///
/// Source: [`lipschitz_kullback_leibler`] and the Benamou–Brenier formula; stationarity in m.
///
/// ```
/// use mfg::known_answers::{OptimalFlow, ShiftedGaussians};
/// use ndarray::array;
/// let flow = ShiftedGaussians {
///     lambda: 1.0, horizon: 1.0, lipschitz: 10.0, std: 1.0, initial_mean: array![0.0], target_mean: array![2.0],
/// };
/// assert_eq!(flow.final_mean(), array![1.0]); // half way: λ = 1 pulls as strongly as the divergence
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ShiftedGaussians {
    /// λ > 0, the weight of the kinetic term.
    pub lambda: f64,
    /// T > 0, the horizon.
    pub horizon: f64,
    /// L > 0, the Lipschitz bound of the critic.
    pub lipschitz: f64,
    /// s > 0, the standard deviation of both laws.
    pub std: f64,
    /// m₀, of length d.
    pub initial_mean: Array1<f64>,
    /// m₁, of length d.
    pub target_mean: Array1<f64>,
}

impl ShiftedGaussians {
    /// m, the mean of the generated law, of length d.
    ///
    /// ```
    /// # use mfg::known_answers::ShiftedGaussians;
    /// # use ndarray::array;
    /// // The pull λ/T equals that of the divergence, 1/s², so that half of the way is best; L = 1 allows just that.
    /// let flow = ShiftedGaussians {
    ///     lambda: 1.0, horizon: 1.0, lipschitz: 1.0, std: 1.0, initial_mean: array![0.0], target_mean: array![2.0],
    /// };
    /// assert_eq!(flow.final_mean(), array![1.0]);
    /// ```
    #[must_use]
    pub fn final_mean(&self) -> Array1<f64> {
        combine(self.initial_mean.view(), 1.0, self.shift().view())
    }

    /// Whether the Lipschitz bound is active: the unconstrained optimum would need a steeper critic.
    ///
    /// ```
    /// # use mfg::known_answers::ShiftedGaussians;
    /// # use ndarray::array;
    /// // The pull λ/T equals that of the divergence, 1/s², so that half of the way is best; L = 1 allows just that.
    /// let flow = ShiftedGaussians {
    ///     lambda: 1.0, horizon: 1.0, lipschitz: 1.0, std: 1.0, initial_mean: array![0.0], target_mean: array![2.0],
    /// };
    /// assert!(!flow.is_clipped() && ShiftedGaussians { lipschitz: 0.9, ..flow }.is_clipped());
    /// ```
    #[must_use]
    pub fn is_clipped(&self) -> bool {
        self.free_displacement() > self.reach()
    }

    /// The value of the game: D_KL^L(ρ_T‖π) + (λ/2T)·‖m − m₀‖², in the units of the critic.
    ///
    /// ```
    /// # use mfg::known_answers::ShiftedGaussians;
    /// # use ndarray::array;
    /// // The pull λ/T equals that of the divergence, 1/s², so that half of the way is best; L = 1 allows just that.
    /// let flow = ShiftedGaussians {
    ///     lambda: 1.0, horizon: 1.0, lipschitz: 1.0, std: 1.0, initial_mean: array![0.0], target_mean: array![2.0],
    /// };
    /// assert_eq!(flow.value(), 0.5 + 0.5);
    /// ```
    #[must_use]
    pub fn value(&self) -> f64 {
        let remaining = square_norm(&combine(self.final_mean().view(), -1.0, self.target_mean.view())).sqrt();
        lipschitz_kullback_leibler(remaining, self.std, self.lipschitz)
            + least_kinetic_cost(self.lambda, self.horizon, square_norm(&self.shift()))
    }

    /// m₁ − m₀.
    fn difference(&self) -> Array1<f64> {
        combine(self.target_mean.view(), -1.0, self.initial_mean.view())
    }

    fn distance(&self) -> f64 {
        square_norm(&self.difference()).sqrt()
    }

    fn reach(&self) -> f64 {
        reach(self.lipschitz, self.horizon, self.lambda)
    }

    /// ‖m − m₀‖ without the Lipschitz bound. It exceeds R iff ‖m − m₁‖ exceeds L·s², since the critic's slope is
    /// both ‖m − m₁‖/s² and λ‖m − m₀‖/T there.
    fn free_displacement(&self) -> f64 {
        let pull = self.lambda * self.std * self.std / self.horizon;
        self.distance() / (1.0 + pull)
    }

    /// m − m₀.
    fn shift(&self) -> Array1<f64> {
        let distance = self.distance();
        if distance == 0.0 {
            return Array1::zeros(self.initial_mean.len());
        }
        let length = self.free_displacement().min(self.reach());
        self.difference() * (length / distance)
    }

    /// p = λ(m₀ − m)/T.
    fn slope(&self) -> Array1<f64> {
        self.shift() * (-self.lambda / self.horizon)
    }
}

impl OptimalFlow for ShiftedGaussians {
    fn lambda(&self) -> f64 {
        self.lambda
    }

    fn horizon(&self) -> f64 {
        self.horizon
    }

    fn validate(&self, dimension: usize) -> Result<(), MfgError> {
        positive("lambda", self.lambda)?;
        positive("horizon", self.horizon)?;
        positive("lipschitz", self.lipschitz)?;
        positive("std", self.std)?;
        same_dimension("initial_mean", self.initial_mean.len(), dimension)?;
        same_dimension("target_mean", self.target_mean.len(), dimension)
    }

    fn potential(&self, point: ArrayView1<'_, f64>, time: f64) -> f64 {
        let (slope, mean) = (self.slope(), self.final_mean());
        let linear: f64 = slope.iter().zip(point.iter().zip(&mean)).map(|(p, (x, m))| p * (x - m)).sum();
        linear - (self.horizon - time) * square_norm(&slope) / (2.0 * self.lambda)
    }

    fn potential_gradient(&self, _point: ArrayView1<'_, f64>, _time: f64) -> Array1<f64> {
        self.slope()
    }

    fn potential_time_derivative(&self, _point: ArrayView1<'_, f64>, _time: f64) -> f64 {
        square_norm(&self.slope()) / (2.0 * self.lambda)
    }

    fn position(&self, start: ArrayView1<'_, f64>, time: f64) -> Array1<f64> {
        combine(start, time / self.horizon, self.shift().view())
    }
}

/// a + factor·b, as long as the shorter: vectors of different lengths are found by `validate`, and must not panic here.
fn combine(a: ArrayView1<'_, f64>, factor: f64, b: ArrayView1<'_, f64>) -> Array1<f64> {
    a.iter().zip(b).map(|(a, b)| a + factor * b).collect()
}
