//! The grid of a sweep: keys of a configuration, and the values that each of them takes.

use anyhow::{Result, bail};
use eval::results::{Setting, Settings};
use std::fmt;

/// What to write in the place of a setting.
const SEEDS: &str = "--seeds N takes the seeds 0 to N − 1, --seeds 3-5 those from 3 to 5";

/// Keys with their values, in the order in which they were given.
#[derive(Debug)]
pub(crate) struct Grid(Vec<Axis>);

#[derive(Debug)]
struct Axis {
    key: String,
    values: Vec<String>,
}

/// One value of every key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point(Vec<(String, String)>);

impl Grid {
    /// Reads the texts `key=a,b,…`; `set` has the keys that are the same in all runs.
    pub(crate) fn parse(texts: &[String], set: &[String]) -> Result<Self> {
        let mut axes: Vec<Axis> = Vec::new();
        for text in texts {
            let axis = Axis::parse(text)?;
            if let Some(other) = axes.iter().find(|other| overlap(&other.key, &axis.key)) {
                bail!("--grid {} and --grid {} say the same key twice: leave one out", other.key, axis.key);
            }
            axes.push(axis);
        }
        let key = |change: &str| change.split('=').next().unwrap_or_default().trim().to_owned();
        for fixed in set.iter().map(|change| key(change)) {
            if fixed == "seed" {
                bail!("--set seed has no place in a sweep: {SEEDS}");
            }
            if axes.iter().any(|axis| axis.key == fixed) {
                bail!("{fixed} is in --grid and in --set: leave one out");
            }
            // The other way round a value of the grid changes the table that --set gives.
            if let Some(axis) = axes.iter().find(|axis| within(&axis.key, &fixed)) {
                bail!(
                    "--set {fixed} would be lost where --grid {} gives its whole table: write it into each value of the grid",
                    axis.key
                );
            }
        }
        Ok(Self(axes))
    }

    /// Every combination of the values; the last key changes first.
    pub(crate) fn points(&self) -> Vec<Point> {
        let mut points = vec![Point(Vec::new())];
        for axis in &self.0 {
            let with = |point: &Point| -> Vec<Point> {
                let longer = |value: &String| {
                    let last = (axis.key.clone(), value.clone());
                    Point(point.0.iter().cloned().chain([last]).collect())
                };
                axis.values.iter().map(longer).collect()
            };
            points = points.iter().flat_map(with).collect();
        }
        points
    }

    /// How many combinations there are.
    pub(crate) fn count(&self) -> u128 {
        self.0.iter().fold(1, |count, axis| count.saturating_mul(axis.values.len() as u128))
    }

    /// The keys.
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|axis| axis.key.as_str()).collect()
    }
}

impl Axis {
    fn parse(text: &str) -> Result<Self> {
        let Some((key, values)) = text.split_once('=').map(|(key, values)| (key.trim(), values)) else {
            bail!("--grid {text} has no values: write key=a,b,… such as flow.lambda=0.05,0.1");
        };
        if key == "seed" {
            bail!("--grid seed has no place in a sweep: {SEEDS}");
        }
        let values: Vec<String> = split(values).iter().map(|value| value.trim().to_owned()).collect();
        if key.is_empty() || values.iter().any(String::is_empty) {
            bail!("--grid {text} lacks a key or a value: write key=a,b,… such as flow.lambda=0.05,0.1");
        }
        for (index, value) in values.iter().enumerate() {
            let same = |other: &&String| safe(other) == safe(value);
            if let Some(other) = values.iter().skip(index + 1).find(same) {
                let word = if other == value { "stands twice" } else { "and its like have one folder" };
                bail!("--grid {key}: the value {value} {word}: leave one out");
            }
        }
        Ok(Self { key: key.into(), values })
    }
}

impl Point {
    /// The overrides of the configuration.
    pub(crate) fn changes(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(key, value)| format!("{key}={value}"))
    }

    /// What stands in a row.
    pub(crate) fn settings(&self) -> Settings {
        self.0.iter().map(|(key, value)| (key.clone(), setting(value))).collect()
    }

    /// A folder of its own: one level for each key, so that no name is too long.
    pub(crate) fn folder(&self) -> String {
        let part = |(key, value): &(String, String)| format!("{}={}", safe(key), safe(value));
        self.0.iter().map(part).collect::<Vec<_>>().join("/")
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.changes().collect::<Vec<_>>().join(", "))
    }
}

