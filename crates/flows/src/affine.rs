//! The coordinates between which a flow is learnt.

use crate::FlowError;
use crate::error::{array2, expect_rows, require};
use crate::real::Real;
use faer::{Mat, Side};
use ndarray::{Array1, Array2, ArrayView2};
use ot_core::gaussian::{Gaussian, GaussianError};
use serde::{Deserialize, Serialize};

/// The map that the network of a flow departs from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// The optimal map between the Gaussians of the initial points and of the data. The bound L is not imposed: a
    /// quadratic potential has any slope.
    Gaussian,
    /// Points that do not move, and the bound L of the critic.
    Identity,
}

impl Base {
    /// Checks how many directions of the map are to be kept.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for none, and for the identity, which has no widest ones.
    pub(crate) fn check_rank(self, rank: Option<usize>) -> Result<(), FlowError> {
        require(rank != Some(0), "representation.rank", 0, "give at least 1, or leave it out to keep all")?;
        require(
            rank.is_none() || self == Self::Gaussian,
            "representation.rank",
            rank.unwrap_or_default(),
            "leave it out with base = \"identity\", which has no widest directions",
        )
    }
}

/// A direction in which the Gaussian map shrinks more than this, against its widest one, is taken as one in which the
/// data do not extend: single precision does not tell it from that.
const FLAT: f64 = 1e-6;

/// Linear coordinates of both sides: x′ = B(x − m₀) of beginnings, and y′ with y = m₁ + Bᵀy′ of ends.
///
/// With A = BᵀB the affine map x ↦ m₁ + A(x − m₀) is the identity x′ ↦ x′ in them, and
///
/// ½‖x − y‖² = ½‖x′ − y′‖² + s(x) + e(y), s(x) = ½‖x‖² − ½‖x′‖² − ⟨m₁, x⟩, e(y) = ½‖y‖² − ½‖y′‖² + ⟨m₀, m₁ − y⟩:
///
/// transport between x and y is transport between x′ and y′. Where A is the optimal map between two Gaussians
/// ([`Affine::gaussian`]), x′ and y′ have equal means and covariances, and what is left to learn is what is not
/// Gaussian. If the ends lie in a plane of fewer dimensions, x′ and y′ have as many coordinates as that plane: the
/// others are moved onto it exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    dim: usize,
    /// None is the identity.
    map: Option<Map>,
}

#[derive(Debug, Clone, PartialEq)]
struct Map {
    /// m₀.
    source_mean: Array1<f64>,
    /// m₁.
    target_mean: Array1<f64>,
    /// B, [k, d], with orthogonal rows.
    root: Array2<f64>,
}

impl Affine {
    /// x′ = x and y′ = y on R^`dim`.
    pub fn identity(dim: usize) -> Self {
        Self { dim, map: None }
    }

    /// The coordinates in which the optimal map between two Gaussians, x ↦ m₁ + A(x − m₀), is the identity.
    ///
    /// Complexity: O(d³).
    ///
    /// # Errors
    /// [`FlowError::Gaussian`] for different dimensions, a source that is degenerate, or a target that is one point.
    pub fn gaussian(source: &Gaussian, target: &Gaussian) -> Result<Self, FlowError> {
        let map = source.transport_map(target).map_err(|error| match error {
            GaussianError::Degenerate { .. } => FlowError::specification(
                "the spread of the initial points",
                "0 in a direction",
                "take representation.base = \"identity\": a Gaussian map takes initial points that fill all directions",
            ),
            other => other.into(),
        })?;
        let dim = source.mean().len();
        let dense =
            Mat::from_fn(dim, dim, |row, column| map.matrix.get((row, column)).copied().unwrap_or_default());
        let unusable = || {
            FlowError::specification(
                "the Gaussian map from the initial points to the data",
                "0 or not finite",
                "take base = \"identity\" for data that are one point",
            )
        };
        let eigen = dense.self_adjoint_eigen(Side::Lower).map_err(|_| unusable())?;
        let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let widest = values.iter().copied().fold(0.0, f64::max);
        // Widest first.
        let kept: Vec<(usize, f64)> =
            values.into_iter().enumerate().filter(|(_, value)| *value > FLAT * widest).rev().collect();
        if kept.is_empty() {
            return Err(unusable());
        }
        let rows = kept.iter().flat_map(|&(column, value)| {
            let root = value.sqrt();
            (0..dim).map(move |row| (row, column, root))
        });
        let root = rows.map(|(row, column, root)| root * eigen.U()[(row, column)]).collect();
        let root = array2("the roots of the Gaussian map", root, dim)?;
        Ok(Self { dim, map: Some(Map { source_mean: map.source_mean, target_mean: map.target_mean, root }) })
    }

