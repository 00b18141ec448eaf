//! What can be wrong with a request for samples.

use thiserror::Error;

/// A request for samples that has no answer.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The ambient dimension is too small.
    #[error("dimension {found} is too small: give a dimension of at least {least}")]
    Dimension {
        /// The dimension asked for.
        found: usize,
        /// The smallest dimension that the law has.
        least: usize,
    },
    /// More points than the memory holds.
    #[error(
        "{points} points of {dim} coordinates do not fit into memory: draw fewer at a time, with other seeds"
    )]
    Memory {
        /// The points asked for.
        points: usize,
        /// Their coordinates.
        dim: usize,
    },
    /// A parameter of a law is outside its domain.
    #[error("{field} = {value} is outside its domain: {remedy}")]
    Parameter {
        /// The parameter.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What to give instead.
        remedy: &'static str,
    },
    /// No target has this name.
    #[error("unknown target `{name}`: choose one of {valid}")]
    UnknownTarget {
        /// The name asked for.
        name: String,
        /// The names there are, separated by commas.
        valid: String,
    },
}
