//! `test`: all tests of the workspace, those that compare with libtorch included, and the crate outside it.

use super::downstream;
use crate::libtorch;
use crate::program;
use crate::workspace::Workspace;
use anyhow::Result;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// What every cargo call of the checks compiles: all packages, with libtorch.
pub(super) const EVERYTHING: [&str; 3] = ["--workspace", "--features", "oplus/torch,oplus-benches/torch"];

pub(super) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<ExitCode> {
    all(workspace, arguments)?;
    if arguments.is_empty() {
        downstream::check(workspace)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs every test of the workspace.
pub(super) fn all(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    oplus(workspace)?;
    let mut cargo = workspace.cargo();
    cargo.arg("test").args(EVERYTHING).args(arguments);
    workspace.run(cargo, "cargo test")
}

/// Builds all programs, tests and the library of the Python package in the profile of the tests, and returns the program
/// oplus.
pub(super) fn oplus(workspace: &Workspace) -> Result<PathBuf> {
    libtorch::ensure(workspace)?;
    let mut cargo = workspace.cargo();
    cargo.arg("build").args(EVERYTHING).args(["--bins", "--tests", "--lib"]);
    program::build(cargo, "oplus")
}
