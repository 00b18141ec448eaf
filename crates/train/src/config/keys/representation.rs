//! The keys of a representation: the network that is trained for a flow.

use super::flow::{ACTIVATIONS, INITIALISATION, RESIDUAL_INITIALISATION};
use super::form::{Form, Range};
use super::generator::POTENTIALS;
use super::{Choice, Key, Variant};
use Form::{Count, Flag, Number, Table, Widths, Word};
use Range::{NotNegative, Positive};

pub(super) const REPRESENTATION: Choice = Choice {
    tag: "kind",
    default: Some("explicit"),
    shared: &[],
    variants: &[
        Variant {
            name: "explicit",
            says: "The potential at time 0 is the network: straight paths, one step, no search and no \
                   critic network.",
            keys: &[
                Key::new(
                    "base",
                    Word(BASES),
                    "\"gaussian\"",
                    "What the network departs from: the optimal map between Gaussians, or points at rest, with which the \
                     bound is held exactly.",
                ),
                BASE_RANK,
                CONVOLUTIONS,
                Key::new(
                    "quadratic",
                    Flag,
                    "false",
                    "Whether a quadratic form is trained beside its network; a form has any slope, so the bound is not held then.",
                ),
                Key::optional(
                    "potentials",
                    Table(POTENTIALS),
                    "{ penalty = { kind = \"quadratic\", weight = 100.0 }, pairing = \"all\" }",
                    "A second potential in the place of searches for the critic, as W2-FE has it: with the divergence w1, and \
                     without a bound.",
                ),
                Key::new("hidden", Widths, "[128, 128, 128]", "Hidden widths of its network."),
                Key::new("activation", Word(ACTIVATIONS), "\"sharp-softplus\"", "Activation; a smooth one."),
                REFINEMENTS,
                INITIALISATION,
            ],
        },
        Variant {
            name: "hopf-lax",
            says: "The Hopf–Lax formula of the critic: straight paths, one step; the network proposes where to search.",
            keys: &[
                Key::new(
                    "base",
                    Word(BASES),
                    "\"identity\"",
                    "What the critic departs from: points at rest, or the optimal map between Gaussians, without a bound.",
                ),
                BASE_RANK,
                Key::new(
                    "snapshots",
                    Count(0),
                    "0",
                    "Critics that are kept along the training, equally far from each other: the search for a sample follows \
                     them from its initial point, as the particles of the training did, and nothing is proposed.",
                ),
                HIDDEN,
                ACTIVATION,
                REFINEMENTS,
                INITIALISATION,
            ],
        },
        Variant {
            name: "network",
            says: "The potential U is a network.",
            keys: &[CONVOLUTIONS, HIDDEN, ACTIVATION, INITIALISATION],
        },
        Variant {
            name: "exact-terminal",
            says: "U = (t/T)φ + (1 − t/T)·network: the terminal condition holds.",
            keys: &[CONVOLUTIONS, HIDDEN, ACTIVATION, INITIALISATION],
        },
        Variant {
            name: "velocity",
            says: "The velocity is a network, without a potential.",
            keys: &[
                HIDDEN,
                ACTIVATION,
                Key::new(
                    "initialisation",
                    Table(RESIDUAL_INITIALISATION),
                    "{}",
                    "How its weights are drawn.",
                ),
            ],
        },
        Variant {
            name: "ot-flow",
            says: "A normalising flow along the gradient of a potential, trained by its likelihood; there is no critic.",
            keys: &[
                Key::new("width", Count(1), "32", "Units of each of the two layers of its network."),
                Key::new(
                    "rank",
                    Count(1),
                    "10",
                    "Rank of its quadratic part, never more than the dimension and 1.",
                ),
                Key::new("kinetic", Number(Positive), "1.0", "Weight of the kinetic energy."),
                Key::required(
                    "likelihood",
                    Number(Positive),
                    "30.0",
                    "Weight of the negative log-likelihood.",
                ),
                Key::required(
                    "hamilton_jacobi",
                    Number(NotNegative),
                    "15.0",
                    "Weight of the mean absolute Hamilton–Jacobi residual.",
                ),
                Key::required("steps", Count(1), "8", "Runge–Kutta steps of a training iteration."),
            ],
        },
        Variant {
            name: "matching",
            says: "Flow matching: the velocity is a network that is regressed on pairs of points; there is no critic.",
            keys: &[
                Key::new(
                    "coupling",
                    Word(&["independent", "optimal"]),
                    "\"independent\"",
                    "How two minibatches are paired: at random, or by the exact plan between them.",
                ),
                Key::new(
                    "sigma",
                    Number(NotNegative),
                    "0.0",
                    "Standard deviation of the noise around the segment between the points of a pair.",
                ),
                Key::new(
                    "rectifications",
                    Count(0),
                    "0",
                    "How often training goes on with the pairs that the flow has made, each an equal part of the iterations \
                     with a schedule of its own.",
                ),
                Key::new(
                    "base",
                    Word(BASES),
                    "\"identity\"",
                    "What the velocity departs from: that of the optimal flow between Gaussians, or 0.",
                ),
                BASE_RANK,
                Key::new("hidden", Widths, "[128, 128, 128]", "Hidden widths of its network."),
                Key::new("activation", Word(ACTIVATIONS), "\"softplus\"", "Activation of its network."),
                Key::new(
                    "initialisation",
                    Table(RESIDUAL_INITIALISATION),
                    "{}",
                    "How its weights are drawn.",
                ),
            ],
        },
    ],
};

const BASES: &[&str] = &["gaussian", "identity"];

const BASE_RANK: Key = Key::optional(
    "rank",
    Count(1),
    "200",
    "Most directions of the Gaussian map that are kept, widest first: the network sees so many coordinates, and \
     particles end in their plane.",
);

pub(super) const CONVOLUTIONS: Key = Key::optional(
    "convolutions",
    Table(CONVOLUTION),
    "{ image = [28, 28, 1], channels = [8, 8] }",
    "What its network sees of images: blocks of a convolution, of which the largest values of squares of pixels are kept, and \
     of the activation; without it, the points themselves.",
);

const CONVOLUTION: &[Key] = &[
    Key::required(
        "image",
        Form::Image,
        "[28, 28, 1]",
        "Rows of pixels of an image, pixels of a row, and numbers of a pixel; an image lies pixel by pixel.",
    ),
    Key::required("channels", Widths, "[8, 8]", "Channels of each block."),
    Key::new("kernel", Count(1), "7", "Pixels of a side of the kernels, an odd number."),
    Key::new("pooling", Count(1), "2", "Pixels of a side of the squares; with 1 all are kept."),
];

const HIDDEN: Key = Key::new("hidden", Widths, "[96, 96, 96]", "Hidden widths of its network.");

const ACTIVATION: Key = Key::new("activation", Word(ACTIVATIONS), "\"tanh\"", "Activation of its network.");

const REFINEMENTS: Key = Key::new("refinements", Count(1), "8", "Steps of the search in training.");
