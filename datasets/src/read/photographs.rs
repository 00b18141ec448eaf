//! CIFAR-10 as its package carries it: a picture of all images, one a row of it, and labels as a list of digits.

use std::io::Cursor;
use std::path::Path;

use ndarray::{Array1, Array2, Axis, concatenate};
use png::{BitDepth, ColorType, Decoder};

use super::{ReadError, read_bytes};
use crate::images::unit;
use crate::{ImageSet, Images, Split};

/// Reads a part of CIFAR-10 from its folder.
pub(crate) fn read_photographs(folder: &Path, split: Split) -> Result<Images, ReadError> {
    let (pictures, labels): (&[&str], _) = match split {
        Split::Train => (
            &[
                "data_batch_1.png",
                "data_batch_2.png",
                "data_batch_3.png",
                "data_batch_4.png",
                "data_batch_5.png",
            ],
            "train_lables.json",
        ),
        Split::Test => (&["test_batch.png"], "test_lables.json"),
    };
    let labels_path = folder.join(labels);
    let parts = pictures.iter().map(|picture| rows(&folder.join(picture))).collect::<Result<Vec<_>, _>>()?;
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    let pixels = concatenate(Axis(0), &views)
        .unwrap_or_else(|_| unreachable!("every part has the width that was checked, and there is one"));
    let labels = digits(&labels_path, &read_bytes(&labels_path)?)?;
    if labels.len() != pixels.nrows() {
        let reason = format!("it has {} labels for {} images", labels.len(), pixels.nrows());
        return Err(ReadError::Malformed { path: labels_path, format: "JSON", reason });
    }
    Ok(Images { pixels, labels })
}

/// The images of a picture whose rows they are, [n, 3072].
fn rows(path: &Path) -> Result<Array2<f32>, ReadError> {
    let bytes = read_bytes(path)?;
    let malformed = |reason: String| ReadError::Malformed { path: path.into(), format: "PNG", reason };
    let mut reader =
        Decoder::new(Cursor::new(bytes)).read_info().map_err(|error| malformed(error.to_string()))?;
    let size = reader.output_buffer_size().ok_or_else(|| malformed("it is too large".into()))?;
    let values = ImageSet::Cifar10.shape().values();
    let info = reader.info();
    let (width, colour, depth) = (info.width, info.color_type, info.bit_depth);
    if (colour, depth) != (ColorType::Rgb, BitDepth::Eight) || width as usize * 3 != values {
        let reason =
            format!("its rows are {width} pixels of {colour:?} at {depth:?} bits, not {} of Rgb", values / 3);
        return Err(malformed(reason));
    }
    let mut raw = vec![0; size];
    reader.next_frame(&mut raw).map_err(|error| malformed(error.to_string()))?;
    let pixels: Vec<f32> = raw.into_iter().map(unit).collect();
    Array2::from_shape_vec((pixels.len() / values, values), pixels)
        .map_err(|error| malformed(error.to_string()))
}

/// The digits of a JSON list of them.
fn digits(path: &Path, bytes: &[u8]) -> Result<Array1<u8>, ReadError> {
    let malformed =
        |reason: &str| ReadError::Malformed { path: path.into(), format: "JSON", reason: reason.into() };
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not text"))?;
    let inside = text.trim().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let inside = inside.ok_or_else(|| malformed("it is not a list"))?;
    let digit =
        |text: &str| text.trim().parse().ok().filter(|&digit: &u8| usize::from(digit) < ImageSet::CLASSES);
    inside.split(',').map(|text| digit(text).ok_or_else(|| malformed("it holds what is no digit"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Picture, write_png};

    /// Rows of 1024 pixels; the value of pixel x in channel c of image i is 3·i + c, x everywhere in the first channel
    /// of image 0.
    fn picture(height: usize, width: usize) -> Picture {
        let byte = |at: usize| {
            let (image, pixel, channel) = (at / (3 * width), at / 3 % width, at % 3);
            if image + channel == 0 { (pixel % 256) as u8 } else { (3 * image + channel) as u8 }
        };
        Picture { width, height, channels: 3, bytes: (0..3 * height * width).map(byte).collect() }
    }

    #[test]
    fn a_row_of_the_picture_is_an_image() {
        let folder = tempfile::tempdir().unwrap();
        write_png(folder.path().join("test_batch.png"), &picture(2, 1024)).unwrap();
        std::fs::write(folder.path().join("test_lables.json"), "[3, 9]\n").unwrap();
        let images = read_photographs(folder.path(), Split::Test).unwrap();
        assert_eq!((images.labels, images.pixels.dim()), (ndarray::array![3, 9], (2, 3072)));
        let byte =
            |image: usize, pixel: usize, channel: usize| images.pixels[[image, 3 * pixel + channel]] * 255.0;
        // A byte over 255 and back is off by a rounding of single precision.
        let near = |x: f32, y: f32| assert!((x - y).abs() < 1e-4, "{x} for {y}");
        near(byte(0, 7, 0), 7.0);
        near(byte(0, 7, 2), 2.0);
        near(byte(1, 1023, 1), 4.0);
    }

    #[test]
    fn other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |labels: &str, width: usize| {
            write_png(folder.path().join("test_batch.png"), &picture(2, width)).unwrap();
            std::fs::write(folder.path().join("test_lables.json"), labels).unwrap();
            read_photographs(folder.path(), Split::Test).unwrap_err().to_string()
        };
        assert!(refused("[3]", 1024).contains("1 labels for 2 images"));
        assert!(refused("[3, 10]", 1024).contains("no digit"));
        assert!(refused("{}", 1024).contains("not a list"));
        assert!(refused("[3, 9]", 8).contains("8 pixels of Rgb"));
        std::fs::write(folder.path().join("test_batch.png"), b"nothing").unwrap();
        assert!(
            read_photographs(folder.path(), Split::Test).unwrap_err().to_string().contains("test_batch.png")
        );
    }
}
