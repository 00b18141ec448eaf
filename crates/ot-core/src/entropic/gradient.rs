//! How the Sinkhorn divergence changes when points move.

#![allow(clippy::indexing_slicing, reason = "indices are below the sizes of the clouds, checked at entry")]

use super::EntropicError;
use super::divergence::SinkhornDivergence;
use super::estimate::Wanted;
use super::sinkhorn::{Problem, SinkhornOptions};
use crate::cost::{Cost, Euclidean, PairCost};
use crate::measure::Measure;
use crate::soft::{BLOCK, Clusters, Exponents, Kernel, NEGLIGIBLE, Side};
use ndarray::Array2;
use rayon::prelude::*;

/// The Sinkhorn divergence S_ε(μ, ν) and its gradient in the points of μ, [n, d].
///
/// By the envelope theorem the potentials may be held fixed (Feydy et al., arXiv 1810.08278, section 3.2): with the
/// plans P of (μ, ν) and Q of (μ, μ),
///
/// ∇_{x_i} S_ε = Σ_j P_ij ∇_x c(x_i, y_j) − Σ_k Q_ik ∇_x c(x_i, x_k).
///
/// −∇S/a_i is the velocity of a particle x_i that flows towards ν. Where the cost is ‖x − y‖, points that meet add
/// nothing, a subgradient. Arguments are those of [`super::sinkhorn_divergence`]; the divergence tells whether the
/// iterations were enough.
///
/// # Errors
/// Those of [`super::sinkhorn_divergence`].
///
/// One more pass over the pairs than the divergence; the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, cost::Euclidean, entropic::{SinkhornOptions, sinkhorn_divergence_gradient}};
/// let (x, y) = (array![[0.0, 0.0]], array![[3.0, 4.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let (cost, options) = (Euclidean::HalfSquared, SinkhornOptions::default());
/// let (_, gradient) = sinkhorn_divergence_gradient(&source, &target, &cost, 0.0025, options)?;
/// assert_eq!(gradient, array![[-3.0, -4.0]]);
/// # Ok::<(), ot_core::entropic::EntropicError>(())
/// ```
pub fn sinkhorn_divergence_gradient(
    source: &Measure<'_>,
    target: &Measure<'_>,
    cost: &dyn Cost,
    epsilon: f64,
    options: SinkhornOptions,
) -> Result<(SinkhornDivergence, Array2<f64>), EntropicError> {
    let wanted = Wanted { cost, epsilon, options, gradient: true };
    let (divergence, gradient) = wanted.divergence(source, target)?;
    Ok((divergence, gradient.unwrap_or_else(|| Array2::zeros(source.points().dim()))))
}

impl Problem<'_> {
    /// Σ_j P_ij ∇_x c(x_i, y_j) for the plan that g and its best f give, [n, d] by point as given.
    pub(super) fn pulls(&self, g: &[f64]) -> Array2<f64> {
        let f = self.update_f(g, self.epsilon);
        let pulls = match &self.kernel {
            Kernel::Blocks { sources, targets, cost } => {
                self.pulls_of_blocks((sources, targets, *cost), &f, g)
            }
            Kernel::Products(products) => {
                let mass = |source: usize, target: usize, cost: f64| {
                    let exponent = (f[source] + g[target] - cost) / self.epsilon + self.log_b[target];
                    if exponent > -NEGLIGIBLE { self.a[source] * exponent.exp() } else { 0.0 }
                };
                let (pulls, dim) = (products.pulls(mass), self.source.dim());
                Array2::from_shape_fn((f.len(), dim), |(i, k)| pulls[i * dim + k])
            }
            Kernel::Pairs(pairs) => self.pulls_of_pairs(pairs.as_ref(), &f, g),
        };
        self.kernel.restored_rows(Side::Sources, pulls.view())
    }

    /// The pulls pair by pair.
    fn pulls_of_pairs(&self, pairs: &dyn PairCost, f: &[f64], g: &[f64]) -> Array2<f64> {
        let owned = |measure: &Measure<'_>| measure.points().iter().copied().collect::<Vec<_>>();
        let (x, y, dim) = (owned(&self.source), owned(&self.target), self.source.dim());
        let mut pulls = vec![0.0; f.len() * dim];
        pulls.par_chunks_exact_mut(dim).enumerate().for_each(|(source, pull)| {
            let mut gradient = vec![0.0; dim];
            for (target, (value, log_b)) in g.iter().zip(&self.log_b).enumerate() {
                let exponent = (f[source] + value - pairs.cost(source, target)) / self.epsilon + log_b;
                if exponent > -NEGLIGIBLE {
                    let mass = self.a[source] * exponent.exp();
                    let (x, y) = (&x[source * dim..][..dim], &y[target * dim..][..dim]);
                    self.cost.gradient(x, y, &mut gradient);
                    pull.iter_mut().zip(&gradient).for_each(|(pull, slope)| *pull += mass * slope);
                }
            }
        });
        Array2::from_shape_fn((f.len(), dim), |(i, k)| pulls[i * dim + k])
    }

    /// The pulls for a Euclidean cost, in the order of the blocks.
    fn pulls_of_blocks(
        &self,
        (sources, targets, cost): (&Clusters, &Clusters, Euclidean),
        f: &[f64],
        g: &[f64],
    ) -> Array2<f64> {
        let epsilon = self.epsilon;
        let rows = Exponents::new(sources, targets, cost, g, &self.log_b, epsilon);
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
                        let price = cost.of_squared_distance(squared);
                        let exponent = rows.offsets[target * BLOCK + other] - price * rows.factor;
                        let mass = self.a[source] * (exponent - log_sum).exp();
                        let factor = mass * cost.slope_factor(squared);
                        pull.iter_mut()
                            .zip(differences)
                            .for_each(|(pull, difference)| *pull += factor * difference);
                    }
                }
            }
        });
        Array2::from_shape_fn((sources.len(), dim), |(i, k)| sorted[i * dim + k])
    }
}
