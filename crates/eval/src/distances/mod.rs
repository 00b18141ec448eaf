//! Distances between two weighted point clouds, each number with its definition.

use ndarray::{ArrayView2, s};
use ot_core::cost::Euclidean;
use ot_core::entropic::{EntropicError, Schedule, SinkhornPower, geomloss_divergence};
use ot_core::exact::{ExactError, solve};
use ot_core::sliced::{SlicedError, sliced_wasserstein};
use ot_core::{Measure, MeasureError};
use rand::Rng;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;

/// What to measure.
#[derive(Debug, Clone, PartialEq)]
pub struct DistanceOptions {
    /// The coordinates to compare, all of them if `None`.
    pub coords: Option<Range<usize>>,
    /// The power p of the Sinkhorn divergence.
    pub power: SinkhornPower,
    /// The blur ε^{1/p} of the Sinkhorn divergence, in the unit of the points.
    pub blur: f64,
    /// When the Sinkhorn iterations stop.
    pub schedule: Schedule,
    /// The random directions of the sliced distance.
    pub directions: usize,
}

impl Default for DistanceOptions {
    /// All coordinates, the converged divergence with p = 2 and blur 0.05, and 256 directions.
    fn default() -> Self {
        Self {
            coords: None,
            power: SinkhornPower::Two,
            blur: 0.05,
            schedule: Schedule::CONVERGED,
            directions: 256,
        }
    }
}

/// The distances between two clouds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distances {
    /// Points of the first cloud.
    pub n: usize,
    /// Points of the second cloud.
    pub m: usize,
    /// Coordinates compared.
    pub dim: usize,
    /// Certified exact transport.
    pub exact: ExactDistances,
    /// Debiased entropic transport.
    pub sinkhorn_divergence: SinkhornValue,
    /// Sliced W2.
    pub sliced_w2: f64,
    /// What each number means, by its path in this object.
    pub definitions: BTreeMap<String, String>,
}

/// Exact transport costs; see [`Distances::definitions`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ExactDistances {
    /// min Σ P‖x−y‖.
    pub w1: f64,
    /// (min Σ P‖x−y‖²)^½.
    pub w2: f64,
    /// min Σ P‖x−y‖².
    pub w2_squared: f64,
    /// min Σ P·½‖x−y‖².
    pub transport_cost: f64,
    /// `transport_cost` less its dual value, zero up to rounding.
    pub duality_gap: f64,
}

/// A Sinkhorn divergence and how it was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SinkhornValue {
    /// OT_ε(μ,ν) − ½OT_ε(μ,μ) − ½OT_ε(ν,ν).
    pub value: f64,
    /// The power of the ground distance.
    pub p: u8,
    /// ε^{1/p}.
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

