//! Initial parameters of a generator.
#![allow(clippy::indexing_slicing, reason = "the layers' ranges lie inside the buffer that is made here")]

use super::Generator;
use crate::FlowError;
use crate::error::not_negative;
use crate::real::Real;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How a generator's parameters are drawn; shifts and biases start at zero.
///
/// A small `last` starts a residual generator near the identity map. The published code of W2-FE draws `hidden`, `last`
/// and `scale` with standard deviation 0.01 for images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorInitialisation {
    /// Standard deviation of the hidden weights; √(2/in) (He et al. 2015, eq. (10)) where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<f64>,
    /// Standard deviation of the last weights.
    pub last: f64,
    /// Standard deviation of the normalisation's γ around 0; γ = 1 where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
}

impl Default for GeneratorInitialisation {
    /// He et al.'s hidden weights, last weights of deviation 0.01 and γ = 1.
    fn default() -> Self {
        Self { hidden: None, last: 0.01, scale: None }
    }
}

impl GeneratorInitialisation {
    /// Checks the deviations.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for one that is not finite, or negative.
    pub fn validate(self) -> Result<(), FlowError> {
        not_negative("initialisation.last", self.last)?;
        not_negative("initialisation.hidden", self.hidden.unwrap_or_default())?;
        not_negative("initialisation.scale", self.scale.unwrap_or_default())
    }

    /// Draws a parameter buffer, layer by layer in storage order.
    pub fn draw<T: Real>(self, generator: &Generator, rng: &mut impl Rng) -> Vec<T> {
        let mut parameters = vec![T::zero(); generator.parameter_count()];
        let mut normal = |deviation: f64| T::of(deviation * rng.sample::<f64, _>(StandardNormal));
        for layer in &generator.hidden {
            let deviation = self.hidden.unwrap_or_else(|| (2.0 / layer.affine.input as f64).sqrt());
            parameters[layer.affine.weight.clone()].fill_with(|| normal(deviation));
            for scale in &mut parameters[layer.scale.clone().unwrap_or_default()] {
                *scale = self.scale.map_or(T::one(), &mut normal);
            }
        }
        parameters[generator.last.weight.clone()].fill_with(|| normal(self.last));
        parameters
    }
}
