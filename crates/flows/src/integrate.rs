//! Integrators of dx/dt = v(x, t) with any number of equal steps.

use crate::FlowError;
use crate::real::Real;
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
    /// Writes v at the rows of `x` and one time.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the batch does not fit the field.
    fn velocity(&mut self, x: &[T], t: T, v: &mut [T]) -> Result<(), FlowError>;
}

/// The velocity field v = −∇ₓU/λ of a potential whose derivatives can be asked for.
pub trait PotentialField<T>: VelocityField<T> {
    /// Writes ∇ₓU, batch × d, and ∂ₜU, batch, at the rows of `x` and one time.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    fn derivatives(&mut self, x: &[T], t: T, gradient: &mut [T], time: &mut [T]) -> Result<(), FlowError>;

    /// ΔₓU at the rows of `x` and one time.
    ///
    /// # Errors
    /// [`FlowError::Shape`] as above, [`FlowError::Specification`] for a potential without second derivatives.
    fn laplacian(&mut self, x: &[T], t: T) -> Result<Vec<T>, FlowError>;
}

impl<T, F: VelocityField<T> + ?Sized> VelocityField<T> for Box<F> {
    fn velocity(&mut self, x: &[T], t: T, v: &mut [T]) -> Result<(), FlowError> {
        (**self).velocity(x, t, v)
    }
}

/// Moves the rows of `x` from t = 0 to `horizon` in `steps` equal steps, calling `observe(i, t_i, x_i)` before each
/// step and once at the end.
///
/// # Errors
/// [`FlowError::Specification`] when `steps` is 0, and what the field reports.
pub fn integrate<T: Real>(
    field: &mut (impl VelocityField<T> + ?Sized),
    scheme: Scheme,
    horizon: T,
    steps: usize,
    x: &mut [T],
    mut observe: impl FnMut(usize, T, &[T]),
) -> Result<(), FlowError> {
    let h = horizon / T::of(step_count(steps)?);
    let mut k = vec![T::zero(); x.len()];
    let mut stage = x.to_vec();
    let mut sum = vec![T::zero(); x.len()];
    for i in 0..steps {
        let t = T::of(i as f64) * h;
        observe(i, t, x);
        match scheme {
            Scheme::Euler => {
                field.velocity(x, t, &mut k)?;
                add_scaled(x, h, &k);
            }
            Scheme::Rk4 => {
                sum.fill(T::zero());
                stage.copy_from_slice(x);
                // (weight of k_j in the sum, offset of the next stage)
                let (half, two) = (T::of(0.5), T::of(2.0));
                let tableau = [(T::one(), half), (two, half), (two, T::one()), (T::one(), T::zero())];
                let mut offset = T::zero();
                for (weight, next) in tableau {
                    field.velocity(&stage, t + offset * h, &mut k)?;
                    add_scaled(&mut sum, weight, &k);
                    stage.copy_from_slice(x);
                    add_scaled(&mut stage, next * h, &k);
                    offset = next;
                }
                add_scaled(x, h / T::of(6.0), &sum);
            }
        }
    }
    observe(steps, horizon, x);
    Ok(())
}

/// Moves the rows of `x` from t = 0 to `horizon` by Euler–Maruyama steps of dX = v dt + σ dW, calling `observe` as in
/// [`integrate`].
///
/// x_{i+1} = x_i + h·v(x_i, t_i) + σ√h·ξ_i, with ξ_i standard normal numbers from `normal`, row by row. The law at the horizon
/// has an error of first order in h.
///
/// Source: Kloeden and Platen, "Numerical Solution of Stochastic Differential Equations" (1992), section 10.2.
///
/// # Errors
/// As [`integrate`].
pub fn euler_maruyama<T: Real>(
    field: &mut (impl VelocityField<T> + ?Sized),
    sigma: T,
    (horizon, steps): (T, usize),
    x: &mut [T],
    mut normal: impl FnMut() -> T,
    mut observe: impl FnMut(usize, T, &[T]),
) -> Result<(), FlowError> {
    let h = horizon / T::of(step_count(steps)?);
    let spread = sigma * h.sqrt();
    let mut v = vec![T::zero(); x.len()];
    for i in 0..steps {
        let t = T::of(i as f64) * h;
        observe(i, t, x);
        field.velocity(x, t, &mut v)?;
        for (x, &v) in x.iter_mut().zip(&v) {
            *x += h * v + spread * normal();
        }
    }
    observe(steps, horizon, x);
    Ok(())
}

