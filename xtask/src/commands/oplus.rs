//! What oplus does, passed on: libtorch is made sure of, the program is built, and it runs in the user's folder.

use crate::libtorch;
use crate::program;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

pub fn run(workspace: &Workspace, command: &str, arguments: &[OsString]) -> Result<ExitCode> {
    let program = build(workspace, Profile::Release)?;
    // The program runs in the user's folder, but the data sets of `data fetch` lie in the workspace.
    let data = datasets::manifest::cache_root(workspace.root());
    let status = Command::new(&program).arg(command).args(arguments).env("OPLUS_DATA", data).status();
    let status = status.with_context(|| format!("{} did not start", program.display()))?;
    // A process that a signal has ended has no code.
    Ok(status.code().map_or(ExitCode::FAILURE, |code| ExitCode::from(u8::try_from(code).unwrap_or(1))))
}

/// The build that is wanted: the tests' one is shared with everything that they compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Release,
    Tests,
}

/// Builds oplus, with libtorch set up if need be, and returns the program.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.arg("build");
    match profile {
        Profile::Release => cargo.args(["--package", "oplus", "--release"]),
        Profile::Tests => cargo.args(["--workspace", "--bins", "--tests"]),
    };
    if libtorch::find(workspace)?.is_none() {
        if libtorch::supported() || profile == Profile::Tests {
            libtorch::ensure(workspace)?;
        } else {
            eprintln!("no libtorch for this system: oplus is built without it (CPU only)");
            cargo.arg("--no-default-features");
        }
    }
    program::build(cargo, "oplus")
}
