//! The derivatives of γᵀ∇Φ + θ·tr ∇ₓ²Φ in the parameters and in x, for the rows of a block.
//!
//! In the notation of [`super::evaluate`], with δ = K₀γ and an overbar for a derivative:
//!
//! z̄₁ = τ₀ ⊙ δ + θ·ρ₀ ⊙ κ, r = K₁z̄₁, w̄ = z̄₁ + τ₁ ⊙ r + θ·ρ₁ ⊙ ν, p̄₁ = w ⊙ ρ₁ ⊙ (r − 2θ·τ₁ ⊙ ν),
//! B = (w ⊙ ρ₁) ⊙ M, qₖ = Σᵢⱼ Bᵢⱼ·K₁ᵢₖ·K₀ₖⱼ, Tᵢⱼₖ = Σ 2θ·Bᵢⱼ·τ₀ₖ over the points,
//! K̄₁ = (τ₁ ⊙ w)z̄₁ᵀ + p̄₁u₀ᵀ, and Σⱼ Tᵢⱼₖ·K₀ₖⱼ,
//! p̄₀ = τ₀ ⊙ K₁ᵀp̄₁ + ρ₀ ⊙ (z₁ ⊙ δ + 2θ·(q − τ₀ ⊙ z₁ ⊙ κ)),
//! K̄₀ = p̄₀sᵀ + (τ₀ ⊙ z₁)γᵀ, and in the columns of x also Σᵢ Tᵢⱼₖ·K₁ᵢₖ + 2θ·(ρ₀ ⊙ z₁) ⊙ K₀,
//! s̄ = K₀ᵀp̄₀ + AᵀA·γ, Ā = A(Σ sγᵀ + Σ γsᵀ) and in the columns of x also 2θ·A.
//!
//! T holds what the trace says of both matrices, and is taken apart once for all points.
#![allow(clippy::indexing_slicing, reason = "the buffers are sized together from the same potential")]

use super::evaluate::{Add, Tape, curvature};
use super::potential::Weights;
use crate::matrix::{AddProducts, AddWeightedRows, Buffer, Finish, Multiply};
use crate::real::Real;
use simd::{Instructions, Vectorised};

/// Derivatives that add up over blocks, before what they share is put together.
#[derive(Debug)]
pub(super) struct Sums<T> {
    /// In the layout of the parameters; but for A.
    parameters: Vec<T>,
    /// Σ sγᵀ, [d+1, d+1].
    moments: Vec<T>,
    /// T, [d, m, m].
    jacobian: Vec<T>,
    /// Σ θ·ρ₀ ⊙ z₁, \[m\].
    squares: Vec<T>,
    /// Σ θ.
    traces: T,
}

/// Buffers of the pull-back, [n, m] where nothing else is said.
#[derive(Debug)]
pub(super) struct Scratch<T> {
    /// δ, then p̄₀.
    delta: Buffer<T>,
    /// z̄₁.
    z1: Buffer<T>,
    /// r, then p̄₁.
    p1: Buffer<T>,
    /// K₁ᵀp̄₁.
    u0: Buffer<T>,
    /// 2θ·τ₀, then q.
    tau0: Buffer<T>,
    /// AᵀA·γ and s̄, [n, d+1].
    quadratic: Buffer<T>,
    inputs: Buffer<T>,
    ones: Vec<T>,
    zeros: Vec<T>,
}

impl<T: Real> Default for Scratch<T> {
    fn default() -> Self {
        let [delta, z1, p1, u0, tau0, quadratic, inputs] = std::array::from_fn(|_| Buffer::new());
        Self { delta, z1, p1, u0, tau0, quadratic, inputs, ones: Vec::new(), zeros: Vec::new() }
    }
}

impl<T: Real> Scratch<T> {
    /// s̄ of the last pull-back, [n, d+1].
    pub(super) fn inputs(&self) -> &[T] {
        &self.inputs
    }
}

impl<T: Real> Sums<T> {
    pub(super) fn new(weights: &Weights<T>) -> Self {
        let (inputs, m, dim) =
            (weights.potential.inputs(), weights.potential.width(), weights.potential.dim());
        Self {
            parameters: vec![T::zero(); weights.parameters.len()],
            moments: vec![T::zero(); inputs * inputs],
            jacobian: vec![T::zero(); dim * m * m],
            squares: vec![T::zero(); m],
            traces: T::zero(),
        }
    }

    /// Adds what others have summed.
    pub(super) fn add(&mut self, others: &Self) {
        for (sums, others) in [
            (&mut self.parameters, &others.parameters),
            (&mut self.moments, &others.moments),
            (&mut self.jacobian, &others.jacobian),
            (&mut self.squares, &others.squares),
        ] {
            sums.iter_mut().zip(others).for_each(|(sum, &other)| *sum += other);
        }
        self.traces += others.traces;
    }

