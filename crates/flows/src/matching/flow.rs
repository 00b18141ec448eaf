//! The flow of a velocity network at given parameters.

use crate::FlowError;
use crate::error::{expect_columns, flat};
use crate::euler_map::{self, Differentiable, Retraced};
use crate::integrate::{Scheme, VelocityField, integrate, step_count};
use crate::real::Real;
use crate::record::RecordError;
use crate::velocity::{Velocity, VelocityTape};
use mfg::{Trajectory, TrajectoryParts};
use ndarray::{Array2, Array3, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

/// Rows that are moved together: their activations stay in the second-level cache.
const BLOCK: usize = 512;

/// dx/dt = v(x, t) of a velocity network over \[0, T\], without a potential and without a critic.
#[derive(Debug, Clone, PartialEq)]
pub struct VelocityFlow {
    /// The network.
    pub velocity: Velocity,
    /// The horizon T.
    pub horizon: f64,
    /// The parameters of the network.
    pub parameters: Vec<f32>,
}

impl VelocityFlow {
    /// Moves the rows of `x`, [n, d], from t = 0 to T in single precision, in blocks of rows on all threads.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for zero steps, [`FlowError::Shape`] for points of another dimension.
    pub fn push_forward(
        &self,
        scheme: Scheme,
        steps: usize,
        mut x: ArrayViewMut2<'_, f32>,
    ) -> Result<(), FlowError> {
        step_count(steps)?;
        let blocks: Vec<_> = x.axis_chunks_iter_mut(Axis(0), BLOCK).collect();
        blocks.into_par_iter().try_for_each(|block| {
            let mut field = Field::new(&self.velocity, &self.parameters);
            integrate(&mut field, scheme, self.horizon as f32, steps, block, |_, _, _| {})
        })
    }

    /// The trajectory of `steps` Euler steps from the rows of `start`, [n, d], recorded in double precision; −v takes the
    /// place of ∇U, with λ = 1.
    ///
    /// # Errors
    /// [`RecordError`] when the points do not fit or a value is not finite.
    pub fn trajectory(&self, start: ArrayView2<'_, f64>, steps: usize) -> Result<Trajectory, RecordError> {
        let parameters = self.wide();
        let mut field = Field::new(&self.velocity, &parameters);
        let h = self.horizon / step_count(steps)?;
        let times: Vec<f64> =
            (0..=steps).map(|i| if i == steps { self.horizon } else { i as f64 * h }).collect();
        let (mut positions, mut potential_gradient) = (Vec::new(), Vec::new());
        let mut x = start.to_owned();
        for (i, &t) in times.iter().enumerate() {
            let mut v = Array2::zeros(x.dim());
            field.velocity(x.view(), t, v.view_mut())?;
            positions.push(x.clone());
            if i < steps {
                x.scaled_add(h, &v);
            }
            potential_gradient.push(-v);
        }
        Ok(Trajectory::new(TrajectoryParts {
            lambda: 1.0,
            times,
            positions,
            potential_gradient,
            potential_time_derivative: None,
            critic_gradient: None,
            noise: None,
            interaction: None,
        })?)
    }
}

impl VelocityFlow {
    /// Where the rows of `y`, [n, d], come from in `steps` Euler steps, in double precision ([`euler_map::inverse`]).
    ///
    /// # Errors
    /// As [`VelocityFlow::push_forward`].
    pub fn inverse(&self, y: ArrayView2<'_, f64>, steps: usize) -> Result<Array2<f64>, FlowError> {
        let parameters = self.wide();
        euler_map::inverse(|| Ok(Field::new(&self.velocity, &parameters)), (self.horizon, steps), y)
    }

    /// The same with the change of volume of the steps ([`euler_map::retrace`]).
    ///
    /// # Errors
    /// As [`euler_map::retrace`]; [`FlowError::Specification`] where the ends lie in a plane of fewer dimensions, so that their
    /// law has no density.
    pub fn retrace(&self, y: ArrayView2<'_, f64>, steps: usize) -> Result<Retraced, FlowError> {
        if let Some(base) = self.velocity.base().filter(|base| base.rank() < base.dim()) {
            return Err(FlowError::on_a_plane(base.rank(), base.dim()));
        }
        let parameters = self.wide();
        euler_map::retrace(|| Ok(Field::new(&self.velocity, &parameters)), (self.horizon, steps), y)
    }

    fn wide(&self) -> Vec<f64> {
        self.parameters.iter().map(|p| p.wide()).collect()
    }
}

/// The velocity field of a network at given parameters.
struct Field<'a, T> {
    velocity: &'a Velocity,
    parameters: &'a [T],
    tape: VelocityTape<T>,
}

impl<'a, T: Real> Field<'a, T> {
    fn new(velocity: &'a Velocity, parameters: &'a [T]) -> Self {
        Self { velocity, parameters, tape: VelocityTape::default() }
    }
}

impl<T: Real> VelocityField<T> for Field<'_, T> {
    fn velocity(&mut self, x: ArrayView2<'_, T>, t: T, mut v: ArrayViewMut2<'_, T>) -> Result<(), FlowError> {
        expect_columns("the points", x, self.velocity.dim())?;
        self.velocity.evaluate(self.parameters, &flat(x), t, &mut self.tape)?;
        v.iter_mut().zip(self.tape.velocity()).for_each(|(v, &value)| *v = value);
        Ok(())
    }
}

impl Differentiable for Field<'_, f64> {
    fn jacobians(&mut self, x: ArrayView2<'_, f64>, t: f64) -> Result<Array3<f64>, FlowError> {
        expect_columns("the points", x, self.velocity.dim())?;
        self.velocity.jacobians(self.parameters, &flat(x), t, &mut self.tape)
    }
}
