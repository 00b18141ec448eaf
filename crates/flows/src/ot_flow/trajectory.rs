//! Paths of samples with everything that optimality is measured by.

use super::OtFlow;
use crate::integrate::{Scheme, integrate};
use crate::record::RecordError;
use mfg::{Trajectory, TrajectoryParts};
use ndarray::{Array1, ArrayView2};

impl OtFlow {
    /// The paths of samples from the rows of `start`, normal points, at `steps` Runge–Kutta steps, in double precision.
    ///
    /// # Errors
    /// [`RecordError`] for points that do not fit, and where a value is not finite.
    pub fn trajectory(
        &self,
        parameters: &[f32],
        start: ArrayView2<'_, f64>,
        steps: usize,
    ) -> Result<Trajectory, RecordError> {
        let parameters: Vec<f64> = parameters.iter().map(|&parameter| f64::from(parameter)).collect();
        let mut field = self.field(&parameters)?;
        let (mut times, mut positions) = (Vec::new(), Vec::new());
        let mut x = start.to_owned();
        integrate(&mut field, Scheme::Rk4, self.horizon, steps, x.view_mut(), |_, t, x| {
            times.push(t);
            positions.push(x.to_owned());
        })?;
        let (mut potential_gradient, mut rates) = (Vec::new(), Vec::new());
        for (&t, x) in times.iter().zip(&positions) {
            let (slope, rate) = field.derivatives(x.view(), t)?;
            potential_gradient.push(slope);
            rates.push(Array1::from(rate));
        }
        Ok(Trajectory::new(TrajectoryParts {
            lambda: self.lambda,
            times,
            positions,
            potential_gradient,
            potential_time_derivative: Some(rates),
            critic_gradient: None,
            noise: None,
            interaction: None,
        })?)
    }
}
