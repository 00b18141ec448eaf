//! Log-domain Sinkhorn iterations with ε-scaling.

use super::EntropicError;
use super::anderson::Anderson;
use super::plan::EntropicTransport;
use crate::cost::{CloudCost, Cost, LARGEST_COST, Sealed, largest_cost};
use crate::exact;
use crate::measure::{Measure, check_dimensions, pairing};
use crate::potentials::{Extension, Potentials};
use crate::soft::{Kernel, Precision, Side};
use ndarray::{ArrayView2, Axis};

/// Settings of a Sinkhorn solve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SinkhornOptions {
    /// Largest allowed ‖P1 − a‖₁ after the last update.
    pub tolerance: f64,
    /// Limit on the updates of both potentials, ε-scaling included.
    pub max_iterations: usize,
}

impl Default for SinkhornOptions {
    /// A marginal error of 1e−4 leaves the value, which is second order in it, below 1e−5 of the cost scale.
    fn default() -> Self {
        Self { tolerance: 1e-4, max_iterations: 5000 }
    }
}

impl SinkhornOptions {
    pub(super) fn check(self) -> Result<(), EntropicError> {
        positive("tolerance", self.tolerance)
    }
}

/// Refuses a setting that is not a positive number.
pub(super) fn positive(name: &'static str, value: f64) -> Result<(), EntropicError> {
    if value > 0.0 && value.is_finite() { Ok(()) } else { Err(EntropicError::NotPositive { name, value }) }
}

/// ε must leave the exponents c/ε an absolute accuracy of 1e−4, that is largest cost · 2^−53 / ε, for a plan to have
/// marginals.
const SMALLEST_RELATIVE_EPSILON: f64 = 1e-12;

/// Each step of ε-scaling divides ε by this, and updates the potentials this many times.
const SCALING: f64 = 4.0;
const UPDATES_PER_SCALE: usize = 2;

/// Updates at the last ε before the exact potentials are looked for: what converges within them is cheaper without.
const UPDATES_BEFORE_EXACT: usize = 12;

/// Updates between two looks at the error of a value.
const UPDATES_BETWEEN_CHECKS: usize = 25;

/// Plain updates after which the slowest error is seen.
const PLAIN_UPDATES: usize = 5;

/// A rate that is taken for any slower one.
const SLOWEST_RATE: f64 = 1.0 - 1e-5;

/// Entropic optimal transport between two measures.
///
/// Alternating updates f ← −ε log Σ_j b_j e^{(g_j − c_ij)/ε} and the same for g, with ε falling from the largest cost
/// to its value (Schmitzer, arXiv 1610.06519, section 3) and Anderson mixing at the last ε, until ‖P1 − a‖₁ ≤ tolerance
/// for P_ij = a_i b_j e^{(f_i + g_j − c_ij)/ε}. Mass that has to cross between clusters further apart than √ε would
/// make the updates creep: where they do not converge soon, they go on from the exact potentials, which are within
/// O(ε·log n) of the entropic ones (Peyré & Cuturi, arXiv 1803.00567, section 4.1). The error is measured for the
/// returned potentials, after the last update; when `max_iterations` comes first, the result says `converged: false`.
///
/// Weights are divided by their sums; `epsilon` is in units of cost.
///
/// # Errors
/// Measures of different dimensions, ε or a tolerance that is not positive, costs that are not finite, an ε so small
/// that c/ε loses its digits.
///
/// O(n·m·d) per update, and for a Euclidean cost much less for ε far below the squared extent of the clouds in few
/// dimensions; O((n + m)·d) memory, and at most one exact solve. The result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, cost::Euclidean, entropic::{SinkhornOptions, sinkhorn}};
/// let (x, y) = (array![[0.0], [1.0]], array![[2.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let plan = sinkhorn(&source, &target, &Euclidean::Distance, 0.1, SinkhornOptions::default())?;
/// assert!(plan.converged && (plan.value - 1.5).abs() < 1e-6);
/// # Ok::<(), ot_core::entropic::EntropicError>(())
/// ```
pub fn sinkhorn<'a>(
    source: &Measure<'a>,
    target: &Measure<'a>,
    cost: &'a dyn Cost,
    epsilon: f64,
    options: SinkhornOptions,
) -> Result<EntropicTransport<'a>, EntropicError> {
    let problem = Problem::new(source, target, cost, epsilon, Precision::Single)?;
    problem.check_digits()?;
    options.check()?;
    let solution = problem.solve(options, f64::INFINITY, None);
    let extension = Extension::SoftMinimum { epsilon, damping: 1.0, masses: [1.0, 1.0] };
    Ok(EntropicTransport {
        value: solution.value,
        potentials: problem.potentials(&solution.f, &solution.g, extension),
        epsilon,
        iterations: solution.iterations,
        marginal_error: solution.marginal_error,
        converged: solution.converged,
    })
}

