//! The reverse of value and input gradient at once.
#![allow(clippy::indexing_slicing, reason = "every buffer is sized by `Tape::fit` from the same network")]

use super::evaluate::product;
use super::{Mlp, Order, Tape};
use crate::FlowError;
use crate::error::expect_length;
use crate::matrix::{Matrix, multiply};
use crate::real::Real;

/// The cotangents of an evaluation: ∂ℓ/∂u and ∂ℓ/∂(∇_z u) for every point of the batch.
#[derive(Debug, Clone, Copy)]
pub struct Cotangent<'a, T> {
    /// ∂ℓ/∂u, batch numbers.
    pub value: &'a [T],
    /// ∂ℓ/∂(∇_z u), batch × input, or nothing for a tape of values.
    pub gradient: Option<&'a [T]>,
}

impl Mlp {
    /// Adds ∂ℓ/∂parameters to `parameter_gradient` and, if asked, writes ∂ℓ/∂z to `input_gradient`.
    ///
    /// With p_1 = W_1·(∂ℓ/∂∇u), the reverse of the gradient chain runs upwards,
    /// q̄_l = p_l ⊙ σ′(s_l), s̄_l = p_l ⊙ q_l ⊙ σ″(s_l), p_{l+1} = W_{l+1}·q̄_l, W̄_l += g_l ⊗ q̄_{l−1};
    /// the reverse of the value chain then runs downwards as usual, starting from the s̄_l so far.
    ///
    /// Complexity: two multiplications with each weight matrix for a value, four for a jet.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit the tape, or a gradient cotangent comes with a tape of values.
    pub fn pull_back<T: Real>(
        &self,
        parameters: &[T],
        tape: &mut Tape<T>,
        cotangent: Cotangent<'_, T>,
        parameter_gradient: &mut [T],
        input_gradient: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        let batch = tape.batch;
        expect_length("the parameter buffer", parameters.len(), self.parameter_count())?;
        expect_length("the parameter gradient", parameter_gradient.len(), self.parameter_count())?;
        expect_length("the cotangent of the value", cotangent.value.len(), batch)?;
        if let Some(gradient) = cotangent.gradient {
            let expected = if tape.order == Order::Jet { batch * self.input } else { 0 };
            expect_length("the cotangent of the input gradient", gradient.len(), expected)?;
        }
        if let Some(out) = &input_gradient {
            expect_length("the gradient of the input", out.len(), batch * self.input)?;
        }
        // ∂ℓ/∂r of every point; the chain through q_m = m′(r)·w adds to it.
        let mut raw: Vec<T> =
            cotangent.value.iter().zip(&tape.raw).map(|(&u, &r)| u * self.output.apply(r).slope).collect();
        if let Some(gradient) = cotangent.gradient {
            self.reverse_gradient_chain(parameters, tape, gradient, &mut raw, parameter_gradient);
        }
        self.reverse_value_chain(
            parameters,
            tape,
            &raw,
            cotangent.gradient.is_some(),
            parameter_gradient,
            input_gradient,
        );
        Ok(())
    }

    /// Runs p upwards; leaves s̄_l of this half in `tape.chain[l]`, whose q_l is used up on the way.
    fn reverse_gradient_chain<T: Real>(
        &self,
        parameters: &[T],
        tape: &mut Tape<T>,
        cotangent: &[T],
        raw: &mut [T],
        parameter_gradient: &mut [T],
    ) {
        let (batch, depth) = (tape.batch, self.hidden.len());
        let [g, p, q_bar] = &mut tape.scratch;
        q_bar[..cotangent.len()].copy_from_slice(cotangent);
        for l in 0..depth {
            let layer = &self.layers[l];
            let size = batch * layer.output;
            let (q, slope) = (&mut tape.chain[l], &tape.slopes[l]);
            product(&mut g[..size], q, slope);
            let below = Matrix::new(&q_bar[..batch * layer.input], batch, layer.input);
            let weight = Matrix::new(&parameters[layer.weight.clone()], layer.output, layer.input);
            multiply(&mut p[..size], false, below, weight.t());
            let upper = Matrix::new(&g[..size], batch, layer.output);
            multiply(&mut parameter_gradient[layer.weight.clone()], true, upper.t(), below);
            let value = &tape.activations[l + 1];
            for ((((q, &slope), &value), &p), q_bar) in
                q.iter_mut().zip(slope).zip(value).zip(&p[..size]).zip(&mut q_bar[..size])
            {
                *q = p * *q * self.activation.curvature(value, slope);
                *q_bar = p * slope;
            }
        }
        // q_m = m′(r)·w.
        let last = &self.layers[depth];
        let w = &parameters[last.weight.clone()];
        let w_bar = &mut parameter_gradient[last.weight.clone()];
        for ((row, raw), &r) in q_bar[..batch * last.input].chunks_exact(last.input).zip(raw).zip(&tape.raw) {
            let mapped = self.output.apply(r);
            for (w_bar, &q) in w_bar.iter_mut().zip(row) {
                *w_bar += mapped.slope * q;
            }
            *raw += mapped.curvature * row.iter().zip(w).map(|(&q, &w)| q * w).sum::<T>();
        }
    }

    fn reverse_value_chain<T: Real>(
        &self,
        parameters: &[T],
        tape: &mut Tape<T>,
        raw: &[T],
        curved: bool,
        parameter_gradient: &mut [T],
        mut input_gradient: Option<&mut [T]>,
    ) {
        let (batch, depth) = (tape.batch, self.hidden.len());
        let [s_bar, a_bar, _] = &mut tape.scratch;
        let last = &self.layers[depth];
        let w = &parameters[last.weight.clone()];
        let top = &tape.activations[depth];
        for ((row, a_row), &r) in a_bar[..batch * last.input]
            .chunks_exact_mut(last.input)
            .zip(top.chunks_exact(last.input))
            .zip(raw)
        {
            for (out, &w) in row.iter_mut().zip(w) {
                *out = r * w;
            }
            for (w_bar, &a) in parameter_gradient[last.weight.clone()].iter_mut().zip(a_row) {
                *w_bar += r * a;
            }
            parameter_gradient[last.bias.start] += r;
        }
        for l in (0..depth).rev() {
            let layer = &self.layers[l];
            let size = batch * layer.output;
            product(&mut s_bar[..size], &a_bar[..size], &tape.slopes[l]);
            if curved {
                for (s, &extra) in s_bar[..size].iter_mut().zip(&tape.chain[l]) {
                    *s += extra;
                }
            }
            let upper = Matrix::new(&s_bar[..size], batch, layer.output);
            let below = Matrix::new(&tape.activations[l], batch, layer.input);
            multiply(&mut parameter_gradient[layer.weight.clone()], true, upper.t(), below);
            let bias = &mut parameter_gradient[layer.bias.clone()];
            for row in s_bar[..size].chunks_exact(layer.output) {
                for (b, &s) in bias.iter_mut().zip(row) {
                    *b += s;
                }
            }
            let weight = Matrix::new(&parameters[layer.weight.clone()], layer.output, layer.input);
            if l > 0 {
                multiply(&mut a_bar[..batch * layer.input], false, upper, weight);
            } else if let Some(out) = input_gradient.as_deref_mut() {
                multiply(out, false, upper, weight);
            }
        }
    }
}
