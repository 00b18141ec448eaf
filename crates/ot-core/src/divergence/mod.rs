//! The f-divergences D_f(P‖Q) = E_Q[f(dP/dQ)] and their variational duals.
//!
//! [`Divergence`] names the divergence; `generator` holds f and its Legendre conjugate f*, `dual` the objective
//! that a critic maximises, with its derivative in every critic value.

mod dual;
mod generator;

pub use dual::{DivergenceError, DualValue};

use std::fmt;
use std::str::FromStr;

/// An f-divergence, or the 1-Wasserstein distance, by name.
///
/// The text form ([`FromStr`], [`fmt::Display`]) is the one that configuration files use.
///
/// ```
/// use ot_core::divergence::Divergence;
/// assert_eq!("alpha:2".parse(), Ok(Divergence::Alpha(2.0)));
/// assert_eq!(Divergence::KullbackLeibler.to_string(), "kl");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Divergence {
    /// KL(P‖Q), dual E_P φ − E_Q e^{φ−1}. Text form `kl`.
    KullbackLeibler,
    /// KL(P‖Q) in the Donsker–Varadhan form E_P φ − log E_Q e^φ: the `kl` dual with its best additive shift. Text form
    /// `kl-donsker-varadhan`.
    DonskerVaradhan,
    /// KL(Q‖P), f(x) = −log x; the critic must be negative. Text form `reverse-kl`.
    ReverseKullbackLeibler,
    /// The α-divergence, α > 0 and α ≠ 1; for α < 1 the critic must be negative. Text form `alpha:2`.
    Alpha(f64),
    /// Twice the Jensen–Shannon divergence (the GAN objective); the critic must stay below log 2. Text form
    /// `jensen-shannon`.
    JensenShannon,
    /// No divergence but E_P φ − E_Q φ, which over 1-Lipschitz critics is W1(P, Q). Text form `w1`.
    Wasserstein1,
}

/// The text names that [`Divergence::from_str`] accepts.
pub const DIVERGENCE_NAMES: [&str; 6] =
    ["kl", "kl-donsker-varadhan", "reverse-kl", "alpha:2", "jensen-shannon", "w1"];

/// A text that names no divergence.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseDivergenceError {
    /// The name is not known.
    #[error(
        "unknown divergence `{0}`: use one of {names} (alpha takes any positive number but 1)",
        names = DIVERGENCE_NAMES.join(", ")
    )]
    Unknown(String),
    /// The α of `alpha:…` is not a positive finite number other than 1.
    #[error(
        "the order `{0}` of the alpha-divergence must be a positive finite number other than 1 \
         (for alpha = 1 use `kl`), for example `alpha:2`"
    )]
    Order(String),
}

impl FromStr for Divergence {
    type Err = ParseDivergenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "kl" => Ok(Self::KullbackLeibler),
            "kl-donsker-varadhan" => Ok(Self::DonskerVaradhan),
            "reverse-kl" => Ok(Self::ReverseKullbackLeibler),
            "jensen-shannon" => Ok(Self::JensenShannon),
            "w1" => Ok(Self::Wasserstein1),
            _ => {
                let Some(order) = text.strip_prefix("alpha:") else {
                    return Err(ParseDivergenceError::Unknown(text.to_owned()));
                };
                match order.parse() {
                    Ok(alpha) if generator::is_valid_order(alpha) => Ok(Self::Alpha(alpha)),
                    _ => Err(ParseDivergenceError::Order(order.to_owned())),
                }
            }
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KullbackLeibler => formatter.write_str("kl"),
            Self::DonskerVaradhan => formatter.write_str("kl-donsker-varadhan"),
            Self::ReverseKullbackLeibler => formatter.write_str("reverse-kl"),
            Self::Alpha(alpha) => write!(formatter, "alpha:{alpha}"),
            Self::JensenShannon => formatter.write_str("jensen-shannon"),
            Self::Wasserstein1 => formatter.write_str("w1"),
        }
    }
}
