//! The penalty over all pairs of a minibatch.

use super::GapPenalty;
use crate::matrix::dot;
use crate::real::Real;
use crate::vector::{self, Vectorised};

/// The mean of P over all pairs (yᵢ, xⱼ), and its derivatives in every φ(yᵢ) and in every ψ(xⱼ).
///
/// In the precision of the networks, a row of gaps at a time. Complexity: n²·d for n points a side.
pub(super) fn penalised_everywhere<T: Real>(
    penalty: GapPenalty,
    (phi, y): (&[T], &[T]),
    (psi, x): (&[T], &[T]),
    dim: usize,
) -> (f64, Vec<T>, Vec<T>) {
    let zeros = |count| vec![T::zero(); count];
    let (mut in_phi, mut in_psi, mut value) = (zeros(phi.len()), zeros(psi.len()), zeros(psi.len()));
    let columns: Vec<T> = (0..dim).flat_map(|k| x.iter().skip(k).step_by(dim).copied()).collect();
    let sums = Sums { in_phi: &mut in_phi, in_psi: &mut in_psi, value: &mut value };
    let points = Points { phi, y, psi, columns: &columns, dim };
    // One pass for each form, with no choice inside.
    match penalty {
        GapPenalty::Linear { weight } => {
            vector::run(AllPairs { points, sums, jet: |gap| GapPenalty::Linear { weight }.jet(gap) });
        }
        GapPenalty::Quadratic { weight } => {
            vector::run(AllPairs { points, sums, jet: |gap| GapPenalty::Quadratic { weight }.jet(gap) });
        }
        GapPenalty::Entropic { temperature } => {
            vector::run(AllPairs { points, sums, jet: |gap| GapPenalty::Entropic { temperature }.jet(gap) });
        }
    }
    let share = 1.0 / (phi.len() as f64 * psi.len() as f64);
    for sum in in_phi.iter_mut().chain(&mut in_psi) {
        *sum *= T::of(share);
    }
    (share * value.iter().map(|value| value.wide()).sum::<f64>(), in_phi, in_psi)
}

/// Both potentials at the points of a minibatch.
struct Points<'a, T> {
    phi: &'a [T],
    /// Generated points, n × d.
    y: &'a [T],
    psi: &'a [T],
    /// Target points, d × n.
    columns: &'a [T],
    dim: usize,
}

/// Σⱼ P′ for every i, Σᵢ P′ and Σᵢ P for every j.
struct Sums<'a, T> {
    in_phi: &'a mut [T],
    in_psi: &'a mut [T],
    value: &'a mut [T],
}

struct AllPairs<'a, T, Jet> {
    points: Points<'a, T>,
    sums: Sums<'a, T>,
    jet: Jet,
}

impl<T: Real, Jet: Fn(T) -> (T, T)> Vectorised for AllPairs<'_, T, Jet> {
    #[inline(always)]
    fn run(self) {
        let Self { points: Points { phi, y, psi, columns, dim }, sums, jet } = self;
        let mut gaps = vec![T::zero(); psi.len()];
        let ones = vec![T::one(); psi.len()];
        for ((&phi, y), in_phi) in phi.iter().zip(y.chunks_exact(dim)).zip(sums.in_phi) {
            for (gap, &psi) in gaps.iter_mut().zip(psi) {
                *gap = phi + psi;
            }
            for (&y, column) in y.iter().zip(columns.chunks_exact(psi.len())) {
                for (gap, &x) in gaps.iter_mut().zip(column) {
                    *gap -= T::of(0.5) * (y - x) * (y - x);
                }
            }
            for ((gap, value), in_psi) in gaps.iter_mut().zip(&mut *sums.value).zip(&mut *sums.in_psi) {
                let (penalty, slope) = jet(*gap);
                *value += penalty;
                *in_psi += slope;
                *gap = slope;
            }
            *in_phi = dot(&gaps, &ones);
        }
    }
}
