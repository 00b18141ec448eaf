//! How many Euler steps a training iteration takes.

use crate::FlowError;
use crate::error::require;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A fixed number of steps, or a range to draw from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "steps must be a number, or { min = 1, max = 6 }")]
pub enum Steps {
    /// Always this many.
    Fixed(usize),
    /// Uniform on min ..= max, one draw an iteration.
    Drawn {
        /// Fewest.
        min: usize,
        /// Most.
        max: usize,
    },
}

impl Steps {
    /// The steps of one iteration.
    pub fn draw(self, rng: &mut impl Rng) -> usize {
        match self {
            Self::Fixed(n) => n,
            Self::Drawn { min, max } => rng.random_range(min..=max.max(min)),
        }
    }

    /// The most steps of an iteration.
    pub fn most(self) -> usize {
        match self {
            Self::Fixed(n) => n,
            Self::Drawn { max, .. } => max,
        }
    }

    /// Checks that there is at least one step, and that the range is not empty.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when not.
    pub fn validate(self) -> Result<(), FlowError> {
        let fit = match self {
            Self::Fixed(n) => n >= 1,
            Self::Drawn { min, max } => 1 <= min && min <= max,
        };
        require(fit, "steps", self, "give at least 1 step, and min ≤ max")
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(n) => write!(f, "{n}"),
            Self::Drawn { min, max } => write!(f, "{{ min = {min}, max = {max} }}"),
        }
    }
}
