//! The axes of a figure and the marks on them.

use super::Pen;
use super::ticks::{Tick, decades, linear};
use crate::report::escape;
use std::fmt::Write;
use std::ops::Range;

/// Height of a text: with the sizes of figures as they are, ten pixels on a narrow screen.
const FONT: f64 = 13.0;
/// Width of a letter of that height.
const LETTER: f64 = 7.0;
/// Distance of two lines of text.
const LINE: f64 = 16.0;

/// What the axes show.
pub(super) struct Frame<'a> {
    /// Width and height of the drawing.
    pub size: (f64, f64),
    pub x: Range<f64>,
    pub y: Range<f64>,
    pub x_label: &'a str,
    /// The names of the abscissae 0, 1, …, where these are not numbers of their own.
    pub x_values: Option<&'a [String]>,
    /// Whether `x` and `y`, and the marks, are decimal logarithms.
    pub logarithmic: (bool, bool),
    /// Whether there are axes at all.
    pub bare: bool,
}

/// How the points of a mark are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Line,
    /// One of many lines, each hardly seen by itself.
    Thread,
    Dots,
    /// Closed rings with what lies between them; a point that is not finite ends a ring.
    Rings,
}

/// Points in one pen.
pub(super) struct Mark {
    pub pen: Pen,
    pub join: Join,
    pub points: Vec<(f64, f64)>,
}

/// What is shown while the pointer is at an abscissa.
pub(super) struct Tip {
    pub x: f64,
    pub lines: Vec<String>,
}

/// Draws axes, each mark as one path, which takes a tenth of the bytes of single circles, and tips, which style.css shows.
pub(super) fn draw(frame: &Frame<'_>, marks: &[Mark], tips: &[Tip]) -> String {
    let (width, height) = frame.size;
    let mut svg = format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         xmlns=\"http://www.w3.org/2000/svg\" font-family=\"system-ui, sans-serif\" font-size=\"{FONT}\" \
         fill=\"currentColor\">"
    );
    let plot = Plot::new(frame);
    if !frame.bare {
        plot.write_axes(&mut svg, frame);
    }
    for mark in marks {
        write_path(&mut svg, mark, mark.points.iter().map(|point| plot.at(*point)));
    }
    plot.write_tips(&mut svg, tips);
    svg.push_str("</svg>");
    svg
}

/// The rectangle that the marks lie in.
struct Plot {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Range<f64>,
    y: Range<f64>,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
}

impl Plot {
    fn new(frame: &Frame<'_>) -> Self {
        let (width, height) = frame.size;
        let ticks =
            |range: &Range<f64>, logarithmic| if logarithmic { decades(range) } else { linear(range) };
        let y_ticks = ticks(&frame.y, frame.logarithmic.1);
        let x_ticks = match frame.x_values {
            Some(names) => names
                .iter()
                .enumerate()
                .map(|(at, name)| Tick { at: at as f64, name: name.clone() })
                .collect(),
            None => ticks(&frame.x, frame.logarithmic.0),
        };
        let longest = y_ticks.iter().map(|tick| tick.name.chars().count()).max().unwrap_or(0);
        let below = if frame.x_label.is_empty() { 1.0 } else { 2.0 };
        let (x, y) = (frame.x.clone(), frame.y.clone());
        if frame.bare {
            return Self { left: 0.0, right: width, top: 0.0, bottom: height, x, y, x_ticks, y_ticks };
        }
        let (left, right) = (longest as f64 * LETTER + 12.0, width - 14.0);
        Self { left, right, top: 10.0, bottom: height - below * LINE - 8.0, x, y, x_ticks, y_ticks }
    }

