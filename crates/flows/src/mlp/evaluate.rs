//! The forward pass: value and input gradient.
#![allow(clippy::indexing_slicing, reason = "every buffer is sized by `Tape::fit` from the same network")]

use super::finish::{Activate, Scale};
use super::tape::{Tile, rows_of_a_tile};
use super::{Mlp, Order, Tape, Weights};
use crate::FlowError;
use crate::error::expect_length;
use crate::matrix::{Finish, Multiply, dot};
use crate::parallel;
use crate::real::Real;
use simd::{Instructions, Vectorised};

impl Mlp {
    /// Evaluates the field at the rows of `z` (row-major, [n, input]) and records the tape.
    ///
    /// Complexity: one multiplication with each weight matrix for a value, two for a jet.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when `weights` are of a network with another parameter count or `z` is not a whole number
    /// of rows.
    ///
    /// ```
    /// use flows::{activation::Activation, mlp::{Mlp, Order, Output, Tape, Weights}};
    /// // u(z) = tanh(2z): one unit, weight 2, bias 0, then weight 1, bias 0.
    /// let net = Mlp::new(1, &[1], Activation::Tanh, Output::Identity)?;
    /// let weights = Weights::new(&net, &[2.0, 0.0, 1.0, 0.0])?;
    /// let mut tape = Tape::new();
    /// net.evaluate(&weights, &[0.0], Order::Jet, &mut tape)?;
    /// assert_eq!((tape.value()[0], tape.gradient()[0]), (0.0, 2.0));
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn evaluate<T: Real>(
        &self,
        weights: &Weights<T>,
        z: &[T],
        order: Order,
        tape: &mut Tape<T>,
    ) -> Result<(), FlowError> {
        self.evaluate_with_common(weights, z, None, order, tape)
    }

    /// [`Mlp::evaluate`] where the last input may be the same number for all points, as time is: then `z` has one
    /// column less.
    ///
    /// # Errors
    /// As [`Mlp::evaluate`].
    pub fn evaluate_with_common<T: Real>(
        &self,
        weights: &Weights<T>,
        z: &[T],
        common: Option<T>,
        order: Order,
        tape: &mut Tape<T>,
    ) -> Result<(), FlowError> {
        expect_length("the arranged parameters", weights.parameters.len(), self.parameter_count())?;
        let columns = self.input - usize::from(common.is_some());
        if columns == 0 {
            return Err(FlowError::Specification {
                what: "the number of inputs that differ from point to point".into(),
                found: "0".into(),
                remedy: "give the network another input beside the common one".into(),
            });
        }
        let batch = z.len() / columns;
        expect_length("the input batch", z.len(), batch * columns)?;
        tape.fit(self, batch, order, common);
        let first = &self.layers[0];
        let mut first_bias = weights.parameters[first.bias.clone()].to_vec();
        if let Some(common) = common {
            for (bias, &weight) in first_bias.iter_mut().zip(&weights.last_input) {
                *bias = common.mul_add(weight, *bias);
            }
        }
        let rows = rows_of_a_tile(batch);
        // Without a gradient each tile gets the empty slice.
        let mut gradients = tape.gradient.chunks_mut(rows * columns);
        let mut common_derivatives = tape.common_derivative.chunks_mut(rows);
        let forwards = tape.tiles.iter_mut().zip(z.chunks(rows * columns)).zip(tape.value.chunks_mut(rows));
        let forwards = forwards.map(|((tile, z), value)| Forward {
            net: self,
            weights,
            first_bias: &first_bias,
            z,
            order,
            tile,
            value,
            gradient: gradients.next().unwrap_or_default(),
            common_derivative: common_derivatives.next().unwrap_or_default(),
        });
        parallel::run(self.work(batch), forwards.collect());
        Ok(())
    }

    /// Products of a weight and a number in one pass through the network with `batch` points.
    pub(super) fn work(&self, batch: usize) -> usize {
        batch * self.parameter_count()
    }
}

/// The forward pass of one tile, compiled once more for the vector instructions of the machine.
struct Forward<'a, T> {
    net: &'a Mlp,
    weights: &'a Weights<T>,
    /// b_1, with what a common input adds.
    first_bias: &'a [T],
    z: &'a [T],
    order: Order,
    tile: &'a mut Tile<T>,
    value: &'a mut [T],
    gradient: &'a mut [T],
    common_derivative: &'a mut [T],
}

impl<T: Real> Vectorised for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { net, weights, first_bias, z, order, tile, value, gradient, common_derivative } = self;
        let columns = z.len() / tile.rows;
        tile.activations[0].copy_from_slice(z);
        let (last, hidden) = net.layers.split_last().unwrap_or_else(|| unreachable!("an Mlp has layers"));
        for (l, layer) in hidden.iter().enumerate() {
            let (below, above) = tile.activations.split_at_mut(l + 1);
            let bias = if l == 0 { first_bias } else { &weights.parameters[layer.bias.clone()] };
            let finish = Activate { activation: net.activation, bias };
            let depth = if l == 0 { columns } else { layer.input };
            let (out, a) = ((&mut *above[0], layer.output), (&*below[l], depth));
            instructions.run(Multiply { out, a, b: &weights.up[l], finish });
        }
        let top = &tile.activations[hidden.len()];
        let (w, c) = (&weights.parameters[last.weight.clone()], weights.parameters[last.bias.start]);
        for ((raw, value), row) in tile.raw.iter_mut().zip(value).zip(top.chunks_exact(last.input)) {
            *raw = dot(row, w) + c;
            *value = net.output.apply(*raw).value;
        }
        if order == Order::Jet {
            input_gradient(instructions, net, weights, tile, (gradient, columns));
            let chain = tile.chain[0].chunks_exact(net.hidden[0]);
            for (derivative, g) in common_derivative.iter_mut().zip(chain) {
                *derivative = dot(g, &weights.last_input);
            }
        }
    }
}

/// q_m = m′(r)·w, g_l = q_l ⊙ σ′(s_l), q_{l−1} = W_lᵀ·g_l.
#[inline(always)]
fn input_gradient<T: Real, I: Instructions>(
    instructions: I,
    net: &Mlp,
    weights: &Weights<T>,
    tile: &mut Tile<T>,
    (gradient, columns): (&mut [T], usize),
) {
    let last = &net.layers[net.hidden.len()];
    let w = &weights.parameters[last.weight.clone()];
    let top = net.hidden.len() - 1;
    for (row, &raw) in tile.chain[top].chunks_exact_mut(w.len()).zip(&tile.raw) {
        let slope = net.output.apply(raw).slope;
        for (q, &weight) in row.iter_mut().zip(w) {
            *q = slope * weight;
        }
    }
    Scale { activation: net.activation, values: &tile.activations[top + 1] }.finish(0, &mut tile.chain[top]);
    for l in (1..=top).rev() {
        let layer = &net.layers[l];
        let (below, above) = tile.chain.split_at_mut(l);
        let finish = Scale { activation: net.activation, values: &tile.activations[l] };
        let (out, a) = ((&mut *below[l - 1], layer.input), (&*above[0], layer.output));
        instructions.run(Multiply { out, a, b: &weights.down[l], finish });
    }
    let (out, a) = ((gradient, columns), (&*tile.chain[0], net.hidden[0]));
    instructions.run(Multiply { out, a, b: &weights.down[0], finish: () });
}
