//! Pictures that are there as PNG files.

use super::{Drawing, FigureError};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};

/// A PNG file within the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Raster {
    /// What the figure shows.
    pub caption: String,
    /// The contents of the file.
    pub png: Vec<u8>,
}

impl Raster {
    pub(super) fn draw(&self) -> Result<Drawing, FigureError> {
        let empty = || FigureError::Empty { caption: self.caption.clone() };
        let (width, height) = self.size().ok_or_else(empty)?;
        let data = Base64::encode_string(&self.png);
        let svg = format!(
            "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             xmlns=\"http://www.w3.org/2000/svg\"><image width=\"{width}\" height=\"{height}\" \
             style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{data}\"/></svg>"
        );
        Ok(Drawing { svg, legend: Vec::new() })
    }

    /// Width and height: the first numbers of a PNG file, after its signature and the head of its first chunk.
    fn size(&self) -> Option<(u32, u32)> {
        let number = |at: usize| Some(u32::from_be_bytes(self.png.get(at..at + 4)?.try_into().ok()?));
        number(16).zip(number(20))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::Picture;

    #[test]
    fn a_picture_is_drawn_in_its_size() {
        let picture = Picture { width: 3, height: 2, channels: 1, bytes: vec![0; 6] };
        let raster = Raster { caption: "c".into(), png: picture.encoded().unwrap() };
        let svg = raster.draw().unwrap().svg;
        assert!(svg.contains("viewBox=\"0 0 3 2\"") && svg.contains("base64,iVBORw0KGgo"), "{svg}");
        let none = Raster { caption: "c".into(), png: Vec::new() };
        assert!(matches!(none.draw(), Err(FigureError::Empty { .. })));
    }
}
