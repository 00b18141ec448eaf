//! The flow's objective and its gradient: the discrete adjoint of the Euler–Maruyama rule.
//!
//! With x_{i+1} = x_i + h·v_i + σ√h·ξ_i, v_i = −∇U_i/λ and a_i = ∂ℓ/∂x_i, the adjoint runs backwards from the terminal
//! cost: ∂ℓ/∂v_i = h·a_{i+1} + (local terms), a_i = a_{i+1} + (∂∇U_i/∂x)ᵀ·(−∂ℓ/∂v_i/λ) + (∂∂ₜU_i/∂x)ᵀ·∂ℓ/∂(∂ₜU_i) +
//! h·∂I/∂x_i.
#![allow(clippy::indexing_slicing, reason = "the trajectory's buffers are sized together in `simulate`")]

use super::jet::{Arranged, Jet, Scratch};
use super::{Flow, FlowValue, Paths};
use crate::FlowError;
use crate::error::{expect_length, expect_rows};
use crate::game::{Game, Networks};
use crate::integrate::step_count;
use crate::mlp::Order;
use crate::network::Network;
use crate::real::Real;
use crate::scalar_field::{Evaluation, ScalarField};

/// Buffers of the flow's gradient, reused from call to call.
#[derive(Debug)]
pub struct Workspace<T: Real, N: ScalarField = Network> {
    weights: Arranged<T, N>,
    jets: Vec<Jet<T, N>>,
    terminal_jet: Jet<T, N>,
    critic: N::Tape<T>,
    /// xᵢ of each step, where it is kept.
    positions: Vec<Vec<T>>,
    /// What ∂ℓ/∂xᵢ holds beside what the path hands back.
    forces: Vec<Vec<T>>,
    scratch: Scratch<T>,
    discarded: Vec<T>,
    x: Vec<T>,
    adjoint: Vec<T>,
    pulled: Vec<T>,
    d_gradient: Vec<T>,
    d_time: Vec<T>,
    /// ∂ℓ/∂(∇φ(x_T)).
    d_slope: Vec<T>,
}

/// What a simulation leaves behind besides x_T.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Nothing,
    EveryJet,
}

impl<T: Real, N: ScalarField> Default for Workspace<T, N> {
    fn default() -> Self {
        Self {
            weights: Arranged::default(),
            jets: Vec::new(),
            terminal_jet: Jet::default(),
            critic: N::Tape::default(),
            positions: Vec::new(),
            forces: Vec::new(),
            scratch: Scratch::default(),
            discarded: Vec::new(),
            x: Vec::new(),
            adjoint: Vec::new(),
            pulled: Vec::new(),
            d_gradient: Vec::new(),
            d_time: Vec::new(),
            d_slope: Vec::new(),
        }
    }
}

impl<T: Real, N: ScalarField> Workspace<T, N> {
    /// x_T of the given paths.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit, [`FlowError::Specification`] for zero steps.
    pub fn push_forward(
        &mut self,
        game: &Game<N>,
        networks: Networks<'_, T>,
        paths: Paths<'_, T>,
    ) -> Result<Vec<T>, FlowError> {
        self.simulate(game, networks, paths, Keep::Nothing)?;
        Ok(self.x.clone())
    }

