//! The Laplacian of the field: the exact trace of its Hessian, carried forward through the layers.
#![allow(
    clippy::indexing_slicing,
    reason = "every buffer is sized from the network that the tape was fitted to"
)]

use super::tape::Tile;
use super::{Mlp, Tape, Weights};
use crate::FlowError;
use crate::error::expect_length;
use crate::matrix::Multiply;
use crate::real::Real;
use simd::{Instructions, Vectorised};

impl Mlp {
    /// Δu = Σ_j ∂²u/∂z_j² at each point of the last evaluation, over the inputs that differ from point to point.
    ///
    /// Δa_l = σ′(s_l) ⊙ W_l·Δa_{l−1} + σ″(s_l) ⊙ Σ_j (W_l·∂_j a_{l−1})² and ∂_j a_l = σ′(s_l) ⊙ W_l·∂_j a_{l−1}.
    ///
    /// One number for each point; the tape may be of a value or a jet. For a piecewise linear activation it is 0 almost
    /// everywhere. Complexity: d + 1 multiplications with each weight matrix, d the number of those inputs.
    ///
    /// Source: the forward Laplacian (Li et al. 2024, arXiv 2307.08214, eq. (5)).
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the weights are of a network with another parameter count.
    ///
    /// ```
    /// use flows::{activation::Activation, mlp::{Mlp, Order, Output, Tape, Weights}};
    /// // u(z) = tanh(2z), whose second derivative is −8·tanh·(1 − tanh²).
    /// let net = Mlp::new(1, &[1], Activation::Tanh, Output::Identity)?;
    /// let weights = Weights::new(&net, &[2.0, 0.0, 1.0, 0.0])?;
    /// let mut tape = Tape::new();
    /// net.evaluate(&weights, &[0.5_f64], Order::Value, &mut tape)?;
    /// let value = 1.0_f64.tanh();
    /// let laplacian = net.laplacian(&weights, &tape)?[0];
    /// assert!((laplacian + 8.0 * value * (1.0 - value * value)).abs() < 1e-12);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn laplacian<T: Real>(&self, weights: &Weights<T>, tape: &Tape<T>) -> Result<Vec<T>, FlowError> {
        expect_length("the arranged parameters", weights.parameters.len(), self.parameter_count())?;
        let columns = tape.columns(self);
        let laplacians = |tile| simd::run(Laplacian { net: self, weights, tile, columns });
        Ok(tape.tiles.iter().flat_map(laplacians).collect())
    }
}

/// The Laplacians of one tile, compiled once more for the vector instructions of the machine.
struct Laplacian<'a, T> {
    net: &'a Mlp,
    weights: &'a Weights<T>,
    tile: &'a Tile<T>,
    /// Inputs that differ from point to point.
    columns: usize,
}

impl<T: Real> Vectorised for Laplacian<'_, T> {
    type Output = Vec<T>;

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) -> Vec<T> {
        let Self { net, weights, tile, columns } = self;
        let (rows, mut width) = (tile.rows, net.hidden[0]);
        // ∂_j s of the first layer are the columns of W_1, the same for all points; its Δs is 0.
        let first = &weights.parameters[net.layers[0].weight.clone()];
        let column = |j: usize| first.iter().skip(j).step_by(net.input).copied();
        let mut tangents: Vec<T> = (0..rows).flat_map(|_| (0..columns).flat_map(column)).collect();
        let mut laplacians = vec![T::zero(); rows * width];
        for l in 0..net.hidden.len() {
            if l > 0 {
                let next = net.hidden[l];
                tangents = up(instructions, weights, l, (&tangents, width), next);
                laplacians = up(instructions, weights, l, (&laplacians, width), next);
                width = next;
            }
            let values = tile.activations[l + 1].chunks_exact(width);
            let points = tangents.chunks_exact_mut(columns * width).zip(laplacians.chunks_exact_mut(width));
            for (values, (tangents, laplacians)) in values.zip(points) {
                for (unit, &value) in values.iter().enumerate() {
                    let slope = net.activation.slope(value);
                    let curvature = slope * net.activation.relative_curvature(value, slope);
                    let mut squares = T::zero();
                    for tangent in tangents.iter_mut().skip(unit).step_by(width) {
                        squares += *tangent * *tangent;
                        *tangent *= slope;
                    }
                    laplacians[unit] = slope * laplacians[unit] + curvature * squares;
                }
            }
        }
        let w = &weights.parameters[net.layers[net.hidden.len()].weight.clone()];
        let along = |row: &[T]| row.iter().zip(w).map(|(&a, &w)| a * w).sum::<T>();
        let points = tangents.chunks_exact(columns * width).zip(laplacians.chunks_exact(width));
        let last = points.zip(&tile.raw).map(|((tangents, laplacian), &raw)| {
            let mapped = net.output.apply(raw);
            let squares = tangents.chunks_exact(width).map(|t| along(t) * along(t)).sum::<T>();
            mapped.slope * along(laplacian) + mapped.curvature * squares
        });
        last.collect()
    }
}

/// Rows times W_lᵀ.
#[inline(always)]
fn up<T: Real, I: Instructions>(
    instructions: I,
    weights: &Weights<T>,
    l: usize,
    rows: (&[T], usize),
    next: usize,
) -> Vec<T> {
    let mut out = vec![T::zero(); rows.0.len() / rows.1 * next];
    instructions.run(Multiply { out: (&mut out, next), a: rows, b: &weights.up[l], finish: () });
    out
}
