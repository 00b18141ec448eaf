//! Time steps of the gradient flow dY = −∇φ(Y) dt.

use serde::{Deserialize, Serialize};

/// How a particle is moved by one step ε of dY = −v(Y) dt, v = ∇φ.
///
/// | name | step | order |
/// | --- | --- | --- |
/// | `forward-euler` | y ← y − ε·vₙ(yₙ) | 1 |
/// | `adams-bashforth` | y ← y − ε·(3/2·vₙ(yₙ) − 1/2·vₙ₋₁(yₙ₋₁)), the first step by Euler | 2 |
///
/// The slope vₙ₋₁(yₙ₋₁) of the second row is that of the same particle one step before, under the potential of that
/// time.
///
/// Source: Hairer, Nørsett and Wanner, "Solving Ordinary Differential Equations I" (1993), section III.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// One evaluation, first order.
    #[default]
    ForwardEuler,
    /// Two steps, second order.
    AdamsBashforth,
}

impl Scheme {
    /// The weights of the slopes vₙ(yₙ) and vₙ₋₁(yₙ₋₁) in a step; before the first step there is no previous one.
    ///
    /// ```
    /// use train::w2fe::Scheme;
    /// assert_eq!(Scheme::AdamsBashforth.weights(true), (1.5, -0.5));
    /// assert_eq!(Scheme::AdamsBashforth.weights(false), (1.0, 0.0));
    /// ```
    pub fn weights(self, has_previous: bool) -> (f64, f64) {
        match self {
            Self::AdamsBashforth if has_previous => (1.5, -0.5),
            Self::AdamsBashforth | Self::ForwardEuler => (1.0, 0.0),
        }
    }

    /// Whether the scheme needs the slopes of the step before.
    pub fn is_two_step(self) -> bool {
        self == Self::AdamsBashforth
    }
}
