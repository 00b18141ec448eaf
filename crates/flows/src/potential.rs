//! The potential U(x, t) and the velocity it defines.

use crate::FlowError;
use crate::activation::Activation;
use crate::error::expect_length;
use crate::mlp::{Cotangent, Mlp, Order, Output, Tape};
use crate::real::Real;

/// A potential U: R^d × [0, T] → R given by a network on z = (x, t); the velocity is v = −∇ₓU/λ.
///
/// Source: arXiv 2407.11901, eq. (2): with running cost (λ/2)|v|² the Hamiltonian is H(x, p) = |p|²/(2λ) and the
/// optimal velocity −∂H/∂p at p = ∇U.
#[derive(Debug, Clone, PartialEq)]
pub struct Potential {
    dim: usize,
    net: Mlp,
}

impl Potential {
    /// A potential on R^`dim` with the given hidden widths.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when the widths do not describe a network, or for a ReLU, whose ∇ₓU jumps.
    ///
    /// ```
    /// use flows::{activation::Activation, potential::Potential};
    /// let potential = Potential::new(12, &[48; 5], Activation::Tanh)?;
    /// assert_eq!(potential.dim(), 12);
    /// assert_eq!(potential.net().input(), 13);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn new(dim: usize, hidden: &[usize], activation: Activation) -> Result<Self, FlowError> {
        if activation == Activation::Relu {
            return Err(FlowError::Specification {
                what: "the activation of the potential".into(),
                found: "relu".into(),
                remedy: "take tanh or softplus, since the velocity −∇U/λ of a ReLU network is discontinuous"
                    .into(),
            });
        }
        Ok(Self { dim, net: Mlp::new(dim + 1, hidden, activation, Output::Identity)? })
    }

    /// The dimension d of space.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The network on (x, t).
    pub fn net(&self) -> &Mlp {
        &self.net
    }

    /// Evaluates U, ∇ₓU and ∂ₜU at the rows of `x` (batch × d) and one time `t`.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    pub fn evaluate<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        t: T,
        jet: &mut PotentialJet<T>,
    ) -> Result<(), FlowError> {
        let batch = x.len() / self.dim.max(1);
        expect_length("the batch of positions", x.len(), batch * self.dim)?;
        jet.input.clear();
        for row in x.chunks_exact(self.dim) {
            jet.input.extend_from_slice(row);
            jet.input.push(t);
        }
        self.net.evaluate(parameters, &jet.input, Order::Jet, &mut jet.tape)?;
        jet.gradient.clear();
        jet.time_derivative.clear();
        for row in jet.tape.gradient().chunks_exact(self.dim + 1) {
            if let Some((dt, dx)) = row.split_last() {
                jet.gradient.extend_from_slice(dx);
                jet.time_derivative.push(*dt);
            }
        }
        Ok(())
    }

    /// Adds ∂ℓ/∂parameters to `parameter_gradient` and writes ∂ℓ/∂x, for the cotangents ∂ℓ/∂(∇ₓU), batch × d, and
    /// ∂ℓ/∂(∂ₜU), batch, of the last evaluation.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit the evaluation.
    pub fn pull_back<T: Real>(
        &self,
        parameters: &[T],
        jet: &mut PotentialJet<T>,
        (gradient, time_derivative): (&[T], &[T]),
        parameter_gradient: &mut [T],
        position_gradient: &mut [T],
    ) -> Result<(), FlowError> {
        let batch = jet.tape.batch();
        expect_length("the cotangent of the gradient", gradient.len(), batch * self.dim)?;
        expect_length("the cotangent of the time derivative", time_derivative.len(), batch)?;
        expect_length("the gradient of the positions", position_gradient.len(), batch * self.dim)?;
        let PotentialJet { tape, cotangent, pulled, zeros, .. } = jet;
        cotangent.clear();
        for (dx, dt) in gradient.chunks_exact(self.dim).zip(time_derivative) {
            cotangent.extend_from_slice(dx);
            cotangent.push(*dt);
        }
        zeros.resize(batch, T::zero());
        pulled.resize(batch * (self.dim + 1), T::zero());
        let both = Cotangent { value: zeros, gradient: Some(cotangent) };
        self.net.pull_back(parameters, tape, both, parameter_gradient, Some(pulled))?;
        for (out, row) in position_gradient.chunks_exact_mut(self.dim).zip(pulled.chunks_exact(self.dim + 1))
        {
            for (out, value) in out.iter_mut().zip(row) {
                *out = *value;
            }
        }
        Ok(())
    }
}

/// U, ∇ₓU and ∂ₜU at a batch of points, with what their pullback needs; buffers are reused.
#[derive(Debug, Clone, Default)]
pub struct PotentialJet<T: Real> {
    tape: Tape<T>,
    input: Vec<T>,
    gradient: Vec<T>,
    time_derivative: Vec<T>,
    cotangent: Vec<T>,
    pulled: Vec<T>,
    zeros: Vec<T>,
}

impl<T: Real> PotentialJet<T> {
    /// U at each point.
    pub fn value(&self) -> &[T] {
        self.tape.value()
    }

    /// ∇ₓU, batch × d.
    pub fn gradient(&self) -> &[T] {
        &self.gradient
    }

    /// ∂ₜU at each point.
    pub fn time_derivative(&self) -> &[T] {
        &self.time_derivative
    }
}
