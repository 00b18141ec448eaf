//! Python environments with the pinned versions of the peers, made on first need.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The interpreter of the environment `benches/.venv-NAME`, which holds what `benches/peers/requirements-NAME.txt`
/// pins.
pub(super) fn ready(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let requirements = workspace.root().join(format!("benches/peers/requirements-{name}.txt"));
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("{} cannot be read", requirements.display()))?;
    let folder = workspace.root().join(format!("benches/.venv-{name}"));
    let python = folder.join("bin/python");
    // Written last: an interrupted installation is not taken for a finished one.
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    say::answer!(
        "installing {} into {}",
        wanted.split_whitespace().collect::<Vec<_>>().join(", "),
        folder.display()
    );
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    workspace.run(make, "python3 -m venv")?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements);
    workspace.run(install, "pip install")?;
    datasets::write_whole(&stamp, |file| file.write_all(wanted.as_bytes()))?;
    Ok(python)
}
