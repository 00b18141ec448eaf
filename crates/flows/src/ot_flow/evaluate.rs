//! ∇Φ and the trace of ∇²Φ in closed form, for the rows of a block.
//!
//! With p₀ = K₀s + b₀, u₀ = σ(p₀), τ₀ = tanh p₀, τ₁ = tanh(K₁u₀ + b₁), ρ = 1 − τ²:
//!
//! z₁ = w + K₁ᵀ(τ₁ ⊙ w), ∇Φ = K₀ᵀ(τ₀ ⊙ z₁) + AᵀA·s + b,
//! tr ∇ₓ²Φ = Σᵢ ρ₀ᵢ·z₁ᵢ·κᵢ + Σᵢ ρ₁ᵢ·wᵢ·νᵢ + tr (AᵀA)ₓ, κᵢ = Σⱼ K₀ᵢⱼ², νᵢ = Σⱼ Mᵢⱼ², M = K₁·diag(τ₀)·K₀, j over the d coordinates of x.
//!
//! M is the Jacobian of p₁ in x, and linear in τ₀: one product with the matrix of all K₁ᵢₖ·K₀ₖⱼ, [m, d·m], gives it.
//!
//! Source: Onken et al., arXiv 2006.00104, section 3 and appendix E. The trace costs d products with K₁, as they say.
#![allow(
    clippy::indexing_slicing,
    reason = "the buffers are sized together in `fit` from the same potential"
)]

use super::potential::Weights;
use crate::matrix::{Buffer, Finish, Multiply};
use crate::real::Real;
use simd::{Instructions, Vectorised};

/// What an evaluation of a block leaves, [n, m] where nothing else is said.
#[derive(Debug)]
pub(super) struct Tape<T> {
    pub(super) rows: usize,
    /// s = (x, t), [n, d+1].
    pub(super) inputs: Buffer<T>,
    pub(super) u0: Buffer<T>,
    pub(super) tau0: Buffer<T>,
    pub(super) tau1: Buffer<T>,
    /// τ₁ ⊙ w.
    pub(super) weighted: Buffer<T>,
    pub(super) z1: Buffer<T>,
    /// τ₀ ⊙ z₁.
    pub(super) y: Buffer<T>,
    /// ∇Φ, [n, d+1].
    pub(super) gradient: Buffer<T>,
    /// (w ⊙ ρ₁) ⊙ M, [n, d, m].
    pub(super) jacobian: Buffer<T>,
    /// ν.
    pub(super) nu: Buffer<T>,
    /// tr ∇ₓ²Φ, \[n\].
    pub(super) trace: Buffer<T>,
    scratch: Buffer<T>,
}

impl<T: Real> Default for Tape<T> {
    fn default() -> Self {
        let [inputs, u0, tau0, tau1, weighted, z1, y] = std::array::from_fn(|_| Buffer::new());
        let [gradient, jacobian, nu, trace, scratch] = std::array::from_fn(|_| Buffer::new());
        Self { rows: 0, inputs, u0, tau0, tau1, weighted, z1, y, gradient, jacobian, nu, trace, scratch }
    }
}

impl<T: Real> Tape<T> {
    /// Takes the rows of `x` at one time.
    pub(super) fn take(&mut self, weights: &Weights<T>, x: &[T], time: T) {
        let dim = weights.potential.dim();
        self.rows = x.len() / dim;
        self.inputs.resize(self.rows * (dim + 1), T::zero());
        for (s, x) in self.inputs.chunks_exact_mut(dim + 1).zip(x.chunks_exact(dim)) {
            s[..dim].copy_from_slice(x);
            s[dim] = time;
        }
    }

    /// Evaluates ∇Φ at the rows that were taken.
    pub(super) fn slopes(&mut self, weights: &Weights<T>) {
        simd::run(Slopes { weights, tape: self });
    }

    /// Evaluates tr ∇ₓ²Φ there, after [`Tape::slopes`].
    pub(super) fn traces(&mut self, weights: &Weights<T>) {
        simd::run(Traces { weights, tape: self });
    }
}

