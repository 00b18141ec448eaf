//! Numbers of things on the command line.

use std::num::NonZeroUsize;

/// A whole number of at least 1.
pub(crate) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "give a whole number, at least 1".into())
}
