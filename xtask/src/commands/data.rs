//! `data`: gets a public data set by package name, or checks the files of one.

use crate::workspace::Workspace;
use anyhow::Result;
use clap::{Args, Subcommand};
use datasets::manifest::{DATA_SETS, cache_root, find};
use std::process::ExitCode;

/// Arguments of `data`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Fetch what is missing, and check it
    Fetch {
        #[arg(help = data_sets())]
        name: String,
    },
    /// Compare the files that are there with their lengths and SHA-256
    Check {
        #[arg(help = data_sets())]
        name: String,
    },
}

/// What `--help` says of the name.
fn data_sets() -> String {
    let names = DATA_SETS.map(|data_set| data_set.name);
    format!("The data set: {}", names.join(", "))
}

pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let root = cache_root(workspace.root());
    match &arguments.action {
        Action::Fetch { name } => {
            let data_set = find(name)?;
            let folder = datasets::fetch(data_set, &root)?;
            say::answer!("{name} is in {} ({})", folder.display(), data_set.terms);
        }
        Action::Check { name } => {
            let data_set = find(name)?;
            let folder = root.join(data_set.name);
            data_set.verify(&folder)?;
            say::answer!("{name} is whole: {} files in {}", data_set.files.len(), folder.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}
