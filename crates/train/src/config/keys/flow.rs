//! The keys of a flow, and of what it shares with a generator.

use super::form::{Form, Range};
use super::points::{CONDITION, POINTS};
use super::representation::{CONVOLUTIONS, REPRESENTATION};
use super::{Choice, Key, Variant};
use Form::{Count, Flag, Number, Table, Widths, Word};
use Range::{Finite, Fraction, NotNegative, Positive, Share};
use flows::lipschitz::SLOPE_PENALTY_NAMES;

/// Of a flow.
pub(super) const KEYS: &[Key] = &[
    NAME,
    SEED,
    DATA,
    INITIAL,
    Key::optional(
        "condition",
        Form::Choice(&CONDITION),
        "{ kind = \"label\" }",
        "What the points are conditioned on, with `explicit`: samples are asked for under a condition.",
    ),
    Key::new("flow", Table(FLOW), "{}", "What the flow minimises, its horizon and its steps."),
    Key::new(
        "representation",
        Form::Choice(&REPRESENTATION),
        "{ kind = \"explicit\" }",
        "What the flow is made of.",
    ),
    Key::new("critic", Table(CRITIC), "{}", "The critic φ, and the divergence that it measures.")
        .of_the_game(),
    Key::new("training", Table(TRAINING), "{}", "The loop and its optimisers."),
    Key::optional(
        "stop_when",
        Table(STOP_WHEN),
        "{ records = 3, path_ratio = 0.01 }",
        "Ends the run early once each indicator that is given stays at or below its value; not with `explicit` or \
         `hopf-lax`, where they are 0 by construction.",
    )
    .of_the_game(),
    Key::new("sampling", Table(SAMPLING), "{}", "How the trained flow is sampled."),
];

pub(super) const NAME: Key =
    Key::required("name", Form::RunName, "\"mine\"", "The name of the run; its folder is called after it.");

pub(super) const SEED: Key = Key::new("seed", Form::Seed, "0", "The seed of every random stream.");

pub(super) const DATA: Key = Key::required(
    "data",
    Form::Choice(&POINTS),
    "{ kind = \"file\", file = \"points.npy\" }",
    "The data: the target that the points are moved to.",
);

pub(super) const INITIAL: Key = Key::new(
    "initial",
    Form::Choice(&POINTS),
    "{ kind = \"normal\" }",
    "What is moved to the data; a law has the dimension of the data where it says none.",
);

const FLOW: &[Key] = &[
    Key::new("horizon", Number(Positive), "1.0", "The time T that a path takes."),
    Key::new(
        "lambda",
        Number(Positive),
        "0.1",
        "The weight λ of the kinetic energy; a point travels at most critic.bound·horizon/lambda.",
    )
    .of_the_game(),
    Key::required(
        "steps",
        Form::Steps,
        "{ min = 1, max = 6 }",
        "Euler steps of a training iteration; with `explicit` and `hopf-lax` one is exact.",
    )
    .with_straight("1")
    .of_the_game(),
    Key::new("kinetic", Flag, "true", "Whether the kinetic energy is paid at all.").of_the_game(),
    Key::new(
        "velocity_spread",
        Number(NotNegative),
        "0.0",
        "Weight of the spread of the speed along a path; not with `explicit` or `hopf-lax`.",
    )
    .of_the_game(),
    Key::new("hamilton_jacobi", Number(NotNegative), "0.0", "Weight of the Hamilton–Jacobi residual; not with `explicit` or `hopf-lax`.")
        .of_the_game(),
    Key::new(
        "hamilton_jacobi_sign",
        Word(&["right", "as-published"]),
        "\"right\"",
        "The sign of the energy in that residual; `as-published` is wrong, and there to compare with numbers in print.",
    )
    .of_the_game(),
    Key::new(
        "terminal_gradient",
        Number(NotNegative),
        "0.0",
        "Weight of the terminal condition ∇U(x, T) = ∇φ(x); not with `explicit` or `hopf-lax`.",
    )
    .of_the_game(),
    Key::new("characteristic", Number(NotNegative), "0.0", "Weight of the bending of paths; not with `explicit` or `hopf-lax`.").of_the_game(),
    Key::new(
        "noise",
        Number(NotNegative),
        "0.0",
        "The σ of dx = v dt + σ dW; not with `explicit` or `hopf-lax`.",
    )
    .of_the_game(),
    Key::optional(
        "interaction",
        Form::Choice(&INTERACTION),
        "{ kind = \"quadratic\", weight = 1.0 }",
        "A running cost of the particles' law; not with `explicit` or `hopf-lax`.",
    )
    .of_the_game(),
];