    /// The same map in its `rank` widest directions alone: ends then lie in a plane of at most so many dimensions.
    #[must_use]
    pub fn truncated(mut self, rank: usize) -> Self {
        if let Some(map) = &mut self.map {
            let kept = rank.min(map.root.nrows());
            map.root.slice_collapse(ndarray::s![..kept, ..]);
        }
        self
    }

    /// The same map of points that carry `condition` further coordinates, which stay as they are.
    #[must_use]
    pub fn beside(mut self, condition: usize) -> Self {
        self.dim += condition;
        if let Some(map) = &mut self.map {
            let (rank, dim) = map.root.dim();
            let longer = |mean: &Array1<f64>| mean.iter().copied().chain(vec![0.0; condition]).collect();
            (map.source_mean, map.target_mean) = (longer(&map.source_mean), longer(&map.target_mean));
            map.root = Array2::from_shape_fn((rank + condition, dim + condition), |(row, column)| {
                let further = f64::from(u8::from(row >= rank && row - rank + dim == column));
                map.root.get((row, column)).copied().unwrap_or(further)
            });
        }
        self
    }

    /// Coordinates that were stored by [`Affine::numbers`].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the numbers are not of R^`dim`.
    pub fn of_numbers(dim: usize, numbers: &[f64]) -> Result<Self, FlowError> {
        let mut rows = array2("the affine coordinates", numbers.to_vec(), dim)?;
        if rows.nrows() == 0 {
            return Ok(Self::identity(dim));
        }
        if rows.nrows() < 3 {
            let (what, found) = ("the affine coordinates", numbers.len());
            return Err(FlowError::Shape { what, found, expected: 3 * dim });
        }
        let (source_mean, target_mean) = (rows.row(0).to_owned(), rows.row(1).to_owned());
        rows.slice_collapse(ndarray::s![2.., ..]);
        Ok(Self {
            dim,
            map: Some(Map { source_mean, target_mean, root: rows.as_standard_layout().into_owned() }),
        })
    }

    /// m₀, m₁ and B, row after row; nothing for the identity.
    pub fn numbers(&self) -> Vec<f64> {
        let Some(Map { source_mean, target_mean, root }) = &self.map else { return Vec::new() };
        source_mean.iter().chain(target_mean).chain(root).copied().collect()
    }

    /// m₀, m₁ and B; none of the identity.
    pub(crate) fn parts(&self) -> Option<(&Array1<f64>, &Array1<f64>, &Array2<f64>)> {
        self.map.as_ref().map(|map| (&map.source_mean, &map.target_mean, &map.root))
    }

    /// Whether x′ = x and y′ = y.
    pub fn is_identity(&self) -> bool {
        self.map.is_none()
    }

    /// The dimension d of x and y.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number k ≤ d of coordinates of x′ and y′.
    pub fn rank(&self) -> usize {
        self.map.as_ref().map_or(self.dim, |map| map.root.nrows())
    }

    /// x′ = B(x − m₀) of the rows of `x`: [n, d] to [n, k].
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn beginnings<T: Real>(&self, x: &[T]) -> Result<Vec<T>, FlowError> {
        expect_rows("the initial points", x.len(), self.dim)?;
        let Some(map) = &self.map else { return Ok(x.to_vec()) };
        product(x, self.dim, Some(&map.source_mean), map.root.t(), None)
    }

    /// y′ of the rows of `y`, by y − m₁ = Bᵀy′ up to what lies outside the plane of the ends: [n, d] to [n, k].
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn ends<T: Real>(&self, y: &[T]) -> Result<Vec<T>, FlowError> {
        expect_rows("the data", y.len(), self.dim)?;
        let Some(map) = &self.map else { return Ok(y.to_vec()) };
        // The rows of B are orthogonal.
        let squares = map.root.rows().into_iter().map(|row| row.dot(&row)).collect::<Array1<f64>>();
        let inverse = &map.root.t() / &squares;
        product(y, self.dim, Some(&map.target_mean), inverse.view(), None)
    }

