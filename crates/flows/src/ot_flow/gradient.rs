//! The objective of the flow and its gradient: the adjoint of the Runge–Kutta steps.
//!
//! The way there keeps only where each stage was evaluated. On the way back each is evaluated again, with its trace, and
//! handed its cotangents at once, so that one tape serves all. With βⱼ = ∂ℓ/∂kⱼ = h·bⱼ·a′ + h·c_{j+1}·x̄_{j+1} for a′ = ∂ℓ/∂x′, and
//! x̄ⱼ what stage j hands back, a = a′ + Σ x̄ⱼ.
#![allow(clippy::indexing_slicing, reason = "buffers are cut to rows of checked lengths")]

use super::OtFlow;
use super::evaluate::Tape;
use super::flow::{add_velocity, log_two_pi};
use super::potential::Weights;
use super::pull_back::{Scratch, Sums};
use super::runge_kutta::{BLOCK, OFFSETS, STAGES, WEIGHTS};
use crate::FlowError;
use crate::error::{expect_length, expect_rows};
use crate::integrate::step_count;
use crate::real::Real;
use metrics::Metric;
use rayon::prelude::*;

/// The parts of the objective on a minibatch, each without its weight.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OtFlowValue {
    /// The weighted sum that was differentiated.
    pub total: f64,
    /// ∫E ½‖v‖² dt.
    pub kinetic_energy: f64,
    /// −E log p(x).
    pub negative_log_likelihood: f64,
    /// ∫E |∂ₜΦ − ‖∇Φ‖²/(2λ)| dt.
    pub hamilton_jacobi: f64,
}

impl OtFlowValue {
    /// What a record of the training holds, by name.
    pub fn named(&self) -> [(&'static Metric, f64); 3] {
        [
            (metrics::FLOW_OBJECTIVE, self.total),
            (metrics::NEGATIVE_LOG_LIKELIHOOD, self.negative_log_likelihood),
            (metrics::BATCH_KINETIC_ENERGY, self.kinetic_energy),
        ]
    }
}

/// Buffers of the gradient, reused from call to call: one for each block of points.
#[derive(Debug)]
pub struct Workspace<T> {
    blocks: Vec<Block<T>>,
}

impl<T> Default for Workspace<T> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<T: Real> Workspace<T> {
    /// Writes the gradient of the objective on the points `x`, [n, d], in `steps` steps.
    ///
    /// Blocks of 64 points go to threads, and their results are added in order. Complexity: 4·`steps` times 3·d + 8 products
    /// of m × m a point.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for a buffer that does not fit, [`FlowError::Specification`] for no steps.
    pub fn gradient(
        &mut self,
        flow: &OtFlow,
        parameters: &[T],
        x: &[T],
        steps: usize,
        gradient: &mut [T],
    ) -> Result<OtFlowValue, FlowError> {
        let weights = Weights::new(flow.potential, parameters)?;
        let dim = flow.potential.dim();
        let points = expect_rows("the points", x.len(), dim)?;
        expect_length("the gradient of the flow", gradient.len(), parameters.len())?;
        let path = Path { flow, weights: &weights, steps, h: flow.horizon / step_count(steps)?, points };
        self.blocks.resize_with(points.div_ceil(BLOCK), || Block::new(&weights));
        let blocks = self.blocks.par_iter_mut().zip(x.par_chunks(BLOCK * dim));
        blocks.for_each(|(block, x)| block.run(path, x));
        let (mut sums, mut value) = (Sums::new(&weights), OtFlowValue::default());
        for block in &self.blocks {
            sums.add(&block.sums);
            value.kinetic_energy += block.value.kinetic_energy;
            value.negative_log_likelihood += block.value.negative_log_likelihood;
            value.hamilton_jacobi += block.value.hamilton_jacobi;
        }
        gradient.fill(T::zero());
        sums.add_to(&weights, gradient);
        value.total = flow.lambda * value.kinetic_energy
            + flow.likelihood * value.negative_log_likelihood
            + flow.hamilton_jacobi * value.hamilton_jacobi;
        Ok(value)
    }
}

/// What all blocks share.
#[derive(Debug, Clone, Copy)]
struct Path<'a, T> {
    flow: &'a OtFlow,
    weights: &'a Weights<T>,
    steps: usize,
    h: f64,
    /// Points of the whole minibatch.
    points: usize,
}

/// Some points of the minibatch.
#[derive(Debug)]
struct Block<T> {
    tape: Tape<T>,
    scratch: Scratch<T>,
    sums: Sums<T>,
    value: OtFlowValue,
    /// Where each stage is evaluated, [steps, stages, n, d].
    stages: Vec<T>,
    x: Vec<T>,
    /// a.
    adjoint: Vec<T>,
    /// Σ x̄ⱼ of a step.
    handed: Vec<T>,
    /// The cotangents of ∇Φ.
    gamma: Vec<T>,
}

impl<T: Real> Block<T> {
    fn new(weights: &Weights<T>) -> Self {
        Self {
            tape: Tape::default(),
            scratch: Scratch::default(),
            sums: Sums::new(weights),
            value: OtFlowValue::default(),
            stages: Vec::new(),
            x: Vec::new(),
            adjoint: Vec::new(),
            handed: Vec::new(),
            gamma: Vec::new(),
        }
    }

