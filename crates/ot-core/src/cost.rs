//! The ground costs of point-cloud transport, and the pairwise costs that solvers read row by row.

mod blocks;
mod coarsen;
mod pairs;

pub use coarsen::Coarse;
pub use pairs::{CloudCost, CostError, FunctionCost, MatrixCost, PairCost};

pub(crate) use blocks::accumulate_rows;
pub(crate) use coarsen::coarsened;
pub(crate) use pairs::{Swapped, check_clouds, restricted};

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

    /// The formula in words, for reports.
    pub fn definition(self) -> &'static str {
        match self {
            Self::HalfSquaredEuclidean => "½‖x−y‖²",
            Self::SquaredEuclidean => "‖x−y‖²",
            Self::Euclidean => "‖x−y‖",
        }
    }
}

/// ‖x − y‖² by differences, summed in coordinate order: far from the origin the expanded form ‖x‖² + ‖y‖² − 2x·y would
/// lose the digits of close points.
#[inline]
pub(crate) fn squared_distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum()
}
