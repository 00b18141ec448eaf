//! The shape of Φ, its parameters, and what is packed of them.
#![allow(clippy::indexing_slicing, reason = "the ranges of the layout lie inside a buffer of checked length")]

use super::evaluate::log_2_cosh_and_tanh;
use crate::FlowError;
use crate::error::{expect_length, require};
use crate::matrix::{Panels, plain_dot};
use crate::real::Real;
use rand::{Rng, RngExt};
use std::ops::Range;

/// Φ(s) = wᵀN(s) + ½·sᵀAᵀA·s + bᵀs on s = (x, t) ∈ R^{d+1}, with the residual network
///
/// N(s) = u₀ + σ(K₁u₀ + b₁), u₀ = σ(K₀s + b₀), σ(p) = log(2 cosh p), σ′ = tanh.
///
/// With m units and A of rank r, the parameters lie one after the other: K₀, [m, d+1]; b₀, \[m\]; K₁, [m, m]; b₁, \[m\]; w,
/// \[m\]; A, [r, d+1]; b, \[d+1\]. The additive constant of the paper moves nothing, and is left out.
///
/// Source: Onken et al., arXiv 2006.00104, eq. (13) and (14) with two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResidualPotential {
    dim: usize,
    width: usize,
    rank: usize,
}

/// Where the parameters lie.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) opening: Range<usize>,
    pub(super) opening_bias: Range<usize>,
    pub(super) hidden: Range<usize>,
    pub(super) hidden_bias: Range<usize>,
    pub(super) outer: Range<usize>,
    pub(super) factor: Range<usize>,
    pub(super) linear: Range<usize>,
}

impl ResidualPotential {
    /// Φ on R^`dim` and time, with `width` units in each layer and A of `rank` rows.
    ///
    /// # Errors
    /// [`FlowError::Specification`] where one of them is 0.
    pub fn new(dim: usize, width: usize, rank: usize) -> Result<Self, FlowError> {
        for (what, found) in [("the dimension of the points", dim), ("width", width), ("rank", rank)] {
            require(found > 0, what, found, "give at least 1")?;
        }
        Ok(Self { dim, width, rank })
    }

    /// The dimension d of x.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Numbers of s = (x, t).
    pub(super) fn inputs(&self) -> usize {
        self.dim + 1
    }

    /// Units of a layer.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Rows of A.
    pub(super) fn rank(&self) -> usize {
        self.rank
    }

    /// Length of the parameter buffer.
    ///
    /// ```
    /// let potential = flows::ot_flow::ResidualPotential::new(2, 32, 3)?;
    /// assert_eq!(potential.parameter_count(), 32 * 3 + 32 + 32 * 32 + 32 + 32 + 3 * 3 + 3);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn parameter_count(&self) -> usize {
        self.layout().linear.end
    }

    pub(super) fn layout(&self) -> Layout {
        let (m, inputs) = (self.width, self.inputs());
        let mut end = 0;
        let mut next = |length: usize| {
            end += length;
            end - length..end
        };
        Layout {
            opening: next(m * inputs),
            opening_bias: next(m),
            hidden: next(m * m),
            hidden_bias: next(m),
            outer: next(m),
            factor: next(self.rank * inputs),
            linear: next(inputs),
        }
    }

    /// Initial parameters: each layer uniform within 1/√inputs, w = 1, A uniform within √(6/(r + d + 1)), b = 0, as in the
    /// authors' program.
    pub fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        let layout = self.layout();
        let mut parameters = vec![T::zero(); self.parameter_count()];
        let (opening, hidden) = (1.0 / (self.inputs() as f64).sqrt(), 1.0 / (self.width as f64).sqrt());
        for (range, bound) in [
            (layout.opening, opening),
            (layout.opening_bias, opening),
            (layout.hidden, hidden),
            (layout.hidden_bias, hidden),
            (layout.factor, (6.0 / (self.rank + self.inputs()) as f64).sqrt()),
        ] {
            for parameter in &mut parameters[range] {
                *parameter = T::of(bound * (2.0 * rng.random::<f64>() - 1.0));
            }
        }
        parameters[layout.outer].fill(T::one());
        parameters
    }
}