    /// Where a point lies on the drawing.
    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |value: f64, range: &Range<f64>| (value - range.start) / (range.end - range.start);
        let across = self.left + share(x, &self.x) * (self.right - self.left);
        (across, self.bottom - share(y, &self.y) * (self.bottom - self.top))
    }

    fn write_axes(&self, svg: &mut String, frame: &Frame<'_>) {
        let Self { left, right, top, bottom, .. } = self;
        // Writing into a String cannot fail, here and below.
        svg.push_str("<g stroke=\"currentColor\" stroke-opacity=\".15\">");
        for tick in &self.y_ticks {
            let (_, y) = self.at((self.x.start, tick.at));
            let _ = write!(svg, "<line x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
        }
        for tick in &self.x_ticks {
            let (x, _) = self.at((tick.at, self.y.start));
            let _ = write!(svg, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\"/>");
        }
        svg.push_str("</g>");
        let mut text = |x: f64, y: f64, anchor: &str, words: &str| {
            let words = escape(words);
            let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
        };
        for tick in &self.y_ticks {
            let (_, y) = self.at((self.x.start, tick.at));
            text(left - 6.0, y + 0.35 * FONT, "end", &tick.name);
        }
        for tick in &self.x_ticks {
            let (x, _) = self.at((tick.at, self.y.start));
            // The outermost names stay inside.
            let half = 0.5 * LETTER * tick.name.chars().count() as f64;
            text(x.clamp(half, frame.size.0 - half), bottom + LINE, "middle", &tick.name);
        }
        text((left + right) / 2.0, bottom + 2.0 * LINE, "middle", frame.x_label);
    }

    /// A strip for each tip, that listens to the pointer.
    fn write_tips(&self, svg: &mut String, tips: &[Tip]) {
        let Self { left, right, top, bottom, .. } = self;
        let places: Vec<f64> = tips.iter().map(|tip| self.at((tip.x, self.y.start)).0).collect();
        for (index, (tip, &x)) in tips.iter().zip(&places).enumerate() {
            let half_way = |other: Option<&f64>, end: f64| other.map_or(end, |other| (other + x) / 2.0);
            let begin = half_way(index.checked_sub(1).and_then(|before| places.get(before)), *left);
            let end = half_way(places.get(index + 1), *right);
            let longest = tip.lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
            let (width, height) = (LETTER * longest as f64 + 12.0, LINE * tip.lines.len() as f64 + 8.0);
            let is_right = x > (left + right) / 2.0;
            let corner = if is_right { (x - width - 8.0).max(0.0) } else { x + 8.0 };
            let _ = write!(
                svg,
                "<g class=\"strip\"><rect x=\"{begin:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
                 fill-opacity=\"0\"/><g class=\"tip\" visibility=\"hidden\"><line x1=\"{x:.1}\" x2=\"{x:.1}\" \
                 y1=\"{top:.1}\" y2=\"{bottom:.1}\" stroke=\"currentColor\"/>\
                 <rect class=\"paper\" x=\"{corner:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
                 height=\"{height:.1}\"/><text>",
                (end - begin).max(0.0),
                bottom - top,
            );
            for (line, words) in tip.lines.iter().enumerate() {
                let (x, y) = (corner + 6.0, top + LINE * (line as f64 + 1.0));
                let _ = write!(svg, "<tspan x=\"{x:.1}\" y=\"{y:.1}\">{}</tspan>", escape(words));
            }
            svg.push_str("</text></g></g>");
        }
    }
}

fn write_path(svg: &mut String, mark: &Mark, pixels: impl Iterator<Item = (f64, f64)>) {
    if mark.join == Join::Rings {
        return write_rings(svg, mark.pen, pixels);
    }
    let (width, opacity) = match mark.join {
        Join::Line => ("2", "1"),
        Join::Thread => ("1", ".35"),
        // Thin enough to show the density of some thousand points.
        Join::Dots | Join::Rings => ("3", ".6"),
    };
    let Pen { colour, dash } = mark.pen;
    let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
    let _ = write!(
        svg,
        "<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-opacity=\"{opacity}\"{dash} \
         stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\""
    );
    for (index, (x, y)) in pixels.enumerate() {
        let _ = match mark.join {
            Join::Line | Join::Thread if index > 0 => write!(svg, "L{x:.1} {y:.1}"),
            Join::Line | Join::Thread => write!(svg, "M{x:.1} {y:.1}"),
            Join::Dots | Join::Rings => write!(svg, "M{x:.1} {y:.1}h0"),
        };
    }
    svg.push_str("\"/>");
}

/// Fills rings so that several over each other are the darker, with a thin line around.
fn write_rings(svg: &mut String, pen: Pen, pixels: impl Iterator<Item = (f64, f64)>) {
    let Pen { colour, .. } = pen;
    let _ = write!(
        svg,
        "<path fill=\"{colour}\" fill-opacity=\".08\" fill-rule=\"evenodd\" stroke=\"{colour}\" stroke-opacity=\".7\" \
         stroke-width=\".7\" d=\""
    );
    let mut letter = 'M';
    for (x, y) in pixels {
        if x.is_finite() && y.is_finite() {
            let _ = write!(svg, "{letter}{x:.1} {y:.1}");
            letter = 'L';
        } else {
            svg.push('Z');
            letter = 'M';
        }
    }
    svg.push_str("\"/>");
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
