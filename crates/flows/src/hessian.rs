//! Derivatives of slopes and velocities in the points, and the volume that a step along a slope changes.

use crate::FlowError;
use crate::error::expect_rows;
use crate::mlp::{Cotangent, Order};
use crate::real::Real;
use crate::scalar_field::ScalarField;
use faer::{Mat, Side};
use ndarray::{Array3, Axis};

/// The Jacobians, [n, d, d], of a map at points of `len` coordinates, row i from the pullback of its output i at all points:
/// `pull_back(cotangent, row)` writes it.
pub(crate) fn by_rows<T: Real>(
    len: usize,
    dim: usize,
    mut pull_back: impl FnMut(&[T], &mut [T]) -> Result<(), FlowError>,
) -> Result<Array3<T>, FlowError> {
    let mut jacobians = Array3::zeros((len / dim.max(1), dim, dim));
    let mut row = vec![T::zero(); len];
    for i in 0..dim {
        let unit: Vec<T> = (0..len).map(|at| if at % dim == i { T::one() } else { T::zero() }).collect();
        pull_back(&unit, &mut row)?;
        jacobians.index_axis_mut(Axis(1), i).iter_mut().zip(&row).for_each(|(entry, &value)| *entry = value);
    }
    Ok(jacobians)
}

/// I + `rate`·∇²u at rows of `points`, [n, k], in their first `moved` coordinates: column j of the Hessian is the pullback of
/// ∂ⱼu.
///
/// Complexity: `moved` pullbacks of a gradient.
pub(crate) fn jacobians<T: Real, N: ScalarField>(
    network: &N,
    weights: &N::Weights<T>,
    (points, moved): (&[T], usize),
    rate: f64,
) -> Result<Vec<Mat<f64>>, FlowError> {
    let rank = network.input();
    let rows = expect_rows("the points", points.len(), rank)?;
    let (mut tape, mut unused) = (N::Tape::default(), vec![T::zero(); network.parameter_count()]);
    let zeros = vec![T::zero(); rows];
    let columns = (0..moved)
        .map(|j| {
            network.evaluate(weights, points, Order::Jet, &mut tape)?;
            let unit: Vec<T> =
                (0..points.len()).map(|i| if i % rank == j { T::one() } else { T::zero() }).collect();
            let cotangent = Cotangent { value: &zeros, gradient: Some(&unit), common: None };
            let mut column = vec![T::zero(); points.len()];
            network.pull_back(weights, &mut tape, cotangent, &mut unused, Some(&mut column))?;
            Ok(column)
        })
        .collect::<Result<Vec<Vec<T>>, FlowError>>()?;
    let jacobian = |row: usize| {
        Mat::from_fn(moved, moved, |i, j| {
            let second = columns.get(j).and_then(|column| column.get(row * rank + i));
            f64::from(u8::from(i == j)) + rate * second.map_or(f64::NAN, |second| second.wide())
        })
    };
    Ok((0..rows).map(jacobian).collect())
}

/// log |det| of a symmetric matrix.
pub(crate) fn log_determinant(jacobian: &Mat<f64>) -> Result<f64, FlowError> {
    let eigen = jacobian.self_adjoint_eigen(Side::Lower).map_err(|_| {
        let remedy = "ask for the density of points that are finite";
        FlowError::specification("the Hessian of the potential", "not finite", remedy)
    })?;
    Ok(eigen.S().column_vector().iter().map(|value| value.abs().ln()).sum())
}
