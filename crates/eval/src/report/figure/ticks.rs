//! Where the lines of a grid lie, and what they are called.

use crate::summary::significant;
use std::ops::Range;

/// About as many lines as an axis has.
const LINES: f64 = 5.0;

/// A line of the grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// Its place in the coordinates of the axis.
    pub at: f64,
    /// Its name.
    pub name: String,
}

/// Multiples of 1, 2 or 5 times a power of ten.
pub(super) fn linear(range: &Range<f64>) -> Vec<Tick> {
    let raw = (range.end - range.start) / LINES;
    let decade = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * decade).find(|step| *step >= raw);
    let step = step.unwrap_or(10.0 * decade);
    let digits = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    let is_plain = range.start.abs().max(range.end.abs()) < 1e6 && digits <= 5;
    let first = (range.start / step).ceil() as i64;
    let name = |at: f64| match at {
        0.0 => "0".to_owned(),
        _ if is_plain => format!("{at:.digits$}"),
        _ => significant(at),
    };
    let ticks = (first..).map(|index| index as f64 * step).take_while(|at| *at <= range.end);
    let mut ticks: Vec<Tick> = ticks.take(4 * LINES as usize).map(|at| Tick { at, name: name(at) }).collect();
    // Lines that differ further behind than their names tell have no names that help.
    ticks.dedup_by(|a, b| a.name == b.name);
    ticks
}

/// Powers of ten on an axis of decimal logarithms, with 2 and 5 times them where there are few; over less than half a
/// decade what [`linear`] finds.
pub(super) fn decades(range: &Range<f64>) -> Vec<Tick> {
    let length = range.end - range.start;
    if length < 0.5 {
        let values = linear(&(10_f64.powf(range.start)..10_f64.powf(range.end)));
        return values
            .into_iter()
            .filter(|tick| tick.at > 0.0)
            .map(|tick| Tick { at: tick.at.log10(), ..tick })
            .collect();
    }
    let factors: &[f64] = if length < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let every = (length / (LINES + 1.0)).ceil().max(1.0) as i64;
    let powers =
        (range.start.floor() as i64..=range.end.ceil() as i64).filter(|power| power.rem_euclid(every) == 0);
    let all = powers.flat_map(|power| {
        factors
            .iter()
            .map(move |factor| Tick { at: power as f64 + factor.log10(), name: of_power(*factor, power) })
    });
    all.filter(|tick| range.contains(&tick.at)).collect()
}

/// factor·10^power without digits that say nothing.
fn of_power(factor: f64, power: i64) -> String {
    match power {
        -3..0 => format!("{:.*}", power.unsigned_abs() as usize, factor * 10_f64.powi(power as i32)),
        0..6 => format!("{:.0}", factor * 10_f64.powi(power as i32)),
        _ => format!("{factor}e{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.name.as_str()).collect()
    }

    #[test]
    fn lines_are_at_round_numbers_with_short_names() {
        assert_eq!(
            names(&linear(&(-0.1..1.05))),
            ["0.0", "0.5", "1.0"].map(|name| if name == "0.0" { "0" } else { name })
        );
        assert_eq!(names(&linear(&(0.0..26_000.0))), ["0", "10000", "20000"]);
        assert_eq!(names(&linear(&(-2.2..2.2))), ["-2", "-1", "0", "1", "2"]);
        assert_eq!(names(&linear(&(0.0..4e7))), ["0", "1.00e7", "2.00e7", "3.00e7", "4.00e7"]);
    }

    /// What an axis of a constant 5 once was: "5 5 5 5".
    #[test]
    fn no_name_stands_twice() {
        for range in [4.999_999..5.000_001, 1e9..1e9 + 1.0] {
            let ticks = linear(&range);
            let mut found = names(&ticks);
            found.dedup();
            assert!(!found.is_empty() && found.len() == ticks.len(), "{ticks:?}");
        }
    }

    #[test]
    fn decades_have_names_of_decades() {
        assert_eq!(names(&decades(&(-1.2..0.1))), ["0.1", "0.2", "0.5", "1"]);
        assert_eq!(names(&decades(&(-6.5..0.5))), ["1e-6", "1e-4", "0.01", "1"]);
        assert_eq!(names(&decades(&(2.5..6.5))), ["1000", "10000", "100000", "1e6"]);
        assert_eq!(names(&decades(&(0.68..0.72))), ["4.8", "4.9", "5.0", "5.1", "5.2"]);
        assert!((decades(&(-1.2..0.1))[1].at - 0.2_f64.log10()).abs() < 1e-12);
    }
}
