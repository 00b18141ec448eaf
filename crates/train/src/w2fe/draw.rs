//! Minibatches of the laws that a configuration names.

use super::config::Points;
use crate::TrainError;
use datasets::{InitialLaw, Target};
use ndarray::{Array2, Axis};
use rand::{Rng, RngExt};

/// A law that is ready to be drawn from.
#[derive(Debug, Clone)]
pub(super) enum Draw {
    Target { target: Target, dim: usize, balanced: bool },
    Noise { law: InitialLaw, dim: usize },
    Rows(Array2<f32>),
}

impl Draw {
    pub(super) fn new(points: &Points) -> Result<Self, TrainError> {
        Ok(match points {
            &Points::Target { target, dim, balanced } => Self::Target { target, dim, balanced },
            &Points::Noise { law, dim } => Self::Noise { law, dim },
            Points::File { file } => Self::Rows(datasets::read_matrix(file)?.mapv(|x| x as f32)),
        })
    }

    pub(super) fn dim(&self) -> usize {
        match self {
            Self::Target { dim, .. } | Self::Noise { dim, .. } => *dim,
            Self::Rows(rows) => rows.ncols(),
        }
    }

    /// `count` points, row-major in single precision.
    pub(super) fn batch(&self, count: usize, rng: &mut impl Rng) -> Result<Vec<f32>, TrainError> {
        let points = self.points(count, rng)?;
        Ok(points.iter().map(|&x| x as f32).collect())
    }

    /// `count` points, one a row.
    pub(super) fn points(&self, count: usize, rng: &mut impl Rng) -> Result<Array2<f64>, TrainError> {
        Ok(match self {
            &Self::Target { target, dim, balanced: true } => target.sample_balanced(count, dim, rng)?,
            &Self::Target { target, dim, balanced: false } => target.sample(count, dim, rng)?,
            &Self::Noise { law, dim } => law.sample(count, dim, rng)?,
            Self::Rows(rows) => {
                let drawn: Vec<usize> = (0..count).map(|_| rng.random_range(0..rows.nrows())).collect();
                rows.select(Axis(0), &drawn).mapv(f64::from)
            }
        })
    }
}
