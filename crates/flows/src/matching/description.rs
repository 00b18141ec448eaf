//! Flow matching as a configuration describes it.

use super::{Coupling, Regression};
use crate::FlowError;
use crate::activation::Activation;
use crate::affine::{Affine, Base};
use crate::error::not_negative;
use crate::generator::GeneratorInitialisation;
use crate::velocity::{GaussianVelocity, Velocity};
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
    /// What the velocity departs from: 0, or the velocity of the optimal flow between Gaussians.
    #[serde(default = "identity")]
    pub base: Base,
    /// Most directions of the Gaussian map that are kept, widest first; all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
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
    /// The velocity over paths of the duration `horizon`, between the coordinates that its base asks for.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for widths that describe no network.
    pub fn velocity(&self, affine: &Affine, horizon: f64) -> Result<Velocity, FlowError> {
        let velocity = match GaussianVelocity::new(affine, horizon) {
            Some(base) => Velocity::departing(base, &self.hidden, self.activation)?,
            None => Velocity::new(affine.dim(), &self.hidden, self.activation)?,
        };
        Ok(velocity.initialised(self.initialisation))
    }

    /// The regression of the velocity.
    ///
    /// # Errors
    /// As [`MatchingDescription::velocity`].
    pub fn regression(&self, affine: &Affine, horizon: f64) -> Result<Regression, FlowError> {
        Ok(Regression::new(self.velocity(affine, horizon)?, horizon, self.sigma))
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

fn identity() -> Base {
    Base::Identity
}

fn softplus() -> Activation {
    Activation::Softplus
}
