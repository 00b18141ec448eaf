//! The axes of a figure and the marks on them.

use super::FigureError;
use crate::summary::significant;
use plotters::prelude::*;
use std::fmt::Write;
use std::ops::Range;

/// Drawn as the colour of the surrounding text, so that axes read on light and dark pages.
const TEXT_COLOUR: RGBColor = RGBColor(1, 2, 3);
const TEXT_COLOUR_HEX: &str = "#010203";

/// Colours that keep their contrast on white and on near-black, told apart with the common colour blindnesses too.
const PALETTE: [&str; 6] = ["#8a8f98", "#e07b00", "#2f7ed8", "#2a9d5c", "#c65aa8", "#d9463e"];

/// The colour of the `index`-th mark.
pub(super) fn colour(index: usize) -> &'static str {
    PALETTE.into_iter().cycle().nth(index % PALETTE.len()).unwrap_or("currentColor")
}

/// What the axes show.
pub(super) struct Frame<'a> {
    pub caption: &'a str,
    pub size: (u32, u32),
    pub x: Range<f64>,
    pub y: Range<f64>,
    pub x_label: &'a str,
    /// The names of the abscissae 0, 1, …, where these are not numbers of their own.
    pub x_values: Option<&'a [String]>,
    /// Whether `y` and the ordinates of the marks are decimal logarithms.
    pub logarithmic: bool,
}

/// How the points of a mark are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Line,
    /// One of many lines, each hardly seen by itself.
    Thread,
    Dots,
}

/// Points in one colour.
pub(super) struct Mark {
    pub colour: &'static str,
    pub join: Join,
    pub points: Vec<(f64, f64)>,
}

/// Draws the axes with plotters and each mark as one path, which takes a tenth of the bytes of single circles.
pub(super) fn draw(frame: &Frame<'_>, marks: &[Mark]) -> Result<String, FigureError> {
    let failed = |reason: String| FigureError::Drawing { caption: frame.caption.into(), reason };
    let mut svg = String::new();
    let mut paths = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, frame.size).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d(frame.x.clone(), frame.y.clone())
            .map_err(|error| failed(error.to_string()))?;
        let tick = |value: &f64| if value.abs() < 1e-12 { "0".into() } else { shortest(*value) };
        let power = |value: &f64| significant(10_f64.powf(*value));
        let named = |value: &f64| match frame.x_values {
            Some(names) => name_at(names, *value),
            None => tick(value),
        };
        chart
            .configure_mesh()
            // Enough ticks to meet every whole number.
            .x_labels(frame.x_values.map_or(6, |names| 4 * names.len() + 1))
            .y_labels(6)
            .max_light_lines(0)
            .bold_line_style(TEXT_COLOUR.mix(0.12))
            .axis_style(TEXT_COLOUR.mix(0.5))
            .label_style(("sans-serif", 20).into_font().color(&TEXT_COLOUR))
            .x_desc(frame.x_label)
            .x_label_formatter(&named)
            .y_label_formatter(if frame.logarithmic { &power } else { &tick })
            .draw()
            .map_err(|error| failed(error.to_string()))?;
        for mark in marks {
            let pixels = mark.points.iter().map(|point| chart.backend_coord(point));
            write_path(&mut paths, mark, pixels);
        }
        root.present().map_err(|error| failed(error.to_string()))?;
    }
    let svg = svg.replace(TEXT_COLOUR_HEX, "currentColor");
    let end = svg.rfind("</svg>").ok_or_else(|| failed("the drawing was cut off".into()))?;
    let (body, close) = svg.split_at(end);
    Ok(format!("{body}{paths}{}", close.trim_end()))
}

fn write_path(paths: &mut String, mark: &Mark, pixels: impl Iterator<Item = (i32, i32)>) {
    let (width, opacity) = match mark.join {
        Join::Line => (2, "1"),
        Join::Thread => (1, ".3"),
        // Thin enough to show the density of some thousand points.
        Join::Dots => (3, ".55"),
    };
    let _ = write!(
        paths,
        "<path fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-opacity=\"{opacity}\" \
         stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\"",
        mark.colour
    );
    for (index, (x, y)) in pixels.enumerate() {
        let _ = match mark.join {
            Join::Line | Join::Thread if index > 0 => write!(paths, "L{x} {y}"),
            Join::Line | Join::Thread => write!(paths, "M{x} {y}"),
            Join::Dots => write!(paths, "M{x} {y}h0"),
        };
    }
    paths.push_str("\"/>");
}

/// The name of a tick; none between whole numbers.
fn name_at(names: &[String], value: f64) -> String {
    let whole = value.round();
    if (value - whole).abs() > 1e-9 || whole < 0.0 {
        return String::new();
    }
    names.get(whole as usize).cloned().unwrap_or_default()
}

/// A tick of a linear axis without trailing zeros.
fn shortest(value: f64) -> String {
    let rounded = format!("{value:.4}");
    if value.abs() < 1e-3 || value.abs() >= 1e6 {
        return significant(value);
    }
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The smallest range that holds all values, with a margin; never empty.
pub(super) fn padded_range(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if !(low.is_finite() && high.is_finite()) {
        return None;
    }
    let margin = (0.04 * (high - low)).max(1e-9 + 1e-6 * low.abs());
    Some(low - margin..high + margin)
}

/// Both ranges about their centres with one common length, a fifth more than the longer: lengths compare as seen.
pub(super) fn square(x: Range<f64>, y: Range<f64>) -> (Range<f64>, Range<f64>) {
    let half = 0.6 * (x.end - x.start).max(y.end - y.start);
    let around = |range: Range<f64>| {
        let centre = (range.start + range.end) / 2.0;
        centre - half..centre + half
    };
    (around(x), around(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_short() {
        assert_eq!(shortest(0.25), "0.25");
        assert_eq!(shortest(25000.0), "25000");
        assert_eq!(shortest(-2.0), "-2");
        assert_eq!(shortest(3e7), "3.00e7");
    }

    #[test]
    fn ranges_are_never_empty() {
        let constant = padded_range([3.0, 3.0].into_iter()).unwrap();
        assert!(constant.start < 3.0 && constant.end > 3.0);
        assert!(padded_range(std::iter::empty()).is_none());
    }

    #[test]
    fn both_axes_have_one_scale() {
        let (x, y) = square(0.0..4.0, 10.0..11.0);
        assert!((x.end - x.start - (y.end - y.start)).abs() < 1e-12 && y.contains(&10.5));
    }
}
