//! `report`: writes the report of a run, of an experiment or of a sweep again.

use crate::ending::Ending;
use crate::{experiment, run, run_folder, sweep};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use train::run::CONFIG_FILE;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder of a run, of an experiment or of a sweep
    folder: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let folder = &arguments.folder;
    if !folder.is_dir() {
        bail!("there is no folder {}: give that of a run, of an experiment or of a sweep", folder.display());
    }
    let path = if folder.join(CONFIG_FILE).is_file() { run::report(folder)? } else { of_many(folder)? };
    say::answer!("{}", path.display());
    Ok(Ending::Done)
}

/// The report of a folder of many runs.
fn of_many(folder: &Path) -> Result<PathBuf> {
    let results = run_folder::results(folder).with_context(|| {
        format!("{} is neither a run nor a finished experiment or sweep", folder.display())
    })?;
    let is_sweep = results.rows.iter().any(|row| !row.settings.is_empty());
    if is_sweep { sweep::report(folder, &results) } else { experiment::report(folder, &results) }
}
