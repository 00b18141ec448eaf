//! How optimal a flow is: the indicators of the optimality system, each of which is 0 at the exact optimum (the kinetic
//! energy aside), and distances to known optima.

use crate::Metric;

crate::catalogue! { OPTIMALITY:
    EXACT_FLOW_ERROR = "exact_flow_error", "1", Lower,
        "RMS ‖x_T − y_T‖/RMS ‖y_T − x_0‖, where the optimal flow y from y_0 = x_0 is known in closed form";
    EXACT_LAW_ERROR = "exact_law_error", "1", Lower,
        "W2 between the Gaussian of the particles' moments at T and the optimal law there, over W2 between ρ0 and \
         that law, where it is known in closed form";
    L2_UVP = "l2_uvp", "%", Lower,
        "100·E‖T(x) − T*(x)‖²/Var Q over points x of P, T* being the known optimal map from P onto Q, Var Q the sum over \
         coordinates; a map onto the mean of Q scores 100";
    COSINE = "cosine", "1", Higher,
        "E⟨T(x) − x, T*(x) − x⟩/(E‖T(x) − x‖²·E‖T*(x) − x‖²)^½ over points x of P, T* being the known optimal map; of a \
         critic the mean cosine between its gradient and that of the known optimal critic at points x of P";
    W1_DUAL = "w1_dual", "length", Neither,
        "(E_P f − E_Q f)/L of a critic f of slope at most L on fresh points of laws and on held-out rows, on those of the \
         training where none are; in the records of a training what it maximises, on the last minibatch";
    W1_KNOWN = "w1_known", "length", Neither, "W1(P, Q) where it is known: E‖x − y‖ over fresh pairs of the optimal plan";
    W1_KNOWN_ERROR = "w1_known_error", "length", Neither, "the standard error of w1_known";
    W1_ERROR = "w1_error", "%", Neither, "100·(w1_dual/w1_known − 1), as in arXiv 2206.07767: 0 is right, either sign is wrong";
    INVERSE_L2_UVP = "inverse_l2_uvp", "%", Lower,
        "100·E‖S(T*(x)) − x‖²/Var P over points x of P, S being the inverse of the flow";
    COST_ERROR = "cost_error", "1", Lower,
        "|E‖T(x) − x‖²/E‖T*(x) − x‖² − 1| over points x of P, T* being the known optimal map";
    KINETIC_ENERGY = "kinetic_energy", "length²/time", Neither,
        "KE = ∫ E ½‖v‖² dt; at the optimum ½·W2²(ρ0, ρ_T)/T";
    PATH_ENERGY = "path_energy", "length²/time", Lower,
        "∫ E‖v‖² dt = 2·kinetic_energy; at the optimum W2²(ρ0, π)/T, see w2_squared_start";
    W2_SQUARED_START = "w2_squared_start", "length²", Neither,
        "w2_squared between initial points and points of the target, exact: as a path energy the optimum, but for what \
         samples lie farther apart than their laws";
    NORMALISED_PATH_ENERGY = "normalised_path_energy", "1", Lower,
        "|path_energy·T/w2_squared_start − 1|, as in arXiv 2302.00482";
    STRAIGHTNESS = "straightness", "1", Lower,
        "KE·T/(½·W2²(ρ0, ρ_T)) − 1, exact transport between the particles' ends";
    PATH_RATIO = "path_ratio", "1", Lower, "E(path length)/E(displacement) − 1";
    STEP_INVARIANCE = "step_invariance", "1", Lower,
        "E‖x_h − x_fine‖/E‖x_fine − x_0‖ for one step, h = T, against 320 steps, which is h = 2⁻⁶ where T = 5";
    STEP_DISTANCE = "step_distance", "length", Lower,
        "E‖x_h − x_fine‖ for one step, h = T, against 320 steps, as in print";
    STEP_INVARIANCE_2 = "step_invariance_2", "1", Lower, "step_invariance for two steps";
    STEP_INVARIANCE_4 = "step_invariance_4", "1", Lower, "step_invariance for 4 steps";
    STEP_INVARIANCE_5 = "step_invariance_5", "1", Lower, "step_invariance for 5 steps, h = 1 where T = 5";
    STEP_INVARIANCE_8 = "step_invariance_8", "1", Lower, "step_invariance for 8 steps";
    STEP_INVARIANCE_10 = "step_invariance_10", "1", Lower, "step_invariance for 10 steps";
    STEP_INVARIANCE_16 = "step_invariance_16", "1", Lower, "step_invariance for 16 steps";
    STEP_INVARIANCE_20 = "step_invariance_20", "1", Lower, "step_invariance for 20 steps";
    STEP_INVARIANCE_32 = "step_invariance_32", "1", Lower, "step_invariance for 32 steps";
    STEP_INVARIANCE_40 = "step_invariance_40", "1", Lower, "step_invariance for 40 steps";
    STEP_INVARIANCE_64 = "step_invariance_64", "1", Lower, "step_invariance for 64 steps";
    STEP_INVARIANCE_80 = "step_invariance_80", "1", Lower, "step_invariance for 80 steps";
    STEP_INVARIANCE_160 = "step_invariance_160", "1", Lower, "step_invariance for 160 steps";
    HJ_RESIDUAL_RMS = "hj_residual_rms", "φ/time", Lower,
        "RMS of ∂ₜU − ‖∇U‖²/(2λ) + (σ²/2)ΔU + δI/δρ over particles and times";
    HJ_RESIDUAL_RELATIVE = "hj_residual_relative", "1", Lower, "hj_residual_rms / RMS |∂ₜU|";
    TERMINAL_GRADIENT_RMS = "terminal_gradient_rms", "φ/length", Lower, "RMS ‖∇U(x_T, T) − ∇φ(x_T)‖";
    TERMINAL_GRADIENT_RELATIVE = "terminal_gradient_relative", "1", Lower,
        "terminal_gradient_rms / RMS ‖∇φ(x_T)‖";
    CONTINUITY_RESIDUAL = "continuity_residual", "1", Lower,
        "largest residual of the weak continuity equation over fixed test functions, in units of its Monte-Carlo error";
    CHARACTERISTIC_RMS = "characteristic_rms", "1", Lower,
        "RMS ‖x(t) − x(T) − ((T−t)/λ)∇φ(x(T))‖ / RMS displacement";
    VELOCITY_SPREAD = "velocity_spread", "length²/time", Lower, "Σ h·E‖v − (x_T − x_0)/T‖²";
    INVERSE_ERROR = "inverse_error", "length", Lower,
        "E‖x − f⁻¹(f(x))‖ over target points x, f the map from data to normal points of a flow that is trained by \
         likelihood, each way in its own steps";
    OPTIMAL_SHARE = "optimal_share", "1", Higher,
        "share of the particles at which the map of an explicit flow is optimal: from x_T the search for the largest \
         U(x, 0) − λ‖x − x_T‖²/(2T) returns to x_0; the other indicators are of these particles";
    BEYOND_REACH = "beyond_reach", "1", Lower,
        "share of 500 points of ρ0 whose way to the target under the optimal plan is longer than R = L·T/λ, the longest \
         that the bound L on the critic's slope leaves";
    CRITIC_SLOPE_MAX = "critic_slope_max", "1", Neither,
        "max ‖∇φ‖/L over target points, generated points and their interpolates; in the records of a training max \
         ‖∇φ‖ over the points of the penalty";
    CRITIC_SLOPE_MEAN = "critic_slope_mean", "1", Neither,
        "mean ‖∇φ‖/L over the same points; in the records of a training mean ‖∇φ‖ over the points of the penalty";
}

