//! Penalties that hold the slope g = ‖∇φ‖ of a critic at or below a Lipschitz bound L.

use std::fmt;
use std::str::FromStr;

/// A penalty on the slope g = ‖∇φ(x)‖ ≥ 0 of a critic, for a Lipschitz bound L.
///
/// ```
/// use flows::lipschitz::SlopePenalty;
/// let penalty: SlopePenalty = "one-sided-squared".parse()?;
/// assert_eq!(penalty.value(2.0, 1.0), 3.0);
/// # Ok::<(), flows::lipschitz::ParseSlopePenaltyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlopePenalty {
    /// relu(g² − L²): one-sided, linear in the excess of the squared slope (arXiv 2407.11901). Text form
    /// `one-sided-squared`.
    OneSidedSquared,
    /// relu(g − L)²: the one-sided W1-LP penalty (Petzka et al., arXiv 1709.08894, eq. (7)). Text form `lp`.
    OneSided,
    /// (g − L)²: the two-sided WGAN-GP penalty (Gulrajani et al., arXiv 1704.00028, eq. (3)). Text form `gp`.
    TwoSided,
}

/// The text names that [`SlopePenalty::from_str`] accepts.
pub const SLOPE_PENALTY_NAMES: [&str; 3] = ["one-sided-squared", "lp", "gp"];

/// A text that names no slope penalty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown slope penalty `{0}`: use one of {names}", names = SLOPE_PENALTY_NAMES.join(", "))]
pub struct ParseSlopePenaltyError(String);

impl FromStr for SlopePenalty {
    type Err = ParseSlopePenaltyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "one-sided-squared" => Ok(Self::OneSidedSquared),
            "lp" => Ok(Self::OneSided),
            "gp" => Ok(Self::TwoSided),
            _ => Err(ParseSlopePenaltyError(text.to_owned())),
        }
    }
}

impl fmt::Display for SlopePenalty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OneSidedSquared => "one-sided-squared",
            Self::OneSided => "lp",
            Self::TwoSided => "gp",
        })
    }
}

impl SlopePenalty {
    /// The penalty of one slope g against the bound L: relu(g² − L²), relu(g − L)² or (g − L)².
    ///
    /// `slope` and `bound` are in units of φ per unit length. A NaN slope gives NaN. O(1). Sources: see the variants.
    ///
    /// ```
    /// use flows::lipschitz::SlopePenalty;
    /// assert_eq!(SlopePenalty::OneSided.value(0.5, 1.0), 0.0);
    /// assert_eq!(SlopePenalty::TwoSided.value(0.5, 1.0), 0.25);
    /// ```
    pub fn value(self, slope: f64, bound: f64) -> f64 {
        let excess = slope - bound;
        match self {
            Self::OneSidedSquared => relu(excess * (slope + bound)),
            Self::OneSided => relu(excess) * relu(excess),
            Self::TwoSided => excess * excess,
        }
    }

    /// The derivative of [`SlopePenalty::value`] in the slope g: 2g·1\[g > L\], 2·relu(g − L) or 2(g − L).
    ///
    /// At the kink g = L of the first form it is 0, the smallest subgradient. A NaN slope gives NaN. O(1).
    ///
    /// ```
    /// use flows::lipschitz::SlopePenalty;
    /// assert_eq!(SlopePenalty::OneSidedSquared.derivative(2.0, 1.0), 4.0);
    /// ```
    pub fn derivative(self, slope: f64, bound: f64) -> f64 {
        let excess = slope - bound;
        match self {
            Self::OneSidedSquared if excess <= 0.0 => 0.0,
            Self::OneSidedSquared => 2.0 * slope,
            Self::OneSided => 2.0 * relu(excess),
            Self::TwoSided => 2.0 * excess,
        }
    }

    /// The factor k with ∂penalty/∂∇φ = k·∇φ: the derivative in the slope divided by the slope.
    ///
    /// At g = 0 it is 0 instead of ∞ for the two-sided form: g = ‖∇φ‖ has no gradient there and 0 is its smallest
    /// subgradient, so a step never sees a NaN. A NaN slope gives NaN. O(1).
    ///
    /// ```
    /// use flows::lipschitz::SlopePenalty;
    /// assert_eq!(SlopePenalty::TwoSided.gradient_factor(0.0, 1.0), 0.0);
    /// assert_eq!(SlopePenalty::TwoSided.gradient_factor(2.0, 1.0), 1.0);
    /// ```
    pub fn gradient_factor(self, slope: f64, bound: f64) -> f64 {
        match self {
            Self::OneSidedSquared if slope <= bound => 0.0,
            // No division: 2g/g.
            Self::OneSidedSquared if !slope.is_nan() => 2.0,
            _ if slope == 0.0 => 0.0,
            _ => self.derivative(slope, bound) / slope,
        }
    }

