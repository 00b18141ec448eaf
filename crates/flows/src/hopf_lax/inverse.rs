//! The way back along a Hopf–Lax flow: it needs no search.

use crate::FlowError;
use crate::error::{expect_columns, flat};
use crate::hessian::{jacobians, log_determinant};
use crate::real::Real;
use crate::scalar_field::ScalarField;
use ndarray::{Array1, Array2, ArrayView2};

/// Points whose Hessians are held at once.
const CHUNK: usize = 256;

/// Where the paths begin that end at the rows of `y`, [n, d], if any does: x₀ = y + (T/λ)·∇φ(y), `rate` being T/λ.
///
/// φ(z) + λ‖x₀ − z‖²/(2T) is stationary at z = y. The path from x₀ ends at y where that is the minimum, which the flow from
/// x₀ tells; elsewhere no path ends at y.
///
/// Complexity: one gradient of the critic a point.
///
/// # Errors
/// [`FlowError::Shape`] for parameters or points that do not fit the critic.
///
/// ```
/// use flows::{activation::Activation, hopf_lax, mlp::{Mlp, Output}};
/// // φ(z) = tanh(2z), whose slope at 0 is 2.
/// let critic = Mlp::new(1, &[1], Activation::Tanh, Output::Identity)?;
/// let x = hopf_lax::inverse(&critic, &[2.0, 0.0, 1.0, 0.0], 0.5, ndarray::array![[0.0]].view())?;
/// assert_eq!(x, ndarray::array![[1.0]]);
/// # Ok::<(), flows::FlowError>(())
/// ```
pub fn inverse<T: Real, N: ScalarField>(
    critic: &N,
    parameters: &[T],
    rate: f64,
    y: ArrayView2<'_, T>,
) -> Result<Array2<T>, FlowError> {
    let (_, slopes) = critic.at(parameters, y)?;
    Ok(&y + &slopes.mapv(|slope| T::of(rate * slope.wide())))
}

/// log |det ∂x₀/∂y| = log |det(I + (T/λ)·∇²φ(y))| at the rows of `y`, [n, d]: added to log ρ₀(x₀) it is the log-density of
/// what the flow generates, at each y that a path ends at.
///
/// Complexity: d pullbacks of a gradient of the critic and O(d³) a point.
///
/// # Errors
/// As [`inverse`]; [`FlowError::Specification`] for derivatives that are not finite.
pub fn log_volume<T: Real, N: ScalarField>(
    critic: &N,
    parameters: &[T],
    rate: f64,
    y: ArrayView2<'_, T>,
) -> Result<Array1<f64>, FlowError> {
    expect_columns("the points", y, critic.input())?;
    let mut weights = N::Weights::default();
    critic.arrange(parameters, &mut weights)?;
    let mut volumes = Vec::with_capacity(y.nrows());
    for points in flat(y).chunks(CHUNK * critic.input()) {
        for jacobian in jacobians(critic, &weights, (points, critic.input()), rate)? {
            volumes.push(log_determinant(&jacobian)?);
        }
    }
    Ok(volumes.into())
}
