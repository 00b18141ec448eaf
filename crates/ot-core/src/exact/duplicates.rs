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

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn flow(source: usize, target: usize, mass: f64) -> Flow {
        Flow { source, target, mass }
    }

    #[test]
    fn rows_are_grouped_by_their_places() {
        let points = array![[1.0, 2.0], [0.0, 5.0], [1.0, 2.0], [1.0, -3.0], [0.0, 5.0], [1.0, 2.0]];
        let places = Places::of(points.view());
        assert_eq!(places.rows, [vec![1, 4], vec![3], vec![0, 2, 5]]);
        assert!(!places.are_distinct(6) && Places::of(array![[1.0], [0.0]].view()).are_distinct(2));
        assert_eq!(places.points(points.view()), array![[0.0, 5.0], [1.0, -3.0], [1.0, 2.0]]);
        assert_eq!(places.weights(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]), [18.0, 8.0, 37.0]);
        assert_eq!(places.spread(&[7.0, 8.0, 9.0], 6), [9.0, 7.0, 9.0, 8.0, 7.0, 9.0]);
    }

    /// All masses are multiples of 2^−31, which floats add exactly.
    #[test]
    fn the_rows_of_a_place_are_served_one_after_the_other() {
        let two_places = Places::of(array![[0.0], [1.0], [0.0], [1.0], [0.0]].view());
        let one_place = Places::of(array![[0.0], [0.0]].view());
        let distinct = Places::of(array![[0.0], [1.0]].view());
        let (a, b) = ([0.25, 0.0, 0.0, 0.375, 0.375], [0.5, 0.5]);
        let plan = spread(&[flow(0, 0, 0.625), flow(1, 0, 0.375)], (&two_places, &a), (&one_place, &b));
        assert_eq!(plan, [flow(0, 0, 0.25), flow(3, 1, 0.375), flow(4, 0, 0.25), flow(4, 1, 0.125)]);
        // From the other side, with the flows of a place in two parts.
        let coupling = [flow(0, 0, 0.5), flow(0, 1, 0.125), flow(1, 1, 0.375)];
        let plan = spread(&coupling, (&two_places, &a), (&distinct, &b));
        assert_eq!(plan, [flow(0, 0, 0.25), flow(3, 1, 0.375), flow(4, 0, 0.25), flow(4, 1, 0.125)]);
        // Small weights are not taken for what rounding leaves.
        let tiny = 2f64.powi(-31);
        let (a, b) = ([2.0 * tiny, 1.0 - 2.0 * tiny], [tiny, 1.0 - tiny]);
        let coupling = [flow(0, 0, tiny), flow(0, 1, 1.0 - tiny)];
        let plan = spread(&coupling, (&one_place, &a), (&distinct, &b));
        assert_eq!(plan, [flow(0, 0, tiny), flow(0, 1, tiny), flow(1, 1, 1.0 - 2.0 * tiny)]);
        let (a, b) = ([tiny, 1.0 - tiny], [2.0 * tiny, 1.0 - 2.0 * tiny]);
        let coupling = [flow(0, 0, 2.0 * tiny), flow(0, 1, 1.0 - 2.0 * tiny)];
        let plan = spread(&coupling, (&one_place, &a), (&distinct, &b));
        assert_eq!(plan, [flow(0, 0, tiny), flow(1, 0, tiny), flow(1, 1, 1.0 - 2.0 * tiny)]);
    }

    #[test]
    fn the_last_row_of_a_place_takes_what_rounding_leaves_over() {
        let one_place = Places::of(array![[0.0], [0.0]].view());
        let distinct = Places::of(array![[0.0], [1.0]].view());
        let (half, more) = ([0.5, 0.5], 2f64.powi(-50));
        // The flows of the place give a little more than it has, then a little less, then nothing.
        let plan =
            spread(&[flow(0, 0, 0.5), flow(0, 1, 0.5 + more)], (&one_place, &half), (&distinct, &half));
        assert_eq!(plan, [flow(0, 0, 0.5), flow(1, 1, 0.5 + more)]);
        let plan =
            spread(&[flow(0, 0, 0.5 - more), flow(0, 1, 0.5)], (&one_place, &half), (&distinct, &half));
        assert_eq!(plan, [flow(0, 0, 0.5 - more), flow(1, 1, 0.5)]);
        let coupling = [flow(0, 0, 0.5), flow(0, 1, 0.5), flow(0, 1, more), flow(0, 0, 0.0)];
        let plan = spread(&coupling, (&one_place, &half), (&distinct, &half));
        assert_eq!(plan, [flow(0, 0, 0.5), flow(1, 1, 0.5), flow(1, 1, more)]);
    }
}
