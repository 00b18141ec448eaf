//! The catalogue of metrics.
//!
//! Whatever is written into `metrics.jsonl` or `results.json`, tabulated or plotted is named by a constant of this
//! crate, so that writers and readers cannot disagree in the spelling, and each number has a definition. [`find`] is
//! for names that are read from files.
//!
//! ```
//! use metrics::{Better, W2_SQUARED};
//! assert_eq!((W2_SQUARED.name, W2_SQUARED.unit, W2_SQUARED.better), ("w2_squared", "length²", Better::Lower));
//! assert_eq!(metrics::find("w2_squared"), Some(W2_SQUARED));
//! ```
#![deny(clippy::disallowed_methods, reason = "this crate changes no file and draws no random numbers")]

mod clouds;
mod cost;
mod images;
mod optimality;
mod training;

pub use clouds::*;
pub use cost::*;
pub use images::*;
pub use optimality::*;
pub use training::*;

use std::fmt;

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Metric {
    /// The name in `metrics.jsonl` and `results.json`.
    pub name: &'static str,
    /// What it is.
    pub definition: &'static str,
    /// Its unit: `length` is that of the points, `time` that of the horizon T, `φ` that of the critic's values; `1`
    /// stands for a pure number.
    pub unit: &'static str,
    /// What is better.
    pub better: Better,
}

impl Metric {
    /// Whether the number is one of the machine: another run of the same row has another.
    ///
    /// ```
    /// assert!(metrics::TRAINING_SECONDS.is_of_the_machine() && !metrics::W2_SQUARED.is_of_the_machine());
    /// ```
    #[must_use]
    pub fn is_of_the_machine(&self) -> bool {
        matches!(self.unit, "s" | "ms" | "MiB")
    }

    /// The power p of length in the unit: what is measured in units of length of `scale` has scaleᵖ times the value in
    /// units of 1, where horizon and λ are the same in both.
    ///
    /// U and φ are λ times a squared length over a time, so `φ` counts as two lengths.
    ///
    /// ```
    /// assert_eq!(metrics::W2_SQUARED.length_power(), 2);
    /// assert_eq!(metrics::TERMINAL_GRADIENT_RMS.length_power(), 1);
    /// assert_eq!(metrics::STRAIGHTNESS.length_power(), 0);
    /// ```
    #[must_use]
    pub fn length_power(&self) -> i32 {
        match self.unit {
            "length" | "φ/length" => 1,
            "length²" | "length²/time" | "length²/time²" | "φ" | "φ/time" => 2,
            _ => 0,
        }
    }
}

/// Which values of a metric are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// The metric describes; it does not judge.
    Neither,
}

impl fmt::Display for Better {
    /// One word for a table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lower => "less",
            Self::Higher => "more",
            Self::Neither => "–",
        })
    }
}

impl fmt::Display for Metric {
    /// The name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

/// What the name of a metric ends with where the standard deviation of its repeated measurements is meant.
pub const DEVIATION: &str = "_sd";

/// All metrics in the order of reports: distances between clouds, scores of images, the optimality of a flow, the course of a training, the
/// cost.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    [CLOUDS, IMAGES, OPTIMALITY, TRAINING, COST].into_iter().flatten().copied()
}

/// The metric of this name.
///
/// ```
/// assert_eq!(metrics::find("w1"), Some(metrics::W1));
/// assert_eq!(metrics::find("w3"), None);
/// ```
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    all().find(|metric| metric.name == name)
}

/// What stands under this name in `results.json`: a metric, or with the ending [`DEVIATION`] its standard deviation.
///
/// ```
/// assert!(metrics::definition("w2_squared_sd").is_some_and(|text| text.contains("standard deviation")));
/// assert_eq!(metrics::definition("w3"), None);
/// ```
#[must_use]
pub fn definition(name: &str) -> Option<String> {
    let deviation = || {
        let repeated = find(name.strip_suffix(DEVIATION)?)?;
        Some(format!("standard deviation of {repeated} over the pairs of clouds"))
    };
    find(name).map(|metric| metric.definition.to_owned()).or_else(deviation)
}

/// Constants of metrics, and the list of them in their order.
macro_rules! catalogue {
    ($list:ident: $($constant:ident = $name:literal, $unit:literal, $better:ident, $definition:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`, unit ", $unit, ": ", $definition, ".")]
            pub const $constant: &$crate::Metric = &$crate::Metric {
                name: $name,
                definition: $definition,
                unit: $unit,
                better: $crate::Better::$better,
            };
        )*
        pub(crate) const $list: &[&$crate::Metric] = &[$($constant),*];
    };
}
use catalogue;

/// The program of the page that the registry shows is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    use super::{DEVIATION, all};
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_no_metric_looks_like_a_deviation() {
        let names: BTreeSet<_> = all().map(|metric| metric.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(all().all(|metric| !metric.name.ends_with(DEVIATION)));
    }

    /// A unit with a length that nobody knows would be reported in the units of the training.
    #[test]
    fn every_unit_with_a_length_has_its_power() {
        for metric in all() {
            let has_length = metric.unit.contains("length") || metric.unit.contains('φ');
            assert_eq!(metric.length_power() != 0, has_length, "{metric} has the unit {}", metric.unit);
        }
    }

    #[test]
    fn every_metric_says_what_it_is() {
        for metric in all() {
            assert!(!metric.unit.is_empty() && metric.definition.len() > 10, "{metric}");
            assert!(
                !metric.definition.ends_with('.'),
                "{metric}: the reader of a definition sets its full stop"
            );
        }
    }
}
