//! The course of a training: what its records say, and milestones on the way.

crate::catalogue! { TRAINING:
    W2_FIXED = "w2_fixed", "length", Lower,
        "w2 at the end of the training between G of fixed starting points and one fixed batch of the target";
    ITERATIONS_TO_W2 = "iterations_to_w2_0.15", "iterations", Lower,
        "first recorded iteration with w2 ≤ 0.15 between G of fixed starting points, even ones where there are, and \
         a fixed batch";
    SECONDS_TO_W2 = "seconds_to_w2_0.15", "s", Lower,
        "wall-clock seconds of training until then, without the measurements";
    SECONDS_PER_ITERATION = "seconds_per_iteration", "s", Lower,
        "wall-clock seconds of training over iterations, without the measurements";
    GEOMETRIC_DEVIATION = "geometric_deviation", "1", Lower,
        "largest |W2ₙ/((1−ε)ⁿ·W2₀) − 1| over the steps of the exact flow on particles";
    ACCURACY_BEST = "accuracy_best", "1", Higher,
        "largest recorded accuracy on all test digits during the training, chosen with hindsight";
    ITERATION_OF_ACCURACY_BEST = "iteration_of_accuracy_best", "iterations", Neither,
        "the iteration of accuracy_best";
    EULER_STEPS = "euler_steps", "steps", Neither, "Euler steps of the flow in the last iteration";
    CRITIC_DIVERGENCE = "critic_divergence", "φ", Neither,
        "dual value of the divergence that the critic maximises, on the last minibatch";
    CRITIC_PENALTY = "critic_penalty", "φ", Neither,
        "penalty of the critic or of the Kantorovich potentials with its weight, on the last minibatch";
    FLOW_OBJECTIVE = "flow_objective", "φ", Neither, "weighted sum that the flow minimises, on the last minibatch";
    TERMINAL_COST = "terminal_cost", "φ", Neither, "E φ(x_T) on the last minibatch";
    NEGATIVE_LOG_LIKELIHOOD = "negative_log_likelihood", "nats", Neither,
        "−E log p of a flow that is trained by likelihood, on fresh points of the target, in the units of the training; in \
         the records of a training on the last minibatch";
    BATCH_KINETIC_ENERGY = "batch_kinetic_energy", "length²/time", Neither,
        "Σ h·E ½‖v‖² on the last minibatch";
    MATCHING_LOSS = "matching_loss", "length²/time²", Neither,
        "mean ‖v(x_t, t) − (x_T − x₀)/T‖² over the pairs of the last minibatch";
    LEARNING_RATE_FLOW = "learning_rate_flow", "1", Neither, "learning rate of the flow in the last iteration";
    LEARNING_RATE_CRITIC = "learning_rate_critic", "1", Neither,
        "learning rate of the critic in the last iteration";
    CRITIC_DUAL = "critic_dual", "φ", Neither,
        "dual value of the critic or of the Kantorovich potentials, on the last minibatch";
    SLOPE_RMS = "slope_rms", "φ/length", Neither,
        "RMS ‖∇φ‖ at the generated points of the last minibatch; w2 for exact Kantorovich potentials";
    GENERATOR_OBJECTIVE_FIRST = "generator_objective_first", "length²", Neither,
        "mean ‖G(z) − ζ‖² before the first of the K updates of an iteration of W2-FE or W1-FE; mean φ(G(z)) of the \
         others";
    GENERATOR_OBJECTIVE_LAST = "generator_objective_last", "length²", Neither,
        "the same before the last of the K updates";
}
