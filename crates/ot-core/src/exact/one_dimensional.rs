//! Transport on the line: the monotone coupling.

#![allow(clippy::indexing_slicing, reason = "kernels; indices come from sorting the very slices they index")]

use super::masses::{Masses, UnitFlow};
use crate::measure::{Measure, MeasureError};
use ndarray::{Axis, aview1};

/// The transport cost min_P Σ P_ij |x_i − y_j|^p between two weighted samples of the line, for p ≥ 1.
///
/// The quantile coupling is optimal for every convex cost of x − y: ∫_0^1 |F⁻¹(u) − G⁻¹(u)|^p du (Peyré & Cuturi, arXiv
/// 1803.00567, remark 2.30). The distance W_p is its p-th root.
///
/// `x` is \[n\], `y` is \[m\], with weights `a`, `b` that are divided by their sums (equal weights if `None`); the unit
/// is that of x to the power p.
///
/// # Errors
/// Empty samples, values that are not finite, weights that are not a measure. A power below 1 or not finite gives an
/// error of its own, since the monotone coupling is not optimal for it.
///
/// O(n log n + m log m).
///
/// ```
/// use ot_core::exact::one_dimensional::transport_cost;
/// assert_eq!(transport_cost(&[0.0, 1.0], &[3.0, 2.0], None, None, 1.0)?, 2.0);
/// # Ok::<(), ot_core::exact::one_dimensional::LineError>(())
/// ```
pub fn transport_cost(
    x: &[f64],
    y: &[f64],
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    p: f64,
) -> Result<f64, LineError> {
    if !is_valid_power(p) {
        return Err(LineError::Power(p));
    }
    let source = Measure::named("source", aview1(x).insert_axis(Axis(1)), a)?;
    let target = Measure::named("target", aview1(y).insert_axis(Axis(1)), b)?;
    if a.is_none() && b.is_none() && x.len() == y.len() {
        return Ok(monotone_cost(x, y, None, p));
    }
    let (a, b) = (source.probabilities(), target.probabilities());
    let (x, y) = (a.positive_of(x), b.positive_of(y));
    Ok(monotone_cost(&x, &y, Some(&Masses::new(&a.positive(), &b.positive())), p))
}

/// Why a transport cost on the line is not defined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The power is below 1, NaN or infinite.
    #[error("the power p = {0} must be finite and at least 1: below 1 the cost is not convex")]
    Power(f64),
    /// The samples or weights are not measures.
    #[error(transparent)]
    Measure(#[from] MeasureError),
}

/// Whether |x − y|^p is a convex cost.
pub(crate) fn is_valid_power(p: f64) -> bool {
    p >= 1.0 && p.is_finite()
}

/// [`transport_cost`] for checked input; without masses both samples have equal weights and equal size.
pub(crate) fn monotone_cost(x: &[f64], y: &[f64], masses: Option<&Masses>, p: f64) -> f64 {
    let distance = |from: f64, to: f64| {
        let gap = (from - to).abs();
        if p == 1.0 {
            gap
        } else if p == 2.0 {
            gap * gap
        } else {
            gap.powf(p)
        }
    };
    let Some(masses) = masses else {
        let (mut x, mut y) = (x.to_vec(), y.to_vec());
        x.sort_unstable_by(f64::total_cmp);
        y.sort_unstable_by(f64::total_cmp);
        return x.iter().zip(&y).map(|(&from, &to)| distance(from, to)).sum::<f64>() / x.len() as f64;
    };
    let mut total = 0.0;
    walk(&order(x), &order(y), masses, |source, target, mass| {
        total += masses.weight(mass) * distance(x[source], y[target]);
    });
    total
}

/// Visits the pairs of the monotone coupling with their masses; without `masses` both samples have equal weights and
/// equal size.
pub(crate) fn visit_monotone(
    x: &[f64],
    y: &[f64],
    masses: Option<&Masses>,
    mut visit: impl FnMut(usize, usize, f64),
) {
    let (by_x, by_y) = (order(x), order(y));
    match masses {
        None => by_x.iter().zip(&by_y).for_each(|(&i, &j)| visit(i, j, 1.0 / x.len() as f64)),
        Some(masses) => walk(&by_x, &by_y, masses, |i, j, mass| visit(i, j, masses.weight(mass))),
    }
}