    /// The penalty of one gradient vector ∇φ and its derivative with respect to that vector.
    ///
    /// `gradient` is ∇φ(x), \[d\]; `derivative`, \[d\], receives ∂penalty/∂∇φ = [`SlopePenalty::gradient_factor`]·∇φ,
    /// which is 0 at ∇φ = 0. Entries of `derivative` beyond the length of `gradient` are left alone. O(d).
    ///
    /// ```
    /// use flows::lipschitz::SlopePenalty;
    /// let mut derivative = [0.0; 2];
    /// assert_eq!(SlopePenalty::OneSidedSquared.of_gradient(&[3.0, 4.0], 1.0, &mut derivative), 24.0);
    /// assert_eq!(derivative, [6.0, 8.0]);
    /// ```
    pub fn of_gradient(self, gradient: &[f64], bound: f64, derivative: &mut [f64]) -> f64 {
        let slope = gradient.iter().map(|component| component * component).sum::<f64>().sqrt();
        let factor = self.gradient_factor(slope, bound);
        for (out, component) in derivative.iter_mut().zip(gradient) {
            *out = factor * component;
        }
        self.value(slope, bound)
    }
}

/// max(x, 0) that lets a NaN through, where `f64::max` would hide it.
fn relu(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [SlopePenalty; 3] =
        [SlopePenalty::OneSidedSquared, SlopePenalty::OneSided, SlopePenalty::TwoSided];

    #[test]
    fn derivatives_are_central_differences() {
        let step = 1e-6;
        for penalty in ALL {
            for slope in [0.2, 0.7, 1.4, 1.6, 5.0] {
                let difference =
                    (penalty.value(slope + step, 1.5) - penalty.value(slope - step, 1.5)) / (2.0 * step);
                // Quadratics have no third derivative: rounding of values below 25 over 1e−6.
                assert!((difference - penalty.derivative(slope, 1.5)).abs() < 1e-8, "{penalty} at {slope}");
            }
            let gradient = [0.6, -1.9, 0.3];
            let mut derivative = [0.0; 3];
            penalty.of_gradient(&gradient, 1.5, &mut derivative);
            for axis in 0..3 {
                let moved = |by: f64| {
                    let mut at = gradient;
                    at[axis] += by;
                    penalty.of_gradient(&at, 1.5, &mut [0.0; 3])
                };
                let difference = (moved(step) - moved(-step)) / (2.0 * step);
                // Rounding as above; the third derivative of the norm is of order one.
                assert!((difference - derivative[axis]).abs() < 1e-8, "{penalty}, axis {axis}");
            }
        }
    }

    #[test]
    fn a_zero_gradient_is_safe_and_a_nan_is_not_hidden() {
        for penalty in ALL {
            let mut derivative = [1.0; 2];
            assert!(penalty.of_gradient(&[0.0, 0.0], 1.0, &mut derivative).is_finite());
            assert_eq!(derivative, [0.0, 0.0]);
            assert!(penalty.value(f64::NAN, 1.0).is_nan());
            assert!(penalty.derivative(f64::NAN, 1.0).is_nan());
            assert!(penalty.gradient_factor(f64::NAN, 1.0).is_nan());
            assert_eq!(penalty.to_string().parse(), Ok(penalty));
        }
        assert!(
            "wgan".parse::<SlopePenalty>().unwrap_err().to_string().contains("one-sided-squared, lp, gp")
        );
    }

    #[test]
    fn one_sided_forms_are_free_below_the_bound() {
        for slope in [0.0, 0.3, 1.0] {
            assert_eq!(SlopePenalty::OneSidedSquared.value(slope, 1.0), 0.0);
            assert_eq!(SlopePenalty::OneSided.value(slope, 1.0), 0.0);
            for penalty in [SlopePenalty::OneSidedSquared, SlopePenalty::OneSided] {
                assert_eq!(penalty.derivative(slope, 1.0), 0.0);
                assert_eq!(penalty.gradient_factor(slope, 1.0), 0.0);
            }
        }
        assert!(SlopePenalty::TwoSided.value(0.3, 1.0) > 0.0);
    }
}
