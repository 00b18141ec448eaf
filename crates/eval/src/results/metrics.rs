//! The metrics, their names and what they are.

use crate::Summary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Finite numbers by name; a number that is not finite is not taken in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Option<f64>>")]
pub struct Metrics(BTreeMap<String, f64>);

/// The ending of the name under which the standard deviation of a repeated metric stands.
const DEVIATION: &str = "_sd";

impl Metrics {
    /// Takes in a value, if it is finite.
    ///
    /// ```
    /// let mut metrics = eval::Metrics::default();
    /// metrics.insert("path_ratio", 0.01);
    /// metrics.insert("straightness", f64::NAN);
    /// assert_eq!(metrics.get("path_ratio"), Some(0.01));
    /// assert_eq!(metrics.get("straightness"), None);
    /// ```
    pub fn insert(&mut self, name: &str, value: f64) {
        if value.is_finite() {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// Takes in mean and standard deviation of repeated measurements, as `name` and `name_sd`; nothing if one of them
    /// is not finite.
    pub fn insert_repeated(&mut self, name: &str, values: &[f64]) {
        if let Some(summary) = Summary::of(values) {
            self.insert(name, summary.mean);
            if let Some(sd) = summary.sd {
                self.insert(&format!("{name}{DEVIATION}"), sd);
            }
        }
    }

    /// Gives the value and the deviation of a repeated metric a second name.
    pub fn repeat(&mut self, from: &str, to: &str) {
        for ending in ["", DEVIATION] {
            if let Some(value) = self.get(&format!("{from}{ending}")) {
                self.insert(&format!("{to}{ending}"), value);
            }
        }
    }

    /// The value of a metric.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// The standard deviation of a repeated metric.
    #[must_use]
    pub fn deviation(&self, name: &str) -> Option<f64> {
        self.get(&format!("{name}{DEVIATION}"))
    }

    /// All values by name, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Takes in all values of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl From<BTreeMap<String, Option<f64>>> for Metrics {
    fn from(values: BTreeMap<String, Option<f64>>) -> Self {
        values.iter().filter_map(|(name, value)| Some((name.as_str(), (*value)?))).collect()
    }
}

impl<'a> FromIterator<(&'a str, f64)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (&'a str, f64)>>(values: I) -> Self {
        let mut metrics = Self::default();
        for (name, value) in values {
            metrics.insert(name, value);
        }
        metrics
    }
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The name in `results.json`.
    pub name: &'static str,
    /// What it is.
    pub definition: &'static str,
}

const fn metric(name: &'static str, definition: &'static str) -> Metric {
    Metric { name, definition }
}

