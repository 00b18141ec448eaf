//! The formats of files of points.

use std::path::Path;

use super::ReadError;

/// A format of points that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// An array of NumPy.
    Npy,
    /// A table as text.
    Text,
}

/// Marks of other formats at the start of a file, what they are, and what to do with them.
const OTHERS: [(&[u8], &str, &str); 8] = [
    (b"PK\x03\x04", "a zip archive, as .npz and .xlsx are", "save its array as .npy or its sheet as .csv"),
    (b"\x89HDF", "an HDF5 file", "save its array as .npy"),
    (b"PAR1", "a Parquet file", "save its columns as .csv or .npy"),
    (b"ARROW1", "an Arrow file", "save its columns as .csv or .npy"),
    (b"MATLAB 5.0", "a MATLAB file", "save its matrix as .csv, in MATLAB with writematrix"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "save its sheet as .csv"),
    (b"BZh", "compressed with bzip2", "unpack it, or compress it with gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it, or compress it with gzip"),
];

impl Format {
    /// The format of a file by its name, the ending of a compressed file aside.
    pub(super) fn by_name(path: &Path) -> Result<Self, ReadError> {
        let ending =
            |path: &Path| path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let last = ending(path);
        let last = if last.as_deref() == Some("gz") { ending(&path.with_extension("")) } else { last };
        match last.as_deref() {
            Some("npy") => Ok(Self::Npy),
            Some("csv" | "tsv") => Ok(Self::Text),
            _ if !path.exists() => Err(ReadError::Missing { path: path.into() }),
            _ => Err(ReadError::UnknownFormat { path: path.into() }),
        }
    }
}

/// Refuses a file that another program has made in a format of its own, whatever its name says.
pub(super) fn no_other(path: &Path, bytes: &[u8]) -> Result<(), ReadError> {
    match OTHERS.into_iter().find(|(mark, ..)| bytes.starts_with(mark)) {
        Some((_, found, remedy)) => Err(ReadError::OtherFormat { path: path.into(), found, remedy }),
        None => Ok(()),
    }
}
