//! The keys of a generator.

use super::flow::{
    ACTIVATIONS, CRITIC, DATA, INITIAL, INITIALISATION, NAME, RESIDUAL_INITIALISATION, SEED, TRAINING,
};
use super::form::{Form, Range};
use super::{Choice, Key, Variant};
use Form::{Count, Flag, Number, Table, Widths, Word};
use Range::{AboveOne, Fraction, NotNegative, Positive};

/// Of a generator.
pub(super) const KEYS: &[Key] = &[
    NAME,
    SEED,
    DATA,
    INITIAL,
    Key::new("generator", Table(GENERATOR), "{}", "The generator G, a network."),
    Key::optional(
        "critic",
        Table(CRITIC),
        "{ divergence = \"w1\", lipschitz = { method = \"penalty\", form = \"lp\", weight = 10.0 } }",
        "The critic of a divergence; give this table or `potentials`.",
    ),
    Key::optional(
        "potentials",
        Table(POTENTIALS),
        "{ penalty = { kind = \"quadratic\", weight = 1e6 } }",
        "The Kantorovich potentials of ½·W2²; give this table or `critic`.",
    ),
    Key::required(
        "update",
        Form::Choice(&UPDATE),
        "{ kind = \"flow\", epsilon = 0.5 }",
        "The update of the generator.",
    ),
    Key::new("training", Table(TRAINING), "{}", "The loop and its optimisers."),
];

const GENERATOR: &[Key] = &[
    Key::new("hidden", Widths, "[128, 128, 128]", "Hidden widths."),
    Key::new("activation", Word(ACTIVATIONS), "\"relu\"", "Activation."),
    Key::new("batch_norm", Flag, "false", "Whether the hidden layers are batch-normalised."),
    Key::new(
        "momentum",
        Number(Fraction),
        "0.1",
        "Share of a batch in the running averages of the normalisation.",
    ),
    Key::new("residual", Flag, "false", "Whether the input is added to the output."),
    Key::new("output", Form::Choice(&OUTPUT), "{ kind = \"identity\" }", "What the last layer goes through."),
    Key::new("initialisation", Table(RESIDUAL_INITIALISATION), "{}", "How its weights are drawn."),
];

const OUTPUT: Choice = Choice {
    tag: "kind",
    default: None,
    shared: &[],
    variants: &[
        Variant { name: "identity", says: "Nothing.", keys: &[] },
        Variant {
            name: "tanh",
            says: "scale·tanh, for points in a cube.",
            keys: &[Key::required("scale", Number(Positive), "1.0", "Half the side of the cube.")],
        },
    ],
};

pub(super) const POTENTIALS: &[Key] = &[
    Key::new(
        "psi",
        Word(&["separate", "minus-phi"]),
        "\"separate\"",
        "Whether the second potential is a network of its own, or minus the first.",
    ),
    Key::required(
        "penalty",
        Form::Choice(&PENALTY),
        "{ kind = \"quadratic\", weight = 1e6 }",
        "The penalty on pairs at which the potentials exceed the cost.",
    ),
    Key::new(
        "pairing",
        Word(&["paired", "all"]),
        "\"paired\"",
        "The pairs of a minibatch that it is averaged over: the i-th with the i-th, or all.",
    ),
    Key::new("interpolated", Flag, "false", "Whether pairs of points between them are penalised too."),
    Key::new(
        "equality",
        Number(NotNegative),
        "0.0",
        "Weight of the terms that hold interpolated pairs to equality.",
    ),
    Key::new(
        "hidden",
        Widths,
        "[128, 128, 128]",
        "Hidden widths of each network; an explicit flow is itself the first one.",
    ),
    Key::new("activation", Word(ACTIVATIONS), "\"relu\"", "Activation."),
    INITIALISATION,
];

const PENALTY: Choice = Choice {
    tag: "kind",
    default: None,
    shared: &[],
    variants: &[
        Variant {
            name: "linear",
            says: "Proportional to the excess.",
            keys: &[Key::required("weight", Number(AboveOne), "100.0", "Its weight.")],
        },
        Variant {
            name: "quadratic",
            says: "Proportional to the square of the excess.",
            keys: &[Key::required("weight", Number(Positive), "1e6", "Its weight.")],
        },
        Variant {
            name: "entropic",
            says: "Exponential in the excess.",
            keys: &[Key::required(
                "temperature",
                Number(Positive),
                "0.1",
                "The excess at which it is e-fold.",
            )],
        },
    ],
};

const UPDATE: Choice = Choice {
    tag: "kind",
    default: None,
    shared: &[],
    variants: &[
        Variant {
            name: "flow",
            says: "A step of the gradient flow, which the generator then learns (W2-FE, W1-FE).",
            keys: &[
                Key::required("epsilon", Number(Positive), "0.5", "The step."),
                Key::new("persistence", Count(1), "1", "Descent steps on one minibatch, K."),
                Key::new(
                    "scheme",
                    Word(&["forward-euler", "adams-bashforth"]),
                    "\"forward-euler\"",
                    "The time stepping.",
                ),
            ],
        },
        Variant {
            name: "direct",
            says: "Descent of the mean of the critic (W2GAN, W1-LP, WGAN-GP).",
            keys: &[],
        },
        Variant {
            name: "non-saturating",
            says: "The other loss of a GAN, for the divergence jensen-shannon.",
            keys: &[],
        },
    ],
};