/// All metrics in the order of reports: distances first, then the indicators of the optimality system, each of which
/// is zero at the exact optimum (the kinetic energy aside).
pub const METRICS: &[Metric] = &[
    metric("w2_squared", "min Σ P‖x−y‖² between generated and target points, all coordinates, exact"),
    metric(
        "sinkhorn_divergence_2d",
        "debiased entropic cost, c = ½‖x−y‖², blur 0.05, first two coordinates, iterated to a marginal error of 1e−4 (≈ ½·w2_squared there)",
    ),
    metric(
        "sinkhorn_divergence_2d_as_published",
        "the same with geomloss' default schedule, which stops before convergence: the number that arXiv 2407.11901 prints",
    ),
    metric("off_manifold_rms", "RMS of the padded coordinates, which are 0 on the target"),
    metric("w2_squared_one_step", "w2_squared of the flow run in one Euler step, h = T"),
    metric("w2_squared_2_steps", "w2_squared of the flow run in 2 Euler steps"),
    metric("w2_squared_5_steps", "w2_squared of the flow run in 5 Euler steps"),
    metric("w2_squared_64_steps", "w2_squared of the flow run in 64 Euler steps"),
    metric(
        "exact_flow_error",
        "RMS ‖x_T − x_T*‖/RMS ‖x_T* − x_0‖, where the optimal flow x* is known in closed form",
    ),
    metric(
        "exact_law_error",
        "W2 between the Gaussians of the moments of ρ_T and of ρ_T*, over W2(ρ0, ρ_T*), where the optimal law ρ* is known in closed form",
    ),
    metric("w1", "min Σ P‖x−y‖ between generated and target points, all coordinates, exact"),
    metric("w2", "(min Σ P‖x−y‖²)^½ between generated and target points, all coordinates, exact"),
    metric(
        "w2_fixed",
        "w2 at the end of the training between G of fixed starting points and one fixed batch of the target",
    ),
    metric(
        "modes_covered",
        "modes with at least a quarter of the points within 3 standard deviations that an equal share would give",
    ),
    metric("high_quality_share", "share of the generated points within 3 standard deviations of a mode"),
    metric(
        "iterations_to_w2_0.15",
        "first recorded iteration with w2 ≤ 0.15 between G of fixed starting points, even ones where there are, and a fixed batch",
    ),
    metric("seconds_to_w2_0.15", "wall-clock seconds of training until then, without the measurements"),
    metric(
        "seconds_per_iteration",
        "wall-clock seconds of training over iterations, without the measurements",
    ),
    metric(
        "geometric_deviation",
        "largest |W2ₙ/((1−ε)ⁿ·W2₀) − 1| over the steps of the exact flow on particles",
    ),
    metric(
        "accuracy_all",
        "accuracy of the 1-nearest-neighbour classifier fitted on the moved source digits, all test digits of the target",
    ),
    metric("accuracy_2007", "the same on 2007 test digits of the target drawn at random"),
    metric(
        "accuracy_best",
        "largest recorded accuracy on all test digits during the training, chosen with hindsight",
    ),
    metric("iteration_of_accuracy_best", "the iteration of accuracy_best"),
    metric(
        "label_agreement",
        "share of the mass of the exact plan between source and target digits that keeps its label, n = 3000",
    ),
    metric("kinetic_energy", "KE = ∫ E ½‖v‖² dt; at the optimum ½·W2²(ρ0, ρ_T)/T"),
    metric("straightness", "KE·T/(½·W2²(ρ0, ρ_T)) − 1, exact transport between the particles' ends"),
    metric("path_ratio", "E[path length]/E[displacement] − 1"),
    metric("step_invariance", "E‖x_h − x_fine‖/E‖x_fine − x_0‖ for one step, h = T, against 256 steps"),
    metric("step_invariance_2", "step_invariance for two steps"),
    metric("step_invariance_4", "step_invariance for 4 steps"),
    metric("step_invariance_8", "step_invariance for 8 steps"),
    metric("step_invariance_16", "step_invariance for 16 steps"),
    metric("step_invariance_32", "step_invariance for 32 steps"),
    metric("step_invariance_64", "step_invariance for 64 steps"),
    metric("hj_residual_rms", "RMS of ∂ₜU − ‖∇U‖²/(2λ) + (σ²/2)ΔU + δI/δρ over particles and times"),
    metric("hj_residual_relative", "hj_residual_rms / RMS |∂ₜU|"),
    metric("terminal_gradient_rms", "RMS ‖∇U(x_T, T) − ∇φ(x_T)‖"),
    metric("terminal_gradient_relative", "terminal_gradient_rms / RMS ‖∇φ(x_T)‖"),
    metric(
        "continuity_residual",
        "largest residual of the weak continuity equation over fixed test functions, in units of its Monte-Carlo error",
    ),
    metric("characteristic_rms", "RMS ‖x(t) − x(T) − ((T−t)/λ)∇φ(x(T))‖ / RMS displacement"),
    metric("velocity_spread", "Σ h·E‖v − (x_T − x_0)/T‖²"),
    metric("critic_slope_max", "max ‖∇φ‖/L over target points, generated points and their interpolates"),
    metric("critic_slope_mean", "mean ‖∇φ‖/L over the same points"),
];

/// What the metric of this name is.
///
/// ```
/// assert!(eval::results::definition("w2_squared_sd").is_some_and(|text| text.contains("standard deviation")));
/// assert_eq!(eval::results::definition("w3"), None);
/// ```
#[must_use]
pub fn definition(name: &str) -> Option<String> {
    let find = |name: &str| METRICS.iter().find(|metric| metric.name == name);
    let deviation = || {
        let repeated = name.strip_suffix(DEVIATION).and_then(find)?;
        Some(format!("standard deviation of {} over the pairs of clouds", repeated.name))
    };
    find(name).map(|metric| metric.definition.to_owned()).or_else(deviation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_values_that_are_not_finite_leave_nothing() {
        let mut metrics = Metrics::default();
        metrics.insert_repeated("a", &[1.0, f64::INFINITY]);
        assert_eq!(metrics.iter().count(), 0);
        metrics.insert_repeated("a", &[1.0, 3.0]);
        assert_eq!(metrics.get("a"), Some(2.0));
        assert_eq!(metrics.deviation("a"), Some(2.0_f64.sqrt()));
        metrics.repeat("a", "b");
        assert_eq!((metrics.get("b"), metrics.deviation("b")), (Some(2.0), Some(2.0_f64.sqrt())));
        metrics.repeat("missing", "c");
        assert_eq!(metrics.get("c"), None);
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
    }
}
