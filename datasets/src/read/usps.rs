//! The text form of the USPS digits.

use std::path::Path;

use ndarray::{Array1, Array2};

use super::{ReadError, read_bytes, unpacked};

/// Pixels of an image of 16×16.
const PIXELS: usize = 256;

/// Handwritten digits of 16×16 pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct UspsDigits {
    /// Class of each image, 0 to 9; length n.
    pub labels: Array1<u8>,
    /// Grey values in [−1, 1], −1 the background, row-major 16×16; shape [n, 256].
    pub pixels: Array2<f64>,
}

/// Reads the USPS digits as published with "The Elements of Statistical Learning", plain or compressed with gzip.
///
/// Layout: one digit a line, separated by blanks: the label, then 256 grey values in [−1, 1], row-major 16×16.
///
/// Complexity: O(size of the file).
///
/// # Errors
/// [`ReadError`] with the line where it has not 257 numbers, a label is no digit or a value is outside [−1, 1].
///
/// Source: zip.info of the data, T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning" (2009).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("zip.train");
/// std::fs::write(&path, format!("6.0000{}\n", " -1.0000".repeat(256)))?;
/// assert_eq!(datasets::read_usps(&path)?.labels, ndarray::array![6]);
/// # Ok(())
/// # }
/// ```
pub fn read_usps(path: impl AsRef<Path>) -> Result<UspsDigits, ReadError> {
    let path = path.as_ref();
    let bytes = read_bytes(path)?;
    parse(path, &unpacked(path, &bytes)?)
}

pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<UspsDigits, ReadError> {
    let malformed = |reason: String| ReadError::Malformed { path: path.into(), format: "USPS", reason };
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    let (mut labels, mut pixels) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(text.lines()) {
        let numbers = numbers(path, line, text)?;
        let Some((&label, values)) = numbers.split_first().filter(|(_, values)| values.len() == PIXELS)
        else {
            let found = numbers.len();
            return Err(ReadError::RaggedRow { path: path.into(), line, found, expected: 1 + PIXELS });
        };
        let label = (0..10).find(|&digit| f64::from(digit) == label);
        labels.push(label.ok_or_else(|| malformed(format!("the label on line {line} is no digit")))?);
        if let Some(value) = values.iter().find(|value| value.abs() > 1.0) {
            return Err(malformed(format!("the value {value} on line {line} is outside [-1, 1]")));
        }
        pixels.extend_from_slice(values);
    }
    if labels.is_empty() {
        return Err(ReadError::NoRows { path: path.into(), rows: 0, columns: 0 });
    }
    let pixels = Array2::from_shape_vec((labels.len(), PIXELS), pixels)
        .map_err(|error| malformed(error.to_string()))?;
    Ok(UspsDigits { labels: labels.into(), pixels })
}

fn numbers(path: &Path, line: u64, text: &str) -> Result<Vec<f64>, ReadError> {
    let parse = |(column, cell): (usize, &str)| {
        cell.parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(|| ReadError::Cell {
            path: path.into(),
            line,
            column,
            text: cell.chars().take(40).collect(),
        })
    };
    (1..).zip(text.split_ascii_whitespace()).map(parse).collect()
}
