//! Costs between the points of two clouds.

#![allow(
    clippy::indexing_slicing,
    reason = "kernels; every index is below the sizes fixed by the constructors"
)]

use super::coarsen::{nearest_targets, sample};
use super::hooks::Accelerated;
use super::own::OwnPairs;
use super::spatial::{stretched, stretches};
use super::{Clouds, Coarse, Cost, Euclidean, PairCost, Sealed, WIDE, squared_distance};
use crate::measure::{Measure, MeasureError, check_dimensions};
use ndarray::ArrayView2;
use simd::{Instructions, Vectorised};
use std::borrow::Cow;

/// The cost between all pairs of two clouds, computed on demand in O(d) per pair and O((n + m)·d) memory.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, cost::{CloudCost, Euclidean, PairCost}};
/// let (x, y) = (array![[0.0, 0.0]], array![[3.0, 4.0], [0.0, 1.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let cost = CloudCost::new(&source, &target, &Euclidean::Distance)?;
/// assert_eq!(cost.cost(0, 0), 5.0);
/// # Ok::<(), ot_core::MeasureError>(())
/// ```
pub struct CloudCost<'a>(Pairs<'a>);

enum Pairs<'a> {
    Euclidean(EuclideanPairs<'a>),
    Own(OwnPairs<'a>),
}

impl<'a> CloudCost<'a> {
    /// The cost between the points of `source`, [n, d], and those of `target`, [m, d]; weights do not matter.
    ///
    /// # Errors
    /// Different numbers of columns.
    ///
    /// O((n + m)·d).
    pub fn new(source: &Measure<'a>, target: &Measure<'a>, cost: &'a dyn Cost) -> Result<Self, MeasureError> {
        check_dimensions(source, target)?;
        Ok(Self::of_points(source.points(), target.points(), cost))
    }

    /// The same for points that have been checked.
    pub(crate) fn of_points(x: ArrayView2<'a, f64>, y: ArrayView2<'a, f64>, cost: &'a dyn Cost) -> Self {
        Self(match cost.euclidean(Sealed) {
            Some(cost) => Pairs::Euclidean(EuclideanPairs::new(x, y, cost)),
            None => Pairs::Own(OwnPairs::new(x, y, cost)),
        })
    }

    /// The pairs themselves, without a detour for each of them.
    pub(crate) fn pairs(&self) -> &(dyn PairCost + 'a) {
        match &self.0 {
            Pairs::Euclidean(pairs) => pairs,
            Pairs::Own(pairs) => pairs,
        }
    }
}

impl PairCost for CloudCost<'_> {
    fn sources(&self) -> usize {
        self.pairs().sources()
    }

    fn targets(&self) -> usize {
        self.pairs().targets()
    }

    fn cost(&self, source: usize, target: usize) -> f64 {
        self.pairs().cost(source, target)
    }

    fn row(&self, source: usize, first_target: usize, out: &mut [f64]) {
        self.pairs().row(source, first_target, out);
    }

    fn column(&self, target: usize, first_source: usize, out: &mut [f64]) {
        self.pairs().column(target, first_source, out);
    }

    fn accelerated(&self, sealed: Sealed) -> Option<&dyn Accelerated> {
        match &self.0 {
            Pairs::Euclidean(pairs) => pairs.accelerated(sealed),
            Pairs::Own(_) => None,
        }
    }
}

/// A Euclidean cost between the points of two clouds.
#[derive(Debug, Clone)]
pub(super) struct EuclideanPairs<'a> {
    source: Cloud<'a>,
    target: Cloud<'a>,
    cost: Euclidean,
}

/// Points in both layouts: by point for single pairs (the given points themselves where they lie so), by coordinate for vectorised rows of fewer than [`WIDE`]
/// coordinates.
#[derive(Debug, Clone)]
struct Cloud<'a> {
    len: usize,
    by_point: Cow<'a, [f64]>,
    by_coordinate: Vec<f64>,
}

impl<'a> Cloud<'a> {
    fn new(points: ArrayView2<'a, f64>) -> Self {
        Self {
            len: points.nrows(),
            by_point: points.to_slice().map_or_else(|| points.iter().copied().collect(), Cow::Borrowed),
            by_coordinate: if points.ncols() < WIDE {
                points.t().iter().copied().collect()
            } else {
                Vec::new()
            },
        }
    }

