//! What a row costs: its training, its networks, its samples. Seconds, milliseconds and memory are those of the machine
//! and of all that ran on it then.

use crate::Metric;

crate::catalogue! { COST:
    TRAINING_SECONDS = "training_seconds", "s", Lower,
        "wall-clock seconds of training, without what is measured on the way";
    SECONDS_TO_NEAR_FLOOR = "seconds_to_1.5_floor", "s", Lower,
        "training_seconds until w2_squared, on the clouds of the final measurement, was at most 1.5 times its floor; looked \
         at about every factor √2 of the iterations, less often where that would take more than a tenth of the time";
    PARAMETERS = "parameters", "numbers", Lower, "trained numbers of all networks, critics included";
    PEAK_MEMORY = "peak_memory", "MiB", Lower, "most resident memory of the process until the end of its training";
    EVALUATIONS_ONE_STEP = "evaluations_one_step", "evaluations", Lower,
        "evaluations of networks with their gradients for each sample in one step; of a search those that were counted";
    EVALUATIONS_2_STEPS = "evaluations_2_steps", "evaluations", Lower, "evaluations_one_step for 2 steps";
    EVALUATIONS_5_STEPS = "evaluations_5_steps", "evaluations", Lower, "evaluations_one_step for 5 steps";
    EVALUATIONS_64_STEPS = "evaluations_64_steps", "evaluations", Lower, "evaluations_one_step for 64 steps";
    MILLISECONDS_ONE_STEP = "ms_per_1000_one_step", "ms", Lower,
        "milliseconds for 1000 samples in one step on one thread, the least of at least three times";
    MILLISECONDS_2_STEPS = "ms_per_1000_2_steps", "ms", Lower, "ms_per_1000_one_step for 2 steps";
    MILLISECONDS_5_STEPS = "ms_per_1000_5_steps", "ms", Lower, "ms_per_1000_one_step for 5 steps";
    MILLISECONDS_64_STEPS = "ms_per_1000_64_steps", "ms", Lower, "ms_per_1000_one_step for 64 steps";
}

/// Numbers of steps, each with the metrics that are the evaluations of networks and the milliseconds of so many.
pub const SAMPLING_BY_STEPS: [(usize, &Metric, &Metric); 4] = [
    (1, EVALUATIONS_ONE_STEP, MILLISECONDS_ONE_STEP),
    (2, EVALUATIONS_2_STEPS, MILLISECONDS_2_STEPS),
    (5, EVALUATIONS_5_STEPS, MILLISECONDS_5_STEPS),
    (64, EVALUATIONS_64_STEPS, MILLISECONDS_64_STEPS),
];

/// How far above its floor a distance still counts as near, in [`SECONDS_TO_NEAR_FLOOR`].
pub const NEAR_FLOOR: f64 = 1.5;
