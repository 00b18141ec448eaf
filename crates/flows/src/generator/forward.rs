//! The forward pass of a generator.
#![allow(
    clippy::indexing_slicing,
    reason = "every buffer is sized by `GeneratorTape::fit` from the same generator"
)]

use super::tape::LayerTape;
use super::{Generator, GeneratorOutput, GeneratorTape, NORMALISATION_FLOOR, Statistics};
use crate::FlowError;
use crate::error::{array2, expect_columns, expect_length, flat};
use crate::matrix::{Multiply, Panels};
use crate::real::Real;
use ndarray::{Array2, ArrayView2};

impl Generator {
    /// G(z), [n, output], at the rows of `z`, [n, input].
    ///
    /// # Errors
    /// As [`Generator::evaluate`].
    pub fn generate<T: Real>(
        &self,
        parameters: &[T],
        z: ArrayView2<'_, T>,
        statistics: Statistics<'_, T>,
    ) -> Result<Array2<T>, FlowError> {
        expect_columns("the generator's input", z, self.input)?;
        let mut tape = GeneratorTape::new();
        self.evaluate(parameters, &flat(z), statistics, &mut tape)?;
        array2("the generated points", tape.points().to_vec(), self.last.output)
    }

    /// Evaluates G at the rows of `z` (row-major, [n, input]) and records the tape.
    ///
    /// Complexity: one multiplication with each weight matrix.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit; [`FlowError::Specification`] for a batch of fewer than two
    /// points that should normalise itself.
    ///
    /// Source of the normalisation: Ioffe and Szegedy, arXiv 1502.03167, algorithms 1 and 2.
    pub fn evaluate<T: Real>(
        &self,
        parameters: &[T],
        z: &[T],
        statistics: Statistics<'_, T>,
        tape: &mut GeneratorTape<T>,
    ) -> Result<(), FlowError> {
        let batch = self.expect_fitting(parameters, z, statistics)?;
        let own = matches!(statistics, Statistics::Batch) && self.form.batch_norm;
        tape.fit(self, batch, own);
        tape.input.copy_from_slice(z);
        let (mut unit, mut panels) = (0, Panels::new());
        for (l, layer) in self.hidden.iter().enumerate() {
            let affine = &layer.affine;
            let (below, above) = tape.layers.split_at_mut(l);
            let kept = &mut above[0];
            let input = below.last().map_or(&tape.input, |below| &below.activations);
            panels.pack_transposed(&parameters[affine.weight.clone()], affine.input, affine.output);
            let out = (kept.activations.as_mut_slice(), affine.output);
            simd::run(Multiply { out, a: (input, affine.input), b: &panels, finish: () });
            let shift = &parameters[affine.bias.clone()];
            if let Some(scale) = &layer.scale {
                let units = unit..unit + affine.output;
                match statistics {
                    Statistics::Batch => measure(kept),
                    Statistics::Running(running) => {
                        centre(kept, &running.mean[units.clone()], &running.variance[units]);
                    }
                }
                let scale = &parameters[scale.clone()];
                let rows = kept.activations.chunks_exact_mut(affine.output);
                for (row, normalised) in rows.zip(kept.normalised.chunks_exact(affine.output)) {
                    for (((a, &n), &scale), &shift) in row.iter_mut().zip(normalised).zip(scale).zip(shift) {
                        *a = scale * n + shift;
                    }
                }
            } else {
                for row in kept.activations.chunks_exact_mut(affine.output) {
                    row.iter_mut().zip(shift).for_each(|(a, &shift)| *a += shift);
                }
            }
            unit += affine.output;
            self.form.activation.apply(&mut kept.activations);
        }
        self.finish(parameters, z, tape);
        Ok(())
    }

    /// The number of points in `z`, after a check that all buffers fit.
    pub(crate) fn expect_fitting<T: Real>(
        &self,
        parameters: &[T],
        z: &[T],
        statistics: Statistics<'_, T>,
    ) -> Result<usize, FlowError> {
        expect_length("the generator's parameters", parameters.len(), self.parameter_count())?;
        let batch = z.len() / self.input;
        expect_length("the generator's input", z.len(), batch * self.input)?;
        match statistics {
            Statistics::Batch if self.form.batch_norm && batch < 2 => {
                return Err(FlowError::Specification {
                    what: "the batch that normalises itself".into(),
                    found: format!("{batch} points"),
                    remedy: "give at least 2, or evaluate with the running statistics".into(),
                });
            }
            Statistics::Batch => {}
            Statistics::Running(running) => {
                let units = if self.form.batch_norm { self.hidden_units() } else { 0 };
                expect_length("the running means", running.mean.len(), units)?;
                expect_length("the running variances", running.variance.len(), units)?;
            }
        }
        Ok(batch)
    }

    /// G(z) = \[z +\] R(W·a_m + b).
    fn finish<T: Real>(&self, parameters: &[T], z: &[T], tape: &mut GeneratorTape<T>) {
        let last = &self.last;
        let top = tape.layers.last().map_or(&tape.input, |layer| &layer.activations);
        let mut panels = Panels::new();
        panels.pack_transposed(&parameters[last.weight.clone()], last.input, last.output);
        let out = (tape.points.as_mut_slice(), last.output);
        simd::run(Multiply { out, a: (top, last.input), b: &panels, finish: () });
        let bias = &parameters[last.bias.clone()];
        for row in tape.points.chunks_exact_mut(last.output) {
            row.iter_mut().zip(bias).for_each(|(r, &bias)| *r += bias);
        }
        tape.output_slopes.clear();
        if let GeneratorOutput::Tanh { scale } = self.form.output {
            let scale = T::of(scale);
            for point in &mut tape.points {
                let tanh = point.vector_tanh();
                tape.output_slopes.push(scale * (T::one() - tanh * tanh));
                *point = scale * tanh;
            }
        }
        if self.form.residual {
            tape.points.iter_mut().zip(z).for_each(|(point, &z)| *point += z);
        }
    }
}

/// Mean and biased variance of the pre-activations, in two passes so that a large mean costs no digits.
fn measure<T: Real>(kept: &mut LayerTape<T>) {
    let width = kept.mean.len();
    let share = T::of(width as f64 / kept.activations.len() as f64);
    let (mut mean, mut variance) = (std::mem::take(&mut kept.mean), std::mem::take(&mut kept.variance));
    mean.fill(T::zero());
    variance.fill(T::zero());
    for row in kept.activations.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(mean, &s)| *mean += s);
    }
    mean.iter_mut().for_each(|mean| *mean *= share);
    for row in kept.activations.chunks_exact(width) {
        for ((variance, &s), &mean) in variance.iter_mut().zip(row).zip(&mean) {
            *variance += (s - mean) * (s - mean);
        }
    }
    variance.iter_mut().for_each(|variance| *variance *= share);
    centre(kept, &mean, &variance);
    (kept.mean, kept.variance) = (mean, variance);
}

/// (s − μ)/√(v + ϵ).
fn centre<T: Real>(kept: &mut LayerTape<T>, mean: &[T], variance: &[T]) {
    let width = mean.len();
    for (rate, &variance) in kept.rates.iter_mut().zip(variance) {
        *rate = T::one() / (variance + T::of(NORMALISATION_FLOOR)).sqrt();
    }
    let rows = kept.normalised.chunks_exact_mut(width).zip(kept.activations.chunks_exact(width));
    for (normalised, row) in rows {
        for (((n, &s), &mean), &rate) in normalised.iter_mut().zip(row).zip(mean).zip(&kept.rates) {
            *n = (s - mean) * rate;
        }
    }
}
