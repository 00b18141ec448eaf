//! The reverse pass of a generator.
#![allow(
    clippy::indexing_slicing,
    reason = "every buffer is sized by `GeneratorTape::fit` from the same generator"
)]

use super::tape::LayerTape;
use super::{Generator, GeneratorTape};
use crate::FlowError;
use crate::error::expect_length;
use crate::matrix::{AddProducts, Multiply, Panels};
use crate::real::Real;

impl Generator {
    /// Adds ∂ℓ/∂parameters to `gradient` and, if asked, writes ∂ℓ/∂z to `input_gradient` ([n, input]), given ∂ℓ/∂G(z)
    /// as `cotangent` ([n, output]).
    ///
    /// With ū = ā ⊙ σ′, n = (s − μ)/√(v + ϵ) and n̄ = γ ⊙ ū, the statistics of a batch give
    /// s̄ = (n̄ − mean n̄ − n·mean(n̄·n))/√(v + ϵ), running ones s̄ = n̄/√(v + ϵ); γ̄ = Σ ū·n, β̄ = Σ ū.
    ///
    /// Complexity: two multiplications with each weight matrix.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit the tape.
    ///
    /// Source of the normalisation's gradient: Ioffe and Szegedy, arXiv 1502.03167, section 3.
    pub fn pull_back<T: Real>(
        &self,
        parameters: &[T],
        tape: &mut GeneratorTape<T>,
        cotangent: &[T],
        gradient: &mut [T],
        input_gradient: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        let batch = tape.batch;
        expect_length("the generator's parameters", parameters.len(), self.parameter_count())?;
        expect_length("the generator's gradient", gradient.len(), self.parameter_count())?;
        expect_length("the generator's tape", tape.layers.len(), self.hidden.len())?;
        expect_length("the cotangent of the points", cotangent.len(), batch * self.last.output)?;
        let [upper, lower] = &mut tape.scratch;
        upper[..cotangent.len()].copy_from_slice(cotangent);
        for (r, &slope) in upper.iter_mut().zip(&tape.output_slopes) {
            *r *= slope;
        }
        let last = &self.last;
        add_rows(&mut gradient[last.bias.clone()], &upper[..cotangent.len()]);
        let (mut above, mut panels) = (last, Panels::new());
        for (l, layer) in self.hidden.iter().enumerate().rev() {
            let kept = &tape.layers[l];
            let (width, size) = (layer.affine.output, batch * layer.affine.output);
            let s_bar = &upper[..batch * above.output];
            let into = (&mut gradient[above.weight.clone()], width);
            let a = (s_bar, above.output);
            simd::run(AddProducts { out: into, a, b: (&kept.activations, width) });
            panels.pack(&parameters[above.weight.clone()], above.output, width);
            simd::run(Multiply { out: (&mut lower[..size], width), a, b: &panels, finish: () });
            std::mem::swap(upper, lower);
            self.form.activation.pull_back(&mut upper[..size], &kept.activations);
            add_rows(&mut gradient[layer.affine.bias.clone()], &upper[..size]);
            if let Some(scale) = &layer.scale {
                let u = &mut upper[..size];
                for (row, n) in u.chunks_exact(width).zip(kept.normalised.chunks_exact(width)) {
                    for ((out, &u), &n) in gradient[scale.clone()].iter_mut().zip(row).zip(n) {
                        *out += u * n;
                    }
                }
                through_normalisation(&parameters[scale.clone()], kept, tape.own_statistics, u);
            }
            above = &layer.affine;
        }
        let into = (&mut gradient[above.weight.clone()], self.input);
        let s_bar = &upper[..batch * above.output];
        let a = (s_bar, above.output);
        simd::run(AddProducts { out: into, a, b: (&tape.input, self.input) });
        if let Some(out) = input_gradient {
            expect_length("the gradient of the generator's input", out.len(), batch * self.input)?;
            panels.pack(&parameters[above.weight.clone()], above.output, self.input);
            simd::run(Multiply { out: (&mut *out, self.input), a, b: &panels, finish: () });
            if self.form.residual {
                out.iter_mut().zip(cotangent).for_each(|(out, &direct)| *out += direct);
            }
        }
        Ok(())
    }
}

/// Turns ū into s̄ in place.
fn through_normalisation<T: Real>(scale: &[T], kept: &LayerTape<T>, own_statistics: bool, u: &mut [T]) {
    let width = scale.len();
    let share = T::of(width as f64 / u.len() as f64);
    // The means of n̄ and of n̄·n.
    let (mut mean, mut slope) = (vec![T::zero(); width], vec![T::zero(); width]);
    for (row, n) in u.chunks_exact_mut(width).zip(kept.normalised.chunks_exact(width)) {
        for (j, (u, &n)) in row.iter_mut().zip(n).enumerate() {
            *u *= scale[j];
            mean[j] += share * *u;
            slope[j] += share * *u * n;
        }
    }
    if !own_statistics {
        mean.fill(T::zero());
        slope.fill(T::zero());
    }
    for (row, n) in u.chunks_exact_mut(width).zip(kept.normalised.chunks_exact(width)) {
        for (j, (u, &n)) in row.iter_mut().zip(n).enumerate() {
            *u = kept.rates[j] * (*u - mean[j] - n * slope[j]);
        }
    }
}

/// out ← out + Σ rows.
fn add_rows<T: Real>(out: &mut [T], rows: &[T]) {
    for row in rows.chunks_exact(out.len()) {
        out.iter_mut().zip(row).for_each(|(out, &value)| *out += value);
    }
}
