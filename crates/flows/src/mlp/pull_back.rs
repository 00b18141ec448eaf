//! The reverse of value and input gradient at once.
#![allow(clippy::indexing_slicing, reason = "every buffer is sized by `Tape::fit` from the same network")]

use super::finish::{Curve, Join};
use super::tape::Tile;
use super::{Mlp, Order, Tape, Weights};
use crate::FlowError;
use crate::error::expect_length;
use crate::matrix::{AddProducts, AddWeightedRows, Finish, Multiply, dot};
use crate::parallel;
use crate::real::Real;
use simd::{Instructions, Vectorised};

/// The cotangents of an evaluation: ∂ℓ/∂u and ∂ℓ/∂(∇_z u) for every point of the batch.
#[derive(Debug, Clone, Copy)]
pub struct Cotangent<'a, T> {
    /// ∂ℓ/∂u, batch numbers.
    pub value: &'a [T],
    /// ∂ℓ/∂(∇_z u), in the shape of [`Tape::gradient`], or nothing for a tape of values.
    pub gradient: Option<&'a [T]>,
    /// ∂ℓ/∂(∂u/∂common input), batch numbers, in a tape of jets with such an input.
    pub common: Option<&'a [T]>,
}

impl Mlp {
    /// Adds ∂ℓ/∂parameters to `parameter_gradient` and, if asked, writes ∂ℓ/∂z to `input_gradient`.
    ///
    /// With p_1 = W_1·(∂ℓ/∂∇u), the reverse of the gradient chain runs upwards,
    /// q̄_l = p_l ⊙ σ′(s_l), s̄_l = p_l ⊙ q_l ⊙ σ″(s_l), p_{l+1} = W_{l+1}·q̄_l, W̄_l += g_l ⊗ q̄_{l−1};
    /// the reverse of the value chain then runs downwards as usual, starting from the s̄_l so far.
    ///
    /// `weights` are those of the evaluation, which is used up: a tape can be pulled back once.
    ///
    /// Complexity: two multiplications with each weight matrix for a value, four for a jet.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit the tape, or a gradient cotangent comes with a tape of values.
    pub fn pull_back<T: Real>(
        &self,
        weights: &Weights<T>,
        tape: &mut Tape<T>,
        cotangent: Cotangent<'_, T>,
        parameter_gradient: &mut [T],
        input_gradient: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        let (batch, columns) = (tape.batch, tape.columns(self));
        expect_length("the arranged parameters", weights.parameters.len(), self.parameter_count())?;
        expect_length("the parameter gradient", parameter_gradient.len(), self.parameter_count())?;
        expect_length("the cotangent of the value", cotangent.value.len(), batch)?;
        if let Some(gradient) = cotangent.gradient {
            let expected = if tape.order == Order::Jet { batch * columns } else { 0 };
            expect_length("the cotangent of the input gradient", gradient.len(), expected)?;
            let expected = if tape.common.is_some() { batch } else { 0 };
            let found = cotangent.common.map_or(0, <[T]>::len);
            expect_length("the cotangent of the common input's derivative", found, expected)?;
        }
        if let Some(out) = &input_gradient {
            expect_length("the gradient of the input", out.len(), batch * columns)?;
        }
        let (mut values, mut gradients) = (cotangent.value, cotangent.gradient);
        let (mut commons, mut inputs) = (cotangent.common.unwrap_or_default(), input_gradient);
        let common_input = tape.common;
        let mut backward = |rows: usize, tile, sum, fresh| Backward {
            net: self,
            weights,
            columns,
            tile,
            value: values.split_off(..rows).unwrap_or_default(),
            gradient: gradients.as_mut().and_then(|gradients| gradients.split_off(..rows * columns)),
            common: commons.split_off(..rows).unwrap_or_default(),
            common_input,
            parameter_gradient: sum,
            fresh,
            input_gradient: inputs.as_mut().and_then(|inputs| inputs.split_off_mut(..rows * columns)),
        };
        // The first tile adds to the gradient itself, the others to sums of their own.
        let others = tape.tile_gradients.iter_mut().map(|sum| {
            sum.resize(self.parameter_count(), T::zero());
            (sum.as_mut_slice(), true)
        });
        let sums = std::iter::once((&mut *parameter_gradient, false)).chain(others);
        let tiles = tape.tiles.iter_mut().zip(sums);
        parallel::run(
            self.work(batch),
            tiles.map(|(tile, (sum, fresh))| backward(tile.rows, tile, sum, fresh)).collect(),
        );
        let parts = tape.tile_gradients.iter().map(Vec::as_slice).collect();
        Sums { totals: parameter_gradient, parts }.add();
        Ok(())
    }
}

