//! One process at a time works on a run folder.

use crate::TrainError;
use fd_lock::RwLock;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// The file that is locked; it stays behind, empty.
pub const LOCK_FILE: &str = ".lock";

/// The right to change a folder; it ends with the last copy of this value, or with the process.
#[derive(Debug, Clone)]
pub struct Lock {
    _file: Arc<RwLock<File>>,
}

impl Lock {
    /// Takes the right to change a folder that exists.
    ///
    /// # Errors
    /// [`TrainError::InUse`] when another process has it, [`TrainError::Io`] when the folder cannot be written to.
    pub fn acquire(folder: &Path) -> Result<Self, TrainError> {
        let path = folder.join(LOCK_FILE);
        let io = |source| TrainError::Io { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        let mut lock = RwLock::new(file);
        match lock.try_write() {
            // The lock is the open file's, and ends when that is closed; the guard would end it earlier.
            Ok(guard) => std::mem::forget(guard),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(TrainError::InUse { path: folder.into() });
            }
            Err(source) => return Err(io(source)),
        }
        Ok(Self { _file: Arc::new(lock) })
    }
}
