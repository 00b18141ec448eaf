//! Records an explicit flow as any other is recorded.

use super::{ExplicitFlow, Returns};
use crate::real::Real;
use crate::record::{RecordError, StraightPaths};
use mfg::Trajectory;
use ndarray::ArrayView2;

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
    let slopes = (&start - &ends) * flow.weight();
    let time_scales = (flow.lambda(), flow.horizon());
    StraightPaths { start, ends: ends.view(), energy_of: slopes.view(), critic_gradient }
        .trajectory(time_scales, steps)
}
