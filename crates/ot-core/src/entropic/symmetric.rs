//! A measure against itself: averaged symmetric updates.

use super::sinkhorn::{Problem, SinkhornOptions, Solution};

impl Problem<'_> {
    /// OT_ε(μ, μ) by averaged symmetric updates, which converge in a few steps.
    pub(super) fn solve_symmetric(&self, options: SinkhornOptions, allowed: f64) -> Solution {
        let mut f = vec![0.0; self.a.len()];
        for epsilon in self.scales() {
            f = average(&f, &self.update_f(&f, epsilon));
        }
        let mut iterations = 0;
        loop {
            let g = self.update_f(&f, self.epsilon);
            let marginal_error = self.marginal_error(&f, &g);
            iterations += 1;
            let (is_last, converged) =
                (iterations >= options.max_iterations, marginal_error <= options.tolerance);
            let is_good = || self.missing_value_at_most(&f, &g) + self.rounding <= allowed;
            if is_last || (converged && is_good()) {
                // (f, g) is a pair with one exact marginal: a dual value.
                let value = self.pairing(&f, &g);
                return Solution { value, f, g, iterations, marginal_error, converged };
            }
            f = average(&f, &g);
        }
    }

    /// A bound on the dual value that f misses, Σ |a − P1|·|f* − f|, where averaged updates converge: they halve every
    /// error at least, so that |f* − f| ≤ |best − f| for the plain update `best`.
    pub(super) fn missing_value_at_most(&self, f: &[f64], best: &[f64]) -> f64 {
        self.a
            .iter()
            .zip(f.iter().zip(best))
            .filter(|&(&weight, _)| weight > 0.0)
            .map(|(weight, (f, best))| weight * ((f - best) / self.epsilon).exp_m1().abs() * (best - f).abs())
            .sum()
    }
}

/// The middle of two potentials.
pub(super) fn average(left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().zip(right).map(|(left, right)| 0.5 * (left + right)).collect()
}
