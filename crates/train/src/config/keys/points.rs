//! The keys of points: of the data and of what is moved to them.

use super::form::{Form, Range};
use super::{Choice, Key, Variant};
use Form::{Count, Flag, Number, Text, Word};
use Range::{Finite, Fraction, Positive};

pub(super) const CONDITION: Choice = Choice {
    tag: "kind",
    default: None,
    shared: &[],
    variants: &[
        Variant {
            name: "label",
            says: "A class.",
            keys: &[Key::optional(
                "columns",
                Form::Columns,
                "2",
                "The column of a file or an array that has it, as a number; labelled targets, digits and images need none.",
            )],
        },
        Variant {
            name: "vector",
            says: "Numbers, which networks see centred and scaled.",
            keys: &[Key::required(
                "columns",
                Form::Columns,
                "\"2..4\"",
                "The columns of a file or an array that have them.",
            )],
        },
    ],
};

pub(super) const POINTS: Choice = Choice {
    tag: "kind",
    default: None,
    shared: &[],
    variants: &[
        Variant {
            name: "file",
            says: "The rows of a file.",
            keys: &[
                Key::required(
                    "file",
                    Text,
                    "\"points.npy\"",
                    "A .npy or .csv file, one point a row; a relative path is one from the folder of the configuration.",
                ),
                Key::optional(
                    "columns",
                    Form::Columns,
                    "\"0..2\"",
                    "The columns that are coordinates; all where it is left out.",
                ),
                Key::optional(
                    "header",
                    Flag,
                    "true",
                    "Whether the first row of a text holds names, where that cannot be seen.",
                ),
                Key::optional("dim", Count(1), "3", "The number of coordinates that it must have."),
                HELD_OUT,
                SCALING,
            ],
        },
        Variant {
            name: "normal",
            says: "N(0, std²) in every coordinate.",
            keys: &[
                Key::new("std", Number(Positive), "1.0", "Standard deviation of a coordinate."),
                DIMENSION,
            ],
        },
        Variant {
            name: "uniform",
            says: "Uniform in every coordinate.",
            keys: &[
                Key::required("low", Number(Finite), "-1.0", "Lower end."),
                Key::required("high", Number(Finite), "1.0", "Upper end, above the lower one."),
                DIMENSION,
            ],
        },
        Variant {
            name: "logistic",
            says: "Logistic in every coordinate.",
            keys: &[
                Key::new("location", Number(Finite), "0.0", "Mean of a coordinate."),
                Key::new("scale", Number(Positive), "1.0", "Scale; the variance is π²·scale²/3."),
                DIMENSION,
            ],
        },
        Variant {
            name: "target",
            says: "A synthetic target in the first two coordinates.",
            keys: &[
                Key::required("target", Word(TARGETS), "\"pinwheel\"", "Which one."),
                Key::required("dim", Count(2), "2", "Its ambient dimension."),
                SAMPLES,
                Key::new(
                    "balanced",
                    Flag,
                    "false",
                    "Whether what is drawn at once has equal counts of the components.",
                ),
                Key::optional(
                    "noise",
                    Number(Positive),
                    "0.05",
                    "Standard deviation of normal noise that is added to the `samples`; what is measured against has none.",
                ),
            ],
        },
        Variant {
            name: "student-t",
            says: "The isotropic Student-t law, which has heavy tails, in the first coordinates.",
            keys: &[
                Key::required(
                    "degrees_of_freedom",
                    Number(Positive),
                    "3.0",
                    "ν, at least 0.5: P(‖x‖ > r) falls as r^(−ν), so that moments of an order below ν alone are finite.",
                ),
                Key::optional(
                    "manifold_dim",
                    Count(1),
                    "10",
                    "How many coordinates it has, the others being 0; all where it is left out.",
                ),
                DIMENSION,
                SAMPLES,
            ],
        },
        Variant {
            name: "known-map",
            says: "One side of two laws between which the optimal map is known: the first in `initial`, its image in `data`.",
            keys: &[
                Key::required("map", Word(KNOWN_MAPS), "\"log-sum-exp\"", "Which map."),
                Key::required("dim", Count(1), "2", "The dimension of both laws."),
                SAMPLES,
            ],
        },
        Variant {
            name: "funnels",
            says: "One side of two laws between which W1 and its critic are known: the first in `initial`, the second in `data`.",
            keys: &[
                Key::required(
                    "set",
                    Word(FUNNELS),
                    "\"random\"",
                    "Where the funnels come from: a benchmark, or a seed.",
                ),
                Key::required("funnels", Count(1), "4", "How many there are."),
                Key::required("dim", Count(1), "2", "The dimension of both laws."),
                SAMPLES,
            ],
        },
        Variant {
            name: "cells",
            says: "Cells of one day of a differentiation, in the leading principal components of the cells of all days.",
            keys: &[
                Key::required("day", Count(0), "1", "The day, 0 to 4."),
                Key::required("components", Count(1), "5", "How many components are coordinates."),
            ],
        },
        Variant {
            name: "digits",
            says: "Handwritten digits of 16 × 16 pixels; the data sets are fetched by name.",
            keys: &[
                Key::required("set", Word(DIGITS), "\"mnist\"", "Which ones."),
                Key::new("split", Word(&["train", "test"]), "\"train\"", "Which part of them."),
            ],
        },
        Variant {
            name: "images",
            says: "Images in [0, 1] on their own grid; the test images of the set are held out. The data sets are fetched by \
                   name.",
            keys: &[Key::required("set", Word(IMAGES), "\"mnist\"", "Which ones.")],
        },
        Variant {
            name: "run",
            says: "Samples of a trained flow or generator, without their conditions; the run that begins with them keeps a copy of it.",
            keys: &[
                Key::required(
                    "folder",
                    Text,
                    "\"out/first\"",
                    "Its run folder; a relative path is one from the folder of the configuration.",
                ),
                SAMPLES,
            ],
        },
        Variant {
            name: "array",
            says: "The rows of an array that a program gives to the run; what identifies it is filled in by the run.",
            keys: &[
                Key::optional("shape", Form::Shape, "[1000, 3]", "Rows and columns."),
                Key::optional("sha256", Text, "\"e3b0…\"", "SHA-256 of the numbers."),
                HELD_OUT,
                SCALING,
            ],
        },
    ],
};

