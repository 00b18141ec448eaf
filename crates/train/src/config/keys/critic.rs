//! The keys of a critic that is trained alone.

use super::flow::{CRITIC, DATA, INITIAL, NAME, SEED, TRAINING};
use super::form::{Form, Range};
use super::{Choice, Key, Variant};
use Form::{Count, Number, Table, Word};

/// Of a critic.
pub(super) const KEYS: &[Key] = &[
    NAME,
    SEED,
    DATA,
    INITIAL,
    Key::new("critic", Form::Choice(&FORM), "{ kind = \"hopf-lax\" }", "What the critic is made of."),
    Key::new("training", Table(TRAINING), "{}", "The loop and its optimiser."),
];

const FORM: Choice = Choice {
    tag: "kind",
    default: Some("hopf-lax"),
    shared: &[],
    variants: &[
        Variant {
            name: "hopf-lax",
            says: "Cones of slope L over tips that are learnt: the bound holds by construction. It measures W1.",
            keys: &[
                Key::new("tips", Count(1), "1024", "How many tips."),
                Key::new(
                    "side",
                    Word(&["lower", "upper"]),
                    "\"lower\"",
                    "Below cones that begin at points of `initial`, or above cones that begin at points of `data`: take the law \
                     that is the more concentrated.",
                ),
                Key::new("bound", Number(Range::Positive), "1.0", "The slope L."),
            ],
        },
        Variant { name: "perceptron", says: "A perceptron, for any divergence.", keys: CRITIC },
    ],
};
