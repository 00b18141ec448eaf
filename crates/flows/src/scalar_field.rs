//! A scalar field with parameters: what a critic can be made of.

use crate::FlowError;
use crate::error::{array2, expect_columns, expect_length, flat};
use crate::mlp::{Cotangent, Mlp, Order, Tape, Weights};
use crate::real::Real;
use ndarray::{Array1, Array2, ArrayView2};
use rand::Rng;
use std::fmt::Debug;

/// A network u(z; θ): R^d → R that can be evaluated, differentiated in z and pulled back to θ and z.
///
/// It is all that training asks of a critic: [`Mlp`] is one, and a network of your own becomes one by these methods.
/// Points are the rows of [n, d], row-major; parameters lie in one flat buffer.
///
/// `Weights` is the parameter buffer made ready for many evaluations, a plain `Vec<T>` where there is nothing to
/// prepare; `Tape` is what an evaluation keeps for its pullback, [`PointTape`] where that is the points alone.
///
/// The crate's example `own_network` is a whole implementation with a check against finite differences.
pub trait ScalarField: Debug + Sync {
    /// The parameters, arranged.
    type Weights<T: Real>: Debug + Default;
    /// One evaluation at a batch of points.
    type Tape<T: Real>: Evaluation<T>;

    /// The dimension d of z.
    fn input(&self) -> usize;

    /// Length of the parameter buffer.
    fn parameter_count(&self) -> usize;

    /// Initial parameters, \[parameter count\].
    fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T>;

    /// Replaces the arranged parameters by others.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when there are not [`ScalarField::parameter_count`] of them.
    fn arrange<T: Real>(&self, parameters: &[T], weights: &mut Self::Weights<T>) -> Result<(), FlowError>;

    /// Evaluates u, and for [`Order::Jet`] also ∇_z u, at the rows of `points`, [n, d].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the points are not rows of d numbers.
    fn evaluate<T: Real>(
        &self,
        weights: &Self::Weights<T>,
        points: &[T],
        order: Order,
        tape: &mut Self::Tape<T>,
    ) -> Result<(), FlowError>;

    /// Adds ∂ℓ/∂θ to `parameters` and writes ∂ℓ/∂z, [n, d], to `inputs` where it is given, for the cotangents of the
    /// last evaluation: ∂ℓ/∂u, \[n\], and ∂ℓ/∂(∇_z u), [n, d], the latter after an [`Order::Jet`] only.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit the evaluation.
    fn pull_back<T: Real>(
        &self,
        weights: &Self::Weights<T>,
        tape: &mut Self::Tape<T>,
        cotangent: Cotangent<'_, T>,
        parameters: &mut [T],
        inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError>;

    /// u, \[n\], and ∇_z u, [n, d], at the rows of `points`, [n, d].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters or the points are not of the network.
    ///
    /// ```
    /// use flows::{activation::Activation, mlp::{Mlp, Output}, scalar_field::ScalarField};
    /// // u(z) = tanh(2z): one unit, weight 2, bias 0, then weight 1, bias 0.
    /// let net = Mlp::new(1, &[1], Activation::Tanh, Output::Identity)?;
    /// let (value, gradient) = net.at(&[2.0, 0.0, 1.0, 0.0], ndarray::array![[0.0]].view())?;
    /// assert_eq!((value[0], gradient[[0, 0]]), (0.0, 2.0));
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    fn at<T: Real>(
        &self,
        parameters: &[T],
        points: ArrayView2<'_, T>,
    ) -> Result<(Array1<T>, Array2<T>), FlowError> {
        expect_columns("the points", points, self.input())?;
        let (mut weights, mut tape) = (Self::Weights::default(), Self::Tape::default());
        self.arrange(parameters, &mut weights)?;
        self.evaluate(&weights, &flat(points), Order::Jet, &mut tape)?;
        let gradient = array2("the gradient of the field", tape.gradient().to_vec(), self.input())?;
        Ok((tape.value().to_vec().into(), gradient))
    }

    /// Δ_z u at each point of the last evaluation, \[n\]; needed for a flow with noise whose potential ends in this
    /// field.
    ///
    /// # Errors
    /// [`FlowError::Specification`] where it is not implemented.
    fn laplacian<T: Real>(
        &self,
        weights: &Self::Weights<T>,
        tape: &Self::Tape<T>,
    ) -> Result<Vec<T>, FlowError> {
        let _ = (weights, tape);
        Err(FlowError::specification(
            "the Laplacian of the critic",
            "not implemented for this network",
            "implement `ScalarField::laplacian`, or take a representation whose potential does not hold the critic",
        ))
    }

    /// The field as a multilayer perceptron, where it is one: what rearranges weight matrices needs their layers.
    fn perceptron(&self) -> Option<&Mlp> {
        None
    }
}

/// The result of one evaluation of a [`ScalarField`].
pub trait Evaluation<T>: Debug + Default {
    /// u at each point, \[n\].
    fn value(&self) -> &[T];

