//! Entropic transport between measures of different masses.

use super::EntropicError;
use super::anderson::Anderson;
use super::sinkhorn::{Problem, SinkhornOptions, positive};
use crate::cost::Cost;
use crate::measure::Measure;
use crate::potentials::{Extension, Potentials};
use crate::soft::Precision;

/// The state of an unbalanced solve, with what it is worth.
#[derive(Debug, Clone)]
pub struct UnbalancedTransport<'a> {
    /// The dual value, a lower bound that is second order in `marginal_error`.
    pub value: f64,
    /// The mass that is transported, Σ P.
    pub mass: f64,
    /// The potentials; g is the best one for f.
    pub potentials: Potentials<'a>,
    /// The regularisation ε, in units of cost.
    pub epsilon: f64,
    /// The price ρ of mass that is made or destroyed, in units of cost.
    pub reach: f64,
    /// Updates of both potentials.
    pub iterations: usize,
    /// ‖P1 − a·e^{−f/ρ}‖₁/Σa, zero at the optimum, measured after the last update.
    pub marginal_error: f64,
    /// Whether `marginal_error` is at most the tolerance asked for.
    pub converged: bool,
}

/// Entropic transport that may make and destroy mass at a price.
///
/// min_P Σ P_ij c_ij + ρ·KL(P1‖a) + ρ·KL(Pᵀ1‖b) + ε·KL(P‖a⊗b)
///
/// with KL(p‖q) = Σ p log(p/q) − p + q. Updates are those of [`super::sinkhorn`] damped by ρ/(ρ + ε) (Chizat et al.,
/// arXiv 1607.05816, section 3; Séjourné et al., arXiv 1910.12958), mixed in the same way. As ρ grows the marginals
/// become exact.
///
/// Weights count as they are, NOT divided by their sums; `epsilon` and `reach` are in units of cost. Mass does not
/// travel further than where the cost is some times ρ.
///
/// # Errors
/// Those of [`super::sinkhorn`], and a `reach` that is not positive.
///
/// O(n·m·d) per update, O((n + m)·d) memory; the result does not depend on the number of threads.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, cost::Euclidean, entropic::{SinkhornOptions, sinkhorn_unbalanced}};
/// let (x, y) = (array![[0.0]], array![[100.0]]);
/// let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
/// let options = SinkhornOptions::default();
/// let far = sinkhorn_unbalanced(&source, &target, &Euclidean::HalfSquared, 0.1, 1.0, options)?;
/// // Too far: the unit of mass is destroyed and made again, each at the price ρ.
/// assert!(far.mass < 1e-9 && (far.value - 2.1).abs() < 1e-6);
/// # Ok::<(), ot_core::entropic::EntropicError>(())
/// ```
pub fn sinkhorn_unbalanced<'a>(
    source: &Measure<'a>,
    target: &Measure<'a>,
    cost: &'a dyn Cost,
    epsilon: f64,
    reach: f64,
    options: SinkhornOptions,
) -> Result<UnbalancedTransport<'a>, EntropicError> {
    let mut problem = Problem::new(source, target, cost, epsilon, Precision::Single)?;
    problem.check_digits()?;
    options.check()?;
    positive("reach", reach)?;
    let masses = [source.mass(), target.mass()];
    problem.scale_masses(masses);
    Ok(Relaxed { problem, masses, reach }.solve(options))
}

/// A problem whose marginals may be missed.
struct Relaxed<'a> {
    problem: Problem<'a>,
    masses: [f64; 2],
    reach: f64,
}

impl<'a> Relaxed<'a> {
    fn damping(&self, epsilon: f64) -> f64 {
        self.reach / (self.reach + epsilon)
    }

    fn damped(&self, mut update: Vec<f64>, epsilon: f64) -> Vec<f64> {
        let damping = self.damping(epsilon);
        update.iter_mut().for_each(|value| *value *= damping);
        update
    }

    fn update_f(&self, g: &[f64], epsilon: f64) -> Vec<f64> {
        self.damped(self.problem.update_f(g, epsilon), epsilon)
    }

    fn update_g(&self, f: &[f64], epsilon: f64) -> Vec<f64> {
        self.damped(self.problem.update_g(f, epsilon), epsilon)
    }

    /// Σ weights·(e^{−potential/ρ} − 1), what the relaxed marginal has more than the given one.
    fn excess(&self, weights: &[f64], potential: &[f64]) -> f64 {
        weights.iter().zip(potential).map(|(weight, value)| weight * (-value / self.reach).exp_m1()).sum()
    }

    fn solve(&self, options: SinkhornOptions) -> UnbalancedTransport<'a> {
        let problem = &self.problem;
        let (mass_a, mass_b): (f64, f64) = (problem.a.iter().sum(), problem.b.iter().sum());
        let epsilon = problem.epsilon;
        let mut iterations = 0;
        let mut g = vec![0.0; problem.b.len()];
        for scale in problem.scales() {
            if iterations < options.max_iterations {
                let f = self.update_f(&g, scale);
                g = self.update_g(&f, scale);
                iterations += 1;
            }
        }
        let mut mixing = Anderson::new(&problem.a);
        let mut f = self.update_f(&g, epsilon);
        loop {
            g = self.update_g(&f, epsilon);
            iterations += 1;
            let exact = problem.update_f(&g, epsilon);
            let missed: f64 = problem
                .a
                .iter()
                .zip(f.iter().zip(&exact))
                .map(|(weight, (f, exact))| {
                    // Both exponentials from the smaller one, whose difference alone may be tiny.
                    let (plan, relaxed) = ((f - exact) / epsilon, -f / self.reach);
                    weight * relaxed.exp() * (plan - relaxed).exp_m1().abs()
                })
                .sum();
            let marginal_error = missed / mass_a;
            let excess_b = self.excess(&problem.b, &g);
            // The best g makes P's second marginal b·e^{−g/ρ}, which gives the mass of P.
            let mass = mass_b + excess_b;
            let value =
                -self.reach * (self.excess(&problem.a, &f) + excess_b) - epsilon * (mass - mass_a * mass_b);
            let converged = marginal_error <= options.tolerance;
            if converged || iterations >= options.max_iterations {
                let damping = self.damping(epsilon);
                let extension = Extension::SoftMinimum { epsilon, damping, masses: self.masses };
                return UnbalancedTransport {
                    value,
                    mass,
                    potentials: problem.potentials(&f, &g, extension),
                    epsilon,
                    reach: self.reach,
                    iterations,
                    marginal_error,
                    converged,
                };
            }
            f = mixing.next(&f, self.damped(exact, epsilon), value, problem.rounding * mass_a.max(mass_b));
        }
    }
}
