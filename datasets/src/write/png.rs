//! Pictures as PNG files.

use super::{WriteError, write_whole};
use png::{BitDepth, ColorType, Encoder};
use std::io;
use std::path::Path;

/// A picture of bytes, row by row, the channels of a pixel side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// The bytes, width·height·channels of them.
    pub bytes: Vec<u8>,
}

impl Picture {
    /// The picture as the contents of a PNG file.
    ///
    /// # Errors
    /// What the encoder reports of a picture without pixels or with bytes that do not fit its size.
    pub fn encoded(&self) -> io::Result<Vec<u8>> {
        let size = |pixels: usize| u32::try_from(pixels).map_err(io::Error::other);
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, size(self.width)?, size(self.height)?);
        encoder.set_color(if self.channels == 1 { ColorType::Grayscale } else { ColorType::Rgb });
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.bytes)?;
        writer.finish()?;
        Ok(file)
    }
}

/// Writes a picture as a PNG file, whole or not at all.
///
/// # Errors
/// As [`write_whole`], and as [`Picture::encoded`].
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let picture = datasets::Picture { width: 2, height: 1, channels: 1, bytes: vec![0, 255] };
/// datasets::write_png(folder.path().join("two.png"), &picture)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_png(path: impl AsRef<Path>, picture: &Picture) -> Result<(), WriteError> {
    write_whole(path, |file| file.write_all(&picture.encoded()?))
}
