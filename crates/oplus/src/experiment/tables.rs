//! The tables of the experiments.

use eval::report::Columns;
use eval::results::Results;
use metrics::{
    ACCURACY_2007, ACCURACY_ALL, ACCURACY_BEST, BACKGROUND_NOISE, BEYOND_REACH, CLASS_ENTROPY,
    CONDITIONAL_W2_SQUARED, COORDINATE_W1_WORST, COSINE, COST_ERROR, CRITIC_SLOPE_MAX, EVALUATIONS_2_STEPS,
    EVALUATIONS_5_STEPS, EVALUATIONS_64_STEPS, EVALUATIONS_ONE_STEP, EXACT_FLOW_ERROR, EXACT_LAW_ERROR,
    FRECHET_DISTANCE, GEOMETRIC_DEVIATION, HELD_OUT_W1, HELD_OUT_W2, HIGH_QUALITY_SHARE,
    HJ_RESIDUAL_RELATIVE, INVERSE_L2_UVP, ITERATION_OF_ACCURACY_BEST, ITERATIONS_TO_W2, JOINT_W2_SQUARED,
    KERNEL_DISTANCE, KINETIC_ENERGY, L2_UVP, LABEL_ACCURACY, LABEL_AGREEMENT, MILLISECONDS_2_STEPS,
    MILLISECONDS_5_STEPS, MILLISECONDS_64_STEPS, MILLISECONDS_ONE_STEP, MODES_COVERED, Metric,
    NEAREST_TRAINING_DISTANCE, NORMALISED_PATH_ENERGY, OFF_MANIFOLD_RMS, OPTIMAL_SHARE, PARAMETERS,
    PATH_ENERGY, PATH_RATIO, PEAK_MEMORY, PRECISION, RECALL, SECONDS_PER_ITERATION, SECONDS_TO_NEAR_FLOOR,
    SECONDS_TO_W2, SINKHORN_DIVERGENCE_2D, SINKHORN_DIVERGENCE_2D_AS_PUBLISHED, SLICED_W2, STEP_INVARIANCE,
    STEP_INVARIANCE_5, STEP_INVARIANCE_10, STEP_INVARIANCE_20, STEP_INVARIANCE_40, STEP_INVARIANCE_64,
    STEP_INVARIANCE_80, STEP_INVARIANCE_160, STRAIGHTNESS, STRAY_SHARE, TAIL_INDEX, TAIL_L1,
    TERMINAL_GRADIENT_RELATIVE, TRAINING_SECONDS, W1, W1_DUAL, W1_ERROR, W1_KNOWN, W1_KNOWN_ERROR, W2,
    W2_EVEN, W2_FIXED, W2_SQUARED, W2_SQUARED_2_STEPS, W2_SQUARED_5_STEPS, W2_SQUARED_64_STEPS,
    W2_SQUARED_ONE_STEP, W2_SQUARED_START, WORST_CLASS_W2_SQUARED,
};

/// The tables of rows that belong to no experiment: the user's own data, whose runs have a verdict each, or what only rows of
/// one kind measure.
pub(crate) fn tables_of(results: &Results) -> &'static [Columns] {
    const BY_MEASURE: [(&Metric, &[Columns]); 8] = [
        (ACCURACY_ALL, DIGIT_TABLES),
        (W2_EVEN, RING_TABLES),
        (FRECHET_DISTANCE, IMAGE_TABLES),
        (L2_UVP, KNOWN_MAP_TABLES),
        (W1_DUAL, CRITIC_TABLES),
        (HELD_OUT_W1, CELL_TABLES),
        (CONDITIONAL_W2_SQUARED, CONDITIONAL_TABLES),
        (TAIL_L1, TAIL_TABLES),
    ];
    if results.rows.iter().any(|row| row.verdict.is_some()) {
        return OWN_TABLES;
    }
    let has = |metric: &Metric| results.rows.iter().any(|row| row.metrics.get(metric).is_some());
    BY_MEASURE.into_iter().find(|(metric, _)| has(metric)).map_or(FLOW_TABLES, |(_, tables)| tables)
}

