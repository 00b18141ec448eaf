//! A penalty on the slope of the critic.

use super::SlopePenalty;
use crate::FlowError;
use crate::error::positive;
use crate::real::Real;
use crate::text;
use serde::{Deserialize, Serialize};

/// weight·E P(‖∇φ‖), which the critic's objective is diminished by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Penalty {
    /// P.
    #[serde(with = "text")]
    pub form: SlopePenalty,
    /// Its weight, above 0.
    pub weight: f64,
    /// Where it is taken.
    #[serde(default)]
    pub points: PenaltyPoints,
}

/// The points at which a slope penalty is averaged: one on the segment of each pair of a generated and a target point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PenaltyPoints {
    /// Random interpolates (Gulrajani et al. 2017, algorithm 1).
    #[default]
    Interpolates,
    /// Random interpolates for a third of the pairs, the generated point for another and the target point for the last.
    Everywhere,
}

impl PenaltyPoints {
    /// The weight α of the generated point of a pair, from a number `u` that is uniform in [0, 1].
    ///
    /// ```
    /// use flows::lipschitz::PenaltyPoints;
    /// assert_eq!([0.2, 0.5, 0.9].map(|u| PenaltyPoints::Everywhere.mixing(u)), [0.0, 0.5, 1.0]);
    /// assert_eq!(PenaltyPoints::Interpolates.mixing(0.2), 0.2);
    /// ```
    pub fn mixing<T: Real>(self, u: T) -> T {
        match self {
            Self::Interpolates => u,
            Self::Everywhere => (T::of(3.0) * u - T::one()).max(T::zero()).min(T::one()),
        }
    }
}

/// The mean penalty of some slopes and their statistics.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Slopes {
    /// weight·mean P(‖∇φ‖).
    pub penalty: f64,
    /// Mean of ‖∇φ‖.
    pub mean: f64,
    /// Maximum of ‖∇φ‖; NaN where one of them is.
    pub max: f64,
}

impl Penalty {
    /// Checks the weight.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a weight that is not finite and positive.
    pub fn validate(self) -> Result<(), FlowError> {
        positive("weight", self.weight)
    }

    /// Adds one slope ‖∇φ‖ of `count` to their means; returns the k of ∂(weight·mean P)/∂(∇φ) = k·∇φ.
    ///
    /// ```
    /// use flows::lipschitz::{Penalty, PenaltyPoints, SlopePenalty, Slopes};
    /// let penalty = Penalty { form: SlopePenalty::OneSided, weight: 2.0, points: PenaltyPoints::Interpolates };
    /// let mut slopes = Slopes::default();
    /// // 2·(3 − 1)²/2 of the first; its derivative 2·2·(3 − 1)/2 over the slope.
    /// assert_eq!(penalty.add(3.0, 1.0, 2, &mut slopes), 4.0 / 3.0);
    /// assert_eq!(penalty.add(0.5, 1.0, 2, &mut slopes), 0.0);
    /// assert_eq!(slopes, Slopes { penalty: 4.0, mean: 1.75, max: 3.0 });
    /// ```
    pub fn add(self, slope: f64, bound: f64, count: usize, slopes: &mut Slopes) -> f64 {
        let scale = self.weight / count as f64;
        slopes.penalty += scale * self.form.value(slope, bound);
        slopes.mean += slope / count as f64;
        // `f64::max` would drop a NaN, and no comparison with one is true: once there, it stays.
        if slope.is_nan() || slope > slopes.max {
            slopes.max = slope;
        }
        scale * self.form.gradient_factor(slope, bound)
    }
}
