//! What tells the marks of a figure apart.

use std::fmt::Write;

/// The grey of reference clouds, of equal contrast on white and on near-black.
const GREY: &str = "#8a8f98";
/// Colours that keep their contrast on white and on near-black; the first ones are told apart with the common colour
/// blindnesses too.
const COLOURS: [&str; 8] =
    ["#e07b00", "#2f7ed8", "#2a9d5c", "#c65aa8", "#d9463e", "#8b6fd6", "#a0792c", "#1fa3a8"];
/// Lengths of dashes and gaps; none of a solid line.
const DASHES: [&str; 3] = ["", "8 5", "1 5"];

/// Colour and dashes of a mark: 24 are different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pen {
    /// The colour.
    pub colour: &'static str,
    /// Lengths of dashes and gaps as SVG has them; empty for a solid line.
    pub dash: &'static str,
}

impl Pen {
    /// The pen of reference clouds.
    pub(super) const REFERENCE: Self = Self { colour: GREY, dash: "" };

    /// The pen of the `index`-th mark.
    pub(super) fn of(index: usize) -> Self {
        let (colour, dash) =
            (COLOURS.get(index % COLOURS.len()), DASHES.get(index / COLOURS.len() % DASHES.len()));
        Self { colour: colour.copied().unwrap_or(GREY), dash: dash.copied().unwrap_or_default() }
    }

    /// Its colour as red, green and blue.
    pub(super) fn rgb(self) -> [u8; 3] {
        let digits = u32::from_str_radix(self.colour.trim_start_matches('#'), 16).unwrap_or_default();
        let [_, red, green, blue] = digits.to_be_bytes();
        [red, green, blue]
    }

    /// A short line of it for a legend.
    pub(in crate::report) fn write_key(self, html: &mut String) {
        // Writing into a String cannot fail.
        let _ = write!(
            html,
            "<svg class=\"key\" viewBox=\"0 0 26 8\"><path d=\"M2 4h22\" stroke=\"{}\" stroke-width=\"4\" \
             stroke-dasharray=\"{}\" stroke-linecap=\"round\"/></svg>",
            self.colour,
            if self.dash.is_empty() { "none" } else { self.dash }
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Pen;

    #[test]
    fn two_dozen_marks_are_told_apart() {
        let pens: Vec<Pen> = (0..24).map(Pen::of).collect();
        assert!(pens.iter().enumerate().all(|(i, pen)| !pens.iter().skip(i + 1).any(|other| other == pen)));
    }
}