    /// ∇_z u, [n, d]; empty when only the value was asked for.
    fn gradient(&self) -> &[T];

    /// Keeps the points for which `keep` is true, in their order: a pullback then takes the cotangents of these alone.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when there is not one answer for each point.
    fn retain(&mut self, keep: &[bool]) -> Result<(), FlowError>;
}

/// The simplest tape: the points and what was found at them. The pullback computes again what it needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PointTape<T> {
    /// z, [n, d].
    pub points: Vec<T>,
    /// u, \[n\].
    pub value: Vec<T>,
    /// ∇_z u, [n, d], or empty.
    pub gradient: Vec<T>,
}

impl<T: Real> Evaluation<T> for PointTape<T> {
    fn value(&self) -> &[T] {
        &self.value
    }

    fn gradient(&self) -> &[T] {
        &self.gradient
    }

    fn retain(&mut self, keep: &[bool]) -> Result<(), FlowError> {
        expect_length("the choice of points", keep.len(), self.value.len())?;
        for buffer in [&mut self.points, &mut self.gradient, &mut self.value] {
            let width = (buffer.len() / keep.len().max(1)).max(1);
            let rows = buffer.chunks_exact(width).zip(keep).filter(|(_, keep)| **keep);
            *buffer = rows.flat_map(|(row, _)| row).copied().collect();
        }
        Ok(())
    }
}

impl<T: Real> Evaluation<T> for Tape<T> {
    fn value(&self) -> &[T] {
        self.value()
    }

    fn gradient(&self) -> &[T] {
        self.gradient()
    }

    fn retain(&mut self, keep: &[bool]) -> Result<(), FlowError> {
        self.retain(keep)
    }
}

impl ScalarField for Mlp {
    type Weights<T: Real> = Weights<T>;
    type Tape<T: Real> = Tape<T>;

    fn input(&self) -> usize {
        self.input()
    }

    fn parameter_count(&self) -> usize {
        self.parameter_count()
    }

    fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        self.initialisation().draw(self, rng)
    }

    fn arrange<T: Real>(&self, parameters: &[T], weights: &mut Weights<T>) -> Result<(), FlowError> {
        weights.arrange(self, parameters)
    }

    fn evaluate<T: Real>(
        &self,
        weights: &Weights<T>,
        points: &[T],
        order: Order,
        tape: &mut Tape<T>,
    ) -> Result<(), FlowError> {
        self.evaluate(weights, points, order, tape)
    }

    fn pull_back<T: Real>(
        &self,
        weights: &Weights<T>,
        tape: &mut Tape<T>,
        cotangent: Cotangent<'_, T>,
        parameters: &mut [T],
        inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        self.pull_back(weights, tape, cotangent, parameters, inputs)
    }

    fn laplacian<T: Real>(&self, weights: &Weights<T>, tape: &Tape<T>) -> Result<Vec<T>, FlowError> {
        self.laplacian(weights, tape)
    }

    fn perceptron(&self) -> Option<&Mlp> {
        Some(self)
    }
}