/// Why two clouds have no distances.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DistanceError {
    /// The coordinates asked for do not exist.
    #[error(
        "coordinates {start}..{end} of {columns} columns: the range is half-open, so use for example 0..{columns}"
    )]
    Coords {
        /// First coordinate.
        start: usize,
        /// End of the range, excluded.
        end: usize,
        /// Columns of the narrower cloud.
        columns: usize,
    },
    /// Points or weights are not a measure.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// Exact transport failed.
    #[error(transparent)]
    Exact(#[from] ExactError),
    /// Entropic transport failed.
    #[error(transparent)]
    Entropic(#[from] EntropicError),
    /// The sliced distance failed.
    #[error(transparent)]
    Sliced(#[from] SlicedError),
}

/// Measures the distances between the rows of `x`, [n, d], and of `y`, [m, d], with optional weights.
///
/// Weights `a`, \[n\], and `b`, \[m\], are divided by their sums; `None` means equal ones. Distances are in the unit
/// of the points, `w2_squared`, `transport_cost` and (for p = 2) the divergence in its square. `rng` draws the
/// directions of the sliced distance.
///
/// # Errors
/// Coordinates out of range, clouds that are empty, not finite or of different dimensions, weights that are not
/// measures, a blur out of range.
///
/// The cost is that of two exact solves and three Sinkhorn solves; see [`ot_core::exact`] and [`ot_core::entropic`].
/// The result does not depend on the number of threads.
///
/// ```
/// use eval::distances::{DistanceOptions, distances};
/// use ndarray::array;
/// let (x, y) = (array![[0.0, 0.0], [1.0, 0.0]], array![[0.0, 2.0], [1.0, 2.0]]);
/// let mut rng = datasets::stream(0, "sliced", 0);
/// let found = distances(x.view(), y.view(), None, None, &DistanceOptions::default(), &mut rng)?;
/// assert_eq!((found.exact.w1, found.exact.w2, found.exact.transport_cost), (2.0, 2.0, 2.0));
/// # Ok::<(), eval::distances::DistanceError>(())
/// ```
pub fn distances<R: Rng + ?Sized>(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    options: &DistanceOptions,
    rng: &mut R,
) -> Result<Distances, DistanceError> {
    let (x, y) = match &options.coords {
        None => (x, y),
        Some(coords) => {
            let columns = x.ncols().min(y.ncols());
            if coords.start >= coords.end || coords.end > columns {
                return Err(DistanceError::Coords { start: coords.start, end: coords.end, columns });
            }
            (x.slice_move(s![.., coords.clone()]), y.slice_move(s![.., coords.clone()]))
        }
    };
    let (source, target) = (Measure::named("source", x, a)?, Measure::named("target", y, b)?);
    let quadratic = solve(&source, &target, &Euclidean::HalfSquared)?;
    let linear = solve(&source, &target, &Euclidean::Distance)?;
    let divergence = geomloss_divergence(&source, &target, options.power, options.blur, options.schedule)?;
    let sliced = sliced_wasserstein(&source, &target, 2.0, options.directions, rng)?;
    let w2_squared = 2.0 * quadratic.primal();
    let value = SinkhornValue {
        value: divergence.value,
        p: options.power.exponent(),
        blur: options.blur,
        cost: options.power.cost().definition().to_owned(),
        iterations: divergence.iterations,
        marginal_error: divergence.marginal_error,
        converged: divergence.converged,
    };
    Ok(Distances {
        n: x.nrows(),
        m: y.nrows(),
        dim: x.ncols(),
        exact: ExactDistances {
            w1: linear.primal(),
            w2: w2_squared.sqrt(),
            w2_squared,
            transport_cost: quadratic.primal(),
            duality_gap: quadratic.gap(),
        },
        definitions: definitions(&value, options.schedule, sliced.directions, sliced.standard_error),
        sinkhorn_divergence: value,
        sliced_w2: sliced.value,
    })
}

fn definitions(
    divergence: &SinkhornValue,
    schedule: Schedule,
    directions: usize,
    standard_error: f64,
) -> BTreeMap<String, String> {
    let epsilon = if divergence.p == 2 { "blur²" } else { "blur" };
    let stopping = match schedule {
        Schedule::Converged { tolerance, .. } => format!("iterated to a marginal error of {tolerance:e}"),
        Schedule::Geomloss { scaling } => format!("the fixed schedule of geomloss with scaling {scaling}"),
    };
    [
        ("exact.w1", "min Σ P_ij ‖x_i−y_j‖ over couplings P".to_owned()),
        ("exact.w2", "(min Σ P_ij ‖x_i−y_j‖²)^½".to_owned()),
        ("exact.w2_squared", "min Σ P_ij ‖x_i−y_j‖²".to_owned()),
        ("exact.transport_cost", "min Σ P_ij ½‖x_i−y_j‖² = ½·w2_squared".to_owned()),
        (
            "exact.duality_gap",
            "transport_cost − (Σ a_i f_i + Σ b_j g_j), with f_i + g_j ≤ ½‖x_i−y_j‖² checked for all pairs"
                .to_owned(),
        ),
        (
            "sinkhorn_divergence.value",
            format!(
                "OT_ε(μ,ν) − ½OT_ε(μ,μ) − ½OT_ε(ν,ν), OT_ε = min Σ P·c + ε·KL(P‖μ⊗ν), c = {}, ε = {epsilon}, \
                 {stopping}",
                divergence.cost
            ),
        ),
        (
            "sinkhorn_divergence.marginal_error",
            "largest ‖P1 − a‖₁ of the three plans after the last update".to_owned(),
        ),
        (
            "sliced_w2",
            format!(
                "(mean over {directions} random directions θ of W2²(θ·x, θ·y))^½, Monte-Carlo standard error \
                 {standard_error:.1e}"
            ),
        ),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn clouds() -> (Array2<f64>, Array2<f64>) {
        let mut rng = datasets::stream(1, "distances-test", 0);
        let mut cloud = |n| Array2::from_shape_simple_fn((n, 3), || rand::RngExt::random::<f64>(&mut rng));
        (cloud(40), cloud(30) + 0.5)
    }

    fn measure(options: &DistanceOptions) -> Distances {
        let (x, y) = clouds();
        distances(x.view(), y.view(), None, None, options, &mut datasets::stream(1, "sliced", 0)).unwrap()
    }

    #[test]
    fn the_numbers_are_consistent_with_each_other() {
        let found = measure(&DistanceOptions { directions: 64, ..DistanceOptions::default() });
        let exact = found.exact;
        assert_eq!((found.n, found.m, found.dim), (40, 30, 3));
        assert!(exact.w1 <= exact.w2 && found.sliced_w2 <= exact.w2);
        assert_eq!(exact.w2_squared, 2.0 * exact.transport_cost);
        // The certificate's own tolerance is smaller than this.
        assert!(exact.duality_gap.abs() < 1e-11);
        assert!(found.sinkhorn_divergence.converged);
        // Debiased entropic transport with blur far below the distance: within a few per cent of the exact cost.
        assert!((found.sinkhorn_divergence.value / exact.transport_cost - 1.0).abs() < 0.1);
    }

    #[test]
    fn the_json_has_every_promised_number_with_a_definition() {
        let json =
            serde_json::to_value(measure(&DistanceOptions { directions: 8, ..DistanceOptions::default() }))
                .unwrap();
        for path in ["w1", "w2", "w2_squared", "transport_cost", "duality_gap"] {
            assert!(json["exact"][path].is_number(), "{path}");
            assert!(json["definitions"][format!("exact.{path}")].is_string(), "{path}");
        }
        for field in ["value", "p", "blur", "cost", "iterations", "converged"] {
            assert!(!json["sinkhorn_divergence"][field].is_null(), "{field}");
        }
        assert!(json["sliced_w2"].is_number() && json["definitions"]["sliced_w2"].is_string());
    }

    #[test]
    fn coordinates_are_selected_and_checked() {
        let (x, y) = clouds();
        let two =
            measure(&DistanceOptions { coords: Some(0..2), directions: 8, ..DistanceOptions::default() });
        let (source, target) = (x.slice(s![.., ..2]), y.slice(s![.., ..2]));
        let (source, target) = (Measure::uniform(source).unwrap(), Measure::uniform(target).unwrap());
        let direct = solve(&source, &target, &Euclidean::HalfSquared).unwrap();
        assert_eq!((two.dim, two.exact.transport_cost), (2, direct.primal()));
        for coords in [0..4, 2..2] {
            let options = DistanceOptions { coords: Some(coords), ..DistanceOptions::default() };
            let mut rng = datasets::stream(1, "sliced", 0);
            let refused = distances(x.view(), y.view(), None, None, &options, &mut rng);
            assert!(matches!(refused, Err(DistanceError::Coords { columns: 3, .. })));
        }
    }

    #[test]
    fn weights_count() {
        let (x, y) = (array![[0.0], [1.0]], array![[0.0]]);
        let options = DistanceOptions { directions: 4, ..DistanceOptions::default() };
        let mut rng = datasets::stream(1, "sliced", 0);
        let found = distances(x.view(), y.view(), Some(&[3.0, 1.0]), None, &options, &mut rng).unwrap();
        assert_eq!((found.exact.w1, found.exact.w2, found.sliced_w2), (0.25, 0.5, 0.5));
    }
}
