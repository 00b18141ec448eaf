//! The frame in which two clouds are of order one, and the rounding of sums in it.

use super::super::spatial::centroid;
use super::super::{Clouds, Euclidean, squared_distance};

/// The unit roundings of single and double precision.
const SINGLE: f64 = f32::EPSILON as f64 / 2.0;
pub(super) const DOUBLE: f64 = f64::EPSILON / 2.0;

/// Scaled quantities beyond this could overflow in single precision.
const LARGEST: f64 = 1e30;

/// Sums below this, in units of the clouds' radius, may have lost bits to underflow.
pub(super) const UNDERFLOW: f64 = 1e-36;

/// Both clouds centred and scaled.
pub(super) struct Frame {
    pub cost: Euclidean,
    /// Lengths are multiplied by this power of two, so that the radius of the clouds is of order one.
    pub scale: f64,
    /// Costs are multiplied by this to become scaled squared distances, or scaled distances.
    cost_scale: f64,
    pub source_centre: Vec<f64>,
    pub target_centre: Vec<f64>,
    /// δ, scaled.
    pub offset: Vec<f64>,
}

impl Frame {
    /// Nothing if the size of the clouds is beyond the range of numbers.
    pub(super) fn new(clouds: &Clouds<'_>) -> Option<Self> {
        let (source_centre, target_centre) =
            (centroid(clouds.sources, clouds.dim), centroid(clouds.targets, clouds.dim));
        let radius = radius(clouds.sources, &source_centre).max(radius(clouds.targets, &target_centre));
        let scale = power_of_two_below(1.0 / radius)?;
        let cost_scale = match clouds.cost {
            Euclidean::Squared => scale * scale,
            Euclidean::HalfSquared => 2.0 * scale * scale,
            Euclidean::Distance => scale,
        };
        let offset: Vec<f64> =
            source_centre.iter().zip(&target_centre).map(|(x, y)| (x - y) * scale).collect();
        let is_sound = cost_scale.is_normal() && offset.iter().all(|component| component.abs() < LARGEST);
        is_sound.then_some(Self {
            cost: clouds.cost,
            scale,
            cost_scale,
            source_centre,
            target_centre,
            offset,
        })
    }

    /// Whether the cost is the distance, and potentials a further coordinate.
    pub(super) fn is_distance(&self) -> bool {
        self.cost == Euclidean::Distance
    }

    /// The gauge of these potentials, against which they lose the fewest bits; nothing if one is not finite.
    pub(super) fn gauge(&self, potential: &[f64]) -> Option<Gauge> {
        let (low, high) = potential.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
        // Minima and maxima skip a NaN, a sum does not.
        let is_finite = potential.iter().sum::<f64>().is_finite();
        is_finite.then_some(Gauge { middle: 0.5 * low + 0.5 * high, cost_scale: self.cost_scale })
    }
}

/// Potentials relative to the middle of their range, in the units of the frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gauge {
    middle: f64,
    cost_scale: f64,
}

impl Gauge {
    /// A potential in the units of the frame.
    pub(super) fn of_potential(&self, value: f64) -> f64 {
        (value - self.middle) * self.cost_scale
    }

    fn of_limit(&self, limit: f64) -> f64 {
        (limit + self.middle) * self.cost_scale
    }

    /// What bounds the rounding of [`Gauge::of_limit`].
    fn size_of_limit(&self, limit: f64) -> f64 {
        (limit.abs() + self.middle.abs()) * self.cost_scale
    }
}

/// What bounds the rounding of the sums of a pass.
pub(super) struct Rounding {
    is_distance: bool,
    gauge: Gauge,
    /// Terms of a sum.
    terms: f64,
    /// ‖δ‖².
    squared_distance: f64,
    largest_offset: f64,
    largest_norm: f64,
    largest_potential: f64,
}

/// A limit on the reduced cost of a source as one on its sums.
#[derive(Debug, Clone, Copy)]
pub(super) struct Threshold {
    /// Only sums below this can belong to a reduced cost up to the limit.
    pub sum: f32,
    /// The coordinate that meets the potentials of the targets where the cost is a distance.
    pub last: f32,
    /// The limit in the units of the frame.
    pub scaled: f64,
    /// A bound on the rounding in double precision, of squared lengths and of lengths.
    pub squared_rounding: f64,
    pub rounding: f64,
}