    /// m₁ + Bᵀz of the rows of `z`: [n, k] to [n, d].
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn points<T: Real>(&self, z: &[T]) -> Result<Vec<T>, FlowError> {
        expect_rows("the coordinates of the ends", z.len(), self.rank())?;
        let Some(map) = &self.map else { return Ok(z.to_vec()) };
        product(z, self.rank(), None, map.root.view(), Some(&map.target_mean))
    }

    /// The nearest points to the rows of `y`, [n, d], in the plane of the ends; the rows themselves where that is the space.
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn feet<T: Real>(&self, y: Vec<T>) -> Result<Vec<T>, FlowError> {
        if self.rank() == self.dim { Ok(y) } else { self.points(&self.ends(&y)?) }
    }

    /// m₀ + Bᵀ(BBᵀ)⁻¹z: the nearest point to m₀ whose x′ is z, for the rows of `z`, [n, k] to [n, d].
    ///
    /// # Errors
    /// [`FlowError::Shape`] for points of another dimension.
    pub fn origins<T: Real>(&self, z: &[T]) -> Result<Vec<T>, FlowError> {
        expect_rows("the coordinates of the beginnings", z.len(), self.rank())?;
        let Some(map) = &self.map else { return Ok(z.to_vec()) };
        let squares = map.root.rows().into_iter().map(|row| row.dot(&row)).collect::<Array1<f64>>();
        let inverse = (&map.root.t() / &squares).reversed_axes();
        product(z, self.rank(), None, inverse.view(), Some(&map.source_mean))
    }

    /// s(x) for rows x, [n, d], with their x′, [n, k].
    pub fn beginning_terms<T: Real>(&self, x: &[T], inner: &[T]) -> Vec<f64> {
        let Some(map) = &self.map else { return vec![0.0; x.len() / self.dim.max(1)] };
        let term = |(x, inner): (&[T], &[T])| {
            let along: f64 = x.iter().zip(&map.target_mean).map(|(x, m)| x.wide() * m).sum();
            0.5 * (squared(x) - squared(inner)) - along
        };
        x.chunks_exact(self.dim).zip(inner.chunks_exact(self.rank())).map(term).collect()
    }

    /// e(y) for rows y, [n, d], with their y′, [n, k].
    pub fn end_terms<T: Real>(&self, y: &[T], inner: &[T]) -> Vec<f64> {
        let Some(map) = &self.map else { return vec![0.0; y.len() / self.dim.max(1)] };
        let term = |(y, inner): (&[T], &[T])| {
            let means = map.source_mean.iter().zip(&map.target_mean);
            let along: f64 = y.iter().zip(means).map(|(y, (a, b))| a * (b - y.wide())).sum();
            0.5 * (squared(y) - squared(inner)) + along
        };
        y.chunks_exact(self.dim).zip(inner.chunks_exact(self.rank())).map(term).collect()
    }

    /// log det A; none where the ends lie in a plane of fewer dimensions.
    pub fn log_determinant(&self) -> Option<f64> {
        let Some(map) = &self.map else { return Some(0.0) };
        let logarithm = |row: ndarray::ArrayView1<'_, f64>| row.dot(&row).ln();
        (self.rank() == self.dim).then(|| map.root.rows().into_iter().map(logarithm).sum())
    }
}

/// ‖a‖².
fn squared<T: Real>(a: &[T]) -> f64 {
    a.iter().map(|a| a.wide() * a.wide()).sum()
}

/// (rows − `subtracted`)·`matrix` + `added`, rounded to T.
fn product<T: Real>(
    rows: &[T],
    width: usize,
    subtracted: Option<&Array1<f64>>,
    matrix: ArrayView2<'_, f64>,
    added: Option<&Array1<f64>>,
) -> Result<Vec<T>, FlowError> {
    let mut wide = array2("the rows of an affine map", rows.iter().map(|x| x.wide()).collect(), width)?;
    if let Some(subtracted) = subtracted {
        wide -= subtracted;
    }
    let mut out = wide.dot(&matrix);
    if let Some(added) = added {
        out += added;
    }
    Ok(out.iter().map(|&x| T::of(x)).collect())
}
