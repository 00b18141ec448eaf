//! Log-domain Sinkhorn iterations with ε-scaling.

use super::EntropicError;
use super::anderson::Anderson;
use super::plan::EntropicTransport;
use crate::cost::{Cost, largest_cost};
use crate::exact;
use crate::measure::{Measure, check_dimensions, pairing};
use crate::potentials::{Extension, Potentials};
use crate::soft::{Kernel, Side};
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

/// ε must leave the exponents c/ε an absolute accuracy of 1e−4: largest cost · 2^−53 / ε.
const SMALLEST_RELATIVE_EPSILON: f64 = 1e-12;

/// Each step of ε-scaling divides ε by this, and updates the potentials this many times.
const SCALING: f64 = 4.0;
const UPDATES_PER_SCALE: usize = 2;

/// Updates at the last ε before the exact potentials are looked for: what converges within them is cheaper without.
const UPDATES_BEFORE_EXACT: usize = 12;

/// Relative to ε, the rounding of a dual value made of single-precision exponentials.
pub(super) const ROUNDING: f64 = 1e-6;

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
    let problem = Problem::new(source, target, cost, epsilon)?;
    options.check()?;
    let solution = problem.solve(options);
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
    source: Measure<'a>,
    target: Measure<'a>,
    cost: &'a dyn Cost,
    pub kernel: Kernel<'a>,
    pub a: Vec<f64>,
    pub b: Vec<f64>,
    log_a: Vec<f64>,
    pub log_b: Vec<f64>,
    pub epsilon: f64,
    /// An upper bound of |c_ij|.
    largest_cost: f64,
}

impl<'a> Problem<'a> {
    pub(super) fn new(
        source: &Measure<'a>,
        target: &Measure<'a>,
        cost: &'a dyn Cost,
        epsilon: f64,
    ) -> Result<Self, EntropicError> {
        check_dimensions(source, target)?;
        positive("epsilon", epsilon)?;
        let kernel = Kernel::new(source, target, cost);
        let largest_cost = match &kernel {
            Kernel::Blocks { cost, .. } => {
                cost.of_squared_distance(squared_diameter(source.points(), target.points()))
            }
            Kernel::Pairs(pairs) => {
                largest_cost(pairs).map_err(|source_index| EntropicError::CostNotFinite { source_index })?
            }
        };
        let smallest = SMALLEST_RELATIVE_EPSILON * largest_cost;
        if epsilon < smallest {
            return Err(EntropicError::TooSmall { epsilon, smallest, largest_cost });
        }
        let (a, b) = (source.probabilities(), target.probabilities());
        let (a, b) = (kernel.sorted(Side::Sources, &a.all), kernel.sorted(Side::Targets, &b.all));
        let logarithms = |weights: &[f64]| weights.iter().map(|weight| weight.ln()).collect();
        Ok(Self {
            source: *source,
            target: *target,
            cost,
            kernel,
            log_a: logarithms(&a),
            log_b: logarithms(&b),
            a,
            b,
            epsilon,
            largest_cost,
        })
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

    pub(super) fn solve(&self, options: SinkhornOptions) -> Solution {
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
        let mut mixing = Anderson::new(&self.a);
        // The last g belongs to a larger ε (or to none).
        let mut f = self.update_f(&g, self.epsilon);
        loop {
            // The best g makes the second marginal exact, so that one number measures the whole error.
            g = self.update_g(&f, self.epsilon);
            iterations += 1;
            let best = self.update_f(&g, self.epsilon);
            let marginal_error = self.marginal_error(&f, &best);
            let value = self.pairing(&f, &g);
            let converged = marginal_error <= options.tolerance;
            if converged || iterations >= options.max_iterations {
                return Solution { value, f, g, iterations, marginal_error, converged };
            }
            let exact = if iterations == exact_start { self.exact_start(value) } else { None };
            f = if let Some(exact) = exact {
                mixing = Anderson::new(&self.a);
                exact
            } else {
                mixing.next(&f, best, value, ROUNDING * self.epsilon)
            };
        }
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
