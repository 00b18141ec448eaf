//! φ and ψ as networks.

use crate::FlowError;
use crate::error::expect_length;
use crate::mlp::{Cotangent, Mlp, Order, Tape, Weights};
use crate::real::Real;
use serde::{Deserialize, Serialize};

/// How ψ is made of the second network η.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Psi {
    /// ψ = η.
    #[default]
    Separate,
    /// ψ = −φ + η: η is small where the laws are close.
    MinusPhi,
}

/// The shapes of φ and η and the way ψ is made of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Potentials {
    /// φ, on generated points.
    pub phi: Mlp,
    /// The second network η.
    pub eta: Mlp,
    /// ψ, on target points.
    pub psi: Psi,
}

/// The parameters of both networks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a, T> {
    pub(super) phi: &'a Weights<T>,
    pub(super) eta: &'a Weights<T>,
}

/// An evaluation of ψ.
#[derive(Debug, Default)]
pub(super) struct PsiTape<T: Real> {
    phi: Tape<T>,
    eta: Tape<T>,
    pub(super) value: Vec<T>,
    pub(super) gradient: Vec<T>,
    negative: [Vec<T>; 2],
}

impl Potentials {
    /// Checks that both networks read points of one dimension, and gives it.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when they do not.
    pub fn dim(&self) -> Result<usize, FlowError> {
        expect_length("the input of the second potential", self.eta.input(), self.phi.input())?;
        Ok(self.phi.input())
    }

    /// ∇ψ at the rows of `x`, [n, d], with the parameters of φ and η: x − ∇ψ(x) is where the exact ψ sends a target point.
    ///
    /// Complexity: that of a forward and a backward pass through η, and through φ where ψ has it.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for parameters or points that do not fit.
    pub fn psi_slopes<T: Real>(&self, (phi, eta): (&[T], &[T]), x: &[T]) -> Result<Vec<T>, FlowError> {
        let [mut for_phi, mut for_eta] = [Weights::default(), Weights::default()];
        for_phi.arrange(&self.phi, phi)?;
        for_eta.arrange(&self.eta, eta)?;
        let mut tape = PsiTape::default();
        self.evaluate_psi(Pair { phi: &for_phi, eta: &for_eta }, x, Order::Jet, &mut tape)?;
        Ok(tape.gradient)
    }

    pub(super) fn evaluate_psi<T: Real>(
        &self,
        parameters: Pair<'_, T>,
        x: &[T],
        order: Order,
        tape: &mut PsiTape<T>,
    ) -> Result<(), FlowError> {
        self.eta.evaluate(parameters.eta, x, order, &mut tape.eta)?;
        tape.value.clear();
        tape.value.extend_from_slice(tape.eta.value());
        tape.gradient.clear();
        tape.gradient.extend_from_slice(tape.eta.gradient());
        if self.psi == Psi::MinusPhi {
            self.phi.evaluate(parameters.phi, x, order, &mut tape.phi)?;
            tape.value.iter_mut().zip(tape.phi.value()).for_each(|(psi, &phi)| *psi -= phi);
            tape.gradient.iter_mut().zip(tape.phi.gradient()).for_each(|(psi, &phi)| *psi -= phi);
        }
        Ok(())
    }

    /// [`Mlp::pull_back`] of ψ; `gradients` are added to, `input_gradient` is overwritten.
    pub(super) fn pull_back_psi<T: Real>(
        &self,
        parameters: Pair<'_, T>,
        tape: &mut PsiTape<T>,
        cotangent: Cotangent<'_, T>,
        gradients: (&mut [T], &mut [T]),
        mut input_gradient: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        let (d_phi, d_eta) = gradients;
        self.eta.pull_back(parameters.eta, &mut tape.eta, cotangent, d_eta, input_gradient.as_deref_mut())?;
        if self.psi == Psi::Separate {
            return Ok(());
        }
        let [value, gradient] = &mut tape.negative;
        value.clear();
        value.extend(cotangent.value.iter().map(|&c| -c));
        gradient.clear();
        gradient.extend(cotangent.gradient.unwrap_or_default().iter().map(|&c| -c));
        let negative =
            Cotangent { value, gradient: cotangent.gradient.map(|_| gradient.as_slice()), common: None };
        let mut through_phi = input_gradient.as_ref().map(|out| vec![T::zero(); out.len()]);
        self.phi.pull_back(parameters.phi, &mut tape.phi, negative, d_phi, through_phi.as_deref_mut())?;
        if let (Some(out), Some(more)) = (input_gradient, through_phi) {
            out.iter_mut().zip(more).for_each(|(out, more)| *out += more);
        }
        Ok(())
    }
}
