//! The parameters of a network, arranged for its products.
#![allow(
    clippy::indexing_slicing,
    reason = "the ranges are those of the network whose parameter count is checked"
)]

use super::{Layer, Mlp};
use crate::FlowError;
use crate::error::expect_length;
use crate::matrix::Panels;
use crate::parallel;
use crate::real::Real;
use simd::{Instructions, Vectorised};

/// The parameters of a network, arranged once for all the evaluations and pullbacks that they are used in.
///
/// ```
/// use flows::{activation::Activation, mlp::{Mlp, Output, Weights}};
/// let net = Mlp::new(1, &[1], Activation::Tanh, Output::Identity)?;
/// let weights = Weights::new(&net, &[2.0, 0.0, 1.0, 0.0])?;
/// assert!(Weights::new(&net, &[2.0]).is_err());
/// # Ok::<(), flows::FlowError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Weights<T> {
    /// The flat buffer itself.
    pub(super) parameters: Vec<T>,
    /// W_1ᵀ … W_mᵀ, which rows are multiplied with on their way up.
    pub(super) up: Vec<Panels<T>>,
    /// W_1 … W_m, which rows are multiplied with on their way down.
    pub(super) down: Vec<Panels<T>>,
    /// The last column of W_1.
    pub(super) last_input: Vec<T>,
}

impl<T: Real> Weights<T> {
    /// Arranges a parameter buffer.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when it is not of [`Mlp::parameter_count`].
    pub fn new(net: &Mlp, parameters: &[T]) -> Result<Self, FlowError> {
        let mut weights = Self::default();
        weights.arrange(net, parameters)?;
        Ok(weights)
    }

    /// Replaces the parameters by others, in the same memory.
    ///
    /// # Errors
    /// [`FlowError::Shape`] as in [`Weights::new`].
    pub fn arrange(&mut self, net: &Mlp, parameters: &[T]) -> Result<(), FlowError> {
        expect_length("the parameter buffer", parameters.len(), net.parameter_count())?;
        self.parameters.clear();
        self.parameters.extend_from_slice(parameters);
        let depth = net.hidden.len();
        self.up.resize_with(depth, Panels::new);
        self.down.resize_with(depth, Panels::new);
        let packed =
            net.layers.iter().zip(self.up.iter_mut().zip(&mut self.down)).flat_map(|(layer, panels)| {
                let weight = &parameters[layer.weight.clone()];
                let (up, down) = panels;
                [
                    Pack { layer, weight, panels: up, is_up: true },
                    Pack { layer, weight, panels: down, is_up: false },
                ]
            });
        parallel::run(2 * parallel::PASS * parameters.len(), packed.collect());
        let first = net.layers[0].weight.clone();
        self.last_input.clear();
        self.last_input.extend(parameters[first].chunks_exact(net.input).map(|row| row[net.input - 1]));
        Ok(())
    }
}

/// One matrix in one direction.
struct Pack<'a, T> {
    layer: &'a Layer,
    weight: &'a [T],
    panels: &'a mut Panels<T>,
    is_up: bool,
}

impl<T: Real> Vectorised for Pack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self { layer: &Layer { input, output, .. }, weight, panels, is_up } = self;
        if is_up { panels.pack_transposed(weight, input, output) } else { panels.pack(weight, output, input) }
    }
}

impl<T> Default for Weights<T> {
    fn default() -> Self {
        Self { parameters: Vec::new(), up: Vec::new(), down: Vec::new(), last_input: Vec::new() }
    }
}
