//! The dual of the game, over the potential at time 0 alone.

use super::{Backend, Batch, DualGame, DualReport};
use crate::FlowError;
use crate::error::expect_length;
use crate::hopf_lax::{CriticField, Curvature, Field, Minimiser};
use crate::mlp::{Cotangent, Order};
use crate::network::{Tape, Weights};
use crate::real::Real;
use crate::scalar_field::{Evaluation, ScalarField};

/// A field with its sign changed: the search for a maximum as one for a minimum.
#[derive(Debug)]
pub struct Negated<F>(pub F);

impl<T: Real, F: Field<T>> Field<T> for Negated<F> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn jet(&mut self, points: &[T], values: &mut Vec<T>, gradients: &mut Vec<T>) -> Result<(), FlowError> {
        self.0.jet(points, values, gradients)?;
        values.iter_mut().chain(gradients).for_each(|value| *value = -*value);
        Ok(())
    }
}

impl DualGame {
    /// The dual value from N at the beginnings x′ and at the ends of the searches, [n + m], with its derivatives in
    /// these times T/λ; `beginnings` and `targets` are the x′ and y′ of the batch.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit; [`FlowError::Divergence`] for values that are not finite.
    pub fn dual<T: Real>(
        &self,
        batch: Batch<'_, T>,
        (beginnings, targets): (&[T], &[T]),
        values: &[f64],
    ) -> Result<(DualReport, Vec<T>), FlowError> {
        let (affine, weight, pull) = (self.flow.affine(), self.flow.weight(), self.flow.pull());
        let (n, m) = (beginnings.len() / affine.rank(), targets.len() / affine.rank());
        expect_length("the values of the potential", values.len(), n + m)?;
        let (initial, searched) = values.split_at(n);
        let terms = affine.beginning_terms(batch.start, beginnings);
        let initial: Vec<f64> = initial.iter().zip(terms).map(|(u, s)| weight * (u + s)).collect();
        let terms = self.flow.end_terms(batch.target, targets)?;
        let rows = batch.ends.chunks_exact(affine.rank()).zip(targets.chunks_exact(affine.rank()));
        let squares =
            rows.map(|(x, y)| x.iter().zip(y).map(|(x, y)| (x.wide() - y.wide()).powi(2)).sum::<f64>());
        let critic: Vec<f64> = searched
            .iter()
            .zip(squares)
            .zip(terms)
            .map(|((u, square), e)| weight * (u - pull.cost(square) - e))
            .collect();
        let dual = self.objective.shifted_dual(&initial, &critic)?;
        let derivatives = dual.d_generated.iter().chain(&dual.d_target).map(|d| T::of(*d)).collect();
        let largest = dual.d_target.iter().fold(0.0_f64, |largest, d| largest.max(-d));
        Ok((DualReport { value: dual.value, largest_weight: largest }, derivatives))
    }
}

/// The native CPU backend.
#[derive(Debug)]
pub struct Native<T: Real = f32> {
    game: DualGame,
    minimiser: Minimiser<T>,
    tape: Tape<T>,
}

impl<T: Real> Native<T> {
    /// A backend for one game; its buffers are kept from call to call.
    pub fn new(game: DualGame) -> Self {
        Self { game, minimiser: Minimiser::default(), tape: Tape::default() }
    }
}

impl<T: Real> Backend<T> for Native<T> {
    fn search(
        &mut self,
        parameters: &[T],
        target: &[T],
        ends: &mut [T],
        curvature: &mut Curvature,
    ) -> Result<(), FlowError> {
        let flow = &self.game.flow;
        let targets = flow.affine().ends(target)?;
        let field = CriticField::new(flow.network(), parameters)?;
        let stop = self.game.stop;
        self.minimiser.knowing(curvature, |minimiser| flow.climb(field, minimiser, (&targets, ends), stop))
    }

    fn gradient(
        &mut self,
        parameters: &[T],
        batch: Batch<'_, T>,
        gradient: &mut [T],
    ) -> Result<DualReport, FlowError> {
        let (affine, network) = (self.game.flow.affine(), self.game.flow.network());
        expect_length("the gradient of the potential", gradient.len(), network.parameter_count())?;
        let (beginnings, targets) = (affine.beginnings(batch.start)?, affine.ends(batch.target)?);
        expect_length("the ends of the searches", batch.ends.len(), targets.len())?;
        let weights = Weights::new(network, parameters)?;
        let points: Vec<T> = beginnings.iter().chain(batch.ends).copied().collect();
        network.evaluate(&weights, &points, Order::Value, &mut self.tape)?;
        let values: Vec<f64> = self.tape.value().iter().map(|u| u.wide()).collect();
        let (report, derivatives) = self.game.dual(batch, (&beginnings, &targets), &values)?;
        let seed: Vec<T> = derivatives.into_iter().map(|d| -d).collect();
        gradient.fill(T::zero());
        let cotangent = Cotangent { value: &seed, gradient: None, common: None };
        network.pull_back(&weights, &mut self.tape, cotangent, gradient, None)?;
        Ok(report)
    }
}
