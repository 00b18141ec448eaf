//! Costs between the points of two clouds.

#![allow(
    clippy::indexing_slicing,
    reason = "kernels; every index is below the sizes fixed by the constructors"
)]

use super::coarsen::{Coarse, nearest_targets, sample};
use super::spatial::{stretched, stretches};
use super::{Clouds, Cost, CostError, PairCost, WIDE, squared_distance};
use ndarray::ArrayView2;
use simd::{Instructions, Vectorised};

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

/// Points in both layouts: by point for single pairs, by coordinate for vectorised rows of fewer than [`WIDE`] coordinates.
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
            by_coordinate: if points.ncols() < WIDE {
                points.t().iter().copied().collect()
            } else {
                Vec::new()
            },
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

    fn clouds(&self) -> Option<Clouds<'_>> {
        Some(Clouds {
            sources: &self.source.by_point,
            targets: &self.target.by_point,
            dim: self.source.dim(),
            cost: self.cost,
        })
    }

    fn select(&self, sources: &[usize], targets: &[usize]) -> Option<Box<dyn PairCost>> {
        Some(Box::new(Self {
            source: self.source.select(sources),
            target: self.target.select(targets),
            cost: self.cost,
        }))
    }

    fn coarsen<'a>(&'a self, sources: (&[f64], usize), targets: (&[f64], usize)) -> Option<Coarse<'a>> {
        let [of_sources, of_targets] = self.clouds().map(|clouds| stretches(&clouds)).unwrap_or_default();
        let (source, a) = self.source.coarsened(sources, &of_sources);
        let (target, b) = self.target.coarsened(targets, &of_targets);
        let from_all_sources = Self { source: self.source.clone(), target: target.clone(), cost: self.cost };
        let cost = Self { source, target, cost: self.cost };
        Some(Coarse { cost: Box::new(cost), from_all_sources: Box::new(from_all_sources), a, b })
    }
}

impl Cloud {
    fn dim(&self) -> usize {
        self.by_point.len() / self.len
    }

    fn of_points(by_point: Vec<f64>, dim: usize) -> Self {
        let len = by_point.len() / dim;
        let axes = if dim < WIDE { 0..dim } else { 0..0 };
        let by_coordinate = axes.flat_map(|axis| by_point.iter().skip(axis).step_by(dim)).copied().collect();
        Self { len, by_point, by_coordinate }
    }

    fn select(&self, indices: &[usize]) -> Self {
        Self::of_points(indices.iter().flat_map(|&index| self.point(index)).copied().collect(), self.dim())
    }

    /// The centroids and weights of the Voronoi cells of a pseudo-random choice of points, with axes stretched by `stretch`.
    fn coarsened(&self, (weights, size): (&[f64], usize), stretch: &[f64]) -> (Self, Vec<f64>) {
        let dim = self.dim();
        let source = Self::of_points(stretched(&self.by_point, stretch), dim);
        let target = source.select(&sample(self.len, size));
        let nearest = nearest_targets(&CloudCost { source, target, cost: Cost::SquaredEuclidean });
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

/// Σ_k (point_k − column_k\[first + j\])² for every j of `out`; `columns` is \[d, stride\].
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
