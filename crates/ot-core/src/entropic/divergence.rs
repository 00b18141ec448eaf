//! The debiased Sinkhorn divergence, for any symmetric cost and in the convention of geomloss.

use super::EntropicError;
use super::sinkhorn::{Problem, SinkhornOptions, Solution, positive, squared_diameter};
use crate::cost::{Cost, Euclidean};
use crate::measure::Measure;

/// The power p of the ground distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkhornPower {
    /// c = ‖x − y‖, ε = blur: an entropic W1.
    One,
    /// c = ½‖x − y‖², ε = blur²: an entropic ½·W2².
    Two,
}

impl SinkhornPower {
    /// The ground cost.
    pub fn cost(self) -> &'static Euclidean {
        match self {
            Self::One => &Euclidean::Distance,
            Self::Two => &Euclidean::HalfSquared,
        }
    }

    /// p as a number.
    pub fn exponent(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// ε = blur^p.
    pub fn epsilon(self, blur: f64) -> f64 {
        match self {
            Self::One => blur,
            Self::Two => blur * blur,
        }
    }
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// Iterate at the last ε until every marginal error is at most `tolerance`, or `max_iterations` updates are done.
    Converged {
        /// Largest allowed ‖P1 − a‖₁ of the three plans.
        tolerance: f64,
        /// Limit on the updates at all ε.
        max_iterations: usize,
    },
    /// geomloss' schedule: ε from diameter^p to blur^p by the factor `scaling`^p, ONE symmetric averaged update each,
    /// then an extrapolation. With its default `scaling` = 0.5 it stops far from convergence, and the value may be
    /// negative.
    Geomloss {
        /// Factor on the blur between updates, in (0, 1).
        scaling: f64,
    },
}

impl Schedule {
    /// geomloss' default, the schedule of published tables.
    pub const AS_PUBLISHED: Self = Self::Geomloss { scaling: 0.5 };

    /// Convergence to a marginal error of 1e−4 within 5000 updates.
    pub const CONVERGED: Self = Self::Converged { tolerance: 1e-4, max_iterations: 5000 };
}

/// A debiased entropic transport cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SinkhornDivergence {
    /// OT_ε(μ, ν) − ½OT_ε(μ, μ) − ½OT_ε(ν, ν).
    pub value: f64,
    /// The regularisation ε, in units of cost.
    pub epsilon: f64,
    /// Updates of the potentials between the two measures.
    pub iterations: usize,
    /// Largest marginal error of the three plans, measured after the last update.
    pub marginal_error: f64,
    /// Whether `marginal_error` is at most the tolerance asked for; never claimed for a fixed schedule above a
    /// tolerance of 1e−4.
    pub converged: bool,
}

/// The Sinkhorn divergence S_ε(μ, ν) = OT_ε(μ, ν) − ½OT_ε(μ, μ) − ½OT_ε(ν, ν) between two measures.
///
/// The cost must be symmetric, c(x, y) = c(y, x). If e^{−c/ε} is positive definite, as it is for ‖x − y‖ and its
/// square, S_ε is not negative, and zero only for μ = ν (Feydy et al., arXiv 1810.08278, theorem 1). Weights are
/// divided by their sums; `epsilon` is in units of cost.
///
/// # Errors
/// Those of [`super::sinkhorn`].
///
/// O((n + m)²·d) per update, O((n + m)·d) memory; the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, entropic::{SinkhornOptions, sinkhorn_divergence}};
/// let (x, y) = (array![[0.0, 0.0]], array![[3.0, 4.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let taxicab = |x: &[f64], y: &[f64]| (x[0] - y[0]).abs() + (x[1] - y[1]).abs();
/// let divergence = sinkhorn_divergence(&source, &target, &taxicab, 0.1, SinkhornOptions::default())?;
/// assert!(divergence.converged && (divergence.value - 7.0).abs() < 1e-6);
/// # Ok::<(), ot_core::entropic::EntropicError>(())
/// ```
pub fn sinkhorn_divergence(
    source: &Measure<'_>,
    target: &Measure<'_>,
    cost: &dyn Cost,
    epsilon: f64,
    options: SinkhornOptions,
) -> Result<SinkhornDivergence, EntropicError> {
    Ok(converged(source, target, cost, epsilon, options)?.divergence)
}

