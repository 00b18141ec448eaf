//! A generator as tensors: its points, their graph, and the statistics of its batches.
//!
//! The normalisation is libtorch's own, in training and in evaluation, so that the convention of PyTorch's BatchNorm1d
//! (biased variance in the points, unbiased one in the running averages) is not written here a second time.

use super::network::{activate, leaf_gradients};
use super::transfer::{Scalar, download, matrix, size, vector};
use crate::FlowError;
use crate::activation::Activation;
use crate::error::expect_length;
use crate::generator::{Generator, GeneratorOutput, NORMALISATION_FLOOR, RunningStatistics, Statistics};
use std::marker::PhantomData;
use tch::{Device, Tensor};

/// An affine layer, views of the parameters: W [out, in], β \[out\] and, if the layer is normalised, γ \[out\].
struct Affine {
    weight: Tensor,
    shift: Tensor,
    scale: Option<Tensor>,
}

/// The parameters of a [`Generator`] on a device: one flat leaf and its layers, which are views of it.
pub(super) struct Network {
    activation: Activation,
    residual: bool,
    output: GeneratorOutput,
    leaf: Tensor,
    hidden: Vec<Affine>,
    last: Affine,
}

/// The momentum with which a "running" statistic is that of the last batch.
const WHOLE_BATCH: f64 = 1.0;
/// cuDNN is passed over: it promises no order of its sums.
const CUDNN: bool = false;

/// The mean and the variance of a hidden layer's units, \[width\].
pub(super) struct Moments {
    mean: Tensor,
    variance: Tensor,
}

impl Network {
    /// Copies flat parameters to the device; only a `trained` network records a graph.
    pub(super) fn new<T: Scalar>(
        generator: &Generator,
        parameters: &[T],
        device: Device,
        trained: bool,
    ) -> Result<Self, FlowError> {
        expect_length("the generator's parameters", parameters.len(), generator.parameter_count())?;
        let leaf = vector(parameters, device)?.f_requires_grad_(trained)?;
        let layers = generator.hidden.iter().map(|layer| (&layer.affine, layer.scale.is_some()));
        let layers: Vec<_> = layers.chain([(&generator.last, false)]).collect();
        let lengths: Vec<i64> = layers
            .iter()
            .flat_map(|(affine, scaled)| {
                let width = size(affine.output);
                [Some(size(affine.weight.len())), Some(width), scaled.then_some(width)].into_iter().flatten()
            })
            .collect();
        let mut pieces = leaf.f_split_with_sizes(lengths, 0)?.into_iter();
        let mut piece = || pieces.next().unwrap_or_else(|| unreachable!("one piece for each length"));
        let mut hidden = Vec::with_capacity(layers.len());
        for (affine, scaled) in layers {
            let weight = piece().f_view([size(affine.output), size(affine.input)])?;
            hidden.push(Affine { weight, shift: piece(), scale: scaled.then(&mut piece) });
        }
        let last = hidden.pop().unwrap_or_else(|| unreachable!("a generator has layers"));
        let form = generator.form();
        Ok(Self {
            activation: form.activation,
            residual: form.residual,
            output: form.output,
            leaf,
            hidden,
            last,
        })
    }

    /// G at the rows of `z`, [batch, input]. A batch that normalises itself leaves its moments in `moments`, where
    /// running ones are read: one pair for each normalised layer, none for a generator that is not normalised.
    pub(super) fn at(
        &self,
        z: &Tensor,
        own_statistics: bool,
        moments: &[Moments],
    ) -> Result<Tensor, FlowError> {
        let mut a = z.shallow_clone();
        let mut moments = moments.iter();
        for layer in &self.hidden {
            let u = match (&layer.scale, moments.next()) {
                (Some(scale), Some(Moments { mean, variance })) => {
                    a.f_linear::<&Tensor>(&layer.weight, None)?.f_batch_norm(
                        Some(scale),
                        Some(&layer.shift),
                        Some(mean),
                        Some(variance),
                        own_statistics,
                        WHOLE_BATCH,
                        NORMALISATION_FLOOR,
                        CUDNN,
                    )?
                }
                _ => a.f_linear(&layer.weight, Some(&layer.shift))?,
            };
            a = activate(self.activation, &u)?;
        }
        let raw = a.f_linear(&self.last.weight, Some(&self.last.shift))?;
        let mapped = match self.output {
            GeneratorOutput::Identity => raw,
            GeneratorOutput::Tanh { scale } => raw.f_tanh()?.f_mul_scalar(scale)?,
        };
        Ok(if self.residual { mapped.f_add(z)? } else { mapped })
    }

    /// The parameters.
    pub(super) fn leaf(&self) -> &Tensor {
        &self.leaf
    }
}

