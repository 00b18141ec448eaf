//! The isotropic multivariate Student-t law, a target with heavy tails.

use ndarray::{Array2, s};
use rand::{Rng, RngExt};
use rand_distr::{ChiSquared, StandardNormal};

use crate::SampleError;

/// Below these degrees of freedom points leave the range of single precision, in which networks see them: they exceed
/// 3·10³⁸ with a probability of the order of (3·10³⁸)^(−ν), which is 10⁻¹⁹ for ν = ½.
const LEAST: f64 = 0.5;

/// The isotropic Student-t law with ν degrees of freedom in the first k coordinates of R^d, the other coordinates exactly 0:
/// x = z·√(ν/w), z ~ N(0, I_k), w ~ χ²_ν.
///
/// ‖x‖²/k has the law F(k, ν). For k = 2 the radial survival function is P(‖x‖ > r) = (1 + r²/ν)^(−ν/2); for every k it
/// falls as r^(−ν), so that E‖x‖^p is finite for p < ν alone: ν ≤ 2 has no second moment, ν ≤ 1 no mean.
///
/// ```
/// # fn main() -> Result<(), datasets::SampleError> {
/// let law = datasets::StudentT::new(3.0, 2, 5)?;
/// let points = law.sample(100, &mut datasets::stream(0, "target", 0));
/// assert_eq!(points.dim(), (100, 5));
/// assert_eq!(points[[7, 2]], 0.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StudentT {
    degrees_of_freedom: f64,
    manifold_dim: usize,
    dim: usize,
    mixing: ChiSquared<f64>,
}

impl StudentT {
    /// The law of ν = `degrees_of_freedom` in the first k = `manifold_dim` coordinates of R^`dim`.
    ///
    /// # Errors
    /// [`SampleError::Parameter`] for ν < ½, whose points single precision does not hold, or not finite, and for k = 0 or
    /// k > `dim`.
    pub fn new(degrees_of_freedom: f64, manifold_dim: usize, dim: usize) -> Result<Self, SampleError> {
        let outside = |remedy| SampleError::Parameter {
            field: "degrees_of_freedom",
            value: degrees_of_freedom,
            remedy,
        };
        let remedy =
            "give a finite number of at least 0.5, below which points leave the range of single precision";
        if !degrees_of_freedom.is_finite() || degrees_of_freedom < LEAST {
            return Err(outside(remedy));
        }
        if manifold_dim == 0 || manifold_dim > dim {
            let remedy = "give at least 1 and at most the dimension of the points";
            return Err(SampleError::Parameter { field: "manifold_dim", value: manifold_dim as f64, remedy });
        }
        let mixing = ChiSquared::new(degrees_of_freedom).map_err(|_| outside(remedy))?;
        Ok(Self { degrees_of_freedom, manifold_dim, dim, mixing })
    }

    /// The dimension k of the subspace that the law lies in.
    #[must_use]
    pub fn manifold_dim(&self) -> usize {
        self.manifold_dim
    }

    /// The dimension d of the points.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Draws `n` independent points, row by row.
    ///
    /// Shapes: [n, d]; columns k.. are exactly 0. Complexity: O(n·d).
    pub fn sample<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Array2<f64> {
        let mut points = Array2::zeros((n, self.dim));
        for mut point in points.slice_mut(s![.., ..self.manifold_dim]).rows_mut() {
            let radius = (self.degrees_of_freedom / rng.sample(self.mixing)).sqrt();
            point.mapv_inplace(|_: f64| radius * rng.sample::<f64, _>(StandardNormal));
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::StudentT;
    use crate::{SampleError, stream};
    use ndarray::s;

    /// P(‖x‖ > r) for even k. Given w, ‖z‖²/2 is a sum of k/2 exponential times, so that the probability is
    /// E e^(−a)·Σ_{j < k/2} a^j/j!, a = r²w/2ν; and E w^j e^(−sw) = 2^j (ν/2)_j (1 + 2s)^(−ν/2−j) of w ~ χ²_ν, with the
    /// rising factorial (ν/2)_j. One term, (1 + r²/ν)^(−ν/2), for k = 2.
    fn survival(nu: f64, k: usize, r: f64) -> f64 {
        let square = r * r / nu;
        let mut term = (1.0 + square).powf(-nu / 2.0);
        let mut sum = term;
        for j in 1..k / 2 {
            term *= square / (1.0 + square) * (nu / 2.0 + (j - 1) as f64) / j as f64;
            sum += term;
        }
        sum
    }

    /// The share beyond each radius within 4.5 standard errors, from the middle of the law to where 100 of 40 000 points lie.
    #[test]
    fn the_radial_survival_function_is_that_of_the_law() {
        let n = 40_000;
        for (nu, k) in [(3.0, 2), (1.0, 2), (0.5, 2), (3.0, 10), (1.0, 10), (30.0, 4)] {
            let points = StudentT::new(nu, k, k).unwrap().sample(n, &mut stream(1, "student-t", k as u64));
            let radii: Vec<f64> = points.rows().into_iter().map(|x| x.dot(&x).sqrt()).collect();
            let mut checked = 0;
            for exponent in -4..40 {
                let r = 2.0_f64.powi(exponent);
                let expected = survival(nu, k, r);
                if expected * n as f64 <= 100.0 {
                    break;
                }
                let share = radii.iter().filter(|&&radius| radius > r).count() as f64 / n as f64;
                let error = (expected * (1.0 - expected) / n as f64).sqrt();
                assert!(
                    (share - expected).abs() <= 4.5 * error + 1e-12,
                    "ν = {nu}, k = {k}, r = {r}: {share} for {expected}"
                );
                checked += 1;
            }
            assert!(checked > 5);
        }
        assert!((survival(3.0, 2, 3.0) - 0.125).abs() < 1e-12, "(1 + 3)^(−3/2) by hand");
    }

    /// Directions: the mean of the sign of a coordinate and of products of two are 0 within 4.5 standard errors.
    #[test]
    fn the_law_has_no_direction_of_its_own() {
        let points = StudentT::new(1.0, 3, 3).unwrap().sample(10_000, &mut stream(2, "student-t", 0));
        for (i, j) in [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)] {
            let sign =
                |x: ndarray::ArrayView1<'_, f64>| if i == j { x[i].signum() } else { (x[i] * x[j]).signum() };
            let mean = points.rows().into_iter().map(sign).sum::<f64>() / 10_000.0;
            assert!(mean.abs() < 0.045, "coordinates {i} and {j}: {mean}");
        }
    }

    #[test]
    fn what_is_padded_is_zero_and_seeds_address_points() {
        let law = StudentT::new(0.5, 10, 110).unwrap();
        let draw = |seed| law.sample(50, &mut stream(seed, "student-t", 0));
        let points = draw(0);
        assert!(points.slice(s![.., 10..]).iter().all(|&x| x == 0.0));
        assert!(points.slice(s![.., ..10]).iter().all(|&x| x != 0.0 && (x as f32).is_finite()));
        assert_eq!(points, draw(0));
        assert_ne!(points, draw(1));
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (law, name) in [
            (StudentT::new(0.4, 2, 2), "degrees_of_freedom"),
            (StudentT::new(f64::NAN, 2, 2), "degrees_of_freedom"),
            (StudentT::new(f64::INFINITY, 2, 2), "degrees_of_freedom"),
            (StudentT::new(3.0, 0, 2), "manifold_dim"),
            (StudentT::new(3.0, 3, 2), "manifold_dim"),
        ] {
            assert!(matches!(law, Err(SampleError::Parameter { field, .. }) if field == name), "{law:?}");
        }
    }
}
