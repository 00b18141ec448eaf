//! The flow with its parameters: points to normal ones with their log-determinants, and back.
#![allow(clippy::indexing_slicing, reason = "buffers are cut to rows of checked lengths")]

use super::evaluate::Tape;
use super::potential::Weights;
use super::runge_kutta::{BLOCK, OFFSETS, STAGES, WEIGHTS};
use super::{OtFlowDescription, ResidualPotential};
use crate::FlowError;
use crate::error::{array2, expect_columns, flat, positive};
use crate::integrate::{Scheme, VelocityField, integrate, step_count};
use crate::real::Real;
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

/// The shape of a flow and what it minimises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OtFlow {
    /// Φ.
    pub potential: ResidualPotential,
    /// T.
    pub horizon: f64,
    /// λ of v = −∇Φ/λ, the weight of the kinetic energy.
    pub lambda: f64,
    /// c, the weight of the likelihood.
    pub likelihood: f64,
    /// a, the weight of the Hamilton–Jacobi residual.
    pub hamilton_jacobi: f64,
}

/// Where data go, and how they are stretched on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalised<T> {
    /// z = f(x), [n, d].
    pub ends: Array2<T>,
    /// log |det ∂f/∂x|, \[n\].
    pub log_determinants: Vec<T>,
}

impl OtFlow {
    /// The flow of a description on R^`dim` up to time `horizon`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for values outside their domains.
    pub fn new(description: &OtFlowDescription, horizon: f64, dim: usize) -> Result<Self, FlowError> {
        description.validate()?;
        positive("horizon", horizon)?;
        Ok(Self {
            potential: ResidualPotential::new(dim, description.width, description.rank.min(dim + 1))?,
            horizon,
            lambda: description.kinetic,
            likelihood: description.likelihood,
            hamilton_jacobi: description.hamilton_jacobi,
        })
    }

    /// f(x) and log |det ∂f/∂x| of the rows of `x`, [n, d], in `steps` steps with the exact trace.
    ///
    /// Complexity: 4·`steps` evaluations of ∇Φ and of the trace a point, d + 2 products with K₁ each.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points or parameters that do not fit, [`FlowError::Specification`] for no steps.
    pub fn normalise<T: Real>(
        &self,
        parameters: &[T],
        x: ArrayView2<'_, T>,
        steps: usize,
    ) -> Result<Normalised<T>, FlowError> {
        let (weights, dim) = (Weights::new(self.potential, parameters)?, self.potential.dim());
        expect_columns("the points", x, dim)?;
        let h = self.horizon / step_count(steps)?;
        let mut ends = flat(x).into_owned();
        let mut log_determinants = vec![T::zero(); x.nrows()];
        let (mut tape, mut stage, mut sum) = (Tape::default(), Vec::new(), Vec::new());
        for (x, logs) in ends.chunks_mut(BLOCK * dim).zip(log_determinants.chunks_mut(BLOCK)) {
            for i in 0..steps {
                stage.clear();
                stage.extend_from_slice(x);
                sum.clear();
                sum.extend_from_slice(x);
                for j in 0..STAGES {
                    tape.take(&weights, &stage, T::of((i as f64 + OFFSETS[j]) * h));
                    tape.slopes(&weights);
                    tape.traces(&weights);
                    let rate = T::of(-h * WEIGHTS[j] / self.lambda);
                    add_velocity(&mut sum, rate, &tape.gradient, dim);
                    for (log, &trace) in logs.iter_mut().zip(&*tape.trace) {
                        *log += rate * trace;
                    }
                    if let Some(offset) = OFFSETS.get(j + 1) {
                        stage.copy_from_slice(x);
                        add_velocity(&mut stage, T::of(-h * offset / self.lambda), &tape.gradient, dim);
                    }
                }
                x.copy_from_slice(&sum);
            }
        }
        Ok(Normalised { ends: array2("the points", ends, dim)?, log_determinants })
    }

    /// log p(x) = log N(f(x); 0, I) + log |det ∂f/∂x| of the rows of `x`, [n, d].
    ///
    /// # Errors
    /// As [`OtFlow::normalise`].
    pub fn log_density<T: Real>(
        &self,
        parameters: &[T],
        x: ArrayView2<'_, T>,
        steps: usize,
    ) -> Result<Vec<T>, FlowError> {
        let Normalised { ends, log_determinants } = self.normalise(parameters, x, steps)?;
        let logs = ends.rows().into_iter().zip(log_determinants);
        Ok(logs
            .map(|(z, log)| log - T::of(0.5) * z.iter().map(|&z| log_two_pi::<T>() + z * z).sum::<T>())
            .collect())
    }

