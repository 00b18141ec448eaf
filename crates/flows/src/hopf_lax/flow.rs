//! The flow of the Hopf–Lax potential of a critic.

use super::{Field, Minimiser, Stop};
use crate::FlowError;
use crate::error::expect_length;
use crate::integrate::{PotentialField, VelocityField};
use crate::mlp::{Mlp, Order};
use crate::real::Real;
use crate::scalar_field::{Evaluation, ScalarField};

/// A critic network as the field that is minimised.
#[derive(Debug)]
pub struct CriticField<'a, T: Real, N: ScalarField = Mlp> {
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
/// y; the proposal is asked at the first call, and whenever time goes back. Then the search also tries the ends of the
/// companions, fixed points whose own ends are searched beside.
#[derive(Debug)]
pub struct HopfLaxFlow<'a, T: Real, P, N: ScalarField = Mlp> {
    critic: CriticField<'a, T, N>,
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
/// Searches from a new start; from the second on, the companions offer the ends that they have found.
const ROUNDS: usize = 2;

impl<'a, T: Real, P: VelocityField<T>, N: ScalarField> HopfLaxFlow<'a, T, P, N> {
    /// The flow of `critic` with kinetic weight `lambda` > 0 on [0, `horizon`], with companions as rows of points.
    pub fn new(
        critic: CriticField<'a, T, N>,
        proposal: P,
        lambda: f64,
        horizon: f64,
        companions: Vec<T>,
    ) -> Self {
        let (minimiser, ends) = (Minimiser::default(), Vec::new());
        Self { critic, proposal, lambda, horizon, companions, minimiser, ends, time: 0.0 }
    }

    /// The minimisers y for the rows of `x` at time `t` < T.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the points do not fit the critic or the proposal.
    pub fn ends(&mut self, x: &[T], t: T) -> Result<&[T], FlowError> {
        let left = self.horizon - t.wide();
        let (dim, weight) = (self.critic.net.input(), self.lambda / left);
        if self.ends.len() != x.len() || t.wide() < self.time {
            let all: Vec<T> = x.iter().chain(&self.companions).copied().collect();
            self.ends.clear();
            self.ends.resize(all.len(), T::zero());
            self.proposal.velocity(&all, t, &mut self.ends)?;
            for (y, &x) in self.ends.iter_mut().zip(&all) {
                *y = x + T::of(left) * *y;
            }
            let offered = x.len() / dim..all.len() / dim;
            for _ in 0..ROUNDS {
                let (critic, ends) = (&mut self.critic, &mut self.ends);
                self.minimiser.minimise(critic, weight, &all, ends, offered.clone(), CONVERGED)?;
            }
            self.ends.truncate(x.len());
        } else {
            let (critic, ends) = (&mut self.critic, &mut self.ends);
            self.minimiser.minimise(critic, weight, x, ends, 0..0, CONVERGED)?;
        }
        self.time = t.wide();
        Ok(&self.ends)
    }
}

impl<T: Real, P: VelocityField<T>, N: ScalarField> PotentialField<T> for HopfLaxFlow<'_, T, P, N> {
    /// ∇U = λ(x − y)/(T − t) and ∂ₜU = ‖∇φ(y)‖²/(2λ); at t = T, ∇U = ∇φ(x).
    ///
    /// The two agree with the Hamilton–Jacobi equation as well as y minimises, so its residual says how well that is.
    fn derivatives(&mut self, x: &[T], t: T, gradient: &mut [T], time: &mut [T]) -> Result<(), FlowError> {
        let dim = self.critic.net.input();
        expect_length("the gradient buffer", gradient.len(), x.len())?;
        expect_length("the time derivative's buffer", time.len(), x.len() / dim)?;
        let left = self.horizon - t.wide();
        // At the horizon itself λ/(T − t) is infinite.
        if left > f64::from(f32::EPSILON) * self.horizon {
            let rate = T::of(self.lambda / left);
            for ((g, &x), &y) in gradient.iter_mut().zip(x).zip(self.ends(x, t)?) {
                *g = rate * (x - y);
            }
            energies(self.minimiser.slopes(), dim, self.lambda, time);
        } else {
            let (mut values, mut slopes) = (Vec::new(), Vec::new());
            self.critic.jet(x, &mut values, &mut slopes)?;
            gradient.copy_from_slice(&slopes);
            energies(&slopes, dim, self.lambda, time);
        }
        Ok(())
    }

    fn laplacian(&mut self, _x: &[T], _t: T) -> Result<Vec<T>, FlowError> {
        Err(FlowError::Specification {
            what: "the Laplacian of a Hopf–Lax potential".into(),
            found: "asked for".into(),
            remedy: "take another representation of the flow for noise: the minimum over y has kinks".into(),
        })
    }
}

/// ‖∇φ‖²/(2λ) of each row.
fn energies<T: Real>(slopes: &[T], dim: usize, lambda: f64, out: &mut [T]) {
    for (out, row) in out.iter_mut().zip(slopes.chunks_exact(dim)) {
        *out = T::of(row.iter().map(|s| s.wide().powi(2)).sum::<f64>() / (2.0 * lambda));
    }
}

impl<T: Real, P: VelocityField<T>, N: ScalarField> VelocityField<T> for HopfLaxFlow<'_, T, P, N> {
    fn velocity(&mut self, x: &[T], t: T, v: &mut [T]) -> Result<(), FlowError> {
        let mut time = vec![T::zero(); x.len() / self.critic.net.input()];
        self.derivatives(x, t, v, &mut time)?;
        let rate = T::of(-1.0 / self.lambda);
        v.iter_mut().for_each(|v| *v *= rate);
        Ok(())
    }
}