/// Potentials in sorted order, with what they are worth.
pub(super) struct Solution {
    pub value: f64,
    pub f: Vec<f64>,
    pub g: Vec<f64>,
    pub iterations: usize,
    pub marginal_error: f64,
    pub converged: bool,
}

/// A checked entropic problem; weights and potentials are in the order of the kernel.
pub(super) struct Problem<'a> {
    pub source: Measure<'a>,
    pub target: Measure<'a>,
    pub cost: &'a dyn Cost,
    pub kernel: Kernel<'a>,
    pub a: Vec<f64>,
    pub b: Vec<f64>,
    log_a: Vec<f64>,
    pub log_b: Vec<f64>,
    pub epsilon: f64,
    /// An upper bound of |c_ij|.
    largest_cost: f64,
    /// That of a dual value.
    pub rounding: f64,
}

impl<'a> Problem<'a> {
    pub(super) fn new(
        source: &Measure<'a>,
        target: &Measure<'a>,
        cost: &'a dyn Cost,
        epsilon: f64,
        precision: Precision,
    ) -> Result<Self, EntropicError> {
        check_dimensions(source, target)?;
        positive("epsilon", epsilon)?;
        let largest_cost = cost_bound(source, target, cost)?;
        if !(largest_cost.max(1.0) / epsilon).is_finite() {
            return Err(too_small(epsilon, largest_cost));
        }
        let kernel = Kernel::new(source, target, cost, precision);
        let (a, b) = (source.probabilities(), target.probabilities());
        let (a, b) = (kernel.sorted(Side::Sources, &a.all), kernel.sorted(Side::Targets, &b.all));
        let logarithms = |weights: &[f64]| weights.iter().map(|weight| weight.ln()).collect();
        Ok(Self {
            source: *source,
            target: *target,
            cost,
            rounding: kernel.rounding(epsilon, largest_cost),
            kernel,
            log_a: logarithms(&a),
            log_b: logarithms(&b),
            a,
            b,
            epsilon,
            largest_cost,
        })
    }

    /// Refuses a problem whose exponents have too few digits.
    pub(super) fn check_digits(&self) -> Result<(), EntropicError> {
        let (epsilon, largest_cost) = (self.epsilon, self.largest_cost);
        if have_digits(epsilon, largest_cost) { Ok(()) } else { Err(too_small(epsilon, largest_cost)) }
    }

