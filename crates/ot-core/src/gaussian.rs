//! Optimal transport between Gaussians in closed form (Bures–Wasserstein).

use faer::{Mat, Side};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// A Gaussian law N(mean, covariance).
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    mean: Array1<f64>,
    covariance: Array2<f64>,
}

/// The optimal map x ↦ target_mean + matrix·(x − source_mean).
#[derive(Debug, Clone, PartialEq)]
pub struct AffineMap {
    /// The symmetric positive semi-definite linear part, [d, d].
    pub matrix: Array2<f64>,
    /// Mean of the source, \[d\].
    pub source_mean: Array1<f64>,
    /// Mean of the target, \[d\].
    pub target_mean: Array1<f64>,
}

/// Why a Gaussian or a map between two is not defined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GaussianError {
    /// Shapes do not fit.
    #[error(
        "a mean of {mean} coordinates with a {rows}×{columns} covariance: pass d and d×d with d at least 1"
    )]
    Shape {
        /// Length of the mean.
        mean: usize,
        /// Rows of the covariance.
        rows: usize,
        /// Columns of the covariance.
        columns: usize,
    },
    /// The two Gaussians live in different dimensions.
    #[error("Gaussians of dimension {source_dim} and {target_dim}: they must live in the same space")]
    Dimension {
        /// Dimension of the first.
        source_dim: usize,
        /// Dimension of the second.
        target_dim: usize,
    },
    /// An entry is NaN or infinite.
    #[error("the mean or covariance has an entry that is not finite: check the samples")]
    NotFinite,
    /// The covariance is not symmetric.
    #[error("covariance entries ({row}, {column}) and ({column}, {row}) differ: symmetrise it")]
    NotSymmetric {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        column: usize,
    },
    /// The covariance has a negative eigenvalue beyond rounding.
    #[error("the covariance has the negative eigenvalue {0:e}: it must be positive semi-definite")]
    Indefinite(f64),
    /// The map from a degenerate Gaussian is not unique.
    #[error(
        "the smallest eigenvalue {smallest:e} of the source covariance is zero up to rounding: \
         add a small multiple of the identity"
    )]
    Degenerate {
        /// Smallest eigenvalue.
        smallest: f64,
    },
    /// There are not enough samples for a covariance.
    #[error("{0} samples: a covariance needs at least two")]
    TooFewSamples(usize),
    /// The eigenvalue iteration did not converge.
    #[error("the eigenvalues of the covariance could not be computed: check its scale")]
    Eigenvalues,
}

impl Gaussian {
    /// N(mean, covariance) with a symmetric positive semi-definite covariance.
    ///
    /// # Errors
    /// Shapes that do not fit, entries that are not finite, a covariance that is not symmetric (to 1e−10 of its largest
    /// entry) or has a negative eigenvalue beyond rounding.
    ///
    /// O(d³).
    pub fn new(mean: Array1<f64>, covariance: Array2<f64>) -> Result<Self, GaussianError> {
        let (rows, columns) = covariance.dim();
        if mean.is_empty() || rows != mean.len() || columns != mean.len() {
            return Err(GaussianError::Shape { mean: mean.len(), rows, columns });
        }
        if !mean.iter().chain(&covariance).all(|value| value.is_finite()) {
            return Err(GaussianError::NotFinite);
        }
        let largest = covariance.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
        let antisymmetric = &covariance - &covariance.t();
        if let Some(((row, column), _)) =
            antisymmetric.indexed_iter().find(|(_, difference)| difference.abs() > 1e-10 * largest)
        {
            return Err(GaussianError::NotSymmetric { row, column });
        }
        let gaussian = Self { mean, covariance };
        Spectrum::of(&gaussian.covariance)?;
        Ok(gaussian)
    }

    /// The Gaussian with the mean and the unbiased covariance of the rows of `samples`, [n, d].
    ///
    /// # Errors
    /// Fewer than two samples, or values that are not finite. O(n·d² + d³).
    pub fn from_samples(samples: ArrayView2<f64>) -> Result<Self, GaussianError> {
        let Some(mean) = samples.mean_axis(Axis(0)).filter(|_| samples.nrows() > 1) else {
            return Err(GaussianError::TooFewSamples(samples.nrows()));
        };
        let centred = &samples - &mean;
        let covariance = centred.t().dot(&centred) / (samples.nrows() - 1) as f64;
        Self::new(mean, covariance)
    }

