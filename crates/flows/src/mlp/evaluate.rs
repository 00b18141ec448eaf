//! The forward pass: value and input gradient.
#![allow(clippy::indexing_slicing, reason = "every buffer is sized by `Tape::fit` from the same network")]

use super::{Mlp, Order, Tape};
use crate::FlowError;
use crate::error::expect_length;
use crate::matrix::{Matrix, multiply};
use crate::real::Real;

impl Mlp {
    /// Evaluates the field at the rows of `z` (row-major, batch × input) and records the tape.
    ///
    /// Complexity: one multiplication with each weight matrix for a value, two for a jet.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when `parameters` is not of [`Mlp::parameter_count`] or `z` not a whole number of rows.
    ///
    /// ```
    /// use flows::{activation::Activation, mlp::{Mlp, Order, Output, Tape}};
    /// // u(z) = tanh(2z): one unit, weight 2, bias 0, then weight 1, bias 0.
    /// let net = Mlp::new(1, &[1], Activation::Tanh, Output::Identity)?;
    /// let mut tape = Tape::new();
    /// net.evaluate(&[2.0, 0.0, 1.0, 0.0], &[0.0], Order::Jet, &mut tape)?;
    /// assert_eq!((tape.value()[0], tape.gradient()[0]), (0.0, 2.0));
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn evaluate<T: Real>(
        &self,
        parameters: &[T],
        z: &[T],
        order: Order,
        tape: &mut Tape<T>,
    ) -> Result<(), FlowError> {
        expect_length("the parameter buffer", parameters.len(), self.parameter_count())?;
        let batch = z.len() / self.input;
        expect_length("the input batch", z.len(), batch * self.input)?;
        tape.fit(self, batch, order);
        tape.activations[0].copy_from_slice(z);
        let (last, hidden) = self.layers.split_last().unwrap_or_else(|| unreachable!("an Mlp has layers"));
        for (l, layer) in hidden.iter().enumerate() {
            let (below, above) = tape.activations.split_at_mut(l + 1);
            let out = &mut above[0];
            let bias = &parameters[layer.bias.clone()];
            for row in out.chunks_exact_mut(layer.output) {
                row.copy_from_slice(bias);
            }
            let weight = Matrix::new(&parameters[layer.weight.clone()], layer.output, layer.input);
            multiply(out, true, Matrix::new(&below[l], batch, layer.input), weight.t());
            self.activation.apply(out, &mut tape.slopes[l])?;
        }
        let top = &tape.activations[hidden.len()];
        let (w, c) = (&parameters[last.weight.clone()], parameters[last.bias.start]);
        for ((raw, value), row) in tape.raw.iter_mut().zip(&mut tape.value).zip(top.chunks_exact(last.input))
        {
            *raw = row.iter().zip(w).map(|(&a, &b)| a * b).sum::<T>() + c;
            *value = self.output.apply(*raw).value;
        }
        if order == Order::Jet {
            self.input_gradient(parameters, w, tape);
        }
        Ok(())
    }

    /// q_m = m′(r)·w, g_l = q_l ⊙ σ′(s_l), q_{l−1} = W_lᵀ·g_l.
    fn input_gradient<T: Real>(&self, parameters: &[T], w: &[T], tape: &mut Tape<T>) {
        let depth = self.hidden.len();
        for (row, &raw) in tape.chain[depth - 1].chunks_exact_mut(w.len()).zip(&tape.raw) {
            let slope = self.output.apply(raw).slope;
            for (q, &weight) in row.iter_mut().zip(w) {
                *q = slope * weight;
            }
        }
        for l in (0..depth).rev() {
            let layer = &self.layers[l];
            let g = &mut tape.scratch[0][..tape.batch * layer.output];
            product(g, &tape.chain[l], &tape.slopes[l]);
            let weight = Matrix::new(&parameters[layer.weight.clone()], layer.output, layer.input);
            let below = if l == 0 { &mut tape.gradient } else { &mut tape.chain[l - 1] };
            multiply(below, false, Matrix::new(g, tape.batch, layer.output), weight);
        }
    }
}

/// out ← a ⊙ b.
pub(super) fn product<T: Real>(out: &mut [T], a: &[T], b: &[T]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = a * b;
    }
}
