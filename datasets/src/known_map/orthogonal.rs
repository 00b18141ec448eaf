//! Random symmetric matrices with known eigenvalues.

use std::ops::Range;

use ndarray::{Array1, Array2, Axis};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// U·diag(s)·Uᵀ with an orthogonal U.
#[derive(Debug, Clone)]
pub(super) struct Symmetric {
    vectors: Array2<f64>,
    values: Array1<f64>,
}

impl Symmetric {
    /// Random reflections, one after the other, and eigenvalues that are uniform in a range.
    pub(super) fn draw(dim: usize, range: Range<f64>, rng: &mut impl Rng) -> Self {
        let mut vectors = Array2::eye(dim);
        for _ in 0..dim {
            let v = Array1::from_shape_fn(dim, |_| rng.sample::<f64, _>(StandardNormal));
            // U·(I − 2vvᵀ/‖v‖²).
            let along: Array1<f64> = vectors.dot(&v) * (2.0 / v.dot(&v));
            vectors -= &(along.insert_axis(Axis(1)) * &v.insert_axis(Axis(0)));
        }
        let values = Array1::from_shape_fn(dim, |_| rng.random_range(range.clone()));
        Self { vectors, values }
    }

    pub(super) fn matrix(&self) -> Array2<f64> {
        (&self.vectors * &self.values).dot(&self.vectors.t())
    }

    pub(super) fn inverse(&self) -> Array2<f64> {
        (&self.vectors / &self.values).dot(&self.vectors.t())
    }

    pub(super) fn trace(&self) -> f64 {
        self.values.sum()
    }
}
