//! The nearest points of one cloud to those of another.

use crate::cost::{CloudCost, Euclidean, Row, visit_below};
use crate::measure::{Measure, MeasureError};
use ndarray::{Array2, ArrayView2};

/// The k nearest references of every query, nearest first; of equally near ones the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// Row numbers of references, [n, k].
    pub indices: Array2<usize>,
    /// Their Euclidean distances, [n, k], in the unit of the points.
    pub distances: Array2<f64>,
}

/// Why there are no nearest neighbours.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NeighbourError {
    /// The points are none, not finite or of different dimensions.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// There are fewer references than neighbours asked for.
    #[error("{k} neighbours among {references} points: ask for 1 to {references}")]
    Count {
        /// The neighbours asked for.
        k: usize,
        /// The points that can be one.
        references: usize,
    },
}

/// The `k` nearest rows of `references`, [m, d], to every row of `queries`, [n, d].
///
/// # Errors
/// Clouds that are empty, of different dimensions or not finite; k = 0 or k > m.
///
/// All pairs are accounted for, most of them by bounds: at most O(n·m·d) operations, O(n·(k + d) + m·d) memory,
/// parallel; the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::neighbours::nearest_neighbours;
/// let found = nearest_neighbours(array![[0.9]].view(), array![[0.0], [1.0], [5.0]].view(), 2)?;
/// assert_eq!(found.indices, array![[1, 0]]);
/// # Ok::<(), ot_core::neighbours::NeighbourError>(())
/// ```
pub fn nearest_neighbours(
    queries: ArrayView2<f64>,
    references: ArrayView2<f64>,
    k: usize,
) -> Result<Neighbours, NeighbourError> {
    search(queries, references, k, |_| None)
}

/// The `k` nearest OTHER rows of `points`, [n, d], to every row: a point is not its own neighbour, a duplicate of it
/// is.
///
/// # Errors
/// As [`nearest_neighbours`]; k can be at most n − 1.
///
/// ```
/// use ndarray::array;
/// use ot_core::neighbours::nearest_others;
/// assert_eq!(nearest_others(array![[0.0], [1.0], [3.0]].view(), 1)?.indices, array![[1], [0], [1]]);
/// # Ok::<(), ot_core::neighbours::NeighbourError>(())
/// ```
pub fn nearest_others(points: ArrayView2<f64>, k: usize) -> Result<Neighbours, NeighbourError> {
    search(points, points, k, Some)
}

fn search(
    queries: ArrayView2<f64>,
    references: ArrayView2<f64>,
    k: usize,
    excluded: impl Fn(usize) -> Option<usize> + Sync,
) -> Result<Neighbours, NeighbourError> {
    let (of_queries, of_references) =
        (Measure::named("query", queries, None)?, Measure::named("reference", references, None)?);
    let pairs = CloudCost::new(&of_queries, &of_references, &Euclidean::Squared)?;
    let (n, m) = (queries.nrows(), references.nrows());
    let available = m - usize::from(excluded(0).is_some());
    if k == 0 || k > available {
        return Err(NeighbourError::Count { k, references: available });
    }
    let rows = visit_below(pairs.pairs(), &vec![0.0; m], |query| Nearest {
        k,
        excluded: excluded(query),
        entries: Vec::with_capacity(k + 1),
    });
    let entry = |query: usize, rank: usize| {
        rows.get(query).and_then(|row| row.entries.get(rank)).copied().unwrap_or((f64::NAN, usize::MAX))
    };
    Ok(Neighbours {
        indices: Array2::from_shape_fn((n, k), |(query, rank)| entry(query, rank).1),
        distances: Array2::from_shape_fn((n, k), |(query, rank)| entry(query, rank).0.sqrt()),
    })
}

/// The nearest references of a query so far, as (squared distance, index) in ascending order.
struct Nearest {
    k: usize,
    excluded: Option<usize>,
    entries: Vec<(f64, usize)>,
}

impl Row for Nearest {
    fn limit(&self) -> f64 {
        self.entries.get(self.k - 1).map_or(f64::INFINITY, |entry| entry.0)
    }

    fn wanted(&self) -> usize {
        self.k + usize::from(self.excluded.is_some())
    }

    fn visit(&mut self, target: usize, _: f64, reduced: f64) {
        if self.excluded != Some(target) {
            let at = self.entries.partition_point(|entry| *entry < (reduced, target));
            self.entries.insert(at, (reduced, target));
            self.entries.truncate(self.k);
        }
    }
}
