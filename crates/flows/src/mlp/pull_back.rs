//! The reverse of value and input gradient at once.
#![allow(clippy::indexing_slicing, reason = "every buffer is sized by `Tape::fit` from the same network")]

use super::evaluate::{in_parallel, product};
use super::tape::{Tile, rows_of_a_tile};
use super::{Mlp, Order, Tape};
use crate::FlowError;
use crate::activation::Activation;
use crate::error::expect_length;
use crate::matrix::{dot, matrix, multiply};
use crate::real::Real;
use crate::vector::Vectorised;
use faer::Accum;

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
        let rows = rows_of_a_tile(batch);
        let mut values = cotangent.value.chunks(rows);
        let mut gradients = cotangent.gradient.map(|gradient| gradient.chunks(rows * self.input));
        let mut inputs = input_gradient.map(|out| out.chunks_mut(rows * self.input));
        let mut backward = |tile, sum| Backward {
            net: self,
            parameters,
            tile,
            value: values.next().unwrap_or_default(),
            gradient: gradients.as_mut().and_then(Iterator::next),
            parameter_gradient: sum,
            input_gradient: inputs.as_mut().and_then(Iterator::next),
        };
        let (work, tiles) = (self.work(rows), tape.tiles.iter_mut());
        if tiles.len() == 1 {
            in_parallel(
                work,
                tiles.zip(std::iter::once(parameter_gradient)).map(|(tile, sum)| backward(tile, sum)),
            );
            return Ok(());
        }
        in_parallel(
            work,
            tiles.zip(&mut tape.tile_gradients).map(|(tile, sum)| {
                sum.clear();
                sum.resize(parameters.len(), T::zero());
                backward(tile, sum.as_mut_slice())
            }),
        );
        for sum in &tape.tile_gradients {
            for (total, &part) in parameter_gradient.iter_mut().zip(sum) {
                *total += part;
            }
        }
        Ok(())
    }
}

/// The reverse of one tile, compiled once more for the vector instructions of the machine.
struct Backward<'a, T> {
    net: &'a Mlp,
    parameters: &'a [T],
    tile: &'a mut Tile<T>,
    /// ∂ℓ/∂u.
    value: &'a [T],
    /// ∂ℓ/∂(∇_z u).
    gradient: Option<&'a [T]>,
    /// Where ∂ℓ/∂parameters is added.
    parameter_gradient: &'a mut [T],
    /// Where ∂ℓ/∂z is written.
    input_gradient: Option<&'a mut [T]>,
}

impl<T: Real> Vectorised for Backward<'_, T> {
    #[inline(always)]
    fn run(self) {
        let Self { net, parameters, tile, value, gradient, parameter_gradient, input_gradient } = self;
        // ∂ℓ/∂r of every point; the chain through q_m = m′(r)·w adds to it.
        for ((out, &u), &r) in tile.raw_cotangent.iter_mut().zip(value).zip(&tile.raw) {
            *out = u * net.output.apply(r).slope;
        }
        if let Some(gradient) = gradient {
            reverse_gradient_chain(net, parameters, tile, gradient, parameter_gradient);
        }
        let curved = gradient.is_some() && !net.activation.is_piecewise_linear();
        if !curved && tile.raw_cotangent.iter().all(|&r| r == T::zero()) {
            // Nothing runs down: the slope penalty of a ReLU network.
            input_gradient.into_iter().for_each(|out| out.fill(T::zero()));
        } else {
            reverse_value_chain(net, parameters, tile, curved, parameter_gradient, input_gradient);
        }
    }
}

