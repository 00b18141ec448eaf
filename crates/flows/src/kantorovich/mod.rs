//! Two networks for the Kantorovich dual of ½·W2², and the gradient of their minibatch objective.
//!
//! With c(y, x) = ½‖y − x‖² and the gap g = φ(y) + ψ(x) − c(y, x), which is ≤ 0 everywhere for admissible potentials,
//! they ascend mean\[φ(y) + ψ(x)\] less penalties on g at the pairs (yᵢ, xᵢ) of generated and target points.
//!
//! Sources: Seguy et al., arXiv 1711.02283, algorithm 1; Huang and Malik, arXiv 2406.13619, algorithm 1; the
//! interpolated and equality terms and ψ = −φ + η are Leygonie et al.'s, arXiv 1906.09691.

mod all_pairs;
mod description;
mod gradient;
mod potentials;

pub use description::PotentialsDescription;
pub use gradient::Workspace;
pub use potentials::{Potentials, Psi};

use crate::real::Real;
use serde::{Deserialize, Serialize};

/// How a gap g = φ(y) + ψ(x) − c(y, x) above 0 is punished.
///
/// | `kind` | P(g) | exact problem behind it |
/// | --- | --- | --- |
/// | `linear` | λ·max(g, 0) | the plan is bounded by λ·μ⊗ν, so λ ≤ 1 is useless |
/// | `quadratic` | λ·max(g, 0)² | χ²-regularised transport |
/// | `entropic` | ε·exp(g/ε) | transport regularised by ε·KL |
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GapPenalty {
    /// λ·max(g, 0).
    Linear {
        /// λ.
        weight: f64,
    },
    /// λ·max(g, 0)².
    Quadratic {
        /// λ.
        weight: f64,
    },
    /// ε·exp(g/ε).
    Entropic {
        /// ε, in the unit of the cost.
        temperature: f64,
    },
}

impl GapPenalty {
    /// P(g) and P′(g); a NaN stays one.
    ///
    /// ```
    /// use flows::kantorovich::GapPenalty;
    /// assert_eq!(GapPenalty::Quadratic { weight: 3.0 }.jet(2.0), (12.0, 12.0));
    /// assert_eq!(GapPenalty::Linear { weight: 3.0 }.jet(-2.0), (0.0, 0.0));
    /// ```
    #[inline(always)]
    pub fn jet<T: Real>(self, gap: T) -> (T, T) {
        match self {
            Self::Linear { .. } | Self::Quadratic { .. } if gap <= T::zero() => (T::zero(), T::zero()),
            Self::Linear { weight } => (T::of(weight) * gap, T::of(weight)),
            Self::Quadratic { weight } => (T::of(weight) * gap * gap, T::of(2.0 * weight) * gap),
            Self::Entropic { temperature } => {
                let temperature = T::of(temperature);
                let growth = (gap / temperature).exp();
                (temperature * growth, growth)
            }
        }
    }
}

/// Over which pairs of a minibatch the penalty is averaged; both are unbiased estimates of E P(g) under μ⊗ν.
///
/// With n points a side `all` evaluates each network n times as well, and averages n² gaps where `paired` has n: the
/// published code is `paired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pairing {
    /// (yᵢ, xᵢ).
    #[default]
    Paired,
    /// All (yᵢ, xⱼ).
    All,
}

/// What the two potentials maximise: mean\[φ(y) + ψ(x)\] less the penalties.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KantorovichObjective {
    /// P.
    pub penalty: GapPenalty,
    /// Over which pairs of the minibatch it is averaged.
    pub pairing: Pairing,
    /// Whether P is also averaged over interpolated pairs (αy + (1 − α)x, βx + (1 − β)y).
    pub interpolated: bool,
    /// Weight of mean g² at the pairs (y, y − ∇φ(y)) and (x − ∇ψ(x), x), where the exact potentials have g = 0.
    pub equality: f64,
}

/// One minibatch of pairs, row-major.
#[derive(Debug, Clone, Copy)]
pub struct PairBatch<'a, T> {
    /// Generated points y, [n, d].
    pub generated: &'a [T],
    /// Target points x, [n, d].
    pub target: &'a [T],
    /// α of every pair and then β of every pair, 2·batch numbers in [0, 1]; read for interpolated pairs only.
    pub mixing: &'a [T],
}

/// The value of the objective on a minibatch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KantorovichValue {
    /// mean\[φ(y) + ψ(x)\], which estimates ½·W2².
    pub dual: f64,
    /// mean P(g) at the pairs.
    pub penalty: f64,
    /// mean P(g) at the interpolated pairs.
    pub interpolated: f64,
    /// The weighted equality terms.
    pub equality: f64,
}

impl KantorovichValue {
    /// What the potentials maximise.
    pub fn total(&self) -> f64 {
        self.dual - self.penalty - self.interpolated - self.equality
    }
}
