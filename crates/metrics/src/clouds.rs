//! Generated points against points of the target.

use crate::Metric;

crate::catalogue! { CLOUDS:
    W2_SQUARED = "w2_squared", "length²", Lower,
        "min Σ P‖x−y‖² between generated and target points, all coordinates, exact";
    CONDITIONAL_W2_SQUARED = "conditional_w2_squared", "length²", Lower,
        "of a flow conditioned on a label: w2_squared between the generated and the target points of a class, mean over the \
         classes";
    WORST_CLASS_W2_SQUARED = "worst_class_w2_squared", "length²", Lower,
        "the largest of the same over the classes";
    JOINT_W2_SQUARED = "joint_w2_squared", "1", Lower,
        "of a flow conditioned on a vector c: w2_squared between generated and target rows (x, c), both in the units of the \
         training: small only where the points are those of their conditions";
    SINKHORN_DIVERGENCE_2D = "sinkhorn_divergence_2d", "length²", Lower,
        "debiased entropic cost, c = ½‖x−y‖², blur 0.05, first two coordinates, iterated to a marginal error of 1e−4 \
         (≈ ½·w2_squared there)";
    SINKHORN_DIVERGENCE_2D_AS_PUBLISHED = "sinkhorn_divergence_2d_as_published", "length²", Lower,
        "the same with geomloss' default schedule, which stops before convergence: the number that arXiv 2407.11901 \
         prints";
    OFF_MANIFOLD_RMS = "off_manifold_rms", "length", Lower,
        "RMS of the padded coordinates, which are 0 on the target";
    TAIL_L1 = "tail_l1", "1", Lower,
        "∫ |S_generated(r) − S_target(r)| d(log r) of the radial survival functions S(r) = P(‖x‖ > r), from the median \
         norm of the target on: finite where moments are not, which w2_squared and w1 estimate by single far points";
    TAIL_INDEX = "tail_index", "1", Neither,
        "Hill's estimate of ν in P(‖x‖ > r) ~ r^(−ν), of the farthest hundredth of the generated points; the floor is that \
         of the target, 10.9 that of a Gaussian in the plane: above the floor, the tail is too light";
    STRAY_SHARE = "stray_share", "1", Lower,
        "share of the generated points further than 0.3 from each of 100 000 points of the target: what lies in the gaps \
         between its parts, or off it";
    W2_SQUARED_ONE_STEP = "w2_squared_one_step", "length²", Lower,
        "w2_squared of the flow run in one Euler step, h = T";
    W2_SQUARED_2_STEPS = "w2_squared_2_steps", "length²", Lower, "w2_squared of the flow run in 2 Euler steps";
    W2_SQUARED_5_STEPS = "w2_squared_5_steps", "length²", Lower, "w2_squared of the flow run in 5 Euler steps";
    W2_SQUARED_64_STEPS = "w2_squared_64_steps", "length²", Lower, "w2_squared of the flow run in 64 Euler steps";
    HELD_OUT_W1 = "held_out_w1", "length", Lower,
        "w1 between the particles at half time, which begin at all points of the earlier snapshot, and the snapshot \
         between that the training has not seen";
    HELD_OUT_W2 = "held_out_w2", "length", Lower, "the same as w2";
    W1 = "w1", "length", Lower, "min Σ P‖x−y‖ between generated and target points, all coordinates, exact";
    W2 = "w2", "length", Lower,
        "(min Σ P‖x−y‖²)^½ between generated and target points, all coordinates, exact";
    W2_EVEN = "w2_even", "length", Lower,
        "w2 where the generated points begin at points that fill their law evenly, not at random ones";
    SLICED_W2 = "sliced_w2", "length", Lower,
        "(mean over random directions θ of W2²(θ·x, θ·y))^½ between generated and target points";
    COORDINATE_W1_WORST = "coordinate_w1_worst", "1", Lower,
        "largest over the columns j of W1(x_j, y_j)/E|y_j − median y_j|, of columns that hardly vary over the mean of \
         these: what distances in all coordinates hide where one of them has a heavy tail or a large unit";
    COORDINATE_W1_WORST_COLUMN = "coordinate_w1_worst_column", "column", Neither,
        "the column of coordinate_w1_worst, from 0";
    NEAREST_TRAINING_DISTANCE = "nearest_training_distance", "length", Neither,
        "median over the generated points of the distance to the nearest row of the training; the floor is that of \
         rows held out: far below it, rows were learnt by heart";
    MODES_COVERED = "modes_covered", "modes", Higher,
        "modes with at least a quarter of the points within 3 standard deviations that an equal share would give";
    HIGH_QUALITY_SHARE = "high_quality_share", "1", Higher,
        "share of the generated points within 3 standard deviations of a mode";
    ACCURACY_ALL = "accuracy_all", "1", Higher,
        "accuracy of the 1-nearest-neighbour classifier fitted on the moved source digits, all test digits of the \
         target";
    ACCURACY_2007 = "accuracy_2007", "1", Higher, "the same on 2007 test digits of the target drawn at random";
    LABEL_AGREEMENT = "label_agreement", "1", Higher,
        "share of the mass of the exact plan between source and target digits that keeps its label, n = 3000";
}

/// Numbers of Euler steps, each with the metric that is [`W2_SQUARED`] of the flow run in so many.
pub const W2_SQUARED_BY_STEPS: [(usize, &Metric); 4] =
    [(1, W2_SQUARED_ONE_STEP), (2, W2_SQUARED_2_STEPS), (5, W2_SQUARED_5_STEPS), (64, W2_SQUARED_64_STEPS)];
