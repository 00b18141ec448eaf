//! Lower bounds of the costs between point clouds in single precision, with a proof of their rounding.
//!
//! With both clouds centred, x = x' + x̄ and y = y' + ȳ, δ = x̄ − ȳ, the squared distance is
//!
//! $$ \|x-y\|^2 = (\|x'\|^2 + 2x'\cdot\delta + \|\delta\|^2) + (\|y'\|^2 - 2y'\cdot\delta) - 2x'\cdot y', $$
//!
//! so that c(x, y) − g(y) < w, with c the squared distance, reads β(y) − 2x'·y' < τ(x): a matrix product and a comparison. With c the
//! distance it reads ‖x−y‖² < (w + g(y))², which is the same with (x', w) and (y', g) in place of x' and y'. A sum of k products in any
//! order is off by at most k·u/(1 − k·u)·Σ|products| (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1);
//! this and the rounding of the inputs are added to τ.

#![allow(clippy::indexing_slicing, reason = "kernel; sizes are those of the clouds, checked at construction")]

use super::below::Row;
use super::spatial::centroid;
use super::tile::{Columns, LANES, ROWS, Rows, find_below};
use super::{Clouds, Cost, PairCost};

/// The unit roundings of single and double precision.
const SINGLE: f64 = f32::EPSILON as f64 / 2.0;
const DOUBLE: f64 = f64::EPSILON / 2.0;

/// Scaled quantities beyond this could overflow in single precision.
const LARGEST: f64 = 1e30;

/// Sums below this, in units of the clouds' radius, may have lost bits to underflow.
const UNDERFLOW: f64 = 1e-36;

/// A block of targets has at most this many panels, so that it is small in space if the points are sorted there, and at most this many
/// bytes, so that it stays in the cache while a task's rows pass over it.
const BLOCK_PANELS: usize = 16;
const BLOCK_BYTES: usize = 1 << 16;

/// The targets and their potentials, packed for the kernel.
pub(super) struct Screen<'a> {
    clouds: Clouds<'a>,
    dim: usize,
    /// Lengths are multiplied by this power of two, so that the radius of the clouds is of order one.
    scale: f64,
    /// Costs are multiplied by this to become scaled squared distances, or scaled distances.
    cost_scale: f64,
    source_centre: Vec<f64>,
    /// The axes of the products x'·y': where one cloud is flat, an axis adds nothing to them.
    axes: Vec<usize>,
    /// δ, scaled.
    offset: Vec<f64>,
    /// Half-way between the extreme potentials: they are kept relative to it, which loses the fewest bits.
    gauge: f64,
    coordinates: Vec<[f32; LANES]>,
    offsets: Vec<[f32; LANES]>,
    last: Vec<[f32; LANES]>,
    /// ‖δ‖.
    distance: f64,
    largest_offset: f64,
    largest_norm: f64,
    largest_potential: f64,
    /// Panels in a block.
    block: usize,
    regions: Vec<Region>,
}

impl<'a> Screen<'a> {
    /// Sources per parallel task. Fixed, so that the work of a source never depends on the number of threads.
    pub const TASK: usize = 8 * ROWS;

