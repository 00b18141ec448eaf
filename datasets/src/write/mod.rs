//! Writers: a file is written whole or not at all.

#[cfg(feature = "arrays")]
mod npy;
#[cfg(feature = "arrays")]
mod png;

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;

#[cfg(feature = "arrays")]
pub use {
    npy::{write_npy_f32, write_npy_f64},
    png::{Picture, write_png},
};

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

/// How the names of temporary files begin and end.
const PREFIX: &str = ".";
const SUFFIX: &str = ".partial";

/// Writes a file whole or not at all: into a temporary file of the same folder, flushed to disk, then renamed, and
/// the folder flushed too.
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
    builder.prefix(PREFIX).suffix(SUFFIX);
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
    file.persist(path).map_err(|error| error.error)?;
    // The new name is on disk once its folder is. Where a file system cannot say so, the file is whole all the same.
    #[cfg(unix)]
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// A folder of files that shall be there all or not at all: under a temporary name until it is whole, and removed where it is
/// dropped before.
#[derive(Debug)]
pub struct PartialFolder(tempfile::TempDir);

impl PartialFolder {
    /// An empty one in the folder `parent`.
    ///
    /// # Errors
    /// [`WriteError::Io`] where that is missing or refuses.
    pub fn new_in(parent: impl AsRef<Path>) -> Result<Self, WriteError> {
        let parent = parent.as_ref();
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let folder = builder.tempdir_in(parent);
        folder.map(Self).map_err(|source| WriteError::Io { path: parent.into(), source })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Gives it its name, where nothing else is.
    ///
    /// # Errors
    /// [`WriteError::Io`] where the operating system refuses.
    pub fn finish(self, name: impl AsRef<Path>) -> Result<(), WriteError> {
        let name = name.as_ref();
        fs::rename(self.0.path(), name).map_err(|source| WriteError::Io { path: name.into(), source })?;
        // Nothing is left to be removed.
        let _ = self.0.keep();
        Ok(())
    }
}

/// Whether a path is that of a temporary file of [`write_whole`], or of a [`PartialFolder`].
pub fn is_partial(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Removes the temporary files and folders that writes into `folder` have left because their process was killed; the caller makes
/// sure that nobody is writing there.
///
/// # Errors
/// [`WriteError::Io`] where the folder or a file refuses.
pub fn remove_partial(folder: impl AsRef<Path>) -> Result<(), WriteError> {
    let folder = folder.as_ref();
    let refused = |path: &Path| {
        let path = path.to_path_buf();
        |source| WriteError::Io { path, source }
    };
    for entry in fs::read_dir(folder).map_err(refused(folder))? {
        let path = entry.map_err(refused(folder))?.path();
        if is_partial(&path) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(refused(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, io};

    use super::write_whole;

    #[test]
    fn an_interrupted_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_whole(&path, |file| file.write_all(b"old")).unwrap();
        let interrupted = write_whole(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("no space"))
        });
        assert!(interrupted.unwrap_err().to_string().contains("no space"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_and_a_folder_in_the_way_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("no/such/a.json"), folder.path().to_path_buf()] {
            let error = write_whole(&path, |file| file.write_all(b"new")).unwrap_err().to_string();
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
