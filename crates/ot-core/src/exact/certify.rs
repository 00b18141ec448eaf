//! The proof that a coupling is optimal: marginals, complementary slackness, and dual feasibility over all pairs.

#![allow(clippy::indexing_slicing, reason = "indices are compared with the sizes of the problem at entry")]

use super::{CertificateError, ExactError, Flow};
use crate::compensated::Compensated;
use crate::cost::{AllPairs, CloudCost, Cost, PairCost, Row, largest_cost, minima_on_line};
use crate::measure::{Measure, pairing};

/// The verified optimality conditions of a transport plan; each number is at most its tolerance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certificate {
    /// Σ P_ij c_ij.
    pub primal: f64,
    /// Σ a_i f_i + Σ b_j g_j.
    pub dual: f64,
    /// Largest |Σ_j P_ij − a_i| or |Σ_i P_ij − b_j|.
    pub marginal_error: f64,
    /// Largest f_i + g_j − c_ij over all n·m pairs, at least 0.
    pub infeasibility: f64,
    /// Largest |c_ij − f_i − g_j| over the pairs that carry mass.
    pub slackness: f64,
    /// Allowed size of `infeasibility` and `slackness`, in units of cost.
    pub tolerance: f64,
}

impl Certificate {
    /// The duality gap `primal` − `dual`, zero up to rounding.
    pub fn gap(&self) -> f64 {
        self.primal - self.dual
    }
}

/// Unit roundings allowed per step of a sum of √N terms: the constant of every tolerance here.
const ROUNDINGS: f64 = 64.0;

/// The rounding that potentials of a problem with `points` nodes and costs up to `scale` may carry: a potential is a
/// sum of costs along a path of the basis, whose rounding errors add up like a random walk.
pub(super) fn cost_tolerance(points: usize, scale: f64) -> f64 {
    ROUNDINGS * (points as f64).sqrt() * f64::EPSILON * scale
}

/// Verifies that `coupling` is an optimal plan between the weights `a`, \[n\], and `b`, \[m\], and that `f`, \[n\], and
/// `g`, \[m\], prove it.
///
/// By weak duality Σ P c ≥ Σ a f + Σ b g whenever f_i + g_j ≤ c_ij for ALL pairs, with equality if f_i + g_j = c_ij
/// wherever P_ij > 0: feasible marginals, dual feasibility and complementary slackness together are a proof (Peyré &
/// Cuturi, arXiv 1803.00567, proposition 3.3). The tolerance on costs is 64·√(n+m)·ε·max|c|, on masses 64·√(n+m)·ε,
/// with ε the rounding unit of `f64`; between point clouds max|c| is taken over pairs of points far apart, at least a
/// ninth of the largest cost, so the check is the stricter one.
///
/// A point of next to no mass that lies far away makes that tolerance large for all the others. So the value has one of
/// its own: Σ P (c − f − g) + Σ a v, with v_i the largest violation of a source, bounds what it is above the optimum,
/// and must not exceed 64·√(n+m)·ε·(Σ P|c| + Σ a|f − t| + Σ b|g + t|), with t a median of f: all conditions are checked for
/// f − t and g + t.
///
/// All pairs are accounted for: those of point clouds are dismissed by a bound in single precision that includes its
/// rounding, or evaluated in double precision; the result is that of evaluating all, to the bit. On a line the Monge
/// property of the cost accounts for most, and the result is good to some roundings of a cost, far below the tolerance.
///
/// Weights are probabilities: each side sums to one.
///
/// # Errors
/// The first condition that fails, with its size.
///
/// O(n·m) costs, on a line O((n + m)·log(n + m)); O(n + m) memory, parallel; the result does not depend on the number of
/// threads.
///
/// ```
/// use ot_core::{cost::FunctionCost, exact::{certify_pairs, solve_pairs}};
/// let cost = FunctionCost::new(2, 2, |i, j| if i == j { 1.0 } else { 0.5 });
/// let mut plan = solve_pairs(&cost, None, None)?;
/// assert!(certify_pairs(&cost, &[0.5, 0.5], &[0.5, 0.5], &plan.coupling, &plan.f, &plan.g).is_ok());
/// plan.f[0] += 1e-9;
/// assert!(certify_pairs(&cost, &[0.5, 0.5], &[0.5, 0.5], &plan.coupling, &plan.f, &plan.g).is_err());
/// # Ok::<(), ot_core::exact::ExactError>(())
/// ```
pub fn certify_pairs(
    cost: &dyn PairCost,
    a: &[f64],
    b: &[f64],
    coupling: &[Flow],
    f: &[f64],
    g: &[f64],
) -> Result<Certificate, CertificateError> {
    certify_all(&AllPairs::once(cost), a, b, coupling, f, g)
}

