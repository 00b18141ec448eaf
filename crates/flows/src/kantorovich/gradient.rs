//! The gradient of the objective of both potentials.

use super::all_pairs::penalised_everywhere;
use super::potentials::{Pair, PsiTape};
use super::{KantorovichObjective, KantorovichValue, PairBatch, Pairing, Potentials};
use crate::FlowError;
use crate::error::expect_length;
use crate::mlp::{Cotangent, Order, Tape, Weights};
use crate::real::Real;

/// Buffers of the gradient, reused from call to call.
#[derive(Debug, Default)]
pub struct Workspace<T: Real> {
    weights: [Weights<T>; 2],
    phi: Tape<T>,
    psi: PsiTape<T>,
    moved_phi: Tape<T>,
    moved_psi: PsiTape<T>,
}

/// Cotangents of the values and of the slopes at the points of a minibatch.
struct Cotangents<T> {
    value: Vec<T>,
    slope: Vec<T>,
}

impl<T: Real> Workspace<T> {
    /// Writes the gradients of minus the objective with respect to the parameters (φ, η).
    ///
    /// The equality terms are differentiated in full, through ∇φ and ∇ψ in the pairs as well: a gap g at (y, y − ∇φ(y))
    /// has ∂g/∂φ(y) = 1 and ∂g/∂∇φ(y) = −∇ψ(y − ∇φ(y)) − ∇φ(y), and likewise for the other.
    ///
    /// Complexity: that of some ten passes through each network.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    pub fn gradient(
        &mut self,
        potentials: &Potentials,
        objective: KantorovichObjective,
        parameters: (&[T], &[T]),
        batch: PairBatch<'_, T>,
        gradients: (&mut [T], &mut [T]),
    ) -> Result<KantorovichValue, FlowError> {
        let dim = potentials.dim()?;
        let (y, x) = (batch.generated, batch.target);
        expect_length("the target batch", x.len(), y.len())?;
        // Taken out for the time of the call, so that the tapes can be borrowed beside them.
        let weights = {
            let [mut phi, mut eta] = std::mem::take(&mut self.weights);
            phi.arrange(&potentials.phi, parameters.0)?;
            eta.arrange(&potentials.eta, parameters.1)?;
            [phi, eta]
        };
        let [phi, eta] = &weights;
        let parameters = Pair { phi, eta };
        let (d_phi, d_eta) = gradients;
        d_phi.fill(T::zero());
        d_eta.fill(T::zero());
        let mut value = KantorovichValue::default();
        if objective.interpolated {
            value.interpolated =
                self.interpolated(potentials, objective, parameters, batch, (&mut *d_phi, &mut *d_eta))?;
        }
        let order = if objective.equality > 0.0 { Order::Jet } else { Order::Value };
        potentials.phi.evaluate(parameters.phi, y, order, &mut self.phi)?;
        potentials.evaluate_psi(parameters, x, order, &mut self.psi)?;
        let count = self.phi.batch() as f64;
        value.dual =
            self.phi.value().iter().zip(&self.psi.value).map(|(a, b)| a.wide() + b.wide()).sum::<f64>()
                / count;
        let (phi, psi) = (self.phi.value(), &self.psi.value);
        let (penalty, in_phi, in_psi) = match objective.pairing {
            Pairing::Paired => {
                let (penalty, pairs) = penalised(objective, phi, psi, y, x, dim);
                (penalty, pairs.clone(), pairs)
            }
            Pairing::All => penalised_everywhere(objective.penalty, (phi, y), (psi, x), dim),
        };
        value.penalty = penalty;
        let ascent = |penalty: Vec<T>, slopes: &[T]| Cotangents {
            value: penalty.into_iter().map(|c| c - T::of(1.0 / count)).collect(),
            slope: vec![T::zero(); slopes.len()],
        };
        let mut at_y = ascent(in_phi, self.phi.gradient());
        let mut at_x = ascent(in_psi, &self.psi.gradient);
        if objective.equality > 0.0 {
            let factor = objective.equality / count;
            let mut through = vec![T::zero(); y.len()];
            // (y, y − ∇φ(y)).
            let moved = minus(y, self.phi.gradient());
            potentials.evaluate_psi(parameters, &moved, Order::Value, &mut self.moved_psi)?;
            let slopes = self.phi.gradient();
            let (gaps, gaps_cotangent) =
                equality(self.phi.value(), &self.moved_psi.value, slopes, dim, factor);
            let cotangent = Cotangent { value: &gaps_cotangent, gradient: None, common: None };
            let sums = (&mut *d_phi, &mut *d_eta);
            potentials.pull_back_psi(parameters, &mut self.moved_psi, cotangent, sums, Some(&mut through))?;
            at_y.add_equality(&gaps_cotangent, &through, slopes, dim);
            value.equality += factor * gaps;
            // (x − ∇ψ(x), x).
            let moved = minus(x, &self.psi.gradient);
            potentials.phi.evaluate(parameters.phi, &moved, Order::Value, &mut self.moved_phi)?;
            let slopes = &self.psi.gradient;
            let (gaps, gaps_cotangent) =
                equality(&self.psi.value, self.moved_phi.value(), slopes, dim, factor);
            let cotangent = Cotangent { value: &gaps_cotangent, gradient: None, common: None };
            let through_phi = Some(through.as_mut_slice());
            potentials.phi.pull_back(parameters.phi, &mut self.moved_phi, cotangent, d_phi, through_phi)?;
            at_x.add_equality(&gaps_cotangent, &through, slopes, dim);
            value.equality += factor * gaps;
        }
        potentials.phi.pull_back(parameters.phi, &mut self.phi, at_y.of(order), d_phi, None)?;
        potentials.pull_back_psi(parameters, &mut self.psi, at_x.of(order), (d_phi, d_eta), None)?;
        self.weights = weights;
        Ok(value)
    }

    /// mean P(g) at interpolated pairs, whose gradient is added.
    fn interpolated(
        &mut self,
        potentials: &Potentials,
        objective: KantorovichObjective,
        parameters: Pair<'_, T>,
        batch: PairBatch<'_, T>,
        gradients: (&mut [T], &mut [T]),
    ) -> Result<f64, FlowError> {
        let dim = potentials.phi.input();
        let count = batch.generated.len() / dim;
        expect_length("the mixing weights", batch.mixing.len(), 2 * count)?;
        let (alpha, beta) = batch.mixing.split_at(count);
        let y = mixed(batch.generated, batch.target, alpha, dim);
        let x = mixed(batch.target, batch.generated, beta, dim);
        potentials.phi.evaluate(parameters.phi, &y, Order::Value, &mut self.phi)?;
        potentials.evaluate_psi(parameters, &x, Order::Value, &mut self.psi)?;
        let (value, pairs) = penalised(objective, self.phi.value(), &self.psi.value, &y, &x, dim);
        let cotangent = Cotangent { value: &pairs, gradient: None, common: None };
        let (d_phi, d_eta) = gradients;
        potentials.phi.pull_back(parameters.phi, &mut self.phi, cotangent, d_phi, None)?;
        potentials.pull_back_psi(parameters, &mut self.psi, cotangent, (d_phi, d_eta), None)?;
        Ok(value)
    }
}

