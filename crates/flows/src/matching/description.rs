//! Flow matching as a configuration describes it.

use super::{Coupling, Regression};
use crate::FlowError;
use crate::activation::Activation;
use crate::error::not_negative;
use crate::generator::GeneratorInitialisation;
use crate::velocity::Velocity;
use serde::{Deserialize, Serialize};

/// The network of the velocity and the pairs that it is regressed on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchingDescription {
    /// How the points of two minibatches are paired.
    #[serde(default)]
    pub coupling: Coupling,
    /// Standard deviation σ of the noise around the segment between the points of a pair.
    #[serde(default)]
    pub sigma: f64,
    /// How often training goes on with the pairs that the flow has made so far, each an equal part of the training.
    #[serde(default)]
    pub rectifications: usize,
    /// Hidden widths.
    pub hidden: Vec<usize>,
    /// Activation.
    #[serde(default = "softplus")]
    pub activation: Activation,
    /// How the initial parameters are drawn.
    #[serde(default)]
    pub initialisation: GeneratorInitialisation,
}

impl MatchingDescription {
    /// The velocity on R^`dim`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for widths that describe no network.
    pub fn velocity(&self, dim: usize) -> Result<Velocity, FlowError> {
        Ok(Velocity::new(dim, &self.hidden, self.activation)?.initialised(self.initialisation))
    }

    /// The regression of the velocity on R^`dim` over paths of the duration `horizon`.
    ///
    /// # Errors
    /// As [`MatchingDescription::velocity`].
    pub fn regression(&self, dim: usize, horizon: f64) -> Result<Regression, FlowError> {
        Ok(Regression::new(self.velocity(dim)?, horizon, self.sigma))
    }

    /// Checks every value against its domain; errors name the field.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for the first value outside its domain.
    pub fn validate(&self) -> Result<(), FlowError> {
        not_negative("sigma", self.sigma)?;
        self.initialisation.validate()
    }
}

fn softplus() -> Activation {
    Activation::Softplus
}
