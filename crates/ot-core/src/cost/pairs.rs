//! Costs between all pairs of two finite sets, read in row blocks so that no n×m matrix need exist.

#![allow(
    clippy::indexing_slicing,
    reason = "kernels; every index is below the sizes fixed by the constructors"
)]

use super::coarsen::{Coarse, nearest_targets, sample};
use super::{Cost, squared_distance};
use ndarray::ArrayView2;

/// A cost c(i, j) between n sources and m targets.
///
/// [`PairCost::row`] and [`PairCost::column`] must return exactly the numbers of [`PairCost::cost`]; override them where a whole
/// block is cheaper than its entries.
pub trait PairCost: Sync {
    /// The number n of sources.
    fn sources(&self) -> usize;

    /// The number m of targets.
    fn targets(&self) -> usize;

    /// The cost c(source, target).
    fn cost(&self, source: usize, target: usize) -> f64;

    /// Writes c(source, first_target + k) into `out[k]`.
    fn row(&self, source: usize, first_target: usize, out: &mut [f64]) {
        for (offset, value) in out.iter_mut().enumerate() {
            *value = self.cost(source, first_target + offset);
        }
    }

    /// Writes c(first_source + k, target) into `out[k]`.
    fn column(&self, target: usize, first_source: usize, out: &mut [f64]) {
        for (offset, value) in out.iter_mut().enumerate() {
            *value = self.cost(first_source + offset, target);
        }
    }

    /// The same cost between the chosen sources and targets only, where that can be stored compactly; `None` looks the chosen pairs up one
    /// by one.
    fn select(&self, _sources: &[usize], _targets: &[usize]) -> Option<Box<dyn PairCost>> {
        None
    }

    /// A problem with `sources` and `targets` points that stands for the whole one with weights `a` and `b`, where there is a better one than
    /// a random choice of points.
    fn coarsen<'a>(&'a self, _sources: (&[f64], usize), _targets: (&[f64], usize)) -> Option<Coarse<'a>> {
        None
    }
}

/// Why two sets have no cost between them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CostError {
    /// A set has no point.
    #[error("the {cloud} set is empty: pass at least one point")]
    Empty {
        /// `source` or `target`.
        cloud: &'static str,
    },
    /// The clouds live in different dimensions.
    #[error(
        "the source points have {source_dim} columns, the target points {target_dim}: select the same coordinates of both"
    )]
    Dimension {
        /// Columns of the source cloud.
        source_dim: usize,
        /// Columns of the target cloud.
        target_dim: usize,
    },
    /// The points have no coordinates.
    #[error("the {cloud} points have no columns: select at least one coordinate")]
    NoColumns {
        /// `source` or `target`.
        cloud: &'static str,
    },
    /// A coordinate is NaN or infinite.
    #[error("row {row}, column {column} of the {cloud} points is {value}: remove or repair that row")]
    NotFinite {
        /// `source` or `target`.
        cloud: &'static str,
        /// Row of the cloud.
        row: usize,
        /// Column of the cloud.
        column: usize,
        /// The offending value.
        value: f64,
    },
}

/// The cost between two point clouds, computed on demand in O(d) per pair and O((n + m)·d) memory.
///
/// ```
/// use ndarray::array;
/// use ot_core::cost::{CloudCost, Cost, PairCost};
/// let cost = CloudCost::new(array![[0.0, 0.0]].view(), array![[3.0, 4.0], [0.0, 1.0]].view(), Cost::Euclidean)?;
/// assert_eq!(cost.cost(0, 0), 5.0);
/// # Ok::<(), ot_core::cost::CostError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CloudCost {
    source: Cloud,
    target: Cloud,
    cost: Cost,
}

/// Points in both layouts: by point for single pairs, by coordinate for vectorised rows.
#[derive(Debug, Clone)]
struct Cloud {
    len: usize,
    by_point: Vec<f64>,
    by_coordinate: Vec<f64>,
}

/// Checks that two clouds have finite points of one dimension.
pub(crate) fn check_clouds(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Result<(), CostError> {
    for (points, cloud) in [(x, "source"), (y, "target")] {
        if points.nrows() == 0 {
            return Err(CostError::Empty { cloud });
        }
        if points.ncols() == 0 {
            return Err(CostError::NoColumns { cloud });
        }
        if let Some(((row, column), &value)) = points.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(CostError::NotFinite { cloud, row, column, value });
        }
    }
    if x.ncols() != y.ncols() {
        return Err(CostError::Dimension { source_dim: x.ncols(), target_dim: y.ncols() });
    }
    Ok(())
}

