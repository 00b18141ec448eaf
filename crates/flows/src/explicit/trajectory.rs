//! Records an explicit flow as any other is recorded.

use super::{ExplicitFlow, Returns};
use crate::error::array2;
use crate::integrate::step_count;
use crate::real::Real;
use crate::record::RecordError;
use mfg::{Trajectory, TrajectoryParts};
use ndarray::{Array1, ArrayView2};

/// The paths x₀ + (t/T)·(x_T − x₀) of the particles that begin at the rows of `start`, [n, d], at `steps` equal steps,
/// with ∇U = ∇U₀(x₀) and ∂ₜU = ‖∇U₀(x₀)‖²/(2λ), which do not change along them; ∇φ(x_T) is that of the critic, from a
/// search that does not know of x₀ ([`super::Explicit::returns`]).
///
/// Computed in double precision, so that a residual is that of the trained functions and not of their rounding.
///
/// # Errors
/// [`RecordError`] when a buffer does not fit or a value is not finite.
pub fn trajectory(
    flow: &ExplicitFlow,
    (parameters, companions): (&[f32], &[f32]),
    start: ArrayView2<'_, f64>,
    steps: usize,
) -> Result<Trajectory, RecordError> {
    let wide = |numbers: &[f32]| numbers.iter().map(|x| x.wide()).collect::<Vec<f64>>();
    let mut field = flow.at(&wide(parameters), &wide(companions))?;
    let ends = field.ends(start)?;
    let Returns { critic_gradient, .. } = field.returns(start)?;
    let (lambda, horizon, weight) = (flow.lambda(), flow.horizon(), flow.weight());
    let gradient = (&start - &ends) * weight;
    let energy: Array1<f64> = gradient.rows().into_iter().map(|g| g.dot(&g) / (2.0 * lambda)).collect();
    let h = horizon / step_count(steps)?;
    let times: Vec<f64> = (0..=steps).map(|i| if i == steps { horizon } else { i as f64 * h }).collect();
    let position = |&t: &f64| {
        let on_the_way = start.iter().zip(&ends).map(|(x, y)| x + t / horizon * (y - x)).collect();
        array2("the positions of the particles", on_the_way, start.ncols())
    };
    Ok(Trajectory::new(TrajectoryParts {
        lambda,
        positions: times.iter().map(position).collect::<Result<_, _>>()?,
        potential_gradient: vec![gradient; times.len()],
        potential_time_derivative: Some(vec![energy; times.len()]),
        times,
        critic_gradient: Some(critic_gradient),
        noise: None,
        interaction: None,
    })?)
}
