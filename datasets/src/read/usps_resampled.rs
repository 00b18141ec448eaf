//! The resampled USPS digits.

use std::path::Path;

use ndarray::{Array1, Array2};

use super::{ReadError, UspsDigits, read_bytes};
use crate::Split;

/// Images of each half.
const IMAGES: usize = 4649;
const PIXELS: usize = 256;
const CLASSES: usize = 10;
/// Where the arrays begin in the one file there is (MAT version 5, little-endian, uncompressed).
const TRAIN: Places = Places { patterns: 200, labels: 9_521_424 };
const TEST: Places = Places { patterns: 9_614_480, labels: 19_135_704 };

struct Places {
    patterns: usize,
    labels: usize,
}

/// Reads a half of `usps_resampled.mat`: USPS digits, low-pass filtered and split anew, not the USPS data themselves.
///
/// The file is known by its digest ([`crate::manifest`]), so its arrays are read at their places: f64 patterns
/// 256×4649 and i16 labels 10×4649 (+1 at the class), both column by column.
///
/// Shapes: labels \[4649\], pixels [4649, 256]. Complexity: O(size of the file).
///
/// # Errors
/// [`ReadError`] where the file is missing or too short, or where its values are not what they should be.
///
/// Source: the USPS example of Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006).
pub fn read_usps_resampled(path: impl AsRef<Path>, split: Split) -> Result<UspsDigits, ReadError> {
    let path = path.as_ref();
    parse(path, &read_bytes(path)?, split)
}

fn parse(path: &Path, bytes: &[u8], split: Split) -> Result<UspsDigits, ReadError> {
    let malformed = |reason: &str| ReadError::Malformed {
        path: path.into(),
        format: "resampled USPS",
        reason: reason.to_owned(),
    };
    let places = match split {
        Split::Train => TRAIN,
        Split::Test => TEST,
    };
    let part = |start: usize, length: usize| {
        bytes.get(start..start + length).ok_or_else(|| malformed("it is too short"))
    };
    let (patterns, _) = part(places.patterns, 8 * PIXELS * IMAGES)?.as_chunks::<8>();
    let pixels: Vec<f64> = patterns.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
    if pixels.iter().any(|pixel| pixel.is_nan() || pixel.abs() > 1.0 + 1e-6) {
        return Err(malformed("a grey value is outside [-1, 1]"));
    }
    let (labels, _) = part(places.labels, 2 * CLASSES * IMAGES)?.as_chunks::<2>();
    let class = |marks: &[[u8; 2]]| {
        let mut digits = (0..).zip(marks).filter(|(_, mark)| i16::from_le_bytes(**mark) == 1);
        match (digits.next(), digits.next()) {
            (Some((digit, _)), None) => Ok(digit),
            _ => Err(malformed("an image has not one class")),
        }
    };
    let labels = labels.chunks_exact(CLASSES).map(class).collect::<Result<Array1<u8>, _>>()?;
    let pixels =
        Array2::from_shape_vec((IMAGES, PIXELS), pixels).map_err(|error| malformed(&error.to_string()))?;
    Ok(UspsDigits { labels, pixels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_known_layout_is_read_column_by_column() {
        let mut bytes = vec![0_u8; TEST.labels + 2 * CLASSES * IMAGES];
        // Pixel 5 of image 2, and class (image mod 10) of every image.
        let at = TRAIN.patterns + 8 * (2 * PIXELS + 5);
        bytes[at..at + 8].copy_from_slice(&0.25_f64.to_le_bytes());
        for image in 0..IMAGES {
            for digit in 0..CLASSES {
                let mark: i16 = if image % CLASSES == digit { 1 } else { -1 };
                let at = TRAIN.labels + 2 * (image * CLASSES + digit);
                bytes[at..at + 2].copy_from_slice(&mark.to_le_bytes());
            }
        }
        let read = |bytes: &[u8], split| parse(Path::new("usps_resampled.mat"), bytes, split);
        let digits = read(&bytes, Split::Train).unwrap();
        assert_eq!((digits.pixels[[2, 5]], digits.pixels[[5, 2]]), (0.25, 0.0));
        assert!(digits.labels.iter().enumerate().all(|(image, &digit)| usize::from(digit) == image % 10));
        let error = read(&bytes, Split::Test).unwrap_err().to_string();
        assert!(error.contains("not one class"), "{error}");
        assert!(read(&bytes[..1000], Split::Train).unwrap_err().to_string().contains("too short"));
        bytes[at..at + 8].copy_from_slice(&7.0_f64.to_le_bytes());
        assert!(read(&bytes, Split::Train).unwrap_err().to_string().contains("outside"));
    }
}
