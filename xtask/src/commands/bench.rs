//! `bench`: the benchmarks, and on request the scripts that time other programs on the same problems.

use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::process::{Command, ExitCode};

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Also run the Python scripts in benches/peers
    #[arg(long)]
    peers: bool,
    /// Passed on to `cargo bench`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let mut cargo = workspace.cargo();
    cargo.args(["bench", "--package", "oplus-benches"]).args(&arguments.arguments);
    workspace.run(cargo, "cargo bench")?;
    if arguments.peers {
        peers(workspace)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn peers(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root().join("benches/peers");
    let entries = fs::read_dir(&folder).with_context(|| format!("{} holds no scripts", folder.display()))?;
    let mut scripts = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    scripts.sort();
    if scripts.is_empty() {
        bail!("{} holds no scripts", folder.display());
    }
    for script in scripts {
        let mut python = Command::new("python3");
        python.current_dir(workspace.root()).arg(&script);
        workspace.run(python, &script.display().to_string())?;
    }
    Ok(())
}