/// Numbers of Euler steps, each with the metric that is the step invariance of so many: h = T/2ᵏ, and the h = 2⁻ᵏ of
/// arXiv 2407.11901, Figure 2, whose horizon is T = 5.
pub const STEP_INVARIANCE_BY_STEPS: [(usize, &Metric); 13] = [
    (1, STEP_INVARIANCE),
    (2, STEP_INVARIANCE_2),
    (4, STEP_INVARIANCE_4),
    (5, STEP_INVARIANCE_5),
    (8, STEP_INVARIANCE_8),
    (10, STEP_INVARIANCE_10),
    (16, STEP_INVARIANCE_16),
    (20, STEP_INVARIANCE_20),
    (32, STEP_INVARIANCE_32),
    (40, STEP_INVARIANCE_40),
    (64, STEP_INVARIANCE_64),
    (80, STEP_INVARIANCE_80),
    (160, STEP_INVARIANCE_160),
];

/// What holds for a Hopf–Lax flow whatever its critic is, up to the accuracy of the search for the ends of its paths:
/// there these say nothing of how near the generated points are to the data.
pub const BY_CONSTRUCTION: [&Metric; 22] = [
    STRAIGHTNESS,
    PATH_RATIO,
    STEP_INVARIANCE,
    STEP_DISTANCE,
    STEP_INVARIANCE_2,
    STEP_INVARIANCE_4,
    STEP_INVARIANCE_5,
    STEP_INVARIANCE_8,
    STEP_INVARIANCE_10,
    STEP_INVARIANCE_16,
    STEP_INVARIANCE_20,
    STEP_INVARIANCE_32,
    STEP_INVARIANCE_40,
    STEP_INVARIANCE_64,
    STEP_INVARIANCE_80,
    STEP_INVARIANCE_160,
    HJ_RESIDUAL_RMS,
    HJ_RESIDUAL_RELATIVE,
    TERMINAL_GRADIENT_RMS,
    TERMINAL_GRADIENT_RELATIVE,
    CHARACTERISTIC_RMS,
    VELOCITY_SPREAD,
];
