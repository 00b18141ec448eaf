//! Counting the evaluations of a network, which is what an algorithm costs on any machine.

use crate::FlowError;
use crate::mlp::{Cotangent, Mlp, Order};
use crate::real::Real;
use crate::scalar_field::ScalarField;
use rand::Rng;
use std::sync::atomic::{AtomicU64, Ordering};

/// A field that counts the points at which it is evaluated, on all threads.
///
/// ```
/// use flows::{activation::Activation, counted::Counted, mlp::{Mlp, Output}, scalar_field::ScalarField};
/// let net = Mlp::new(2, &[3], Activation::Tanh, Output::Identity)?;
/// let counted = Counted::new(&net);
/// counted.at(&vec![0.1; net.parameter_count()], ndarray::Array2::zeros((5, 2)).view())?;
/// assert_eq!(counted.evaluations(), 5);
/// # Ok::<(), flows::FlowError>(())
/// ```
#[derive(Debug)]
pub struct Counted<'a, N> {
    field: &'a N,
    evaluations: AtomicU64,
}

impl<'a, N> Counted<'a, N> {
    /// A field that has not been evaluated yet.
    pub fn new(field: &'a N) -> Self {
        Self { field, evaluations: AtomicU64::new(0) }
    }

    /// The points at which the field was evaluated so far.
    pub fn evaluations(&self) -> u64 {
        self.evaluations.load(Ordering::Relaxed)
    }
}

impl<N: ScalarField> ScalarField for Counted<'_, N> {
    type Weights<T: Real> = N::Weights<T>;
    type Tape<T: Real> = N::Tape<T>;

    fn input(&self) -> usize {
        self.field.input()
    }

    fn parameter_count(&self) -> usize {
        self.field.parameter_count()
    }

    fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        self.field.initial(rng)
    }

    fn arrange<T: Real>(&self, parameters: &[T], weights: &mut Self::Weights<T>) -> Result<(), FlowError> {
        self.field.arrange(parameters, weights)
    }

    fn evaluate<T: Real>(
        &self,
        weights: &Self::Weights<T>,
        points: &[T],
        order: Order,
        tape: &mut Self::Tape<T>,
    ) -> Result<(), FlowError> {
        let rows = points.len() / self.input().max(1);
        self.evaluations.fetch_add(rows as u64, Ordering::Relaxed);
        self.field.evaluate(weights, points, order, tape)
    }

    fn pull_back<T: Real>(
        &self,
        weights: &Self::Weights<T>,
        tape: &mut Self::Tape<T>,
        cotangent: Cotangent<'_, T>,
        parameters: &mut [T],
        inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        self.field.pull_back(weights, tape, cotangent, parameters, inputs)
    }

    fn laplacian<T: Real>(
        &self,
        weights: &Self::Weights<T>,
        tape: &Self::Tape<T>,
    ) -> Result<Vec<T>, FlowError> {
        self.field.laplacian(weights, tape)
    }

    fn perceptron(&self) -> Option<&Mlp> {
        self.field.perceptron()
    }
}
