//! Points that lie on each other: the problem between their places, and its solution spread over the points.

#![allow(clippy::indexing_slicing, reason = "groups are numbered by the sort that makes them")]

use super::masses::UnitFlow;
use ndarray::{Array2, ArrayView2, Axis};
use std::cmp::Ordering;
use std::iter::Sum;

/// The rows of a cloud by their places.
pub(crate) struct Places {
    /// The rows of each place, at least one.
    rows: Vec<Vec<usize>>,
}

impl Places {
    /// Groups equal rows. Complexity: O(n·log n) comparisons of rows.
    pub(crate) fn of(points: ArrayView2<'_, f64>) -> Self {
        let points = points.as_standard_layout();
        let dim = points.ncols();
        let point =
            |index: usize| points.as_slice().map_or(&[][..], |all| &all[index * dim..(index + 1) * dim]);
        let compare = |&i: &usize, &j: &usize| compare(point(i), point(j));
        let mut order: Vec<usize> = (0..points.nrows()).collect();
        order.sort_by(compare);
        let rows = order.chunk_by(|i, j| compare(i, j).is_eq()).map(<[usize]>::to_vec).collect();
        Self { rows }
    }

    /// Whether no two rows are equal.
    pub(crate) fn are_distinct(&self, points: usize) -> bool {
        self.rows.len() == points
    }

    /// One row for each place.
    pub(crate) fn points(&self, points: ArrayView2<'_, f64>) -> Array2<f64> {
        let first: Vec<usize> = self.rows.iter().map(|rows| rows[0]).collect();
        points.select(Axis(0), &first)
    }

    /// The sum at each place of numbers of the rows.
    pub(crate) fn sums<T: Copy + Sum>(&self, numbers: &[T]) -> Vec<T> {
        self.rows.iter().map(|rows| rows.iter().map(|&row| numbers[row]).sum()).collect()
    }

    /// The value of its place for each of so many rows.
    pub(crate) fn spread(&self, values: &[f64], points: usize) -> Vec<f64> {
        let mut spread = vec![0.0; points];
        for (rows, &value) in self.rows.iter().zip(values) {
            rows.iter().for_each(|&row| spread[row] = value);
        }
        spread
    }

    /// The rows of each place that have mass to give or to take, the next one last.
    fn stocks(&self, masses: &[i128]) -> Vec<Vec<(usize, i128)>> {
        let stock = |rows: &Vec<usize>| {
            rows.iter().rev().map(|&row| (row, masses[row])).filter(|(_, mass)| *mass > 0).collect()
        };
        self.rows.iter().map(stock).collect()
    }
}

/// The order of two points, by their first coordinates that differ.
fn compare(x: &[f64], y: &[f64]) -> Ordering {
    // Images begin with many equal pixels: chunk by chunk they are gone through quickly.
    const CHUNK: usize = 8;
    let differs = |(x, y): (&[f64], &[f64])| {
        x.iter().zip(y).fold(false, |any, (x, y)| any | (x.to_bits() != y.to_bits()))
    };
    let start = x.chunks(CHUNK).zip(y.chunks(CHUNK)).take_while(|pair| !differs(*pair)).count() * CHUNK;
    let rest = x.iter().zip(y).skip(start);
    rest.map(|(x, y)| x.total_cmp(y)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The plan between rows that a plan between places stands for: the rows of a place are served one after the other.
///
/// `supplies` and `demands` are the integer masses of the rows, so that nothing is left over.
pub(super) fn spread(
    coupling: &[UnitFlow],
    (sources, supplies): (&Places, &[i128]),
    (targets, demands): (&Places, &[i128]),
) -> Vec<UnitFlow> {
    let (mut supply, mut demand) = (sources.stocks(supplies), targets.stocks(demands));
    let mut flows = Vec::with_capacity(supplies.len() + demands.len());
    for flow in coupling {
        let mut units = flow.units;
        while units > 0 {
            let (Some((source, given)), Some((target, taken))) =
                (supply[flow.source].last_mut(), demand[flow.target].last_mut())
            else {
                break;
            };
            let part = units.min(*given).min(*taken);
            flows.push(UnitFlow { source: *source, target: *target, units: part });
            (units, *given, *taken) = (units - part, *given - part, *taken - part);
            let used_up = (*given == 0, *taken == 0);
            if used_up.0 {
                supply[flow.source].pop();
            }
            if used_up.1 {
                demand[flow.target].pop();
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

    fn flow(source: usize, target: usize, units: i128) -> UnitFlow {
        UnitFlow { source, target, units }
    }

    #[test]
    fn rows_are_grouped_by_their_places() {
        let points = array![[1.0, 2.0], [0.0, 5.0], [1.0, 2.0], [1.0, -3.0], [0.0, 5.0], [1.0, 2.0]];
        let places = Places::of(points.view());
        assert_eq!(places.rows, [vec![1, 4], vec![3], vec![0, 2, 5]]);
        assert!(!places.are_distinct(6) && Places::of(array![[1.0], [0.0]].view()).are_distinct(2));
        assert_eq!(places.points(points.view()), array![[0.0, 5.0], [1.0, -3.0], [1.0, 2.0]]);
        assert_eq!(places.sums(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]), [18.0, 8.0, 37.0]);
        assert_eq!(places.spread(&[7.0, 8.0, 9.0], 6), [9.0, 7.0, 9.0, 8.0, 7.0, 9.0]);
    }

    #[test]
    fn the_rows_of_a_place_are_served_one_after_the_other() {
        let two_places = Places::of(array![[0.0], [1.0], [0.0], [1.0], [0.0]].view());
        let one_place = Places::of(array![[0.0], [0.0]].view());
        let distinct = Places::of(array![[0.0], [1.0]].view());
        let (a, b) = ([2, 0, 0, 3, 3], [4, 4]);
        let plan = spread(&[flow(0, 0, 5), flow(1, 0, 3)], (&two_places, &a), (&one_place, &b));
        assert_eq!(plan, [flow(0, 0, 2), flow(3, 1, 3), flow(4, 0, 2), flow(4, 1, 1)]);
        // From the other side, with the flows of a place in two parts.
        let coupling = [flow(0, 0, 4), flow(0, 1, 1), flow(1, 1, 3)];
        let plan = spread(&coupling, (&two_places, &a), (&distinct, &b));
        assert_eq!(plan, [flow(0, 0, 2), flow(3, 1, 3), flow(4, 0, 2), flow(4, 1, 1)]);
        // A single unit beside all the others is served too.
        let all = 1 << 100;
        let (a, b) = ([all - 1, 1], [all]);
        let plan = spread(&[flow(0, 0, all)], (&one_place, &a), (&Places::of(array![[3.0]].view()), &b));
        assert_eq!(plan, [flow(0, 0, all - 1), flow(1, 0, 1)]);
    }
}