/// What the tiles have found, to be added in their order.
struct Sums<'a, T> {
    totals: &'a mut [T],
    /// As long as the totals each.
    parts: Vec<&'a [T]>,
}

impl<T: Real> Sums<'_, T> {
    /// Numbers of a piece that one thread adds.
    const PIECE: usize = 1 << 14;

    fn add(self) {
        let size = parallel::PASS * self.parts.len() * self.totals.len();
        let pieces = self.totals.chunks_mut(Self::PIECE).enumerate().map(|(i, totals)| {
            let from = i * Self::PIECE..i * Self::PIECE + totals.len();
            Sums { totals, parts: self.parts.iter().map(|part| &part[from.clone()]).collect() }
        });
        parallel::run(size, pieces.collect());
    }
}

impl<T: Real> Vectorised for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        for part in self.parts {
            for (total, &part) in self.totals.iter_mut().zip(part) {
                *total += part;
            }
        }
    }
}

/// The reverse of one tile, compiled once more for the vector instructions of the machine.
struct Backward<'a, T> {
    net: &'a Mlp,
    weights: &'a Weights<T>,
    /// Inputs that differ from point to point.
    columns: usize,
    tile: &'a mut Tile<T>,
    /// ∂ℓ/∂u.
    value: &'a [T],
    /// ∂ℓ/∂(∇_z u).
    gradient: Option<&'a [T]>,
    /// ∂ℓ/∂(∂u/∂common input), or nothing.
    common: &'a [T],
    common_input: Option<T>,
    /// Where ∂ℓ/∂parameters is added.
    parameter_gradient: &'a mut [T],
    /// Whether that is to be 0 first.
    fresh: bool,
    /// Where ∂ℓ/∂z is written.
    input_gradient: Option<&'a mut [T]>,
}

impl<T: Real> Vectorised for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(mut self, instructions: I) {
        if self.fresh {
            self.parameter_gradient.fill(T::zero());
        }
        if self.tile.rows == 0 {
            return;
        }
        // ∂ℓ/∂r of every point; the chain through q_m = m′(r)·w adds to it.
        let Tile { raw, raw_cotangent, .. } = &mut *self.tile;
        // After a choice of points there are fewer values than entries.
        for ((out, &u), &r) in raw_cotangent.iter_mut().zip(self.value).zip(&*raw) {
            *out = u * self.net.output.apply(r).slope;
        }
        if let Some(gradient) = self.gradient {
            self.reverse_gradient_chain(instructions, gradient);
        }
        let curved = self.gradient.is_some() && !self.net.activation.is_piecewise_linear();
        if !curved && self.tile.raw_cotangent[..self.tile.rows].iter().all(|&r| r == T::zero()) {
            // Nothing runs down: the slope penalty of a ReLU network.
            self.input_gradient.into_iter().for_each(|out| out.fill(T::zero()));
        } else {
            self.reverse_value_chain(instructions, curved);
        }
    }
}

