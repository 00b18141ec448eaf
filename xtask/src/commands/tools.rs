//! Programs that `guide` and `workflows` run, from wheels that `xtask/tools.txt` pins by version and SHA-256.

use super::venv;
use crate::workspace::Workspace;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

const REQUIREMENTS: &str = "xtask/tools.txt";

/// A program of the tools, which runs in the root of the workspace.
pub(super) fn command(workspace: &Workspace, name: &str) -> Result<Command> {
    let mut command = Command::new(python(workspace)?.with_file_name(name));
    command.current_dir(workspace.root());
    Ok(command)
}

/// Takes a step that needs the tools, or says why it is left out where they cannot be installed.
pub(super) fn where_there_are(workspace: &Workspace, step: impl FnOnce() -> Result<()>) -> Result<()> {
    match python(workspace) {
        Ok(_) => step(),
        Err(error) => {
            say::note!("skipped, since {REQUIREMENTS} cannot be installed: {error:#}");
            Ok(())
        }
    }
}

/// The interpreter beside which the tools lie; the first call installs them.
fn python(workspace: &Workspace) -> Result<PathBuf> {
    venv::ready(workspace, &workspace.target()?.join("tools"), &[Path::new(REQUIREMENTS)])
}
