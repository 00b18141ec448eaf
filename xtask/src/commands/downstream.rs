//! `tests/downstream`: programs of a crate outside the workspace, which see of this one what everybody sees.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::fs;

const FOLDER: &str = "tests/downstream";
/// Builds and runs every program, without libtorch.
///
/// With the versions that the workspace has locked, and in its build folder: what it depends on is compiled there
/// already.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root().join(FOLDER);
    let lock = folder.join("Cargo.lock");
    fs::copy(workspace.root().join("Cargo.lock"), &lock)
        .with_context(|| format!("{} cannot be written", lock.display()))?;
    for program in programs(workspace)? {
        let mut cargo = workspace.cargo();
        cargo.current_dir(&folder).args(["run", "--quiet", "--bin", &program]);
        cargo.arg("--target-dir").arg(workspace.target()?);
        workspace.run(cargo, &format!("{FOLDER}/src/bin/{program}.rs"))?;
    }
    Ok(())
}

/// The names of the programs, in order.
fn programs(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.root().join(FOLDER).join("src/bin");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}
