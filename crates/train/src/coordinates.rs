//! The coordinates that the network of a flow begins with.

use crate::TrainError;
use crate::remembered::POOL;
use crate::source::{Conditions, Draw, Source, name};
use datasets::stream;
use flows::FlowError;
use flows::affine::{Affine, Base};
use ndarray::{Array1, Array2, s};
use ot_core::gaussian::Gaussian;

/// The name of their numbers ([`Affine::numbers`]) in a stored state.
pub(crate) const AFFINE: &str = "affine";

/// The coordinates that the base asks for, in the `rank` widest directions, one base for all conditions; `pool` are the
/// data, or many of them.
pub(crate) fn affine(
    (base, rank): (Base, Option<usize>),
    source: &Source,
    pool: &Array2<f32>,
    seed: u64,
) -> Result<Affine, TrainError> {
    let condition = source.condition.as_ref().map_or(0, Conditions::width);
    match base {
        Base::Identity => Ok(Affine::identity(source.dim())),
        Base::Gaussian => {
            let moved = pool.slice(s![.., ..pool.ncols() - condition]).mapv(f64::from);
            let target = Gaussian::from_samples(moved.view()).map_err(FlowError::from)?;
            let affine = Affine::gaussian(&moments(&source.initial, seed)?, &target)?;
            Ok(affine.truncated(rank.unwrap_or(usize::MAX)).beside(condition))
        }
    }
}

/// The Gaussian with the moments of the initial points: exact ones of a law, those of all rows or of a pool otherwise.
fn moments(initial: &Draw, seed: u64) -> Result<Gaussian, TrainError> {
    let gaussian = match initial {
        &Draw::Law { law, dim } => {
            let (mean, variance) = law.moments();
            Gaussian::new(Array1::from_elem(dim, mean), Array2::eye(dim) * variance)
        }
        Draw::Rows(rows) | Draw::Pooled { rows, .. } => Gaussian::from_samples(rows.mapv(f64::from).view()),
        Draw::Conditional { draw, .. } => return moments(draw, seed),
        Draw::Target { .. }
        | Draw::StudentT(_)
        | Draw::Labelled { .. }
        | Draw::Known { .. }
        | Draw::Funnels { .. }
        | Draw::Run(_)
        | Draw::Scaled { .. } => {
            let points = initial.points(POOL, &mut stream(seed, name::POOL, 1))?;
            Gaussian::from_samples(points.view())
        }
    };
    Ok(gaussian.map_err(FlowError::from)?)
}