/// Whether two keys are the same, or one is the table of the other.
fn overlap(a: &str, b: &str) -> bool {
    within(a, b) || within(b, a)
}

/// Whether `key` is `table`, or a key in it.
fn within(table: &str, key: &str) -> bool {
    key.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Splits at the commas that are not within brackets, braces or quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quote) = (0_i32, None);
    text.split(move |c: char| {
        match (c, quote) {
            (_, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('[' | '{', None) => depth += 1,
            (']' | '}', None) => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0 && quote.is_none()
    })
    .collect()
}

/// The name of a value in a path.
fn safe(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || ".+-_".contains(c);
    let words: Vec<&str> = text.split(|c| !plain(c)).filter(|word| !word.is_empty()).collect();
    words.join("_")
}

/// A value as what it looks like.
fn setting(text: &str) -> Setting {
    if let Ok(flag) = text.parse() {
        return Setting::Flag(flag);
    }
    if let Ok(whole) = text.parse() {
        return Setting::Whole(whole);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Setting::Number(number),
        _ => Setting::Text(text.trim_matches('"').into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Grid, setting, split};
    use eval::results::Setting;

    fn grid(texts: &[&str], set: &[&str]) -> Result<Grid, String> {
        let own = |texts: &[&str]| -> Vec<String> { texts.iter().map(|&text| text.into()).collect() };
        Grid::parse(&own(texts), &own(set)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_value_meets_every_other_once() {
        let points = grid(&["a=1,2", "b.c=x,y,z", "d=0.5"], &[]).unwrap().points();
        let names: Vec<String> = points.iter().map(ToString::to_string).collect();
        let expected: Vec<String> = ["1", "2"]
            .iter()
            .flat_map(|a| ["x", "y", "z"].map(|c| format!("a={a}, b.c={c}, d=0.5")))
            .collect();
        assert_eq!(names, expected);
        let mut folders: Vec<String> = points.iter().map(super::Point::folder).collect();
        assert_eq!(folders[0], "a=1/b.c=x/d=0.5");
        folders.dedup();
        assert_eq!(folders.len(), 6);
    }

    #[test]
    fn commas_within_a_value_do_not_split_it() {
        assert_eq!(split("{ min = 1, max = 6 },5"), ["{ min = 1, max = 6 }", "5"]);
        assert_eq!(split("[8, 8],[16]"), ["[8, 8]", "[16]"]);
        assert_eq!(split("\"a,b\",c"), ["\"a,b\"", "c"]);
        assert_eq!(
            grid(&["flow.steps={ min = 1, max = 6 },5"], &[]).unwrap().points()[0].folder(),
            "flow.steps=min_1_max_6"
        );
    }

    #[test]
    fn values_are_what_they_look_like() {
        for (text, expected) in [
            ("0.05", Setting::Number(0.05)),
            ("1e-3", Setting::Number(0.001)),
            ("3", Setting::Whole(3)),
            ("true", Setting::Flag(true)),
            ("nan", Setting::Text("nan".into())),
            ("\"relu\"", Setting::Text("relu".into())),
        ] {
            assert_eq!(setting(text), expected);
        }
    }

    #[test]
    fn what_is_no_grid_is_one_sentence() {
        for (texts, set, expected) in [
            (&["flow.lambda"][..], &[][..], "--grid flow.lambda has no values: write key=a,b"),
            (&["flow.lambda="], &[], "lacks a key or a value"),
            (&["flow.lambda=1,,2"], &[], "lacks a key or a value"),
            (&["=1"], &[], "lacks a key or a value"),
            (&["flow.lambda=1,2,1"], &[], "the value 1 stands twice"),
            (&["flow.lambda=1", "flow.lambda=2"], &[], "say the same key twice"),
            (&["flow.steps=1", "flow.steps.max=2"], &[], "say the same key twice"),
            (&["seed=1,2"], &[], "--seeds N"),
            (&["a=1"], &["seed=3"], "--seeds N"),
            (&["a=1"], &["a = 2"], "a is in --grid and in --set"),
        ] {
            let error = grid(texts, set).unwrap_err();
            assert!(error.contains(expected) && !error.contains('\n'), "{texts:?}: {error}");
        }
        assert!(grid(&["flow.step=1", "flow.steps=2"], &[]).is_ok());
    }
}