const DIMENSION: Key =
    Key::optional("dim", Count(1), "2", "Dimension; that of the data where it is left out.");

const SAMPLES: Key = Key::optional(
    "samples",
    Count(2),
    "100000",
    "How many points are drawn once for the whole run; where it is left out each minibatch is drawn afresh.",
);

const HELD_OUT: Key = Key::optional(
    "held_out",
    Number(Fraction),
    "0.1",
    "The share of the rows that the training never sees, of `data` only; 0.1 where it is left out.",
);

const SCALING: Key = Key::optional(
    "scaling",
    Word(&["isotropic", "none"]),
    "\"isotropic\"",
    "How the training sees the rows, of `data` only: centred and divided by one scale, as where it is left out, or as they \
     are.",
);

const TARGETS: &[&str] = &[
    "pinwheel",
    "moons",
    "eight-gaussians",
    "checkerboard",
    "swiss-roll",
    "circles",
    "two-spirals",
    "ring",
    "origin",
    "plane",
    "shifted-gaussian",
    "cfm-moons",
    "cfm-s-curve",
    "cfm-eight-gaussians",
    "wide-moons",
    "wide-eight-gaussians",
];

const KNOWN_MAPS: &[&str] = &["mix3-to-mix10", "piecewise-affine", "log-sum-exp", "gaussian"];

const FUNNELS: &[&str] = &["min-funnels", "random"];

const DIGITS: &[&str] = &["mnist", "usps", "usps-resampled"];

const IMAGES: &[&str] = &["mnist", "fashion", "cifar10"];