    /// The same cloud, which borrows what it can.
    fn borrowed(&self) -> Cloud<'_> {
        Cloud {
            len: self.len,
            by_point: Cow::Borrowed(&self.by_point),
            by_coordinate: self.by_coordinate.clone(),
        }
    }

    fn point(&self, index: usize) -> &[f64] {
        let dim = self.dim();
        &self.by_point[index * dim..(index + 1) * dim]
    }
}

impl<'a> EuclideanPairs<'a> {
    fn new(x: ArrayView2<'a, f64>, y: ArrayView2<'a, f64>, cost: Euclidean) -> Self {
        Self { source: Cloud::new(x), target: Cloud::new(y), cost }
    }

    fn costs(&self, point: &[f64], others: &Cloud<'_>, first: usize, out: &mut [f64]) {
        if point.len() < WIDE {
            simd::run(SquaredDistances {
                point,
                columns: &others.by_coordinate,
                stride: others.len,
                first,
                out,
            });
        } else {
            for (offset, value) in out.iter_mut().enumerate() {
                *value = squared_distance(point, others.point(first + offset));
            }
        }
        match self.cost {
            Euclidean::Squared => {}
            cost => out.iter_mut().for_each(|value| *value = cost.of_squared_distance(*value)),
        }
    }
}

impl PairCost for EuclideanPairs<'_> {
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

    fn accelerated(&self, _: Sealed) -> Option<&dyn Accelerated> {
        Some(self)
    }
}

impl Accelerated for EuclideanPairs<'_> {
    fn clouds(&self) -> Option<Clouds<'_>> {
        Some(Clouds {
            sources: &self.source.by_point,
            targets: &self.target.by_point,
            dim: self.source.dim(),
            cost: self.cost,
        })
    }

    fn select(&self, sources: &[usize], targets: &[usize]) -> Option<Box<dyn PairCost>> {
        Some(Box::new(EuclideanPairs {
            source: self.source.select(sources),
            target: self.target.select(targets),
            cost: self.cost,
        }))
    }

    fn coarsen<'a>(&'a self, sources: (&[f64], usize), targets: (&[f64], usize)) -> Option<Coarse<'a>> {
        let [of_sources, of_targets] = self.clouds().map(|clouds| stretches(&clouds)).unwrap_or_default();
        let (source, a) = self.source.coarsened(sources, &of_sources);
        let (target, b) = self.target.coarsened(targets, &of_targets);
        let from_all_sources =
            EuclideanPairs { source: self.source.borrowed(), target: target.clone(), cost: self.cost };
        let cost = EuclideanPairs { source, target, cost: self.cost };
        Some(Coarse { cost: Box::new(cost), from_all_sources: Box::new(from_all_sources), a, b })
    }
}

impl Cloud<'_> {
    fn dim(&self) -> usize {
        self.by_point.len() / self.len
    }

    fn of_points(by_point: Vec<f64>, dim: usize) -> Cloud<'static> {
        let len = by_point.len() / dim;
        let axes = if dim < WIDE { 0..dim } else { 0..0 };
        let by_coordinate = axes.flat_map(|axis| by_point.iter().skip(axis).step_by(dim)).copied().collect();
        Cloud { len, by_point: Cow::Owned(by_point), by_coordinate }
    }

    fn select(&self, indices: &[usize]) -> Cloud<'static> {
        Self::of_points(indices.iter().flat_map(|&index| self.point(index)).copied().collect(), self.dim())
    }

    /// The centroids and weights of the Voronoi cells of a pseudo-random choice of points, with axes stretched by
    /// `stretch`.
    fn coarsened(&self, (weights, size): (&[f64], usize), stretch: &[f64]) -> (Cloud<'static>, Vec<f64>) {
        let dim = self.dim();
        let source = Self::of_points(stretched(&self.by_point, stretch), dim);
        let target = source.select(&sample(self.len, size));
        let nearest = nearest_targets(&EuclideanPairs { source, target, cost: Euclidean::Squared });
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

/// Σ_k (point_k − column_k\[first + j\])² for every j of `out`; `columns` is [d, stride].
///
/// No operation is fused or reordered, so that the numbers are those of [`squared_distance`] whatever the instructions.
struct SquaredDistances<'a> {
    point: &'a [f64],
    columns: &'a [f64],
    stride: usize,
    first: usize,
    out: &'a mut [f64],
}

impl Vectorised for SquaredDistances<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self { point, columns, stride, first, out } = self;
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
}