/// Parameters with what is made of them for the products.
#[derive(Debug, Clone)]
pub(super) struct Weights<T> {
    pub(super) potential: ResidualPotential,
    pub(super) layout: Layout,
    pub(super) parameters: Vec<T>,
    /// K₀ as it is, from units to inputs.
    pub(super) to_inputs: Panels<T>,
    /// K₀ᵀ, from inputs to units.
    pub(super) from_inputs: Panels<T>,
    /// K₁ as it is, against the direction of the network.
    pub(super) down: Panels<T>,
    /// K₁ᵀ, in the direction of the network.
    pub(super) up: Panels<T>,
    /// AᵀA, symmetric.
    pub(super) quadratic: Panels<T>,
    /// The columns of K₀ for x, [d, m].
    pub(super) columns: Vec<T>,
    /// K₁ᵢₖ·K₀ₖⱼ, from τ₀ to M, [m, (d, m)].
    pub(super) to_jacobian: Panels<T>,
    /// The same, from what M is weighed with to what τ₀ is, [(d, m), m].
    pub(super) from_jacobian: Panels<T>,
    /// κᵢ = Σ_{j<d} K₀ᵢⱼ², \[m\].
    pub(super) squares: Vec<T>,
    /// The part Σ_{j<d} (AᵀA)ⱼⱼ of the trace.
    pub(super) quadratic_trace: T,
}

impl<T: Real> Weights<T> {
    pub(super) fn new(potential: ResidualPotential, parameters: &[T]) -> Result<Self, FlowError> {
        expect_length("the parameters of the potential", parameters.len(), potential.parameter_count())?;
        let (layout, inputs, m) = (potential.layout(), potential.inputs(), potential.width);
        let (opening, hidden) = (&parameters[layout.opening.clone()], &parameters[layout.hidden.clone()]);
        let [mut to_inputs, mut from_inputs, mut down, mut up, mut quadratic] =
            std::array::from_fn(|_| Panels::new());
        let (mut to_jacobian, mut from_jacobian) = (Panels::new(), Panels::new());
        to_inputs.pack(opening, m, inputs);
        from_inputs.pack_transposed(opening, inputs, m);
        down.pack(hidden, m, m);
        up.pack_transposed(hidden, m, m);
        let mut gram = vec![T::zero(); inputs * inputs];
        for row in parameters[layout.factor.clone()].chunks_exact(inputs) {
            for (sums, &left) in gram.chunks_exact_mut(inputs).zip(row) {
                for (sum, &right) in sums.iter_mut().zip(row) {
                    *sum += left * right;
                }
            }
        }
        quadratic.pack(&gram, inputs, inputs);
        let columns: Vec<T> =
            (0..potential.dim).flat_map(|j| (0..m).map(move |i| opening[i * inputs + j])).collect();
        let of_columns =
            columns.chunks_exact(m).flat_map(|column| hidden.chunks_exact(m).map(move |row| (column, row)));
        let products: Vec<T> =
            of_columns.flat_map(|(column, row)| column.iter().zip(row).map(|(&k0, &k1)| k1 * k0)).collect();
        to_jacobian.pack_transposed(&products, m, potential.dim * m);
        from_jacobian.pack(&products, potential.dim * m, m);
        let squares =
            (0..m).map(|i| opening[i * inputs..][..potential.dim].iter().map(|&k| k * k).sum()).collect();
        let quadratic_trace = (0..potential.dim).map(|j| gram[j * inputs + j]).sum();
        Ok(Self {
            potential,
            layout,
            parameters: parameters.to_vec(),
            to_inputs,
            from_inputs,
            down,
            up,
            quadratic,
            columns,
            to_jacobian,
            from_jacobian,
            squares,
            quadratic_trace,
        })
    }

    /// Φ(s), without its constant.
    pub(super) fn value(&self, s: &[T]) -> T {
        let part = |range: &Range<usize>| &self.parameters[range.clone()];
        let layer = |weight: &[T], bias: &[T], x: &[T]| -> Vec<T> {
            let rows = weight.chunks_exact(x.len()).zip(bias);
            rows.map(|(row, &bias)| log_2_cosh_and_tanh(plain_dot(row, x) + bias).0).collect()
        };
        let u0 = layer(part(&self.layout.opening), part(&self.layout.opening_bias), s);
        let u1 = layer(part(&self.layout.hidden), part(&self.layout.hidden_bias), &u0);
        let rows = part(&self.layout.factor).chunks_exact(s.len());
        let squares: T = rows.map(|row| plain_dot(row, s)).map(|a| a * a).sum();
        let network = plain_dot(self.outer(), &u0) + plain_dot(self.outer(), &u1);
        network + T::of(0.5) * squares + plain_dot(self.linear(), s)
    }

    pub(super) fn outer(&self) -> &[T] {
        &self.parameters[self.layout.outer.clone()]
    }

    pub(super) fn linear(&self) -> &[T] {
        &self.parameters[self.layout.linear.clone()]
    }
}
