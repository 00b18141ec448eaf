//! Anderson mixing of the updates of a potential.

#![allow(clippy::indexing_slicing, reason = "a few rows and columns, counted where the matrix is made")]

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

/// Anderson's mixing of the fixed-point iteration f ← F(f) (Walker & Ni, SIAM J. Numer. Anal. 49, 2011, section 2).
///
/// The next f is Σ α_k F(f_k) with Σ α_k = 1 and ‖Σ α_k (F(f_k) − f_k)‖ least, in the norm weighted by the masses. Near
/// the solution Sinkhorn's F is linear with few eigenvalues close to one, those of mass that has to cross between
/// clusters: mixing removes them, where plain updates creep.
pub(super) struct Anderson<'a> {
    weights: &'a [f64],
    /// Updates, the latest first.
    history: Vec<Update>,
    /// The dual value of the last f, which no step may lower.
    dual: f64,
}

/// A potential f and its plain update F(f).
struct Update {
    plain: Vec<f64>,
    residual: Vec<f64>,
}

impl<'a> Anderson<'a> {
    /// More clusters than this mix more slowly; the least squares stay small beside one update.
    const MEMORY: usize = 10;

    /// Relative size of the regularisation that keeps the least squares solvable when updates become parallel.
    const REGULARISATION: f64 = 1e-12;

    pub(super) fn new(weights: &'a [f64]) -> Self {
        Self { weights, history: Vec::new(), dual: f64::NEG_INFINITY }
    }

    /// The next f after `f`, whose plain update is `plain` and whose dual value is `dual`; values within `rounding`
    /// count as equal.
    ///
    /// Plain updates never lower the dual value; where a mixed one did, the plain one that it replaced comes next.
    pub(super) fn next(&mut self, f: &[f64], plain: Vec<f64>, dual: f64, rounding: f64) -> Vec<f64> {
        if dual < self.dual - rounding {
            return self.history.drain(..).next().map_or(plain, |replaced| replaced.plain);
        }
        self.dual = dual;
        self.history.truncate(Self::MEMORY - 1);
        let residual = plain.iter().zip(f).map(|(plain, f)| plain - f).collect();
        self.history.insert(0, Update { plain, residual });
        self.mixed()
    }

    fn mixed(&self) -> Vec<f64> {
        let Some((last, earlier)) = self.history.split_first() else { return Vec::new() };
        let mut mixed = last.plain.clone();
        for (update, coefficient) in earlier.iter().zip(self.coefficients(last, earlier)) {
            for (mixed, (plain, last)) in mixed.iter_mut().zip(update.plain.iter().zip(&last.plain)) {
                *mixed += coefficient * (plain - last);
            }
        }
        mixed
    }

    /// The α of the earlier updates; that of the last one is 1 − Σ α.
    fn coefficients(&self, last: &Update, earlier: &[Update]) -> Vec<f64> {
        let differences: Vec<Vec<f64>> = earlier
            .iter()
            .map(|earlier| {
                earlier.residual.iter().zip(&last.residual).map(|(earlier, last)| earlier - last).collect()
            })
            .collect();
        let product = |left: &[f64], right: &[f64]| -> f64 {
            self.weights
                .iter()
                .zip(left.iter().zip(right))
                .map(|(weight, (left, right))| weight * left * right)
                .sum()
        };
        let size = differences.len();
        let mut gram = Mat::from_fn(size, size, |i, j| product(&differences[i], &differences[j]));
        let ridge = Self::REGULARISATION * (0..size).map(|i| gram[(i, i)]).sum::<f64>();
        (0..size).for_each(|i| gram[(i, i)] += ridge);
        let right = Mat::from_fn(size, 1, |i, _| -product(&differences[i], &last.residual));
        // Without a factorisation (all residuals are the same) the plain update is taken.
        let Ok(factor) = gram.llt(Side::Lower) else { return Vec::new() };
        let solution = factor.solve(&right);
        (0..size).map(|i| solution[(i, 0)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A linear map with eigenvalues close to one: twelve plain updates would leave .999¹² of the first error.
    #[test]
    fn slow_modes_of_a_linear_map_are_removed() {
        let (rates, fixed) = ([0.999, 0.99, 0.9, 0.0], [1.0, -2.0, 3.0, 0.5]);
        let mut mixing = Anderson::new(&[0.1, 0.2, 0.3, 0.4]);
        let mut f = vec![0.0; 4];
        for _ in 0..12 {
            let plain: Vec<f64> = (0..4).map(|i| fixed[i] + rates[i] * (f[i] - fixed[i])).collect();
            f = mixing.next(&f, plain, 0.0, 1e-12);
        }
        // On four dimensions mixing of five updates would be exact, but for the regularisation, which each round
        // divides out again.
        assert!(f.iter().zip(fixed).all(|(f, fixed)| (f - fixed).abs() < 1e-4), "{f:?}");
    }

    #[test]
    fn a_step_that_lowers_the_dual_value_is_taken_back() {
        let mut mixing = Anderson::new(&[1.0]);
        mixing.next(&[0.0], vec![1.0], 5.0, 1e-9);
        mixing.next(&[1.0], vec![1.9], 6.0, 1e-9);
        assert_eq!(mixing.next(&[10.0], vec![9.0], 5.5, 1e-9), [1.9]);
    }
}
