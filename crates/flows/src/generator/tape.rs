//! What a generator's evaluation keeps for its pullback.

use super::Generator;
use crate::real::Real;

/// The points of one evaluation and all that its pullback needs, reused from call to call.
///
/// Memory: about 2·batch·Σ widths numbers.
#[derive(Debug, Clone, Default)]
pub struct GeneratorTape<T> {
    pub(super) batch: usize,
    /// Whether the batch normalised itself.
    pub(super) own_statistics: bool,
    /// a_0.
    pub(super) input: Vec<T>,
    pub(super) layers: Vec<LayerTape<T>>,
    /// R′(r), [n, output]; empty for the identity.
    pub(super) output_slopes: Vec<T>,
    pub(super) points: Vec<T>,
    pub(super) scratch: [Vec<T>; 2],
}

/// The part of a hidden layer.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerTape<T> {
    /// a_l, [n, width].
    pub(super) activations: Vec<T>,
    /// (s_l − μ_l)/√(v_l + ϵ); empty without normalisation, as are the rows below.
    pub(super) normalised: Vec<T>,
    /// 1/√(v_l + ϵ).
    pub(super) rates: Vec<T>,
    /// μ_l of the batch; empty when running averages were used.
    pub(super) mean: Vec<T>,
    /// v_l of the batch, biased.
    pub(super) variance: Vec<T>,
}

impl<T: Real> GeneratorTape<T> {
    /// An empty tape; the first evaluation sizes it.
    pub fn new() -> Self {
        Self::default()
    }

    /// G(z), row-major [n, output], of the last evaluation.
    pub fn points(&self) -> &[T] {
        &self.points
    }

    pub(super) fn fit(&mut self, generator: &Generator, batch: usize, own_statistics: bool) {
        (self.batch, self.own_statistics) = (batch, own_statistics);
        self.input.resize(batch * generator.input, T::zero());
        self.layers.resize_with(generator.hidden.len(), LayerTape::default);
        let mut widest = generator.input;
        for (tape, layer) in self.layers.iter_mut().zip(&generator.hidden) {
            let width = layer.affine.output;
            widest = widest.max(width);
            let normalised = if layer.scale.is_some() { width } else { 0 };
            let measured = if own_statistics { normalised } else { 0 };
            tape.activations.resize(batch * width, T::zero());
            tape.normalised.resize(batch * normalised, T::zero());
            tape.rates.resize(normalised, T::zero());
            tape.mean.resize(measured, T::zero());
            tape.variance.resize(measured, T::zero());
        }
        self.points.resize(batch * generator.last.output, T::zero());
        for buffer in &mut self.scratch {
            buffer.resize(batch * widest.max(generator.last.output), T::zero());
        }
    }
}
