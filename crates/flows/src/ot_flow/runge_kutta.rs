//! The classical Runge–Kutta rule on blocks of points: kⱼ = v(x + h·Σ aⱼᵢkᵢ, t + cⱼh), x′ = x + h·Σ bⱼkⱼ.

/// bⱼ.
pub(super) const WEIGHTS: [f64; STAGES] = [1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0];
/// cⱼ; what stage j takes of the velocity before it is also cⱼ.
pub(super) const OFFSETS: [f64; STAGES] = [0.0, 0.5, 0.5, 1.0];
/// Evaluations of a step.
pub(super) const STAGES: usize = 4;
/// Points whose paths are followed together, so that what is kept of them stays near the core.
pub(super) const BLOCK: usize = 64;
