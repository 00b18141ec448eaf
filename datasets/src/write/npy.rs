//! The `.npy` format, version 1.0.

use std::path::Path;

use ndarray::ArrayView2;

use super::{WriteError, write_whole};

const MARK_AND_VERSION: &[u8] = b"\x93NUMPY\x01\x00";

/// Writes a matrix as a `.npy` file of float64 in C order, whole or not at all.
///
/// Shapes: [n, d]. Complexity: O(n·d).
///
/// # Errors
/// [`WriteError::NonFinite`] for the first value that is not finite, [`WriteError::Io`] as [`write_whole`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("points.npy");
/// let points = ndarray::array![[1.0, 2.0], [3.0, 4.0]];
/// datasets::write_npy_f64(&path, &points)?;
/// assert_eq!(datasets::read_matrix(&path)?, points);
/// # Ok(())
/// # }
/// ```
pub fn write_npy_f64<'a>(
    path: impl AsRef<Path>,
    matrix: impl Into<ArrayView2<'a, f64>>,
) -> Result<(), WriteError> {
    write_npy(path.as_ref(), matrix.into(), f64::to_le_bytes)
}

/// Writes a matrix as a `.npy` file of float32 in C order, whole or not at all.
///
/// Shapes: [n, d]. Complexity: O(n·d).
///
/// # Errors
/// As [`write_npy_f64`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("points.npy");
/// datasets::write_npy_f32(&path, &ndarray::array![[0.5_f32, 2.0]])?;
/// assert_eq!(datasets::read_matrix(&path)?, ndarray::array![[0.5, 2.0]]);
/// # Ok(())
/// # }
/// ```
pub fn write_npy_f32<'a>(
    path: impl AsRef<Path>,
    matrix: impl Into<ArrayView2<'a, f32>>,
) -> Result<(), WriteError> {
    write_npy(path.as_ref(), matrix.into(), f32::to_le_bytes)
}

fn write_npy<Element: Copy + Into<f64>, const SIZE: usize>(
    path: &Path,
    matrix: ArrayView2<'_, Element>,
    encode: impl Fn(Element) -> [u8; SIZE],
) -> Result<(), WriteError> {
    for ((row, column), &value) in matrix.indexed_iter() {
        let value: f64 = value.into();
        if !value.is_finite() {
            return Err(WriteError::NonFinite { path: path.into(), row, column, value });
        }
    }
    let (header, mut bytes) = (header(SIZE, matrix.dim()), Vec::with_capacity(SIZE * matrix.ncols()));
    write_whole(path, |file| {
        file.write_all(&header)?;
        for row in matrix.rows() {
            bytes.clear();
            row.iter().for_each(|&value| bytes.extend_from_slice(&encode(value)));
            file.write_all(&bytes)?;
        }
        Ok(())
    })
}

/// What stands before the data of little-endian floating point numbers of `size` bytes in C order: mark, version, the
/// length of the text as a little-endian u16, and the text, filled up with spaces so that the data begin at a multiple
/// of 64.
fn header(size: usize, (rows, columns): (usize, usize)) -> Vec<u8> {
    let text = format!("{{'descr': '<f{size}', 'fortran_order': False, 'shape': ({rows}, {columns})}}");
    let before = MARK_AND_VERSION.len() + size_of::<u16>();
    // At most 118: no number of rows or columns has more than 20 digits.
    let length = (before + text.len() + 1).next_multiple_of(64) - before;
    let text = format!("{text:0$}\n", length - 1);
    [MARK_AND_VERSION, &(length as u16).to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ndarray::{Array2, array};
    use ndarray_npy::WriteNpyExt;

    use super::{WriteError, write_npy_f32, write_npy_f64};
    use crate::read_matrix;

    /// The bytes of an independent implementation.
    #[test]
    fn files_are_those_of_ndarray_npy_to_the_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        for shape in [(1, 1), (2, 3), (0, 4), (1000, 7)] {
            let matrix = Array2::from_shape_fn(shape, |(i, j)| (i * 7 + j) as f64 / 3.0 - 1.0);
            let mut expected = Vec::new();
            matrix.write_npy(&mut expected).unwrap();
            write_npy_f64(&path, &matrix).unwrap();
            assert_eq!(fs::read(&path).unwrap(), expected, "{shape:?}");
            let (single, mut expected) = (matrix.mapv(|x| x as f32), Vec::new());
            single.write_npy(&mut expected).unwrap();
            write_npy_f32(&path, &single).unwrap();
            assert_eq!(fs::read(&path).unwrap(), expected, "{shape:?}");
        }
    }

    #[test]
    fn float64_round_trips_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let matrix = array![[0.1, -0.0, f64::MIN_POSITIVE / 2.0], [f64::MAX, 1e-300, 3.0]];
        write_npy_f64(&path, &matrix).unwrap();
        let read = read_matrix(&path).unwrap();
        assert!(matrix.iter().zip(&read).all(|(a, b)| a.to_bits() == b.to_bits()));
    }

    #[test]
    fn transposed_views_are_written_in_c_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let matrix = array![[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
        write_npy_f32(&path, matrix.t()).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("'fortran_order': False"));
        assert!(String::from_utf8_lossy(&bytes).contains("'<f4'"));
        assert_eq!(read_matrix(&path).unwrap(), array![[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
    }

    #[test]
    fn a_value_that_is_not_finite_is_named_and_the_old_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let old = array![[1.0]];
        write_npy_f64(&path, &old).unwrap();
        let error = write_npy_f64(&path, &array![[1.0, 2.0], [3.0, f64::NAN]]).unwrap_err();
        assert!(matches!(error, WriteError::NonFinite { row: 1, column: 1, .. }));
        assert_eq!(read_matrix(&path).unwrap(), old);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
