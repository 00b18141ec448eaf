//! Points that lie on each other: the problem between their places, and its solution spread over the points.

#![allow(clippy::indexing_slicing, reason = "groups are numbered by the sort that makes them")]

use super::Flow;
use ndarray::{Array2, ArrayView2, Axis};

/// The rows of a cloud by their places.
pub(super) struct Places {
    /// The rows of each place, at least one.
    rows: Vec<Vec<usize>>,
}

impl Places {
    /// Groups equal rows. Complexity: O(n·log n) comparisons of rows.
    pub(super) fn of(points: ArrayView2<'_, f64>) -> Self {
        let compare = |&i: &usize, &j: &usize| {
            let pairs = points.row(i).into_iter().zip(points.row(j));
            pairs
                .map(|(a, b)| a.total_cmp(b))
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        };
        let mut order: Vec<usize> = (0..points.nrows()).collect();
        order.sort_by(compare);
        let rows = order.chunk_by(|i, j| compare(i, j).is_eq()).map(<[usize]>::to_vec).collect();
        Self { rows }
    }

    /// Whether no two rows are equal.
    pub(super) fn are_distinct(&self, points: usize) -> bool {
        self.rows.len() == points
    }

    /// One row for each place.
    pub(super) fn points(&self, points: ArrayView2<'_, f64>) -> Array2<f64> {
        let first: Vec<usize> = self.rows.iter().map(|rows| rows[0]).collect();
        points.select(Axis(0), &first)
    }

    /// The weight at each place.
    pub(super) fn weights(&self, weights: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|rows| rows.iter().map(|&row| weights[row]).sum()).collect()
    }

    /// The value of its place for each of so many rows.
    pub(super) fn spread(&self, values: &[f64], points: usize) -> Vec<f64> {
        let mut spread = vec![0.0; points];
        for (rows, &value) in self.rows.iter().zip(values) {
            rows.iter().for_each(|&row| spread[row] = value);
        }
        spread
    }
}

/// The rows of a place that still have mass to give or to take, the next one last.
struct Stock {
    left: Vec<(usize, f64)>,
}

impl Stock {
    fn of(places: &Places, weights: &[f64]) -> Vec<Self> {
        let stock = |rows: &Vec<usize>| {
            let with_mass = rows.iter().rev().map(|&row| (row, weights[row])).filter(|(_, mass)| *mass > 0.0);
            Self { left: with_mass.collect() }
        };
        places.rows.iter().map(stock).collect()
    }

    /// Uses up mass of the next row; what rounding leaves of a row is not carried on, but the last row takes all.
    fn take(&mut self, mass: f64) {
        let last = self.left.len() == 1;
        if let Some((_, left)) = self.left.last_mut() {
            let rest = *left - mass;
            let used_up = rest <= 1e-12 * *left;
            *left = rest;
            if used_up && !last {
                self.left.pop();
            }
        }
    }
}

/// The plan between rows that a plan between places stands for: the rows of a place are served one after the other.
pub(super) fn spread(
    coupling: &[Flow],
    (sources, a): (&Places, &[f64]),
    (targets, b): (&Places, &[f64]),
) -> Vec<Flow> {
    let (mut supply, mut demand) = (Stock::of(sources, a), Stock::of(targets, b));
    let mut flows = Vec::with_capacity(a.len() + b.len());
    for flow in coupling {
        let mut mass = flow.mass;
        while mass > 0.0 {
            let (from, to) = (&mut supply[flow.source], &mut demand[flow.target]);
            let (Some(&(source, given)), Some(&(target, taken))) = (from.left.last(), to.left.last()) else {
                break;
            };
            // The last row of a place takes what rounding has left over.
            let limit = |stock: &Stock, left: f64| if stock.left.len() == 1 { f64::INFINITY } else { left };
            let part = mass.min(limit(from, given)).min(limit(to, taken));
            flows.push(Flow { source, target, mass: part });
            from.take(part);
            to.take(part);
            mass -= part;
            if mass <= 1e-12 * flow.mass {
                break;
            }
        }
    }
    flows.sort_unstable_by_key(|flow| (flow.source, flow.target));
    flows
}