/// [`certify_pairs`] for two measures, whose weights are divided by their sums.
///
/// # Errors
/// As [`certify_pairs`]; measures of different dimensions.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, cost::Euclidean, exact::{certify, solve}};
/// let (x, y) = (array![[0.0], [1.0]], array![[1.1], [0.2]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let plan = solve(&source, &target, &Euclidean::Squared)?;
/// let (f, g) = (plan.potentials.f(), plan.potentials.g());
/// assert_eq!(certify(&source, &target, &Euclidean::Squared, &plan.coupling, f, g)?, plan.certificate);
/// // The plan is not optimal for another cost.
/// assert!(certify(&source, &target, &Euclidean::Distance, &plan.coupling, f, g).is_err());
/// # Ok::<(), ot_core::exact::ExactError>(())
/// ```
pub fn certify(
    source: &Measure<'_>,
    target: &Measure<'_>,
    cost: &dyn Cost,
    coupling: &[Flow],
    f: &[f64],
    g: &[f64],
) -> Result<Certificate, ExactError> {
    let pairs = CloudCost::new(source, target, cost)?;
    let (a, b) = (source.probabilities(), target.probabilities());
    Ok(certify_pairs(pairs.pairs(), &a.all, &b.all, coupling, f, g)?)
}

/// [`certify_pairs`] with what earlier passes over the pairs have kept.
pub(super) fn certify_all(
    pairs: &AllPairs<'_>,
    a: &[f64],
    b: &[f64],
    coupling: &[Flow],
    f: &[f64],
    g: &[f64],
) -> Result<Certificate, CertificateError> {
    let cost = pairs.cost;
    let (n, m) = (cost.sources(), cost.targets());
    for (what, found, expected) in
        [("a", a.len(), n), ("b", b.len(), m), ("f", f.len(), n), ("g", g.len(), m)]
    {
        if found != expected {
            return Err(CertificateError::Shape { what, found, expected });
        }
    }
    let (mut rows, mut columns) = (vec![Compensated::default(); n], vec![Compensated::default(); m]);
    let (mut primal, mut slackness, mut negative) = (0.0f64, 0.0f64, 0.0f64);
    let dual = pairing(a, f) + pairing(b, g);
    let (f, g) = balanced((a, f), g);
    let (mut excess, mut size) = (Compensated::default(), size(a, &f) + size(b, &g));
    for flow in coupling {
        for (what, found, expected) in [("coupling", flow.source, n), ("coupling", flow.target, m)] {
            if found >= expected {
                return Err(CertificateError::Shape { what, found, expected });
            }
        }
        let price = cost.cost(flow.source, flow.target);
        rows[flow.source].add(flow.mass);
        columns[flow.target].add(flow.mass);
        primal += flow.mass * price;
        let slack = price - f[flow.source] - g[flow.target];
        slackness = worst(slackness, slack.abs());
        excess.add(flow.mass * slack);
        size += flow.mass * price.abs();
        negative = worst(negative, -flow.mass);
    }
    let mass_tolerance = ROUNDINGS * ((n + m) as f64).sqrt() * f64::EPSILON;
    let marginal_error = rows
        .iter()
        .zip(a)
        .chain(columns.iter().zip(b))
        .map(|(sum, weight)| (sum.value() - weight).abs())
        .fold(negative, worst);
    if exceeds(marginal_error, mass_tolerance) {
        return Err(CertificateError::Marginals { error: marginal_error, tolerance: mass_tolerance });
    }
    // A cost that is not finite has no place in any certificate.
    let tolerance = cost_tolerance(n + m, largest_cost(cost).unwrap_or(f64::NAN));
    let violations = violations(pairs, &f, &g);
    let infeasibility = violations.iter().copied().fold(0.0, worst);
    if exceeds(infeasibility, tolerance) {
        return Err(CertificateError::Infeasible { violation: infeasibility, tolerance });
    }
    if exceeds(slackness, tolerance) {
        return Err(CertificateError::Slackness { slack: slackness, tolerance });
    }
    let (value_error, allowed) =
        (excess.value().max(0.0) + pairing(a, &violations), cost_tolerance(n + m, size));
    if exceeds(value_error, allowed) {
        return Err(CertificateError::Value { error: value_error, tolerance: allowed });
    }
    Ok(Certificate { primal, dual, marginal_error, infeasibility, slackness, tolerance })
}

