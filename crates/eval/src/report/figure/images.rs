//! Grey pictures in rows.

use super::{Drawing, FigureError};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Grey levels of a drawn picture: more are not told apart at this size, and each costs one path.
const LEVELS: usize = 16;
/// Pixels of the page for one pixel of a picture.
const ZOOM: usize = 3;

/// Pictures of one size in rows, such as digits above what they were mapped to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Images {
    /// What the figure shows.
    pub caption: String,
    /// Width and height of a picture.
    pub size: (usize, usize),
    /// The rows: pictures of width × height values in [−1, 1], row-major, −1 for the background.
    pub rows: Vec<Vec<Vec<f64>>>,
}

impl Images {
    /// Columns and lines of pixels of all pictures, with one between two of them.
    pub(super) fn extent(&self) -> Result<(usize, usize), FigureError> {
        let (width, height) = self.size;
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        if columns * width * height == 0 {
            return Err(FigureError::Empty { caption: self.caption.clone() });
        }
        Ok((columns * (width + 1) - 1, self.rows.len() * (height + 1) - 1))
    }

    pub(super) fn draw(&self) -> Result<Drawing, FigureError> {
        let (width, height) = self.size;
        let (total_x, total_y) = self.extent()?;
        // One pixel between pictures.
        let (step_x, step_y) = (width + 1, height + 1);
        let mut paths = vec![String::new(); LEVELS];
        for (row, pictures) in self.rows.iter().enumerate() {
            for (column, picture) in pictures.iter().enumerate() {
                for (line, values) in picture.chunks(width).take(height).enumerate() {
                    runs(values, |start, length, level| {
                        if let Some(path) = paths.get_mut(level) {
                            let (x, y) = (column * step_x + start, row * step_y + line);
                            let _ = write!(path, "M{x} {y}h{length}v1h-{length}");
                        }
                    });
                }
            }
        }
        let mut svg = format!(
            "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {total_x} {total_y}\" xmlns=\"http://www.w3.org/2000/svg\" \
             shape-rendering=\"crispEdges\"><rect width=\"{total_x}\" height=\"{total_y}\" fill=\"#000\"/>",
            total_x * ZOOM,
            total_y * ZOOM
        );
        for (level, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
            let grey = 255 * level / (LEVELS - 1);
            let _ = write!(svg, "<path fill=\"#{grey:02x}{grey:02x}{grey:02x}\" d=\"{path}\"/>");
        }
        svg.push_str("</svg>");
        Ok(Drawing { svg, legend: Vec::new() })
    }
}

/// The stretches of equal grey level above the background.
fn runs(values: &[f64], mut draw: impl FnMut(usize, usize, usize)) {
    let level = |value: &f64| {
        let scaled = (value.clamp(-1.0, 1.0) + 1.0) / 2.0 * (LEVELS - 1) as f64;
        if scaled.is_finite() { scaled.round() as usize } else { 0 }
    };
    let mut start = 0;
    for stretch in values.chunk_by(|a, b| level(a) == level(b)) {
        let level = stretch.first().map_or(0, level);
        if level > 0 {
            draw(start, stretch.len(), level);
        }
        start += stretch.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_of_one_level_are_one_rectangle() {
        let picture = vec![-1.0, 1.0, 1.0, 0.99, -1.0, f64::NAN];
        let images = Images { caption: "c".into(), size: (3, 2), rows: vec![vec![picture.clone(), picture]] };
        let svg = images.draw().unwrap().svg;
        // 0.99 rounds to the level of 1; the second picture begins 3 + 1 pixels to the right.
        assert!(svg.contains("d=\"M1 0h2v1h-2M0 1h1v1h-1M5 0h2v1h-2M4 1h1v1h-1\""), "{svg}");
        let none = Images { caption: "c".into(), size: (3, 2), rows: vec![] };
        assert!(matches!(none.draw(), Err(FigureError::Empty { .. })));
    }
}