    /// Adds the derivatives at the rows of a tape, and leaves s̄ in the scratch: `gamma` are the cotangents of ∇Φ, [n, d+1],
    /// `theta` that of each trace.
    pub(super) fn pull_back(
        &mut self,
        weights: &Weights<T>,
        tape: &Tape<T>,
        (gamma, theta): (&[T], T),
        scratch: &mut Scratch<T>,
    ) {
        simd::run(PullBack { weights, tape, gamma, theta, scratch, sums: self });
    }

    /// Adds the derivatives in the parameters to `gradient`.
    pub(super) fn add_to(&self, weights: &Weights<T>, gradient: &mut [T]) {
        let (inputs, dim, layout) = (weights.potential.inputs(), weights.potential.dim(), &weights.layout);
        let m = weights.potential.width();
        for (sum, &part) in gradient.iter_mut().zip(&self.parameters) {
            *sum += part;
        }
        let two = T::of(2.0);
        let of_columns = self.jacobian.chunks_exact(m * m).zip(weights.columns.chunks_exact(m));
        for (j, (jacobian, column)) in of_columns.enumerate() {
            let mut opening: Vec<T> =
                self.squares.iter().zip(column).map(|(&square, &k)| two * square * k).collect();
            let hidden = gradient[layout.hidden.clone()].chunks_exact_mut(m);
            let of_weights = weights.parameters[layout.hidden.clone()].chunks_exact(m);
            for ((sums, k1), jacobian) in hidden.zip(of_weights).zip(jacobian.chunks_exact(m)) {
                let units = sums.iter_mut().zip(&mut opening).zip(jacobian).zip(k1.iter().zip(column));
                for (((of_hidden, of_opening), &t), (&k1, &k0)) in units {
                    *of_hidden = t.mul_add(k0, *of_hidden);
                    *of_opening = t.mul_add(k1, *of_opening);
                }
            }
            let sums = gradient[layout.opening.clone()].chunks_exact_mut(inputs);
            sums.zip(opening).for_each(|(sums, part)| sums[j] += part);
        }
        let factor = gradient[layout.factor.clone()].chunks_exact_mut(inputs);
        let of_weights = weights.parameters[layout.factor.clone()].chunks_exact(inputs);
        debug_assert_eq!(factor.len(), weights.potential.rank());
        for (sums, row) in factor.zip(of_weights) {
            for (j, sum) in sums.iter_mut().enumerate() {
                for (k, &entry) in row.iter().enumerate() {
                    *sum += entry * (self.moments[k * inputs + j] + self.moments[j * inputs + k]);
                }
                if j < dim {
                    *sum += two * self.traces * row[j];
                }
            }
        }
    }
}

struct PullBack<'a, T> {
    weights: &'a Weights<T>,
    tape: &'a Tape<T>,
    gamma: &'a [T],
    theta: T,
    scratch: &'a mut Scratch<T>,
    sums: &'a mut Sums<T>,
}

/// z̄₁ beside δ.
struct Turn<'a, T> {
    tau0: &'a [T],
    squares: &'a [T],
    theta: T,
    z1: &'a mut [T],
}

impl<T: Real> Finish<T> for Turn<'_, T> {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [T]) {
        let m = self.squares.len();
        let taus = self.tau0[start..][..rows.len()].chunks_exact(m);
        let z1 = self.z1[start..][..rows.len()].chunks_exact_mut(m);
        for ((deltas, taus), z1) in rows.chunks_exact(m).zip(taus).zip(z1) {
            for (((&delta, &tau), z), &square) in deltas.iter().zip(taus).zip(z1).zip(self.squares) {
                *z = tau.mul_add(delta, self.theta * curvature(tau) * square);
            }
        }
    }
}

