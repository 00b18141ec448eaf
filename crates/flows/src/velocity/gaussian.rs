//! The velocity of the optimal flow between two Gaussians.

use crate::FlowError;
use crate::affine::Affine;
use crate::error::array2;
use crate::real::Real;
use ndarray::{Array1, Array2, ArrayView2};

/// v*(x, t) = (m₁ − m₀ + (A − I)·((1 − s)·I + s·A)⁻¹·(x − m_s))/T with s = t/T and m_s = (1 − s)·m₀ + s·m₁: the optimal
/// flow from N(m₀, Σ₀) to N(m₁, Σ₁), whose paths are straight, with A of [`Affine`].
///
/// Across the plane in which the ends lie A is 0, and v* = −(x − m_s)/(T − t) leads straight onto it.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianVelocity {
    source_mean: Array1<f64>,
    target_mean: Array1<f64>,
    /// Eigenvectors of A, [k, d].
    directions: Array2<f64>,
    /// Its eigenvalues, all above 0, \[k\].
    stretches: Array1<f64>,
    horizon: f64,
}

impl GaussianVelocity {
    /// The velocity whose flow over \[0, `horizon`\] is the map of `affine`; none of the identity, which moves nothing.
    pub fn new(affine: &Affine, horizon: f64) -> Option<Self> {
        let (source_mean, target_mean, root) = affine.parts()?;
        let stretches: Array1<f64> = root.rows().into_iter().map(|row| row.dot(&row)).collect();
        let lengths = stretches.mapv(f64::sqrt);
        let directions = (&root.t() / &lengths).reversed_axes();
        let (source_mean, target_mean) = (source_mean.clone(), target_mean.clone());
        Some(Self { source_mean, target_mean, directions, stretches, horizon })
    }

    /// The dimension d of space.
    pub fn dim(&self) -> usize {
        self.directions.ncols()
    }

    /// The horizon T.
    pub fn horizon(&self) -> f64 {
        self.horizon
    }

    /// The dimension k of the plane in which the ends lie.
    pub fn rank(&self) -> usize {
        self.directions.nrows()
    }

    /// s of each row and x − m_s, [n, d], of rows x at their times t.
    pub(super) fn deviations<T: Real>(
        &self,
        x: &[T],
        times: impl Iterator<Item = T>,
    ) -> Result<(Vec<f64>, Array2<f64>), FlowError> {
        let mut rows = array2("the batch of positions", x.iter().map(|x| x.wide()).collect(), self.dim())?;
        let shares: Vec<f64> = times.take(rows.nrows()).map(|t| t.wide() / self.horizon).collect();
        for (mut row, &share) in rows.rows_mut().into_iter().zip(&shares) {
            row.scaled_add(share - 1.0, &self.source_mean);
            row.scaled_add(-share, &self.target_mean);
        }
        Ok((shares, rows))
    }

    /// Coordinates along the plane: [n, d] to [n, k].
    pub(super) fn along(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        rows.dot(&self.directions.t())
    }

    /// The vectors of the plane with given coordinates: [n, k] to [n, d].
    pub(super) fn across(&self, along: ArrayView2<'_, f64>) -> Array2<f64> {
        along.dot(&self.directions)
    }

    /// ∂v*/∂x, which is symmetric, times each of the `rows`, [n, d], whose coordinates along the plane are `along`.
    pub(super) fn derivative(
        &self,
        (rows, along): (ArrayView2<'_, f64>, ArrayView2<'_, f64>),
        shares: &[f64],
    ) -> Array2<f64> {
        let mut within = along.to_owned();
        for (mut row, &share) in within.rows_mut().into_iter().zip(shares) {
            let rates = self.stretches.mapv(|a| (a - 1.0) / (1.0 - share + share * a) + onto(share));
            row *= &rates;
        }
        let mut product = self.across(within.view());
        for ((mut out, row), &share) in product.rows_mut().into_iter().zip(rows.rows()).zip(shares) {
            out.scaled_add(-onto(share), &row);
        }
        product / self.horizon
    }

    /// (m₁ − m₀)/T.
    pub(super) fn drift(&self) -> Array1<f64> {
        (&self.target_mean - &self.source_mean) / self.horizon
    }
}

/// 1/(1 − s); at s = 1 nothing is left to do, and it is 0.
fn onto(share: f64) -> f64 {
    if share < 1.0 { 1.0 / (1.0 - share) } else { 0.0 }
}
