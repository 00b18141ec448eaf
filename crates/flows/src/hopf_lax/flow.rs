//! The flow of the Hopf–Lax potential of a critic.

use super::{Curvature, Field, Minimiser, Stop};
use crate::FlowError;
use crate::error::{array2, expect_columns, expect_rows, flat};
use crate::integrate::VelocityField;
use crate::mlp::Order;
use crate::network::Network;
use crate::potential::Derivatives;
use crate::real::Real;
use crate::scalar_field::{Evaluation, ScalarField};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

/// A critic network as the field that is minimised.
#[derive(Debug)]
pub struct CriticField<'a, T: Real, N: ScalarField = Network> {
    net: &'a N,
    weights: N::Weights<T>,
    tape: N::Tape<T>,
}

impl<'a, T: Real, N: ScalarField> CriticField<'a, T, N> {
    /// The critic at the given parameters.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are not of the network.
    pub fn new(net: &'a N, parameters: &[T]) -> Result<Self, FlowError> {
        let mut weights = N::Weights::default();
        net.arrange(parameters, &mut weights)?;
        Ok(Self { net, weights, tape: N::Tape::default() })
    }
}

impl<T: Real, N: ScalarField> Field<T> for CriticField<'_, T, N> {
    fn dim(&self) -> usize {
        self.net.input()
    }

    fn jet(&mut self, points: &[T], values: &mut Vec<T>, gradients: &mut Vec<T>) -> Result<(), FlowError> {
        self.net.evaluate(&self.weights, points, Order::Jet, &mut self.tape)?;
        values.clear();
        values.extend_from_slice(self.tape.value());
        gradients.clear();
        gradients.extend_from_slice(self.tape.gradient());
        Ok(())
    }
}

/// The field of U(x, t) = min_y φ(y) + λ‖x − y‖²/(2(T − t)); a proposal field says where the search for y begins.
///
/// Along a path y does not change, so while time goes on with the same number of points each search begins at the last
/// y, and leaves what the last one could not resolve; the proposal is asked at the first call, and whenever time goes
/// back. Then the search is also offered the companions, ends of other paths such as those that a training remembers:
/// so it finds valleys that the proposal is not in.
///
/// The crate's example `hopf_lax` samples that of a critic written by hand.
#[derive(Debug)]
pub struct HopfLaxFlow<T, F, P> {
    critic: F,
    proposal: P,
    lambda: f64,
    horizon: f64,
    companions: Vec<T>,
    minimiser: Minimiser<T>,
    /// y of the last call, and its time.
    ends: Vec<T>,
    time: f64,
}

/// Until the arithmetic resolves no more.
const CONVERGED: Stop = Stop { iterations: 300, tolerance: 1e-5 };

impl<T: Real, F: Field<T>, P: VelocityField<T>> HopfLaxFlow<T, F, P> {
    /// The flow of `critic` with kinetic weight `lambda` > 0 on [0, `horizon`], with companions y, [m, d], row-major.
    pub fn new(critic: F, proposal: P, lambda: f64, horizon: f64, companions: Vec<T>) -> Self {
        let (minimiser, ends) = (Minimiser::default(), Vec::new());
        Self { critic, proposal, lambda, horizon, companions, minimiser, ends, time: 0.0 }
    }

    /// The minimisers y, [n, d], for the rows of `x`, [n, d], at time `t` < T.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the points or the companions do not fit the critic or the proposal.
    pub fn ends(&mut self, x: ArrayView2<'_, T>, t: T) -> Result<Array2<T>, FlowError> {
        let dim = self.critic.dim();
        expect_columns("the points", x, dim)?;
        self.search(&flat(x), t)?;
        array2("the ends of the paths", self.ends.clone(), dim)
    }

    /// Leaves the minimisers for the rows of `x` in `self.ends`.
    fn search(&mut self, x: &[T], t: T) -> Result<(), FlowError> {
        let left = self.horizon - t.wide();
        let (dim, weight) = (self.critic.dim(), self.lambda / left);
        if self.ends.len() != x.len() || t.wide() < self.time {
            expect_rows("the companions", self.companions.len(), dim)?;
            // A new search knows nothing of an earlier one.
            self.minimiser.curvature = Curvature::default();
            let start = array2("the points", x.to_vec(), dim)?;
            let mut velocity = Array2::from_elem(start.dim(), T::zero());
            self.proposal.velocity(start.view(), t, velocity.view_mut())?;
            self.ends.clear();
            self.ends.extend(velocity.iter().zip(x).map(|(&v, &x)| x + T::of(left) * v));
            self.descend(x, weight)?;
            let (critic, ends) = (&mut self.critic, &mut self.ends);
            if self.minimiser.offer(critic, weight, (x, ends), &self.companions)? {
                self.descend(x, weight)?;
            }
        } else {
            self.minimiser.follow(&mut self.critic, weight, (x, &mut self.ends), CONVERGED)?;
        }
        self.time = t.wide();
        Ok(())
    }

    /// Moves `self.ends` to the minima that they are near.
    fn descend(&mut self, x: &[T], weight: f64) -> Result<(), FlowError> {
        self.minimiser.minimise(&mut self.critic, weight, x, &mut self.ends, 0..0, CONVERGED)
    }

    /// ∇U = λ(x − y)/(T − t) and ∂ₜU = ‖∇φ(y)‖²/(2λ) at the rows of `x`, [n, d]; at t = T, ∇U = ∇φ(x).
    ///
    /// The two agree with the Hamilton–Jacobi equation as well as y minimises, so its residual says how well that is.
    ///
    /// # Errors
    /// As [`HopfLaxFlow::ends`].
    pub fn derivatives(&mut self, x: ArrayView2<'_, T>, t: T) -> Result<Derivatives<T>, FlowError> {
        let dim = self.critic.dim();
        expect_columns("the points", x, dim)?;
        let x = flat(x);
        let left = self.horizon - t.wide();
        let (gradient, time) = if left > f64::from(f32::EPSILON) * self.horizon {
            let rate = T::of(self.lambda / left);
            self.search(&x, t)?;
            let gradient = x.iter().zip(&self.ends).map(|(&x, &y)| rate * (x - y)).collect();
            (gradient, energies(self.minimiser.slopes(), dim, self.lambda))
        } else {
            // At the horizon itself λ/(T − t) is infinite.
            let (mut values, mut slopes) = (Vec::new(), Vec::new());
            self.critic.jet(&x, &mut values, &mut slopes)?;
            let time = energies(&slopes, dim, self.lambda);
            (slopes, time)
        };
        Ok(Derivatives { gradient: array2("the gradient", gradient, dim)?, time: time.into() })
    }
}

/// ‖∇φ‖²/(2λ) of each row.
fn energies<T: Real>(slopes: &[T], dim: usize, lambda: f64) -> Vec<T> {
    let energy = |row: &[T]| T::of(row.iter().map(|s| s.wide().powi(2)).sum::<f64>() / (2.0 * lambda));
    slopes.chunks_exact(dim).map(energy).collect()
}

impl<T: Real, F: Field<T>, P: VelocityField<T>> VelocityField<T> for HopfLaxFlow<T, F, P> {
    fn velocity(&mut self, x: ArrayView2<'_, T>, t: T, mut v: ArrayViewMut2<'_, T>) -> Result<(), FlowError> {
        let Derivatives { gradient, .. } = self.derivatives(x, t)?;
        let rate = T::of(-1.0 / self.lambda);
        v.iter_mut().zip(&gradient).for_each(|(v, &g)| *v = g * rate);
        Ok(())
    }
}
