//! Few coordinates: blocks of targets that are near, and products tile by tile.

#![allow(clippy::indexing_slicing, reason = "kernel; sizes are those of the clouds, checked at construction")]

use super::super::{Clouds, PairCost, Row};
use super::frame::{Frame, Gauge, Rounding, UNDERFLOW};
use super::tile::{Columns, LANES, ROWS, Rows, find_below};
use crate::space::squared_gap;

/// A block of targets has at most this many panels, so that it is small in space if the points are sorted there, and at
/// most this many bytes, so that it stays in the cache while a task's rows pass over it.
const BLOCK_PANELS: usize = 16;
const BLOCK_BYTES: usize = 1 << 16;

/// The targets and their potentials, packed for the kernel.
pub(in super::super) struct NearScreen<'a> {
    clouds: Clouds<'a>,
    dim: usize,
    frame: Frame,
    rounding: Rounding,
    /// The axes of the products x'·y': where one cloud is flat, an axis adds nothing to them.
    axes: Vec<usize>,
    coordinates: Vec<[f32; LANES]>,
    offsets: Vec<[f32; LANES]>,
    last: Vec<[f32; LANES]>,
    /// Panels in a block.
    block: usize,
    regions: Vec<Region>,
}

impl<'a> NearScreen<'a> {
    /// Nothing if the cost is not one between point clouds, or if its size is beyond single precision.
    pub(crate) fn new(cost: &'a dyn PairCost, potential: &[f64]) -> Option<Self> {
        let clouds = cost.clouds()?;
        let dim = clouds.dim;
        let frame = Frame::new(&clouds)?;
        let gauge = frame.gauge(potential)?;
        let is_flat = |points: &[f64], centre: &[f64], axis: usize| {
            points.iter().skip(axis).step_by(dim).all(|&coordinate| coordinate == centre[axis])
        };
        let axes: Vec<usize> = (0..dim)
            .filter(|&axis| {
                !is_flat(clouds.sources, &frame.source_centre, axis)
                    && !is_flat(clouds.targets, &frame.target_centre, axis)
            })
            .collect();
        let panels = clouds.targets.len().div_euclid(dim).div_ceil(LANES);
        let depth = axes.len();
        let block = (BLOCK_BYTES / (size_of::<[f32; LANES]>() * (depth + 2))).clamp(1, BLOCK_PANELS);
        let mut screen = Self {
            clouds,
            dim,
            rounding: Rounding::new(&frame, gauge),
            frame,
            coordinates: vec![[0.0; LANES]; panels * depth],
            axes,
            offsets: vec![[f32::MAX; LANES]; panels],
            last: vec![[0.0; LANES]; panels],
            block,
            regions: vec![Region::empty(depth); panels.div_ceil(block)],
        };
        screen.pack(gauge, potential);
        screen.rounding.is_sound().then_some(screen)
    }

    fn pack(&mut self, gauge: Gauge, potential: &[f64]) {
        let is_distance = self.frame.is_distance();
        for (target, (point, value)) in self.clouds.targets.chunks_exact(self.dim).zip(potential).enumerate()
        {
            let (panel, lane) = (target / LANES, target % LANES);
            // ‖y'‖², and ‖y'‖² − 2y'·δ along the axes of the products and along the others.
            let (mut square, mut along, mut across) = (0.0, 0.0, 0.0);
            let mut place = 0;
            let region = &mut self.regions[panel / self.block];
            for (axis, (coordinate, centre)) in point.iter().zip(&self.frame.target_centre).enumerate() {
                let coordinate = (coordinate - centre) * self.frame.scale;
                let term = coordinate * (coordinate - 2.0 * self.frame.offset[axis]);
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
            let value = gauge.of_potential(*value);
            region.least = region.least.min(if is_distance { -value } else { across - value });
            (self.offsets[panel][lane], self.last[panel][lane]) =
                self.rounding.add(along + across, square, value);
        }
    }

    /// Offers each of the `rows`, which begin at source `first`, every target whose reduced cost is not proved to be at
    /// or above the row's limit.
    pub(crate) fn scan<R: Row>(&self, first: usize, rows: &mut [R], offer: impl Fn(&mut R, usize, usize)) {
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
            let gap = region.squared_gap(&task) * (1.0 - self.rounding.relative());
            region.least + if self.frame.is_distance() { gap.sqrt() } else { gap }
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
            for (axis, (coordinate, centre)) in point.iter().zip(&self.frame.source_centre).enumerate() {
                let centred = (coordinate - centre) * self.frame.scale;
                let whole = centred + self.frame.offset[axis];
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

    /// Translates a limit on the reduced cost of a row into one on the kernel's sums, and into the reach of its blocks.
    fn set_limit(&self, panel: &mut SourcePanel, row: usize, limit: f64) {
        let threshold = self.rounding.threshold(limit, panel.bases[row], panel.squares[row]);
        (panel.limits[row], panel.last[row]) = (threshold.sum, threshold.last);
        panel.reaches[row] = UNDERFLOW
            + if self.frame.is_distance() {
                threshold.scaled + threshold.rounding
            } else {
                threshold.scaled - panel.across[row] + threshold.squared_rounding
            };
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
        squared_gap((&self.low, &self.high), (&other.low, &other.high))
    }
}

impl SourcePanel {
    fn rows(&self) -> Rows<'_> {
        Rows { coordinates: &self.coordinates, last: self.last, limits: self.limits }
    }
}