/// The number of steps as a divisor of the horizon.
///
/// # Errors
/// [`FlowError::Specification`] for zero.
pub(crate) fn step_count(steps: usize) -> Result<f64, FlowError> {
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
fn add_scaled<T: Real>(x: &mut [T], a: T, y: &[T]) {
    for (x, &y) in x.iter_mut().zip(y) {
        *x += a * y;
    }
}

#[cfg(test)]
mod tests {
    use super::{Scheme, VelocityField, euler_maruyama, integrate};
    use crate::FlowError;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// dx/dt = x·cos t, so x(t) = x₀·e^{sin t}.
    struct Curved;
    impl VelocityField<f64> for Curved {
        fn velocity(&mut self, x: &[f64], t: f64, v: &mut [f64]) -> Result<(), FlowError> {
            for (v, x) in v.iter_mut().zip(x) {
                *v = x * t.cos();
            }
            Ok(())
        }
    }

    #[test]
    fn error_falls_at_the_order_of_the_scheme() {
        for (scheme, order, steps) in [(Scheme::Euler, 1.0, 256), (Scheme::Rk4, 4.0, 16)] {
            let error = |n: usize| {
                let mut x = [1.0, -2.0];
                integrate(&mut Curved, scheme, 2.0, n, &mut x, |_, _, _| {}).unwrap();
                (x[0] - 2.0_f64.sin().exp()).abs()
            };
            let measured = (error(steps) / error(2 * steps)).log2();
            // The next term of the error expansion is O(h): a tenth of an order at these steps.
            assert!((measured - order).abs() < 0.15, "{scheme:?}: order {measured}");
        }
    }

    #[test]
    fn observers_see_every_time_once() {
        let mut times = Vec::new();
        integrate(&mut Curved, Scheme::Euler, 1.0, 4, &mut [1.0], |i, t, _| times.push((i, t))).unwrap();
        assert_eq!(times, [(0, 0.0), (1, 0.25), (2, 0.5), (3, 0.75), (4, 1.0)]);
    }

    /// dx/dt = −x.
    struct Decay;
    impl VelocityField<f64> for Decay {
        fn velocity(&mut self, x: &[f64], _t: f64, v: &mut [f64]) -> Result<(), FlowError> {
            v.iter_mut().zip(x).for_each(|(v, x)| *v = -x);
            Ok(())
        }
    }

    /// The Ornstein–Uhlenbeck process dX = −X dt + σ dW from X₀ = 2: the steps have the mean 2(1 − h)ⁿ and the variance of the
    /// recursion V ← (1 − h)²V + σ²h, which at h → 0 is the exact σ²(1 − e^{−2T})/2.
    #[test]
    fn euler_maruyama_has_the_law_of_its_recursion() {
        const PARTICLES: usize = 40_000;
        let (sigma, horizon, steps) = (0.7, 1.5, 64);
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut x = vec![2.0; PARTICLES];
        let mut times = 0;
        let normal = || StandardNormal.sample(&mut rng);
        euler_maruyama(&mut Decay, sigma, (horizon, steps), &mut x, normal, |_, _, _| times += 1).unwrap();
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
        let refused = integrate(&mut Curved, Scheme::Euler, 1.0, 0, &mut [1.0], |_, _, _| {});
        assert!(matches!(refused, Err(FlowError::Specification { .. })));
    }
}
