//! The critic's objective: dual value less slope penalty, and its gradient.

use super::{Critic, CriticBatch, CriticValue};
use crate::FlowError;
use crate::error::{expect_length, expect_rows};
use crate::lipschitz::Slopes;
use crate::mlp::{Cotangent, Order};
use crate::network::Network;
use crate::real::Real;
use crate::scalar_field::{Evaluation, ScalarField};

/// Buffers of the critic's gradient, reused from call to call.
#[derive(Debug)]
pub struct Workspace<T: Real, N: ScalarField = Network> {
    weights: N::Weights<T>,
    values: N::Tape<T>,
    slopes: N::Tape<T>,
    points: Vec<T>,
    penalised: Vec<T>,
    value_cotangent: Vec<T>,
    gradient_cotangent: Vec<T>,
    /// Whether the penalty moves a point.
    active: Vec<bool>,
    zeros: Vec<T>,
}

impl<T: Real, N: ScalarField> Default for Workspace<T, N> {
    fn default() -> Self {
        Self {
            weights: N::Weights::default(),
            values: N::Tape::default(),
            slopes: N::Tape::default(),
            points: Vec::new(),
            penalised: Vec::new(),
            value_cotangent: Vec::new(),
            gradient_cotangent: Vec::new(),
            active: Vec::new(),
            zeros: Vec::new(),
        }
    }
}

impl<T: Real, N: ScalarField> Workspace<T, N> {
    /// Writes the gradient of −(dual value − penalty) with respect to the critic's parameters.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit; [`FlowError::Divergence`] when a critic value is not finite or
    /// outside the domain of f*.
    pub fn gradient(
        &mut self,
        critic: &Critic<N>,
        parameters: &[T],
        batch: CriticBatch<'_, T>,
        gradient: &mut [T],
    ) -> Result<CriticValue, FlowError> {
        let (net, dim) = (&critic.network, critic.dim());
        let count = expect_rows("the generated batch", batch.generated.len(), dim)?;
        expect_length("the target batch", batch.target.len(), batch.generated.len())?;
        expect_length("the gradient of the critic", gradient.len(), net.parameter_count())?;
        gradient.fill(T::zero());

        net.arrange(parameters, &mut self.weights)?;
        self.points.clear();
        self.points.extend_from_slice(batch.generated);
        self.points.extend_from_slice(batch.target);
        net.evaluate(&self.weights, &self.points, Order::Value, &mut self.values)?;
        let wide: Vec<f64> = self.values.value().iter().map(|v| v.wide()).collect();
        let (generated, target) = wide.split_at(wide.len() / 2);
        let dual = critic.objective.dual(generated, target)?;
        self.value_cotangent.clear();
        self.value_cotangent.extend(dual.d_generated.iter().chain(&dual.d_target).map(|d| T::of(-d)));
        let cotangent = Cotangent { value: &self.value_cotangent, gradient: None, common: None };
        net.pull_back(&self.weights, &mut self.values, cotangent, gradient, None)?;

        let value = CriticValue { divergence: dual.value, ..CriticValue::default() };
        let Some(penalty) = critic.lipschitz.penalty() else { return Ok(value) };
        expect_length("the mixing weights", batch.mixing.len(), count)?;
        self.penalised.clear();
        let pairs = batch.generated.chunks_exact(dim).zip(batch.target.chunks_exact(dim));
        for ((x, y), &u) in pairs.zip(batch.mixing) {
            let alpha = penalty.points.mixing(u);
            self.penalised.extend(x.iter().zip(y).map(|(&x, &y)| alpha * x + (T::one() - alpha) * y));
        }
        net.evaluate(&self.weights, &self.penalised, Order::Jet, &mut self.slopes)?;
        let mut slopes = Slopes::default();
        self.gradient_cotangent.clear();
        self.active.clear();
        for row in self.slopes.gradient().chunks_exact(dim) {
            let slope = row.iter().map(|g| g.wide() * g.wide()).sum::<f64>().sqrt();
            // ∂P/∂(∇φ) = P′(‖∇φ‖)/‖∇φ‖·∇φ.
            let factor = T::of(penalty.add(slope, critic.bound, count, &mut slopes));
            // A one-sided penalty leaves most points alone. A NaN is not zero.
            self.active.push(factor != T::zero());
            if factor != T::zero() {
                self.gradient_cotangent.extend(row.iter().map(|&g| factor * g));
            }
        }
        self.slopes.retain(&self.active)?;
        self.zeros.resize(self.slopes.value().len(), T::zero());
        let cotangent =
            Cotangent { value: &self.zeros, gradient: Some(&self.gradient_cotangent), common: None };
        net.pull_back(&self.weights, &mut self.slopes, cotangent, gradient, None)?;
        Ok(CriticValue { penalty: slopes.penalty, slope_mean: slopes.mean, slope_max: slopes.max, ..value })
    }
}
