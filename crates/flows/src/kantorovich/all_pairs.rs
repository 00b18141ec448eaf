//! The penalty over all pairs of a minibatch.

use super::GapPenalty;
use crate::matrix::dot;
use crate::real::Real;
use simd::{Instructions, Vectorised};

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
            simd::run(AllPairs { points, sums, jet: |gap| GapPenalty::Linear { weight }.jet(gap) });
        }
        GapPenalty::Quadratic { weight } => {
            simd::run(AllPairs { points, sums, jet: |gap| GapPenalty::Quadratic { weight }.jet(gap) });
        }
        GapPenalty::Entropic { temperature } => {
            simd::run(AllPairs { points, sums, jet: |gap| GapPenalty::Entropic { temperature }.jet(gap) });
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
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
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
            // In interleaved partial sums: a plain sum is one chain of additions.
            *in_phi = dot(&gaps, &ones);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::penalised_everywhere;
    use crate::kantorovich::GapPenalty;

    /// Against the double loop, with more points than a vector holds and a remainder.
    #[test]
    fn agrees_with_the_double_loop() {
        let wave =
            |count: usize, rate: f64| -> Vec<f64> { (0..count).map(|i| (rate * i as f64).sin()).collect() };
        let (phi, psi, y, x) = (wave(37, 0.7), wave(37, 1.3), wave(111, 0.9), wave(111, 2.1));
        for penalty in [
            GapPenalty::Linear { weight: 3.0 },
            GapPenalty::Quadratic { weight: 2.0 },
            GapPenalty::Entropic { temperature: 0.5 },
        ] {
            let (mut mean, mut in_phi, mut in_psi) = (0.0, vec![0.0; 37], vec![0.0; 37]);
            for ((phi, y), in_phi) in phi.iter().zip(y.chunks(3)).zip(&mut in_phi) {
                for ((psi, x), in_psi) in psi.iter().zip(x.chunks(3)).zip(&mut in_psi) {
                    let squared: f64 = y.iter().zip(x).map(|(y, x)| (y - x).powi(2)).sum();
                    let (value, slope) = penalty.jet(phi + psi - 0.5 * squared);
                    mean += value / 1369.0;
                    *in_phi += slope / 1369.0;
                    *in_psi += slope / 1369.0;
                }
            }
            assert!(mean > 0.0);
            let both = |phi: &[f64], psi: &[f64]| [phi, psi].concat();
            let found = penalised_everywhere(penalty, (&phi, &y), (&psi, &x), 3);
            // Sums of 1369 numbers of order one in two orders.
            assert!((found.0 - mean).abs() < 1e-13 * mean, "{penalty:?}: {} against {mean}", found.0);
            let pairs = both(&found.1, &found.2).into_iter().zip(both(&in_phi, &in_psi));
            let gap = pairs.map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max);
            assert!(gap < 1e-14, "{penalty:?}: {gap}");
            // Single precision has 6e-8 a rounding, and some forty of them in a sum.
            let single = |numbers: &[f64]| numbers.iter().map(|&x| x as f32).collect::<Vec<_>>();
            let rounded =
                penalised_everywhere(penalty, (&single(&phi), &single(&y)), (&single(&psi), &single(&x)), 3);
            assert!((rounded.0 - mean).abs() < 1e-5 * mean, "{penalty:?}: {} against {mean}", rounded.0);
        }
    }
}
