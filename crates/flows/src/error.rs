//! What can go wrong in this crate.

use ndarray::{Array2, ArrayView2};
use std::borrow::Cow;
use std::fmt::Display;

/// An error of the networks, the integrators or the game, with the place and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// A value outside its domain: a field of a description, or an argument.
    #[error("{what} is {found}: {remedy}")]
    Specification {
        /// The field that is wrong, by its path in the description (`flow.lambda`), or the argument in words.
        what: String,
        /// Its value.
        found: String,
        /// What to write instead.
        remedy: String,
    },
    /// Arrays do not fit together.
    #[error("{what} has {found} values, expected {expected}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// The length it has.
        found: usize,
        /// The length it should have.
        expected: usize,
    },
    /// A device that is not there.
    #[error("device '{device}' is not available: {reason}")]
    Device {
        /// What was asked for.
        device: String,
        /// Why it cannot be had, and what to do.
        reason: String,
    },
    /// A critic value outside the domain of the conjugate, or not finite.
    #[error(transparent)]
    Divergence(#[from] ot_core::divergence::DivergenceError),
    /// Moments that define no map between Gaussians.
    #[error(transparent)]
    Gaussian(#[from] ot_core::gaussian::GaussianError),
    /// Minibatches without a plan between them.
    #[error(transparent)]
    Coupling(#[from] ot_core::exact::ExactError),
    /// An error that libtorch reported.
    #[cfg(feature = "torch")]
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
}

impl FlowError {
    /// A value outside its domain.
    pub(crate) fn specification(
        what: impl Into<String>,
        found: impl Display,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Specification { what: what.into(), found: found.to_string(), remedy: remedy.into() }
    }

    /// A density is asked for where the ends lie in `rank` of `dim` dimensions.
    pub(crate) fn on_a_plane(rank: usize, dim: usize) -> Self {
        Self::specification(
            "the density of the generated points",
            format_args!("concentrated on {rank} of {dim} dimensions"),
            "measure distances instead: a law on a plane has no density",
        )
    }

    /// The same error with the field named inside the table `table`: `lambda` becomes `flow.lambda`.
    #[must_use]
    pub fn within(self, table: &str) -> Self {
        match self {
            Self::Specification { what, found, remedy } => {
                Self::Specification { what: format!("{table}.{what}"), found, remedy }
            }
            other => other,
        }
    }
}

/// Checks a length and names the array when it is wrong.
pub(crate) fn expect_length(what: &'static str, found: usize, expected: usize) -> Result<(), FlowError> {
    if found == expected { Ok(()) } else { Err(FlowError::Shape { what, found, expected }) }
}

/// Checks that `found` numbers are whole rows of `dim` ≥ 1 numbers, and gives the number of rows.
pub(crate) fn expect_rows(what: &'static str, found: usize, dim: usize) -> Result<usize, FlowError> {
    if dim == 0 {
        return Err(FlowError::specification(
            "the dimension of the points",
            0,
            "give points of one coordinate or more",
        ));
    }
    let rows = found / dim;
    expect_length(what, found, rows * dim)?;
    Ok(rows)
}

/// Checks that points have `dim` ≥ 1 coordinates.
pub(crate) fn expect_columns<T>(
    what: &'static str,
    points: ArrayView2<'_, T>,
    dim: usize,
) -> Result<(), FlowError> {
    expect_rows(what, 0, dim)?;
    expect_length(what, points.len(), points.nrows() * dim)
}

/// The rows of an array one after the other, copied only where they do not lie so already.
pub(crate) fn flat<'a, T: Clone>(points: ArrayView2<'a, T>) -> Cow<'a, [T]> {
    match points.to_slice() {
        Some(rows) => Cow::Borrowed(rows),
        None => Cow::Owned(points.iter().cloned().collect()),
    }
}

/// Rows of `dim` numbers as an array, [n, d]; `what` names them in the error.
///
/// # Errors
/// [`FlowError::Shape`] for numbers that are not whole rows.
pub fn array2<T>(what: &'static str, rows: Vec<T>, dim: usize) -> Result<Array2<T>, FlowError> {
    let (found, count) = (rows.len(), expect_rows(what, rows.len(), dim)?);
    Array2::from_shape_vec((count, dim), rows).map_err(|_| FlowError::Shape {
        what,
        found,
        expected: count * dim,
    })
}

/// Checks the domain of a field.
pub(crate) fn require(holds: bool, what: &str, found: impl Display, remedy: &str) -> Result<(), FlowError> {
    if holds { Ok(()) } else { Err(FlowError::specification(what, found, remedy)) }
}

/// Checks that a field is a finite number above 0.
pub(crate) fn positive(what: &str, value: f64) -> Result<(), FlowError> {
    require(value.is_finite() && value > 0.0, what, value, "give a finite number above 0")
}

/// Checks that a field is a finite number, 0 or more.
pub(crate) fn not_negative(what: &str, value: f64) -> Result<(), FlowError> {
    require(value.is_finite() && value >= 0.0, what, value, "give a finite number, 0 or more")
}

/// Checks a list of hidden widths.
pub(crate) fn widths(what: &str, hidden: &[usize]) -> Result<(), FlowError> {
    require(
        !hidden.is_empty() && !hidden.contains(&0),
        what,
        format_args!("{hidden:?}"),
        "give at least one hidden width, each at least 1, such as [48, 48]",
    )
}
