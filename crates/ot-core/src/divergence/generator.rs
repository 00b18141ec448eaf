//! The convex generators f with f(1) = 0 and their Legendre conjugates.

use super::Divergence;
use std::f64::consts::LN_2;

/// Whether `alpha` is an order for which the α-divergence is defined.
pub(super) fn is_valid_order(alpha: f64) -> bool {
    alpha.is_finite() && alpha > 0.0 && alpha != 1.0
}

impl Divergence {
    /// The convex generator f of D_f(P‖Q) = E_Q\[f(dP/dQ)\].
    ///
    /// | divergence | f(x), x ≥ 0 |
    /// | --- | --- |
    /// | KL, both forms | x log x |
    /// | reverse KL | −log x |
    /// | α > 1 | (x^α − 1)/(α(α−1)) |
    /// | 0 < α < 1 | (1 − x^α)/(α(1−α)) |
    /// | Jensen–Shannon | x log x − (x+1) log((x+1)/2) |
    /// | W1 | 0 at x = 1, +∞ elsewhere |
    ///
    /// `x` is a density ratio, without unit. Outside [0, ∞) the value is +∞; a NaN, or an order α that is not allowed,
    /// gives NaN. O(1). The α family differs from x^α/(α(α−1)) of Birrell et al. (arXiv 2210.04974) by the constant
    /// that makes f(1) = 0.
    ///
    /// ```
    /// use ot_core::divergence::Divergence;
    /// assert_eq!(Divergence::Alpha(2.0).f(3.0), 4.0);
    /// ```
    pub fn f(self, x: f64) -> f64 {
        if x < 0.0 {
            return f64::INFINITY;
        }
        match self {
            Self::KullbackLeibler | Self::DonskerVaradhan => x_log_x(x),
            Self::ReverseKullbackLeibler => -x.ln(),
            Self::Alpha(alpha) if !is_valid_order(alpha) => f64::NAN,
            Self::Alpha(alpha) => (x.powf(alpha) - 1.0) / (alpha * (alpha - 1.0)),
            Self::JensenShannon => x_log_x(x) - (x + 1.0) * (0.5 * (x + 1.0)).ln(),
            Self::Wasserstein1 if x.is_nan() => x,
            Self::Wasserstein1 if x == 1.0 => 0.0,
            Self::Wasserstein1 => f64::INFINITY,
        }
    }

    /// The Legendre conjugate f*(y) = sup_{x ≥ 0} { x·y − f(x) }.
    ///
    /// | divergence | f*(y) | domain |
    /// | --- | --- | --- |
    /// | KL, both forms | e^{y−1} | R |
    /// | reverse KL | −1 − log(−y) | y < 0 |
    /// | α > 1 | (1/α)·((α−1)·max(y,0))^{α/(α−1)} + 1/(α(α−1)) | R |
    /// | 0 < α < 1 | (1/α)·((1−α)(−y))^{−α/(1−α)} − 1/(α(1−α)) | y < 0 |
    /// | Jensen–Shannon | −log(2 − e^y) | y < log 2 |
    /// | W1 | y | R |
    ///
    /// `y` is a critic value. Outside the domain the value is +∞; a NaN, or an order α that is not allowed, gives NaN.
    /// O(1). Derived from [`Divergence::f`]; the KL and reverse KL rows are in Nowozin et al. (arXiv 1606.00709), table
    /// 2.
    ///
    /// ```
    /// use ot_core::divergence::Divergence;
    /// assert_eq!(Divergence::KullbackLeibler.conjugate(1.0), 1.0);
    /// assert_eq!(Divergence::ReverseKullbackLeibler.conjugate(0.5), f64::INFINITY);
    /// ```
    pub fn conjugate(self, y: f64) -> f64 {
        if y >= self.conjugate_domain_supremum() {
            return f64::INFINITY;
        }
        match self {
            Self::KullbackLeibler | Self::DonskerVaradhan => (y - 1.0).exp(),
            Self::ReverseKullbackLeibler => -1.0 - (-y).ln(),
            Self::Alpha(alpha) if !is_valid_order(alpha) || y.is_nan() => f64::NAN,
            Self::Alpha(alpha) => {
                // (α−1)·y is (1−α)(−y): one formula serves both signs of α−1, the clamp acts only for α > 1.
                let base = ((alpha - 1.0) * y).max(0.0);
                base.powf(alpha / (alpha - 1.0)) / alpha + 1.0 / (alpha * (alpha - 1.0))
            }
            // 2 − e^y = 1 − (e^y − 1), which keeps its digits near y = 0.
            Self::JensenShannon => -(-y.exp_m1()).ln_1p(),
            Self::Wasserstein1 => y,
        }
    }

    /// The derivative f*′(y), which is the density ratio x that attains the supremum of [`Divergence::conjugate`].
    ///
    /// Outside the domain of f* the value is +∞; a NaN, or an order α that is not allowed, gives NaN. O(1).
    ///
    /// ```
    /// use ot_core::divergence::Divergence;
    /// assert_eq!(Divergence::ReverseKullbackLeibler.conjugate_derivative(-0.5), 2.0);
    /// ```
    pub fn conjugate_derivative(self, y: f64) -> f64 {
        if y >= self.conjugate_domain_supremum() {
            return f64::INFINITY;
        }
        match self {
            Self::KullbackLeibler | Self::DonskerVaradhan => (y - 1.0).exp(),
            Self::ReverseKullbackLeibler => -1.0 / y,
            Self::Alpha(alpha) if !is_valid_order(alpha) || y.is_nan() => f64::NAN,
            Self::Alpha(alpha) => ((alpha - 1.0) * y).max(0.0).powf(1.0 / (alpha - 1.0)),
            Self::JensenShannon => y.exp() / (1.0 - y.exp_m1()),
            Self::Wasserstein1 if y.is_nan() => y,
            Self::Wasserstein1 => 1.0,
        }
    }

    /// The supremum of the domain of f*, itself excluded: f* is finite on (−∞, supremum); +∞ if f* is finite on R.
    ///
    /// A parametrisation must keep the critic below it, for instance φ = −softplus(·) − δ where it is 0.
    ///
    /// ```
    /// use ot_core::divergence::Divergence;
    /// assert_eq!(Divergence::JensenShannon.conjugate_domain_supremum(), 2f64.ln());
    /// ```
    pub fn conjugate_domain_supremum(self) -> f64 {
        match self {
            Self::ReverseKullbackLeibler => 0.0,
            Self::Alpha(alpha) if alpha < 1.0 => 0.0,
            Self::JensenShannon => LN_2,
            Self::KullbackLeibler | Self::DonskerVaradhan | Self::Alpha(_) | Self::Wasserstein1 => {
                f64::INFINITY
            }
        }
    }
}

/// x log x, continued by 0 at x = 0.
fn x_log_x(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x * x.ln() }
}
