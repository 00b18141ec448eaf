//! Minibatches of the laws that a configuration names.

use super::config::Points;
use crate::TrainError;
use datasets::manifest::cache_root;
use datasets::{InitialLaw, Target};
use ndarray::{Array2, Axis};
use rand::{Rng, RngExt};
use std::path::Path;

/// A law that is ready to be drawn from.
#[derive(Debug, Clone)]
pub enum Draw {
    /// A synthetic target.
    Target {
        /// Which one.
        target: Target,
        /// Its ambient dimension.
        dim: usize,
        /// Whether a batch has equal counts of the components.
        balanced: bool,
    },
    /// Fresh points of a law.
    Noise {
        /// The law of a coordinate.
        law: InitialLaw,
        /// Its dimension.
        dim: usize,
    },
    /// The rows of a matrix, with replacement.
    Rows(Array2<f32>),
}

impl Draw {
    /// Reads what is to be read.
    ///
    /// # Errors
    /// What the reader reports.
    pub fn new(points: &Points) -> Result<Self, TrainError> {
        Ok(match points {
            &Points::Target { target, dim, balanced } => Self::Target { target, dim, balanced },
            &Points::Noise { law, dim } => Self::Noise { law, dim },
            Points::Digits { set, split } => {
                let root = cache_root(Path::new("."));
                Self::Rows(set.read(&root, *split)?.pixels.mapv(|x| x as f32))
            }
            Points::File { file } => Self::Rows(datasets::read_matrix(file)?.mapv(|x| x as f32)),
        })
    }

    /// The dimension of the points.
    pub fn dim(&self) -> usize {
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
    ///
    /// # Errors
    /// What the law reports; a checked configuration has none.
    pub fn points(&self, count: usize, rng: &mut impl Rng) -> Result<Array2<f64>, TrainError> {
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
