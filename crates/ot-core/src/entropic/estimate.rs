//! How the Sinkhorn divergence is found: by iteration, and where its terms cancel or ε is far below them, by more exact
//! means.

use super::EntropicError;
use super::divergence::SinkhornDivergence;
use super::reduced::Reduced;
use super::sinkhorn::{Problem, SinkhornOptions, Solution, cost_bound, have_digits, positive, too_small};
use super::vanishing::vanishing;
use crate::cost::Cost;
use crate::measure::{Measure, check_dimensions};
use crate::soft::Precision;
use ndarray::Array2;

/// From this dimension on an exact solve is tried before an iteration.
const DEEP: usize = 64;

/// Part of the tolerance on the value that is left to each of its three terms.
const SHARE: f64 = 0.25;

/// Marginals made of single-precision exponentials need not get closer than this.
const SINGLE_MARGINALS: f64 = 1e-6;

/// Iterations to ever smaller errors before the value is given as it is.
const ROUNDS: usize = 4;

/// A value of the divergence with what is known of it.
pub(super) struct Estimate {
    pub value: f64,
    /// An estimate of its error, rounding included.
    pub error: f64,
    pub iterations: usize,
    /// Largest of the plans that it comes from.
    pub marginal_error: f64,
    /// In the points of the source, by point as given.
    pub gradient: Option<Array2<f64>>,
}

impl Estimate {
    /// Whether the marginals are within the tolerance, and the value within that part of itself.
    pub(super) fn is_settled(&self, tolerance: f64) -> bool {
        self.marginal_error <= tolerance && self.error <= tolerance * self.value.abs()
    }
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub cost: &'a dyn Cost,
    pub epsilon: f64,
    pub options: SinkhornOptions,
    pub gradient: bool,
}

