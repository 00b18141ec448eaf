//! Exact nearest neighbours, and the classification by them.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;
use thiserror::Error;

/// Clouds that have no nearest neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NearestError {
    /// A cloud is empty.
    #[error("{queries} queries among {points} points of {dim} coordinates: give at least one of each")]
    Empty {
        /// Rows of the queries.
        queries: usize,
        /// Rows of the points.
        points: usize,
        /// Their columns.
        dim: usize,
    },
    /// The dimensions differ.
    #[error("the queries have {queries} columns, the points {points}: compare clouds of one dimension")]
    Dimension {
        /// Columns of the queries.
        queries: usize,
        /// Columns of the points.
        points: usize,
    },
    /// A coordinate is not finite.
    #[error(
        "row {row} of the {cloud} has a coordinate that is not finite or beyond 1e15: leave such rows out"
    )]
    NotFinite {
        /// Which cloud.
        cloud: &'static str,
        /// Its row.
        row: usize,
    },
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
}

/// Queries and points of one block: their products fill a quarter of a megabyte and stay near the core.
const QUERIES: usize = 128;
const POINTS: usize = 512;

/// Larger coordinates would overflow single precision when they are squared.
const LARGEST: f64 = 1e15;

/// The index of the nearest of the rows of `points` \[m, d\] for every row of `queries` \[n, d\]; the first of several at
/// one distance.
///
/// $$ i \mapsto \operatorname{argmin}_j \|q_i - p_j\|^2 $$
///
/// The result is exact: products in single precision leave, by a bound on their rounding, a few candidates for each query,
/// which are compared in double precision. Complexity: O(n·m·d), blocked, in parallel; the result does not depend on the
/// number of threads. Memory: O((n + m)·d).
///
/// # Errors
/// [`NearestError`] where a cloud is empty, not finite or of another dimension.
///
/// Source of the bound: Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 3.1.
///
/// ```
/// use ndarray::array;
/// let points = array![[0.0, 0.0], [2.0, 0.0], [2.0, 0.0]];
/// let found = eval::nearest::neighbours(array![[0.4, 1.0], [1.7, 0.0]].view(), points.view())?;
/// assert_eq!(found, [0, 1]);
/// # Ok::<(), eval::nearest::NearestError>(())
/// ```
pub fn neighbours(
    queries: ArrayView2<'_, f64>,
    points: ArrayView2<'_, f64>,
) -> Result<Vec<usize>, NearestError> {
    let (n, m, dim) = (queries.nrows(), points.nrows(), points.ncols());
    if queries.ncols() != dim {
        return Err(NearestError::Dimension { queries: queries.ncols(), points: dim });
    }
    if n == 0 || m == 0 || dim == 0 {
        return Err(NearestError::Empty { queries: n, points: m, dim });
    }
    for (cloud, rows) in [("queries", queries), ("points", points)] {
        let wrong = |row: ndarray::ArrayView1<'_, f64>| !row.iter().all(|x| x.abs() <= LARGEST);
        if let Some(row) = rows.rows().into_iter().position(wrong) {
            return Err(NearestError::NotFinite { cloud, row });
        }
    }
    // Around their centre the norms, and with them the rounding, are small.
    let centre = points.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(dim));
    let screen = Screen::new(points, &centre);
    let blocks: Vec<Vec<usize>> = (0..n.div_ceil(QUERIES))
        .into_par_iter()
        .map(|block| {
            let rows = block * QUERIES..n.min((block + 1) * QUERIES);
            screen.block(queries.slice(ndarray::s![rows, ..]), points, &centre)
        })
        .collect();
    Ok(blocks.concat())
}

