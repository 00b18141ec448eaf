//! The sliced Wasserstein distance: the mean of one-dimensional transport costs over random directions.

mod largest;

pub use largest::{LargestSlice, max_sliced_wasserstein};

use crate::WeightError;
use crate::cost::CostError;
use crate::exact::one_dimensional::monotone_cost;
use crate::exact::{Masses, one_dimensional::is_valid_power};
use crate::weights::Weights;
use ndarray::{Array1, ArrayView2};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// A Monte-Carlo estimate of a sliced Wasserstein distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sliced {
    /// SW_p = (mean of W_p^p over the directions)^{1/p}.
    pub value: f64,
    /// Monte-Carlo standard error of `value`, by the delta method; 0 for fewer than two directions.
    pub standard_error: f64,
    /// The number of directions.
    pub directions: usize,
}

/// Why a sliced distance is not defined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SlicedError {
    /// The points are not two clouds of one dimension.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// The weights are not a measure.
    #[error(transparent)]
    Weight(#[from] WeightError),
    /// The power is below 1, NaN or infinite.
    #[error("the power p = {0} must be finite and at least 1")]
    Power(f64),
    /// No direction was asked for.
    #[error("the number of directions must be at least 1; 100 or more give a useful estimate")]
    NoDirections,
}

/// The sliced Wasserstein distance SW_p = (E_θ W_p^p(θ·x, θ·y))^{1/p} with θ uniform on the unit sphere.
///
/// Bonneel et al., J. Math. Imaging Vis. 51 (2015), definition 1. Since |θ·z| ≤ ‖z‖, every slice, and so SW_p, is at most W_p.
///
/// `x` is \[n, d\], `y` is \[m, d\]; weights are divided by their sums, `None` means equal ones. All randomness is drawn from `rng` before the
/// parallel part, d normal numbers a direction.
///
/// # Errors
/// Clouds or weights that are not measures, a power below 1, no directions.
///
/// O(directions·(n + m)·(d + log(n + m))); the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::sliced::sliced_wasserstein;
/// use rand::SeedableRng;
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let (x, y) = (array![[0.0, 0.0]], array![[3.0, 4.0]]);
/// let sliced = sliced_wasserstein(x.view(), y.view(), None, None, 2.0, 2000, &mut rng)?;
/// // E (θ·z)² = ‖z‖²/d.
/// assert!((sliced.value - 12.5f64.sqrt()).abs() < 4.0 * sliced.standard_error);
/// # Ok::<(), ot_core::sliced::SlicedError>(())
/// ```
pub fn sliced_wasserstein<R: Rng + ?Sized>(
    x: ArrayView2<f64>,
    y: ArrayView2<f64>,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    p: f64,
    directions: usize,
    rng: &mut R,
) -> Result<Sliced, SlicedError> {
    crate::cost::check_clouds(x, y)?;
    let dim = x.ncols();
    if !is_valid_power(p) {
        return Err(SlicedError::Power(p));
    }
    if directions == 0 {
        return Err(SlicedError::NoDirections);
    }
    let slices = Slices::new(x, y, a, b)?;
    let thetas: Vec<Array1<f64>> = (0..directions).map(|_| unit_vector(dim, rng)).collect();
    let costs: Vec<f64> = thetas
        .par_iter()
        .map(|theta| {
            let (on_x, on_y) = slices.project(theta);
            monotone_cost(&on_x, &on_y, slices.masses.as_ref(), p)
        })
        .collect();
    let count = directions as f64;
    let mean = costs.iter().sum::<f64>() / count;
    let value = mean.powf(1.0 / p);
    let variance =
        costs.iter().map(|cost| (cost - mean) * (cost - mean)).sum::<f64>() / (count - 1.0).max(1.0);
    let standard_error = if mean > 0.0 { value / (p * mean) * (variance / count).sqrt() } else { 0.0 };
    Ok(Sliced { value, standard_error, directions })
}

/// Two weighted clouds that are projected to lines.
struct Slices<'a> {
    x: ArrayView2<'a, f64>,
    y: ArrayView2<'a, f64>,
    /// The points that carry mass.
    support: [Vec<usize>; 2],
    /// Nothing for equal weights and equal sizes.
    masses: Option<Masses>,
}

impl<'a> Slices<'a> {
    fn new(
        x: ArrayView2<'a, f64>,
        y: ArrayView2<'a, f64>,
        a: Option<&[f64]>,
        b: Option<&[f64]>,
    ) -> Result<Self, WeightError> {
        let is_uniform = a.is_none() && b.is_none() && x.nrows() == y.nrows();
        let (a, b) = Weights::pair(a, b, x.nrows(), y.nrows())?;
        let masses = (!is_uniform).then(|| Masses::new(&a.positive(), &b.positive()));
        Ok(Self { x, y, support: [a.support, b.support], masses })
    }

    /// θ·x and θ·y of the points that carry mass.
    fn project(&self, theta: &Array1<f64>) -> (Vec<f64>, Vec<f64>) {
        let [of_x, of_y] = &self.support;
        let project = |points: ArrayView2<f64>, support: &[usize]| -> Vec<f64> {
            support.iter().map(|&index| points.row(index).dot(theta)).collect()
        };
        (project(self.x, of_x), project(self.y, of_y))
    }
}

/// A uniform direction: a normal vector over its length, drawn again in the null event of length 0.
fn unit_vector<R: Rng + ?Sized>(dim: usize, rng: &mut R) -> Array1<f64> {
    loop {
        let normal: Array1<f64> = Array1::from_shape_simple_fn(dim, || StandardNormal.sample(&mut *rng));
        let length = normal.dot(&normal).sqrt();
        if length > 0.0 {
            return normal / length;
        }
    }
}
