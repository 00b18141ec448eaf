//! Distances between two weighted point clouds, each number with its definition.

mod floor;
mod found;
mod frame;
mod wanted;

pub use found::{Distances, ExactDistances, SampleFloor, SinkhornValue};
pub use wanted::{Distance, UnknownDistance, Wanted};

use crate::coordinates::{CoordinateW1, WorstColumn, coordinate_w1};
use frame::Frame;
use ndarray::{ArrayView2, Axis, s};
use ot_core::cost::Euclidean;
use ot_core::entropic::{EntropicError, Schedule, SinkhornPower, geomloss_divergence};
use ot_core::exact::solve;
use ot_core::sliced::sliced_wasserstein;
use ot_core::{Measure, MeasureError};
use rand::Rng;
use std::collections::BTreeMap;
use std::ops::Range;

/// What to measure.
#[derive(Debug, Clone, PartialEq)]
pub struct DistanceOptions {
    /// The coordinates to compare, all of them if `None`.
    pub coords: Option<Range<usize>>,
    /// The distances.
    pub wanted: Wanted,
    /// The power p of the Sinkhorn divergence.
    pub power: SinkhornPower,
    /// The blur ε^{1/p} of the Sinkhorn divergence.
    pub blur: Blur,
    /// When the Sinkhorn iterations stop.
    pub schedule: Schedule,
    /// The random directions of the sliced distance.
    pub directions: usize,
    /// Whether the floor of samples is measured too, where d > ln n.
    pub floor: bool,
}

impl Default for DistanceOptions {
    /// All coordinates, the usual distances, the converged divergence with p = 2 and blur 0.05, 256 directions, and the
    /// floor.
    fn default() -> Self {
        Self {
            coords: None,
            wanted: Wanted::Usual,
            power: SinkhornPower::Two,
            blur: Blur::Length(0.05),
            schedule: Schedule::CONVERGED,
            directions: 256,
            floor: true,
        }
    }
}

/// The blur ε^{1/p} of a Sinkhorn divergence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Blur {
    /// In the unit of the points.
    Length(f64),
    /// As a part of the scale of the points, [`Distances::scale`].
    OfScale(f64),
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
    /// The blur is not a length.
    #[error("the blur {0} must be positive and finite")]
    Blur(f64),
    /// Points or weights are not a measure.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// Nothing of what was asked for could be had.
    #[error("no distance could be measured: {}", said(.0))]
    Nothing(BTreeMap<String, String>),
}

fn said(reasons: &BTreeMap<String, String>) -> String {
    reasons.iter().map(|(name, reason)| format!("{name}: {reason}")).collect::<Vec<_>>().join("; ")
}

/// Measures the distances between the rows of `x`, [n, d], and of `y`, [m, d], with optional weights.
///
/// Weights `a`, \[n\], and `b`, \[m\], are divided by their sums; `None` means equal ones. Distances are in the unit
/// of the points, `w2_squared`, `transport_cost` and (for p = 2) the divergence in its square. Points may have any
/// origin and unit: they are compared in a frame of their own. A distance that cannot be had is left out with its
/// reason. Where d > ln n and the clouds have equal weights, the same distances between halves of `y` stand beside
/// ([`Distances::floor`]). `rng` draws the directions of the sliced distance and the halves.
///
/// # Errors
/// Coordinates out of range, clouds that are empty, not finite or of different dimensions, weights that are not
/// measures, a blur out of range; [`DistanceError::Nothing`] where every distance asked for is left out.
///
/// The cost is that of at most two exact and three Sinkhorn solves; see [`ot_core::exact`] and [`ot_core::entropic`].
/// The result does not depend on the number of threads.
///
/// ```
/// use eval::distances::{DistanceOptions, distances};
/// use ndarray::array;
/// let (x, y) = (array![[0.0, 0.0], [1.0, 0.0]], array![[0.0, 2.0], [1.0, 2.0]]);
/// let mut rng = datasets::stream(0, "sliced", 0);
/// let found = distances(x.view(), y.view(), None, None, &DistanceOptions::default(), &mut rng)?;
/// assert_eq!((found.exact.w1, found.exact.w2, found.exact.transport_cost), (Some(2.0), Some(2.0), Some(2.0)));
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
    distances_while_telling(x, y, a, b, options, rng, |_| {})
}