    fn run(&mut self, path: Path<'_, T>, x: &[T]) {
        self.sums = Sums::new(path.weights);
        self.value = OtFlowValue::default();
        self.forward(path, x);
        self.end(path);
        for step in (0..path.steps).rev() {
            self.back(path, step);
        }
    }

    /// Follows the paths to their ends, which are left in `x`.
    fn forward(&mut self, Path { flow, weights, steps, h, .. }: Path<'_, T>, x: &[T]) {
        let dim = flow.potential.dim();
        self.x.clear();
        self.x.extend_from_slice(x);
        self.stages.clear();
        for i in 0..steps {
            let start = self.stages.len();
            self.stages.extend_from_slice(&self.x);
            for j in 0..STAGES {
                let from = start + j * x.len();
                self.tape.take(weights, &self.stages[from..][..x.len()], T::of((i as f64 + OFFSETS[j]) * h));
                self.tape.slopes(weights);
                let rate = T::of(-h * WEIGHTS[j] / flow.lambda);
                add_velocity(&mut self.x, rate, &self.tape.gradient, dim);
                if let Some(offset) = OFFSETS.get(j + 1) {
                    self.stages.extend_from_within(start..start + x.len());
                    let stage = &mut self.stages[from + x.len()..];
                    add_velocity(stage, T::of(-h * offset / flow.lambda), &self.tape.gradient, dim);
                }
            }
        }
    }

    /// The part of the likelihood at the ends, and a = c·z/n there.
    fn end(&mut self, Path { flow, points, .. }: Path<'_, T>) {
        let per_point = 1.0 / points as f64;
        let squares: f64 = self.x.iter().map(|z| log_two_pi::<f64>() + z.wide() * z.wide()).sum();
        self.value.negative_log_likelihood += 0.5 * per_point * squares;
        self.adjoint.clear();
        self.adjoint.extend(self.x.iter().map(|&z| T::of(flow.likelihood * per_point) * z));
    }

    /// One step back: a′ becomes a.
    fn back(&mut self, path: Path<'_, T>, step: usize) {
        let (weights, size) = (path.weights, self.x.len());
        let dim = path.flow.potential.dim();
        self.handed.clear();
        self.handed.resize(size, T::zero());
        for j in (0..STAGES).rev() {
            let stage = &self.stages[(step * STAGES + j) * size..][..size];
            self.tape.take(weights, stage, T::of((step as f64 + OFFSETS[j]) * path.h));
            self.tape.slopes(weights);
            self.tape.traces(weights);
            self.cotangents(path, j);
            let theta = T::of(self.share(path, j) * path.flow.likelihood / path.flow.lambda);
            self.sums.pull_back(weights, &self.tape, (&self.gamma, theta), &mut self.scratch);
            for (handed, s) in
                self.handed.chunks_exact_mut(dim).zip(self.scratch.inputs().chunks_exact(dim + 1))
            {
                handed.iter_mut().zip(s).for_each(|(sum, &part)| *sum += part);
            }
        }
        self.adjoint.iter_mut().zip(&self.handed).for_each(|(a, &part)| *a += part);
    }

    /// h·bⱼ of one point.
    fn share(&self, path: Path<'_, T>, j: usize) -> f64 {
        path.h * WEIGHTS[j] / path.points as f64
    }

    /// Adds the running costs of stage j, and leaves the cotangents of its ∇Φ in `gamma`.
    fn cotangents(&mut self, path: Path<'_, T>, j: usize) {
        let (flow, dim, share) = (path.flow, path.flow.potential.dim(), self.share(path, j));
        let later = OFFSETS.get(j + 1).map(|offset| T::of(path.h * offset));
        let weight = T::of(path.h * WEIGHTS[j]);
        let rate = T::of(-1.0 / flow.lambda);
        self.gamma.clear();
        let handed = self.scratch.inputs().chunks_exact(dim + 1);
        // Stage 4 hands its own x̄ to no later one.
        let mut handed = later.map(|later| (later, handed));
        let rows = self.tape.gradient.chunks_exact(dim + 1).zip(self.adjoint.chunks_exact(dim));
        for ((gradient, adjoint), &trace) in rows.zip(&*self.tape.trace) {
            let (slope, time) = (&gradient[..dim], gradient[dim]);
            let energy = slope.iter().map(|g| g.wide() * g.wide()).sum::<f64>() / (2.0 * flow.lambda);
            let residual = time.wide() - energy;
            self.value.kinetic_energy += share * energy / flow.lambda;
            self.value.hamilton_jacobi += share * residual.abs();
            self.value.negative_log_likelihood += share * trace.wide() / flow.lambda;
            let of_residual = share * flow.hamilton_jacobi * if residual < 0.0 { -1.0 } else { 1.0 };
            let of_slope = T::of((share - of_residual) / flow.lambda);
            let next = handed.as_mut().and_then(|(later, rows)| Some((*later, rows.next()?)));
            for (k, (&slope, &adjoint)) in slope.iter().zip(adjoint).enumerate() {
                let beta = weight * adjoint + next.map_or(T::zero(), |(later, row)| later * row[k]);
                self.gamma.push(of_slope.mul_add(slope, rate * beta));
            }
            self.gamma.push(T::of(of_residual));
        }
    }
}
