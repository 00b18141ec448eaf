//! The checkpoints of a run folder: the newest one that is whole, and those that are not.

use crate::TrainError;
use crate::checkpoint::Stored;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder in a run folder.
pub(super) const CHECKPOINTS: &str = "checkpoints";
/// What is added to the name of a checkpoint that is damaged.
const DAMAGED: &str = "damaged";
/// Older checkpoints are deleted once a newer one is on disk.
const KEPT: usize = 3;

/// Path of the newest checkpoint of a run folder.
///
/// # Errors
/// [`TrainError::Io`] when the folder cannot be read.
pub fn newest_checkpoint(folder: &Path) -> Result<Option<PathBuf>, TrainError> {
    Ok(all(folder)?.pop())
}

/// The checkpoints of a run folder that were damaged when the run went on, and were set aside.
///
/// # Errors
/// [`TrainError::Io`] when the folder cannot be read.
pub fn damaged_checkpoints(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == DAMAGED));
    paths.sort();
    Ok(paths)
}

/// The newest checkpoint of a run folder, open.
pub(crate) fn newest_state(folder: &Path) -> Result<Stored, TrainError> {
    let path = newest_checkpoint(folder)?
        .ok_or_else(|| TrainError::NoRun { path: folder.into(), reason: "no checkpoint yet".into() })?;
    Stored::open(&path)
}

/// The newest checkpoint of a run folder that is whole; what is damaged before it is set aside under another name, and
/// told to `damaged`.
pub(super) fn newest_whole(
    folder: &Path,
    mut damaged: impl FnMut(PathBuf, &'static str),
) -> Result<Option<Stored>, TrainError> {
    while let Some(path) = newest_checkpoint(folder)? {
        match Stored::open(&path) {
            Ok(stored) => return Ok(Some(stored)),
            Err(TrainError::Damaged { reason, .. }) => {
                let mut aside = path.clone().into_os_string();
                aside.push(format!(".{DAMAGED}"));
                let aside = PathBuf::from(aside);
                fs::rename(&path, &aside).map_err(|source| TrainError::Io { path, source })?;
                damaged(aside, reason);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Where the checkpoint after `iteration` iterations is.
pub(super) fn path_of(folder: &Path, iteration: u64) -> PathBuf {
    folder.join(CHECKPOINTS).join(format!("{iteration:09}.safetensors"))
}

/// Deletes all but the newest checkpoints.
pub(super) fn forget_old(folder: &Path) -> Result<(), TrainError> {
    let mut old = all(folder)?;
    old.truncate(old.len().saturating_sub(KEPT));
    old.into_iter()
        .try_for_each(|path| fs::remove_file(&path).map_err(|source| TrainError::Io { path, source }))
}

/// All checkpoints in the order of their iterations.
fn all(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let iteration = |path: &PathBuf| -> Option<u64> {
        path.file_name()?.to_str()?.strip_suffix(".safetensors")?.parse().ok()
    };
    let mut found: Vec<(u64, PathBuf)> =
        entries(folder)?.into_iter().filter_map(|path| Some((iteration(&path)?, path))).collect();
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let folder = folder.join(CHECKPOINTS);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&folder).map_err(|source| TrainError::Io { path: folder, source })?;
    Ok(entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
}