/// Runs p upwards; leaves s̄_l of this half in `tile.chain[l]`, whose q_l is used up on the way.
#[inline(always)]
fn reverse_gradient_chain<T: Real>(
    net: &Mlp,
    parameters: &[T],
    tile: &mut Tile<T>,
    cotangent: &[T],
    parameter_gradient: &mut [T],
) {
    let (rows, depth) = (tile.rows, net.hidden.len());
    let [g, p, q_bar] = &mut tile.scratch;
    q_bar[..cotangent.len()].copy_from_slice(cotangent);
    for l in 0..depth {
        let layer = &net.layers[l];
        let size = rows * layer.output;
        let (q, slope) = (&mut tile.chain[l][..], &tile.slopes[l][..]);
        product(&mut g[..size], q, slope);
        let below = matrix(q_bar, rows, layer.input);
        let weight = matrix(&parameters[layer.weight.clone()], layer.output, layer.input);
        multiply(p, Accum::Replace, below, weight.transpose());
        let upper = matrix(g, rows, layer.output).transpose();
        multiply(&mut parameter_gradient[layer.weight.clone()], Accum::Add, upper, below);
        product(&mut q_bar[..size], p, slope);
        let value = &tile.activations[l + 1];
        match net.activation {
            Activation::Tanh => curve(Activation::Tanh, q, p, slope, value),
            Activation::Softplus => curve(Activation::Softplus, q, p, slope, value),
            Activation::Relu => {}
        }
    }
    // q_m = m′(r)·w.
    let last = &net.layers[depth];
    let w = &parameters[last.weight.clone()];
    let w_bar = &mut parameter_gradient[last.weight.clone()];
    let points = q_bar.chunks_exact(last.input).zip(&mut tile.raw_cotangent).zip(&tile.raw);
    for ((row, raw_cotangent), &r) in points {
        let mapped = net.output.apply(r);
        for (w_bar, &q) in w_bar.iter_mut().zip(row) {
            *w_bar += mapped.slope * q;
        }
        *raw_cotangent += mapped.curvature * dot(row, w);
    }
}

/// q ← p ⊙ q ⊙ σ″.
#[inline(always)]
fn curve<T: Real>(activation: Activation, q: &mut [T], p: &[T], slope: &[T], value: &[T]) {
    for (((q, &p), &slope), &value) in q.iter_mut().zip(p).zip(slope).zip(value) {
        *q = p * *q * activation.curvature(value, slope);
    }
}

#[inline(always)]
fn reverse_value_chain<T: Real>(
    net: &Mlp,
    parameters: &[T],
    tile: &mut Tile<T>,
    curved: bool,
    parameter_gradient: &mut [T],
    mut input_gradient: Option<&mut [T]>,
) {
    let (rows, depth) = (tile.rows, net.hidden.len());
    let [s_bar, a_bar, _] = &mut tile.scratch;
    let last = &net.layers[depth];
    let w = &parameters[last.weight.clone()];
    let (w_bar, c_bar) = parameter_gradient[last.weight.start..].split_at_mut(last.input);
    let points = a_bar.chunks_exact_mut(last.input).zip(tile.activations[depth].chunks_exact(last.input));
    for ((a_bar, a), &r) in points.zip(&tile.raw_cotangent) {
        for (((a_bar, w_bar), &w), &a) in a_bar.iter_mut().zip(&mut *w_bar).zip(w).zip(a) {
            *a_bar = r * w;
            *w_bar += r * a;
        }
        c_bar[0] += r;
    }
    for l in (0..depth).rev() {
        let layer = &net.layers[l];
        let size = rows * layer.output;
        product(&mut s_bar[..size], a_bar, &tile.slopes[l]);
        if curved {
            for (s, &extra) in s_bar[..size].iter_mut().zip(&tile.chain[l]) {
                *s += extra;
            }
        }
        let upper = matrix(s_bar, rows, layer.output);
        let below = matrix(&tile.activations[l], rows, layer.input);
        multiply(&mut parameter_gradient[layer.weight.clone()], Accum::Add, upper.transpose(), below);
        let bias = &mut parameter_gradient[layer.bias.clone()];
        for row in s_bar[..size].chunks_exact(layer.output) {
            for (b, &s) in bias.iter_mut().zip(row) {
                *b += s;
            }
        }
        let weight = matrix(&parameters[layer.weight.clone()], layer.output, layer.input);
        if l > 0 {
            multiply(a_bar, Accum::Replace, upper, weight);
        } else if let Some(out) = input_gradient.as_deref_mut() {
            multiply(out, Accum::Replace, upper, weight);
        }
    }
}