/// [`distances`], which calls `tell` with each distance before it is measured.
///
/// # Errors
/// Those of [`distances`].
pub fn distances_while_telling<R: Rng + ?Sized>(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    options: &DistanceOptions,
    rng: &mut R,
    tell: impl Fn(Distance),
) -> Result<Distances, DistanceError> {
    let (x, y) = selected(x, y, options.coords.as_ref())?;
    // What is wrong is said of the points as they were given.
    let (source, target) = (Measure::named("source", x, a)?, Measure::named("target", y, b)?);
    if source.dim() != target.dim() {
        return Err(MeasureError::Dimension { source_dim: source.dim(), target_dim: target.dim() }.into());
    }
    let (Blur::Length(blur) | Blur::OfScale(blur)) = options.blur;
    if !(blur > 0.0 && blur.is_finite()) {
        return Err(DistanceError::Blur(blur));
    }
    let frame = Frame::new(x, y);
    let (source, target) = (Measure::new(frame.x.view(), a)?, Measure::new(frame.y.view(), b)?);
    let scale = scale(&source, &target);
    let mut comparison = Comparison { frame: &frame, source, target, options, left_out: BTreeMap::new() };
    let wants = |distance: Distance| match &options.wanted {
        Wanted::Usual => {
            distance != Distance::SinkhornDivergence && (distance != Distance::CoordinateW1 || x.ncols() > 1)
        }
        Wanted::These(wanted) => wanted.contains(&distance),
    };
    let mut found = Distances {
        n: x.nrows(),
        m: y.nrows(),
        dim: x.ncols(),
        scale: frame.length(scale, 1).unwrap_or(f64::MAX),
        exact: ExactDistances::default(),
        sliced_w2: None,
        coordinate_w1: None,
        sinkhorn_divergence: None,
        floor: None,
        left_out: BTreeMap::new(),
        notes: Vec::new(),
        definitions: BTreeMap::new(),
    };
    let is_solved = options.wanted != Wanted::Usual || comparison.is_solvable();
    let wants = move |distance: Distance| wants(distance) && (is_solved || !distance.is_exact());
    if wants(Distance::W1) {
        tell(Distance::W1);
        comparison.w1(&mut found.exact);
    }
    if let Some(first) =
        Distance::ALL.into_iter().find(|&distance| distance.is_quadratic() && wants(distance))
    {
        tell(first);
        comparison.quadratic(&mut found.exact, wants);
    }
    let mut sliced = None;
    if wants(Distance::SlicedW2) {
        tell(Distance::SlicedW2);
        sliced = comparison.sliced(rng);
        found.sliced_w2 = sliced.map(|(value, _)| value);
    }
    if wants(Distance::CoordinateW1) {
        tell(Distance::CoordinateW1);
        found.coordinate_w1 = comparison.coordinates();
    }
    if wants(Distance::SinkhornDivergence) || options.wanted == Wanted::Usual && comparison.is_small() {
        tell(Distance::SinkhornDivergence);
        found.sinkhorn_divergence = comparison.divergence(scale);
    }
    if options.floor && a.is_none() && b.is_none() {
        comparison.floor(&mut found, wants, rng);
    }
    found.left_out = comparison.left_out;
    let is_measured = |distance| found.get(distance).is_some();
    if found.coordinate_w1.is_none() && !Distance::ALL.into_iter().any(is_measured) {
        return Err(DistanceError::Nothing(found.left_out));
    }
    found.define(options, sliced.map(|(_, standard_error)| (options.directions, standard_error)));
    Ok(found)
}

fn selected<'a>(
    x: ArrayView2<'a, f64>,
    y: ArrayView2<'a, f64>,
    coords: Option<&Range<usize>>,
) -> Result<(ArrayView2<'a, f64>, ArrayView2<'a, f64>), DistanceError> {
    let Some(coords) = coords else { return Ok((x, y)) };
    let columns = x.ncols().min(y.ncols());
    if coords.start >= coords.end || coords.end > columns {
        return Err(DistanceError::Coords { start: coords.start, end: coords.end, columns });
    }
    Ok((x.slice_move(s![.., coords.clone()]), y.slice_move(s![.., coords.clone()])))
}