/// u₀ = σ(p₀) in the place of the products, and τ₀.
struct Open<'a, T> {
    bias: &'a [T],
    tau: &'a mut [T],
}

impl<T: Real> Finish<T> for Open<'_, T> {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [T]) {
        let taus = self.tau[start..][..rows.len()].chunks_exact_mut(self.bias.len());
        for (row, taus) in rows.chunks_exact_mut(self.bias.len()).zip(taus) {
            for ((p, tau), &bias) in row.iter_mut().zip(taus).zip(self.bias) {
                (*p, *tau) = log_2_cosh_and_tanh(*p + bias);
            }
        }
    }
}

/// log(2 cosh p) = |p| + log(1 + e^{−2|p|}) and tanh p = ±(1 − e^{−2|p|})/(1 + e^{−2|p|}), of one exponential.
#[inline(always)]
pub(super) fn log_2_cosh_and_tanh<T: Real>(p: T) -> (T, T) {
    let size = p.abs();
    let e = (-(size + size)).vector_exp();
    let tanh = (T::one() - e) / (T::one() + e);
    (size + e.vector_ln_1p(), if p < T::zero() { -tanh } else { tanh })
}

/// τ₁ in the place of the products, and τ₁ ⊙ w.
struct Weigh<'a, T> {
    bias: &'a [T],
    outer: &'a [T],
    weighted: &'a mut [T],
}

impl<T: Real> Finish<T> for Weigh<'_, T> {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [T]) {
        let weighted = self.weighted[start..][..rows.len()].chunks_exact_mut(self.bias.len());
        for (row, weighted) in rows.chunks_exact_mut(self.bias.len()).zip(weighted) {
            for (((p, out), &bias), &w) in row.iter_mut().zip(weighted).zip(self.bias).zip(self.outer) {
                *p = (*p + bias).vector_tanh();
                *out = *p * w;
            }
        }
    }
}

/// z₁ in the place of the products, and y = τ₀ ⊙ z₁.
struct Descend<'a, T> {
    outer: &'a [T],
    tau0: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Finish<T> for Descend<'_, T> {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [T]) {
        let m = self.outer.len();
        let taus = self.tau0[start..][..rows.len()].chunks_exact(m);
        let ys = self.y[start..][..rows.len()].chunks_exact_mut(m);
        for ((row, taus), ys) in rows.chunks_exact_mut(m).zip(taus).zip(ys) {
            for (((z, &tau), y), &w) in row.iter_mut().zip(taus).zip(ys).zip(self.outer) {
                *z += w;
                *y = tau * *z;
            }
        }
    }
}

/// Adds other rows, and one row to each.
pub(super) struct Add<'a, T> {
    pub(super) others: &'a [T],
    pub(super) common: &'a [T],
}

impl<T: Real> Finish<T> for Add<'_, T> {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [T]) {
        let columns = self.common.len();
        let others = self.others[start..][..rows.len()].chunks_exact(columns);
        for (row, others) in rows.chunks_exact_mut(columns).zip(others) {
            for ((sum, &other), &common) in row.iter_mut().zip(others).zip(self.common) {
                *sum += other + common;
            }
        }
    }
}

struct Slopes<'a, T> {
    weights: &'a Weights<T>,
    tape: &'a mut Tape<T>,
}

