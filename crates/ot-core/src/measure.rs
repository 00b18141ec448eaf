//! Finite measures: points with weights.

use crate::compensated::Compensated;
use ndarray::{ArrayBase, ArrayView2, Ix2, ViewRepr};

/// A finite measure Σ w_i δ_{x_i}: borrowed points [n, d] and, if they are not all equal, weights \[n\].
///
/// It is checked once, when it is made. Solvers of balanced problems divide the weights by their sum; those that may
/// make and destroy mass take them as they are.
///
/// ```
/// use ndarray::array;
/// use ot_core::Measure;
/// let points = array![[0.0, 0.0], [1.0, 0.0]];
/// let measure = Measure::new(points.view(), Some(&[1.0, 3.0]))?;
/// assert_eq!((measure.dim(), measure.mass()), (2, 4.0));
/// assert!(Measure::new(points.view(), Some(&[1.0])).is_err());
/// # Ok::<(), ot_core::MeasureError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Measure<'a> {
    /// An `ArrayView2`, spelt so that a measure that lives long may stand for one that lives shorter: the alias hides
    /// the element type behind a projection, through which the compiler does not see.
    points: ArrayBase<ViewRepr<&'a f64>, Ix2, f64>,
    weights: Option<&'a [f64]>,
}

/// Why points and weights are not a measure, or two of them have no cost between them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// There is no point.
    #[error("there are no {cloud} points: pass at least one")]
    Empty {
        /// Which points.
        cloud: &'static str,
    },
    /// The points have no coordinates.
    #[error("the {cloud} points have no columns: select at least one coordinate")]
    NoColumns {
        /// Which points.
        cloud: &'static str,
    },
    /// A coordinate is NaN or infinite.
    #[error("row {row}, column {column} of the {cloud} points is {value}: remove or repair that row")]
    NotFinite {
        /// Which points.
        cloud: &'static str,
        /// Row of the points.
        row: usize,
        /// Column of the points.
        column: usize,
        /// The offending value.
        value: f64,
    },
    /// The number of weights is not the number of points.
    #[error("{weights} weights for {points} {cloud} points: pass one weight per point")]
    WeightCount {
        /// Which points.
        cloud: &'static str,
        /// Number of weights.
        weights: usize,
        /// Number of points.
        points: usize,
    },
    /// A weight is negative, NaN or infinite.
    #[error("weight {index} of the {cloud} points is {value}: weights must be finite and not negative")]
    Weight {
        /// Which points.
        cloud: &'static str,
        /// Position of the weight.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// The weights sum to zero or overflow.
    #[error("the {cloud} weights sum to {sum}: at least one must be positive and the sum finite")]
    WeightSum {
        /// Which points.
        cloud: &'static str,
        /// The sum.
        sum: f64,
    },
    /// The two sides live in different dimensions.
    #[error(
        "the source points have {source_dim} columns, the target points {target_dim}: \
         select the same coordinates of both"
    )]
    Dimension {
        /// Columns of the source points.
        source_dim: usize,
        /// Columns of the target points.
        target_dim: usize,
    },
}

impl<'a> Measure<'a> {
    /// Points, [n, d], with weights, \[n\]; `None` means 1/n each.
    ///
    /// # Errors
    /// No points, no columns, a coordinate that is not finite; weights of another number, negative, not finite, or all
    /// zero.
    ///
    /// O(n·d).
    pub fn new(points: ArrayView2<'a, f64>, weights: Option<&'a [f64]>) -> Result<Self, MeasureError> {
        Self::named("given", points, weights)
    }

    /// Points that share the mass equally.
    ///
    /// # Errors
    /// Those of [`Measure::new`].
    pub fn uniform(points: ArrayView2<'a, f64>) -> Result<Self, MeasureError> {
        Self::new(points, None)
    }

