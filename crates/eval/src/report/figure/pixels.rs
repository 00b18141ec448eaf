//! Figures in pixels, for programs that show pictures only.

use super::{FigureError, Images, Scatter};
use std::ops::Range;

/// Width and height of a picture of clouds.
const SIDE: usize = 320;
/// Width and height of a point.
const DOT: usize = 2;
/// Pixels for one pixel of an image.
const ZOOM: usize = 3;

/// A picture, three bytes a pixel (red, green, blue), the upper row first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The bytes.
    pub rgb: Vec<u8>,
}

impl Pixels {
    fn new(width: usize, height: usize, grey: u8) -> Self {
        Self { width, height, rgb: vec![grey; 3 * width * height] }
    }

    /// Colours a square whose upper left corner is at (column, row), as far as it is inside.
    fn set(&mut self, (column, row): (usize, usize), side: usize, colour: [u8; 3]) {
        let Self { width, height, .. } = *self;
        for y in row..(row + side).min(height) {
            for x in column..(column + side).min(width) {
                let first = 3 * (y * width + x);
                self.rgb
                    .get_mut(first..first + 3)
                    .into_iter()
                    .for_each(|pixel| pixel.copy_from_slice(&colour));
            }
        }
    }
}

impl Scatter {
    /// The clouds in pixels on white, in the frame of the first.
    ///
    /// # Errors
    /// [`FigureError::Empty`] where that has no finite point.
    pub fn pixels(&self) -> Result<Pixels, FigureError> {
        let (x, y) = self.frame()?;
        let mut pixels = Pixels::new(SIDE, SIDE, 255);
        let place = |value: f64, range: &Range<f64>| {
            let share = (value - range.start) / (range.end - range.start);
            (0.0..1.0).contains(&share).then_some((share * SIDE as f64) as usize)
        };
        for (index, cloud) in self.clouds.iter().enumerate() {
            let colour = Self::pen(index).rgb();
            for point in &cloud.points {
                if let (Some(column), Some(up)) = (place(point.0, &x), place(point.1, &y)) {
                    pixels.set((column, SIDE - 1 - up), DOT, colour);
                }
            }
        }
        Ok(pixels)
    }
}

impl Images {
    /// The pictures in pixels, on black.
    ///
    /// # Errors
    /// [`FigureError::Empty`] where there is none.
    pub fn pixels(&self) -> Result<Pixels, FigureError> {
        let (columns, rows) = self.extent()?;
        let mut pixels = Pixels::new(columns * ZOOM, rows * ZOOM, 0);
        let (width, height) = self.size;
        for (row, pictures) in self.rows.iter().enumerate() {
            for (column, picture) in pictures.iter().enumerate() {
                for (line, values) in picture.chunks(width).take(height).enumerate() {
                    for (at, value) in values.iter().enumerate() {
                        let grey = ((value.clamp(-1.0, 1.0) + 1.0) * 127.5).round() as u8;
                        let corner = (column * (width + 1) + at, row * (height + 1) + line);
                        pixels.set((corner.0 * ZOOM, corner.1 * ZOOM), ZOOM, [grey; 3]);
                    }
                }
            }
        }
        Ok(pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Cloud;

    /// The pixel of a picture.
    fn at(pixels: &Pixels, column: usize, row: usize) -> &[u8] {
        let first = 3 * (row * pixels.width + column);
        &pixels.rgb[first..first + 3]
    }

    #[test]
    fn the_second_cloud_lies_over_the_first_and_up_is_up() {
        let cloud = |points: &[(f64, f64)]| Cloud { name: String::new(), points: points.into() };
        let corners = cloud(&[(0.0, 0.0), (1.0, 1.0)]);
        let second = cloud(&[(0.0, 1.0), (1.0, 1.0), (9.0, 9.0)]);
        let scatter = Scatter { caption: "c".into(), clouds: vec![corners, second], bare: true };
        let pixels = scatter.pixels().unwrap();
        assert_eq!((pixels.width, pixels.height), (320, 320));
        // The frame is 1.2·1.08 long about the middle: a corner is at (1.296 − 1)/2/1.296 = 0.1142 of 320 pixels, 36.5.
        let (near, far) = (36, 319 - 36);
        let far_column = 320 - 37;
        assert_eq!(at(&pixels, near, far), [0x8a, 0x8f, 0x98]);
        assert_eq!(at(&pixels, far_column, near), [0xe0, 0x7b, 0x00]);
        assert_eq!(at(&pixels, near, near), [0xe0, 0x7b, 0x00]);
        assert_eq!(at(&pixels, far_column, far), [255; 3]);
    }

    #[test]
    fn pictures_stand_beside_each_other() {
        let rows = vec![vec![vec![-1.0, 1.0, 0.0, f64::NAN], vec![1.0; 4]]];
        let pixels = Images { caption: "c".into(), size: (2, 2), rows }.pixels().unwrap();
        // Two pictures of two pixels and one between them.
        assert_eq!((pixels.width, pixels.height), (15, 6));
        let greys = [(0, 0), (3, 0), (0, 3), (6, 0), (9, 0)].map(|(column, row)| at(&pixels, column, row)[0]);
        assert_eq!(greys, [0, 255, 128, 0, 255]);
    }
}
