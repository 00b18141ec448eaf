//! `guide`: builds the book in `docs`.

use super::tools;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::ExitCode;

const FOLDER: &str = "docs";

pub(super) fn run(workspace: &Workspace) -> Result<ExitCode> {
    say::answer!("{}", build(workspace)?.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds the book and returns its first page.
pub(super) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target()?.join("guide");
    let mut mdbook = tools::command(workspace, "mdbook")?;
    mdbook.args(["build", FOLDER, "--dest-dir"]).arg(&folder).env("RUST_LOG", "warn");
    workspace.run(mdbook, "mdbook build")?;
    let first = folder.join("index.html");
    first
        .is_file()
        .then_some(first)
        .with_context(|| format!("mdbook has left no page in {}", folder.display()))
}