/// [`sinkhorn_divergence`] in the convention of geomloss: a power p and a blur, with ε = blur^p.
///
/// For p = 2 the cost is ½‖x − y‖², so that S_ε ≈ ½·w2_squared; for p = 1 it is ‖x − y‖, so that S_ε ≈ w1. The schedule
/// of geomloss is that of Feydy's thesis (2020), algorithm 3.5. `blur` is in the unit of the points.
///
/// # Errors
/// Measures of different dimensions; a blur, tolerance or scaling out of range; an ε so small that c/ε loses its
/// digits.
///
/// O((n + m)²·d) per update, O((n + m)·d) memory; the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, entropic::{Schedule, SinkhornPower, geomloss_divergence}};
/// let (x, y) = (array![[0.0, 0.0]], array![[3.0, 4.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let divergence = geomloss_divergence(&source, &target, SinkhornPower::Two, 0.05, Schedule::CONVERGED)?;
/// assert!(divergence.converged && (divergence.value - 12.5).abs() < 1e-6);
/// # Ok::<(), ot_core::entropic::EntropicError>(())
/// ```
pub fn geomloss_divergence(
    source: &Measure<'_>,
    target: &Measure<'_>,
    power: SinkhornPower,
    blur: f64,
    schedule: Schedule,
) -> Result<SinkhornDivergence, EntropicError> {
    positive("blur", blur)?;
    let (cost, epsilon) = (power.cost(), power.epsilon(blur));
    match schedule {
        Schedule::Converged { tolerance, max_iterations } => {
            sinkhorn_divergence(source, target, cost, epsilon, SinkhornOptions { tolerance, max_iterations })
        }
        Schedule::Geomloss { scaling } => {
            if !(scaling > 0.0 && scaling < 1.0) {
                return Err(EntropicError::Scaling(scaling));
            }
            let problems = problems(source, target, cost, epsilon)?;
            let diameter = squared_diameter(source.points(), target.points()).sqrt();
            Ok(as_geomloss(problems, &geomloss_scales(power, diameter, blur, scaling)))
        }
    }
}

/// The problems of (μ, ν), (μ, μ) and (ν, ν).
fn problems<'a>(
    source: &Measure<'a>,
    target: &Measure<'a>,
    cost: &'a dyn Cost,
    epsilon: f64,
) -> Result<[Problem<'a>; 3], EntropicError> {
    let problem = |source, target| Problem::new(source, target, cost, epsilon);
    Ok([problem(source, target)?, problem(source, source)?, problem(target, target)?])
}

/// A divergence whose plans have converged, with the potentials that gradients need.
pub(super) struct Solved<'a> {
    pub divergence: SinkhornDivergence,
    pub between: (Problem<'a>, Solution),
    pub within_source: (Problem<'a>, Solution),
}

/// The divergence iterated as `options` say.
pub(super) fn converged<'a>(
    source: &Measure<'a>,
    target: &Measure<'a>,
    cost: &'a dyn Cost,
    epsilon: f64,
    options: SinkhornOptions,
) -> Result<Solved<'a>, EntropicError> {
    let [between, within_source, within_target] = problems(source, target, cost, epsilon)?;
    options.check()?;
    let transport = between.solve(options);
    let (self_x, self_y) = (within_source.solve_symmetric(options), within_target.solve_symmetric(options));
    let marginal_error = transport.marginal_error.max(self_x.marginal_error).max(self_y.marginal_error);
    let divergence = SinkhornDivergence {
        value: transport.value - 0.5 * (self_x.value + self_y.value),
        epsilon,
        iterations: transport.iterations,
        marginal_error,
        converged: marginal_error <= options.tolerance,
    };
    Ok(Solved { divergence, between: (between, transport), within_source: (within_source, self_x) })
}