impl<T: Real> Cotangents<T> {
    fn add_equality(&mut self, gaps: &[T], through: &[T], slopes: &[T], dim: usize) {
        self.value.iter_mut().zip(gaps).for_each(|(value, &gap)| *value += gap);
        let rows = self.slope.chunks_exact_mut(dim).zip(gaps);
        for ((row, &gap), (through, slope)) in
            rows.zip(through.chunks_exact(dim).zip(slopes.chunks_exact(dim)))
        {
            for ((out, &through), &slope) in row.iter_mut().zip(through).zip(slope) {
                *out = -through - gap * slope;
            }
        }
    }

    fn of(&self, order: Order) -> Cotangent<'_, T> {
        Cotangent {
            value: &self.value,
            gradient: (order == Order::Jet).then_some(self.slope.as_slice()),
            common: None,
        }
    }
}

/// mean P(φ + ψ − ½‖y − x‖²) and its derivative in φ (and in ψ) at every pair.
fn penalised<T: Real>(
    objective: KantorovichObjective,
    phi: &[T],
    psi: &[T],
    y: &[T],
    x: &[T],
    dim: usize,
) -> (f64, Vec<T>) {
    let share = 1.0 / phi.len() as f64;
    let mut value = 0.0;
    let points = y.chunks_exact(dim).zip(x.chunks_exact(dim));
    let derivatives = phi.iter().zip(psi).zip(points).map(|((phi, psi), (y, x))| {
        let squared: f64 = y.iter().zip(x).map(|(&y, &x)| (y - x).wide() * (y - x).wide()).sum();
        let (penalty, slope) = objective.penalty.jet(phi.wide() + psi.wide() - 0.5 * squared);
        value += share * penalty;
        T::of(share * slope)
    });
    let derivatives = derivatives.collect();
    (value, derivatives)
}

/// Σ g² with g = here + there − ½‖slope‖², and the derivative 2·factor·g.
fn equality<T: Real>(here: &[T], there: &[T], slopes: &[T], dim: usize, factor: f64) -> (f64, Vec<T>) {
    let mut sum = 0.0;
    let gaps = here.iter().zip(there).zip(slopes.chunks_exact(dim)).map(|((here, there), slope)| {
        let cost = 0.5 * slope.iter().map(|s| s.wide() * s.wide()).sum::<f64>();
        let gap = here.wide() + there.wide() - cost;
        sum += gap * gap;
        T::of(2.0 * factor * gap)
    });
    let gaps = gaps.collect();
    (sum, gaps)
}

fn minus<T: Real>(points: &[T], slopes: &[T]) -> Vec<T> {
    points.iter().zip(slopes).map(|(&point, &slope)| point - slope).collect()
}

/// αa + (1 − α)b, one α a row.
fn mixed<T: Real>(a: &[T], b: &[T], alpha: &[T], dim: usize) -> Vec<T> {
    let rows = a.chunks_exact(dim).zip(b.chunks_exact(dim)).zip(alpha);
    rows.flat_map(|((a, b), &alpha)| a.iter().zip(b).map(move |(&a, &b)| alpha * a + (T::one() - alpha) * b))
        .collect()
}
