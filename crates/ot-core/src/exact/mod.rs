//! Exact optimal transport with a proof of optimality.
//!
//! | problem | method |
//! | --- | --- |
//! | points on a line | sorting ([`one_dimensional`]) |
//! | everything else | network simplex on candidate arcs, priced against all pairs until none is violated |
//!
//! Every plan passes [`certify`] before it is returned: a solve that is not proved optimal is an error.

mod candidates;
mod certify;
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
