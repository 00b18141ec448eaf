//! The costs that are functions of the Euclidean distance.

#![allow(clippy::indexing_slicing, reason = "lanes are below their number")]

use super::Cost;
use super::hooks::Sealed;
use simd::{Instructions, Vectorised};

/// A cost of W1 or W2: every solver knows it and dismisses most pairs without evaluating them.
///
/// ```
/// use ot_core::cost::{Cost, Euclidean};
/// assert_eq!(Euclidean::HalfSquared.between(&[0.0, 0.0], &[3.0, 4.0]), 12.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Euclidean {
    /// ½‖x − y‖², the cost of the W2 dual and the c-transform.
    HalfSquared,
    /// ‖x − y‖², whose optimal value is w2².
    Squared,
    /// ‖x − y‖, whose optimal value is w1.
    Distance,
}

impl Euclidean {
    /// The cost as a function of s = ‖x − y‖²: ½s, s or √s.
    ///
    /// ```
    /// use ot_core::cost::Euclidean;
    /// assert_eq!(Euclidean::Distance.of_squared_distance(25.0), 5.0);
    /// ```
    #[inline]
    pub fn of_squared_distance(self, squared: f64) -> f64 {
        match self {
            Self::HalfSquared => 0.5 * squared,
            Self::Squared => squared,
            Self::Distance => squared.sqrt(),
        }
    }

    /// The factor of x − y in ∇_x c(x, y), as a function of s = ‖x − y‖²: 1, 2 or 1/√s; zero where the points of the
    /// last one meet, a subgradient.
    ///
    /// ```
    /// use ot_core::cost::Euclidean;
    /// assert_eq!(Euclidean::Distance.slope_factor(25.0), 0.2);
    /// ```
    #[inline]
    pub fn slope_factor(self, squared: f64) -> f64 {
        match self {
            Self::HalfSquared => 1.0,
            Self::Squared => 2.0,
            Self::Distance if squared > 0.0 => squared.sqrt().recip(),
            Self::Distance => 0.0,
        }
    }

    /// The formula in words, for reports.
    pub fn definition(self) -> &'static str {
        match self {
            Self::HalfSquared => "½‖x−y‖²",
            Self::Squared => "‖x−y‖²",
            Self::Distance => "‖x−y‖",
        }
    }
}

impl Cost for Euclidean {
    #[inline]
    fn between(&self, x: &[f64], y: &[f64]) -> f64 {
        self.of_squared_distance(squared_distance(x, y))
    }

    fn gradient(&self, x: &[f64], y: &[f64], out: &mut [f64]) {
        let factor = self.slope_factor(squared_distance(x, y));
        for (out, (x, y)) in out.iter_mut().zip(x.iter().zip(y)) {
            *out = factor * (x - y);
        }
    }

    fn euclidean(&self, _: Sealed) -> Option<Euclidean> {
        Some(*self)
    }
}

/// From this dimension on a squared distance is summed in lanes over its coordinates, below it coordinate by
/// coordinate.
pub(crate) const WIDE: usize = 32;

/// ‖x − y‖² by differences: far from the origin the expanded form ‖x‖² + ‖y‖² − 2x·y would lose the digits of close
/// points.
#[inline]
pub(crate) fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    if x.len() < WIDE {
        return x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum();
    }
    simd::run(SquaredDistance { x, y })
}

/// The squared distance of points of many coordinates, summed in lanes over them.
///
/// No operation is fused or reordered, so that the number is the same whatever the instructions.
struct SquaredDistance<'a> {
    x: &'a [f64],
    y: &'a [f64],
}

impl Vectorised for SquaredDistance<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) -> f64 {
        const LANES: usize = 8;
        let ((x, rest_x), (y, rest_y)) = (self.x.as_chunks::<LANES>(), self.y.as_chunks::<LANES>());
        let mut sums = [0.0; LANES];
        for (x, y) in x.iter().zip(y) {
            for lane in 0..LANES {
                let difference = x[lane] - y[lane];
                sums[lane] += difference * difference;
            }
        }
        let rest: f64 = rest_x.iter().zip(rest_y).map(|(a, b)| (a - b) * (a - b)).sum();
        sums.iter().sum::<f64>() + rest
    }
}