impl<T: Real> Vectorised for Slopes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { weights, tape } = self;
        let (m, inputs) = (weights.potential.width(), weights.potential.inputs());
        let size = tape.rows * m;
        for buffer in
            [&mut tape.u0, &mut tape.tau0, &mut tape.tau1, &mut tape.weighted, &mut tape.z1, &mut tape.y]
        {
            buffer.resize(size, T::zero());
        }
        tape.gradient.resize(tape.rows * inputs, T::zero());
        tape.scratch.resize(tape.rows * inputs, T::zero());
        let (parameters, outer) = (&weights.parameters, weights.outer());
        let finish = Open { bias: &parameters[weights.layout.opening_bias.clone()], tau: &mut tape.tau0 };
        let (a, b) = ((&*tape.inputs, inputs), &weights.from_inputs);
        instructions.run(Multiply { out: (&mut tape.u0, m), a, b, finish });
        let bias = &parameters[weights.layout.hidden_bias.clone()];
        let finish = Weigh { bias, outer, weighted: &mut tape.weighted };
        instructions.run(Multiply { out: (&mut tape.tau1, m), a: (&tape.u0, m), b: &weights.up, finish });
        let finish = Descend { outer, tau0: &tape.tau0, y: &mut tape.y };
        instructions.run(Multiply {
            out: (&mut tape.z1, m),
            a: (&tape.weighted, m),
            b: &weights.down,
            finish,
        });
        let (out, b) = ((&mut *tape.scratch, inputs), &weights.quadratic);
        instructions.run(Multiply { out, a: (&*tape.inputs, inputs), b, finish: () });
        let finish = Add { others: &tape.scratch, common: weights.linear() };
        let out = (&mut *tape.gradient, inputs);
        instructions.run(Multiply { out, a: (&tape.y, m), b: &weights.to_inputs, finish });
    }
}

/// ν of M, and (w ⊙ ρ₁) ⊙ M in its place.
struct Bend<'a, T> {
    dim: usize,
    outer: &'a [T],
    tau1: &'a [T],
    nu: &'a mut [T],
}

impl<T: Real> Finish<T> for Bend<'_, T> {
    #[inline(always)]
    fn finish(&mut self, start: usize, rows: &mut [T]) {
        let m = self.outer.len();
        let units = start / self.dim..(start + rows.len()) / self.dim;
        let of_tape = self.tau1[units.clone()].chunks_exact(m).zip(self.nu[units].chunks_exact_mut(m));
        for (jacobian, (taus, nus)) in rows.chunks_exact_mut(self.dim * m).zip(of_tape) {
            nus.fill(T::zero());
            for column in jacobian.chunks_exact_mut(m) {
                for (((entry, nu), &tau), &w) in column.iter_mut().zip(&mut *nus).zip(taus).zip(self.outer) {
                    *nu = entry.mul_add(*entry, *nu);
                    *entry *= w * curvature(tau);
                }
            }
        }
    }
}

struct Traces<'a, T> {
    weights: &'a Weights<T>,
    tape: &'a mut Tape<T>,
}

impl<T: Real> Vectorised for Traces<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, instructions: I) {
        let Self { weights, tape } = self;
        let (m, dim) = (weights.potential.width(), weights.potential.dim());
        let size = tape.rows * m;
        tape.jacobian.resize(dim * size, T::zero());
        tape.nu.resize(size, T::zero());
        tape.trace.resize(tape.rows, T::zero());
        let finish = Bend { dim, outer: weights.outer(), tau1: &tape.tau1, nu: &mut tape.nu };
        let (out, a) = ((&mut *tape.jacobian, dim * m), (&*tape.tau0, m));
        instructions.run(Multiply { out, a, b: &weights.to_jacobian, finish });
        let units = tape.tau0.chunks_exact(m).zip(tape.tau1.chunks_exact(m));
        let rest = tape.z1.chunks_exact(m).zip(tape.nu.chunks_exact(m));
        for ((trace, (tau0, tau1)), (z1, nu)) in tape.trace.iter_mut().zip(units).zip(rest) {
            let opening = tau0.iter().zip(z1).zip(&weights.squares);
            let opening: T = opening.map(|((&tau, &z), &square)| curvature(tau) * z * square).sum();
            let hidden = tau1.iter().zip(nu).zip(weights.outer());
            let hidden: T = hidden.map(|((&tau, &nu), &w)| curvature(tau) * nu * w).sum();
            *trace = opening + hidden + weights.quadratic_trace;
        }
    }
}

/// σ″ = 1 − τ².
#[inline(always)]
pub(super) fn curvature<T: Real>(tau: T) -> T {
    (-tau).mul_add(tau, T::one())
}
