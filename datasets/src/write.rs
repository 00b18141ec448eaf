//! Writers: a file is written whole or not at all.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use ndarray::{ArrayView2, CowArray};
use ndarray_npy::{WritableElement, WriteNpyExt};
use thiserror::Error;

/// A file that was not written; nothing was left behind and what was there before is untouched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The operating system refused.
    #[error("{} cannot be written ({source}): check that its folder exists, is writable and has space", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason given.
        source: io::Error,
    },
    /// A value is NaN or infinite; it would be read later as if it were a result.
    #[error(
        "{} was not written because row {row}, column {column} (counted from 0) is {value}: write finite values only",
        path.display()
    )]
    NonFinite {
        /// The file.
        path: PathBuf,
        /// Row of the value.
        row: usize,
        /// Column of the value.
        column: usize,
        /// The value.
        value: f64,
    },
}

/// Writes a file whole or not at all: into a temporary file of the same folder, flushed to disk, then renamed.
///
/// A file of that name is replaced in one step; a reader sees the old contents or the new, never a part.
///
/// # Errors
/// [`WriteError::Io`] where the folder is missing or refuses, or where `contents` fails.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("results.json");
/// datasets::write_whole(&path, |file| file.write_all(b"{}"))?;
/// assert_eq!(std::fs::read(&path)?, b"{}");
/// # Ok(())
/// # }
/// ```
pub fn write_whole(
    path: impl AsRef<Path>,
    contents: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    let path = path.as_ref();
    try_write_whole(path, contents).map_err(|source| WriteError::Io { path: path.into(), source })
}

fn try_write_whole(path: &Path, contents: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".partial");
    // A temporary file is private by default; a result has the permissions that the user's umask gives.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    let mut buffered = BufWriter::new(file.as_file_mut());
    contents(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    file.persist(path).map(drop::<fs::File>).map_err(|error| error.error)
}

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
    write_npy(path.as_ref(), &matrix.into())
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
    write_npy(path.as_ref(), &matrix.into())
}

fn write_npy<Element>(path: &Path, matrix: &ArrayView2<'_, Element>) -> Result<(), WriteError>
where
    Element: WritableElement + Copy + Into<f64>,
{
    for ((row, column), &value) in matrix.indexed_iter() {
        let value: f64 = value.into();
        if !value.is_finite() {
            return Err(WriteError::NonFinite { path: path.into(), row, column, value });
        }
    }
    // `write_npy` keeps the memory order of the array; files are always in C order.
    let matrix: CowArray<'_, Element, _> = matrix.as_standard_layout();
    write_whole(path, |file| matrix.write_npy(file).map_err(io::Error::other))
}

#[cfg(test)]
mod tests {
    use std::{fs, io};

    use ndarray::{Array2, array};

    use super::{WriteError, write_npy_f32, write_npy_f64, write_whole};
    use crate::read_matrix;

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
    fn a_refused_or_interrupted_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let old = array![[1.0]];
        write_npy_f64(&path, &old).unwrap();
        let error = write_npy_f64(&path, &array![[1.0, 2.0], [3.0, f64::NAN]]).unwrap_err();
        assert!(matches!(error, WriteError::NonFinite { row: 1, column: 1, .. }));
        let interrupted = write_whole(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("no space"))
        });
        assert!(interrupted.unwrap_err().to_string().contains("no space"));
        assert_eq!(read_matrix(&path).unwrap(), old);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_and_a_folder_in_the_way_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let matrix = Array2::<f64>::zeros((1, 1));
        for path in [folder.path().join("no/such/a.npy"), folder.path().to_path_buf()] {
            let error = write_npy_f64(&path, &matrix).unwrap_err().to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn results_are_readable_as_the_umask_says() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (plain, whole) = (folder.path().join("plain"), folder.path().join("whole"));
        fs::write(&plain, "x").unwrap();
        write_whole(&whole, |file| file.write_all(b"x")).unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&plain), mode(&whole));
    }
}
