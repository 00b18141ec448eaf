//! Generators: networks R^p → R^d, residual or plain, with or without batch normalisation.
//!
//! With a₀ = z, s_l = W_l·a_{l−1}, u_l = γ_l ⊙ (s_l − μ_l)/√(v_l + ϵ) + β_l, a_l = σ(u_l) for l = 1…m and
//! G(z) = \[z +\] R(W·a_m + b); without normalisation u_l = s_l + β_l.
//!
//! μ_l and v_l are the mean and the *biased* variance Σ(s − μ)²/n of the batch in training ([`Statistics::Batch`]), and
//! the gradient goes through both. In evaluation ([`Statistics::Running`]) they are running averages, of which the
//! variance averages the *unbiased* Σ(s − μ)²/(n − 1): the convention of PyTorch's BatchNorm1d.
//!
//! Parameters lie in one contiguous buffer, layer by layer: W_l (row-major, out × in), β_l, γ_l where there is one,
//! then W, b.

mod backward;
mod forward;
mod init;
mod objective;
mod statistics;
mod tape;

pub use init::GeneratorInitialisation;
pub use objective::{fit, non_saturating, push};
pub use statistics::{RunningStatistics, Statistics};
pub use tape::GeneratorTape;

use crate::FlowError;
use crate::activation::Activation;
use crate::mlp::Layer;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Added to a variance before its root is taken, as in PyTorch's BatchNorm1d.
pub const NORMALISATION_FLOOR: f64 = 1e-5;

/// The map R from the last affine layer to what a generator adds or returns.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GeneratorOutput {
    /// R(r) = r.
    #[default]
    Identity,
    /// R(r) = scale·tanh r.
    Tanh {
        /// The bound of each coordinate.
        scale: f64,
    },
}

/// What a generator is made of beside its widths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeneratorForm {
    /// The nonlinearity between the layers.
    pub activation: Activation,
    /// Whether the hidden layers are batch-normalised.
    pub batch_norm: bool,
    /// Whether the input is added to the output.
    pub residual: bool,
    /// R.
    pub output: GeneratorOutput,
}

/// The shape of a generator R^input → R^output.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator {
    input: usize,
    pub(crate) hidden: Vec<HiddenLayer>,
    pub(crate) last: Layer,
    form: GeneratorForm,
}

/// A hidden layer: where W, β and, if it is normalised, γ lie in the parameter buffer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HiddenLayer {
    pub(crate) affine: Layer,
    pub(crate) scale: Option<Range<usize>>,
}

impl Generator {
    /// Describes a generator with at least one hidden layer.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when a width is zero, no hidden layer is given, or a residual generator has
    /// different widths of input and output.
    ///
    /// ```
    /// use flows::{activation::Activation, generator::{Generator, GeneratorForm, GeneratorOutput}};
    /// let form = GeneratorForm {
    ///     activation: Activation::Relu, batch_norm: true, residual: true, output: GeneratorOutput::Identity,
    /// };
    /// let generator = Generator::new(2, &[128; 3], 2, form)?;
    /// assert_eq!(generator.parameter_count(), (2 + 2) * 128 + 2 * (128 + 2) * 128 + (128 + 1) * 2);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn new(
        input: usize,
        hidden: &[usize],
        output: usize,
        form: GeneratorForm,
    ) -> Result<Self, FlowError> {
        let refuse = |remedy: &str| {
            Err(FlowError::Specification {
                what: "the shape of the generator".into(),
                found: format!("{hidden:?} (input width {input}, output width {output})"),
                remedy: remedy.into(),
            })
        };
        if input == 0 || output == 0 || hidden.is_empty() || hidden.contains(&0) {
            return refuse("give at least one hidden layer, every width at least 1, such as [128, 128, 128]");
        }
        if form.residual && input != output {
            return refuse("a residual generator adds its input: give it as many inputs as outputs");
        }
        let affine = |width: usize, out: usize, start: usize| {
            let weight = start..start + out * width;
            let bias = weight.end..weight.end + out;
            Layer { input: width, output: out, weight, bias }
        };
        let mut layers = Vec::with_capacity(hidden.len());
        let (mut width, mut offset) = (input, 0);
        for &out in hidden {
            let affine = affine(width, out, offset);
            let scale = form.batch_norm.then(|| affine.bias.end..affine.bias.end + out);
            offset = scale.as_ref().map_or(affine.bias.end, |scale| scale.end);
            width = out;
            layers.push(HiddenLayer { affine, scale });
        }
        let last = affine(width, output, offset);
        Ok(Self { input, hidden: layers, last, form })
    }

    /// Width of the input z.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Width of the output G(z).
    pub fn output(&self) -> usize {
        self.last.output
    }

    /// What the generator is made of beside its widths.
    pub fn form(&self) -> GeneratorForm {
        self.form
    }

    /// Length of the parameter buffer.
    pub fn parameter_count(&self) -> usize {
        self.last.bias.end
    }

    /// The hidden layers in order: the affine map, whose bias is β, and where γ lies, if the layer is normalised.
    pub fn hidden_layers(&self) -> impl Iterator<Item = (&Layer, Option<&Range<usize>>)> {
        self.hidden.iter().map(|layer| (&layer.affine, layer.scale.as_ref()))
    }

    /// The last affine layer.
    pub fn last_layer(&self) -> &Layer {
        &self.last
    }

    /// Hidden units, each with a running mean and variance where the layers are normalised.
    pub fn hidden_units(&self) -> usize {
        self.hidden.iter().map(|layer| layer.affine.output).sum()
    }
}