/// Whether `value` is above `limit`, or either is NaN.
fn exceeds(value: f64, limit: f64) -> bool {
    value > limit || value.is_nan() || limit.is_nan()
}

/// The larger number, or NaN if either is: a NaN must fail a certificate, `f64::max` would drop it.
fn worst(a: f64, b: f64) -> f64 {
    if a.is_nan() || b <= a { a } else { b }
}

/// f − t and g + t with t the median of f: what both mean is the same, and next to a constant that has moved from one
/// side to the other costs would lose their digits.
fn balanced((a, f): (&[f64], &[f64]), g: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut order: Vec<(f64, f64)> = f.iter().copied().zip(a.iter().copied()).collect();
    order.sort_unstable_by(|one, two| one.0.total_cmp(&two.0));
    let half = 0.5 * a.iter().sum::<f64>();
    let up_to = order.iter().scan(0.0, |mass, (value, weight)| {
        *mass += weight;
        Some((*mass, *value))
    });
    let median =
        up_to.skip_while(|(mass, _)| *mass < half).map(|(_, value)| value).next().unwrap_or_default();
    (f.iter().map(|value| value - median).collect(), g.iter().map(|value| value + median).collect())
}

/// Σ weights·|values|.
fn size(weights: &[f64], values: &[f64]) -> f64 {
    pairing(weights, &values.iter().map(|value| value.abs()).collect::<Vec<_>>())
}

/// The largest f_i + g_j − c_ij of every source, at least 0; NaN if a potential is not finite.
fn violations(pairs: &AllPairs<'_>, f: &[f64], g: &[f64]) -> Vec<f64> {
    if !f.iter().chain(g).all(|value| value.is_finite()) {
        return vec![f64::NAN; f.len()];
    }
    if let Some(clouds) = pairs.cost.clouds().filter(|clouds| clouds.dim == 1) {
        let minima = minima_on_line(&clouds, g);
        return f.iter().zip(minima).map(|(own, least)| (own - least).max(0.0)).collect();
    }
    let rows = pairs.of_sources(g, |source| Violation { own: f[source], largest: 0.0 });
    rows.iter().map(|row| row.largest).collect()
}

/// The worst pair of a source so far.
struct Violation {
    own: f64,
    largest: f64,
}

impl Row for Violation {
    fn limit(&self) -> f64 {
        self.own - self.largest
    }

    fn wanted(&self) -> usize {
        1
    }

    fn visit(&mut self, _: usize, _: f64, reduced: f64) {
        self.largest = self.largest.max(self.own - reduced);
    }
}
