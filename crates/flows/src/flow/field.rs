//! The flow that follows from the players' networks, to be integrated and recorded.

use super::jet::{Arranged, Jet, Scratch};
use super::{Flow, FlowObjective};
use crate::FlowError;
use crate::error::{array2, expect_columns, flat};
use crate::euler_map::Differentiable;
use crate::game::{Game, Networks};
use crate::hessian::by_rows;
use crate::hopf_lax::{CriticField, HopfLaxFlow};
use crate::integrate::{Scheme, VelocityField, integrate};
use crate::network::Network;
use crate::potential::Derivatives;
use crate::real::Real;
use crate::scalar_field::ScalarField;
use ndarray::{Array1, Array3, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

/// The velocity field of a game's flow at given parameters.
#[derive(Debug)]
pub struct FlowField<'a, T: Real, N: ScalarField = Network>(Kind<'a, T, N>);

#[derive(Debug)]
enum Kind<'a, T: Real, N: ScalarField> {
    Direct(Box<NetworkField<'a, T, N>>),
    HopfLax(Box<HopfLaxField<'a, T, N>>),
}

type HopfLaxField<'a, T, N> = HopfLaxFlow<T, CriticField<'a, T, N>, NetworkField<'a, T, N>>;

impl<N: ScalarField> Game<N> {
    /// The flow of the two networks at the given parameters; the companions, y in [m, d] row-major, are those of
    /// [`HopfLaxFlow`] and not read by the other representations.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are not of the networks.
    pub fn field<'a, T: Real>(
        &'a self,
        networks: Networks<'_, T>,
        companions: &[T],
    ) -> Result<FlowField<'a, T, N>, FlowError> {
        let mut direct = NetworkField { game: self, weights: Arranged::default(), jet: Jet::default() };
        direct.weights.arrange(self, networks)?;
        if !matches!(self.flow, Flow::HopfLax { .. }) {
            return Ok(FlowField(Kind::Direct(Box::new(direct))));
        }
        let critic = CriticField::new(&self.critic.network, networks.critic)?;
        let FlowObjective { lambda, horizon, .. } = self.objective;
        let flow = HopfLaxFlow::new(critic, direct, lambda, horizon, companions.to_vec());
        Ok(FlowField(Kind::HopfLax(Box::new(flow))))
    }
}

/// Rows that are moved together: the last searches of a block, which take a hundred steps, move few rows each, and are
/// dear beside a small block. Searches share what they learn, so a row's last digits depend on its block, but on no
/// thread.
const BLOCK: usize = 4096;

impl<N: ScalarField> Game<N> {
    /// Moves the rows of `x`, [n, d], from t = 0 to T by Euler steps of a flow without noise, in blocks of rows on all
    /// threads; `moved` hears the rows of each block that is done.
    ///
    /// # Errors
    /// As [`Game::field`], and [`FlowError::Specification`] for zero steps.
    pub fn push_forward(
        &self,
        networks: Networks<'_, f32>,
        companions: &[f32],
        steps: usize,
        mut x: ArrayViewMut2<'_, f32>,
        moved: &(dyn Fn(usize) + Sync),
    ) -> Result<(), FlowError> {
        let horizon = self.objective.horizon as f32;
        let blocks: Vec<_> = x.axis_chunks_iter_mut(Axis(0), BLOCK).collect();
        blocks.into_par_iter().try_for_each(|block| {
            let rows = block.nrows();
            let mut field = self.field(networks, companions)?;
            integrate(&mut field, Scheme::Euler, horizon, steps, block, |_, _, _| {})?;
            moved(rows);
            Ok(())
        })
    }
}