/// A generator at a batch of points on a device, with the graph that its gradient needs: the counterpart of
/// [`crate::generator::GeneratorTape`].
pub struct Evaluation<T> {
    network: Network,
    batch: usize,
    output: usize,
    own_statistics: bool,
    moments: Vec<Moments>,
    points: Tensor,
    precision: PhantomData<T>,
}

impl<T: Scalar> Evaluation<T> {
    /// Evaluates G at the rows of `z` (row-major, [n, input]), with a graph only when it is to be `trained`.
    ///
    /// Complexity: one product with each weight matrix.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit; [`FlowError::Specification`] for a batch of fewer than two
    /// points that should normalise itself; [`FlowError::Torch`] for what libtorch reports.
    pub fn new(
        generator: &Generator,
        device: Device,
        parameters: &[T],
        z: &[T],
        statistics: Statistics<'_, T>,
        trained: bool,
    ) -> Result<Self, FlowError> {
        let batch = generator.expect_fitting(parameters, z, statistics)?;
        let network = Network::new(generator, parameters, device, trained)?;
        let (own_statistics, moments) = match statistics {
            Statistics::Batch => (true, upload(generator, &RunningStatistics::<T>::new(generator), device)?),
            Statistics::Running(running) => (false, upload(generator, running, device)?),
        };
        let points = network.at(&matrix(z, generator.input(), device)?, own_statistics, &moments)?;
        Ok(Self {
            network,
            batch,
            output: generator.output(),
            own_statistics,
            moments,
            points,
            precision: PhantomData,
        })
    }

    /// G(z), row-major [n, output].
    ///
    /// # Errors
    /// [`FlowError::Torch`] for what libtorch reports.
    pub fn points(&self) -> Result<Vec<T>, FlowError> {
        download(&self.points.f_contiguous()?, self.batch * self.output)
    }

    /// Writes ∂ℓ/∂parameters for the given ∂ℓ/∂G(z), [n, output]: one backward pass, which uses the graph up.
    ///
    /// Complexity: two products with each weight matrix.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit; [`FlowError::Torch`] for what libtorch reports: an evaluation
    /// that is not trained, or was pulled back before, has no graph.
    pub fn pull_back(&self, cotangent: &[T], gradient: &mut [T]) -> Result<(), FlowError> {
        expect_length("the cotangent of the points", cotangent.len(), self.batch * self.output)?;
        let cotangent = matrix(cotangent, self.output, self.points.device())?;
        let loss = self.points.f_mul(&cotangent)?.f_sum(T::KIND)?;
        leaf_gradients(&loss, [(self.network.leaf(), gradient)])
    }

    /// Moves running averages towards this batch, r ← r + momentum·(batch − r), where the batch has its *unbiased*
    /// variance.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for averages of another generator, and for an evaluation with running statistics, which
    /// has none of its own; [`FlowError::Torch`] for what libtorch reports.
    pub fn update(&self, running: &mut RunningStatistics<T>, momentum: f64) -> Result<(), FlowError> {
        let own: &[Moments] = if self.own_statistics { &self.moments } else { &[] };
        let units = own.iter().map(|moments| moments.mean.numel()).sum();
        expect_length("the running statistics", running.mean.len(), units)?;
        expect_length("the running variances", running.variance.len(), units)?;
        if units == 0 {
            return Ok(());
        }
        let joined = |of: fn(&Moments) -> &Tensor| Tensor::f_cat(&own.iter().map(of).collect::<Vec<_>>(), 0);
        for (running, batch) in
            [(&mut running.mean, joined(|m| &m.mean)?), (&mut running.variance, joined(|m| &m.variance)?)]
        {
            vector(running, batch.device())?.f_lerp(&batch, momentum)?.f_copy_data(running, units)?;
        }
        Ok(())
    }
}

/// One pair of moments for each normalised layer.
fn upload<T: Scalar>(
    generator: &Generator,
    statistics: &RunningStatistics<T>,
    device: Device,
) -> Result<Vec<Moments>, FlowError> {
    let widths =
        generator.hidden.iter().filter(|layer| layer.scale.is_some()).map(|layer| layer.affine.output);
    let widths: Vec<i64> = widths.map(size).collect();
    if widths.is_empty() {
        return Ok(Vec::new());
    }
    let split = |values: &[T]| -> Result<Vec<Tensor>, FlowError> {
        Ok(vector(values, device)?.f_split_with_sizes(widths.as_slice(), 0)?)
    };
    let pairs = split(&statistics.mean)?.into_iter().zip(split(&statistics.variance)?);
    Ok(pairs.map(|(mean, variance)| Moments { mean, variance }).collect())
}
