//! `python`: builds the wheel of the Python package, and runs its tests in an environment of their own.

use super::venv;
use crate::program;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const PACKAGE: &str = "crates/python";
/// The program whose samples the package has to give, to the bit.
const PROGRAM: &str = "OPLUS_PROGRAM";

/// Arguments of `python`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only build the wheel
    #[arg(long)]
    wheel: bool,
    /// The profile of cargo to build in: dev shares what tests have compiled
    #[arg(long, default_value = "release")]
    profile: String,
    /// Passed on to pytest
    #[arg(last = true, conflicts_with = "wheel")]
    arguments: Vec<OsString>,
}

pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let python = environment(workspace)?;
    let wheel = wheel(workspace, &python, &arguments.profile)?;
    say::answer!("{}", wheel.display());
    if !arguments.wheel {
        let mut cargo = workspace.cargo();
        cargo.args(["build", "--package", "oplus", "--profile", &arguments.profile]);
        let program = program::build(cargo, "oplus")?;
        tests(workspace, &python, &wheel, &program, &arguments.arguments)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The interpreter of the environment that has the tools and what the tests compare with.
fn environment(workspace: &Workspace) -> Result<PathBuf> {
    let requirements = Path::new(PACKAGE).join("requirements.txt");
    venv::ready(workspace, &workspace.target()?.join("python"), &requirements)
}

/// Builds the wheel in a profile of cargo, and returns its path.
fn wheel(workspace: &Workspace, python: &Path, profile: &str) -> Result<PathBuf> {
    let folder = workspace.target()?.join("wheels");
    // Those of other versions would stand beside the new one.
    for old in wheels(&folder) {
        fs::remove_file(&old).with_context(|| format!("{} cannot be replaced", old.display()))?;
    }
    say::note!("building the wheel (a few minutes the first time)");
    let mut maturin = Command::new(python);
    maturin.current_dir(workspace.root()).args(["-m", "maturin", "build", "--quiet", "--profile", profile]);
    // For this machine: a wheel for others is built where their oldest system is.
    maturin.args(["--auditwheel", "skip", "--interpreter"]).arg(python);
    maturin.arg("--manifest-path").arg(Path::new(PACKAGE).join("Cargo.toml")).arg("--out").arg(&folder);
    workspace.run(maturin, "maturin build")?;
    let built = wheels(&folder).pop();
    built.with_context(|| format!("maturin has left no wheel in {}", folder.display()))
}

/// The wheels in a folder.
fn wheels(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "whl");
    entries.map(|entry| entry.path()).filter(is_wheel).collect()
}

/// Installs the wheel and runs the tests of the package, which run the examples too.
fn tests(
    workspace: &Workspace,
    python: &Path,
    wheel: &Path,
    program: &Path,
    arguments: &[OsString],
) -> Result<()> {
    let mut install = Command::new(python);
    install
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--force-reinstall"])
        .arg(wheel);
    workspace.run(install, "pip install of the wheel")?;
    let mut pytest = Command::new(python);
    pytest.current_dir(workspace.root().join(PACKAGE)).args(["-m", "pytest", "--quiet"]).args(arguments);
    pytest.env(PROGRAM, program);
    workspace.run(pytest, "pytest")
}
