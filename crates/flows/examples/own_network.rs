//! A critic network of one's own: what it must implement, and a check of that against finite differences.
//!
//! The field is a mixture of Gaussian bumps, u(z; θ) = Σ_k w_k·exp(−‖z − m_k‖²/2) with θ = (m_1, w_1, …, m_K, w_K). Its
//! pullback computes the bumps again from the points, so [`PointTape`] is all that an evaluation keeps.

use flows::FlowError;
use flows::mlp::{Cotangent, Order};
use flows::real::Real;
use flows::scalar_field::{PointTape, ScalarField};
use rand::{Rng, RngExt, SeedableRng};

/// K bumps in R^d.
#[derive(Debug, Clone)]
pub(crate) struct Bumps {
    /// d.
    pub dim: usize,
    /// K.
    pub count: usize,
}

impl Bumps {
    /// (m_k, w_k) of every bump.
    fn each<'a, T>(&self, parameters: &'a [T]) -> impl Iterator<Item = (&'a [T], &'a T)> {
        parameters.chunks_exact(self.dim + 1).filter_map(|bump| bump.split_last().map(|(w, m)| (m, w)))
    }

    fn expect(what: &'static str, found: usize, expected: usize) -> Result<(), FlowError> {
        if found == expected { Ok(()) } else { Err(FlowError::Shape { what, found, expected }) }
    }
}

/// exp(−‖z − m‖²/2).
fn bump<T: Real>(z: &[T], m: &[T]) -> T {
    (T::of(-0.5) * z.iter().zip(m).map(|(&z, &m)| (z - m) * (z - m)).sum::<T>()).exp()
}

impl ScalarField for Bumps {
    type Weights<T: Real> = Vec<T>;
    type Tape<T: Real> = PointTape<T>;

    fn input(&self) -> usize {
        self.dim
    }

    fn parameter_count(&self) -> usize {
        self.count * (self.dim + 1)
    }

    fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        (0..self.parameter_count()).map(|_| T::of(2.0 * rng.random::<f64>() - 1.0)).collect()
    }

    fn arrange<T: Real>(&self, parameters: &[T], weights: &mut Vec<T>) -> Result<(), FlowError> {
        Self::expect("the parameters of the bumps", parameters.len(), self.parameter_count())?;
        *weights = parameters.to_vec();
        Ok(())
    }

    fn evaluate<T: Real>(
        &self,
        weights: &Vec<T>,
        points: &[T],
        order: Order,
        tape: &mut PointTape<T>,
    ) -> Result<(), FlowError> {
        Self::expect("the points", points.len() % self.dim, 0)?;
        *tape = PointTape { points: points.to_vec(), ..PointTape::default() };
        for z in points.chunks_exact(self.dim) {
            tape.value.push(self.each(weights).map(|(m, &w)| w * bump(z, m)).sum());
            if order == Order::Jet {
                // ∇u = −Σ w·e·(z − m).
                let slope = |j: usize| {
                    let along = |m: &[T]| z.iter().zip(m).nth(j).map_or(T::zero(), |(&z, &m)| m - z);
                    self.each(weights).map(|(m, &w)| w * bump(z, m) * along(m)).sum::<T>()
                };
                tape.gradient.extend((0..self.dim).map(slope));
            }
        }
        Ok(())
    }

    fn pull_back<T: Real>(
        &self,
        weights: &Vec<T>,
        tape: &mut PointTape<T>,
        cotangent: Cotangent<'_, T>,
        parameters: &mut [T],
        mut inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        Self::expect("the gradient of the bumps", parameters.len(), self.parameter_count())?;
        Self::expect("the cotangent of the values", cotangent.value.len(), tape.value.len())?;
        let none = vec![T::zero(); tape.points.len()];
        let slopes = cotangent.gradient.unwrap_or(&none);
        if let Some(inputs) = inputs.as_deref_mut() {
            inputs.fill(T::zero());
        }
        let rows = tape.points.chunks_exact(self.dim).zip(slopes.chunks_exact(self.dim)).zip(cotangent.value);
        for (row, ((z, c), &b)) in rows.enumerate() {
            for (d_bump, (m, &w)) in parameters.chunks_exact_mut(self.dim + 1).zip(self.each(weights)) {
                let Some((d_w, d_m)) = d_bump.split_last_mut() else { continue };
                // ℓ = w·e·(b − c·r) with r = z − m and ∂e/∂z = −e·r, so ∂ℓ/∂z = −w·e·((b − c·r)·r + c) = −∂ℓ/∂m.
                let e = bump(z, m);
                let along = b - z.iter().zip(m).zip(c).map(|((&z, &m), &c)| c * (z - m)).sum::<T>();
                *d_w += e * along;
                for (j, (((&z, &m), &c), d_m)) in z.iter().zip(m).zip(c).zip(d_m).enumerate() {
                    let d_z = -w * e * (along * (z - m) + c);
                    *d_m -= d_z;
                    if let Some(d) =
                        inputs.as_deref_mut().and_then(|inputs| inputs.get_mut(row * self.dim + j))
                    {
                        *d += d_z;
                    }
                }
            }
        }
        Ok(())
    }
}

/// ℓ = Σ b·u + Σ c·∇u at two points of the plane.
fn loss(field: &Bumps, theta: &[f64], z: &[f64], b: &[f64], c: &[f64]) -> Result<f64, FlowError> {
    let points = ndarray::ArrayView2::from_shape((2, 2), z).map_err(|_| FlowError::Shape {
        what: "the points",
        found: z.len(),
        expected: 4,
    })?;
    let (value, gradient) = field.at(theta, points)?;
    Ok(value.iter().zip(b).chain(gradient.iter().zip(c)).map(|(u, c)| u * c).sum())
}

/// The check; an error or a panic when it fails.
pub(crate) fn main() -> Result<(), FlowError> {
    let field = Bumps { dim: 2, count: 3 };
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let theta: Vec<f64> = field.initial(&mut rng);
    let mut uniform = |n: usize| (0..n).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect::<Vec<_>>();
    let (z, b, c) = (uniform(4), uniform(2), uniform(4));

    let (mut weights, mut tape) = (Vec::new(), PointTape::default());
    field.arrange(&theta, &mut weights)?;
    field.evaluate(&weights, &z, Order::Jet, &mut tape)?;
    let (mut d_theta, mut d_z) = (vec![0.0; theta.len()], vec![0.0; z.len()]);
    let cotangent = Cotangent { value: &b, gradient: Some(&c), common: None };
    field.pull_back(&weights, &mut tape, cotangent, &mut d_theta, Some(&mut d_z))?;

    let step = 1e-5;
    let mut worst = 0.0_f64;
    let at: Vec<f64> = theta.iter().chain(&z).copied().collect();
    for (i, found) in d_theta.iter().chain(&d_z).enumerate() {
        let moved = |by: f64| {
            let mut at = at.clone();
            at.iter_mut().skip(i).take(1).for_each(|entry| *entry += by);
            let (theta, z) = at.split_at(theta.len());
            loss(&field, theta, z, &b, &c)
        };
        worst = worst.max(((moved(step)? - moved(-step)?) / (2.0 * step) - found).abs());
    }
    // Third derivatives are of order one: h²/6 and rounding of 1e-11.
    assert!(worst < 1e-8, "the pullback is off by {worst}");
    Ok(())
}
