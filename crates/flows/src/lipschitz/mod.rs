//! How a critic is held to its Lipschitz bound by its parameters alone.
//!
//! | name | effective weight | bound |
//! | --- | --- | --- |
//! | none | W | no |
//! | [spectral](SpectralState) | W/σ(W), the last layer times L | up to the error of a power iteration; layers lose slope one after another |
//! | [orthonormal](Orthonormal) | Q with orthonormal rows or columns between absolute values, the last layer times L | for all parameters; slopes of L stay possible at any depth |
//!
//! A reparametrisation is a map from the parameters that are trained to those that the network uses. The networks, their
//! kernels and the libtorch backend see the latter only.

mod orthonormal;
mod polar;
mod spectral;

pub use orthonormal::Orthonormal;
pub use spectral::SpectralState;

use crate::FlowError;
use crate::error::expect_length;
use crate::real::Real;

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
    /// assert_eq!(Reparametrisation::None.effective(&trained), trained);
    /// ```
    pub fn effective<T: Real>(&self, trained: &[T]) -> Vec<T> {
        match self {
            Self::None => trained.to_vec(),
            Self::Spectral(state) => state.effective(trained),
            Self::Orthonormal(layers) => layers.effective(trained),
        }
    }

    /// Turns a gradient in the effective parameters into one in the trained ones.
    pub fn pull_back<T: Real>(&self, trained: &[T], gradient: &mut [T]) {
        match self {
            Self::None => {}
            Self::Spectral(state) => state.pull_back(trained, gradient),
            Self::Orthonormal(layers) => layers.pull_back(trained, gradient),
        }
    }

    /// What follows every change of the trained parameters: one power iteration, or the way back to orthonormal matrices.
    pub fn settle<T: Real>(&mut self, trained: &mut [T]) {
        match self {
            Self::None => {}
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
    /// [`FlowError::Shape`] when the list is of another network or device.
    pub fn restore(&mut self, flat: &[f64]) -> Result<(), FlowError> {
        match self {
            Self::Spectral(state) => state.restore(flat),
            Self::None | Self::Orthonormal(_) => {
                expect_length("the state of the reparametrisation", flat.len(), 0)
            }
        }
    }
}
