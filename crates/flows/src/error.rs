//! What can go wrong in this crate.

/// An error of the networks, the integrators or the game, with the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// A network cannot be built from its description.
    #[error("{what} is {found}: {remedy}")]
    Specification {
        /// The field that is wrong.
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
    /// An error that libtorch reported.
    #[cfg(feature = "torch")]
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
}

/// Checks a length and names the array when it is wrong.
pub(crate) fn expect_length(what: &'static str, found: usize, expected: usize) -> Result<(), FlowError> {
    if found == expected { Ok(()) } else { Err(FlowError::Shape { what, found, expected }) }
}
