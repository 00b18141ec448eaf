//! `python`: builds the wheel of the Python package, and runs its tests in an environment of their own.

use super::{test, venv};
use crate::libtorch;
use crate::program;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const PACKAGE: &str = "crates/python";
/// What the package and most of its tests take.
const CORE: &str = "crates/python/requirements-core.txt";
/// What builds the wheel, and what a few tests compare with; without it those are skipped.
const REST: &str = "crates/python/requirements.txt";
/// The program whose samples the package has to give, to the bit.
const PROGRAM: &str = "OPLUS_PROGRAM";
/// The library as cargo calls it.
const LIBRARY: &str = "liboplus_python.so";

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
    venv::ready(workspace, &workspace.target()?.join("python"), &[Path::new(CORE), Path::new(REST)])
}

/// Runs the tests with what the tests of the workspace have compiled, so that nothing is compiled again: in the place of a
/// wheel a folder with the library, which links libtorch here.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let program = test::oplus(workspace)?;
    let folder = workspace.target()?.join("python-package");
    lay_out(workspace, &program.with_file_name(LIBRARY), &folder)?;
    let python = venv::ready(workspace, &workspace.target()?.join("python-core"), &[Path::new(CORE)])?;
    let mut pytest = pytest(workspace, &python, &program);
    pytest.env("PYTHONPATH", &folder).env("LD_LIBRARY_PATH", libtorch::ensure(workspace)?.libraries());
    workspace.run(pytest, "pytest")
}

/// Makes a folder that Python imports the package from: its modules, its library, and what says that it is installed.
fn lay_out(workspace: &Workspace, library: &Path, folder: &Path) -> Result<()> {
    let package = folder.join("oplus");
    let told = folder.join(concat!("oplus-", env!("CARGO_PKG_VERSION"), ".dist-info"));
    for new in [&package, &told] {
        fs::create_dir_all(new).with_context(|| format!("{} cannot be made", new.display()))?;
    }
    let copy = |from: &Path, to: &Path| {
        fs::copy(from, to).with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))
    };
    let modules = workspace.root().join(PACKAGE).join("python/oplus");
    for entry in fs::read_dir(&modules).with_context(|| format!("{} cannot be read", modules.display()))? {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            copy(&path, &package.join(name))?;
        }
    }
    copy(library, &package.join("_native.abi3.so"))?;
    let metadata = concat!("Metadata-Version: 2.1\nName: oplus\nVersion: ", env!("CARGO_PKG_VERSION"));
    datasets::write_whole(told.join("METADATA"), |file| writeln!(file, "{metadata}"))?;
    Ok(())
}

/// The tests of the package, which run the examples and the guide too.
fn pytest(workspace: &Workspace, python: &Path, program: &Path) -> Command {
    let mut pytest = Command::new(python);
    pytest
        .current_dir(workspace.root().join(PACKAGE))
        .args(["-m", "pytest", "--quiet"])
        .env(PROGRAM, program);
    pytest
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

/// Installs the wheel and runs the tests.
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
    let mut pytest = pytest(workspace, python, program);
    pytest.args(arguments);
    workspace.run(pytest, "pytest")
}
