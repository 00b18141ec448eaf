//! Points on a line: the least reduced cost of every source, without a look at all pairs.

#![allow(clippy::indexing_slicing, reason = "indices come from sorting the very slices they index")]

use super::Clouds;

/// min_j { c(x_i, y_j) − potential_j } for every source i of clouds on a line.
///
/// A convex cost of x − y has the Monge property, so the targets that attain the minima ascend with the sources: that of
/// the middle source bounds those of the others, on either side (Aggarwal et al., Algorithmica 2, 1987). Where targets
/// tie up to rounding, a minimum is good to that rounding for each of the log₂ n halvings.
///
/// O((n + m)·log n).
pub(crate) fn minima_on_line(clouds: &Clouds<'_>, potential: &[f64]) -> Vec<f64> {
    let sorted = |points: &[f64]| {
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_unstable_by(|&one, &two| points[one].total_cmp(&points[two]).then(one.cmp(&two)));
        order
    };
    let (sources, targets) = (sorted(clouds.sources), sorted(clouds.targets));
    let mut minima = vec![f64::INFINITY; sources.len()];
    let mut open = vec![(0..sources.len(), 0..targets.len())];
    while let Some((rows, columns)) = open.pop() {
        if rows.is_empty() {
            continue;
        }
        let middle = rows.start + rows.len() / 2;
        let source = sources[middle];
        let mut nearest = (f64::INFINITY, columns.start);
        for column in columns.clone() {
            let target = targets[column];
            let difference = clouds.sources[source] - clouds.targets[target];
            let reduced = clouds.cost.of_squared_distance(difference * difference) - potential[target];
            if reduced < nearest.0 {
                nearest = (reduced, column);
            }
        }
        minima[source] = nearest.0;
        open.push((rows.start..middle, columns.start..nearest.1 + 1));
        open.push((middle + 1..rows.end, nearest.1..columns.end));
    }
    minima
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Euclidean;

    /// Repeated points, points of the other cloud, and potentials of any kind.
    #[test]
    fn the_minima_are_those_over_all_pairs() {
        let number = |index: usize| (index as f64 * 0.618_033_988_749_894_9).fract();
        for (n, m) in [(1, 1), (40, 1), (1, 40), (200, 130), (130, 200)] {
            let sources: Vec<f64> = (0..n).map(|i| (40.0 * number(3 * i + 1)).round() * 0.1).collect();
            let targets: Vec<f64> = (0..m).map(|j| 1.0 + (60.0 * number(5 * j)).round() * 0.1).collect();
            for size in [0.0, 0.5, 20.0] {
                let potential: Vec<f64> = (0..m).map(|j| size * number(j * j)).collect();
                for cost in [Euclidean::Distance, Euclidean::HalfSquared, Euclidean::Squared] {
                    let clouds = Clouds { sources: &sources, targets: &targets, dim: 1, cost };
                    for (x, least) in sources.iter().zip(minima_on_line(&clouds, &potential)) {
                        let all = targets.iter().zip(&potential);
                        let expected = all
                            .map(|(y, value)| cost.of_squared_distance((x - y) * (x - y)) - value)
                            .fold(f64::INFINITY, f64::min);
                        // Eight halvings at most, each with roundings of numbers up to 36.
                        assert!((least - expected).abs() < 1e-13, "{cost:?} {n}x{m}: {least} {expected}");
                    }
                }
            }
        }
    }
}
