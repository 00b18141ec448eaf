//! The max-sliced Wasserstein distance: the direction along which two clouds differ most.

use super::{SlicedError, Slices, unit_vector};
use crate::exact::one_dimensional::{is_valid_power, monotone_cost, visit_monotone};
use crate::measure::{Measure, check_dimensions};
use ndarray::Array1;
use rand::Rng;
use rayon::prelude::*;

/// Ascent steps from each start.
const STEPS: usize = 60;

/// A step shorter than this, in radians, changes nothing that matters.
const SHORTEST_STEP: f64 = 1e-7;

/// The slice of largest cost that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct LargestSlice {
    /// W_p between the projections on `direction`: a lower bound of the max-sliced distance, and so of W_p.
    pub value: f64,
    /// The unit vector θ, \[d\].
    pub direction: Array1<f64>,
    /// The number of starts of the search.
    pub starts: usize,
}

/// The max-sliced Wasserstein distance max_θ W_p(θ·x, θ·y) over unit vectors θ, by ascent from several starts.
///
/// Deshpande et al., arXiv 1904.05877, eq. (7). The problem is not concave: what is returned is the best slice found
/// and so a lower bound, which more starts can only raise. The starts are the difference of the means and random
/// directions; each follows the gradient p·Σ P_ij |θ·z|^{p−1} sign(θ·z) z, z = x_i − y_j, with P the monotone coupling
/// of the slice, on the sphere.
///
/// All randomness is drawn from `rng` before the parallel part, d normal numbers for every start but the first.
///
/// # Errors
/// Measures of different dimensions, a power below 1, no starts.
///
/// O(starts·(n + m)·(d + log(n + m))) a step; the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, sliced::max_sliced_wasserstein};
/// use rand::SeedableRng;
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let (x, y) = (array![[0.0, 0.0], [1.0, 0.0]], array![[3.0, 4.0], [4.0, 4.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let slice = max_sliced_wasserstein(&source, &target, 2.0, 4, &mut rng)?;
/// assert!((slice.value - 5.0).abs() < 1e-9); // a translation: its own direction
/// # Ok::<(), ot_core::sliced::SlicedError>(())
/// ```
pub fn max_sliced_wasserstein<R: Rng + ?Sized>(
    source: &Measure<'_>,
    target: &Measure<'_>,
    p: f64,
    starts: usize,
    rng: &mut R,
) -> Result<LargestSlice, SlicedError> {
    check_dimensions(source, target)?;
    let dim = source.dim();
    if !is_valid_power(p) {
        return Err(SlicedError::Power(p));
    }
    let slices = Slices::new(source, target);
    let mut directions: Vec<Array1<f64>> = (1..starts).map(|_| unit_vector(dim, rng)).collect();
    if starts > 0 {
        let between = slices.slope(&Array1::zeros(dim), 1.0);
        directions.insert(0, normalised(between).unwrap_or_else(|| axis(dim)));
    }
    let found: Vec<(f64, Array1<f64>)> =
        directions.into_par_iter().map(|start| slices.ascend(start, p)).collect();
    let best = found.into_iter().reduce(|best, next| if next.0 > best.0 { next } else { best });
    let (cost, direction) = best.ok_or(SlicedError::NoDirections)?;
    Ok(LargestSlice { value: cost.powf(1.0 / p), direction, starts })
}

impl Slices<'_> {
    fn cost(&self, theta: &Array1<f64>, p: f64) -> f64 {
        let (on_x, on_y) = self.project(theta);
        monotone_cost(&on_x, &on_y, self.masses.as_ref(), p)
    }

    /// The gradient of the cost of a slice up to the factor p; at θ = 0 and p = 1 the difference of two points' means.
    fn slope(&self, theta: &Array1<f64>, p: f64) -> Array1<f64> {
        let (on_x, on_y) = self.project(theta);
        let [of_x, of_y] = &self.support;
        let mut slope = Array1::zeros(theta.len());
        visit_monotone(&on_x, &on_y, self.masses.as_ref(), |i, j, mass| {
            if let (Some(from), Some(to), Some(&first), Some(&second)) =
                (on_x.get(i), on_y.get(j), of_x.get(i), of_y.get(j))
            {
                let gap = from - to;
                let factor = mass * gap.abs().powf(p - 1.0) * gap.signum();
                slope.scaled_add(factor, &self.x.row(first));
                slope.scaled_add(-factor, &self.y.row(second));
            }
        });
        slope
    }

    /// Turns towards the gradient by angles that grow after a success and shrink after a failure.
    fn ascend(&self, start: Array1<f64>, p: f64) -> (f64, Array1<f64>) {
        let (mut theta, mut angle) = (start, 0.5f64);
        let mut cost = self.cost(&theta, p);
        let mut slope = self.slope(&theta, p);
        for _ in 0..STEPS {
            let tangent = &slope - &(&theta * slope.dot(&theta));
            let Some(tangent) = normalised(tangent) else { break };
            let turned = &theta * angle.cos() + &tangent * angle.sin();
            let raised = self.cost(&turned, p);
            if raised > cost {
                (theta, cost) = (turned, raised);
                slope = self.slope(&theta, p);
                angle = (1.5 * angle).min(0.5);
            } else {
                angle *= 0.25;
            }
            if angle < SHORTEST_STEP {
                break;
            }
        }
        (cost, theta)
    }
}

fn axis(dim: usize) -> Array1<f64> {
    let mut axis = Array1::zeros(dim);
    axis.iter_mut().take(1).for_each(|entry| *entry = 1.0);
    axis
}

fn normalised(vector: Array1<f64>) -> Option<Array1<f64>> {
    let length = vector.dot(&vector).sqrt();
    (length > 0.0 && length.is_finite()).then(|| vector / length)
}
