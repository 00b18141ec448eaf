//! Python environments with pinned versions, made on first need.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter of the environment `folder`, which holds what the files `requirements` pin; paths are from the root of
/// the workspace.
pub(super) fn ready(workspace: &Workspace, folder: &Path, requirements: &[&Path]) -> Result<PathBuf> {
    let requirements: Vec<PathBuf> = requirements.iter().map(|file| workspace.root().join(file)).collect();
    let mut wanted = String::new();
    for file in &requirements {
        wanted += &fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    let folder = workspace.root().join(folder);
    let python = folder.join("bin/python");
    // Written last: an interrupted installation is not taken for a finished one.
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let named: Vec<String> = requirements.iter().map(|file| file.display().to_string()).collect();
    say::note!("installing what {} pins into {}", named.join(" and "), folder.display());
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    workspace.run(make, "python3 -m venv")?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--no-compile"]);
    for file in &requirements {
        install.arg("--requirement").arg(file);
    }
    workspace.run(install, "pip install")?;
    datasets::write_whole(&stamp, |file| file.write_all(wanted.as_bytes()))?;
    Ok(python)
}