fn as_geomloss([between, within_x, within_y]: [Problem<'_>; 3], scales: &[f64]) -> SinkhornDivergence {
    let (f, g) = averaged(&between, scales);
    let (self_x, self_y) = (averaged_within(&within_x, scales), averaged_within(&within_y, scales));
    let value = between.pairing(&f, &g)
        - 0.5 * (within_x.pairing(&self_x, &self_x) + within_y.pairing(&self_y, &self_y));
    let error = |problem: &Problem<'_>, f: &[f64], g: &[f64]| {
        problem.marginal_error(f, &problem.update_f(g, problem.epsilon))
    };
    let marginal_error = error(&between, &f, &g)
        .max(error(&within_x, &self_x, &self_x))
        .max(error(&within_y, &self_y, &self_y));
    SinkhornDivergence {
        value,
        epsilon: between.epsilon,
        iterations: scales.len(),
        marginal_error,
        converged: marginal_error <= FIXED_SCHEDULE_TOLERANCE,
    }
}

/// What a fixed schedule must reach to be called converged: the default of [`Schedule::CONVERGED`].
const FIXED_SCHEDULE_TOLERANCE: f64 = 1e-4;

impl Problem<'_> {
    /// OT_ε(μ, μ) by averaged symmetric updates, which converge in a few steps.
    fn solve_symmetric(&self, options: SinkhornOptions) -> Solution {
        let mut f = vec![0.0; self.a.len()];
        for epsilon in self.scales() {
            f = average(&f, &self.update_f(&f, epsilon));
        }
        let mut iterations = 0;
        loop {
            let g = self.update_f(&f, self.epsilon);
            let marginal_error = self.marginal_error(&f, &g);
            iterations += 1;
            let converged = marginal_error <= options.tolerance;
            if converged || iterations >= options.max_iterations {
                // (f, g) is a pair with one exact marginal: a dual value.
                return Solution { value: self.pairing(&f, &g), f, g, iterations, marginal_error, converged };
            }
            f = average(&f, &g);
        }
    }
}

fn average(left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().zip(right).map(|(left, right)| 0.5 * (left + right)).collect()
}

/// diameter^p, then the powers diameter^p·scaling^{kp} from k = 0 down to blur^p, then blur^p.
fn geomloss_scales(power: SinkhornPower, diameter: f64, blur: f64, scaling: f64) -> Vec<f64> {
    let steps = ((blur / diameter).ln() / scaling.ln()).ceil().max(0.0) as i32;
    std::iter::once(power.epsilon(diameter))
        .chain((0..steps).map(|step| power.epsilon(diameter * scaling.powi(step))))
        .chain(std::iter::once(power.epsilon(blur)))
        .filter(|&epsilon| epsilon > 0.0)
        .collect()
}

/// geomloss' iterations for two measures: both potentials are updated from the old ones and averaged with them.
fn averaged(problem: &Problem<'_>, scales: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let first = scales.first().copied().unwrap_or(problem.epsilon);
    let mut f = problem.update_f(&vec![0.0; problem.b.len()], first);
    let mut g = problem.update_g(&vec![0.0; problem.a.len()], first);
    for &epsilon in scales {
        let (next_f, next_g) = (problem.update_f(&g, epsilon), problem.update_g(&f, epsilon));
        (f, g) = (average(&f, &next_f), average(&g, &next_g));
    }
    (problem.update_f(&g, problem.epsilon), problem.update_g(&f, problem.epsilon))
}

/// [`averaged`] for one measure against itself, where both potentials are the same.
fn averaged_within(problem: &Problem<'_>, scales: &[f64]) -> Vec<f64> {
    let first = scales.first().copied().unwrap_or(problem.epsilon);
    let mut f = problem.update_f(&vec![0.0; problem.b.len()], first);
    for &epsilon in scales {
        f = average(&f, &problem.update_f(&f, epsilon));
    }
    problem.update_f(&f, problem.epsilon)
}