    /// Nothing if the cost is not one between point clouds, or if its size is beyond single precision.
    pub fn new(cost: &'a dyn PairCost, potential: &[f64]) -> Option<Self> {
        let clouds = cost.clouds()?;
        let dim = clouds.dim;
        let (source_centre, target_centre) = (centroid(clouds.sources, dim), centroid(clouds.targets, dim));
        let radius = radius(clouds.sources, &source_centre).max(radius(clouds.targets, &target_centre));
        let scale = power_of_two_below(1.0 / radius)?;
        let cost_scale = match clouds.cost {
            Cost::SquaredEuclidean => scale * scale,
            Cost::HalfSquaredEuclidean => 2.0 * scale * scale,
            Cost::Euclidean => scale,
        };
        let (low, high) = potential.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
        let gauge = 0.5 * low + 0.5 * high;
        // Minima and maxima skip a NaN, a sum does not.
        let is_finite = potential.iter().sum::<f64>().is_finite();
        let offset: Vec<f64> =
            source_centre.iter().zip(&target_centre).map(|(x, y)| (x - y) * scale).collect();
        let is_flat = |points: &[f64], centre: &[f64], axis: usize| {
            points.iter().skip(axis).step_by(dim).all(|&coordinate| coordinate == centre[axis])
        };
        let axes: Vec<usize> = (0..dim)
            .filter(|&axis| {
                !is_flat(clouds.sources, &source_centre, axis)
                    && !is_flat(clouds.targets, &target_centre, axis)
            })
            .collect();
        let panels = clouds.targets.len().div_euclid(dim).div_ceil(LANES);
        let depth = axes.len();
        let distance = offset.iter().map(|component| component * component).sum::<f64>().sqrt();
        let block = (BLOCK_BYTES / (size_of::<[f32; LANES]>() * (depth + 2))).clamp(1, BLOCK_PANELS);
        let mut screen = Self {
            clouds,
            dim,
            scale,
            cost_scale,
            source_centre,
            offset,
            gauge,
            coordinates: vec![[0.0; LANES]; panels * depth],
            axes,
            offsets: vec![[f32::MAX; LANES]; panels],
            last: vec![[0.0; LANES]; panels],
            distance,
            largest_offset: 0.0,
            largest_norm: 0.0,
            largest_potential: 0.0,
            block,
            regions: vec![Region::empty(depth); panels.div_ceil(block)],
        };
        screen.pack(&target_centre, potential);
        let sizes = [screen.largest_offset, screen.largest_norm, screen.largest_potential];
        let is_sound = is_finite
            && screen.cost_scale.is_normal()
            && sizes.iter().chain(&screen.offset).all(|size| size.abs() < LARGEST);
        is_sound.then_some(screen)
    }

    fn pack(&mut self, centre: &[f64], potential: &[f64]) {
        let is_distance = self.clouds.cost == Cost::Euclidean;
        for (target, (point, value)) in self.clouds.targets.chunks_exact(self.dim).zip(potential).enumerate()
        {
            let (panel, lane) = (target / LANES, target % LANES);
            let centred = |axis: usize| (point[axis] - centre[axis]) * self.scale;
            // ‖y'‖², and ‖y'‖² − 2y'·δ along the axes of the products and along the others.
            let (mut square, mut along, mut across) = (0.0, 0.0, 0.0);
            let mut place = 0;
            let region = &mut self.regions[panel / self.block];
            for axis in 0..self.dim {
                let coordinate = centred(axis);
                let term = coordinate * (coordinate - 2.0 * self.offset[axis]);
                square += coordinate * coordinate;
                if self.axes.get(place) == Some(&axis) {
                    self.coordinates[panel * self.axes.len() + place][lane] = coordinate as f32;
                    region.add(place, coordinate);
                    along += term;
                    place += 1;
                } else {
                    across += term;
                }
            }
            let value = (value - self.gauge) * self.cost_scale;
            let (offset, norm, least) = if is_distance {
                self.last[panel][lane] = value as f32;
                (along + across - value * value, square + value * value, -value)
            } else {
                (along + across - value, square, across - value)
            };
            region.least = region.least.min(least);
            self.offsets[panel][lane] = offset as f32;
            self.largest_offset = self.largest_offset.max(offset.abs());
            self.largest_norm = self.largest_norm.max(norm.sqrt());
            self.largest_potential = self.largest_potential.max(value.abs());
        }
    }