/// The indices that sort the values.
fn order(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| values[left].total_cmp(&values[right]));
    order
}

/// Visits the monotone staircase: n + m − 1 neighbouring pairs from the two smallest points to the two largest, some of
/// them with mass 0.
fn walk(by_x: &[usize], by_y: &[usize], masses: &Masses, mut visit: impl FnMut(usize, usize, i128)) {
    let (mut i, mut j) = (0, 0);
    let (mut left_x, mut left_y) = (masses.supplies[by_x[0]], masses.demands[by_y[0]]);
    loop {
        let mass = left_x.min(left_y);
        visit(by_x[i], by_y[j], mass);
        (left_x, left_y) = (left_x - mass, left_y - mass);
        let (last_x, last_y) = (i + 1 == by_x.len(), j + 1 == by_y.len());
        if last_x && last_y {
            return;
        }
        if last_y || (left_x == 0 && !last_x) {
            i += 1;
            left_x = masses.supplies[by_x[i]];
        } else {
            j += 1;
            left_y = masses.demands[by_y[j]];
        }
    }
}

/// The monotone coupling of two measures with potentials that are tight along its staircase.
///
/// The staircase is a basis of the transport polytope; for a convex cost of x − y its potentials are feasible for all
/// pairs, because the sorted cost matrix has the Monge property.
pub(super) fn monotone_plan(
    x: &[f64],
    y: &[f64],
    masses: &Masses,
    cost: impl Fn(usize, usize) -> f64,
) -> (Vec<UnitFlow>, Vec<f64>, Vec<f64>) {
    let (mut f, mut g) = (vec![f64::NAN; x.len()], vec![f64::NAN; y.len()]);
    let mut coupling = Vec::with_capacity(x.len() + y.len());
    walk(&order(x), &order(y), masses, |source, target, units| {
        let price = cost(source, target);
        if f[source].is_nan() && g[target].is_nan() {
            (f[source], g[target]) = (0.0, price);
        } else if f[source].is_nan() {
            f[source] = price - g[target];
        } else {
            g[target] = price - f[source];
        }
        if units > 0 {
            coupling.push(UnitFlow { source, target, units });
        }
    });
    (coupling, f, g)
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 3] = [2.0, 0.0, 1.0];
    const Y: [f64; 3] = [5.0, 3.0, 4.0];

    fn visits(masses: Option<&Masses>) -> Vec<(usize, usize, f64)> {
        let mut visits = Vec::new();
        visit_monotone(&X, &Y, masses, |source, target, mass| visits.push((source, target, mass)));
        visits
    }

    #[test]
    fn the_monotone_coupling_visits_sorted_pairs_with_their_masses() {
        let third = 1.0 / 3.0;
        assert_eq!(visits(None), [(1, 1, third), (2, 2, third), (0, 0, third)]);
        let masses = Masses::new(&[0.25, 0.5, 0.25], &[0.5, 0.25, 0.25]);
        assert_eq!(
            visits(Some(&masses)),
            [(1, 1, 0.25), (1, 2, 0.25), (2, 2, 0.0), (2, 0, 0.25), (0, 0, 0.25)]
        );
        // Distances 3, 4, 4 and 3 with a quarter of the mass each; powers of small integers.
        for (p, cost) in [(1.0, 3.5), (2.0, 12.5), (3.0, 45.5)] {
            assert!((monotone_cost(&X, &Y, Some(&masses), p) - cost).abs() < 1e-13);
        }
    }

    /// Equal weights: every other step of the staircase carries no mass and is no flow, but it fixes a potential.
    #[test]
    fn a_monotone_plan_has_flows_with_mass_and_potentials_along_its_staircase() {
        let masses = Masses::new(&[1.0 / 3.0; 3], &[1.0 / 3.0; 3]);
        let (coupling, f, g) = monotone_plan(&X, &Y, &masses, |i, j| (X[i] - Y[j]).powi(2));
        let flow = |index| UnitFlow { source: index, target: index, units: 1 };
        assert_eq!(coupling, [flow(1), flow(2), flow(0)]);
        // 0 at the least source, then c − g and c − f in turn: integers.
        assert_eq!((f, g), (vec![-10.0, 0.0, -5.0], vec![19.0, 9.0, 14.0]));
    }
}