    /// Where the rows of `z`, [n, d], come from: the same flow from the horizon back to 0 in `steps` steps.
    ///
    /// It inverts f up to the error of the steps.
    ///
    /// # Errors
    /// As [`OtFlow::normalise`].
    pub fn generate<T: Real>(
        &self,
        parameters: &[T],
        z: ArrayView2<'_, T>,
        steps: usize,
    ) -> Result<Array2<T>, FlowError> {
        let mut field = self.field(parameters)?;
        let mut x = z.to_owned();
        integrate(&mut field, Scheme::Rk4, T::of(self.horizon), steps, x.view_mut(), |_, _, _| {})?;
        Ok(x)
    }

    /// The velocity from normal points to data, and the potential that it belongs to.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for parameters that do not fit.
    pub fn field<T: Real>(&self, parameters: &[T]) -> Result<OtField<T>, FlowError> {
        let weights = Weights::new(self.potential, parameters)?;
        Ok(OtField { weights, horizon: self.horizon, lambda: self.lambda, tape: Tape::default() })
    }
}

/// The flow in the direction of its samples: with t′ = T − t and U(x, t′) = −Φ(x, T − t′), dx/dt′ = −∇U/λ, and U solves the
/// Hamilton–Jacobi equation where Φ does.
#[derive(Debug)]
pub struct OtField<T> {
    weights: Weights<T>,
    horizon: f64,
    lambda: f64,
    tape: Tape<T>,
}

impl<T: Real> OtField<T> {
    /// (∇U, ∂ₜU) at the rows of `x`, [n, d], and one time t′: [n, d] and \[n\].
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn derivatives(&mut self, x: ArrayView2<'_, T>, t: T) -> Result<(Array2<T>, Vec<T>), FlowError> {
        let dim = self.weights.potential.dim();
        expect_columns("the points", x, dim)?;
        let (mut slopes, mut rates) = (Vec::with_capacity(x.len()), Vec::with_capacity(x.nrows()));
        for x in flat(x).chunks(BLOCK * dim) {
            self.tape.take(&self.weights, x, T::of(self.horizon) - t);
            self.tape.slopes(&self.weights);
            for gradient in self.tape.gradient.chunks_exact(dim + 1) {
                slopes.extend(gradient[..dim].iter().map(|&slope| -slope));
                rates.push(gradient[dim]);
            }
        }
        Ok((array2("the points", slopes, dim)?, rates))
    }
}

impl<T: Real> OtField<T> {
    /// U at the rows of `x`, [n, d], and one time t′, up to one constant: \[n\].
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn potential(&self, x: ArrayView2<'_, T>, t: T) -> Result<Vec<T>, FlowError> {
        let dim = self.weights.potential.dim();
        expect_columns("the points", x, dim)?;
        let mut s = vec![T::of(self.horizon) - t; dim + 1];
        let value = |x: &[T]| {
            s[..dim].copy_from_slice(x);
            -self.weights.value(&s)
        };
        Ok(flat(x).chunks_exact(dim).map(value).collect())
    }
}

impl<T: Real> VelocityField<T> for OtField<T> {
    fn velocity(&mut self, x: ArrayView2<'_, T>, t: T, mut v: ArrayViewMut2<'_, T>) -> Result<(), FlowError> {
        let rate = T::of(-1.0 / self.lambda);
        v.zip_mut_with(&self.derivatives(x, t)?.0, |v, &slope| *v = rate * slope);
        Ok(())
    }
}

/// x ← x + rate·∇ₓΦ.
pub(super) fn add_velocity<T: Real>(x: &mut [T], rate: T, gradient: &[T], dim: usize) {
    for (x, gradient) in x.chunks_exact_mut(dim).zip(gradient.chunks_exact(dim + 1)) {
        for (x, &slope) in x.iter_mut().zip(gradient) {
            *x += rate * slope;
        }
    }
}

/// log 2π.
pub(super) fn log_two_pi<T: Real>() -> T {
    T::of((2.0 * std::f64::consts::PI).ln())
}
