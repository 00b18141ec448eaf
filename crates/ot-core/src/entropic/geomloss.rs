//! The divergence by the fixed schedule of geomloss.

use super::divergence::{SinkhornDivergence, SinkhornPower};
use super::sinkhorn::Problem;
use super::symmetric::average;

/// What a fixed schedule must reach to be called converged: the default of [`super::Schedule::CONVERGED`].
const FIXED_SCHEDULE_TOLERANCE: f64 = 1e-4;

/// The divergence after one averaged update for each of the `scales` of ε, and an extrapolation.
pub(super) fn as_geomloss(
    [between, within_x, within_y]: [Problem<'_>; 3],
    scales: &[f64],
) -> SinkhornDivergence {
    let (f, g) = averaged(&between, scales);
    let (self_x, self_y) = (averaged_within(&within_x, scales), averaged_within(&within_y, scales));
    let value = between.pairing(&f, &g)
        - 0.5 * (within_x.pairing(&self_x, &self_x) + within_y.pairing(&self_y, &self_y));
    let sides = [(&between, &f, &g), (&within_x, &self_x, &self_x), (&within_y, &self_y, &self_y)];
    let updated = sides.map(|(problem, _, g)| problem.update_f(g, problem.epsilon));
    let marginal_error = sides
        .iter()
        .zip(&updated)
        .map(|((problem, f, _), best)| problem.marginal_error(f, best))
        .fold(0.0, f64::max);
    // Hardly ever so close that the error of the value is of interest.
    let error = || {
        let [_, of_x, of_y] = &updated;
        let within =
            within_x.missing_value_at_most(&self_x, of_x) + within_y.missing_value_at_most(&self_y, of_y);
        between.missing_value(&f).0 + 0.5 * within + 2.0 * between.rounding
    };
    SinkhornDivergence {
        value,
        epsilon: between.epsilon,
        iterations: scales.len(),
        marginal_error,
        converged: marginal_error <= FIXED_SCHEDULE_TOLERANCE
            && error() <= FIXED_SCHEDULE_TOLERANCE * value.abs(),
    }
}

/// diameter^p, then the powers diameter^p·scaling^{kp} from k = 0 down to blur^p, then blur^p.
pub(super) fn geomloss_scales(power: SinkhornPower, diameter: f64, blur: f64, scaling: f64) -> Vec<f64> {
    let steps = ((blur / diameter).ln() / scaling.ln()).ceil().max(0.0) as i32;
    std::iter::once(power.epsilon(diameter))
        .chain((0..steps).map(|step| power.epsilon(diameter * scaling.powi(step))))
        .chain(std::iter::once(power.epsilon(blur)))
        .filter(|&epsilon| epsilon > 0.0)
        .collect()
}

/// geomloss' iterations for two measures: both potentials are updated from the old ones and averaged with them.
fn averaged(problem: &Problem<'_>, scales: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let first = scales.first().copied().unwrap_or(problem.epsilon);
    let mut f = problem.update_f(&vec![0.0; problem.b.len()], first);
    let mut g = problem.update_g(&vec![0.0; problem.a.len()], first);
    for &epsilon in scales {
        let (next_f, next_g) = (problem.update_f(&g, epsilon), problem.update_g(&f, epsilon));
        (f, g) = (average(&f, &next_f), average(&g, &next_g));
    }
    (problem.update_f(&g, problem.epsilon), problem.update_g(&f, problem.epsilon))
}

/// [`averaged`] for one measure against itself, where both potentials are the same.
fn averaged_within(problem: &Problem<'_>, scales: &[f64]) -> Vec<f64> {
    let first = scales.first().copied().unwrap_or(problem.epsilon);
    let mut f = problem.update_f(&vec![0.0; problem.b.len()], first);
    for &epsilon in scales {
        f = average(&f, &problem.update_f(&f, epsilon));
    }
    problem.update_f(&f, problem.epsilon)
}