impl Cloud {
    fn new(points: ArrayView2<f64>) -> Self {
        Self {
            len: points.nrows(),
            by_point: points.iter().copied().collect(),
            by_coordinate: points.t().iter().copied().collect(),
        }
    }

    fn point(&self, index: usize) -> &[f64] {
        let dim = self.dim();
        &self.by_point[index * dim..(index + 1) * dim]
    }
}

impl CloudCost {
    /// The cost between the rows of `x`, \[n, d\], and the rows of `y`, \[m, d\].
    ///
    /// # Errors
    /// An empty cloud, different numbers of columns, a coordinate that is not finite.
    ///
    /// O((n + m)·d).
    pub fn new(x: ArrayView2<f64>, y: ArrayView2<f64>, cost: Cost) -> Result<Self, CostError> {
        check_clouds(x, y)?;
        Ok(Self { source: Cloud::new(x), target: Cloud::new(y), cost })
    }

    fn costs(&self, point: &[f64], others: &Cloud, first: usize, out: &mut [f64]) {
        squared_distances(point, &others.by_coordinate, others.len, first, out);
        match self.cost {
            Cost::SquaredEuclidean => {}
            cost => out.iter_mut().for_each(|value| *value = cost.of_squared_distance(*value)),
        }
    }
}

impl PairCost for CloudCost {
    fn sources(&self) -> usize {
        self.source.len
    }

    fn targets(&self) -> usize {
        self.target.len
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        self.cost.of_squared_distance(squared_distance(self.source.point(source), self.target.point(target)))
    }

    fn row(&self, source: usize, first_target: usize, out: &mut [f64]) {
        self.costs(self.source.point(source), &self.target, first_target, out);
    }

    fn column(&self, target: usize, first_source: usize, out: &mut [f64]) {
        self.costs(self.target.point(target), &self.source, first_source, out);
    }

    fn select(&self, sources: &[usize], targets: &[usize]) -> Option<Box<dyn PairCost>> {
        Some(Box::new(Self {
            source: self.source.select(sources),
            target: self.target.select(targets),
            cost: self.cost,
        }))
    }

    fn coarsen<'a>(&'a self, sources: (&[f64], usize), targets: (&[f64], usize)) -> Option<Coarse<'a>> {
        let ((source, a), (target, b)) = (self.source.coarsened(sources), self.target.coarsened(targets));
        let from_all_sources = Self { source: self.source.clone(), target: target.clone(), cost: self.cost };
        let cost = Self { source, target, cost: self.cost };
        Some(Coarse { cost: Box::new(cost), from_all_sources: Box::new(from_all_sources), a, b })
    }
}

/// A given cost matrix, \[n, m\].
#[derive(Debug, Clone)]
pub struct MatrixCost<'a>(pub ArrayView2<'a, f64>);

impl PairCost for MatrixCost<'_> {
    fn sources(&self) -> usize {
        self.0.nrows()
    }

    fn targets(&self) -> usize {
        self.0.ncols()
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        self.0[[source, target]]
    }
}

/// A cost given by a function of the two indices.
pub struct FunctionCost<F> {
    sources: usize,
    targets: usize,
    function: F,
}

impl<F: Fn(usize, usize) -> f64 + Sync> FunctionCost<F> {
    /// The cost `function(i, j)` between `sources` and `targets` indices.
    pub fn new(sources: usize, targets: usize, function: F) -> Self {
        Self { sources, targets, function }
    }
}

impl<F: Fn(usize, usize) -> f64 + Sync> PairCost for FunctionCost<F> {
    fn sources(&self) -> usize {
        self.sources
    }

    fn targets(&self) -> usize {
        self.targets
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        (self.function)(source, target)
    }
}

/// The same cost with sources and targets exchanged.
pub(crate) struct Swapped<'a>(pub &'a dyn PairCost);

impl PairCost for Swapped<'_> {
    fn sources(&self) -> usize {
        self.0.targets()
    }

    fn targets(&self) -> usize {
        self.0.sources()
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        self.0.cost(target, source)
    }

    fn row(&self, source: usize, first_target: usize, out: &mut [f64]) {
        self.0.column(source, first_target, out);
    }

    fn column(&self, target: usize, first_source: usize, out: &mut [f64]) {
        self.0.row(target, first_source, out);
    }
}

