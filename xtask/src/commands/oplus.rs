//! What oplus does, passed on: the program is built, with libtorch where the command asks for it, and runs in the
//! user's folder.

use crate::libtorch;
use crate::program;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

pub(super) fn run(workspace: &Workspace, command: &str, arguments: &[OsString]) -> Result<ExitCode> {
    let program = build(workspace, arguments)?;
    // The program runs in the user's folder, but the data sets of `data fetch` lie in the workspace.
    let data = datasets::manifest::cache_root(workspace.root());
    let mut oplus = Command::new(&program);
    oplus.arg(command).args(arguments).env("OPLUS_DATA", data);
    instead_of_this(oplus).with_context(|| format!("{} did not start", program.display()))
}

/// Goes on as another program, to which signals and whoever waits for the exit code then speak.
#[cfg(unix)]
fn instead_of_this(mut program: Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(&mut program))
}

/// Runs another program and takes over its exit code; a process that was ended from outside has none.
#[cfg(not(unix))]
fn instead_of_this(mut program: Command) -> io::Result<ExitCode> {
    let code = program.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Builds the oplus that these arguments need, and returns the program.
pub(super) fn build(workspace: &Workspace, arguments: &[OsString]) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", "oplus", "--release"]);
    if names_libtorch(arguments) {
        libtorch::ensure(workspace)?;
        // A folder of its own: a command on the CPU must not replace the program that a long reproduction on a GPU
        // starts its runs from.
        cargo.args(["--features", "torch", "--target-dir"]).arg(libtorch::target(workspace)?);
    }
    program::build(cargo, "oplus")
}

/// Whether `--device` names one that is reached through libtorch: `cuda:0`, `cuda:1`, …, or `libtorch`, the same
/// backend on the CPU.
fn names_libtorch(arguments: &[OsString]) -> bool {
    let mut arguments = arguments.iter().map(|argument| argument.to_str().unwrap_or_default());
    while let Some(argument) = arguments.next() {
        let device = match argument.strip_prefix("--device") {
            Some("") => arguments.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if device.is_some_and(|device| device == "libtorch" || device.starts_with("cuda")) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtorch_is_taken_where_its_devices_are_named_and_nowhere_else() {
        for (line, wanted) in [
            ("a.toml --device cuda:0", true),
            ("--device=cuda:1 a.toml", true),
            ("table1 --device libtorch --preset smoke", true),
            ("table1 --device=libtorch", true),
            ("table1 --device cpu", false),
            ("table1 --device=cpu", false),
            ("table1 --preset smoke", false),
            ("cuda:0 libtorch --devices cuda:0", false),
            ("table1 --device", false),
        ] {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(names_libtorch(&arguments), wanted, "{line}");
        }
    }
}
