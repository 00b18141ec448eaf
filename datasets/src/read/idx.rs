//! The IDX format of MNIST and Fashion-MNIST.

use std::path::Path;

use ndarray::{ArrayD, IxDyn};

use super::{ReadError, read_bytes, unpacked};

/// Reads an IDX file of unsigned bytes, plain or compressed with gzip.
///
/// Layout: bytes 0, 0, 8, number of axes; then one big-endian u32 a axis; then the values, last axis fastest.
///
/// Shapes: as the header says: images × rows × columns, or one axis of labels. Complexity: O(size of the file).
///
/// # Errors
/// [`ReadError`] where the file is missing, empty, of another type, or does not hold what its header promises.
///
/// Source: the format description on the MNIST page of Y. LeCun, C. Cortes and C. J. C. Burges.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("labels-idx1-ubyte");
/// std::fs::write(&path, [0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4])?;
/// assert_eq!(datasets::read_idx(&path)?, ndarray::array![5, 0, 4].into_dyn());
/// # Ok(())
/// # }
/// ```
pub fn read_idx(path: impl AsRef<Path>) -> Result<ArrayD<u8>, ReadError> {
    let path = path.as_ref();
    let bytes = read_bytes(path)?;
    parse(path, &unpacked(path, &bytes)?)
}

pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<ArrayD<u8>, ReadError> {
    let malformed = |reason: String| ReadError::Malformed { path: path.into(), format: "IDX", reason };
    let short = || malformed("it ends within the header".to_owned());
    let (mark, mut rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
    let [0, 0, kind, axes] = *mark else {
        return Err(malformed("it does not start with two zero bytes".to_owned()));
    };
    if kind != 8 {
        return Err(malformed(format!("its type code is {kind}, not 8 for unsigned bytes")));
    }
    let mut shape = Vec::new();
    for _ in 0..axes {
        let (size, next) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        // A u32 fits a usize on every platform with files of this size.
        shape.push(u32::from_be_bytes(*size) as usize);
        rest = next;
    }
    let promised = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
    if promised != Some(rest.len()) {
        return Err(malformed(format!(
            "its header promises an array of shape {shape:?} but {} values follow",
            rest.len()
        )));
    }
    ArrayD::from_shape_vec(IxDyn(&shape), rest.to_vec()).map_err(|error| malformed(error.to_string()))
}