impl<T: Real> Backward<'_, T> {
    /// Runs p upwards; leaves s̄_l of this half in `tile.chain[l]`, whose g_l is used up on the way.
    #[inline(always)]
    fn reverse_gradient_chain<I: Instructions>(&mut self, instructions: I, cotangent: &[T]) {
        let (net, weights) = (self.net, self.weights);
        let Tile { rows, activations, chain, raw, raw_cotangent, scratch, column, .. } = &mut *self.tile;
        let depth = net.hidden.len();
        let [mut p, mut below] = scratch.each_mut().map(|buffer| &mut **buffer);
        for l in 0..depth {
            let layer = &net.layers[l];
            let size = *rows * layer.output;
            let (q_bar, width) =
                if l == 0 { (cotangent, self.columns) } else { (&below[..*rows * layer.input], layer.input) };
            let weight_gradient = &mut self.parameter_gradient[layer.weight.clone()];
            let g = &mut chain[l][..size];
            let out = (&mut *weight_gradient, layer.input);
            instructions.run(AddProducts { out, a: (&*g, layer.output), b: (q_bar, width) });
            let mut last_input = None;
            if l == 0 && !self.common.is_empty() {
                column.clear();
                column.resize(layer.output, T::zero());
                instructions.run(AddWeightedRows { out: column, factors: self.common, a: g });
                add_last_input(weight_gradient, layer.input, T::one(), column);
                last_input = Some((&weights.last_input[..], self.common));
            }
            let finish =
                Curve { activation: net.activation, values: &activations[l + 1], chain: g, last_input };
            let out = (&mut p[..size], layer.output);
            instructions.run(Multiply { out, a: (q_bar, width), b: &weights.up[l], finish });
            std::mem::swap(&mut p, &mut below);
        }
        // q_m = m′(r)·w.
        let last = &net.layers[depth];
        let w = &weights.parameters[last.weight.clone()];
        let q_bar = &below[..*rows * last.input];
        let slopes = &mut p[..*rows];
        for (((slope, &r), raw_cotangent), q_bar) in
            slopes.iter_mut().zip(&*raw).zip(raw_cotangent).zip(q_bar.chunks_exact(last.input))
        {
            let mapped = net.output.apply(r);
            *slope = mapped.slope;
            *raw_cotangent += mapped.curvature * dot(q_bar, w);
        }
        let out = &mut self.parameter_gradient[last.weight.clone()];
        instructions.run(AddWeightedRows { out, factors: slopes, a: q_bar });
    }

    /// Runs the cotangents of the activations downwards.
    #[inline(always)]
    fn reverse_value_chain<I: Instructions>(&mut self, instructions: I, curved: bool) {
        let (net, weights) = (self.net, self.weights);
        let Tile { rows, activations, chain, raw_cotangent, scratch, column, ones, .. } = &mut *self.tile;
        let (depth, raw_cotangent) = (net.hidden.len(), &raw_cotangent[..*rows]);
        let last = &net.layers[depth];
        let w = &weights.parameters[last.weight.clone()];
        let top = &activations[depth][..*rows * last.input];
        let out = &mut self.parameter_gradient[last.weight.clone()];
        instructions.run(AddWeightedRows { out, factors: raw_cotangent, a: top });
        self.parameter_gradient[last.bias.start] += raw_cotangent.iter().copied().sum::<T>();
        let join = |l: usize| Join {
            activation: net.activation,
            values: &activations[l + 1],
            chain: curved.then(|| &*chain[l]),
        };
        let [mut s_bar, mut next] = scratch.each_mut().map(|buffer| &mut **buffer);
        let top = &mut s_bar[..*rows * last.input];
        for (row, &r) in top.chunks_exact_mut(last.input).zip(raw_cotangent) {
            for (a_bar, &w) in row.iter_mut().zip(w) {
                *a_bar = r * w;
            }
        }
        join(depth - 1).finish(0, top);
        for l in (0..depth).rev() {
            let layer = &net.layers[l];
            let upper = &s_bar[..*rows * layer.output];
            let width = if l == 0 { self.columns } else { layer.input };
            let weight_gradient = &mut self.parameter_gradient[layer.weight.clone()];
            let from = (upper, layer.output);
            let b = (&activations[l][..*rows * width], width);
            instructions.run(AddProducts { out: (&mut *weight_gradient, layer.input), a: from, b });
            column.clear();
            column.resize(layer.output, T::zero());
            instructions.run(AddWeightedRows { out: column, factors: &ones[..*rows], a: upper });
            if let (0, Some(input)) = (l, self.common_input) {
                add_last_input(weight_gradient, layer.input, input, column);
            }
            for (bias, &sum) in self.parameter_gradient[layer.bias.clone()].iter_mut().zip(&*column) {
                *bias += sum;
            }
            if l > 0 {
                let out = (&mut next[..*rows * layer.input], layer.input);
                instructions.run(Multiply { out, a: from, b: &weights.down[l], finish: join(l - 1) });
            } else if let Some(out) = self.input_gradient.as_deref_mut() {
                let out = (out, width);
                instructions.run(Multiply { out, a: from, b: &weights.down[0], finish: () });
            }
            std::mem::swap(&mut s_bar, &mut next);
        }
    }
}

/// Adds `factor` times `column` to the last column of a weight gradient.
#[inline(always)]
fn add_last_input<T: Real>(weight_gradient: &mut [T], columns: usize, factor: T, column: &[T]) {
    for (row, &entry) in weight_gradient.chunks_exact_mut(columns).zip(column) {
        row[columns - 1] = factor.mul_add(entry, row[columns - 1]);
    }
}
