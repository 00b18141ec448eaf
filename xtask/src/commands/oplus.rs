//! What oplus does, passed on: libtorch is made sure of, the program is built, and it runs in the user's folder.

use crate::libtorch;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// A build that is up to date takes less than this; a longer one is worth a line.
const PATIENCE: Duration = Duration::from_secs(2);

pub fn run(workspace: &Workspace, command: &str, arguments: &[OsString]) -> Result<ExitCode> {
    let program = build(workspace, Profile::Release)?;
    let status = Command::new(&program).arg(command).args(arguments).status();
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
    cargo.args(["build", "--quiet", "--message-format=json-render-diagnostics"]);
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
    let mut child =
        cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cargo did not start")?;
    let messages = child.stdout.take().context("cargo's messages cannot be read")?;
    let program = follow(BufReader::new(messages))?;
    let status = child.wait().context("cargo was lost")?;
    if !status.success() {
        bail!(
            "oplus does not build: cargo's message is above, and `cargo xtask doctor` checks what a build needs"
        );
    }
    program.context("cargo named no program for oplus")
}

/// Reads cargo's messages, shows that something is going on, and picks out the path of oplus.
fn follow(messages: impl BufRead) -> Result<Option<PathBuf>> {
    let started = Instant::now();
    let terminal = io::stderr().is_terminal();
    let (mut announced, mut units, mut program) = (false, 0_usize, None);
    for line in messages.lines() {
        let line = line.context("cargo's messages cannot be read")?;
        let Ok(message) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
        units += 1;
        if started.elapsed() > PATIENCE {
            if terminal {
                eprint!("\rbuilding oplus: {units} parts done ");
            } else if !announced {
                eprintln!("building oplus (a few minutes the first time)");
            }
            announced = true;
        }
        program = executable(&message).or(program);
    }
    if announced && terminal {
        eprintln!("\rbuilding oplus: done in {} s          ", started.elapsed().as_secs());
    }
    Ok(program)
}

/// The path of the oplus program, if this is the message that names it.
fn executable(message: &serde_json::Value) -> Option<PathBuf> {
    let target = message.get("target")?;
    let is_oplus = target.get("name")? == "oplus" && target.get("kind")?.get(0)? == "bin";
    let is_test = message.get("profile")?.get("test")?.as_bool()?;
    (is_oplus && !is_test).then(|| message.get("executable")?.as_str().map(PathBuf::from))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_cargos_messages() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"name":"train","kind":["lib"]},"profile":{"test":false},"executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"oplus","kind":["bin"]},"profile":{"test":true},"executable":"/t/deps/oplus-1"}
{"reason":"compiler-artifact","target":{"name":"oplus","kind":["bin"]},"profile":{"test":false},"executable":"/t/oplus"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(follow(messages.as_bytes()).unwrap(), Some(PathBuf::from("/t/oplus")));
        assert_eq!(follow(&b"{}"[..]).unwrap(), None);
    }
}
