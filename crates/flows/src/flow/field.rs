//! The flow that follows from the players' networks.

use super::jet::{Arranged, Jet};
use super::{Flow, FlowObjective};
use crate::FlowError;
use crate::error::expect_length;
use crate::game::{Game, Networks};
use crate::hopf_lax::{CriticField, HopfLaxFlow};
use crate::integrate::{PotentialField, VelocityField};
use crate::real::Real;
use crate::scalar_field::ScalarField;

impl<N: ScalarField> Game<N> {
    /// The flow of the two networks at the given parameters; the companions are those of [`HopfLaxFlow`].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are not of the networks.
    pub fn field<'a, T: Real>(
        &'a self,
        networks: Networks<'_, T>,
        companions: &[T],
    ) -> Result<Box<dyn PotentialField<T> + 'a>, FlowError> {
        let mut direct = NetworkField { game: self, weights: Arranged::default(), jet: Jet::default() };
        direct.weights.arrange(self, networks)?;
        if !matches!(self.flow, Flow::HopfLax { .. }) {
            return Ok(Box::new(direct));
        }
        let critic = CriticField::new(&self.critic.network, networks.critic)?;
        let FlowObjective { lambda, horizon, .. } = self.objective;
        Ok(Box::new(HopfLaxFlow::new(critic, direct, lambda, horizon, companions.to_vec())))
    }
}

/// The potential as the networks give it directly.
struct NetworkField<'a, T: Real, N: ScalarField> {
    game: &'a Game<N>,
    weights: Arranged<T, N>,
    jet: Jet<T, N>,
}

impl<T: Real, N: ScalarField> VelocityField<T> for NetworkField<'_, T, N> {
    fn velocity(&mut self, x: &[T], t: T, v: &mut [T]) -> Result<(), FlowError> {
        self.game.jet(&self.weights, x, t, &mut self.jet)?;
        expect_length("the velocity buffer", v.len(), x.len())?;
        let lambda = T::of(self.game.objective.lambda);
        for (v, &g) in v.iter_mut().zip(self.jet.gradient()) {
            *v = -g / lambda;
        }
        Ok(())
    }
}

impl<T: Real, N: ScalarField> PotentialField<T> for NetworkField<'_, T, N> {
    fn derivatives(&mut self, x: &[T], t: T, gradient: &mut [T], time: &mut [T]) -> Result<(), FlowError> {
        self.game.jet(&self.weights, x, t, &mut self.jet)?;
        expect_length("the gradient buffer", gradient.len(), x.len())?;
        expect_length("the time derivative's buffer", time.len(), self.jet.time_derivative().len())?;
        gradient.copy_from_slice(self.jet.gradient());
        time.copy_from_slice(self.jet.time_derivative());
        Ok(())
    }

    fn laplacian(&mut self, x: &[T], t: T) -> Result<Vec<T>, FlowError> {
        self.game.jet(&self.weights, x, t, &mut self.jet)?;
        self.game.laplacian(&self.weights, &self.jet)
    }
}
