//! The debiased Sinkhorn divergence, for any symmetric cost and in the convention of geomloss.

use super::EntropicError;
use super::estimate::Wanted;
use super::geomloss::{as_geomloss, geomloss_scales};
use super::sinkhorn::{Problem, SinkhornOptions, positive, squared_diameter};
use crate::cost::{Cost, Euclidean};
use crate::measure::Measure;
use crate::soft::Precision;

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
    /// Iterate at the last ε until every marginal error is at most `tolerance` and the value is good to that part of
    /// itself, or `max_iterations` updates are done.
    Converged {
        /// Largest allowed ‖P1 − a‖₁ of the three plans, and error of the value relative to the value.
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

    /// Convergence to a marginal error of 1e−4, and to a value good to 1e−4 of itself, within 5000 updates.
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
    /// Whether `marginal_error` is at most the tolerance asked for, and the estimated error of `value`, rounding
    /// included, at most that part of `value`; never claimed for a fixed schedule above a tolerance of 1e−4.
    pub converged: bool,
}

/// The Sinkhorn divergence S_ε(μ, ν) = OT_ε(μ, ν) − ½OT_ε(μ, μ) − ½OT_ε(ν, ν) between two measures.
///
/// Where clouds are far narrower than √ε, or nearly equal, S_ε is a small difference of large terms: the iteration then
/// goes on in double precision, for a squared distance between clouds that are centred each for itself, since
/// S_ε(μ, ν) = ½‖mean μ − mean ν‖² + S_ε of the centred ones. Where ε is far below all costs S_ε is the exact cost with
/// its first-order term in ε. `converged` says whether the tolerance holds relative to the value.
///
/// The cost must be symmetric, c(x, y) = c(y, x). If e^{−c/ε} is positive definite, as it is for ‖x − y‖ and its
/// square, S_ε is not negative, and zero only for μ = ν (Feydy et al., arXiv 1810.08278, theorem 1). Weights are
/// divided by their sums; `epsilon` is in units of cost.
///
/// # Errors
/// Measures of different dimensions, ε or a tolerance that is not positive, costs that are not finite.
///
/// O((n + m)²·d) per update, O((n + m)·d) memory; from 64 dimensions on, and for up to 2^24 pairs, the costs are kept and
/// an update takes O((n + m)²). The result does not depend on the number of threads.
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
    let wanted = Wanted { cost, epsilon, options, gradient: false };
    Ok(wanted.divergence(source, target)?.0)
}

/// [`sinkhorn_divergence`] in the convention of geomloss: a power p and a blur, with ε = blur^p.
///
/// For p = 2 the cost is ½‖x − y‖², so that S_ε ≈ ½·w2_squared; for p = 1 it is ‖x − y‖, so that S_ε ≈ w1. The schedule
/// of geomloss is that of Feydy's thesis (2020), algorithm 3.5. `blur` is in the unit of the points.
///
/// # Errors
/// Measures of different dimensions; a blur, tolerance or scaling out of range; costs that are not finite.
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
    let problem = |source, target| Problem::new(source, target, cost, epsilon, Precision::Single);
    Ok([problem(source, target)?, problem(source, source)?, problem(target, target)?])
}