/// The RMS distance to the mean of both clouds, each of which has half of the mass.
fn scale(x: &Measure<'_>, y: &Measure<'_>) -> f64 {
    let moments = |cloud: &Measure<'_>| {
        let weight =
            |row: usize| cloud.weights().map_or(1.0, |weights| weights.get(row).copied().unwrap_or(0.0));
        let total: f64 = (0..cloud.count()).map(weight).sum();
        let mut mean = ndarray::Array1::zeros(cloud.dim());
        let mut square = 0.0;
        for (row, point) in cloud.points().axis_iter(Axis(0)).enumerate() {
            mean.scaled_add(weight(row) / total, &point);
            square += weight(row) / total * point.dot(&point);
        }
        (mean, square)
    };
    let ((of_x, square_x), (of_y, square_y)) = (moments(x), moments(y));
    let centre = (of_x + of_y) * 0.5;
    // Points of the frame are of order one about their medians: nothing cancels that the scale would show.
    (0.5 * (square_x + square_y) - centre.dot(&centre)).max(0.0).sqrt()
}

/// The largest (n + m)²·d of clouds whose Sinkhorn divergence takes well below a second.
const SMALL: f64 = 1e6;

/// Most points a side between which exact transport, which takes minutes there, is solved without being asked for by name.
const EXACT_POINTS: usize = 100_000;

/// Two clouds in their frame, and what could not be measured between them.
struct Comparison<'a> {
    frame: &'a Frame,
    source: Measure<'a>,
    target: Measure<'a>,
    options: &'a DistanceOptions,
    left_out: BTreeMap<String, String>,
}