    /// [`Measure::new`] with a word for the points in its errors, such as `source`.
    ///
    /// # Errors
    /// Those of [`Measure::new`].
    ///
    /// ```
    /// use ot_core::Measure;
    /// let empty = ndarray::Array2::zeros((0, 2));
    /// let error = Measure::named("source", empty.view(), None).unwrap_err();
    /// assert_eq!(error.to_string(), "there are no source points: pass at least one");
    /// ```
    pub fn named(
        cloud: &'static str,
        points: ArrayView2<'a, f64>,
        weights: Option<&'a [f64]>,
    ) -> Result<Self, MeasureError> {
        if points.nrows() == 0 {
            return Err(MeasureError::Empty { cloud });
        }
        if points.ncols() == 0 {
            return Err(MeasureError::NoColumns { cloud });
        }
        // Without a branch for each of them the check takes as long as reading the points.
        let are_finite =
            points.rows().into_iter().all(|row| row.fold(true, |all, value| all & value.is_finite()));
        let not_finite = || points.indexed_iter().find(|(_, value)| !value.is_finite());
        if let Some(((row, column), &value)) = if are_finite { None } else { not_finite() } {
            return Err(MeasureError::NotFinite { cloud, row, column, value });
        }
        check_weights(cloud, weights, points.nrows())?;
        Ok(Self { points, weights })
    }

    /// The points, [n, d].
    pub fn points(&self) -> ArrayView2<'a, f64> {
        self.points
    }

    /// The weights as they were given, \[n\].
    pub fn weights(&self) -> Option<&'a [f64]> {
        self.weights
    }

    /// The number n of points.
    pub fn count(&self) -> usize {
        self.points.nrows()
    }

    /// The dimension d.
    pub fn dim(&self) -> usize {
        self.points.ncols()
    }

    /// The sum of the weights; 1 without.
    pub fn mass(&self) -> f64 {
        self.weights.map_or(1.0, |weights| weights.iter().sum())
    }

    /// The weights divided by their sum.
    pub(crate) fn probabilities(&self) -> Weights {
        Weights::new(self.weights, self.count())
    }
}

/// Checks that a cost between the two measures can have a meaning.
pub(crate) fn check_dimensions(source: &Measure<'_>, target: &Measure<'_>) -> Result<(), MeasureError> {
    let (source_dim, target_dim) = (source.dim(), target.dim());
    if source_dim == target_dim { Ok(()) } else { Err(MeasureError::Dimension { source_dim, target_dim }) }
}

/// Checks the weights of so many points.
pub(crate) fn check_weights(
    cloud: &'static str,
    weights: Option<&[f64]>,
    points: usize,
) -> Result<(), MeasureError> {
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != points {
        return Err(MeasureError::WeightCount { cloud, weights: weights.len(), points });
    }
    for (index, &value) in weights.iter().enumerate() {
        if !(value.is_finite() && value >= 0.0) {
            return Err(MeasureError::Weight { cloud, index, value });
        }
    }
    let sum: f64 = weights.iter().sum();
    if sum.is_finite() && sum > 0.0 { Ok(()) } else { Err(MeasureError::WeightSum { cloud, sum }) }
}

/// The weights of a finite probability measure, with the points that carry mass.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    /// The weights divided by their sum.
    pub all: Vec<f64>,
    /// The indices of the positive weights.
    pub support: Vec<usize>,
}

impl Weights {
    /// Checked weights divided by their sum, or 1/n each if none are given.
    pub(crate) fn new(weights: Option<&[f64]>, points: usize) -> Self {
        let Some(weights) = weights else {
            return Self { all: vec![1.0 / points as f64; points], support: (0..points).collect() };
        };
        // A plain sum of so many terms is off by n·ε/4 at most, within the 64·√n·ε that certificates allow.
        let is_short = weights.len() <= 1 << 16;
        let sum =
            if is_short { weights.iter().sum() } else { weights.iter().collect::<Compensated>().value() };
        let all: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
        let support =
            all.iter().enumerate().filter(|&(_, &weight)| weight > 0.0).map(|(index, _)| index).collect();
        Self { all, support }
    }

    /// The positive weights.
    pub(crate) fn positive(&self) -> Vec<f64> {
        self.positive_of(&self.all)
    }

    /// The values at the points that carry mass.
    pub(crate) fn positive_of(&self, values: &[f64]) -> Vec<f64> {
        self.support.iter().filter_map(|&index| values.get(index).copied()).collect()
    }
}

/// Σ weights·values over the positive weights: the integral of a potential that may be infinite where there is no mass.
pub(crate) fn pairing(weights: &[f64], values: &[f64]) -> f64 {
    weights
        .iter()
        .zip(values)
        .filter(|&(&weight, _)| weight > 0.0)
        .map(|(weight, value)| weight * value)
        .sum()
}