impl<T: Real> Vectorised for PullBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { weights, tape, gamma, theta, scratch, sums } = self;
        let (m, inputs, layout) = (weights.potential.width(), weights.potential.inputs(), &weights.layout);
        let (rows, two) = (tape.rows, T::of(2.0));
        let size = rows * m;
        for buffer in
            [&mut scratch.delta, &mut scratch.z1, &mut scratch.p1, &mut scratch.u0, &mut scratch.tau0]
        {
            buffer.resize(size, T::zero());
        }
        scratch.quadratic.resize(rows * inputs, T::zero());
        scratch.inputs.resize(rows * inputs, T::zero());
        scratch.ones.resize(rows, T::one());
        scratch.zeros.resize(inputs, T::zero());
        let ones = &scratch.ones[..rows];

        let finish = Turn { tau0: &tape.tau0, squares: &weights.squares, theta, z1: &mut scratch.z1 };
        let (out, a) = ((&mut *scratch.delta, m), (gamma, inputs));
        instructions.run(Multiply { out, a, b: &weights.from_inputs, finish });
        let (out, a) = ((&mut *scratch.p1, m), (&*scratch.z1, m));
        instructions.run(Multiply { out, a, b: &weights.up, finish: () });

        // r becomes p̄₁.
        let outer_sums = &mut sums.parameters[layout.outer.clone()];
        let z1 = scratch.z1.chunks_exact(m);
        let of_tape = tape.tau1.chunks_exact(m).zip(tape.nu.chunks_exact(m));
        for ((p1, z1), (tau1, nu)) in scratch.p1.chunks_exact_mut(m).zip(z1).zip(of_tape) {
            let units = p1.iter_mut().zip(z1).zip(tau1).zip(nu);
            for ((((p, &z), &tau), &nu), (sum, &w)) in units.zip(outer_sums.iter_mut().zip(weights.outer())) {
                let (r, rho) = (*p, curvature(tau));
                *sum += z + tau * r + theta * rho * nu;
                *p = w * rho * (r - two * theta * tau * nu);
            }
        }
        let bias = &mut sums.parameters[layout.hidden_bias.clone()];
        instructions.run(AddWeightedRows { out: bias, factors: ones, a: &scratch.p1 });
        let hidden = &mut sums.parameters[layout.hidden.clone()];
        for (a, b) in [(&scratch.p1, &tape.u0), (&tape.weighted, &scratch.z1)] {
            instructions.run(AddProducts { out: (&mut *hidden, m), a: (a, m), b: (b, m) });
        }
        let a = (&*tape.jacobian, weights.potential.dim() * m);
        scratch.tau0.iter_mut().zip(&*tape.tau0).for_each(|(scaled, &tau)| *scaled = two * theta * tau);
        instructions.run(AddProducts { out: (&mut *sums.jacobian, m), a, b: (&scratch.tau0, m) });
        instructions.run(Multiply { out: (&mut scratch.tau0, m), a, b: &weights.from_jacobian, finish: () });
        let (out, a) = ((&mut *scratch.u0, m), (&*scratch.p1, m));
        instructions.run(Multiply { out, a, b: &weights.down, finish: () });

        // δ becomes p̄₀.
        let of_tape = tape.tau0.chunks_exact(m).zip(tape.z1.chunks_exact(m));
        let of_scratch = scratch.u0.chunks_exact(m).zip(scratch.tau0.chunks_exact(m));
        let points = scratch.delta.chunks_exact_mut(m).zip(of_tape).zip(of_scratch);
        for ((delta, (tau0, z1)), (u0, q)) in points {
            let units = delta.iter_mut().zip(tau0).zip(z1).zip(u0).zip(q);
            for (((((delta, &tau), &z), &u), &q), (sum, &square)) in
                units.zip(sums.squares.iter_mut().zip(&weights.squares))
            {
                let rho = curvature(tau);
                *sum += theta * rho * z;
                *delta = u * tau + rho * (*delta * z + two * theta * (q - tau * z * square));
            }
        }
        let p0 = &scratch.delta;
        let bias = &mut sums.parameters[layout.opening_bias.clone()];
        instructions.run(AddWeightedRows { out: bias, factors: ones, a: p0 });
        let opening = &mut sums.parameters[layout.opening.clone()];
        instructions.run(AddProducts { out: (&mut *opening, inputs), a: (p0, m), b: (&tape.inputs, inputs) });
        instructions.run(AddProducts { out: (&mut *opening, inputs), a: (&tape.y, m), b: (gamma, inputs) });
        let out = (&mut *sums.moments, inputs);
        instructions.run(AddProducts { out, a: (&tape.inputs, inputs), b: (gamma, inputs) });
        let linear = &mut sums.parameters[layout.linear.clone()];
        instructions.run(AddWeightedRows { out: linear, factors: ones, a: gamma });
        sums.traces += theta * T::of(rows as f64);

        let (out, b) = ((&mut *scratch.quadratic, inputs), &weights.quadratic);
        instructions.run(Multiply { out, a: (gamma, inputs), b, finish: () });
        let finish = Add { others: &scratch.quadratic, common: &scratch.zeros };
        let out = (&mut *scratch.inputs, inputs);
        instructions.run(Multiply { out, a: (p0, m), b: &weights.to_inputs, finish });
    }
}
