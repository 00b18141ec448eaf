//! What the value of a key may be.

use super::super::{seed, validate};
use super::{Choice, Key};
use datasets::Columns;
use flows::flow::Steps;
use flows::mlp::Initialisation;
use ot_core::divergence::{DIVERGENCE_NAMES, Divergence};
use serde::de::DeserializeOwned;
use toml::Value;

/// What the value of a key may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// A finite number in a range.
    Number(Range),
    /// A whole number, this or more.
    Count(u64),
    /// A whole number of 64 bits, in quotes where TOML has no such integer.
    Seed,
    /// `true` or `false`.
    Flag,
    /// Any text.
    Text,
    /// A name that may be that of a folder.
    RunName,
    /// One of these names.
    Word(&'static [&'static str]),
    /// The name of a divergence.
    Divergence,
    /// The widths of hidden layers.
    Widths,
    /// A number of steps, or the range that it is drawn from.
    Steps,
    /// How the weights of a perceptron are drawn.
    Initialisation,
    /// Rows and columns.
    Shape,
    /// Rows of pixels, pixels of a row and numbers of a pixel.
    Image,
    /// Some columns of a table.
    Columns,
    /// A table with these keys.
    Table(&'static [Key]),
    /// One of several tables.
    Choice(&'static Choice),
}

/// A range of finite numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// Every one.
    Finite,
    /// Above 0.
    Positive,
    /// 0 or more.
    NotNegative,
    /// Above 1.
    AboveOne,
    /// From 0 up to, not including, 1.
    Fraction,
    /// From 0 to 1.
    Share,
}

impl Range {
    fn holds(self, x: f64) -> bool {
        x.is_finite()
            && match self {
                Self::Finite => true,
                Self::Positive => x > 0.0,
                Self::NotNegative => x >= 0.0,
                Self::AboveOne => x > 1.0,
                Self::Fraction => (0.0..1.0).contains(&x),
                Self::Share => (0.0..=1.0).contains(&x),
            }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Finite => "a finite number",
            Self::Positive => "a finite number above 0",
            Self::NotNegative => "a finite number, 0 or more",
            Self::AboveOne => "a finite number above 1",
            Self::Fraction => "a number from 0 up to, not including, 1",
            Self::Share => "a number from 0 to 1",
        }
    }
}

impl Form {
    /// What to give, in words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Number(range) => range.words().into(),
            Self::Count(0) => "a whole number, 0 or more".into(),
            Self::Count(least) => format!("a whole number, at least {least}"),
            Self::Seed => format!("a whole number from 0 to {}, in quotes from 2^63 on", u64::MAX),
            Self::Flag => "true or false".into(),
            Self::Text => "a text in quotes".into(),
            Self::RunName => "a text of letters, digits, -, _, . and /, since it names a folder".into(),
            Self::Word(names) => listed(names),
            Self::Divergence => {
                format!("{} (alpha takes any positive number but 1)", listed(&DIVERGENCE_NAMES))
            }
            Self::Widths => "a list of at least one hidden width, each a whole number, at least 1".into(),
            Self::Steps => "a whole number, at least 1, or a range { min = 1, max = 6 } to draw from".into(),
            Self::Initialisation => {
                "\"glorot-uniform\", \"glorot-normal\", \"he-normal\" or { normal = { std = 0.02 } }".into()
            }
            Self::Shape => "the numbers of rows and columns".into(),
            Self::Image => {
                "the numbers of rows of pixels, of pixels of a row and of numbers of a pixel".into()
            }
            Self::Columns => {
                "indices from 0, ranges or names of columns, \"0..2\", [0, 3] or [\"x\", \"y\"]".into()
            }
            Self::Table(_) => "a table of keys".into(),
            Self::Choice(choice) => {
                format!("a table whose {} is {}", choice.tag, listed(&choice.names()))
            }
        }
    }

    /// Whether a value is one; of a table, whether it is a table.
    pub(super) fn fits(self, value: &Value) -> bool {
        match self {
            Self::Number(range) => {
                let number = value.as_float().or_else(|| value.as_integer().map(|n| n as f64));
                number.is_some_and(|x| range.holds(x))
            }
            Self::Count(least) => {
                value.as_integer().is_some_and(|n| u64::try_from(n).is_ok_and(|n| n >= least))
            }
            Self::Seed => seed::is_seed(value),
            Self::Flag => value.is_bool(),
            Self::Text => value.is_str(),
            Self::RunName => value.as_str().is_some_and(|name| validate::run_name(name).is_ok()),
            Self::Word(names) => value.as_str().is_some_and(|name| names.contains(&name)),
            Self::Divergence => value.as_str().is_some_and(|name| name.parse::<Divergence>().is_ok()),
            Self::Widths => read::<Vec<usize>>(value).is_some_and(|w| validate::widths("", &w).is_ok()),
            Self::Steps => read::<Steps>(value).is_some_and(|steps| steps.validate().is_ok()),
            Self::Initialisation => read::<Initialisation>(value).is_some_and(|i| i.validate().is_ok()),
            Self::Shape => read::<[usize; 2]>(value).is_some(),
            Self::Image => read::<[usize; 3]>(value).is_some_and(|image| !image.contains(&0)),
            Self::Columns => read::<Columns>(value).is_some(),
            Self::Table(_) | Self::Choice(_) => value.is_table(),
        }
    }

    /// The names to take the nearest of, where it is one of some names.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Word(names) => names,
            Self::Divergence => &DIVERGENCE_NAMES,
            _ => &[],
        }
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    value.clone().try_into().ok()
}

/// Names in quotes, the last after an "or".
pub(super) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
