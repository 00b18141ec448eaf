//! Scalar fields given by multilayer perceptrons, with closed-form input gradients.
//!
//! With a₀ = z, s_l = W_l·a_{l−1} + b_l, a_l = σ(s_l) for l = 1…m and u(z) = m(w·a_m + c):
//!
//! - [`Mlp::evaluate`] computes u, and for a jet also ∇_z u by the backward chain q_m = w, g_l = q_l ⊙ σ′(s_l),
//!   q_{l−1} = W_lᵀ·g_l, ∇_z u = q_0;
//! - [`Mlp::pull_back`] is the reverse of both chains at once: given ∂ℓ/∂u and ∂ℓ/∂(∇_z u) of a scalar loss ℓ it
//!   gives ∂ℓ/∂parameters and ∂ℓ/∂z. The second derivative of the network appears only through σ″, so there is no
//!   double backward pass and no graph;
//! - [`Mlp::laplacian`] carries Σ_j ∂²u/∂z_j² forward through the layers.
//!
//! Parameters lie in one contiguous buffer, layer by layer: W_1 (row-major, out × in), b_1, …, w, c.
//!
//! # Where the time goes
//!
//! In the published setting (U tanh 5×48, φ ReLU 3×48, 200 points, 5 steps, 5 critic updates, d = 12) an iteration is
//! 0.4 GFLOP: half of its time pushes points along the flow for the critic (25 jets of U), a quarter each are the
//! flow's own gradient and the critic's. Seven tenths of the samples lie in the products, a tenth in the activations,
//! whose division bounds them. Weights are therefore packed once for an update, activations are applied while a block
//! of rows is near the core, and the pullback of a penalty leaves out points whose slope is below the bound. What
//! registers are loaded from begins at a cache line, which is worth a tenth with 512-bit vectors.
//!
//! Waking a thread and moving a tile's numbers to its core takes tens of microseconds, so a pass is divided from some
//! tenths of a millisecond on, and the calling thread works on its share meanwhile ([`crate::parallel`]).

mod evaluate;
mod finish;
mod init;
mod laplacian;
mod output;
mod pull_back;
mod tape;
mod weights;

pub use init::Initialisation;
pub use output::Output;
pub use pull_back::Cotangent;
pub use tape::{Order, Tape};
pub use weights::Weights;

use crate::FlowError;
use crate::activation::Activation;
use std::ops::Range;

/// The shape of a scalar multilayer perceptron R^input → R.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    input: usize,
    hidden: Vec<usize>,
    activation: Activation,
    output: Output,
    initialisation: Initialisation,
    layers: Vec<Layer>,
}

/// One affine layer: where its numbers lie in the parameter buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Width of what comes in.
    pub input: usize,
    /// Width of what goes out.
    pub output: usize,
    /// W, row-major, `output × input`.
    pub weight: Range<usize>,
    /// b, `output` numbers.
    pub bias: Range<usize>,
}

impl Mlp {
    /// Describes a network with at least one hidden layer.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when a width is zero or no hidden layer is given.
    ///
    /// ```
    /// use flows::{activation::Activation, mlp::{Mlp, Output}};
    /// let net = Mlp::new(3, &[48, 48], Activation::Tanh, Output::Identity)?;
    /// assert_eq!(net.parameter_count(), (3 + 1) * 48 + (48 + 1) * 48 + 48 + 1);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn new(
        input: usize,
        hidden: &[usize],
        activation: Activation,
        output: Output,
    ) -> Result<Self, FlowError> {
        if input == 0 || hidden.is_empty() || hidden.contains(&0) {
            return Err(FlowError::Specification {
                what: "the list of hidden widths".into(),
                found: format!("{hidden:?} (input width {input})"),
                remedy: "give at least one hidden layer, every width at least 1, such as [48, 48]".into(),
            });
        }
        let mut layers = Vec::with_capacity(hidden.len() + 1);
        let (mut width, mut offset) = (input, 0);
        for &out in hidden.iter().chain(&[1]) {
            let weight = offset..offset + out * width;
            let bias = weight.end..weight.end + out;
            offset = bias.end;
            layers.push(Layer { input: width, output: out, weight, bias });
            width = out;
        }
        let initialisation = Initialisation::GlorotUniform;
        Ok(Self { input, hidden: hidden.to_vec(), activation, output, initialisation, layers })
    }

    /// The same network with initial parameters drawn in another way than [`Initialisation::GlorotUniform`].
    #[must_use]
    pub fn initialised(self, initialisation: Initialisation) -> Self {
        Self { initialisation, ..self }
    }

    /// How initial parameters are drawn.
    pub fn initialisation(&self) -> Initialisation {
        self.initialisation
    }

    /// Width of the input z.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Widths of the hidden layers.
    pub fn hidden(&self) -> &[usize] {
        &self.hidden
    }

    /// The nonlinearity between the layers.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The map from the last affine layer to u.
    pub fn output(&self) -> Output {
        self.output
    }

    /// The affine layers in order, the last one with output width 1.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Length of the parameter buffer.
    pub fn parameter_count(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.bias.end)
    }
}
