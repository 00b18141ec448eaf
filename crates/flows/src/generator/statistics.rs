//! Which mean and variance normalise a layer.

use super::{Generator, GeneratorTape};
use crate::FlowError;
use crate::error::expect_length;
use crate::real::Real;

/// The statistics that batch normalisation uses.
#[derive(Debug, Clone, Copy)]
pub enum Statistics<'a, T> {
    /// Those of the batch itself: training.
    Batch,
    /// Running averages: evaluation, where every point is mapped independently of the others.
    Running(&'a RunningStatistics<T>),
}

/// Running averages of means and unbiased variances of all hidden units, layer by layer.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningStatistics<T> {
    /// Means, \[hidden units\]; 0 before the first update.
    pub mean: Vec<T>,
    /// Unbiased variances, \[hidden units\]; 1 before the first update.
    pub variance: Vec<T>,
}

impl<T: Real> RunningStatistics<T> {
    /// Means 0 and variances 1; empty for a generator that is not normalised.
    pub fn new(generator: &Generator) -> Self {
        let units = if generator.form().batch_norm { generator.hidden_units() } else { 0 };
        Self { mean: vec![T::zero(); units], variance: vec![T::one(); units] }
    }

    /// Moves the averages towards the batch of `tape`: r ← (1 − momentum)·r + momentum·batch.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for a tape of another generator, or one that was not evaluated with [`Statistics::Batch`].
    pub fn update(&mut self, tape: &GeneratorTape<T>, momentum: f64) -> Result<(), FlowError> {
        let units = tape.layers.iter().map(|layer| layer.mean.len()).sum();
        expect_length("the running statistics", self.mean.len(), units)?;
        expect_length("the running variances", self.variance.len(), units)?;
        let batch = tape.batch as f64;
        let (keep, take) = (T::of(1.0 - momentum), T::of(momentum));
        let unbiased = T::of(momentum * batch / (batch - 1.0));
        let running = self.mean.iter_mut().zip(&mut self.variance);
        let seen = tape.layers.iter().flat_map(|layer| layer.mean.iter().zip(&layer.variance));
        for ((mean, variance), (&batch_mean, &batch_variance)) in running.zip(seen) {
            *mean = keep * *mean + take * batch_mean;
            *variance = keep * *variance + unbiased * batch_variance;
        }
        Ok(())
    }
}
