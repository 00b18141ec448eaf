//! Integrators of dx/dt = v(x, t) with any number of equal steps.

use crate::FlowError;
use crate::real::Real;
use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

/// The rule of one step of size h = T/n from t_i = i·h.
///
/// | name | order | x_{i+1} |
/// | --- | --- | --- |
/// | `euler` | 1 | x_i + h·v(x_i, t_i) |
/// | `rk4` | 4 | x_i + h·(k_1 + 2k_2 + 2k_3 + k_4)/6, the classical tableau |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Forward Euler: exact in one step for the optimal flow, whose paths are straight.
    #[default]
    Euler,
    /// Classical fourth-order Runge–Kutta.
    Rk4,
}

/// A velocity field v(x, t) on batches of points.
pub trait VelocityField<T> {
    /// Writes v at the rows of `x` and one time; `x` and `v` are [n, d].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the batch does not fit the field.
    fn velocity(&mut self, x: ArrayView2<'_, T>, t: T, v: ArrayViewMut2<'_, T>) -> Result<(), FlowError>;
}

/// Moves the rows of `x` from t = 0 to `horizon` in `steps` equal steps, calling `observe(i, t_i, x_i)` before each
/// step and once at the end.
///
/// # Errors
/// [`FlowError::Specification`] when `steps` is 0, and what the field reports.
///
/// ```
/// use flows::integrate::{Scheme, VelocityField, integrate};
/// use ndarray::{ArrayView2, ArrayViewMut2, array};
/// /// dx/dt = x.
/// struct Growth;
/// impl VelocityField<f64> for Growth {
///     fn velocity(
///         &mut self, x: ArrayView2<f64>, _: f64, mut v: ArrayViewMut2<f64>,
///     ) -> Result<(), flows::FlowError> {
///         v.assign(&x);
///         Ok(())
///     }
/// }
/// let mut x = array![[1.0, -2.0]];
/// integrate(&mut Growth, Scheme::Rk4, 1.0, 16, x.view_mut(), |_, _, _| {})?;
/// assert!((x[[0, 0]] - 1.0_f64.exp()).abs() < 1e-6);
/// # Ok::<(), flows::FlowError>(())
/// ```
pub fn integrate<T: Real>(
    field: &mut (impl VelocityField<T> + ?Sized),
    scheme: Scheme,
    horizon: T,
    steps: usize,
    mut x: ArrayViewMut2<'_, T>,
    mut observe: impl FnMut(usize, T, ArrayView2<'_, T>),
) -> Result<(), FlowError> {
    let h = horizon / T::of(step_count(steps)?);
    let mut k = Array2::from_elem(x.dim(), T::zero());
    let mut stage = k.clone();
    let mut sum = k.clone();
    for i in 0..steps {
        let t = T::of(i as f64) * h;
        observe(i, t, x.view());
        match scheme {
            Scheme::Euler => {
                field.velocity(x.view(), t, k.view_mut())?;
                add_scaled(&mut x, h, &k);
            }
            Scheme::Rk4 => {
                sum.fill(T::zero());
                stage.assign(&x);
                // (weight of k_j in the sum, offset of the next stage)
                let (half, two) = (T::of(0.5), T::of(2.0));
                let tableau = [(T::one(), half), (two, half), (two, T::one()), (T::one(), T::zero())];
                let mut offset = T::zero();
                for (weight, next) in tableau {
                    field.velocity(stage.view(), t + offset * h, k.view_mut())?;
                    add_scaled(&mut sum.view_mut(), weight, &k);
                    stage.assign(&x);
                    add_scaled(&mut stage.view_mut(), next * h, &k);
                    offset = next;
                }
                add_scaled(&mut x, h / T::of(6.0), &sum);
            }
        }
    }
    observe(steps, horizon, x.view());
    Ok(())
}

/// Moves the rows of `x` from t = 0 to `horizon` by Euler–Maruyama steps of dX = v dt + σ dW, calling `observe` as in
/// [`integrate`].
///
/// x_{i+1} = x_i + h·v(x_i, t_i) + σ√h·ξ_i, with ξ_i standard normal numbers from `normal`, row by row. The law at the
/// horizon has an error of first order in h.
///
/// Source: Kloeden and Platen, "Numerical Solution of Stochastic Differential Equations" (1992), section 10.2.
///
/// # Errors
/// As [`integrate`].
pub fn euler_maruyama<T: Real>(
    field: &mut (impl VelocityField<T> + ?Sized),
    sigma: T,
    (horizon, steps): (T, usize),
    mut x: ArrayViewMut2<'_, T>,
    mut normal: impl FnMut() -> T,
    mut observe: impl FnMut(usize, T, ArrayView2<'_, T>),
) -> Result<(), FlowError> {
    let h = horizon / T::of(step_count(steps)?);
    let spread = sigma * h.sqrt();
    let mut v = Array2::from_elem(x.dim(), T::zero());
    for i in 0..steps {
        let t = T::of(i as f64) * h;
        observe(i, t, x.view());
        field.velocity(x.view(), t, v.view_mut())?;
        for (x, &v) in x.iter_mut().zip(&v) {
            *x += h * v + spread * normal();
        }
    }
    observe(steps, horizon, x.view());
    Ok(())
}

/// The number of steps as a divisor of the horizon.
///
/// # Errors
/// [`FlowError::Specification`] for zero.
pub fn step_count(steps: usize) -> Result<f64, FlowError> {
    if steps == 0 {
        return Err(FlowError::Specification {
            what: "the number of steps".into(),
            found: "0".into(),
            remedy: "give at least one step".into(),
        });
    }
    Ok(steps as f64)
}

/// x ← x + a·y.
fn add_scaled<T: Real>(x: &mut ArrayViewMut2<'_, T>, a: T, y: &Array2<T>) {
    x.zip_mut_with(y, |x, &y| *x += a * y);
}

#[cfg(test)]
mod tests {
    use super::{Scheme, VelocityField, euler_maruyama, integrate};
    use crate::FlowError;
    use ndarray::{Array2, ArrayView2, ArrayViewMut2, array};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// dx/dt = x·cos t, so x(t) = x₀·e^{sin t}.
    struct Curved;
    impl VelocityField<f64> for Curved {
        fn velocity(
            &mut self,
            x: ArrayView2<'_, f64>,
            t: f64,
            mut v: ArrayViewMut2<'_, f64>,
        ) -> Result<(), FlowError> {
            v.zip_mut_with(&x, |v, x| *v = x * t.cos());
            Ok(())
        }
    }

    #[test]
    fn error_falls_at_the_order_of_the_scheme() {
        for (scheme, order, steps) in [(Scheme::Euler, 1.0, 256), (Scheme::Rk4, 4.0, 16)] {
            let error = |n: usize| {
                let mut x = array![[1.0], [-2.0]];
                integrate(&mut Curved, scheme, 2.0, n, x.view_mut(), |_, _, _| {}).unwrap();
                (x[[0, 0]] - 2.0_f64.sin().exp()).abs()
            };
            let measured = (error(steps) / error(2 * steps)).log2();
            // The next term of the error expansion is O(h): a tenth of an order at these steps.
            assert!((measured - order).abs() < 0.15, "{scheme:?}: order {measured}");
        }
    }

    #[test]
    fn observers_see_every_time_once() {
        let mut times = Vec::new();
        let mut x = array![[1.0]];
        integrate(&mut Curved, Scheme::Euler, 1.0, 4, x.view_mut(), |i, t, _| times.push((i, t))).unwrap();
        assert_eq!(times, [(0, 0.0), (1, 0.25), (2, 0.5), (3, 0.75), (4, 1.0)]);
    }

    /// dx/dt = −x.
    struct Decay;
    impl VelocityField<f64> for Decay {
        fn velocity(
            &mut self,
            x: ArrayView2<'_, f64>,
            _t: f64,
            mut v: ArrayViewMut2<'_, f64>,
        ) -> Result<(), FlowError> {
            v.zip_mut_with(&x, |v, x| *v = -x);
            Ok(())
        }
    }

    /// The Ornstein–Uhlenbeck process dX = −X dt + σ dW from X₀ = 2: the steps have the mean 2(1 − h)ⁿ and the variance
    /// of the recursion V ← (1 − h)²V + σ²h, which at h → 0 is the exact σ²(1 − e^{−2T})/2.
    #[test]
    fn euler_maruyama_has_the_law_of_its_recursion() {
        const PARTICLES: usize = 40_000;
        let (sigma, horizon, steps) = (0.7, 1.5, 64);
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut x = Array2::from_elem((PARTICLES, 1), 2.0);
        let mut times = 0;
        let normal = || StandardNormal.sample(&mut rng);
        euler_maruyama(&mut Decay, sigma, (horizon, steps), x.view_mut(), normal, |_, _, _| times += 1)
            .unwrap();
        assert_eq!(times, steps + 1);
        let h = horizon / steps as f64;
        let expected =
            (0..steps).fold(0.0, |variance, _| (1.0 - h) * (1.0 - h) * variance + sigma * sigma * h);
        let n = PARTICLES as f64;
        let mean = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        // Four standard errors of a mean and of a variance.
        assert!((mean - 2.0 * (1.0 - h).powi(steps as i32)).abs() < 4.0 * (expected / n).sqrt(), "{mean}");
        assert!((variance - expected).abs() < 4.0 * expected * (2.0 / n).sqrt(), "{variance}");
        // First order: the recursion is within h of the exact variance.
        let exact = 0.5 * sigma * sigma * (1.0 - (-2.0 * horizon).exp());
        assert!((expected / exact - 1.0).abs() < h, "{expected} against {exact}");
    }

    #[test]
    fn zero_steps_are_refused() {
        let refused = integrate(&mut Curved, Scheme::Euler, 1.0, 0, array![[1.0]].view_mut(), |_, _, _| {});
        assert!(matches!(refused, Err(FlowError::Specification { .. })));
    }
}