    /// Potentials in the order of the kernel as those of the measures.
    pub(super) fn potentials(&self, f: &[f64], g: &[f64], extension: Extension) -> Potentials<'a> {
        Potentials::new(
            (&self.source, self.kernel.restored(Side::Sources, f)),
            (&self.target, self.kernel.restored(Side::Targets, g)),
            self.cost,
            extension,
        )
    }

    /// Gives both measures a mass, where they had one.
    pub(super) fn scale_masses(&mut self, [mass_a, mass_b]: [f64; 2]) {
        for (weights, logarithms, mass) in
            [(&mut self.a, &mut self.log_a, mass_a), (&mut self.b, &mut self.log_b, mass_b)]
        {
            weights.iter_mut().for_each(|weight| *weight *= mass);
            logarithms.iter_mut().for_each(|logarithm| *logarithm += mass.ln());
        }
    }

    /// The best f for a given g.
    pub(super) fn update_f(&self, g: &[f64], epsilon: f64) -> Vec<f64> {
        self.kernel.soft_minimum(Side::Sources, g, &self.log_b, epsilon)
    }

    /// The best g for a given f.
    pub(super) fn update_g(&self, f: &[f64], epsilon: f64) -> Vec<f64> {
        self.kernel.soft_minimum(Side::Targets, f, &self.log_a, epsilon)
    }

    /// The pairing Σ a f + Σ b g.
    pub(super) fn pairing(&self, f: &[f64], g: &[f64]) -> f64 {
        pairing(&self.a, f) + pairing(&self.b, g)
    }

    /// ‖P1 − a‖₁ of the plan of a potential whose best value would be `best`.
    pub(super) fn marginal_error(&self, f: &[f64], best: &[f64]) -> f64 {
        self.a
            .iter()
            .zip(f.iter().zip(best))
            .filter(|&(&weight, _)| weight > 0.0)
            .map(|(weight, (value, best))| weight * ((value - best) / self.epsilon).exp_m1().abs())
            .sum()
    }

    /// The values of ε above the last one, descending.
    pub(super) fn scales(&self) -> impl Iterator<Item = f64> + use<> {
        let last = self.epsilon;
        std::iter::successors(Some(self.largest_cost), |epsilon| Some(epsilon / SCALING))
            .take_while(move |&epsilon| epsilon > last)
    }

    /// The updates, until the marginals are within the tolerance and the value within `allowed`, or there are enough.
    ///
    /// They begin at the largest ε, or at a guess of f if that has the larger dual value.
    pub(super) fn solve(&self, options: SinkhornOptions, allowed: f64, guess: Option<&[f64]>) -> Solution {
        let mut iterations = 0;
        let mut g = vec![0.0; self.b.len()];
        for epsilon in self.scales() {
            for _ in 0..UPDATES_PER_SCALE {
                if iterations < options.max_iterations {
                    let f = self.update_f(&g, epsilon);
                    g = self.update_g(&f, epsilon);
                    iterations += 1;
                }
            }
        }
        let exact_start = iterations + UPDATES_BEFORE_EXACT;
        let mut next_check = 0;
        let mut mixing = Anderson::new(&self.a);
        // The last g belongs to a larger ε (or to none).
        let mut f = self.update_f(&g, self.epsilon);
        if let Some(guess) = guess {
            let guessed_g = self.update_g(guess, self.epsilon);
            let guessed_f = self.update_f(&guessed_g, self.epsilon);
            if self.pairing(&guessed_f, &guessed_g) > self.pairing(&f, &g) {
                f = guessed_f;
            }
        }
        loop {
            // The best g makes the second marginal exact, so that one number measures the whole error.
            g = self.update_g(&f, self.epsilon);
            iterations += 1;
            let best = self.update_f(&g, self.epsilon);
            let marginal_error = self.marginal_error(&f, &best);
            let value = self.pairing(&f, &g);
            let converged = marginal_error <= options.tolerance;
            let is_last = iterations >= options.max_iterations;
            if is_last || (converged && allowed.is_infinite()) {
                return Solution { value, f, g, iterations, marginal_error, converged };
            }
            if converged && iterations >= next_check {
                let (missing, updated) = self.missing_value(&f);
                if missing + self.rounding <= allowed {
                    return Solution { value, f, g, iterations, marginal_error, converged };
                }
                f = updated;
                mixing = Anderson::new(&self.a);
                next_check = iterations + UPDATES_BETWEEN_CHECKS;
                continue;
            }
            let exact = if iterations == exact_start { self.exact_start(value) } else { None };
            f = if let Some(exact) = exact {
                mixing = Anderson::new(&self.a);
                exact
            } else {
                mixing.next(&f, best, value, self.rounding)
            };
        }
    }

    /// An estimate of the dual value that f misses, and f after some plain updates.
    ///
    /// A plain update gains ½ε·Σ a e² to second order, with e = (f − best f)/ε. After some of them only the slowest error
    /// is left, which each update multiplies by its rate ρ, and what it still has to gain is ½ε·Σ a e²/(1 − ρ): a mixed
    /// potential may have a small e and a large error.
    pub(super) fn missing_value(&self, f: &[f64]) -> (f64, Vec<f64>) {
        let (mut f, mut missing, mut before) = (f.to_vec(), 0.0, 0.0);
        for _ in 0..PLAIN_UPDATES {
            let best = self.update_f(&self.update_g(&f, self.epsilon), self.epsilon);
            missing += before;
            let gain = self.gain(&f, &best);
            (f, before) = (best, gain);
        }
        let best = self.update_f(&self.update_g(&f, self.epsilon), self.epsilon);
        let last = self.gain(&f, &best);
        let rate = if before > 0.0 { (last / before).sqrt().min(SLOWEST_RATE) } else { 0.0 };
        (missing + before / (1.0 - rate), best)
    }

    /// ½ε·Σ a e².
    fn gain(&self, f: &[f64], best: &[f64]) -> f64 {
        let residuals = self.a.iter().zip(f.iter().zip(best)).filter(|&(&weight, _)| weight > 0.0);
        let squares = residuals.map(|(weight, (f, best))| weight * ((f - best) / self.epsilon).powi(2));
        0.5 * self.epsilon * squares.sum::<f64>()
    }

    /// The potential after one update from the exact ones, if its dual value is above `value`; none for costs the exact
    /// solver refuses.
    fn exact_start(&self, value: f64) -> Option<Vec<f64>> {
        let a = self.kernel.restored(Side::Sources, &self.a);
        let b = self.kernel.restored(Side::Targets, &self.b);
        let source = Measure::new(self.source.points(), Some(&a)).ok()?;
        let target = Measure::new(self.target.points(), Some(&b)).ok()?;
        let exact = exact::solve(&source, &target, self.cost).ok()?;
        let f = self.update_f(&self.kernel.sorted(Side::Targets, exact.potentials.g()), self.epsilon);
        let g = self.update_g(&f, self.epsilon);
        (self.pairing(&f, &g) > value).then_some(f)
    }
}

