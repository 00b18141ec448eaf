//! `test`: all tests of the workspace, those that need libtorch and the built program included.

use super::oplus::{self, Profile};
use crate::workspace::Workspace;
use anyhow::Result;
use std::ffi::OsString;
use std::process::ExitCode;

pub fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<ExitCode> {
    all(workspace, arguments)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the program that some tests start, then runs every test.
pub fn all(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    oplus::build(workspace, Profile::Tests)?;
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--workspace"]).args(arguments);
    workspace.run(cargo, "cargo test")
}
