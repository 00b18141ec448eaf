//! The Lipschitz-regularised Kullback–Leibler divergence of two shifted Gaussians.

/// D_KL^L(N(m, s²I) ‖ N(m₁, s²I)) as a function of the distance δ = ‖m − m₁‖: a Huber function.
///
/// ```text
/// sup_{Lip(φ) ≤ L} E_P φ − log E_Q e^φ  =  δ²/(2s²)       if δ ≤ L·s²
///                                          L·δ − L²s²/2   otherwise
/// ```
///
/// The critic is linear with slope min(δ/s², L). No unit where δ, s and 1/L are lengths.
///
/// Source: the definition of the divergence in arXiv 2006.10459 with the Gaussian moment generating function.
///
/// ```
/// use mfg::known_answers::lipschitz_kullback_leibler;
/// assert_eq!(lipschitz_kullback_leibler(1.0, 1.0, 2.0), 0.5);
/// assert_eq!(lipschitz_kullback_leibler(3.0, 1.0, 1.0), 2.5);
/// ```
#[must_use]
pub fn lipschitz_kullback_leibler(distance: f64, std: f64, lipschitz: f64) -> f64 {
    let slope = lipschitz_kullback_leibler_slope(distance, std, lipschitz);
    slope * distance - 0.5 * (slope * std).powi(2)
}

/// The slope of the optimal critic of [`lipschitz_kullback_leibler`], min(δ/s², L): its derivative in δ.
///
/// Units: those of the critic over length.
///
/// ```
/// assert_eq!(mfg::known_answers::lipschitz_kullback_leibler_slope(3.0, 1.0, 1.0), 1.0);
/// ```
#[must_use]
pub fn lipschitz_kullback_leibler_slope(distance: f64, std: f64, lipschitz: f64) -> f64 {
    (distance / (std * std)).min(lipschitz)
}
