//! The exact Hessian of the network, for densities.

use crate::FlowError;
use crate::error::expect_rows;
use crate::mlp::{Cotangent, Mlp, Order, Tape, Weights};
use crate::real::Real;
use faer::{Mat, Side};

/// Points whose Hessians are held at once.
const CHUNK: usize = 256;

/// log |det(I − ∇²N)| at rows of `points`, [n, k]: column j of the Hessian is the pullback of ∂ⱼN.
///
/// # Errors
/// [`FlowError::Shape`] when the points are not of the network, [`FlowError::Specification`] for a Hessian that is not
/// finite.
pub(super) fn log_determinants<T: Real>(
    network: &Mlp,
    weights: &Weights<T>,
    points: &[T],
) -> Result<Vec<f64>, FlowError> {
    let rank = network.input();
    let count = expect_rows("the points", points.len(), rank)?;
    let mut determinants = Vec::with_capacity(count);
    let (mut tape, mut unused) = (Tape::new(), vec![T::zero(); network.parameter_count()]);
    for chunk in points.chunks(CHUNK * rank) {
        let rows = chunk.len() / rank;
        let zeros = vec![T::zero(); rows];
        let columns = (0..rank)
            .map(|j| {
                network.evaluate(weights, chunk, Order::Jet, &mut tape)?;
                let unit: Vec<T> =
                    (0..chunk.len()).map(|i| if i % rank == j { T::one() } else { T::zero() }).collect();
                let cotangent = Cotangent { value: &zeros, gradient: Some(&unit), common: None };
                let mut column = vec![T::zero(); chunk.len()];
                network.pull_back(weights, &mut tape, cotangent, &mut unused, Some(&mut column))?;
                Ok(column)
            })
            .collect::<Result<Vec<Vec<T>>, FlowError>>()?;
        for row in 0..rows {
            let entry = |i: usize, j: usize| {
                let second = columns.get(j).and_then(|column| column.get(row * rank + i));
                f64::from(u8::from(i == j)) - second.map_or(f64::NAN, |second| second.wide())
            };
            let jacobian = Mat::from_fn(rank, rank, entry);
            let eigen = jacobian.self_adjoint_eigen(Side::Lower).map_err(|_| {
                FlowError::specification(
                    "the Hessian of the potential",
                    "not finite",
                    "ask for the density of points that are finite",
                )
            })?;
            determinants.push(eigen.S().column_vector().iter().map(|value| value.abs().ln()).sum());
        }
    }
    Ok(determinants)
}
