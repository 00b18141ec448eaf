//! The ground costs of point-cloud transport, and the pairwise costs that solvers read row by row.

mod below;
mod blocks;
mod cloud;
mod coarsen;
mod largest;
mod pairs;
mod screen;
mod spatial;
mod views;

pub use cloud::CloudCost;
pub use coarsen::Coarse;
pub use pairs::{Clouds, CostError, FunctionCost, MatrixCost, PairCost};

pub(crate) use below::{AllPairs, Row, Smallest, visit_below};
pub(crate) use blocks::accumulate_rows;
pub(crate) use cloud::check_clouds;
pub(crate) use coarsen::coarsened;
pub(crate) use largest::largest_cost;
pub(crate) use spatial::sort_in_space;
pub(crate) use views::{Swapped, restricted};

/// A ground cost c(x, y) between points of R^d.
///
/// ```
/// use ot_core::cost::Cost;
/// assert_eq!(Cost::HalfSquaredEuclidean.between(&[0.0, 0.0], &[3.0, 4.0]), 12.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// ½‖x − y‖², the cost of the W2 dual and the c-transform.
    HalfSquaredEuclidean,
    /// ‖x − y‖², whose optimal value is w2².
    SquaredEuclidean,
    /// ‖x − y‖, whose optimal value is w1.
    Euclidean,
}

impl Cost {
    /// The cost of moving a unit of mass from `x` to `y`, both \[d\].
    ///
    /// Coordinates beyond the shorter slice are ignored. O(d).
    #[inline]
    pub fn between(self, x: &[f64], y: &[f64]) -> f64 {
        self.of_squared_distance(squared_distance(x, y))
    }

    /// The cost as a function of s = ‖x − y‖²: ½s, s or √s.
    ///
    /// ```
    /// use ot_core::cost::Cost;
    /// assert_eq!(Cost::Euclidean.of_squared_distance(25.0), 5.0);
    /// ```
    #[inline]
    pub fn of_squared_distance(self, squared: f64) -> f64 {
        match self {
            Self::HalfSquaredEuclidean => 0.5 * squared,
            Self::SquaredEuclidean => squared,
            Self::Euclidean => squared.sqrt(),
        }
    }

    /// The factor of x − y in ∇_x c(x, y), as a function of s = ‖x − y‖²: 1, 2 or 1/√s; zero where the points of the last one meet, a
    /// subgradient.
    ///
    /// ```
    /// use ot_core::cost::Cost;
    /// assert_eq!(Cost::Euclidean.slope_factor(25.0), 0.2);
    /// ```
    #[inline]
    pub fn slope_factor(self, squared: f64) -> f64 {
        match self {
            Self::HalfSquaredEuclidean => 1.0,
            Self::SquaredEuclidean => 2.0,
            Self::Euclidean if squared > 0.0 => squared.sqrt().recip(),
            Self::Euclidean => 0.0,
        }
    }

    /// The formula in words, for reports.
    pub fn definition(self) -> &'static str {
        match self {
            Self::HalfSquaredEuclidean => "½‖x−y‖²",
            Self::SquaredEuclidean => "‖x−y‖²",
            Self::Euclidean => "‖x−y‖",
        }
    }
}

/// From this dimension on a squared distance is summed in lanes over its coordinates, below it coordinate by coordinate.
pub(crate) const WIDE: usize = 32;

/// ‖x − y‖² by differences: far from the origin the expanded form ‖x‖² + ‖y‖² − 2x·y would lose the digits of close points.
#[inline]
pub(crate) fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    if x.len() < WIDE {
        return x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum();
    }
    const LANES: usize = 8;
    let ((x, rest_x), (y, rest_y)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (x, y) in x.iter().zip(y) {
        for ((sum, a), b) in sums.iter_mut().zip(x).zip(y) {
            *sum += (a - b) * (a - b);
        }
    }
    let rest: f64 = rest_x.iter().zip(rest_y).map(|(a, b)| (a - b) * (a - b)).sum();
    sums.iter().sum::<f64>() + rest
}