const INTERACTION: Choice = Choice {
    tag: "kind",
    default: None,
    shared: &[Key::required(
        "weight",
        Number(Finite),
        "1.0",
        "Its weight; below 0 what attracts repels, and the other way round.",
    )],
    variants: &[
        Variant { name: "quadratic", says: "Half the squared distance: attraction.", keys: &[] },
        Variant {
            name: "gaussian",
            says: "A bump of the distance: repulsion.",
            keys: &[Key::required("width", Number(Positive), "1.0", "The width of the bump.")],
        },
    ],
};

pub(super) const CRITIC: &[Key] = &[
    Key::required(
        "divergence",
        Form::Divergence,
        "\"kl-donsker-varadhan\"",
        "The divergence between the end of the flow and the data.",
    )
    .with_straight("\"kl-donsker-varadhan\""),
    Key::new(
        "divergence_weight",
        Number(Positive),
        "1.0",
        "The weight c of the divergence; above 1 the flow stops less short of the data.",
    )
    .with_explicit("30.0"),
    Key::new(
        "bound",
        Number(Positive),
        "1.0",
        "The bound L of its slope ‖∇φ‖; of an explicit flow held with `base = \"identity\"` and neither quadratic form nor second potential only.",
    ),
    Key::required(
        "lipschitz",
        Form::Choice(&LIPSCHITZ),
        "{ method = \"penalty\", form = \"lp\", weight = 30.0 }",
        "How the slope is held to the bound.",
    )
    .with_straight("{ method = \"penalty\" }")
    .of_the_adversary(),
    CONVOLUTIONS.of_the_adversary(),
    Key::new("hidden", Widths, "[128, 128, 128]", "Hidden widths.").of_the_adversary(),
    Key::new("activation", Word(ACTIVATIONS), "\"relu\"", "Activation; `hopf-lax` needs a smooth one.")
        .with_straight("\"sharp-softplus\"")
        .of_the_adversary(),
    INITIALISATION.of_the_adversary(),
];

const LIPSCHITZ: Choice = Choice {
    tag: "method",
    default: Some("penalty"),
    shared: &[],
    variants: &[
        Variant { name: "none", says: "Not at all: no W1 proximal.", keys: &[] },
        Variant {
            name: "penalty",
            says: "A penalty on the slope.",
            keys: &[
                Key::required(
                    "form",
                    Word(&SLOPE_PENALTY_NAMES),
                    "\"lp\"",
                    "What is penalised: relu(g² − L²), relu(g − L)² or (g − L)² of a slope g.",
                )
                .with_straight("\"lp\""),
                Key::required("weight", Number(Positive), "30.0", "Its weight.").with_straight("30.0"),
                Key::new(
                    "points",
                    Word(&["interpolates", "everywhere"]),
                    "\"interpolates\"",
                    "Where it is taken: between generated points and data, or at them too.",
                )
                .with_straight("\"everywhere\""),
            ],
        },
        Variant { name: "spectral", says: "Spectral normalisation of every layer.", keys: &[] },
        Variant {
            name: "orthonormal",
            says: "Orthonormal layers, for the activation `relu` and even widths: the bound holds by construction.",
            keys: &[],
        },
    ],
};