impl Comparison<'_> {
    fn leave_out(&mut self, distance: Distance, reason: impl ToString) {
        self.left_out.insert(distance.name().into(), reason.to_string());
    }

    /// A length, or with `power` 2 a squared one, in the unit of the points.
    fn length(&mut self, distance: Distance, value: f64, power: i32) -> Option<f64> {
        let length = self.frame.length(value, power);
        if length.is_none() {
            self.leave_out(distance, "it is beyond the range of numbers, 1.8e308: measure in a larger unit");
        }
        length
    }

    fn w1(&mut self, exact: &mut ExactDistances) {
        match solve(&self.source, &self.target, &Euclidean::Distance) {
            Ok(plan) => {
                exact.w1 = self.length(Distance::W1, plan.primal(), 1);
                exact.w1_duality_gap = exact.w1.and(self.frame.length(plan.gap(), 1));
            }
            Err(error) => self.leave_out(Distance::W1, error),
        }
    }

    fn quadratic(&mut self, exact: &mut ExactDistances, wants: impl Fn(Distance) -> bool) {
        use Distance::{TransportCost, W2, W2Squared};
        match solve(&self.source, &self.target, &Euclidean::HalfSquared) {
            Ok(plan) => {
                let (cost, squared) = (plan.primal(), 2.0 * plan.primal());
                let mut length = |distance, value, power| {
                    if wants(distance) { self.length(distance, value, power) } else { None }
                };
                // A distance of 0 may come out of the solver as a rounding error below it.
                exact.w2 = length(W2, squared.max(0.0).sqrt(), 1);
                exact.w2_squared = length(W2Squared, squared, 2);
                exact.transport_cost = length(TransportCost, cost, 2);
                exact.duality_gap = self.frame.length(plan.gap(), 2);
            }
            Err(error) => {
                [W2, W2Squared, TransportCost]
                    .into_iter()
                    .filter(|&d| wants(d))
                    .for_each(|d| self.leave_out(d, &error));
            }
        }
    }

    /// The value and its Monte-Carlo error.
    fn sliced<R: Rng + ?Sized>(&mut self, rng: &mut R) -> Option<(f64, f64)> {
        // On a line both directions give the same.
        let directions = if self.source.dim() == 1 { 1 } else { self.options.directions };
        match sliced_wasserstein(&self.source, &self.target, 2.0, directions, rng) {
            Ok(sliced) => {
                let value = self.length(Distance::SlicedW2, sliced.value, 1)?;
                Some((value, self.frame.length(sliced.standard_error, 1)?))
            }
            Err(error) => {
                self.leave_out(Distance::SlicedW2, error);
                None
            }
        }
    }

    fn coordinates(&mut self) -> Option<CoordinateW1> {
        let (x, y) = (self.source.points(), self.target.points());
        match coordinate_w1(x, y, self.source.weights(), self.target.weights()) {
            Ok(CoordinateW1 { values, relative, worst }) => {
                let first = self.options.coords.as_ref().map_or(0, |coords| coords.start);
                let mut length = |value| self.length(Distance::CoordinateW1, value, 1);
                let values = values.into_iter().map(&mut length).collect::<Option<_>>()?;
                let worst = worst.map(|worst| {
                    let value = length(worst.value)?;
                    Some(WorstColumn { column: first + worst.column, value, ..worst })
                });
                Some(CoordinateW1 { values, relative, worst: worst.flatten() })
            }
            Err(error) => {
                self.leave_out(Distance::CoordinateW1, error);
                None
            }
        }
    }

    fn is_solvable(&mut self) -> bool {
        let (n, m) = (self.source.count(), self.target.count());
        // On a line it is a sort.
        let is_solvable = self.source.dim() == 1 || n.max(m) <= EXACT_POINTS;
        if !is_solvable {
            let reason = format!("exact transport takes long between {n} and {m} points: ask for it by name");
            Distance::ALL.into_iter().filter(|d| d.is_exact()).for_each(|d| self.leave_out(d, &reason));
        }
        is_solvable
    }

    fn is_small(&mut self) -> bool {
        let (points, dim) = ((self.source.count() + self.target.count()) as f64, self.source.dim());
        let is_small = points * points * dim as f64 <= SMALL;
        if !is_small {
            let reason = format!(
                "entropic transport takes long between {} and {} points in {dim} dimensions: ask for it by name",
                self.source.count(),
                self.target.count()
            );
            self.leave_out(Distance::SinkhornDivergence, reason);
        }
        is_small
    }

    /// The divergence, where `scale` is the scale of the points in their frame.
    fn divergence(&mut self, scale: f64) -> Option<SinkhornValue> {
        let DistanceOptions { power, schedule, .. } = *self.options;
        let (inside, blur) = match self.options.blur {
            Blur::Length(blur) => (self.frame.inside(blur), Some(blur)),
            Blur::OfScale(share) => (share * scale, self.frame.length(share * scale, 1)),
        };
        match geomloss_divergence(&self.source, &self.target, power, inside, schedule) {
            Ok(found) => Some(SinkhornValue {
                value: self.length(Distance::SinkhornDivergence, found.value, i32::from(power.exponent()))?,
                p: power.exponent(),
                blur: blur?,
                cost: power.cost().definition().to_owned(),
                iterations: found.iterations,
                marginal_error: found.marginal_error,
                converged: found.converged,
            }),
            Err(error) => {
                let told =
                    |length: f64| format!("{:.3e}", self.frame.length(length, 1).unwrap_or(f64::INFINITY));
                let reason = match error {
                    EntropicError::TooSmall { .. } | EntropicError::NotPositive { .. } => format!(
                        "a blur of {} between points of scale {} is too small for double precision: ask for a larger \
                         blur, such as a hundredth of the scale",
                        told(inside),
                        told(scale),
                    ),
                    other => other.to_string(),
                };
                self.leave_out(Distance::SinkhornDivergence, reason);
                None
            }
        }
    }

    fn floor<R: Rng + ?Sized>(
        &mut self,
        found: &mut Distances,
        wants: impl Fn(Distance) -> bool,
        rng: &mut R,
    ) {
        let wants = |distance| match distance {
            Distance::W2Squared => Distance::ALL.into_iter().any(|d| d.is_quadratic() && wants(d)),
            other => wants(other),
        };
        let Some((mut floor, note)) = floor::floor(self.source.points(), self.target.points(), wants, rng)
        else {
            return;
        };
        for (value, power) in [
            (&mut floor.w1, 1),
            (&mut floor.samples_w1, 1),
            (&mut floor.w2_squared, 2),
            (&mut floor.samples_w2_squared, 2),
        ] {
            *value = value.and_then(|value| self.frame.length(value, power));
        }
        found.floor = Some(floor);
        found.notes.extend(note);
    }
}

#[cfg(test)]
mod tests;