/// The indicators of the optimality system.
const INDICATORS: Columns = Columns {
    caption: "indicators over {n} particles, 2000 at most; all but the last three are 0 at the exact optimum, critic_slope_max \
              is at most 1 where the bound on the critic is kept, optimal_share is 1 at the optimum.",
    metrics: &[
        STRAIGHTNESS,
        PATH_RATIO,
        STEP_INVARIANCE,
        HJ_RESIDUAL_RELATIVE,
        TERMINAL_GRADIENT_RELATIVE,
        CRITIC_SLOPE_MAX,
        KINETIC_ENERGY,
        OPTIMAL_SHARE,
    ],
    with_status_and_floor: false,
    in_print: None,
};

/// What a training costs.
const COST_OF_TRAINING: Columns = Columns {
    caption: "cost of the training: one thread a run, on a machine whose other runs and programs went on beside. \
              seconds_to_1.5_floor is the first look at which w2_squared was at most 1.5 times its floor.",
    metrics: &[W2_SQUARED, TRAINING_SECONDS, SECONDS_TO_NEAR_FLOOR, PARAMETERS, PEAK_MEMORY],
    with_status_and_floor: false,
    in_print: None,
};

/// The tables of flows to the user's own data.
const OWN_TABLES: &[Columns] = &[
    Columns {
        caption: "distances to rows that were held out, of the training where none were; each number the mean over as many \
                  pairs of clouds as these rows make, which the verdict of each run in results.json tells. ± is the standard \
                  deviation over seeds, over the pairs where there is one seed. The floor is the same for rows of the \
                  training; where the settings change the data, each run has its own, and none stands here.",
        metrics: &[
            W2_SQUARED,
            W1,
            SLICED_W2,
            COORDINATE_W1_WORST,
            NEAREST_TRAINING_DISTANCE,
            CONDITIONAL_W2_SQUARED,
            JOINT_W2_SQUARED,
            BEYOND_REACH,
        ],
        with_status_and_floor: true,
        in_print: None,
    },
    INDICATORS,
    COST_OF_TRAINING,
];

/// The tables of proximal flows: distances, and the indicators of the optimality system.
pub(super) const FLOW_TABLES: &[Columns] = &[
    Columns {
        caption: "distances; each number the mean over {pairs} pairs of independent clouds: n = {n} for w2_squared, \
                  {sinkhorn} for sinkhorn_divergence_2d, {published} for sinkhorn_divergence_2d_as_published. ± is the \
                  standard deviation over seeds, over the pairs where there is one seed. The floor is the same between \
                  two independent samples of the target, with the deviation over its pairs.",
        metrics: &[
            W2_SQUARED,
            SINKHORN_DIVERGENCE_2D,
            SINKHORN_DIVERGENCE_2D_AS_PUBLISHED,
            OFF_MANIFOLD_RMS,
            STRAY_SHARE,
            W2_SQUARED_ONE_STEP,
            BEYOND_REACH,
            EXACT_FLOW_ERROR,
            EXACT_LAW_ERROR,
        ],
        with_status_and_floor: true,
        in_print: Some(SINKHORN_DIVERGENCE_2D_AS_PUBLISHED),
    },
    INDICATORS,
    COST_OF_TRAINING,
    Columns {
        caption: "cost of samples by the number of Euler steps: what they reach, evaluations of networks a sample, and \
                  milliseconds for 1000 samples on one thread.",
        metrics: &[
            W2_SQUARED_ONE_STEP,
            W2_SQUARED_2_STEPS,
            W2_SQUARED_5_STEPS,
            W2_SQUARED_64_STEPS,
            EVALUATIONS_ONE_STEP,
            EVALUATIONS_2_STEPS,
            EVALUATIONS_5_STEPS,
            EVALUATIONS_64_STEPS,
            MILLISECONDS_ONE_STEP,
            MILLISECONDS_2_STEPS,
            MILLISECONDS_5_STEPS,
            MILLISECONDS_64_STEPS,
        ],
        with_status_and_floor: false,
        in_print: None,
    },
];