/// The share of `queries` whose nearest point has their label: the accuracy of the 1-nearest-neighbour classifier fitted on
/// `points`.
///
/// Labels: \[n\] of the queries and \[m\] of the points. Complexity: that of [`neighbours`].
///
/// # Errors
/// As [`neighbours`], and where labels and rows differ in number.
///
/// ```
/// use ndarray::array;
/// let (points, queries) = (array![[0.0], [1.0]], array![[0.2], [0.9], [0.4], [2.0]]);
/// let accuracy = eval::nearest::accuracy((points.view(), &[3, 7]), (queries.view(), &[3, 7, 7, 7]))?;
/// assert_eq!(accuracy, 0.75);
/// # Ok::<(), eval::nearest::NearestError>(())
/// ```
pub fn accuracy(
    (points, labels): (ArrayView2<'_, f64>, &[u8]),
    (queries, truth): (ArrayView2<'_, f64>, &[u8]),
) -> Result<f64, NearestError> {
    for (cloud, labels, rows) in
        [("points", labels.len(), points.nrows()), ("queries", truth.len(), queries.nrows())]
    {
        if labels != rows {
            return Err(NearestError::Labels { labels, rows, cloud });
        }
    }
    let found = neighbours(queries, points)?;
    let right = found.iter().zip(truth).filter(|&(&index, truth)| labels.get(index) == Some(truth)).count();
    Ok(right as f64 / truth.len() as f64)
}

/// The points in single precision, with what bounds the rounding of their products.
struct Screen {
    /// Row-major \[m, d\], less the centre.
    points: Vec<f32>,
    /// ½‖p‖², of the rounded points.
    half_squares: Vec<f32>,
    largest_norm: f64,
    dim: usize,
}

impl Screen {
    fn new(points: ArrayView2<'_, f64>, centre: &Array1<f64>) -> Self {
        let dim = centre.len();
        let points = single(points, centre);
        let squares = points.chunks_exact(dim).map(square);
        let largest_norm = squares.clone().fold(0.0, f64::max).sqrt();
        let half_squares = squares.map(|square| (0.5 * square) as f32).collect();
        Self { points, half_squares, largest_norm, dim }
    }

    /// The neighbours of a block of queries.
    fn block(
        &self,
        queries: ArrayView2<'_, f64>,
        points: ArrayView2<'_, f64>,
        centre: &Array1<f64>,
    ) -> Vec<usize> {
        let rows = single(queries, centre);
        let count = queries.nrows();
        let bounds: Vec<f32> =
            rows.chunks_exact(self.dim).map(|row| self.rounding(square(row).sqrt())).collect();
        let mut smallest = vec![f32::INFINITY; count];
        let mut candidates: Vec<Vec<(f32, usize)>> = vec![Vec::new(); count];
        let mut products = vec![0.0_f32; count * POINTS];
        let rows = MatRef::from_row_major_slice(&rows, count, self.dim);
        let blocks = self.points.chunks(POINTS * self.dim).zip(self.half_squares.chunks(POINTS));
        for (block, (coordinates, half_squares)) in blocks.enumerate() {
            let width = half_squares.len();
            let columns = MatRef::from_row_major_slice(coordinates, width, self.dim);
            let (products, _) = products.split_at_mut(count * width);
            let out = MatMut::from_row_major_slice_mut(products, count, width);
            matmul(out, Accum::Replace, rows, columns.transpose(), 1.0, Par::Seq);
            let queries = products.chunks_exact(width).zip(&mut smallest).zip(&bounds).zip(&mut candidates);
            for (((products, smallest), &bound), candidates) in queries {
                // ½‖p‖² − q·p orders like the distance.
                let scores = half_squares.iter().zip(products).map(|(&half, &product)| half - product);
                let least = scores.clone().fold(f32::INFINITY, f32::min);
                if least > *smallest + bound {
                    continue;
                }
                *smallest = smallest.min(least);
                let limit = *smallest + bound;
                let close = scores.enumerate().filter(|&(_, score)| score <= limit);
                candidates.extend(close.map(|(at, score)| (score, block * POINTS + at)));
            }
        }
        let queries = queries.rows().into_iter().zip(&candidates).zip(smallest.iter().zip(&bounds));
        queries
            .map(|((query, candidates), (&smallest, &bound))| {
                let close = candidates.iter().filter(|(score, _)| *score <= smallest + bound);
                let distances = close.map(|&(_, index)| (squared_distance(query, points.row(index)), index));
                distances.reduce(|best, other| if other.0 < best.0 { other } else { best }).map_or(0, |b| b.1)
            })
            .collect()
    }

    /// Twice a bound on the error of ½‖p‖² − q·p in single precision, so that the true neighbour's score is below the
    /// smallest one by no more.
    ///
    /// Rounding q and p to single precision moves the score by u·(‖q‖ + ‖p‖)·‖p‖ each, a product of d terms errs by
    /// d·u·‖q‖‖p‖ in any order, and the half square and the difference by u of their sizes; one more factor 2 covers the
    /// products of such errors and the roundings of this bound.
    fn rounding(&self, norm: f64) -> f32 {
        let unit = f64::from(f32::EPSILON) / 2.0;
        let scale = self.largest_norm * (norm + self.largest_norm);
        (4.0 * (self.dim as f64 + 8.0) * unit * scale) as f32
    }
}

/// The rows less the centre, rounded to single precision, row-major.
fn single(rows: ArrayView2<'_, f64>, centre: &Array1<f64>) -> Vec<f32> {
    let centred: Array2<f64> = &rows - centre;
    centred.iter().map(|&x| x as f32).collect()
}

fn square(row: &[f32]) -> f64 {
    row.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
}

fn squared_distance(x: ndarray::ArrayView1<'_, f64>, y: ndarray::ArrayView1<'_, f64>) -> f64 {
    x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::{InitialLaw, stream};
    use ndarray::array;

    fn cloud(n: usize, dim: usize, name: &str) -> Array2<f64> {
        InitialLaw::default().sample(n, dim, &mut stream(1, name, 0)).unwrap()
    }

    fn by_brute_force(queries: &Array2<f64>, points: &Array2<f64>) -> Vec<usize> {
        let nearest = |query: ndarray::ArrayView1<'_, f64>| {
            let mut best = (f64::INFINITY, 0);
            for (index, point) in points.rows().into_iter().enumerate() {
                let distance = squared_distance(query, point);
                if distance < best.0 {
                    best = (distance, index);
                }
            }
            best.1
        };
        queries.rows().into_iter().map(nearest).collect()
    }

    #[test]
    fn blocks_agree_with_brute_force() {
        for (n, m, dim) in [(300, 1200, 16), (129, 513, 3), (1, 1, 1), (5, 700, 1), (200, 100, 64)] {
            let (queries, points) = (cloud(n, dim, "queries"), cloud(m, dim, "points"));
            assert_eq!(
                neighbours(queries.view(), points.view()).unwrap(),
                by_brute_force(&queries, &points),
                "{n} {m} {dim}"
            );
        }
    }

    /// Points that differ by less than single precision resolves, far from the origin: only exact comparison finds the
    /// right one.
    #[test]
    fn ties_of_single_precision_are_decided_in_double() {
        let mut points = cloud(600, 8, "points");
        for row in 1..600 {
            let moved = &points.row(0) + &(&points.row(row) * 1e-9);
            points.row_mut(row).assign(&moved);
        }
        points += 100.0;
        let queries = &points.slice(ndarray::s![..;7, ..]) + 1e-11;
        assert_eq!(neighbours(queries.view(), points.view()).unwrap(), by_brute_force(&queries, &points));
        let rounded = |x: f64| x as f32;
        assert_eq!(rounded(points[[3, 0]]), rounded(points[[7, 0]]), "the control: they round to one number");
    }

    #[test]
    fn equal_points_give_the_first() {
        let points = Array2::ones((1500, 4));
        assert_eq!(neighbours(points.view(), points.view()).unwrap(), vec![0; 1500]);
    }

    #[test]
    fn wrong_input_is_named() {
        let points = array![[0.0, 1.0], [f64::NAN, 0.0]];
        let message = |queries: &Array2<f64>, points: &Array2<f64>| {
            neighbours(queries.view(), points.view()).unwrap_err().to_string()
        };
        assert!(message(&array![[0.0, 0.0]], &points).contains("row 1 of the points"));
        assert!(message(&array![[0.0]], &points).contains("1 columns, the points 2"));
        assert!(message(&Array2::zeros((0, 2)), &points).contains("at least one"));
        let fine = array![[0.0]];
        let error = accuracy((fine.view(), &[1, 2]), (fine.view(), &[1])).unwrap_err();
        assert!(error.to_string().contains("2 labels for 1 points"), "{error}");
    }
}
