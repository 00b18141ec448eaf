//! Initial parameters, drawn from the caller's generator.
#![allow(clippy::indexing_slicing, reason = "the layers' ranges lie inside the buffer that is made here")]

use super::Mlp;
use crate::FlowError;
use crate::error::positive;
use crate::real::Real;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How weights are drawn; biases start at zero.
///
/// | name | W_ij | source |
/// | --- | --- | --- |
/// | `glorot-uniform` | U(−a, a), a = √(6/(in + out)) | Glorot & Bengio 2010, eq. (16) |
/// | `glorot-normal` | N(0, 2/(in + out)) | the same, eq. (12) |
/// | `he-normal` | N(0, 2/in) | He et al. 2015, eq. (10) |
/// | `{ normal = { std = 0.01 } }` | N(0, std²) | the published code of W2-FE has 0.01 for images |
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Initialisation {
    /// Uniform, variance 2/(in + out).
    #[default]
    GlorotUniform,
    /// Normal, variance 2/(in + out).
    GlorotNormal,
    /// Normal, variance 2/in.
    HeNormal,
    /// Normal, of one deviation for all layers.
    Normal {
        /// The standard deviation.
        std: f64,
    },
}

impl Initialisation {
    /// Checks the deviation of normal weights.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when it is not finite and positive.
    pub fn validate(self) -> Result<(), FlowError> {
        match self {
            Self::Normal { std } => positive("initialisation.normal.std", std),
            Self::GlorotUniform | Self::GlorotNormal | Self::HeNormal => Ok(()),
        }
    }

    /// One weight between a number that sums up `fan_in` others and one that feeds `fan_out`.
    pub(crate) fn weight(self, (fan_in, fan_out): (usize, usize), rng: &mut impl Rng) -> f64 {
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        match self {
            Self::GlorotUniform => (6.0 / (fan_in + fan_out)).sqrt() * (2.0 * rng.random::<f64>() - 1.0),
            Self::GlorotNormal => (2.0 / (fan_in + fan_out)).sqrt() * rng.sample::<f64, _>(StandardNormal),
            Self::Normal { std } => std * rng.sample::<f64, _>(StandardNormal),
            Self::HeNormal => (2.0 / fan_in).sqrt() * rng.sample::<f64, _>(StandardNormal),
        }
    }

    /// Draws a parameter buffer for `net`, layer by layer in storage order.
    pub fn draw<T: Real>(self, net: &Mlp, rng: &mut impl Rng) -> Vec<T> {
        let mut parameters = vec![T::zero(); net.parameter_count()];
        for layer in net.layers() {
            for w in &mut parameters[layer.weight.clone()] {
                *w = T::of(self.weight((layer.input, layer.output), rng));
            }
        }
        parameters
    }
}