/// The table of flows beside flow matching.
pub(super) const RIVAL_TABLES: &[Columns] = &[Columns {
    caption: "generated points against fresh points of the target, exact w2 between n = {n} a side as in print, {pairs} pair a \
              seed; ± is the standard deviation over seeds. w2 is after the steps that the configuration names: 20 of Euler \
              for flow matching, one of ours, which is exact. The floor is the same between two independent samples of the \
              target, for the same seeds. The least path_energy is w2_squared_start, which samples overestimate.",
    metrics: &[
        W2,
        W2_SQUARED,
        W2_SQUARED_ONE_STEP,
        W2_SQUARED_2_STEPS,
        W2_SQUARED_5_STEPS,
        W2_SQUARED_64_STEPS,
        PATH_ENERGY,
        W2_SQUARED_START,
        NORMALISED_PATH_ENERGY,
        PATH_RATIO,
        STEP_INVARIANCE,
        STRAY_SHARE,
        OPTIMAL_SHARE,
    ],
    with_status_and_floor: true,
    in_print: Some(W2),
}];

/// The table of generators on the ring.
pub(super) const RING_TABLES: &[Columns] = &[Columns {
    caption: "generated points against fresh points of the ring with balanced modes; each number the mean over \
              {pairs} pairs of independent clouds of n = {n}. ± is the standard deviation over seeds, over the pairs \
              where there is one seed. Generated points begin at random points, whose counts of the modes are random \
              however well the generator is trained: their floor is the one of random against equal counts; w2_even \
              begins at points that fill their law evenly, and its floor is that of equal counts.",
    metrics: &[
        W1,
        W2,
        W2_EVEN,
        MODES_COVERED,
        HIGH_QUALITY_SHARE,
        W2_FIXED,
        ITERATIONS_TO_W2,
        SECONDS_TO_W2,
        SECONDS_PER_ITERATION,
        GEOMETRIC_DEVIATION,
    ],
    with_status_and_floor: true,
    in_print: None,
}];

/// The table of digits moved from one set to another.
pub(super) const DIGIT_TABLES: &[Columns] = &[Columns {
    caption: "accuracy of the 1-nearest-neighbour classifier fitted on the moved source digits with their labels, on \
              the test digits of the target, and exact w2 between moved source and target test digits, mean over \
              {pairs} pairs of n = {n} (fewer where a test set is smaller). ± is the standard deviation over seeds, \
              of the floor and of one seed over pairs, which share test digits where these are few. \
              The floor is w2 between training and test digits of the target.",
    metrics: &[
        ACCURACY_ALL,
        ACCURACY_2007,
        ACCURACY_BEST,
        ITERATION_OF_ACCURACY_BEST,
        W2,
        LABEL_AGREEMENT,
        SECONDS_PER_ITERATION,
    ],
    with_status_and_floor: true,
    in_print: None,
}];

/// The table of flows under a label.
pub(super) const CONDITIONAL_TABLES: &[Columns] = &[Columns {
    caption: "each number the mean over {pairs} pairs of clouds of n = {n}, labels as frequent as in the data. \
              conditional_w2_squared is the mean over the classes of w2_squared within a class, worst_class_w2_squared the \
              largest of them; the floor is the same between independent samples of the target, of digits between training \
              digits and those that were held out. w2_squared, stray_share and frechet_distance are of all classes together, \
              label_accuracy is how many digits the classifier of the set reads as they were asked for.",
    metrics: &[
        CONDITIONAL_W2_SQUARED,
        WORST_CLASS_W2_SQUARED,
        W2_SQUARED,
        STRAY_SHARE,
        LABEL_ACCURACY,
        FRECHET_DISTANCE,
        OPTIMAL_SHARE,
        TRAINING_SECONDS,
    ],
    with_status_and_floor: true,
    in_print: None,
}];

