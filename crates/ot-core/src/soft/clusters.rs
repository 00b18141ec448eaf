//! Points sorted in space, in blocks with bounding boxes.

#![allow(clippy::indexing_slicing, reason = "kernel; indices are below the sizes fixed at construction")]

use crate::space::{halve, squared_gap};
use ndarray::ArrayView2;

/// Points of a block: small enough for tight boxes, large enough for the registers.
pub(crate) const BLOCK: usize = 64;

/// A cloud whose points are sorted so that neighbours in space are neighbours in memory.
#[derive(Debug, Clone)]
pub(crate) struct Clusters {
    /// The position in the given cloud of each sorted point.
    order: Vec<usize>,
    dim: usize,
    /// Coordinates, [block, coordinate, point]; the last block is filled with copies of its first point.
    coordinates: Vec<f64>,
    /// Bounding boxes, [block, coordinate].
    lowest: Vec<f64>,
    highest: Vec<f64>,
}

impl Clusters {
    /// Sorts by halving along the widest coordinate until blocks are left. O(n·(d + log n)·log n).
    pub(crate) fn new(points: ArrayView2<'_, f64>) -> Self {
        let dim = points.ncols();
        let mut order: Vec<usize> = (0..points.nrows()).collect();
        // Whole blocks on the left, so that only the last block of all is not full.
        let middle = |count: usize| count.div_ceil(BLOCK) / 2 * BLOCK;
        halve(&mut order, dim, |point, axis| points[[point, axis]], BLOCK, middle);
        let (mut coordinates, mut lowest, mut highest) = (Vec::new(), Vec::new(), Vec::new());
        for members in order.chunks(BLOCK) {
            for k in 0..dim {
                let values = members.iter().map(|&member| points[[member, k]]);
                lowest.push(values.clone().fold(f64::INFINITY, f64::min));
                highest.push(values.clone().fold(f64::NEG_INFINITY, f64::max));
                coordinates.extend(values);
                coordinates.extend(std::iter::repeat_n(points[[members[0], k]], BLOCK - members.len()));
            }
        }
        Self { order, dim, coordinates, lowest, highest }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    pub(crate) fn blocks(&self) -> usize {
        self.order.len().div_ceil(BLOCK)
    }

    /// The coordinates of a block, [coordinate, point].
    pub(crate) fn block(&self, block: usize) -> &[f64] {
        &self.coordinates[block * self.dim * BLOCK..(block + 1) * self.dim * BLOCK]
    }

    /// A lower bound of the squared distance between the points of a block and those of a block of `other`.
    pub(crate) fn squared_gap(&self, block: usize, other: &Self, other_block: usize) -> f64 {
        squared_gap(self.bounds(block), other.bounds(other_block))
    }

    /// The lowest and the highest coordinates of a block.
    fn bounds(&self, block: usize) -> (&[f64], &[f64]) {
        let axes = block * self.dim..(block + 1) * self.dim;
        (&self.lowest[axes.clone()], &self.highest[axes])
    }

    /// Values given by point, in sorted order.
    pub(crate) fn sorted(&self, values: &[f64]) -> Vec<f64> {
        self.order.iter().map(|&point| values[point]).collect()
    }

    /// Values in sorted order, by point as given.
    pub(crate) fn restored(&self, values: &[f64]) -> Vec<f64> {
        let mut restored = vec![0.0; values.len()];
        for (&point, &value) in self.order.iter().zip(values) {
            restored[point] = value;
        }
        restored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn blocks_hold_every_point_once_within_their_boxes() {
        let points = Array2::from_shape_fn((101, 3), |(i, k)| ((i * 37 + k * 11) % 29) as f64);
        let clusters = Clusters::new(points.view());
        let mut order = clusters.order.clone();
        order.sort_unstable();
        assert_eq!(order, (0..101).collect::<Vec<_>>());
        for (position, &point) in clusters.order.iter().enumerate() {
            let (block, lane) = (position / BLOCK, position % BLOCK);
            for k in 0..3 {
                let value = clusters.block(block)[k * BLOCK + lane];
                assert_eq!(value, points[[point, k]]);
                assert!(clusters.lowest[block * 3 + k] <= value && value <= clusters.highest[block * 3 + k]);
            }
        }
        let values: Vec<f64> = (0..101).map(f64::from).collect();
        assert_eq!(clusters.restored(&clusters.sorted(&values)), values);
    }

    #[test]
    fn the_gap_between_boxes_is_below_every_distance() {
        let cloud =
            |shift: f64| Array2::from_shape_fn((64, 2), |(i, k)| ((i * 13 + k * 7) % 64) as f64 + shift);
        let (x, y) = (Clusters::new(cloud(0.0).view()), Clusters::new(cloud(20.5).view()));
        for (i, j) in (0..x.blocks()).flat_map(|i| (0..y.blocks()).map(move |j| (i, j))) {
            let gap = x.squared_gap(i, &y, j);
            let closest = (0..BLOCK * BLOCK)
                .map(|pair| {
                    let difference = |k: usize| {
                        x.block(i)[k * BLOCK + pair / BLOCK] - y.block(j)[k * BLOCK + pair % BLOCK]
                    };
                    difference(0).powi(2) + difference(1).powi(2)
                })
                .fold(f64::INFINITY, f64::min);
            assert!(gap <= closest, "{gap} {closest}");
        }
    }
}
