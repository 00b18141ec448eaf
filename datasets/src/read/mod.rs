//! Readers of matrices, vectors and images.

mod archive;
mod columns;
mod csv;
mod format;
mod header;
mod idx;
#[cfg(test)]
mod image_tests;
mod npy;
mod number;
mod photographs;
mod pickle;
mod points;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
mod text;
mod usps;
mod usps_resampled;

use std::path::Path;

use ndarray::{Array1, Array2, Axis};

use crate::bytes::{read_bytes, unpacked};
pub use crate::read_error::ReadError;
pub(crate) use archive::NamedArrays;
pub use columns::Columns;
pub use idx::read_idx;
pub(crate) use photographs::read_photographs;
pub use points::{Table, TableOptions};
pub use usps::{UspsDigits, read_usps};
pub use usps_resampled::read_usps_resampled;

use format::Format;

/// Reads a matrix, one point a row, from a `.npy` file or a text (`.csv`, `.tsv`); either may be compressed with
/// gzip (`.gz`).
///
/// `.npy`: booleans, integers and floats of 2 to 8 bytes, of either byte order, in C or Fortran order, of one axis (read
/// as one column) or two. Whole numbers from 2⁵³ on, which double precision may round, are refused.
///
/// Text: UTF-8, or UTF-16 with its mark; cells between tabs, semicolons, commas or blanks, with decimal commas beside
/// tabs and semicolons; `#` starts a comment line. A first row is one of names where no cell of it is a number. Whole numbers
/// that double precision would round are refused.
///
/// Shapes: [n, d] with n ≥ 1, d ≥ 1, every value finite. Complexity: O(n·d) time and memory; a header that promises more
/// than the file holds allocates nothing, and a compressed file unpacks to 1 GiB at most.
///
/// # Errors
/// [`ReadError`], which names the file, the row or line and the remedy. Rows of `.npy` are counted from 0 as in NumPy,
/// lines of a text from 1 as in an editor.
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
    Ok(read_table(path, &TableOptions::default())?.values)
}

/// [`read_matrix`] of some columns, with the place of each number in the file.
///
/// # Errors
/// As [`read_matrix`], and [`ReadError::Selection`] for columns that are not there.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("flowers.csv");
/// std::fs::write(&path, "length,width,kind\n5.1,3.5,setosa\n")?;
/// let options = datasets::TableOptions { columns: Some("length,width".parse()?), header: None };
/// let table = datasets::read_table(&path, &options)?;
/// assert_eq!(table.values, ndarray::array![[5.1, 3.5]]);
/// assert_eq!(table.place(0, 1), "line 2, column 2 (counted from 1)");
/// # Ok(())
/// # }
/// ```
pub fn read_table(path: impl AsRef<Path>, options: &TableOptions) -> Result<Table, ReadError> {
    let path = path.as_ref();
    let format = Format::by_name(path)?;
    let packed = read_bytes(path)?;
    let bytes = unpacked(path, &packed)?;
    let table = parse(path, &bytes, format, options)?;
    if table.values.is_empty() {
        let (rows, columns) = table.values.dim();
        return Err(ReadError::NoRows { path: path.into(), rows, columns });
    }
    Ok(table)
}

/// Parses the bytes of a file that is in this format by its name; it may have no rows.
fn parse(path: &Path, bytes: &[u8], format: Format, options: &TableOptions) -> Result<Table, ReadError> {
    format::no_other(path, bytes)?;
    match (format, &options.columns) {
        (Format::Text, _) => csv::parse(path, bytes, options),
        (Format::Npy, None) => Ok(npy::parse(path, bytes)?.into()),
        (Format::Npy, Some(columns)) => Table::from(npy::parse(path, bytes)?)
            .selected(columns)
            .map_err(|reason| ReadError::Selection { path: path.into(), reason }),
    }
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

/// What a file says, as a message shows it: not too long, and on one line.
fn shortened(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
