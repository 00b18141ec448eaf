//! Readers of matrices, vectors and images.

mod idx;
#[cfg(test)]
mod image_tests;
mod npy;
mod table;
#[cfg(test)]
mod tests;
mod usps;
mod usps_resampled;

use std::path::Path;

use ndarray::{Array1, Array2, Axis};

use crate::bytes::{read_bytes, unpacked};
pub use crate::read_error::ReadError;
pub use idx::read_idx;
pub use usps::{UspsDigits, read_usps};
pub use usps_resampled::read_usps_resampled;

/// Reads a matrix, one point a row, from a `.npy` or `.csv` file.
///
/// `.npy`: float32 or float64 of either byte order, C or Fortran order, one axis (read as one column) or two.
/// `.csv`: commas, an optional first line of names (a line without any number), `#` starts a comment line.
///
/// Shapes: [n, d] with n ≥ 1, d ≥ 1, every value finite. Complexity: O(n·d) time and memory; a header that promises
/// more than the file holds allocates nothing.
///
/// # Errors
/// [`ReadError`], which names the file, the row or line and the remedy. Rows of `.npy` are counted from 0 as in NumPy,
/// lines of `.csv` from 1 as in an editor.
///
/// Source of the format: NumPy Enhancement Proposal 1, versions 1.0, 2.0 and 3.0.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("points.csv");
/// std::fs::write(&path, "x,y\n1,2\n3,4\n")?;
/// assert_eq!(datasets::read_matrix(&path)?, ndarray::array![[1.0, 2.0], [3.0, 4.0]]);
/// # Ok(())
/// # }
/// ```
pub fn read_matrix(path: impl AsRef<Path>) -> Result<Array2<f64>, ReadError> {
    let path = path.as_ref();
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let parse = match extension.as_deref() {
        Some("npy") => npy::parse,
        Some("csv") => table::parse,
        _ if !path.exists() => return Err(ReadError::Missing { path: path.into() }),
        _ => return Err(ReadError::UnknownFormat { path: path.into() }),
    };
    let matrix = parse(path, &read_bytes(path)?)?;
    if matrix.is_empty() {
        return Err(ReadError::NoRows { path: path.into(), rows: matrix.nrows(), columns: matrix.ncols() });
    }
    Ok(matrix)
}

/// Reads a vector, such as the weights of points, from a `.npy` file of one axis or a file with one column.
///
/// Of length n with n ≥ 1, every value finite.
///
/// # Errors
/// As [`read_matrix`]; [`ReadError::Columns`] where there is more than one column.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("weights.csv");
/// std::fs::write(&path, "0.25\n0.75\n")?;
/// assert_eq!(datasets::read_vector(&path)?, ndarray::array![0.25, 0.75]);
/// # Ok(())
/// # }
/// ```
pub fn read_vector(path: impl AsRef<Path>) -> Result<Array1<f64>, ReadError> {
    let matrix = read_matrix(path.as_ref())?;
    expect_columns(path, &matrix, 1)?;
    Ok(matrix.index_axis_move(Axis(1), 0))
}

/// Checks that a matrix read from `path` has `columns` columns.
///
/// # Errors
/// [`ReadError::Columns`] where it has not.
///
/// ```
/// let matrix = ndarray::Array2::<f64>::zeros((3, 2));
/// assert!(datasets::expect_columns("points.npy", &matrix, 7).is_err());
/// ```
pub fn expect_columns(path: impl AsRef<Path>, matrix: &Array2<f64>, columns: usize) -> Result<(), ReadError> {
    if matrix.ncols() == columns {
        Ok(())
    } else {
        Err(ReadError::Columns { path: path.as_ref().into(), found: matrix.ncols(), expected: columns })
    }
}
