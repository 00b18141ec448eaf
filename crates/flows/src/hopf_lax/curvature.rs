//! What the searches of all points have in common.

use super::lanes::padded;
use crate::real::Real;

/// The mean curvature of φ along each coordinate, as the steps of all searches have met it: across a manifold it is far
/// larger than along it, wherever a point is.
///
/// A [`Minimiser`](super::Minimiser) learns it and begins its next call with it; each call halves what the earlier ones
/// weigh, so that it follows a critic in training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curvature {
    /// Σ s·(t − μs) over the steps s and their gradient differences t, \[d\].
    products: Vec<f64>,
    /// Σ s², \[d\].
    squares: Vec<f64>,
}

impl Curvature {
    /// The numbers that it is made of, [2, d], for a checkpoint; none before the first search.
    pub fn numbers(&self) -> Vec<f64> {
        self.products.iter().chain(&self.squares).copied().collect()
    }

    /// The curvature of stored [`Curvature::numbers`].
    pub fn of_numbers(numbers: &[f64]) -> Self {
        let (products, squares) = numbers.split_at(numbers.len() / 2);
        Self { products: products.to_vec(), squares: squares.to_vec() }
    }

    /// A call in dimension `dim` begins.
    pub(super) fn begin(&mut self, dim: usize) {
        if self.products.len() != dim || self.squares.len() != dim {
            *self = Self { products: vec![0.0; dim], squares: vec![0.0; dim] };
        }
        self.products.iter_mut().chain(&mut self.squares).for_each(|sum| *sum *= 0.5);
    }

    /// Takes a step and its gradient difference, in which the pull has the curvature `weight`.
    #[inline(always)]
    pub(super) fn learn<T: Real>(&mut self, step: &[T], change: &[T], weight: f64) {
        let sums = self.products.iter_mut().zip(&mut self.squares);
        for ((product, square), (s, t)) in sums.zip(step.iter().zip(change)) {
            let (s, t) = (s.wide(), t.wide());
            *product += s * (t - weight * s);
            *square += s * s;
        }
    }

    /// The inverse of the curvature with that of the pull along each coordinate, at most 1/μ, padded with zeros; nothing
    /// where no step was taken yet.
    pub(super) fn inverse<T: Real>(&self, weight: f64) -> Option<Vec<T>> {
        let known = self.squares.iter().any(|square| *square > 0.0);
        let inverse = |(product, square): (&f64, &f64)| {
            T::of(if *product > 0.0 { square / (product + weight * square) } else { 1.0 / weight })
        };
        known.then(|| {
            let mut all: Vec<T> = self.products.iter().zip(&self.squares).map(inverse).collect();
            all.resize(padded(all.len()), T::zero());
            all
        })
    }
}
