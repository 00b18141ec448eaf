//! Exact optimal transport with a proof of optimality.
//!
//! | problem | method | time, memory | take |
//! | --- | --- | --- | --- |
//! | points on a line | sorting ([`one_dimensional`]) | O(n log n), O(n) | [`solve`] with one column, or [`one_dimensional::transport_cost`] for the value |
//! | points of R^d, any weights, n ≠ m | network simplex on candidate arcs | see below, O((n + m)·d) | [`solve`] |
//! | a matrix, a function of two indices | the same | passes over all n·m costs | [`solve_pairs`] |
//! | an approximation with gradients | Sinkhorn | | [`crate::entropic`] |
//!
//! Every plan passes [`certify`] before it is returned: a solve that is not proved optimal is an error.
//!
//! # Method
//! The points are sorted in space, and coarser problems have a quarter of the points each, the means of cells. The
//! potentials of a coarse optimum, carried to the finer level by the c-transform, say which arcs can be tight; a network simplex with
//! integer masses (so that flows are exact and a strongly feasible basis rules out cycling) solves the problem on these arcs. Then all
//! pairs are priced and violated arcs enter, until there are none: the optimum of the whole problem (column generation; multiscale warm
//! starts after Schmitzer, arXiv 1510.05466).
//!
//! No n×m matrix exists. A pass over all pairs bounds c_ij − f_i − g_j from below in single precision, as a matrix product with a bound on
//! its own rounding, skips blocks of points that are too far apart, and evaluates in double precision what the bounds do not
//! dismiss: its result is that of evaluating every pair. Up to tens of thousands of points of few dimensions the
//! simplex takes longer than the passes. From 64 dimensions on the inner products are made by one matrix product of n·m·d multiplications;
//! where they take at most twice the memory of the points, n·m ≤ 4·(n + m)·d, they are kept for the passes that follow, and points that
//! spread along as many axes are solved without coarser levels, since a further pass then costs less than a level.
//!
//! # Guarantee
//! A [`Transport`] is optimal up to the tolerance in its [`Certificate`], for the costs as rounded to `f64`. Results are the same to
//! the bit for every number of threads; on processors without AVX2 too, since single precision only decides which pairs to evaluate.

mod candidates;
mod certify;
mod duplicates;
mod error;
mod masses;
pub mod one_dimensional;
mod simplex;
mod solve;

pub(crate) use masses::Masses;

pub use certify::{Certificate, certify};
pub use error::{CertificateError, ExactError};
pub use solve::{ExactOptions, solve, solve_pairs, solve_pairs_with};

/// Mass that moves from one source to one target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Index of the source.
    pub source: usize,
    /// Index of the target.
    pub target: usize,
    /// The mass moved; all masses sum to one.
    pub mass: f64,
}

/// A certified optimal transport plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Transport {
    /// The pairs that carry mass, by source and then target: at most n + m − 1 of them.
    pub coupling: Vec<Flow>,
    /// The potential f of the sources, \[n\].
    pub f: Vec<f64>,
    /// The potential g of the targets, \[m\]; f_i + g_j ≤ c_ij with equality on the coupling.
    pub g: Vec<f64>,
    /// Pivots of the simplex, 0 for the closed form.
    pub iterations: usize,
    /// The verified optimality conditions.
    pub certificate: Certificate,
}

impl Transport {
    /// The optimal cost Σ P_ij c_ij.
    pub fn primal(&self) -> f64 {
        self.certificate.primal
    }

    /// The dual value Σ a_i f_i + Σ b_j g_j.
    pub fn dual(&self) -> f64 {
        self.certificate.dual
    }

    /// The duality gap `primal` − `dual`, zero up to rounding.
    pub fn gap(&self) -> f64 {
        self.certificate.primal - self.certificate.dual
    }
}
