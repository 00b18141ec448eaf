//! Exact optimal transport with a proof of optimality.
//!
//! | problem | method | time, memory | take |
//! | --- | --- | --- | --- |
//! | points on a line | sorting | O(n log n), O(n) | [`solve`]; [`one_dimensional::transport_cost`] for the value |
//! | points of R^d, any weights, n ≠ m | network simplex on candidate arcs | see below, O((n + m)·d) | [`solve`] |
//! | points and a cost of your own | the same, without bounds | passes over all n·m costs | [`solve`] |
//! | a matrix, a function of two indices | the same | passes over all n·m costs | [`solve_pairs`] |
//! | an approximation with gradients | Sinkhorn | | [`crate::entropic`] |
//!
//! Every plan passes [`certify_pairs`] before it is returned: a solve that is not proved optimal is an error.
//!
//! # Method
//! The points are sorted in space, and coarser problems have a quarter of the points each, the means of cells. The
//! potentials of a coarse optimum, carried to the finer level by the c-transform, say which arcs can be tight; a
//! network simplex with integer masses (so that flows are exact and a strongly feasible basis rules out cycling) solves
//! the problem on these arcs. Then all pairs are priced and violated arcs enter, until there are none: the optimum of
//! the whole problem (column generation; multiscale warm starts after Schmitzer, arXiv 1510.05466).
//!
//! The costs are never stored. A pass over all pairs bounds c_ij − f_i − g_j from below in single precision, as a
//! matrix product with a bound on its own rounding, skips blocks of points that are too far apart, and evaluates in
//! double precision what the bounds do not dismiss: its result is that of evaluating every pair. Up to tens of
//! thousands of points of few dimensions the simplex takes longer than the passes. From 64 dimensions on the inner
//! products are made by one matrix product of n·m·d multiplications; where they take at most twice the memory of the
//! points, n·m ≤ 4·(n + m)·d, or from 256 dimensions on at most 512 MiB, they are kept for the passes that follow (the
//! only matrix of n·m numbers that ever exists), and points that spread along as many axes are solved without coarser levels, since a further pass then
//! costs less than a level.
//!
//! # Guarantee
//! A [`Transport`] or [`Plan`] is optimal up to the tolerance in its [`Certificate`], for the costs as rounded to
//! `f64`. Results are the same to the bit for every number of threads; on processors without AVX2 too, since single
//! precision only decides which pairs to evaluate.

#![allow(clippy::indexing_slicing, reason = "indices are compared with the sizes of the measures")]

mod candidates;
mod certify;
mod duplicates;
mod error;
mod masses;
pub mod one_dimensional;
mod simplex;
mod solve;

pub(crate) use duplicates::Places;
pub(crate) use masses::Masses;

pub use certify::{Certificate, certify, certify_pairs};
pub use error::{CertificateError, ExactError};
pub use solve::{ExactOptions, solve, solve_pairs, solve_pairs_with, solve_with};

use crate::potentials::Potentials;
use ndarray::{Array2, Axis};

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

/// A certified optimal transport plan between two measures.
#[derive(Debug, Clone)]
pub struct Transport<'a> {
    /// The pairs that carry mass, by source and then target: at most n + m − 1 of them.
    pub coupling: Vec<Flow>,
    /// The potentials: f_i + g_j ≤ c_ij with equality on the coupling.
    pub potentials: Potentials<'a>,
    /// Pivots of the simplex, 0 for the closed form.
    pub iterations: usize,
    /// The verified optimality conditions.
    pub certificate: Certificate,
}

impl Transport<'_> {
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
        self.certificate.gap()
    }

    /// The barycentric map of the plan at the sources, T(x_i) = Σ_j P_ij y_j / Σ_j P_ij, [n, d].
    ///
    /// The row of a source without mass is that of the nearest-atom extension, [`Potentials::map`].
    ///
    /// O((n + m)·d), and O(m·d) more for each source without mass.
    ///
    /// ```
    /// use ndarray::array;
    /// use ot_core::{Measure, cost::Euclidean, exact::solve};
    /// let (x, y) = (array![[0.0], [4.0]], array![[1.0], [2.0], [6.0], [9.0]]);
    /// let plan = solve(&Measure::uniform(x.view())?, &Measure::uniform(y.view())?, &Euclidean::Squared)?;
    /// assert_eq!(plan.barycentric_map(), array![[1.5], [7.5]]);
    /// # Ok::<(), ot_core::exact::ExactError>(())
    /// ```
    pub fn barycentric_map(&self) -> Array2<f64> {
        let (source, target) = (self.potentials.source(), self.potentials.target());
        let mut sums = vec![0.0; source.count()];
        let within = |flow: &&Flow| flow.source < source.count() && flow.target < target.count();
        for flow in self.coupling.iter().filter(within) {
            sums[flow.source] += flow.mass;
        }
        let mut image = Array2::zeros(source.points().dim());
        for flow in self.coupling.iter().filter(within) {
            let share = flow.mass / sums[flow.source];
            image.row_mut(flow.source).scaled_add(share, &target.points().row(flow.target));
        }
        let without: Vec<usize> = (0..sums.len()).filter(|&index| sums[index] == 0.0).collect();
        if !without.is_empty() {
            let extended = self.potentials.image(source.points().select(Axis(0), &without).view());
            for (&index, row) in without.iter().zip(extended.outer_iter()) {
                image.row_mut(index).assign(&row);
            }
        }
        image
    }
}

/// A certified optimal transport plan between two index sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
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

impl Plan {
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
        self.certificate.gap()
    }
}