/// The cost between chosen sources and targets of another.
pub(crate) fn restricted<'a>(
    cost: &'a dyn PairCost,
    sources: Vec<usize>,
    targets: Vec<usize>,
) -> Box<dyn PairCost + 'a> {
    cost.select(&sources, &targets).unwrap_or_else(|| Box::new(Restricted { cost, sources, targets }))
}

struct Restricted<'a> {
    cost: &'a dyn PairCost,
    sources: Vec<usize>,
    targets: Vec<usize>,
}

impl PairCost for Restricted<'_> {
    fn sources(&self) -> usize {
        self.sources.len()
    }

    fn targets(&self) -> usize {
        self.targets.len()
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        self.cost.cost(self.sources[source], self.targets[target])
    }
}

impl Cloud {
    fn dim(&self) -> usize {
        self.by_point.len() / self.len
    }

    fn of_points(by_point: Vec<f64>, dim: usize) -> Self {
        let len = by_point.len() / dim;
        let by_coordinate =
            (0..dim).flat_map(|axis| by_point.iter().skip(axis).step_by(dim)).copied().collect();
        Self { len, by_point, by_coordinate }
    }

    fn select(&self, indices: &[usize]) -> Self {
        Self::of_points(indices.iter().flat_map(|&index| self.point(index)).copied().collect(), self.dim())
    }

    /// The centroids and weights of the Voronoi cells of a pseudo-random choice of points.
    fn coarsened(&self, (weights, size): (&[f64], usize)) -> (Self, Vec<f64>) {
        let dim = self.dim();
        let chosen = self.select(&sample(self.len, size));
        let to_chosen =
            CloudCost { source: self.clone(), target: chosen.clone(), cost: Cost::SquaredEuclidean };
        let nearest = nearest_targets(&to_chosen);
        let (mut masses, mut moments) = (vec![0.0; size], vec![0.0; size * dim]);
        for ((point, &weight), &cell) in self.by_point.chunks_exact(dim).zip(weights).zip(&nearest) {
            masses[cell] += weight;
            for (moment, coordinate) in moments[cell * dim..(cell + 1) * dim].iter_mut().zip(point) {
                *moment += weight * coordinate;
            }
        }
        // Duplicates of a chosen point leave empty cells.
        let kept: Vec<usize> = (0..size).filter(|&cell| masses[cell] > 0.0).collect();
        let centroids = kept
            .iter()
            .flat_map(|&cell| moments[cell * dim..(cell + 1) * dim].iter().map(move |moment| (cell, moment)))
            .map(|(cell, moment)| moment / masses[cell])
            .collect();
        (Self::of_points(centroids, dim), kept.iter().map(|&cell| masses[cell]).collect())
    }
}

/// Points handled together so that their partial sums stay in registers.
const LANES: usize = 16;

/// Writes Σ_k (point_k − column_k\[first + j\])² into `out[j]`; `columns` is \[d, stride\].
fn squared_distances(point: &[f64], columns: &[f64], stride: usize, first: usize, out: &mut [f64]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just been seen to support AVX2.
        unsafe { squared_distances_avx2(point, columns, stride, first, out) };
        return;
    }
    squared_distances_in_lanes(point, columns, stride, first, out);
}

/// The same arithmetic, compiled for wider registers: no operation is fused or reordered, so the numbers are the same.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn squared_distances_avx2(point: &[f64], columns: &[f64], stride: usize, first: usize, out: &mut [f64]) {
    squared_distances_in_lanes(point, columns, stride, first, out);
}

#[inline(always)]
fn squared_distances_in_lanes(point: &[f64], columns: &[f64], stride: usize, first: usize, out: &mut [f64]) {
    let (tiles, rest) = out.as_chunks_mut::<LANES>();
    let mut at = first;
    for tile in tiles {
        let mut sums = [0.0f64; LANES];
        for (&own, column) in point.iter().zip(columns.chunks_exact(stride)) {
            for (sum, &other) in sums.iter_mut().zip(&column[at..at + LANES]) {
                let difference = own - other;
                *sum += difference * difference;
            }
        }
        *tile = sums;
        at += LANES;
    }
    for (offset, value) in rest.iter_mut().enumerate() {
        *value = point
            .iter()
            .zip(columns.chunks_exact(stride))
            .map(|(own, column)| (own - column[at + offset]) * (own - column[at + offset]))
            .sum();
    }
}
