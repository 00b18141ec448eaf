//! Mean and standard deviation: the one home of "±".

use serde::{Deserialize, Serialize};
use std::fmt;

/// Mean and sample standard deviation of repeated measurements.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation; absent for one value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// The number of values.
    pub count: usize,
}

impl Summary {
    /// Mean x̄ = (1/k)·Σᵢ xᵢ and sample standard deviation s = ((1/(k − 1))·Σᵢ (xᵢ − x̄)²)^½ of finite values.
    ///
    /// `None` where there is no value, or where a value is not finite: a mean over what is left would hide it.
    /// Complexity: O(k), two passes (the one-pass formula cancels when s ≪ x̄).
    ///
    /// ```
    /// use eval::Summary;
    /// let summary = Summary::of(&[1.0, 2.0, 3.0]).ok_or("no summary")?;
    /// assert_eq!((summary.mean, summary.sd), (2.0, Some(1.0)));
    /// assert!(Summary::of(&[1.0, f64::NAN]).is_none());
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (count > 1).then(|| (squares / (count as f64 - 1.0)).sqrt());
        (mean.is_finite() && squares.is_finite()).then_some(Self { mean, sd, count })
    }
}

impl fmt::Display for Summary {
    /// `mean ± sd`, or the mean alone where there is one value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&significant(self.mean))?;
        match self.sd {
            Some(sd) => write!(f, " ± {}", significant(sd)),
            None => Ok(()),
        }
    }
}

/// A number with three significant digits, in the notation `1.2e-5` where plain decimals would be long.
///
/// ```
/// use eval::summary::significant;
/// assert_eq!(significant(0.012345), "0.0123");
/// assert_eq!(significant(1234.5), "1234");
/// assert_eq!(significant(7.9e26), "7.90e26");
/// assert_eq!(significant(0.0), "0");
/// ```
#[must_use]
pub fn significant(value: f64) -> String {
    to_digits(value, 3)
}

/// A number to so many significant digits, at least 1; in scientific notation far from 1, as [`significant`].
///
/// ```
/// assert_eq!(eval::summary::to_digits(2.23607, 4), "2.236");
/// assert_eq!(eval::summary::to_digits(1e300, 4), "1.000e300");
/// ```
#[must_use]
pub fn to_digits(value: f64, digits: u8) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !value.is_finite() {
        return "–".into();
    }
    let decimals = usize::from(digits).saturating_sub(1);
    let scientific = format!("{value:.decimals$e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    match exponent {
        -4..=4 => format!("{value:.*}", usize::try_from(decimals as i32 - exponent).unwrap_or(0)),
        _ => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_value_has_no_deviation_and_no_value_no_summary() {
        assert_eq!(Summary::of(&[2.5]), Some(Summary { mean: 2.5, sd: None, count: 1 }));
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[1.0, f64::INFINITY]), None);
    }

    #[test]
    fn printed_with_three_significant_digits() {
        assert_eq!(Summary::of(&[0.02, 0.022]).unwrap().to_string(), "0.0210 ± 0.00141");
        assert_eq!(Summary::of(&[1.0]).unwrap().to_string(), "1.00");
        assert_eq!(significant(-3.4e-7), "-3.40e-7");
        assert_eq!(significant(9.999), "10.0", "rounding carries into a new digit");
        assert_eq!(significant(f64::NAN), "–");
    }

    proptest! {
        /// s² = (1/(2k(k−1))) Σᵢⱼ (xᵢ−xⱼ)²: the pairwise form shares no step with the implementation.
        #[test]
        fn deviation_is_the_pairwise_one(values in prop::collection::vec(-1e3..1e3_f64, 2..20)) {
            let k = values.len() as f64;
            let pairs: f64 = values.iter().flat_map(|a| values.iter().map(move |b| (a - b).powi(2))).sum();
            let expected = (pairs / (2.0 * k * (k - 1.0))).sqrt();
            let summary = Summary::of(&values).unwrap();
            // Sums of at most 400 terms below 4e6: relative rounding below 400 ε, and ε·1e3 absolute from the mean.
            prop_assert!((summary.sd.unwrap() - expected).abs() <= 1e-11 * (1e3 + expected));
        }
    }
}
