//! Why there is no entropic transport.

use crate::measure::MeasureError;

/// Why an entropic problem is not defined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EntropicError {
    /// Points or weights are not a measure, or the two have different dimensions.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The blur or regularisation is not a positive finite number.
    #[error("{name} = {value} must be positive and finite")]
    NotPositive {
        /// `epsilon`, `blur`, `reach` or `tolerance`.
        name: &'static str,
        /// The offending value.
        value: f64,
    },
    /// The scaling of a fixed schedule is not in (0, 1).
    #[error("scaling = {0} must lie strictly between 0 and 1")]
    Scaling(f64),
    /// A cost is NaN or infinite.
    #[error(
        "a cost of source {source_index} is not finite or above 1e300: rescale the points or repair the cost"
    )]
    CostNotFinite {
        /// The source whose row holds it.
        source_index: usize,
    },
    /// The exponents c/ε lose their digits.
    #[error(
        "epsilon = {epsilon:e} is below {smallest:e}, where c/ε loses its digits for costs up to {largest_cost:e}: \
         raise it, or use exact transport"
    )]
    TooSmall {
        /// The regularisation asked for.
        epsilon: f64,
        /// The smallest one allowed.
        smallest: f64,
        /// A bound on the costs.
        largest_cost: f64,
    },
}
