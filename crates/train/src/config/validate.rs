//! The domains of a configuration's values.

use super::ConfigError;

pub(crate) fn run_name(name: &str) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    require(
        !name.is_empty() && name.chars().all(plain) && !name.contains(".."),
        "name",
        format!("{name:?}"),
        "use letters, digits, -, _, . and /, since it names a folder",
    )
}

pub(crate) fn widths(key: &str, hidden: &[usize]) -> Result<(), ConfigError> {
    let fit = !hidden.is_empty() && !hidden.contains(&0);
    let remedy = "give at least one hidden width, each at least 1, such as [48, 48]";
    require(fit, key, format!("{hidden:?}"), remedy)
}

pub(crate) fn positive(key: &str, value: f64) -> Result<(), ConfigError> {
    require(value.is_finite() && value > 0.0, key, value.to_string(), "give a finite number above 0")
}

pub(crate) fn fraction(key: &str, value: f64) -> Result<(), ConfigError> {
    let remedy = "give a number from 0 up to, not including, 1";
    require((0.0..1.0).contains(&value), key, value.to_string(), remedy)
}

pub(crate) fn require(holds: bool, key: &str, found: String, remedy: &str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Value { key: key.into(), found, remedy: remedy.into() }) }
}
