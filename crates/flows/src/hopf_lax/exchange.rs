//! Starts that points offer each other.

use super::Pull;
use crate::real::Real;
use simd::{Instructions, Vectorised};

/// Candidates that are compared together.
const BLOCK: usize = 16;

/// Points with the values of φ at them, in blocks: first coordinates, second coordinates, and so on.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidates<T> {
    dim: usize,
    /// [blocks, d, BLOCK].
    coordinates: Vec<T>,
    /// [blocks, BLOCK]; infinite where a block has no more points.
    values: Vec<T>,
}

impl<T: Real> Candidates<T> {
    /// Takes the rows of `points`, [m, `dim`], with the values of φ.
    pub(super) fn gather(&mut self, dim: usize, points: &[T], values: &[T]) {
        self.dim = dim;
        self.values.clear();
        self.values.extend_from_slice(values);
        self.values.resize(values.len().next_multiple_of(BLOCK), T::infinity());
        self.coordinates.clear();
        self.coordinates.resize(self.values.len() * dim, T::zero());
        let blocks = self.coordinates.chunks_exact_mut(BLOCK * dim).zip(points.chunks(BLOCK * dim));
        for (block, points) in blocks {
            for (lane, point) in points.chunks_exact(dim).enumerate() {
                for (coordinates, &number) in block.chunks_exact_mut(BLOCK).zip(point) {
                    if let Some(coordinate) = coordinates.get_mut(lane) {
                        *coordinate = number;
                    }
                }
            }
        }
    }

    /// For each row of `x` the candidate y of the least φ(y) + h(‖y − x‖), if that is less than `own`.
    pub(super) fn best(&self, pull: Pull, x: &[T], own: &[T]) -> Vec<Option<usize>> {
        simd::run(Best { candidates: self, pull, x, own })
    }
}

/// φ(y) + h(‖y − x‖) of each row; equal to what [`Candidates::best`] compares it with where the points are equal.
pub(super) fn costs<T: Real>(pull: Pull, dim: usize, x: &[T], y: &[T], values: &[T]) -> Vec<T> {
    // Added in the order of the coordinates, as there.
    let square = |x: &[T], y: &[T]| x.iter().zip(y).fold(T::zero(), |sum, (&x, &y)| sum + (x - y) * (x - y));
    let rows = x.chunks_exact(dim).zip(y.chunks_exact(dim)).zip(values);
    rows.map(|((x, y), &value)| value + cost(pull, square(x, y))).collect()
}

/// h(r) for r² = `square`.
#[inline(always)]
fn cost<T: Real>(pull: Pull, square: T) -> T {
    if pull.reach.is_finite() { T::of(pull.cost(square.wide())) } else { T::of(0.5 * pull.weight) * square }
}

struct Best<'a, T> {
    candidates: &'a Candidates<T>,
    pull: Pull,
    x: &'a [T],
    own: &'a [T],
}

impl<T: Real> Vectorised for Best<'_, T> {
    type Output = Vec<Option<usize>>;

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) -> Self::Output {
        let Self { candidates, pull, x, own } = self;
        let dim = candidates.dim;
        // A loop, since an iterator that collects is compiled apart, without the instructions of this function.
        let mut found = Vec::with_capacity(own.len());
        for (x, &own) in x.chunks_exact(dim).zip(own) {
            let (mut best, mut least) = (None, own);
            let blocks = candidates.coordinates.chunks_exact(BLOCK * dim);
            for (block, (coordinates, values)) in
                blocks.zip(candidates.values.chunks_exact(BLOCK)).enumerate()
            {
                let mut squares = [T::zero(); BLOCK];
                for (&x, coordinates) in x.iter().zip(coordinates.chunks_exact(BLOCK)) {
                    for (square, &y) in squares.iter_mut().zip(coordinates) {
                        *square += (x - y) * (x - y);
                    }
                }
                for (lane, (&value, &square)) in values.iter().zip(&squares).enumerate() {
                    let total = value + cost(pull, square);
                    if total < least {
                        (best, least) = (Some(block * BLOCK + lane), total);
                    }
                }
            }
            found.push(best);
        }
        found
    }
}