    /// Writes the gradient of the flow's objective with respect to the parameters of the flow's network.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    pub fn gradient(
        &mut self,
        game: &Game<N>,
        networks: Networks<'_, T>,
        paths: Paths<'_, T>,
        gradient: &mut [T],
    ) -> Result<FlowValue, FlowError> {
        let objective = game.objective;
        let dim = game.flow.dim();
        let (batch, steps) = (expect_rows("the batch of positions", paths.start.len(), dim)?, paths.steps);
        let (lambda, h) = (objective.lambda, objective.horizon / step_count(steps)?);
        expect_length("the critic's input", game.critic.dim(), dim)?;
        expect_length("the gradient of the flow", gradient.len(), game.flow.parameter_count())?;
        gradient.fill(T::zero());
        let mut value = FlowValue {
            interaction: self.simulate(game, networks, paths, Keep::EveryJet)?,
            ..Default::default()
        };

        self.terminal_cost(game, batch, gradient, &mut value)?;
        add(&mut self.adjoint, &self.forces[steps]);

        let per_point = 1.0 / batch as f64;
        let mean_velocity = self.mean_velocity(steps, batch * dim, lambda);
        let (kinetic, sign) = (objective.kinetic_weight(), objective.hamilton_jacobi_sign);
        let is_potential = !matches!(game.flow, Flow::Velocity(_));
        for i in (0..steps).rev() {
            let jet = &self.jets[i];
            self.d_gradient.clear();
            self.d_time.clear();
            let rows = jet.gradient().chunks_exact(dim).zip(jet.time_derivative());
            let ends = self.adjoint.chunks_exact(dim).zip(mean_velocity.chunks_exact(dim));
            for ((gradient_row, &time), (adjoint, mean)) in rows.zip(ends) {
                let energy =
                    gradient_row.iter().map(|g| g.wide() * g.wide()).sum::<f64>() / (2.0 * lambda * lambda);
                // Without a potential there is no equation.
                let residual = if is_potential { sign.residual(time.wide() / lambda, energy) } else { 0.0 };
                value.kinetic_energy += h * per_point * energy;
                value.hamilton_jacobi += h / objective.horizon * per_point * residual * residual;
                let d_residual =
                    2.0 * objective.hamilton_jacobi * h / objective.horizon * per_point * residual;
                self.d_time.push(T::of(d_residual / lambda));
                for ((&g, &a), &mean) in gradient_row.iter().zip(adjoint).zip(mean) {
                    let v = -g.wide() / lambda;
                    let spread = v - mean;
                    value.velocity_spread += h * per_point * spread * spread;
                    // The mean velocity is the average of the v_i, around which the spread is stationary: its own
                    // derivative drops out.
                    let d_velocity = h * a.wide()
                        + per_point * h * (kinetic * v + 2.0 * objective.velocity_spread * spread)
                        + sign.of_energy() * d_residual * v;
                    self.d_gradient.push(T::of(-d_velocity / lambda));
                }
            }
            self.pulled.resize(batch * dim, T::zero());
            let cotangent = (self.d_gradient.as_slice(), self.d_time.as_slice());
            let (jet, scratch, pulled) = (&mut self.jets[i], &mut self.scratch, &mut self.pulled);
            game.pull_back(&self.weights, jet, cotangent, scratch, gradient, pulled)?;
            add(&mut self.adjoint, &self.pulled);
            add(&mut self.adjoint, &self.forces[i]);
        }
        Ok(FlowValue::of_terms(value.terms(), &objective))
    }

    /// Runs the flow; leaves x_T in `self.x` and the jets that are kept in `self.jets`. Returns ∫ I dt by the
    /// trapezoidal rule.
    fn simulate(
        &mut self,
        game: &Game<N>,
        networks: Networks<'_, T>,
        paths: Paths<'_, T>,
        keep: Keep,
    ) -> Result<f64, FlowError> {
        let objective = game.objective;
        let (steps, size) = (paths.steps, paths.start.len());
        let jets = if keep == Keep::EveryJet { steps } else { 1 };
        if self.jets.len() < jets {
            self.jets.resize_with(jets, Jet::default);
        }
        let h = objective.horizon / step_count(steps)?;
        let noise = if objective.noise > 0.0 { steps * size } else { 0 };
        expect_length("the noise of the paths", paths.noise.len(), noise)?;
        let (rate, spread) = (T::of(h / objective.lambda), T::of(objective.noise * h.sqrt()));
        match keep {
            Keep::Nothing => self.weights.arrange_velocity(game, networks)?,
            Keep::EveryJet => self.weights.arrange(game, networks)?,
        }
        self.x.clear();
        self.x.extend_from_slice(paths.start);
        self.forces.resize_with(steps + 1, Vec::new);
        self.forces.iter_mut().for_each(Vec::clear);
        self.positions.clear();
        let mut increments = paths.noise.chunks_exact(size.max(1));
        let mut interaction = 0.0;
        for i in 0..steps {
            if keep == Keep::EveryJet {
                interaction += self.interact(game, i, if i == 0 { 0.5 * h } else { h })?;
            }
            if objective.characteristic > 0.0 && keep == Keep::EveryJet {
                self.positions.push(self.x.clone());
            }
            let jet = &mut self.jets[i % jets];
            game.jet(&self.weights, &self.x, T::of(i as f64) * T::of(h), jet)?;
            for (x, &g) in self.x.iter_mut().zip(jet.gradient()) {
                *x -= rate * g;
            }
            for (x, &xi) in self.x.iter_mut().zip(increments.next().unwrap_or_default()) {
                *x += spread * xi;
            }
        }
        if keep == Keep::EveryJet {
            interaction += self.interact(game, steps, 0.5 * h)?;
        }
        Ok(interaction)
    }

    /// weight·I of the particles where they are now; leaves its derivative in `self.forces[i]`.
    fn interact(&mut self, game: &Game<N>, i: usize, weight: f64) -> Result<f64, FlowError> {
        let Some(cost) = game.objective.interaction else { return Ok(0.0) };
        let force = &mut self.forces[i];
        force.resize(self.x.len(), T::zero());
        let value = cost.cost(&self.x, game.flow.dim(), force)?;
        force.iter_mut().for_each(|f| *f *= T::of(weight));
        Ok(weight * value)
    }

    /// (1/n)·Σᵢ vᵢ of every path.
    fn mean_velocity(&self, steps: usize, size: usize, lambda: f64) -> Vec<f64> {
        let mut mean = vec![0.0; size];
        let share = -1.0 / (lambda * steps as f64);
        for jet in self.jets.iter().take(steps) {
            mean.iter_mut().zip(jet.gradient()).for_each(|(mean, g)| *mean += share * g.wide());
        }
        mean
    }

    /// E φ(x_T) and the penalties that hold ∇φ(x_T); leaves ∂ℓ/∂x_T in `self.adjoint`.
    fn terminal_cost(
        &mut self,
        game: &Game<N>,
        batch: usize,
        gradient: &mut [T],
        value: &mut FlowValue,
    ) -> Result<(), FlowError> {
        let objective = game.objective;
        let per_point = T::of(1.0 / batch as f64);
        game.critic.network.evaluate(&self.weights.critic, &self.x, Order::Jet, &mut self.critic)?;
        value.terminal = self.critic.value().iter().map(|v| v.wide()).sum::<f64>() / batch as f64;
        self.adjoint.clear();
        self.adjoint.extend(self.critic.gradient().iter().map(|&g| per_point * g));
        self.d_slope.clear();
        self.d_slope.resize(self.x.len(), T::zero());
        if objective.terminal_gradient > 0.0 {
            value.terminal_gradient = self.terminal_gap(game, batch, gradient)?;
        }
        if objective.characteristic > 0.0 {
            value.characteristic = self.characteristic_gap(game, batch);
        }
        if objective.terminal_gradient > 0.0 || objective.characteristic > 0.0 {
            // ∇φ moves with x_T too.
            self.d_time.clear();
            self.d_time.resize(batch, T::zero());
            let cotangent = (self.d_time.as_slice(), self.d_slope.as_slice());
            let (critic, discarded) = (&mut self.critic, &mut self.discarded);
            game.position_gradient(&self.weights, critic, cotangent, discarded, &mut self.pulled)?;
            add(&mut self.adjoint, &self.pulled);
        }
        Ok(())
    }

    /// E‖(∇U(x_T, T) − ∇φ(x_T))/λ‖²; adds its derivatives to `gradient`, `self.adjoint` and `self.d_slope`.
    fn terminal_gap(&mut self, game: &Game<N>, batch: usize, gradient: &mut [T]) -> Result<f64, FlowError> {
        let objective = game.objective;
        game.jet(&self.weights, &self.x, T::of(objective.horizon), &mut self.terminal_jet)?;
        let scale = 1.0 / (objective.lambda * objective.lambda * batch as f64);
        let gap: Vec<T> =
            self.terminal_jet.gradient().iter().zip(self.critic.gradient()).map(|(&u, &p)| u - p).collect();
        let factor = T::of(2.0 * objective.terminal_gradient * scale);
        self.d_gradient.clear();
        self.d_gradient.extend(gap.iter().map(|&g| factor * g));
        self.d_slope.iter_mut().zip(&gap).for_each(|(d, &g)| *d -= factor * g);
        self.d_time.clear();
        self.d_time.resize(batch, T::zero());
        self.pulled.resize(gap.len(), T::zero());
        let cotangent = (self.d_gradient.as_slice(), self.d_time.as_slice());
        let (jet, scratch, pulled) = (&mut self.terminal_jet, &mut self.scratch, &mut self.pulled);
        game.pull_back(&self.weights, jet, cotangent, scratch, gradient, pulled)?;
        add(&mut self.adjoint, &self.pulled);
        Ok(scale * gap.iter().map(|g| g.wide() * g.wide()).sum::<f64>())
    }

    /// Σ (h/T)·E‖(xᵢ − x_T)/T − ((T − tᵢ)/(λT))·∇φ(x_T)‖²; adds its derivatives to `self.forces`, `self.adjoint` and
    /// `self.d_slope`.
    fn characteristic_gap(&mut self, game: &Game<N>, batch: usize) -> f64 {
        let objective = game.objective;
        let (horizon, steps) = (objective.horizon, self.positions.len());
        let share = 1.0 / (steps * batch) as f64;
        let mut total = 0.0;
        for (i, (positions, force)) in self.positions.iter().zip(&mut self.forces).enumerate() {
            let lever = (1.0 - i as f64 / steps as f64) / objective.lambda;
            force.resize(positions.len(), T::zero());
            let points = positions.iter().zip(&self.x).zip(self.critic.gradient());
            let cotangents = force.iter_mut().zip(&mut self.adjoint).zip(&mut self.d_slope);
            for (((&x, &end), &slope), ((force, adjoint), d_slope)) in points.zip(cotangents) {
                let gap = (x - end).wide() / horizon - lever * slope.wide();
                total += share * gap * gap;
                let d_gap = 2.0 * objective.characteristic * share * gap;
                *force += T::of(d_gap / horizon);
                *adjoint -= T::of(d_gap / horizon);
                *d_slope -= T::of(lever * d_gap);
            }
        }
        total
    }
}

/// sum ← sum + part.
fn add<T: Real>(sum: &mut [T], part: &[T]) {
    for (sum, &part) in sum.iter_mut().zip(part) {
        *sum += part;
    }
}
