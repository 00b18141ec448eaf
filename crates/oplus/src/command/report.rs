//! `report`: writes the report of a run or of an experiment again.

use crate::ending::Ending;
use crate::{experiment, run};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use train::run::CONFIG_FILE;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder of a run or of an experiment
    folder: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let folder = &arguments.folder;
    let is_run = folder.join(CONFIG_FILE).is_file();
    let path = if is_run { run::report(folder)? } else { experiment::report(folder)? };
    say::answer!("{}", path.display());
    Ok(Ending::Done)
}
