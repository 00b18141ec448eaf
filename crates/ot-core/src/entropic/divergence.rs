//! The debiased Sinkhorn divergence in the geomloss convention.

use super::sinkhorn::{EntropicError, Problem, SinkhornOptions, Solution, positive};
use crate::cost::Cost;
use ndarray::ArrayView2;

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
    pub fn cost(self) -> Cost {
        match self {
            Self::One => Cost::Euclidean,
            Self::Two => Cost::HalfSquaredEuclidean,
        }
    }

    /// p as a number.
    pub fn exponent(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// ε = blur^p, and the same power of any other length.
    fn of(self, length: f64) -> f64 {
        match self {
            Self::One => length,
            Self::Two => length * length,
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
    /// geomloss' schedule: ε from diameter^p to blur^p by the factor `scaling`^p, ONE symmetric averaged update each, then an extrapolation.
    /// With its default `scaling` = 0.5 it stops far from convergence, and the value may be negative.
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
    /// The power of the ground distance; it fixes the cost.
    pub power: SinkhornPower,
    /// ε^{1/p}.
    pub blur: f64,
    /// Updates of the potentials between the two measures.
    pub iterations: usize,
    /// Largest marginal error of the three plans, measured after the last update.
    pub marginal_error: f64,
    /// Whether `marginal_error` is at most the tolerance asked for; never claimed for a fixed schedule above a tolerance of 1e−4.
    pub converged: bool,
}

/// The Sinkhorn divergence S_ε(μ, ν) = OT_ε(μ, ν) − ½OT_ε(μ, μ) − ½OT_ε(ν, ν) between two weighted clouds.
///
/// For p = 2 the cost is ½‖x − y‖² and ε = blur², so that S_ε ≈ ½·w2_squared; for p = 1 the cost is ‖x − y‖ and ε = blur, so that
/// S_ε ≈ w1. It is not negative, and zero only for μ = ν (Feydy et al., arXiv 1810.08278, theorem 1); the schedule of geomloss is that of
/// Feydy's thesis (2020), algorithm 3.5.
///
/// `x` is \[n, d\], `y` is \[m, d\]; weights are divided by their sums, `None` means equal ones; `blur` is in the unit of x.
///
/// # Errors
/// Clouds or weights that are not measures; a blur, tolerance or scaling out of range; an ε so small that c/ε loses its digits.
///
/// O((n + m)²·d) per update, O(n + m) memory; the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::entropic::{Schedule, SinkhornPower, sinkhorn_divergence};
/// let (x, y) = (array![[0.0, 0.0]], array![[3.0, 4.0]]);
/// let divergence = sinkhorn_divergence(x.view(), y.view(), None, None, SinkhornPower::Two, 0.05, Schedule::CONVERGED)?;
/// assert!(divergence.converged && (divergence.value - 12.5).abs() < 1e-6);
/// # Ok::<(), ot_core::entropic::EntropicError>(())
/// ```
pub fn sinkhorn_divergence(
    x: ArrayView2<f64>,
    y: ArrayView2<f64>,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    power: SinkhornPower,
    blur: f64,
    schedule: Schedule,
) -> Result<SinkhornDivergence, EntropicError> {
    match schedule {
        Schedule::Converged { tolerance, max_iterations } => {
            let options = SinkhornOptions { tolerance, max_iterations };
            Ok(converged(x, y, a, b, power, blur, options)?.divergence)
        }
        Schedule::Geomloss { scaling } => {
            as_geomloss(problems(x, y, a, b, power, blur)?, power, blur, scaling)
        }
    }
}

/// The problems of (μ, ν), (μ, μ) and (ν, ν).
type Problems<'a> = [Problem<'a>; 3];

fn problems<'a>(
    x: ArrayView2<'a, f64>,
    y: ArrayView2<'a, f64>,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    power: SinkhornPower,
    blur: f64,
) -> Result<Problems<'a>, EntropicError> {
    positive("blur", blur)?;
    let problem = |(x, a), (y, b)| Problem::new(x, y, a, b, power.cost(), power.of(blur));
    Ok([problem((x, a), (y, b))?, problem((x, a), (x, a))?, problem((y, b), (y, b))?])
}

/// A divergence whose plans have converged, with the potentials that gradients need.
pub(super) struct Solved<'a> {
    pub divergence: SinkhornDivergence,
    pub between: (Problem<'a>, Solution),
    pub within_x: (Problem<'a>, Solution),
}

/// The divergence iterated as `options` say.
pub(super) fn converged<'a>(
    x: ArrayView2<'a, f64>,
    y: ArrayView2<'a, f64>,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    power: SinkhornPower,
    blur: f64,
    options: SinkhornOptions,
) -> Result<Solved<'a>, EntropicError> {
    let [between, within_x, within_y] = problems(x, y, a, b, power, blur)?;
    options.check()?;
    let transport = between.solve(options);
    let (self_x, self_y) = (within_x.solve_symmetric(options), within_y.solve_symmetric(options));
    let marginal_error = transport.marginal_error.max(self_x.marginal_error).max(self_y.marginal_error);
    let divergence = SinkhornDivergence {
        value: transport.value - 0.5 * (self_x.value + self_y.value),
        power,
        blur,
        iterations: transport.iterations,
        marginal_error,
        converged: marginal_error <= options.tolerance,
    };
    Ok(Solved { divergence, between: (between, transport), within_x: (within_x, self_x) })
}

fn as_geomloss(
    [between, within_x, within_y]: Problems<'_>,
    power: SinkhornPower,
    blur: f64,
    scaling: f64,
) -> Result<SinkhornDivergence, EntropicError> {
    if !(scaling > 0.0 && scaling < 1.0) {
        return Err(EntropicError::Scaling(scaling));
    }
    let scales = geomloss_scales(power, between.diameter, blur, scaling);
    let (f, g) = averaged(&between, &scales);
    let (self_x, self_y) = (averaged_within(&within_x, &scales), averaged_within(&within_y, &scales));
    let value = between.pairing(&f, &g)
        - 0.5 * (within_x.pairing(&self_x, &self_x) + within_y.pairing(&self_y, &self_y));
    let error = |problem: &Problem<'_>, f: &[f64], g: &[f64]| {
        problem.marginal_error(f, &problem.update_f(g, problem.epsilon))
    };
    let marginal_error = error(&between, &f, &g)
        .max(error(&within_x, &self_x, &self_x))
        .max(error(&within_y, &self_y, &self_y));
    Ok(SinkhornDivergence {
        value,
        power,
        blur,
        iterations: scales.len(),
        marginal_error,
        converged: marginal_error <= FIXED_SCHEDULE_TOLERANCE,
    })
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
    std::iter::once(power.of(diameter))
        .chain((0..steps).map(|step| power.of(diameter * scaling.powi(step))))
        .chain(std::iter::once(power.of(blur)))
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
