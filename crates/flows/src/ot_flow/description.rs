//! The flow as a configuration describes it.

use crate::FlowError;
use crate::error::{not_negative, positive, require};
use crate::flow::{FlowObjective, Steps};
use serde::{Deserialize, Serialize};

/// The potential of an [`super::OtFlow`], and the weights of what it minimises beside the kinetic energy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtFlowDescription {
    /// Units m of each of the two layers.
    #[serde(default = "width")]
    pub width: usize,
    /// Rows of A; never more than d + 1.
    #[serde(default = "rank")]
    pub rank: usize,
    /// Weight c of the negative log-likelihood.
    pub likelihood: f64,
    /// Weight of the mean absolute Hamilton–Jacobi residual.
    pub hamilton_jacobi: f64,
}

impl OtFlowDescription {
    /// Checks every value against its domain and the rest of the flow; errors name the path of the field.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for the first value that does not fit.
    pub fn validate(&self, flow: &FlowObjective) -> Result<(), FlowError> {
        let of = |error: FlowError| error.within("representation");
        positive("likelihood", self.likelihood).map_err(of)?;
        not_negative("hamilton_jacobi", self.hamilton_jacobi).map_err(of)?;
        for (what, count) in [("width", self.width), ("rank", self.rank)] {
            require(count > 0, what, count, "give at least 1").map_err(of)?;
        }
        let remedy = "leave it at 0 for the representation ot-flow, which has its own objective";
        for (what, weight) in [
            ("flow.velocity_spread", flow.velocity_spread),
            ("flow.hamilton_jacobi", flow.hamilton_jacobi),
            ("flow.terminal_gradient", flow.terminal_gradient),
            ("flow.characteristic", flow.characteristic),
            ("flow.noise", flow.noise),
        ] {
            require(weight == 0.0, what, weight, remedy)?;
        }
        let remedy = "leave it out for the representation ot-flow, which has its own objective";
        require(flow.interaction.is_none(), "flow.interaction", "given", remedy)?;
        let remedy = "leave it true for the representation ot-flow, which pays the kinetic energy";
        require(flow.kinetic, "flow.kinetic", false, remedy)?;
        let remedy = "give one number for the representation ot-flow, such as 8";
        require(matches!(flow.steps, Steps::Fixed(_)), "flow.steps", "a range", remedy)
    }
}

fn width() -> usize {
    32
}

fn rank() -> usize {
    10
}
