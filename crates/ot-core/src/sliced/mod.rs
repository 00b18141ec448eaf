//! The sliced Wasserstein distance: the mean of one-dimensional transport costs over random directions.

mod largest;

pub use largest::{LargestSlice, max_sliced_wasserstein};

use crate::exact::one_dimensional::monotone_cost;
use crate::exact::{Masses, one_dimensional::is_valid_power};
use crate::measure::{Measure, MeasureError, check_dimensions};
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
#[non_exhaustive]
pub enum SlicedError {
    /// Points or weights are not a measure, or the two have different dimensions.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The power is below 1, NaN or infinite.
    #[error("the power p = {0} must be finite and at least 1")]
    Power(f64),
    /// No direction was asked for.
    #[error("the number of directions must be at least 1; 100 or more give a useful estimate")]
    NoDirections,
}

/// The sliced Wasserstein distance SW_p = (E_θ W_p^p(θ·x, θ·y))^{1/p} with θ uniform on the unit sphere.
///
/// Bonneel et al., J. Math. Imaging Vis. 51 (2015), definition 1. Since |θ·z| ≤ ‖z‖, every slice, and so SW_p, is at
/// most W_p.
///
/// All randomness is drawn from `rng` before the parallel part, d normal numbers a direction.
///
/// # Errors
/// Measures of different dimensions, a power below 1, no directions.
///
/// O(directions·(n + m)·(d + log(n + m))); the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, sliced::sliced_wasserstein};
/// use rand::SeedableRng;
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let (x, y) = (array![[0.0, 0.0]], array![[3.0, 4.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let sliced = sliced_wasserstein(&source, &target, 2.0, 2000, &mut rng)?;
/// // E (θ·z)² = ‖z‖²/d.
/// assert!((sliced.value - 12.5f64.sqrt()).abs() < 4.0 * sliced.standard_error);
/// # Ok::<(), ot_core::sliced::SlicedError>(())
/// ```
pub fn sliced_wasserstein<R: Rng + ?Sized>(
    source: &Measure<'_>,
    target: &Measure<'_>,
    p: f64,
    directions: usize,
    rng: &mut R,
) -> Result<Sliced, SlicedError> {
    check_dimensions(source, target)?;
    let dim = source.dim();
    if !is_valid_power(p) {
        return Err(SlicedError::Power(p));
    }
    if directions == 0 {
        return Err(SlicedError::NoDirections);
    }
    let slices = Slices::new(source, target);
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
    fn new(source: &Measure<'a>, target: &Measure<'a>) -> Self {
        let is_uniform =
            source.weights().is_none() && target.weights().is_none() && source.count() == target.count();
        let (a, b) = (source.probabilities(), target.probabilities());
        let masses = (!is_uniform).then(|| Masses::new(&a.positive(), &b.positive()));
        Self { x: source.points(), y: target.points(), support: [a.support, b.support], masses }
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
