//! Mixtures of Gaussians.

use ndarray::{Array2, Array3, Axis};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::orthogonal::Symmetric;

/// x = cₖ + Aₖ·z with z ~ N(0, I) and k uniform.
#[derive(Debug, Clone)]
pub(super) struct Mixture {
    /// cₖ, [m, d].
    pub(super) centres: Array2<f64>,
    /// Aₖ, [m, d, d].
    pub(super) maps: Array3<f64>,
}

impl Mixture {
    /// N(0, I).
    pub(super) fn standard(dim: usize) -> Self {
        Self { centres: Array2::zeros((1, dim)), maps: Array2::eye(dim).insert_axis(Axis(0)) }
    }

    /// N(0, A²) with a random A whose eigenvalues lie between .5 and 1.5.
    pub(super) fn gaussian(dim: usize, rng: &mut impl Rng) -> Self {
        let root = Symmetric::draw(dim, 0.5..1.5, rng).matrix();
        Self { centres: Array2::zeros((1, dim)), maps: root.insert_axis(Axis(0)) }
    }

    pub(super) fn dim(&self) -> usize {
        self.centres.ncols()
    }

    /// `n` independent points, [n, d].
    pub(super) fn sample<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Array2<f64> {
        let mut points = Array2::zeros((n, self.dim()));
        for mut point in points.rows_mut() {
            let component = rng.random_range(0..self.centres.nrows());
            let normal = ndarray::Array1::from_shape_fn(self.dim(), |_| rng.sample(StandardNormal));
            let moved = self.maps.index_axis(Axis(0), component).dot(&normal);
            point.assign(&(moved + self.centres.row(component)));
        }
        points
    }
}
