//! The Sinkhorn divergence for an ε far below all costs.

#![allow(clippy::indexing_slicing, reason = "flows of a plan of these very measures")]

use super::estimate::Estimate;
use crate::cost::Cost;
use crate::exact;
use crate::measure::{Measure, Weights};
use ndarray::Array2;

/// The divergence to first order in ε, between measures whose points are distinct; none for costs that the exact solver
/// refuses.
///
/// With an optimal plan P of OT_0 the entropic costs lie in
///
/// OT_0 ≤ OT_ε(μ, ν) ≤ OT_0 + ε·KL(P‖a⊗b),  0 ≤ OT_ε(μ, μ) ≤ ε·H(a),
///
/// with H(a) = −Σ a log a, and tend to the upper ends as ε falls below all differences of costs (Cominetti & San Martín,
/// Math. Programming 67, 1994): the value is OT_0 + ε·(KL − ½H(a) − ½H(b)), its error at most ε·max(KL, ½H(a) + ½H(b))
/// and the duality gap.
///
/// An exact solve.
pub(super) fn vanishing(
    source: &Measure<'_>,
    target: &Measure<'_>,
    cost: &dyn Cost,
    epsilon: f64,
    with_gradient: bool,
) -> Option<Estimate> {
    let plan = exact::solve(source, target, cost).ok()?;
    let (a, b) = (source.probabilities(), target.probabilities());
    let entropy = |weights: &Weights| -> f64 {
        -weights.positive().iter().map(|weight| weight * weight.ln()).sum::<f64>()
    };
    let divergence: f64 = plan
        .coupling
        .iter()
        .map(|flow| flow.mass * (flow.mass / a.all[flow.source] / b.all[flow.target]).ln())
        .sum();
    let within = 0.5 * (entropy(&a) + entropy(&b));
    let gradient = with_gradient.then(|| {
        let mut gradient = Array2::zeros(source.points().dim());
        let mut slope = vec![0.0; source.dim()];
        for flow in &plan.coupling {
            let (x, y) =
                (source.points().row(flow.source).to_vec(), target.points().row(flow.target).to_vec());
            cost.gradient(&x, &y, &mut slope);
            let row = gradient.row_mut(flow.source);
            row.into_iter().zip(&slope).for_each(|(sum, slope)| *sum += flow.mass * slope);
        }
        gradient
    });
    Some(Estimate {
        value: plan.primal() + epsilon * (divergence - within),
        error: epsilon * divergence.max(within) + plan.gap().abs(),
        iterations: 0,
        marginal_error: plan.certificate.marginal_error,
        gradient,
    })
}