impl Rounding {
    pub(super) fn new(frame: &Frame, gauge: Gauge) -> Self {
        Self {
            is_distance: frame.is_distance(),
            gauge,
            terms: frame.offset.len() as f64 + 10.0,
            squared_distance: frame.offset.iter().map(|component| component * component).sum(),
            largest_offset: 0.0,
            largest_norm: 0.0,
            largest_potential: 0.0,
        }
    }

    /// The offset β and the last coordinate of a target, from ‖y'‖² − 2y'·δ, ‖y'‖² and its scaled potential.
    pub(super) fn add(&mut self, along: f64, square: f64, value: f64) -> (f32, f32) {
        let (offset, norm, last) = if self.is_distance {
            (along - value * value, square + value * value, value)
        } else {
            (along - value, square, 0.0)
        };
        self.largest_offset = self.largest_offset.max(offset.abs());
        self.largest_norm = self.largest_norm.max(norm.sqrt());
        self.largest_potential = self.largest_potential.max(value.abs());
        (offset as f32, last as f32)
    }

    /// Whether no sum can overflow.
    pub(super) fn is_sound(&self) -> bool {
        [self.largest_offset, self.largest_norm, self.largest_potential].iter().all(|size| *size < LARGEST)
    }

    /// ‖δ‖².
    pub(super) fn squared_distance(&self) -> f64 {
        self.squared_distance
    }

    /// A bound on the relative rounding of a sum in double precision.
    pub(super) fn relative(&self) -> f64 {
        4.0 * self.terms * DOUBLE
    }

    /// Translates a limit on the reduced cost of a source with ‖x' + δ‖² = `base` and ‖x'‖² = `square` into one on its
    /// sums; nothing if it is out of range.
    pub(super) fn threshold(&self, limit: f64, base: f64, square: f64) -> Threshold {
        let scaled = self.gauge.of_limit(limit);
        if scaled.is_nan() || scaled.abs() > LARGEST {
            // Nothing is below −∞; everything may be below another limit that is out of range.
            let sum = if limit == f64::NEG_INFINITY { f32::NEG_INFINITY } else { f32::INFINITY };
            return Threshold {
                sum,
                last: 0.0,
                scaled: f64::from(sum),
                squared_rounding: 0.0,
                rounding: 0.0,
            };
        }
        let (threshold, norm, last) = if self.is_distance {
            (scaled * scaled - base, (square + scaled * scaled).sqrt(), -2.0 * scaled)
        } else {
            (scaled - base, square.sqrt(), 0.0)
        };
        let single = self.terms * SINGLE * (self.largest_offset + 2.0 * norm * self.largest_norm);
        // The terms above, and the reference value that the limit is compared with, are rounded in double precision.
        let constant = self.gauge.size_of_limit(limit) + self.largest_potential;
        let length = square.sqrt() + self.squared_distance.sqrt() + self.largest_norm;
        let squared_rounding = self.relative()
            * if self.is_distance { (length + constant).powi(2) } else { length * length + constant };
        let margin = 1.01 * (single + squared_rounding) + UNDERFLOW;
        Threshold {
            sum: ((threshold + margin) as f32).next_up(),
            last: last as f32,
            scaled,
            squared_rounding,
            rounding: self.relative() * (length + constant),
        }
    }
}

fn radius(points: &[f64], centre: &[f64]) -> f64 {
    points.chunks_exact(centre.len()).map(|point| squared_distance(point, centre)).fold(0.0, f64::max).sqrt()
}

/// The power of two just below a number; 1 for infinity, which is the inverse of the radius of a single point.
fn power_of_two_below(value: f64) -> Option<f64> {
    if value == f64::INFINITY {
        return Some(1.0);
    }
    // The exponent alone, without the mantissa.
    value.is_normal().then(|| f64::from_bits(value.to_bits() & f64::INFINITY.to_bits()))
}
