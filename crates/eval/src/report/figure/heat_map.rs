//! A quantity over the values of two settings.

use super::{Drawing, FigureError, Scale};
use crate::report::escape;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Width and height of a cell, and the height of a line of text, in pixels of the drawing.
const CELL: (usize, usize) = (132, 66);
const LINE: usize = 22;
/// Pixels of a letter, for the room that names take.
const LETTER: usize = 11;

/// From low to high, dark to light: the order is seen with every kind of colour vision.
const RAMP: [(f64, f64, f64); 6] = [
    (0.0, 34.0, 78.0),
    (53.0, 69.0, 108.0),
    (102.0, 105.0, 112.0),
    (148.0, 142.0, 119.0),
    (200.0, 184.0, 102.0),
    (254.0, 232.0, 56.0),
];

/// A table of numbers whose cells are coloured by their values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeatMap {
    /// What the figure shows.
    pub caption: String,
    /// What changes from left to right: its name and its values.
    pub columns: (String, Vec<String>),
    /// What changes from top to bottom: its name and its values.
    pub rows: (String, Vec<String>),
    /// The scale of the colours.
    pub scale: Scale,
    /// The cells, row by row.
    pub cells: Vec<Vec<HeatCell>>,
}

/// A cell of a [`HeatMap`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HeatCell {
    /// What the colour shows; none where there is no number.
    pub value: Option<f64>,
    /// What stands in the cell, a line each.
    pub lines: Vec<String>,
    /// Whether the cell is framed; the caption says what that means.
    pub framed: bool,
}

impl HeatMap {
    pub(super) fn draw(&self) -> Result<Drawing, FigureError> {
        let values: Vec<f64> =
            self.cells.iter().flatten().filter_map(|cell| self.place(cell.value?)).collect();
        if values.is_empty() {
            return Err(FigureError::Empty { caption: self.caption.clone() });
        }
        let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
        let longest =
            self.rows.1.iter().chain([&self.rows.0]).map(|name| name.chars().count()).max().unwrap_or(0);
        let (left, top) = (LETTER * longest + 16, LINE + 8);
        let (columns, rows) = (self.columns.1.len(), self.rows.1.len());
        // The name of the columns may be longer than they are wide.
        let width = left + (CELL.0 * columns).max(LETTER * self.columns.0.chars().count()) + 8;
        let height = top + CELL.1 * rows + 2 * LINE + 12;
        let mut svg = format!(
            "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" font-size=\"18\" fill=\"currentColor\">"
        );
        let mut text = |x: usize, y: usize, anchor: &str, fill: &str, words: &str| {
            let words = escape(words);
            let _ = write!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{words}</text>"
            );
        };
        text(left - 8, LINE, "end", "currentColor", &self.rows.0);
        for (row, name) in self.rows.1.iter().enumerate() {
            text(left - 8, top + CELL.1 * row + CELL.1 / 2 + 6, "end", "currentColor", name);
        }
        let below = top + CELL.1 * rows + LINE;
        for (column, name) in self.columns.1.iter().enumerate() {
            text(left + CELL.0 * column + CELL.0 / 2, below, "middle", "currentColor", name);
        }
        text(left, below + LINE, "start", "currentColor", &self.columns.0);
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let (x, y) = (left + CELL.0 * column, top + CELL.1 * row);
                let place = cell.value.and_then(|value| self.place(value));
                let share = place.map(|place| if high > low { (place - low) / (high - low) } else { 0.5 });
                cell.draw(&mut svg, (x, y), share);
            }
        }
        svg.push_str("</svg>");
        Ok(Drawing { svg, legend: Vec::new() })
    }

    /// Where a value lies on the scale of the colours.
    fn place(&self, value: f64) -> Option<f64> {
        let place = if self.scale == Scale::Logarithmic { value.log10() } else { value };
        place.is_finite().then_some(place)
    }
}

