//! Why there is no certified transport plan.

use crate::measure::MeasureError;

/// Why an exact solve gave no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExactError {
    /// Points or weights are not a measure, or the two have different dimensions.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// One of the two sets is empty.
    #[error("a cost between {sources} sources and {targets} targets: both must be at least one")]
    Empty {
        /// Number of sources.
        sources: usize,
        /// Number of targets.
        targets: usize,
    },
    /// A cost is NaN or infinite, or too large for sums of costs.
    #[error(
        "a cost of source {source_index} is not finite or above 1e300: rescale the points or repair the cost"
    )]
    CostNotFinite {
        /// The source whose row holds it.
        source_index: usize,
    },
    /// The limit on pivots was reached before optimality.
    #[error("no optimal plan within {limit} pivots: raise `max_iterations`")]
    IterationLimit {
        /// The limit.
        limit: usize,
    },
    /// A claimed solution failed its certificate.
    #[error(transparent)]
    NotCertified(#[from] CertificateError),
}

/// The optimality condition that a claimed solution violates.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Coupling or potentials do not fit the problem.
    #[error(
        "{what} has {found} entries or an index of that size, expected {expected}: \
         pass the solution of this very problem"
    )]
    Shape {
        /// The part that does not fit.
        what: &'static str,
        /// Its size, or the offending index.
        found: usize,
        /// The size of the problem.
        expected: usize,
    },
    /// The coupling is negative or does not have the given marginals.
    #[error(
        "the coupling misses its marginals by {error:e}, allowed {tolerance:e}: \
         this is a defect of the solver or of the input, do not use it"
    )]
    Marginals {
        /// Largest violation, in mass.
        error: f64,
        /// The tolerance.
        tolerance: f64,
    },
    /// f_i + g_j exceeds c_ij for some pair.
    #[error(
        "the potentials exceed the cost by {violation:e}, allowed {tolerance:e}: \
         the plan is not proved optimal, do not use it"
    )]
    Infeasible {
        /// Largest f_i + g_j − c_ij over all pairs.
        violation: f64,
        /// The tolerance.
        tolerance: f64,
    },
    /// The conditions hold pair by pair, up to the rounding of the largest cost, but do not prove the value.
    #[error(
        "the value is proved to {error:e} only, allowed {tolerance:e}: points of next to no mass lie so far away that \
         the costs of the others are below their rounding; leave them out"
    )]
    Value {
        /// What bounds the value's distance from the optimum.
        error: f64,
        /// The tolerance.
        tolerance: f64,
    },
    /// f_i + g_j is below c_ij on a pair that carries mass.
    #[error(
        "the potentials miss the cost by {slack:e} on the coupling, allowed {tolerance:e}: \
         the plan is not proved optimal, do not use it"
    )]
    Slackness {
        /// Largest |c_ij − f_i − g_j| over the coupling.
        slack: f64,
        /// The tolerance.
        tolerance: f64,
    },
}
