//! How the Sinkhorn divergence changes when points move.

#![allow(clippy::indexing_slicing, reason = "indices are below the sizes of the clouds, checked at entry")]

use super::clusters::BLOCK;
use super::divergence::{SinkhornDivergence, SinkhornPower, converged};
use super::sinkhorn::{EntropicError, Problem, SinkhornOptions};
use super::soft_minimum::{Exponents, NEGLIGIBLE};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// The Sinkhorn divergence S_ε(μ, ν) and its gradient in the points of μ, \[n, d\].
///
/// By the envelope theorem the potentials may be held fixed (Feydy et al., arXiv 1810.08278, section 3.2): with the plans P of (μ, ν)
/// and Q of (μ, μ),
///
/// $$ \nabla_{x_i} S_\varepsilon = \sum_j P_{ij}\,\nabla_x c(x_i, y_j) - \sum_k Q_{ik}\,\nabla_x c(x_i, x_k). $$
///
/// −∇S/a_i is the velocity of a particle x_i that flows towards ν. For p = 1 points that meet add nothing, a subgradient. Arguments are
/// those of [`super::sinkhorn_divergence`], iterated as `options` say; the divergence tells whether they were enough.
///
/// # Errors
/// Those of [`super::sinkhorn_divergence`].
///
/// One more pass over the pairs than the divergence; the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::entropic::{SinkhornOptions, SinkhornPower, sinkhorn_divergence_gradient};
/// let (x, y) = (array![[0.0, 0.0]], array![[3.0, 4.0]]);
/// let options = SinkhornOptions::default();
/// let (_, gradient) = sinkhorn_divergence_gradient(x.view(), y.view(), None, None, SinkhornPower::Two, 0.05, options)?;
/// assert_eq!(gradient, array![[-3.0, -4.0]]);
/// # Ok::<(), ot_core::entropic::EntropicError>(())
/// ```
pub fn sinkhorn_divergence_gradient(
    x: ArrayView2<f64>,
    y: ArrayView2<f64>,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    power: SinkhornPower,
    blur: f64,
    options: SinkhornOptions,
) -> Result<(SinkhornDivergence, Array2<f64>), EntropicError> {
    let solved = converged(x, y, a, b, power, blur, options)?;
    let between = solved.between.0.pulls(&solved.between.1.g);
    let within = solved.within_x.0.pulls(&solved.within_x.1.f);
    Ok((solved.divergence, between - within))
}

impl Problem<'_> {
    /// Σ_j P_ij ∇_x c(x_i, y_j) for the plan that g and its best f give, \[n, d\] by point as given.
    fn pulls(&self, g: &[f64]) -> Array2<f64> {
        let epsilon = self.epsilon;
        let f = self.update_f(g, epsilon);
        let (sources, targets) = (&self.sources, &self.targets);
        let rows = Exponents::new(sources, targets, self.cost, g, &self.log_b, epsilon);
        let dim = sources.dim();
        let mut sorted = vec![0.0; sources.len() * dim];
        sorted.par_chunks_mut(BLOCK * dim).enumerate().for_each(|(block, out)| {
            let bounds = rows.bounds(block);
            for (lane, pull) in out.chunks_exact_mut(dim).enumerate() {
                let source = block * BLOCK + lane;
                let log_sum = -f[source] / epsilon;
                for &(_, target) in bounds.iter().take_while(|(bound, _)| *bound >= log_sum - NEGLIGIBLE) {
                    let (points, others) = (sources.block(block), targets.block(target));
                    for other in 0..BLOCK {
                        let differences =
                            (0..dim).map(|k| points[k * BLOCK + lane] - others[k * BLOCK + other]);
                        let squared: f64 =
                            differences.clone().map(|difference| difference * difference).sum();
                        let cost = self.cost.of_squared_distance(squared);
                        let exponent = rows.offsets[target * BLOCK + other] - cost * rows.factor;
                        let mass = self.a[source] * (exponent - log_sum).exp();
                        let factor = mass * self.cost.slope_factor(squared);
                        pull.iter_mut()
                            .zip(differences)
                            .for_each(|(pull, difference)| *pull += factor * difference);
                    }
                }
            }
        });
        let columns: Vec<Vec<f64>> = (0..dim)
            .map(|k| sources.restored(&sorted.iter().skip(k).step_by(dim).copied().collect::<Vec<_>>()))
            .collect();
        Array2::from_shape_fn((sources.len(), dim), |(i, k)| columns[k][i])
    }
}
