//! What was measured, as it is reported.

use super::{Distance, DistanceOptions};
use crate::coordinates::CoordinateW1;
use ot_core::entropic::Schedule;
use serde::Serialize;
use std::collections::BTreeMap;

/// The distances between two clouds; one that was not asked for, or could not be had, is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distances {
    /// Points of the first cloud.
    pub n: usize,
    /// Points of the second cloud.
    pub m: usize,
    /// Coordinates compared.
    pub dim: usize,
    /// The scale of the points: RMS distance to the mean of both clouds.
    pub scale: f64,
    /// Certified exact transport.
    pub exact: ExactDistances,
    /// Sliced W2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sliced_w2: Option<f64>,
    /// W1 of each column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coordinate_w1: Option<CoordinateW1>,
    /// Debiased entropic transport.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sinkhorn_divergence: Option<SinkhornValue>,
    /// The same distances between samples of the second cloud, where samples of this size say little of the laws.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<SampleFloor>,
    /// Why a distance is absent, by its name.
    pub left_out: BTreeMap<String, String>,
    /// What has to be kept in mind beside the numbers, in sentences.
    pub notes: Vec<String>,
    /// What each number means, by its path in this object.
    pub definitions: BTreeMap<String, String>,
}

/// Exact transport costs; see [`Distances::definitions`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ExactDistances {
    /// min Σ P‖x−y‖.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w1: Option<f64>,
    /// (min Σ P‖x−y‖²)^½.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w2: Option<f64>,
    /// min Σ P‖x−y‖².
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w2_squared: Option<f64>,
    /// min Σ P·½‖x−y‖².
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport_cost: Option<f64>,
    /// `transport_cost` less its dual value, zero up to rounding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duality_gap: Option<f64>,
    /// `w1` less its dual value, zero up to rounding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w1_duality_gap: Option<f64>,
}

/// A Sinkhorn divergence and how it was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SinkhornValue {
    /// OT_ε(μ,ν) − ½OT_ε(μ,μ) − ½OT_ε(ν,ν).
    pub value: f64,
    /// The power of the ground distance.
    pub p: u8,
    /// ε^{1/p}, in the unit of the points.
    pub blur: f64,
    /// The ground cost, as a formula.
    pub cost: String,
    /// Updates of the potentials between the clouds.
    pub iterations: usize,
    /// Largest marginal error of the three plans after the last update.
    pub marginal_error: f64,
    /// Whether the iterations reached their tolerance.
    pub converged: bool,
}

/// Distances between random halves of the second cloud, beside those of as many points of the first to one of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SampleFloor {
    /// Points a side.
    pub n: usize,
    /// `w1` between the halves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w1: Option<f64>,
    /// `w1` between a half and as many points of the first cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples_w1: Option<f64>,
    /// `w2_squared` between the halves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w2_squared: Option<f64>,
    /// `w2_squared` between a half and as many points of the first cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples_w2_squared: Option<f64>,
}

impl Distances {
    /// The value of a distance, where it was measured; of the columns' W1 that of the worst.
    #[must_use]
    pub fn get(&self, distance: Distance) -> Option<f64> {
        match distance {
            Distance::W1 => self.exact.w1,
            Distance::W2 => self.exact.w2,
            Distance::W2Squared => self.exact.w2_squared,
            Distance::TransportCost => self.exact.transport_cost,
            Distance::SlicedW2 => self.sliced_w2,
            Distance::CoordinateW1 => Some(self.coordinate_w1.as_ref()?.worst?.value),
            Distance::SinkhornDivergence => Some(self.sinkhorn_divergence.as_ref()?.value),
        }
    }

    /// Writes what the numbers mean.
    pub(super) fn define(&mut self, options: &DistanceOptions, sliced: Option<(usize, f64)>) {
        let mut define = |path: &str, text: String| self.definitions.insert(path.into(), text);
        define("scale", "(½ E‖x − c‖² + ½ E‖y − c‖²)^½ with c = ½ E x + ½ E y".into());
        for (path, value, text) in [
            ("exact.w1", self.exact.w1, "min Σ P_ij ‖x_i−y_j‖ over couplings P"),
            ("exact.w2", self.exact.w2, "(min Σ P_ij ‖x_i−y_j‖²)^½"),
            ("exact.w2_squared", self.exact.w2_squared, "min Σ P_ij ‖x_i−y_j‖²"),
            ("exact.transport_cost", self.exact.transport_cost, "min Σ P_ij ½‖x_i−y_j‖² = ½·w2_squared"),
            (
                "exact.duality_gap",
                self.exact.duality_gap,
                "transport_cost − (Σ a_i f_i + Σ b_j g_j), with f_i + g_j ≤ ½‖x_i−y_j‖² checked for all pairs",
            ),
            (
                "exact.w1_duality_gap",
                self.exact.w1_duality_gap,
                "w1 − (Σ a_i f_i + Σ b_j g_j), with f_i + g_j ≤ ‖x_i−y_j‖ checked for all pairs",
            ),
        ] {
            if value.is_some() {
                define(path, text.into());
            }
        }
        if let Some((directions, standard_error)) = sliced {
            let text = match directions {
                _ if self.dim == 1 => "w2 itself, in one dimension".into(),
                1 => "W2(θ·x, θ·y) of one random direction θ, which tells nothing of the others".into(),
                _ => format!(
                    "(mean over {directions} random directions θ of W2²(θ·x, θ·y))^½, Monte-Carlo standard error \
                     {standard_error:.1e}"
                ),
            };
            define("sliced_w2", text);
        }
        if self.coordinate_w1.is_some() {
            define("coordinate_w1.values", "W1(x_j, y_j) of each column j, in its unit".into());
            define(
                "coordinate_w1.worst",
                "the largest W1(x_j, y_j)/E|y_j − median y_j|, the column from 0".into(),
            );
        }
        if let Some(divergence) = &self.sinkhorn_divergence {
            let epsilon = if divergence.p == 2 { "blur²" } else { "blur" };
            let stopping = match options.schedule {
                Schedule::Converged { tolerance, .. } => {
                    format!("iterated to a marginal error of {tolerance:e}")
                }
                Schedule::Geomloss { scaling } => {
                    format!("the fixed schedule of geomloss with scaling {scaling}")
                }
            };
            let text = format!(
                "OT_ε(μ,ν) − ½OT_ε(μ,μ) − ½OT_ε(ν,ν), OT_ε = min Σ P·c + ε·KL(P‖μ⊗ν), c = {}, ε = {epsilon}, \
                 {stopping}",
                divergence.cost
            );
            define("sinkhorn_divergence.value", text);
            let text = "largest ‖P1 − a‖₁ of the three plans after the last update";
            define("sinkhorn_divergence.marginal_error", text.into());
        }
        if self.floor.is_some() {
            let halves = "between two random halves of the second cloud, at most 2000 points each";
            define("floor.w1", format!("w1 {halves}"));
            define("floor.w2_squared", format!("w2_squared {halves}"));
            let half = "between one of the halves and as many points of the first cloud";
            define("floor.samples_w1", format!("w1 {half}"));
            define("floor.samples_w2_squared", format!("w2_squared {half}"));
        }
    }
}
