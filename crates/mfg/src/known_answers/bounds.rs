//! Bounds that hold for every solution of the game.

/// The speed limit: no particle of an optimal flow moves further than this.
///
/// ```text
/// R = L·T/λ
/// ```
///
/// since v = −∇U/λ, ‖∇U‖ is constant along characteristics, and ‖∇U(·, T)‖ = ‖∇φ‖ ≤ L. A target that needs larger
/// displacements cannot be reached with these parameters. Units: length.
///
/// Source: the optimality system of arXiv 2407.11901.
///
/// ```
/// assert_eq!(mfg::known_answers::reach(1.0, 1.0, 0.5), 2.0);
/// ```
#[must_use]
pub fn reach(lipschitz: f64, horizon: f64, lambda: f64) -> f64 {
    lipschitz * horizon / lambda
}

/// The least kinetic cost λ·∫E½‖v‖²dt of any flow from ρ₀ to ρ_T; equality at the optimum.
///
/// ```text
/// (λ/2T)·W2²(ρ₀, ρ_T)
/// ```
///
/// Units: those of the critic.
///
/// Source: J.-D. Benamou and Y. Brenier, Numer. Math. 84 (2000), Proposition 1.1.
///
/// ```
/// assert_eq!(mfg::known_answers::least_kinetic_cost(0.5, 2.0, 4.0), 0.5);
/// ```
#[must_use]
pub fn least_kinetic_cost(lambda: f64, horizon: f64, w2_squared: f64) -> f64 {
    lambda / (2.0 * horizon) * w2_squared
}