impl Wanted<'_> {
    /// The divergence of two measures, and its gradient in the points of the first if it is wanted.
    pub(super) fn divergence(
        &self,
        source: &Measure<'_>,
        target: &Measure<'_>,
    ) -> Result<(SinkhornDivergence, Option<Array2<f64>>), EntropicError> {
        check_dimensions(source, target)?;
        positive("epsilon", self.epsilon)?;
        self.options.check()?;
        let found = self.estimate(source, target)?;
        let divergence = SinkhornDivergence {
            value: found.value,
            epsilon: self.epsilon,
            iterations: found.iterations,
            marginal_error: found.marginal_error,
            converged: found.is_settled(self.options.tolerance),
        };
        Ok((divergence, found.gradient))
    }

    fn estimate(&self, source: &Measure<'_>, target: &Measure<'_>) -> Result<Estimate, EntropicError> {
        let tolerance = self.options.tolerance;
        let largest_cost = cost_bound(source, target, self.cost)?;
        let exact_first =
            source.dim() >= DEEP && !self.gradient && self.may_vanish(source, target, largest_cost);
        let mut found = Vec::new();
        let is_coarse = tolerance >= SINGLE_MARGINALS;
        if have_digits(self.epsilon, largest_cost) && is_coarse && !exact_first {
            let iterated = self.iterated(source, target, Precision::Single, |_| f64::INFINITY)?;
            if iterated.is_settled(tolerance) {
                return Ok(iterated);
            }
            found.push(iterated);
        }
        let used: usize = found.iter().map(|estimate| estimate.iterations).sum();
        let reduced = Reduced::new(source, target, self.cost);
        if reduced.is_null {
            let marginal_error = 0.0;
            return Ok(Estimate { value: 0.0, error: 0.0, iterations: used, marginal_error, gradient: None });
        }
        let (x, y) = (
            Measure::new(reduced.x.view(), Some(&reduced.a))?,
            Measure::new(reduced.y.view(), Some(&reduced.b))?,
        );
        let largest_cost = cost_bound(&x, &y, self.cost)?;
        let of_measures = |estimate: Estimate| Estimate {
            value: reduced.shift + estimate.value,
            error: reduced.shift_rounding + estimate.error,
            iterations: used + estimate.iterations,
            gradient: estimate.gradient.map(|gradient| reduced.restored(gradient.view())),
            ..estimate
        };
        let has_digits = have_digits(self.epsilon, largest_cost);
        // Where plans can be iterated, their gradient is the better one.
        if self.may_vanish(&x, &y, largest_cost) && !(self.gradient && has_digits) {
            let exact = vanishing(&x, &y, self.cost, self.epsilon, self.gradient).map(of_measures);
            if exact.as_ref().is_some_and(|exact| exact.is_settled(tolerance)) || !has_digits {
                found.extend(exact);
                return best(found, self.epsilon, largest_cost);
            }
            found.extend(exact);
        }
        let rest = self.options.max_iterations.saturating_sub(used);
        if has_digits && rest > 0 {
            let wanted = Self { options: SinkhornOptions { max_iterations: rest, ..self.options }, ..*self };
            let allowed = |value: f64| SHARE * tolerance * (reduced.shift + value.max(0.0));
            found.push(of_measures(wanted.iterated(&x, &y, Precision::Double, allowed)?));
        } else if found.is_empty() {
            found.extend(vanishing(&x, &y, self.cost, self.epsilon, self.gradient).map(of_measures));
        }
        best(found, self.epsilon, largest_cost)
    }

    /// Whether ε may be so small that the value does not feel it: ε·log n against the costs, which the divergence does not
    /// exceed.
    fn may_vanish(&self, source: &Measure<'_>, target: &Measure<'_>, largest_cost: f64) -> bool {
        let points = source.count().max(target.count()) as f64;
        self.epsilon * points.ln() <= self.options.tolerance * largest_cost
    }

    /// The divergence by iteration, until its terms are good to what `allowed` says of a value.
    fn iterated(
        &self,
        source: &Measure<'_>,
        target: &Measure<'_>,
        precision: Precision,
        allowed: impl Fn(f64) -> f64,
    ) -> Result<Estimate, EntropicError> {
        let problem = |source, target| Problem::new(source, target, self.cost, self.epsilon, precision);
        let (between, within_x, within_y) =
            (problem(source, target)?, problem(source, source)?, problem(target, target)?);
        let mut value = 0.0;
        let mut round = 0;
        loop {
            round += 1;
            // Nothing is known of the value before the first round.
            let limit = if round == 1 && allowed(0.0) == 0.0 { f64::INFINITY } else { allowed(value) };
            let (self_x, self_y) = (
                within_x.solve_symmetric(self.options, limit.max(2.0 * within_x.rounding)),
                within_y.solve_symmetric(self.options, limit.max(2.0 * within_y.rounding)),
            );
            // Nearly equal clouds have nearly the potentials of one against itself.
            let guess = limit.is_finite().then_some(self_x.f.as_slice());
            let transport = between.solve(self.options, limit.max(2.0 * between.rounding), guess);
            value = transport.value - 0.5 * (self_x.value + self_y.value);
            let of_self = |problem: &Problem<'_>, solution: &Solution| {
                problem.missing_value_at_most(&solution.f, &solution.g) + problem.rounding
            };
            let error = between.missing_value(&transport.f).0
                + between.rounding
                + 0.5 * (of_self(&within_x, &self_x) + of_self(&within_y, &self_y));
            let is_last = round == ROUNDS
                || limit <= allowed(value)
                || transport.iterations >= self.options.max_iterations;
            if is_last {
                let gradient = self.gradient.then(|| between.pulls(&transport.g) - within_x.pulls(&self_x.f));
                let marginal_error =
                    transport.marginal_error.max(self_x.marginal_error).max(self_y.marginal_error);
                return Ok(Estimate {
                    value,
                    error,
                    iterations: transport.iterations,
                    marginal_error,
                    gradient,
                });
            }
        }
    }
}

/// The estimate with the smallest error; there is none if the exact solver refuses what cannot be iterated.
fn best(found: Vec<Estimate>, epsilon: f64, largest_cost: f64) -> Result<Estimate, EntropicError> {
    found
        .into_iter()
        .min_by(|one, two| one.error.total_cmp(&two.error))
        .ok_or_else(|| too_small(epsilon, largest_cost))
}