    /// Offers each of the `rows`, which begin at source `first`, every target whose reduced cost is not proved to be at or above the
    /// row's limit.
    pub fn scan<R: Row>(&self, first: usize, rows: &mut [R], offer: impl Fn(&mut R, usize, usize)) {
        let mut panels: Vec<SourcePanel> = (0..rows.len())
            .step_by(ROWS)
            .map(|start| self.source_panel(first + start, &rows[start..(start + ROWS).min(rows.len())]))
            .collect();
        let targets = self.clouds.targets.len() / self.dim;
        // What lies near is likely to lower the limits that dismiss the rest.
        for (nearest, block) in self.by_nearness(&panels) {
            let reach = panels.iter().flat_map(|panel| panel.reaches).fold(f64::NEG_INFINITY, f64::max);
            if nearest > reach {
                return;
            }
            let (start, end) = (block * self.block, ((block + 1) * self.block).min(self.offsets.len()));
            for (index, panel) in panels.iter_mut().enumerate() {
                let mut at = start;
                while let Some((found, sums)) = find_below(&panel.rows(), self.columns(at, end)) {
                    at += found;
                    // The sums belong to the limits they were computed with, also where an offer lowers one.
                    let limits = panel.limits;
                    for (row, sums) in sums.iter().enumerate() {
                        for (lane, &sum) in sums.iter().enumerate() {
                            let target = at * LANES + lane;
                            if sum < limits[row] && target < targets {
                                let kept = &mut rows[index * ROWS + row];
                                offer(kept, first + index * ROWS + row, target);
                                self.set_limit(panel, row, kept.limit());
                            }
                        }
                    }
                    at += 1;
                }
            }
        }
    }

    /// The blocks of targets by a lower bound of their reduced costs to these sources, in the units of their reaches.
    fn by_nearness(&self, panels: &[SourcePanel]) -> Vec<(f64, usize)> {
        let mut task = Region::empty(self.axes.len());
        for panel in panels {
            for place in 0..self.axes.len() {
                task.add(place, panel.region.low[place]);
                task.add(place, panel.region.high[place]);
            }
        }
        let bound = |region: &Region| {
            // The terms of the squared gap are rounded.
            let gap = region.squared_gap(&task) * (1.0 - 4.0 * (self.dim as f64 + 10.0) * DOUBLE);
            region.least + if self.clouds.cost == Cost::Euclidean { gap.sqrt() } else { gap }
        };
        let mut blocks: Vec<(f64, usize)> =
            self.regions.iter().enumerate().map(|(block, region)| (bound(region), block)).collect();
        blocks.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        blocks
    }

    fn columns(&self, start: usize, end: usize) -> Columns<'_> {
        Columns {
            coordinates: &self.coordinates[start * self.axes.len()..end * self.axes.len()],
            offsets: &self.offsets[start..end],
            last: &self.last[start..end],
        }
    }

    fn source_panel<R: Row>(&self, first: usize, rows: &[R]) -> SourcePanel {
        let mut panel = SourcePanel {
            coordinates: vec![[0.0; ROWS]; self.axes.len()],
            last: [0.0; ROWS],
            limits: [f32::NEG_INFINITY; ROWS],
            bases: [0.0; ROWS],
            squares: [0.0; ROWS],
            across: [0.0; ROWS],
            reaches: [f64::NEG_INFINITY; ROWS],
            region: Region::empty(self.axes.len()),
        };
        for (row, kept) in rows.iter().enumerate() {
            let point = &self.clouds.sources[(first + row) * self.dim..(first + row + 1) * self.dim];
            let mut place = 0;
            for (axis, (coordinate, centre)) in point.iter().zip(&self.source_centre).enumerate() {
                let centred = (coordinate - centre) * self.scale;
                let whole = centred + self.offset[axis];
                panel.squares[row] += centred * centred;
                panel.bases[row] += whole * whole;
                if self.axes.get(place) == Some(&axis) {
                    panel.coordinates[place][row] = (-2.0 * centred) as f32;
                    panel.region.add(place, whole);
                    place += 1;
                } else {
                    panel.across[row] += whole * whole;
                }
            }
            self.set_limit(&mut panel, row, kept.limit());
        }
        panel
    }

    /// Translates a limit on the reduced cost of a row into one on the kernel's sums.
    fn set_limit(&self, panel: &mut SourcePanel, row: usize, limit: f64) {
        let scaled = (limit + self.gauge) * self.cost_scale;
        if scaled.is_nan() || scaled.abs() > LARGEST {
            // Nothing is below −∞; everything may be below another limit that is out of range.
            panel.limits[row] = if limit == f64::NEG_INFINITY { limit as f32 } else { f32::INFINITY };
            panel.last[row] = 0.0;
            panel.reaches[row] = f64::from(panel.limits[row]);
            return;
        }
        let (base, square) = (panel.bases[row], panel.squares[row]);
        let is_distance = self.clouds.cost == Cost::Euclidean;
        let (threshold, norm) = if is_distance {
            panel.last[row] = (-2.0 * scaled) as f32;
            (scaled * scaled - base, (square + scaled * scaled).sqrt())
        } else {
            (scaled - base, square.sqrt())
        };
        let terms = self.dim as f64 + 10.0;
        let single = terms * SINGLE * (self.largest_offset + 2.0 * norm * self.largest_norm);
        // The terms above, and the reference value that the limit is compared with, are rounded in double precision.
        let constant = (limit.abs() + self.gauge.abs()) * self.cost_scale + self.largest_potential;
        let length = square.sqrt() + self.distance + self.largest_norm;
        let double = 4.0 * terms * DOUBLE;
        let (reach, double) = if is_distance {
            let length = length + constant;
            (scaled + double * length, double * length * length)
        } else {
            let double = double * (length * length + constant);
            (scaled - panel.across[row] + double, double)
        };
        let margin = 1.01 * (single + double) + UNDERFLOW;
        panel.reaches[row] = reach + UNDERFLOW;
        panel.limits[row] = ((threshold + margin) as f32).next_up();
    }
}

