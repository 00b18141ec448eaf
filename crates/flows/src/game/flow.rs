//! The flow's objective and its gradient: the discrete adjoint of forward Euler.
//!
//! With x_{i+1} = x_i + h·v_i, v_i = −∇U_i/λ and a_i = ∂ℓ/∂x_i, the adjoint runs backwards from the terminal cost:
//! ∂ℓ/∂v_i = h·a_{i+1} + (local terms), a_i = a_{i+1} + (∂∇U_i/∂x)ᵀ·(−∂ℓ/∂v_i/λ) + (∂∂ₜU_i/∂x)ᵀ·∂ℓ/∂(∂ₜU_i).
#![allow(clippy::indexing_slicing, reason = "the trajectory's buffers are sized together in `simulate`")]

use super::{FlowValue, Game};
use crate::FlowError;
use crate::error::expect_length;
use crate::integrate::step_count;
use crate::mlp::{Cotangent, Order, Tape, Weights};
use crate::potential::PotentialJet;
use crate::real::Real;

/// Buffers of the flow's gradient, reused from call to call.
#[derive(Debug, Default)]
pub struct Workspace<T: Real> {
    weights: Weights<T>,
    critic_weights: Weights<T>,
    jets: Vec<PotentialJet<T>>,
    terminal_jet: PotentialJet<T>,
    critic: Tape<T>,
    critic_gradient: Vec<T>,
    x: Vec<T>,
    adjoint: Vec<T>,
    pulled: Vec<T>,
    d_gradient: Vec<T>,
    d_time: Vec<T>,
}

/// What a simulation leaves behind besides x_T.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Nothing,
    EveryJet,
}

impl<T: Real> Workspace<T> {
    /// x_T of `steps` Euler steps from `x0`.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit, [`FlowError::Specification`] for zero steps.
    pub fn push_forward(
        &mut self,
        game: &Game,
        parameters: &[T],
        x0: &[T],
        steps: usize,
    ) -> Result<Vec<T>, FlowError> {
        self.simulate(game, parameters, x0, steps, Keep::Nothing)?;
        Ok(self.x.clone())
    }