/// The table of flows to targets with heavy tails.
pub(super) const TAIL_TABLES: &[Columns] = &[Columns {
    caption: "generated points against fresh points of the target, each number the mean over {pairs} pairs of clouds of n = {n}; the \
              number in student-t3 is ν. tail_l1 and tail_index are of the norms of the points; the latter is to be that of the \
              floor, more is too light a tail. w1 has no finite value for ν ≤ 1, nor w2_squared for ν ≤ 2: they are then what \
              single far points make them, in the floor too. beyond_reach is of the bound L, which w2 rows do not have.",
    metrics: &[
        TAIL_L1,
        TAIL_INDEX,
        W1,
        W2_SQUARED,
        OFF_MANIFOLD_RMS,
        BEYOND_REACH,
        CRITIC_SLOPE_MAX,
        OPTIMAL_SHARE,
        TRAINING_SECONDS,
    ],
    with_status_and_floor: true,
    in_print: None,
}];

/// The tables of images.
pub(super) const IMAGE_TABLES: &[Columns] = &[
    Columns {
        caption: "generated images against test images, which no training has seen: scores of all {pairs} × {n} together, exact \
                  w2_squared between {n} a side, mean over {pairs} pairs. frechet_distance, kernel_distance, precision and \
                  recall are those of the features of the classifier of the set (`cargo xtask classifier`), class_entropy of \
                  its classes. real are training images, gaussian is the normal law with their mean and covariance; the floor \
                  is of other training images.",
        metrics: &[
            FRECHET_DISTANCE,
            KERNEL_DISTANCE,
            CLASS_ENTROPY,
            PRECISION,
            RECALL,
            W2_SQUARED,
            NEAREST_TRAINING_DISTANCE,
            BACKGROUND_NOISE,
        ],
        with_status_and_floor: true,
        in_print: None,
    },
    Columns {
        caption: "cost: seconds of training on one thread of a machine whose other programs went on beside, and milliseconds for \
                  1000 images; the indicators of the optimality system, which are 0 at the optimum but for kinetic_energy.",
        metrics: &[
            TRAINING_SECONDS,
            PARAMETERS,
            PEAK_MEMORY,
            MILLISECONDS_ONE_STEP,
            MILLISECONDS_64_STEPS,
            KINETIC_ENERGY,
            STEP_INVARIANCE,
            PATH_RATIO,
            HJ_RESIDUAL_RELATIVE,
            OPTIMAL_SHARE,
        ],
        with_status_and_floor: false,
        in_print: None,
    },
];

/// The tables of proximal flows to images.
pub(super) const PROXIMAL_TABLES: &[Columns] = &[
    Columns {
        caption: "optimality: kinetic_energy and the indicators that are 0 at the optimum, along the paths of up to 81 particles; \
                  step_invariance compares h = T with T/320, step_invariance_5 and step_invariance_64 T/5 and T/64. Images \
                  against test images: {pairs} pairs of n = {n}. The floor is of other training images.",
        metrics: &[
            KINETIC_ENERGY,
            STEP_INVARIANCE,
            STEP_INVARIANCE_5,
            STEP_INVARIANCE_64,
            PATH_RATIO,
            HJ_RESIDUAL_RELATIVE,
            TERMINAL_GRADIENT_RELATIVE,
            CRITIC_SLOPE_MAX,
            FRECHET_DISTANCE,
            CLASS_ENTROPY,
            W2_SQUARED,
        ],
        with_status_and_floor: true,
        in_print: Some(KINETIC_ENERGY),
    },
    Columns {
        caption: "how far the ends of paths in steps of length h are from those with h = 2⁻⁶, over the length of the paths: \
                  h = T = 5 (step_invariance), 1 (step_invariance_5), 2⁻¹, 2⁻², 2⁻³, 2⁻⁴ and 2⁻⁵ (step_invariance_160), as \
                  Figure 2 of the publication has them.",
        metrics: &[
            STEP_INVARIANCE,
            STEP_INVARIANCE_5,
            STEP_INVARIANCE_10,
            STEP_INVARIANCE_20,
            STEP_INVARIANCE_40,
            STEP_INVARIANCE_80,
            STEP_INVARIANCE_160,
        ],
        with_status_and_floor: false,
        in_print: None,
    },
];

