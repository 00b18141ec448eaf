//! Problems that are solved in closed form: for tests, for examples, and to see what a trained flow should do.

mod bounds;
mod huber;
mod interacting_gaussians;
mod shifted_gaussians;
mod soft_threshold;
#[cfg(test)]
mod tests;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use crate::{
    MfgError, Trajectory, TrajectoryParts,
    error::{positive, shape},
};

pub use bounds::{least_kinetic_cost, reach};
pub use huber::{lipschitz_kullback_leibler, lipschitz_kullback_leibler_slope};
pub use interacting_gaussians::{Derivatives, InteractingGaussians, Law};
pub use shifted_gaussians::ShiftedGaussians;
pub use soft_threshold::SoftThreshold;

/// The optimal flow of a game whose potential is known.
///
/// Points are vectors of length d, times lie in [0, T]. The closed forms check nothing: what they return for points of
/// another dimension has no meaning; [`OptimalFlow::trajectory`] checks.
///
/// ```
/// use mfg::known_answers::{OptimalFlow, SoftThreshold};
/// use ndarray::array;
/// // To the origin with R = L·T/λ = 1: who is further away than that goes 1 of the way.
/// let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
/// let point = array![0.0, 3.0];
/// assert_eq!(flow.position(point.view(), 1.0), array![0.0, 2.0]);
/// assert_eq!(flow.velocity(point.view(), 0.0), array![0.0, -1.0]);
/// ```
pub trait OptimalFlow {
    /// λ, the weight of the kinetic term.
    fn lambda(&self) -> f64;

    /// T, the horizon.
    fn horizon(&self) -> f64;

    /// Checks the parameters, and that the problem lives in R^`dimension`.
    ///
    /// # Errors
    /// [`MfgError`] with the parameter that is outside its domain.
    fn validate(&self, dimension: usize) -> Result<(), MfgError>;

    /// U(x, t), in the units of the critic.
    fn potential(&self, point: ArrayView1<'_, f64>, time: f64) -> f64;

    /// ∇U(x, t); one of the subgradients where U has a kink.
    fn potential_gradient(&self, point: ArrayView1<'_, f64>, time: f64) -> Array1<f64>;

    /// ∂ₜU(x, t).
    fn potential_time_derivative(&self, point: ArrayView1<'_, f64>, time: f64) -> f64;

    /// x(t) of the particle that starts at `start`.
    fn position(&self, start: ArrayView1<'_, f64>, time: f64) -> Array1<f64>;

    /// φ*(x) = U(x, T), up to the constant that the problem leaves free.
    fn critic(&self, point: ArrayView1<'_, f64>) -> f64 {
        self.potential(point, self.horizon())
    }

    /// ∇φ*(x).
    fn critic_gradient(&self, point: ArrayView1<'_, f64>) -> Array1<f64> {
        self.potential_gradient(point, self.horizon())
    }

    /// v(x, t) = −∇U(x, t)/λ.
    fn velocity(&self, point: ArrayView1<'_, f64>, time: f64) -> Array1<f64> {
        self.potential_gradient(point, time) / -self.lambda()
    }

    /// The limits of ∇U and ∂ₜU as t → T along the path from `start`. They are the values at (x(T), T) unless the path
    /// ends on a kink of φ*, where the path decides which subgradient it arrives with.
    fn arrival(&self, start: ArrayView1<'_, f64>) -> (Array1<f64>, f64) {
        let end = self.position(start, self.horizon());
        (
            self.potential_gradient(end.view(), self.horizon()),
            self.potential_time_derivative(end.view(), self.horizon()),
        )
    }

    /// The exact paths from `start` [N, d], recorded at `steps` + 1 equidistant times.
    ///
    /// Complexity: O(steps·N·d).
    ///
    /// # Errors
    /// [`MfgError`] where the parameters are outside their domain, there is no step or fewer than two particles.
    ///
    /// ```
    /// use mfg::known_answers::{OptimalFlow, SoftThreshold};
    /// let flow = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    /// let trajectory = flow.trajectory(ndarray::array![[2.0], [-3.0]].view(), 4)?;
    /// assert_eq!(trajectory.end(), ndarray::array![[1.0], [-2.0]]);
    /// # Ok::<(), mfg::MfgError>(())
    /// ```
    fn trajectory(&self, start: ArrayView2<'_, f64>, steps: usize) -> Result<Trajectory, MfgError> {
        self.validate(start.ncols())?;
        positive("horizon", self.horizon())?;
        if steps == 0 {
            return Err(MfgError::TooFew { what: "steps", found: 0, least: 1 });
        }
        // The last time is T itself, without rounding.
        let times: Vec<f64> = (0..steps)
            .map(|index| self.horizon() * (index as f64) / (steps as f64))
            .chain([self.horizon()])
            .collect();
        let arrivals: Vec<_> = start.rows().into_iter().map(|start| self.arrival(start)).collect();
        let mut critic_gradient = Array2::zeros(start.raw_dim());
        for (mut row, (gradient, _)) in critic_gradient.rows_mut().into_iter().zip(&arrivals) {
            row.assign(gradient);
        }
        let mut parts = TrajectoryParts {
            lambda: self.lambda(),
            positions: times.iter().map(|&time| by_row(start, |start| self.position(start, time))).collect(),
            potential_gradient: Vec::new(),
            potential_time_derivative: None,
            critic_gradient: Some(critic_gradient.clone()),
            noise: None,
            interaction: None,
            times,
        };
        let mut time_derivatives: Vec<Array1<f64>> = Vec::with_capacity(steps + 1);
        for (positions, &time) in parts.positions.iter().zip(&parts.times).take(steps) {
            let derivative = |point: ArrayView1<'_, f64>| self.potential_time_derivative(point, time);
            parts
                .potential_gradient
                .push(by_row(positions.view(), |point| self.potential_gradient(point, time)));
            time_derivatives.push(positions.rows().into_iter().map(derivative).collect());
        }
        parts.potential_gradient.push(critic_gradient);
        time_derivatives.push(arrivals.into_iter().map(|(_, derivative)| derivative).collect());
        parts.potential_time_derivative = Some(time_derivatives);
        Trajectory::new(parts)
    }
}

/// The matrix whose rows are a function of the rows of another.
fn by_row(points: ArrayView2<'_, f64>, function: impl Fn(ArrayView1<'_, f64>) -> Array1<f64>) -> Array2<f64> {
    let mut result = Array2::zeros(points.raw_dim());
    for (mut row, point) in result.axis_iter_mut(Axis(0)).zip(points.rows()) {
        row.assign(&function(point));
    }
    result
}

/// Checks that the means of a problem have the dimension of its points.
fn same_dimension(name: &'static str, found: usize, expected: usize) -> Result<(), MfgError> {
    shape(name, &[found], &[expected])
}
