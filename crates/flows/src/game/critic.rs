//! The critic's objective: dual value less slope penalty, and its gradient.

use super::{CriticBatch, CriticValue, Game};
use crate::FlowError;
use crate::error::expect_length;
use crate::mlp::{Cotangent, Order, Tape, Weights};
use crate::real::Real;

/// Buffers of the critic's gradient, reused from call to call.
#[derive(Debug, Default)]
pub struct Workspace<T: Real> {
    weights: Weights<T>,
    values: Tape<T>,
    slopes: Tape<T>,
    points: Vec<T>,
    penalised: Vec<T>,
    value_cotangent: Vec<T>,
    gradient_cotangent: Vec<T>,
    /// Whether the penalty moves a point.
    active: Vec<bool>,
    zeros: Vec<T>,
}

impl<T: Real> Workspace<T> {
    /// Writes the gradient of −(dual value − penalty) with respect to the critic's parameters.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit; [`FlowError::Divergence`] when a critic value is not finite or
    /// outside the domain of f*.
    pub fn gradient(
        &mut self,
        game: &Game,
        parameters: &[T],
        batch: CriticBatch<'_, T>,
        gradient: &mut [T],
    ) -> Result<CriticValue, FlowError> {
        let net = &game.critic;
        let dim = net.input();
        expect_length("the target batch", batch.target.len(), batch.generated.len())?;
        gradient.fill(T::zero());

        self.weights.arrange(net, parameters)?;
        self.points.clear();
        self.points.extend_from_slice(batch.generated);
        self.points.extend_from_slice(batch.target);
        net.evaluate(&self.weights, &self.points, Order::Value, &mut self.values)?;
        let wide: Vec<f64> = self.values.value().iter().map(|v| v.wide()).collect();
        let (generated, target) = wide.split_at(wide.len() / 2);
        let dual = game.critic_objective.dual(generated, target)?;
        self.value_cotangent.clear();
        self.value_cotangent.extend(dual.d_generated.iter().chain(&dual.d_target).map(|d| T::of(-d)));
        let cotangent = Cotangent { value: &self.value_cotangent, gradient: None, common: None };
        net.pull_back(&self.weights, &mut self.values, cotangent, gradient, None)?;

        let mut value = CriticValue { divergence: dual.value, penalty: 0.0, slope_mean: 0.0, slope_max: 0.0 };
        let Some((penalty, weight)) = game.critic_objective.penalty else { return Ok(value) };
        expect_length("the mixing weights", batch.mixing.len(), batch.target.len() / dim)?;
        self.penalised.clear();
        let pairs = batch.generated.chunks_exact(dim).zip(batch.target.chunks_exact(dim));
        for ((x, y), &u) in pairs.zip(batch.mixing) {
            let alpha = game.critic_objective.penalty_points.mixing(u);
            self.penalised.extend(x.iter().zip(y).map(|(&x, &y)| alpha * x + (T::one() - alpha) * y));
        }
        net.evaluate(&self.weights, &self.penalised, Order::Jet, &mut self.slopes)?;
        let count = self.slopes.batch();
        let scale = weight / count as f64;
        self.gradient_cotangent.clear();
        self.active.clear();
        for row in self.slopes.gradient().chunks_exact(dim) {
            let slope = row.iter().map(|g| g.wide() * g.wide()).sum::<f64>().sqrt();
            value.penalty += scale * penalty.value(slope, game.critic_objective.bound);
            value.slope_mean += slope / count as f64;
            // `f64::max` would drop a NaN, and no comparison with one is true: once there, it stays.
            if slope.is_nan() || slope > value.slope_max {
                value.slope_max = slope;
            }
            // ∂P/∂(∇φ) = P′(‖∇φ‖)/‖∇φ‖·∇φ.
            let factor = T::of(scale * penalty.gradient_factor(slope, game.critic_objective.bound));
            // A one-sided penalty leaves most points alone. A NaN is not zero.
            self.active.push(factor != T::zero());
            if factor != T::zero() {
                self.gradient_cotangent.extend(row.iter().map(|&g| factor * g));
            }
        }
        self.slopes.retain(&self.active)?;
        self.zeros.resize(self.slopes.batch(), T::zero());
        let cotangent =
            Cotangent { value: &self.zeros, gradient: Some(&self.gradient_cotangent), common: None };
        net.pull_back(&self.weights, &mut self.slopes, cotangent, gradient, None)?;
        Ok(value)
    }
}