    /// Writes the gradient of the flow's objective with respect to the potential's parameters.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    pub fn gradient(
        &mut self,
        game: &Game,
        potential: &[T],
        critic: &[T],
        x0: &[T],
        steps: usize,
        gradient: &mut [T],
    ) -> Result<FlowValue, FlowError> {
        let objective = game.flow_objective;
        let dim = game.potential.dim();
        let batch = x0.len() / dim;
        let (lambda, h) = (objective.lambda, objective.horizon / step_count(steps)?);
        expect_length("the critic's input", game.critic.input(), dim)?;
        gradient.fill(T::zero());
        self.simulate(game, potential, x0, steps, Keep::EveryJet)?;
        let mut value = FlowValue::default();

        self.terminal_cost(game, critic, batch, gradient, &mut value)?;

        let per_point = 1.0 / batch as f64;
        let mean_velocity: Vec<T> =
            self.x.iter().zip(x0).map(|(&end, &start)| (end - start) / T::of(objective.horizon)).collect();
        let kinetic = if objective.kinetic { lambda } else { 0.0 };
        for i in (0..steps).rev() {
            let jet = &self.jets[i];
            self.d_gradient.clear();
            self.d_time.clear();
            let rows = jet.gradient().chunks_exact(dim).zip(jet.time_derivative());
            let ends = self.adjoint.chunks_exact(dim).zip(mean_velocity.chunks_exact(dim));
            for ((gradient_row, &time), (adjoint, mean)) in rows.zip(ends) {
                let energy =
                    gradient_row.iter().map(|g| g.wide() * g.wide()).sum::<f64>() / (2.0 * lambda * lambda);
                let residual = time.wide() / lambda - energy;
                value.kinetic_energy += h * per_point * energy;
                value.hamilton_jacobi += h / objective.horizon * per_point * residual * residual;
                let d_residual =
                    2.0 * objective.hamilton_jacobi * h / objective.horizon * per_point * residual;
                self.d_time.push(T::of(d_residual / lambda));
                for ((&g, &a), &mean) in gradient_row.iter().zip(adjoint).zip(mean) {
                    let v = -g.wide() / lambda;
                    let spread = v - mean.wide();
                    value.velocity_spread += h * per_point * spread * spread;
                    // The mean velocity is the average of the v_i, around which the spread is stationary: its own
                    // derivative drops out.
                    let d_velocity = h * a.wide()
                        + per_point * h * (kinetic * v + 2.0 * objective.velocity_spread * spread)
                        - d_residual * v;
                    self.d_gradient.push(T::of(-d_velocity / lambda));
                }
            }
            self.pulled.resize(batch * dim, T::zero());
            let cotangent = (self.d_gradient.as_slice(), self.d_time.as_slice());
            game.potential.pull_back(
                &self.weights,
                &mut self.jets[i],
                cotangent,
                gradient,
                &mut self.pulled,
            )?;
            for (a, &p) in self.adjoint.iter_mut().zip(&self.pulled) {
                *a += p;
            }
        }
        value.total = value.terminal
            + kinetic * value.kinetic_energy
            + objective.velocity_spread * value.velocity_spread
            + objective.hamilton_jacobi * value.hamilton_jacobi
            + objective.terminal_gradient * value.terminal_gradient;
        Ok(value)
    }

    /// Runs the flow; leaves x_T in `self.x` and the jets that are kept in `self.jets`.
    fn simulate(
        &mut self,
        game: &Game,
        potential: &[T],
        x0: &[T],
        steps: usize,
        keep: Keep,
    ) -> Result<(), FlowError> {
        let jets = if keep == Keep::EveryJet { steps } else { 1 };
        if self.jets.len() < jets {
            self.jets.resize_with(jets, PotentialJet::default);
        }
        let h = T::of(game.flow_objective.horizon / step_count(steps)?);
        let rate = h / T::of(game.flow_objective.lambda);
        self.weights.arrange(game.potential.net(), potential)?;
        self.x.clear();
        self.x.extend_from_slice(x0);
        for i in 0..steps {
            let jet = &mut self.jets[i % jets];
            game.potential.evaluate(&self.weights, &self.x, T::of(i as f64) * h, jet)?;
            for (x, &g) in self.x.iter_mut().zip(jet.gradient()) {
                *x -= rate * g;
            }
        }
        Ok(())
    }

    /// E φ(x_T) and the terminal penalty; leaves ∂ℓ/∂x_T in `self.adjoint`.
    fn terminal_cost(
        &mut self,
        game: &Game,
        critic: &[T],
        batch: usize,
        gradient: &mut [T],
        value: &mut FlowValue,
    ) -> Result<(), FlowError> {
        let objective = game.flow_objective;
        let per_point = T::of(1.0 / batch as f64);
        self.critic_weights.arrange(&game.critic, critic)?;
        game.critic.evaluate(&self.critic_weights, &self.x, Order::Jet, &mut self.critic)?;
        value.terminal = self.critic.value().iter().map(|v| v.wide()).sum::<f64>() / batch as f64;
        self.adjoint.clear();
        self.adjoint.extend(self.critic.gradient().iter().map(|&g| per_point * g));
        if objective.terminal_gradient == 0.0 {
            return Ok(());
        }
        let horizon = T::of(objective.horizon);
        game.potential.evaluate(&self.weights, &self.x, horizon, &mut self.terminal_jet)?;
        let scale = 1.0 / (objective.lambda * objective.lambda * batch as f64);
        let gap: Vec<T> =
            self.terminal_jet.gradient().iter().zip(self.critic.gradient()).map(|(&u, &p)| u - p).collect();
        value.terminal_gradient = scale * gap.iter().map(|g| g.wide() * g.wide()).sum::<f64>();
        let factor = T::of(2.0 * objective.terminal_gradient * scale);
        self.d_gradient.clear();
        self.d_gradient.extend(gap.iter().map(|&g| factor * g));
        self.d_time.clear();
        self.d_time.resize(batch, T::zero());
        self.pulled.resize(gap.len(), T::zero());
        let cotangent = (self.d_gradient.as_slice(), self.d_time.as_slice());
        game.potential.pull_back(
            &self.weights,
            &mut self.terminal_jet,
            cotangent,
            gradient,
            &mut self.pulled,
        )?;
        for (a, &p) in self.adjoint.iter_mut().zip(&self.pulled) {
            *a += p;
        }
        // ∇φ moves with x_T too; the critic's own parameters are the other player's.
        self.critic_gradient.resize(game.critic.parameter_count(), T::zero());
        for d in &mut self.d_gradient {
            *d = -*d;
        }
        let cotangent = Cotangent { value: &self.d_time, gradient: Some(&self.d_gradient), common: None };
        let discarded = &mut self.critic_gradient;
        game.critic.pull_back(
            &self.critic_weights,
            &mut self.critic,
            cotangent,
            discarded,
            Some(&mut self.pulled),
        )?;
        for (a, &p) in self.adjoint.iter_mut().zip(&self.pulled) {
            *a += p;
        }
        Ok(())
    }
}