impl HeatCell {
    /// Draws the cell with its corner at a point; `share` is its place between the lowest and the highest colour.
    fn draw(&self, svg: &mut String, (x, y): (usize, usize), share: Option<f64>) {
        let (width, height) = (CELL.0 - 4, CELL.1 - 4);
        let (fill, ink) = match share {
            Some(share) => {
                let ((red, green, blue), ink) = colour(share);
                (format!("rgb({red:.0},{green:.0},{blue:.0})"), ink)
            }
            None => ("none".to_owned(), "currentColor"),
        };
        let frame = if self.framed {
            " stroke=\"#d9463e\" stroke-width=\"4\" stroke-dasharray=\"9 5\""
        } else if share.is_none() {
            " stroke=\"currentColor\" stroke-opacity=\".4\""
        } else {
            ""
        };
        let _ = write!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"{frame}/>",
            x + 2,
            y + 2
        );
        let first = (y + CELL.1 / 2 + 6).saturating_sub(LINE * self.lines.len().saturating_sub(1) / 2);
        for (index, line) in self.lines.iter().enumerate() {
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"{ink}\">{}</text>",
                x + CELL.0 / 2,
                first + LINE * index,
                escape(line)
            );
        }
    }
}

/// The colour of a place in [0, 1], and that of text upon it.
fn colour(share: f64) -> ((f64, f64, f64), &'static str) {
    let place = share.clamp(0.0, 1.0) * (RAMP.len() - 1) as f64;
    let below = (place.floor() as usize).min(RAMP.len() - 2);
    let along = place - below as f64;
    let mix = |a: f64, b: f64| a + along * (b - a);
    let [from, to] = [below, below + 1].map(|index| RAMP.get(index).copied().unwrap_or_default());
    let colour = (mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2));
    // The luminance of sRGB without its gamma decides well enough between black and white.
    let luminance = 0.299 * colour.0 + 0.587 * colour.1 + 0.114 * colour.2;
    (colour, if luminance > 128.0 { "#000" } else { "#fff" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: Option<f64>) -> HeatCell {
        HeatCell {
            value,
            lines: vec![value.map_or("–".into(), |value| value.to_string())],
            framed: value == Some(10.0),
        }
    }

    fn map(scale: Scale, cells: Vec<Vec<HeatCell>>) -> HeatMap {
        HeatMap {
            caption: "c".into(),
            columns: ("L".into(), vec!["1".into(), "<3".into()]),
            rows: ("λ".into(), vec!["0.1".into(), "0.5".into()]),
            scale,
            cells,
        }
    }

    /// On a logarithmic scale 10 is half way from 1 to 100; the ends are those of the ramp.
    #[test]
    fn colours_follow_the_values_and_what_has_none_is_empty() {
        let cells = vec![vec![cell(Some(1.0)), cell(Some(10.0))], vec![cell(Some(100.0)), cell(None)]];
        let svg = map(Scale::Logarithmic, cells.clone()).draw().unwrap().svg;
        let fills: Vec<&str> =
            svg.split("<rect").skip(1).map(|rect| rect.split("fill=\"").nth(1).unwrap()).collect();
        let starts = ["rgb(0,34,78)", "rgb(125,124,116)", "rgb(254,232,56)", "none"];
        assert!(fills.iter().zip(starts).all(|(fill, start)| fill.starts_with(start)), "{fills:?}");
        assert!(svg.contains(">&lt;3</text>") && svg.matches("stroke-dasharray").count() == 1, "{svg}");
        // Evenly spread, 10 is near the low end.
        assert!(!map(Scale::Linear, cells).draw().unwrap().svg.contains("rgb(125,"));
    }

    #[test]
    fn one_value_has_a_colour_and_none_no_figure() {
        assert!(map(Scale::Linear, vec![vec![cell(Some(2.0))]]).draw().is_ok());
        assert!(matches!(map(Scale::Linear, vec![vec![cell(None)]]).draw(), Err(FigureError::Empty { .. })));
        assert!(matches!(
            map(Scale::Logarithmic, vec![vec![cell(Some(0.0))]]).draw(),
            Err(FigureError::Empty { .. })
        ));
    }
}
