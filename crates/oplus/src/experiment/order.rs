//! The order of the rows of an experiment.

use std::cmp::Ordering;

/// Compares names as people do: numbers by their value, so that `2d` comes before `12d`, all else letter by letter.
///
/// Of numbers that are equal but for zeros in front, the shorter comes later.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    let different = a.iter().zip(&b).map(|(a, b)| a.compare(b)).find(|order| order.is_ne());
    different.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// The place of `name` in a list of words: that of the one that it is, or that it begins with before a hyphen; the end
/// where there is none.
pub(super) fn rank(name: &str, words: &[&str]) -> usize {
    let is =
        |word: &&str| name.strip_prefix(*word).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    words.iter().position(is).unwrap_or(words.len())
}

/// The data of the stem DATASET-DIMd-METHOD and its method; a stem without a dimension is a method.
pub(super) fn split(stem: &str) -> (&str, &str) {
    let dimension = |part: &str| {
        part.strip_suffix('d').is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut end = 0;
    for part in stem.split('-') {
        end += part.len();
        if dimension(part) {
            return stem
                .split_at_checked(end)
                .map_or(("", stem), |(data, rest)| (data, rest.trim_start_matches('-')));
        }
        end += 1;
    }
    ("", stem)
}

/// A run of letters, or a number.
struct Part<'a> {
    text: &'a str,
    number: Option<f64>,
}

impl Part<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        let by_number = match (self.number, other.number) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => Ordering::Equal,
        };
        by_number.then_with(|| self.text.cmp(other.text))
    }
}

fn parts(name: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let number = first.is_ascii_digit();
        let inside = |c: char| c.is_ascii_digit() || (number && c == '.');
        let end = rest.find(|c| inside(c) != number).unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        parts.push(Part { text, number: number.then(|| text.parse().ok()).flatten() });
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        for expected in [
            ["w2fe-k1", "w2fe-k3", "w2fe-k10", "w2fe-k10-large"],
            ["moons-12d", "pinwheel-2d", "pinwheel-7d", "pinwheel-12d"],
            ["lambda-0.02", "lambda-0.1", "lambda-0.5", "lambda-2.0"],
            ["eps01-k1", "eps01-k10", "eps1-k1", "eps1-k10"],
        ] {
            let mut found = expected;
            found.reverse();
            found.sort_by(|a, b| natural(a, b));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn stems_are_data_and_method() {
        assert_eq!(split("pinwheel-12d-w1w2"), ("pinwheel-12d", "w1w2"));
        assert_eq!(split("shifted-gaussian-2d-lambda-0.5"), ("shifted-gaussian-2d", "lambda-0.5"));
        assert_eq!(split("w2fe-k10-large"), ("", "w2fe-k10-large"));
        assert_eq!(split("pinwheel-2d"), ("pinwheel-2d", ""));
    }

    #[test]
    fn a_word_is_not_the_beginning_of_another() {
        let words = ["w1w2", "w1", "w2fe"];
        assert_eq!(["w1", "w1w2", "w2fe-k3", "w1-lp", "gan"].map(|name| rank(name, &words)), [1, 0, 2, 1, 3]);
    }
}
