//! The forward pass: value and input gradient.
#![allow(clippy::indexing_slicing, reason = "every buffer is sized by `Tape::fit` from the same network")]

use super::tape::{Tile, rows_of_a_tile};
use super::{Mlp, Order, Tape};
use crate::FlowError;
use crate::error::expect_length;
use crate::matrix::{dot, matrix, multiply};
use crate::real::Real;
use crate::vector::{self, Vectorised};
use faer::Accum;
use rayon::prelude::*;

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
        let rows = rows_of_a_tile(batch);
        // Without a gradient each tile gets the empty slice.
        let mut gradients = tape.gradient.chunks_mut(rows * self.input);
        let forwards =
            tape.tiles.iter_mut().zip(z.chunks(rows * self.input)).zip(tape.value.chunks_mut(rows));
        let forwards = forwards.map(|((tile, z), value)| {
            let gradient = gradients.next().unwrap_or_default();
            Forward { net: self, parameters, z, order, tile, value, gradient }
        });
        in_parallel(self.work(rows), forwards);
        Ok(())
    }

    /// Products of a weight and a number in one pass through the network with `rows` points.
    pub(super) fn work(&self, rows: usize) -> usize {
        rows * self.parameter_count()
    }
}

/// Products of a weight and a number from which on a tile is worth waking a thread for, some tens of microseconds.
const SMALLEST_PARALLEL_WORK: usize = 1 << 22;

/// Runs the works of the tiles, each about `size` products, on several threads where that pays.
pub(super) fn in_parallel<W: Vectorised + Send>(size: usize, works: impl ExactSizeIterator<Item = W>) {
    if works.len() > 1 && size >= SMALLEST_PARALLEL_WORK && rayon::current_num_threads() > 1 {
        let works: Vec<W> = works.collect();
        works.into_par_iter().for_each(vector::run);
    } else {
        works.for_each(vector::run);
    }
}

/// The forward pass of one tile, compiled once more for the vector instructions of the machine.
struct Forward<'a, T> {
    net: &'a Mlp,
    parameters: &'a [T],
    z: &'a [T],
    order: Order,
    tile: &'a mut Tile<T>,
    value: &'a mut [T],
    gradient: &'a mut [T],
}

impl<T: Real> Vectorised for Forward<'_, T> {
    #[inline(always)]
    fn run(self) {
        let Self { net, parameters, z, order, tile, value, gradient } = self;
        tile.activations[0].copy_from_slice(z);
        let (last, hidden) = net.layers.split_last().unwrap_or_else(|| unreachable!("an Mlp has layers"));
        for (l, layer) in hidden.iter().enumerate() {
            let (below, above) = tile.activations.split_at_mut(l + 1);
            let out = &mut above[0];
            let bias = &parameters[layer.bias.clone()];
            for row in out.chunks_exact_mut(layer.output) {
                row.copy_from_slice(bias);
            }
            let weight = matrix(&parameters[layer.weight.clone()], layer.output, layer.input);
            multiply(out, Accum::Add, matrix(&below[l], tile.rows, layer.input), weight.transpose());
            net.activation.apply_fitting(out, &mut tile.slopes[l]);
        }
        let top = &tile.activations[hidden.len()];
        let (w, c) = (&parameters[last.weight.clone()], parameters[last.bias.start]);
        for ((raw, value), row) in tile.raw.iter_mut().zip(value).zip(top.chunks_exact(last.input)) {
            *raw = dot(row, w) + c;
            *value = net.output.apply(*raw).value;
        }
        if order == Order::Jet {
            input_gradient(net, parameters, w, tile, gradient);
        }
    }
}

/// q_m = m′(r)·w, g_l = q_l ⊙ σ′(s_l), q_{l−1} = W_lᵀ·g_l.
#[inline(always)]
fn input_gradient<T: Real>(net: &Mlp, parameters: &[T], w: &[T], tile: &mut Tile<T>, gradient: &mut [T]) {
    let depth = net.hidden.len();
    for (row, &raw) in tile.chain[depth - 1].chunks_exact_mut(w.len()).zip(&tile.raw) {
        let slope = net.output.apply(raw).slope;
        for (q, &weight) in row.iter_mut().zip(w) {
            *q = slope * weight;
        }
    }
    for l in (0..depth).rev() {
        let layer = &net.layers[l];
        let g = &mut tile.scratch[0][..tile.rows * layer.output];
        product(g, &tile.chain[l], &tile.slopes[l]);
        let weight = matrix(&parameters[layer.weight.clone()], layer.output, layer.input);
        let below = if l == 0 { &mut *gradient } else { &mut tile.chain[l - 1] };
        multiply(below, Accum::Replace, matrix(g, tile.rows, layer.output), weight);
    }
}

/// out ← a ⊙ b.
#[inline(always)]
pub(super) fn product<T: Real>(out: &mut [T], a: &[T], b: &[T]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = a * b;
    }
}