pub(super) const TRAINING: &[Key] = &[
    Key::required(
        "iterations",
        Count(1),
        "3000",
        "Updates of the flow, of the generator or of a critic alone.",
    )
    .with_straight("3000"),
    Key::required("batch", Count(2), "256", "Points in a minibatch.").with_straight("256"),
    Key::required("critic_updates", Count(1), "2", "Updates of the critic for each iteration.")
        .with_straight("2")
        .of_the_second_player(),
    Key::new(
        "average",
        Number(Fraction),
        "0.0",
        "Decay of the moving average of the weights; 0 keeps the last.",
    )
    .with_straight("0.998"),
    Key::new("log_every", Count(1), "100", "Iterations between two records of metrics.jsonl."),
    Key::new("checkpoint_every", Count(1), "5000", "Iterations between two checkpoints."),
    Key::new("optimiser", Table(OPTIMISER), "{}", "Adam of the flow, of the generator or of a critic alone."),
    Key::new("critic_optimiser", Table(OPTIMISER), "{}", "Adam of the critic or of the potentials.")
        .of_the_second_player(),
];

const OPTIMISER: &[Key] = &[
    Key::required("learning_rate", Number(Positive), "2e-3", "Learning rate at the start.")
        .with_straight("2e-3"),
    Key::new("beta1", Number(Fraction), "0.5", "Decay of the first moment."),
    Key::new("beta2", Number(Fraction), "0.9", "Decay of the second moment."),
    Key::new("epsilon", Number(Positive), "1e-8", "Added to the root of the second moment."),
    Key::new(
        "schedule",
        Form::Choice(&SCHEDULE),
        "{ kind = \"constant\" }",
        "How the rate changes over the run.",
    )
    .with_straight("{ kind = \"cosine\", end = 0.02 }"),
];

const SCHEDULE: Choice = Choice {
    tag: "kind",
    default: None,
    shared: &[],
    variants: &[
        Variant { name: "constant", says: "It does not.", keys: &[] },
        Variant {
            name: "cosine",
            says: "It falls on half a cosine.",
            keys: &[Key::required(
                "end",
                Number(Share),
                "0.02",
                "The fraction of the rate that is left at the end.",
            )],
        },
        Variant {
            name: "linear",
            says: "It stays, and then falls linearly.",
            keys: &[
                Key::required("start", Number(Share), "0.5", "The fraction of the run after which it falls."),
                Key::required(
                    "end",
                    Number(Share),
                    "0.02",
                    "The fraction of the rate that is left at the end.",
                ),
            ],
        },
        Variant {
            name: "steps",
            says: "It is multiplied by a factor after each of some equal parts of the run but the last.",
            keys: &[
                Key::required("parts", Count(1), "5", "How many parts."),
                Key::required("factor", Number(Share), "0.5", "The factor, from 0 to 1."),
            ],
        },
    ],
};

const STOP_WHEN: &[Key] = &[
    Key::required("records", Count(1), "3", "Records in a row."),
    Key::optional(
        "hj_residual_relative",
        Number(Finite),
        "0.05",
        "The Hamilton–Jacobi residual over ∂ₜU, each as root mean square.",
    ),
    Key::optional(
        "terminal_gradient_relative",
        Number(Finite),
        "0.05",
        "The gap of the terminal condition over ∇φ, each as root mean square.",
    ),
    Key::optional(
        "path_ratio",
        Number(Finite),
        "0.01",
        "Mean length of paths over mean displacement, minus 1.",
    ),
];

const SAMPLING: &[Key] = &[Key::new(
    "steps",
    Count(1),
    "64",
    "Euler steps of a sample; `hopf-lax` takes one, since any number is exact.",
)];

pub(super) const ACTIVATIONS: &[&str] = &["tanh", "softplus", "sharp-softplus", "relu"];

/// Of a perceptron.
pub(super) const INITIALISATION: Key =
    Key::new("initialisation", Form::Initialisation, "\"glorot-uniform\"", "How its weights are drawn.");

/// Of a network whose last layer begins small.
pub(super) const RESIDUAL_INITIALISATION: &[Key] = &[
    Key::optional(
        "hidden",
        Number(NotNegative),
        "0.02",
        "Standard deviation of the hidden weights; √(2/inputs) where it is left out.",
    ),
    Key::new("last", Number(NotNegative), "0.01", "Standard deviation of the last weights."),
    Key::optional(
        "scale",
        Number(NotNegative),
        "0.02",
        "Standard deviation of the normalisation's factors around 0; where it is left out they begin at 1.",
    ),
];