/// Sources packed for the kernel, with what their limits are made of.
struct SourcePanel {
    coordinates: Vec<[f32; ROWS]>,
    last: [f32; ROWS],
    limits: [f32; ROWS],
    /// ‖x' + δ‖².
    bases: [f64; ROWS],
    /// ‖x'‖².
    squares: [f64; ROWS],
    /// ‖x' + δ‖² along the axes that are not those of the products.
    across: [f64; ROWS],
    /// Limits on the reduced cost, scaled; of squared distances without `across`.
    reaches: [f64; ROWS],
    /// The box of x' + δ.
    region: Region,
}

/// Bounds on what a block of targets, or the sources held against it, can contribute.
#[derive(Debug, Clone)]
struct Region {
    /// The box of the points along the axes of the products.
    low: Vec<f64>,
    high: Vec<f64>,
    /// Of targets, the least of −g, and of ‖y'‖² − 2y'·δ along the other axes less g for squared distances.
    least: f64,
}

impl Region {
    fn empty(depth: usize) -> Self {
        Self { low: vec![f64::INFINITY; depth], high: vec![f64::NEG_INFINITY; depth], least: f64::INFINITY }
    }

    fn add(&mut self, place: usize, coordinate: f64) {
        self.low[place] = self.low[place].min(coordinate);
        self.high[place] = self.high[place].max(coordinate);
    }

    /// The squared distance between two boxes.
    fn squared_gap(&self, other: &Self) -> f64 {
        let sides = self.low.iter().zip(&self.high).zip(other.low.iter().zip(&other.high));
        sides.map(|((low, high), (from, to))| (from - high).max(low - to).max(0.0)).map(|gap| gap * gap).sum()
    }
}

impl SourcePanel {
    fn rows(&self) -> Rows<'_> {
        Rows { coordinates: &self.coordinates, last: self.last, limits: self.limits }
    }
}

fn radius(points: &[f64], centre: &[f64]) -> f64 {
    points
        .chunks_exact(centre.len())
        .map(|point| super::squared_distance(point, centre))
        .fold(0.0, f64::max)
        .sqrt()
}

/// The power of two just below a number; 1 for infinity, which is the inverse of the radius of a single point.
fn power_of_two_below(value: f64) -> Option<f64> {
    if value == f64::INFINITY {
        return Some(1.0);
    }
    // The exponent alone, without the mantissa.
    value.is_normal().then(|| f64::from_bits(value.to_bits() & f64::INFINITY.to_bits()))
}