    /// The mean, \[d\].
    pub fn mean(&self) -> ArrayView1<'_, f64> {
        self.mean.view()
    }

    /// The covariance, [d, d].
    pub fn covariance(&self) -> ArrayView2<'_, f64> {
        self.covariance.view()
    }

    /// W2²(N(m, A), N(m', B)) = |m − m'|² + tr A + tr B − 2 tr (A^{½} B A^{½})^{½}, in squared units of x.
    ///
    /// Gelbrich, Math. Nachr. 147 (1990), proposition 3.1; between the moments of two laws it is a lower bound of their
    /// W2².
    ///
    /// # Errors
    /// Different dimensions. O(d³).
    ///
    /// ```
    /// use ndarray::array;
    /// use ot_core::gaussian::Gaussian;
    /// let narrow = Gaussian::new(array![0.0], array![[1.0]])?;
    /// let wide = Gaussian::new(array![3.0], array![[4.0]])?;
    /// assert!((narrow.w2_squared(&wide)? - 10.0).abs() < 1e-12);
    /// # Ok::<(), ot_core::gaussian::GaussianError>(())
    /// ```
    pub fn w2_squared(&self, other: &Self) -> Result<f64, GaussianError> {
        self.check_dimension(other)?;
        let inner = Spectrum::of(&self.covariance)?.product(other)?;
        let shift = &self.mean - &other.mean;
        let traces = self.covariance.diag().sum() + other.covariance.diag().sum();
        let cross: f64 = inner.values.iter().map(|value| value.sqrt()).sum();
        // Rounding may take the Bures part of equal covariances below zero.
        Ok(shift.dot(&shift) + (traces - 2.0 * cross).max(0.0))
    }

    /// The optimal map T(x) = m' + A^{−½}(A^{½} B A^{½})^{½} A^{−½}·(x − m) from N(m, A) to N(m', B).
    ///
    /// Peyré & Cuturi, arXiv 1803.00567, remark 2.31.
    ///
    /// # Errors
    /// Different dimensions, or a source covariance that is singular up to rounding. O(d³).
    pub fn transport_map(&self, other: &Self) -> Result<AffineMap, GaussianError> {
        self.check_dimension(other)?;
        let spectrum = Spectrum::of(&self.covariance)?;
        let smallest = spectrum.values.iter().copied().fold(f64::INFINITY, f64::min);
        if smallest <= spectrum.rounding() {
            return Err(GaussianError::Degenerate { smallest });
        }
        let inverse_root = spectrum.map(|value| 1.0 / value.sqrt());
        let inner = spectrum.product(other)?.map(f64::sqrt);
        Ok(AffineMap {
            matrix: symmetric(inverse_root.dot(&inner).dot(&inverse_root)),
            source_mean: self.mean.clone(),
            target_mean: other.mean.clone(),
        })
    }

    fn check_dimension(&self, other: &Self) -> Result<(), GaussianError> {
        let (source_dim, target_dim) = (self.mean.len(), other.mean.len());
        if source_dim == target_dim {
            Ok(())
        } else {
            Err(GaussianError::Dimension { source_dim, target_dim })
        }
    }
}

impl AffineMap {
    /// The images of the rows of `points`, [n, d].
    ///
    /// # Errors
    /// Points of another dimension. O(n·d²).
    pub fn apply(&self, points: ArrayView2<f64>) -> Result<Array2<f64>, GaussianError> {
        if points.ncols() != self.source_mean.len() {
            return Err(GaussianError::Dimension {
                source_dim: self.source_mean.len(),
                target_dim: points.ncols(),
            });
        }
        Ok((&points - &self.source_mean).dot(&self.matrix) + &self.target_mean)
    }
}

/// The eigenvalues, none negative, and eigenvectors of a symmetric positive semi-definite matrix.
struct Spectrum {
    values: Vec<f64>,
    vectors: Array2<f64>,
}

impl Spectrum {
    fn of(matrix: &Array2<f64>) -> Result<Self, GaussianError> {
        Self::of_product(matrix, 0.0)
    }

    /// The spectrum of A^{½} B A^{½}, where this is that of A, and B the covariance of `other`.
    fn product(&self, other: &Gaussian) -> Result<Self, GaussianError> {
        let root = self.map(f64::sqrt);
        // Where A and B act on different directions the product is nothing but rounding, of the size of its factors: the
        // trace of B is at least its largest eigenvalue.
        let scale = self.largest() * other.covariance.diag().sum();
        Self::of_product(&symmetric(root.dot(&other.covariance).dot(&root)), scale)
    }

    /// The spectrum of a matrix that was computed from numbers of size `scale`.
    fn of_product(matrix: &Array2<f64>, scale: f64) -> Result<Self, GaussianError> {
        let dim = matrix.nrows();
        let dense =
            Mat::from_fn(dim, dim, |row, column| matrix.get((row, column)).copied().unwrap_or_default());
        let eigen = dense.self_adjoint_eigen(Side::Lower).map_err(|_| GaussianError::Eigenvalues)?;
        let vectors = Array2::from_shape_fn((dim, dim), |(row, column)| eigen.U()[(row, column)]);
        let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let mut spectrum = Self { values, vectors };
        let rounding = spectrum.rounding().max(spectrum.units_in_the_last_place() * scale);
        if let Some(&negative) = spectrum.values.iter().find(|&&value| value < -rounding) {
            return Err(GaussianError::Indefinite(negative));
        }
        spectrum.values.iter_mut().for_each(|value| *value = value.max(0.0));
        Ok(spectrum)
    }

    /// The rounding of an eigenvalue: d units in the last place of the largest, with a margin.
    fn rounding(&self) -> f64 {
        self.units_in_the_last_place() * self.largest()
    }

    fn units_in_the_last_place(&self) -> f64 {
        16.0 * self.values.len() as f64 * f64::EPSILON
    }

    fn largest(&self) -> f64 {
        self.values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()))
    }

    /// V·diag(function(values))·Vᵀ.
    fn map(&self, function: impl Fn(f64) -> f64) -> Array2<f64> {
        let scaled =
            &self.vectors * &self.values.iter().map(|&value| function(value)).collect::<Array1<f64>>();
        scaled.dot(&self.vectors.t())
    }
}

/// The symmetric part, which removes the rounding of a product that is symmetric in exact arithmetic.
fn symmetric(matrix: Array2<f64>) -> Array2<f64> {
    (&matrix + &matrix.t()) * 0.5
}
