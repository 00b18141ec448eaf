//! How the slope of a critic is held to its Lipschitz bound: by a penalty, or by its parameters alone.
//!
//! | method | effective weight | bound |
//! | --- | --- | --- |
//! | none | W | no |
//! | [penalty](Penalty) | W | as far as the penalty outweighs what a larger slope gains |
//! | [spectral](SpectralState) | W/σ(W), the last layer times L | up to the error of a power iteration; layers lose slope one after another |
//! | [orthonormal](Orthonormal) | Q with orthonormal rows or columns between absolute values, the last layer times L | for all parameters; slopes of L stay possible at any depth |
//!
//! A reparametrisation is a map from the parameters that are trained to those that the network uses. The networks,
//! their kernels and the libtorch backend see the latter only.

mod orthonormal;
mod penalty;
mod polar;
mod slope_penalty;
mod spectral;

pub use orthonormal::Orthonormal;
pub use penalty::{Penalty, PenaltyPoints, Slopes};
pub use slope_penalty::{ParseSlopePenaltyError, SLOPE_PENALTY_NAMES, SlopePenalty};
pub use spectral::SpectralState;

use crate::FlowError;
use crate::activation::Activation;
use crate::error::expect_length;
use crate::mlp::Mlp;
use crate::real::Real;
use crate::scalar_field::ScalarField;
use serde::{Deserialize, Serialize};

/// How the slope of a critic is held to its bound L.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Lipschitz {
    /// Not at all: the divergence without its W1 proximal.
    #[default]
    None,
    /// A penalty on ‖∇φ‖.
    Penalty(Penalty),
    /// Spectral normalisation of every layer.
    Spectral,
    /// Orthonormal layers between absolute values, which pairs of ReLUs make: ‖∇φ‖ ≤ L by construction.
    Orthonormal,
}

impl Lipschitz {
    /// The penalty, where the method is one.
    pub fn penalty(self) -> Option<Penalty> {
        match self {
            Self::Penalty(penalty) => Some(penalty),
            Self::None | Self::Spectral | Self::Orthonormal => None,
        }
    }

    /// Checks the method against the network that it is to hold: errors name `lipschitz`, `activation` or `hidden`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a weight outside its domain, or layers that the method cannot work with.
    pub fn validate(self, activation: Activation, hidden: &[usize]) -> Result<(), FlowError> {
        match self {
            Self::None | Self::Spectral => Ok(()),
            Self::Penalty(penalty) => penalty.validate().map_err(|e| e.within("lipschitz")),
            Self::Orthonormal => Orthonormal::validate(activation, hidden),
        }
    }

    /// The reparametrisation of a critic of bound L = `bound` whose training starts at `parameters`, which it may move.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when the network is not one for the method, [`FlowError::Shape`] when the
    /// parameters are not of the network.
    pub fn reparametrise<T: Real>(
        self,
        network: &impl ScalarField,
        bound: f64,
        parameters: &mut [T],
    ) -> Result<Reparametrisation, FlowError> {
        expect_length("the initial parameters", parameters.len(), network.parameter_count())?;
        match self {
            Self::None | Self::Penalty(_) => Ok(Reparametrisation::None),
            Self::Spectral => {
                Ok(Reparametrisation::Spectral(SpectralState::new(layers(network)?, parameters, bound)?))
            }
            Self::Orthonormal => {
                let layers = Orthonormal::new(layers(network)?, bound)?;
                layers.orthonormalise(parameters)?;
                Ok(Reparametrisation::Orthonormal(layers))
            }
        }
    }
}

/// The network as the layers that a reparametrisation rearranges.
fn layers(network: &impl ScalarField) -> Result<&Mlp, FlowError> {
    network.perceptron().ok_or_else(|| {
        FlowError::specification(
            "the network of the critic",
            "not a multilayer perceptron",
            "hold its slope by a penalty: the methods spectral and orthonormal rearrange the layers of a perceptron",
        )
    })
}

/// The map from the parameters that are trained to those that the network uses.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Reparametrisation {
    /// The network uses what is trained.
    #[default]
    None,
    /// Spectral normalisation of each weight matrix.
    Spectral(SpectralState),
    /// Orthonormal layers between absolute values.
    Orthonormal(Orthonormal),
}

impl Reparametrisation {
    /// The parameters that the network uses.
    ///
    /// ```
    /// use flows::lipschitz::Reparametrisation;
    /// let trained = [2.0, 0.5, 1.0, 0.0];
    /// assert_eq!(Reparametrisation::None.effective(&trained)?, trained);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are of another network.
    pub fn effective<T: Real>(&self, trained: &[T]) -> Result<Vec<T>, FlowError> {
        match self {
            Self::None => Ok(trained.to_vec()),
            Self::Spectral(state) => state.effective(trained),
            Self::Orthonormal(layers) => layers.effective(trained),
        }
    }

    /// Turns a gradient in the effective parameters into one in the trained ones.
    ///
    /// # Errors
    /// As [`Reparametrisation::effective`].
    pub fn pull_back<T: Real>(&self, trained: &[T], gradient: &mut [T]) -> Result<(), FlowError> {
        match self {
            Self::None => expect_length("the gradient", gradient.len(), trained.len()),
            Self::Spectral(state) => state.pull_back(trained, gradient),
            Self::Orthonormal(layers) => layers.pull_back(trained, gradient),
        }
    }

    /// What follows every change of the trained parameters: one power iteration, or the way back to orthonormal
    /// matrices.
    ///
    /// # Errors
    /// As [`Reparametrisation::effective`].
    pub fn settle<T: Real>(&mut self, trained: &mut [T]) -> Result<(), FlowError> {
        match self {
            Self::None => Ok(()),
            Self::Spectral(state) => state.iterate(trained),
            Self::Orthonormal(layers) => layers.orthonormalise(trained),
        }
    }

    /// What changes from update to update beside the parameters, as one list; empty when there is nothing.
    pub fn flatten(&self) -> Vec<f64> {
        match self {
            Self::Spectral(state) => state.flatten(),
            Self::None | Self::Orthonormal(_) => Vec::new(),
        }
    }

    /// The inverse of [`Reparametrisation::flatten`].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the list is of another network or method.
    pub fn restore(&mut self, flat: &[f64]) -> Result<(), FlowError> {
        match self {
            Self::Spectral(state) => state.restore(flat),
            Self::None | Self::Orthonormal(_) => {
                expect_length("the state of the reparametrisation", flat.len(), 0)
            }
        }
    }
}