/// The tables of maps whose truth is known for every point.
pub(super) const KNOWN_MAP_TABLES: &[Columns] = &[
    Columns {
        caption: "maps against the optimal one on 65 536 pairs that no training has seen (2048 in the preset smoke). \
                  identity moves nothing, linear is the optimal map between the Gaussians with the moments of 65 536 points \
                  a side, both measured here. ± is the standard deviation over seeds.",
        metrics: &[L2_UVP, COSINE, INVERSE_L2_UVP, COST_ERROR],
        with_status_and_floor: false,
        in_print: Some(L2_UVP),
    },
    Columns {
        caption: "distances between samples, which say less the more dimensions there are: the mean over {pairs} pairs of \
                  independent clouds of n = {n}. The floor is the same between two independent samples of the target.",
        metrics: &[W2_SQUARED, OPTIMAL_SHARE],
        with_status_and_floor: true,
        in_print: None,
    },
];

/// The table of critics whose truth is known.
pub(super) const CRITIC_TABLES: &[Columns] = &[Columns {
    caption: "critics against the optimal one on 16 384 pairs of the optimal plan that no training has seen (2048 in the preset \
              smoke). dot is the exact plan between {n} points a side, mean over {pairs} minibatches: its directions for \
              gradients, its cost for W1. ± is the standard deviation over seeds, of dot over the minibatches.",
    metrics: &[
        COSINE,
        W1_ERROR,
        W1_DUAL,
        W1_KNOWN,
        W1_KNOWN_ERROR,
        CRITIC_SLOPE_MAX,
        TRAINING_SECONDS,
        PARAMETERS,
    ],
    with_status_and_floor: false,
    in_print: Some(COSINE),
}];

/// The tables of snapshots of cells.
pub(super) const CELL_TABLES: &[Columns] = &[
    Columns {
        caption: "at the day between: particles at half time of the flow from the day before to the day after (dataset), against \
                  all cells of the day between, which no training has seen. earlier-day and later-day are the cells of these days, \
                  linear the middle of the exact plan between them, halves one half of the cells held out against the other. \
                  ± is the standard deviation over seeds.",
        metrics: &[HELD_OUT_W1, HELD_OUT_W2],
        with_status_and_floor: false,
        in_print: None,
    },
    Columns {
        caption: "at the end of the flow: distances to the cells that it was trained on.",
        metrics: &[W2_SQUARED, KINETIC_ENERGY],
        with_status_and_floor: true,
        in_print: None,
    },
];

#[cfg(test)]
mod tests {
    use super::tables_of;
    use crate::experiment::find;
    use eval::results::Results;
    use std::path::Path;

    #[test]
    fn rows_without_their_experiment_have_its_tables() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results");
        for kept in [
            "table1",
            "ring",
            "usps-mnist",
            "images",
            "w2-benchmark",
            "w1-benchmark",
            "cells",
            "heavy-tails",
            "conditional/planar",
        ] {
            let text = std::fs::read_to_string(folder.join(kept).join("results.json")).unwrap();
            let results: Results = serde_json::from_str(&text).unwrap();
            let captions =
                |tables: &[super::Columns]| -> Vec<_> { tables.iter().map(|table| table.caption).collect() };
            assert_eq!(
                captions(tables_of(&results)),
                captions(find(&results.experiment).unwrap().tables),
                "{kept}"
            );
        }
    }
}