impl<T: Real, N: ScalarField> FlowField<'_, T, N> {
    /// ∇ₓU and ∂ₜU at the rows of `x`, [n, d], and one time.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the points are not of the flow's dimension.
    pub fn derivatives(&mut self, x: ArrayView2<'_, T>, t: T) -> Result<Derivatives<T>, FlowError> {
        match &mut self.0 {
            Kind::Direct(field) => field.derivatives(x, t),
            Kind::HopfLax(flow) => flow.derivatives(x, t),
        }
    }

    /// ΔₓU at the rows of `x`, [n, d], and one time.
    ///
    /// # Errors
    /// [`FlowError::Shape`] as above, [`FlowError::Specification`] for a flow whose potential has no second
    /// derivatives, or none at all.
    pub fn laplacian(&mut self, x: ArrayView2<'_, T>, t: T) -> Result<Array1<T>, FlowError> {
        match &mut self.0 {
            Kind::Direct(field) => field.laplacian(x, t),
            Kind::HopfLax(_) => Err(FlowError::specification(
                "the Laplacian of a Hopf–Lax potential",
                "asked for",
                "take another representation of the flow for noise: the minimum over y has kinks",
            )),
        }
    }
}

impl<N: ScalarField> Differentiable for FlowField<'_, f64, N> {
    fn jacobians(&mut self, x: ArrayView2<'_, f64>, t: f64) -> Result<Array3<f64>, FlowError> {
        match &mut self.0 {
            Kind::Direct(field) => field.jacobians(x, t),
            Kind::HopfLax(_) => Err(FlowError::specification(
                "the derivative of a Hopf–Lax velocity",
                "asked for",
                "take the inverse and the volume of the critic, which need no steps",
            )),
        }
    }
}

impl<T: Real, N: ScalarField> VelocityField<T> for FlowField<'_, T, N> {
    fn velocity(&mut self, x: ArrayView2<'_, T>, t: T, v: ArrayViewMut2<'_, T>) -> Result<(), FlowError> {
        match &mut self.0 {
            Kind::Direct(field) => field.velocity(x, t, v),
            Kind::HopfLax(flow) => flow.velocity(x, t, v),
        }
    }
}

/// The potential as the networks give it directly.
#[derive(Debug)]
struct NetworkField<'a, T: Real, N: ScalarField> {
    game: &'a Game<N>,
    weights: Arranged<T, N>,
    jet: Jet<T, N>,
}

impl<T: Real, N: ScalarField> NetworkField<'_, T, N> {
    fn evaluate(&mut self, x: ArrayView2<'_, T>, t: T) -> Result<(), FlowError> {
        expect_columns("the points", x, self.game.flow.dim())?;
        self.game.jet(&self.weights, &flat(x), t, &mut self.jet)
    }

    fn derivatives(&mut self, x: ArrayView2<'_, T>, t: T) -> Result<Derivatives<T>, FlowError> {
        self.evaluate(x, t)?;
        let gradient = array2("the gradient", self.jet.gradient().to_vec(), x.ncols())?;
        Ok(Derivatives { gradient, time: self.jet.time_derivative().to_vec().into() })
    }

    fn laplacian(&mut self, x: ArrayView2<'_, T>, t: T) -> Result<Array1<T>, FlowError> {
        self.evaluate(x, t)?;
        Ok(self.game.laplacian(&self.weights, &self.jet)?.into())
    }
}

impl<N: ScalarField> NetworkField<'_, f64, N> {
    /// −∇²U/λ, each row of the Hessian by one pullback of the gradient.
    fn jacobians(&mut self, x: ArrayView2<'_, f64>, t: f64) -> Result<Array3<f64>, FlowError> {
        let count = self.game.flow.parameter_count();
        let (mut scratch, mut unused) = (Scratch::default(), vec![0.0; count]);
        let (rate, no_time) = (-1.0 / self.game.objective.lambda, vec![0.0; x.nrows()]);
        let hessians = by_rows(x.len(), x.ncols(), |cotangent, row| {
            self.evaluate(x, t)?;
            let cotangents = (cotangent, no_time.as_slice());
            self.game.pull_back(&self.weights, &mut self.jet, cotangents, &mut scratch, &mut unused, row)
        })?;
        Ok(hessians * rate)
    }
}

impl<T: Real, N: ScalarField> VelocityField<T> for NetworkField<'_, T, N> {
    fn velocity(&mut self, x: ArrayView2<'_, T>, t: T, mut v: ArrayViewMut2<'_, T>) -> Result<(), FlowError> {
        self.evaluate(x, t)?;
        let lambda = T::of(self.game.objective.lambda);
        for (v, &g) in v.iter_mut().zip(self.jet.gradient()) {
            *v = -g / lambda;
        }
        Ok(())
    }
}