/// Whether exponents have digits enough for a plan to have marginals.
pub(super) fn have_digits(epsilon: f64, largest_cost: f64) -> bool {
    epsilon >= SMALLEST_RELATIVE_EPSILON * largest_cost
}

pub(super) fn too_small(epsilon: f64, largest_cost: f64) -> EntropicError {
    EntropicError::TooSmall { epsilon, smallest: SMALLEST_RELATIVE_EPSILON * largest_cost, largest_cost }
}

/// An upper bound of all costs, of the size of the largest.
pub(super) fn cost_bound(
    source: &Measure<'_>,
    target: &Measure<'_>,
    cost: &dyn Cost,
) -> Result<f64, EntropicError> {
    let bound = cost
        .euclidean(Sealed)
        .map(|cost| cost.of_squared_distance(squared_diameter(source.points(), target.points())));
    match bound {
        Some(bound) if bound <= LARGEST_COST => Ok(bound),
        _ => largest_cost(CloudCost::new(source, target, cost)?.pairs())
            .map_err(|source_index| EntropicError::CostNotFinite { source_index }),
    }
}

/// The squared diagonal of the bounding box of both clouds, at least the largest squared distance.
pub(super) fn squared_diameter(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> f64 {
    x.axis_iter(Axis(1))
        .zip(y.axis_iter(Axis(1)))
        .map(|(x, y)| {
            let values = || x.iter().chain(y.iter()).copied();
            let width = values().fold(f64::NEG_INFINITY, f64::max) - values().fold(f64::INFINITY, f64::min);
            width * width
        })
        .sum()
}
