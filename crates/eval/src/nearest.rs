//! What the nearest neighbour says: the class of a point, or that it lies far from all.

use ndarray::ArrayView2;
use ot_core::neighbours::{NeighbourError, nearest_neighbours};
use thiserror::Error;

/// Why there is no accuracy.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum AccuracyError {
    /// Labels do not fit their points.
    #[error("{labels} labels for {rows} {cloud}: give one for each row")]
    Labels {
        /// Labels given.
        labels: usize,
        /// Rows there are.
        rows: usize,
        /// Which cloud.
        cloud: &'static str,
    },
    /// There are no nearest neighbours.
    #[error(transparent)]
    Neighbours(#[from] NeighbourError),
}

/// The share of `queries` whose nearest point has their label: the accuracy of the 1-nearest-neighbour classifier
/// fitted on `points`.
///
/// Shapes: points [m, d] with m labels, queries [n, d] with n labels. The neighbours are exact; of equally near
/// points the first counts. Complexity: that of [`nearest_neighbours`], at most O(n·m·d).
///
/// # Errors
/// Labels and rows that differ in number; clouds that are empty, not finite or of different dimensions.
///
/// Source: the score of the domain adaptation in arXiv 2406.13619.
///
/// ```
/// use ndarray::array;
/// let (points, queries) = (array![[0.0], [1.0]], array![[0.2], [0.9], [0.4], [2.0]]);
/// let accuracy = eval::nearest_neighbour_accuracy((points.view(), &[3, 7]), (queries.view(), &[3, 7, 7, 7]))?;
/// assert_eq!(accuracy, 0.75);
/// # Ok::<(), eval::AccuracyError>(())
/// ```
pub fn nearest_neighbour_accuracy(
    (points, labels): (ArrayView2<'_, f64>, &[u8]),
    (queries, truth): (ArrayView2<'_, f64>, &[u8]),
) -> Result<f64, AccuracyError> {
    for (cloud, labels, rows) in
        [("points", labels.len(), points.nrows()), ("queries", truth.len(), queries.nrows())]
    {
        if labels != rows {
            return Err(AccuracyError::Labels { labels, rows, cloud });
        }
    }
    let found = nearest_neighbours(queries, points, 1)?;
    let right = found.indices.iter().zip(truth).filter(|&(&index, truth)| labels.get(index) == Some(truth));
    Ok(right.count() as f64 / truth.len() as f64)
}

/// The share of `points` further than `distance` from each of the `references`.
///
/// Shapes: points [n, d], references [m, d]; the distance is in their unit. Between well separated parts of a law lies no
/// point of it, so that with many references this is the mass of what connects the parts. Complexity: that of
/// [`nearest_neighbours`], at most O(n·m·d).
///
/// # Errors
/// Clouds that are empty, not finite or of different dimensions.
///
/// ```
/// use ndarray::array;
/// let share = eval::stray_share(array![[0.2], [0.5], [1.4]].view(), array![[0.0], [1.0]].view(), 0.3)?;
/// assert!((share - 2.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), ot_core::neighbours::NeighbourError>(())
/// ```
pub fn stray_share(
    points: ArrayView2<'_, f64>,
    references: ArrayView2<'_, f64>,
    distance: f64,
) -> Result<f64, NeighbourError> {
    let found = nearest_neighbours(points, references, 1)?;
    let stray = found.distances.iter().filter(|&&nearest| nearest > distance);
    Ok(stray.count() as f64 / points.nrows() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::{InitialLaw, stream};
    use ndarray::{Array2, array};

    #[test]
    fn it_agrees_with_brute_force() {
        let cloud =
            |n: usize, name: &str| InitialLaw::default().sample(n, 256, &mut stream(1, name, 0)).unwrap();
        let (points, queries): (Array2<f64>, Array2<f64>) = (cloud(400, "points"), cloud(150, "queries"));
        let label = |n: usize| (0..n).map(|i| (i * i % 10) as u8).collect::<Vec<_>>();
        let (labels, truth) = (label(400), label(150));
        let mut right = 0;
        for (query, &truth) in queries.rows().into_iter().zip(&truth) {
            let squared = |point: ndarray::ArrayView1<'_, f64>| (&point - &query).mapv(|x| x * x).sum();
            let distances: Vec<f64> = points.rows().into_iter().map(squared).collect();
            let nearest = (0..400).min_by(|&i, &j| distances[i].total_cmp(&distances[j])).unwrap();
            right += usize::from(labels[nearest] == truth);
        }
        let found = nearest_neighbour_accuracy((points.view(), &labels), (queries.view(), &truth)).unwrap();
        assert_eq!(found, right as f64 / 150.0);
        assert!(right > 0 && right < 150);
    }

    /// Of a uniform law on an interval of length 2 about a reference, 1 − δ lies further than δ away.
    #[test]
    fn the_stray_share_of_a_uniform_law_is_its_mass_outside() {
        let points = Array2::from_shape_fn((1000, 1), |(i, _)| (i as f64 + 0.5) / 500.0 - 1.0);
        for distance in [0.25, 0.5, 1.0] {
            let share = stray_share(points.view(), array![[0.0], [50.0]].view(), distance).unwrap();
            assert!((share - (1.0 - distance)).abs() < 1e-12, "{distance}: {share}");
        }
        assert!(stray_share(points.view(), array![[0.0, 1.0]].view(), 0.3).is_err());
    }

    #[test]
    fn wrong_input_is_named() {
        let fine = array![[0.0]];
        let error = nearest_neighbour_accuracy((fine.view(), &[1, 2]), (fine.view(), &[1])).unwrap_err();
        assert!(error.to_string().contains("2 labels for 1 points"), "{error}");
        let wide = array![[0.0, 1.0]];
        let error = nearest_neighbour_accuracy((fine.view(), &[1]), (wide.view(), &[1])).unwrap_err();
        assert!(matches!(error, AccuracyError::Neighbours(_)), "{error}");
    }
}
