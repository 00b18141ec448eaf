//! The flow as a configuration describes it.

use crate::FlowError;
use crate::error::{not_negative, positive, require};
use serde::{Deserialize, Serialize};

/// The potential of an [`super::OtFlow`], the weights of what it minimises, and the steps of its paths in training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtFlowDescription {
    /// Units m of each of the two layers.
    #[serde(default = "width")]
    pub width: usize,
    /// Rows of A; never more than d + 1.
    #[serde(default = "rank")]
    pub rank: usize,
    /// λ, the weight of the kinetic energy; α₁ of the paper.
    #[serde(default = "one")]
    pub kinetic: f64,
    /// c, the weight of the negative log-likelihood; α₂.
    pub likelihood: f64,
    /// a, the weight of the mean absolute Hamilton–Jacobi residual; α₃.
    pub hamilton_jacobi: f64,
    /// Runge–Kutta steps of a training iteration.
    pub steps: usize,
}

impl OtFlowDescription {
    /// Checks every value against its domain; errors name the field.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for the first value outside its domain.
    pub fn validate(&self) -> Result<(), FlowError> {
        for (what, count) in [("width", self.width), ("rank", self.rank), ("steps", self.steps)] {
            require(count > 0, what, count, "give at least 1")?;
        }
        positive("kinetic", self.kinetic)?;
        positive("likelihood", self.likelihood)?;
        not_negative("hamilton_jacobi", self.hamilton_jacobi)
    }
}

fn one() -> f64 {
    1.0
}

fn width() -> usize {
    32
}

fn rank() -> usize {
    10
}
