//! Programs of this workspace, built by cargo.

use anyhow::{Context, Result, bail};
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A build that is up to date takes less than this; a longer one is worth a line.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs a `cargo build` and returns the path of the program `name`.
pub(crate) fn build(mut cargo: Command, name: &str) -> Result<PathBuf> {
    cargo.args(["--quiet", "--message-format=json-render-diagnostics"]);
    let mut child =
        cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cargo did not start")?;
    let messages = child.stdout.take().context("cargo's messages cannot be read")?;
    let program = follow(BufReader::new(messages), name)?;
    let status = child.wait().context("cargo was lost")?;
    if !status.success() {
        bail!(
            "{name} does not build: cargo's message is above, and `cargo xtask doctor` checks what a build needs"
        );
    }
    program.with_context(|| format!("cargo named no program for {name}"))
}

/// Reads cargo's messages, shows that something is going on, and picks out the path of the program.
fn follow(messages: impl BufRead, name: &str) -> Result<Option<PathBuf>> {
    let started = Instant::now();
    let terminal = io::stderr().is_terminal();
    let (mut announced, mut units, mut program) = (false, 0_usize, None);
    for line in messages.lines() {
        let line = line.context("cargo's messages cannot be read")?;
        let Ok(message) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
        units += 1;
        if started.elapsed() > PATIENCE {
            if terminal {
                let _ = write!(io::stderr(), "\rbuilding {name}: {units} parts done ");
            } else if !announced {
                say::note!("building {name} (a few minutes the first time)");
            }
            announced = true;
        }
        program = executable(&message, name).or(program);
    }
    if announced && terminal {
        say::note!("\rbuilding {name}: done in {} s          ", started.elapsed().as_secs());
    }
    Ok(program)
}

/// The path of the program, if this is the message that names it.
fn executable(message: &serde_json::Value, name: &str) -> Option<PathBuf> {
    let target = message.get("target")?;
    let is_program = target.get("name")? == name && target.get("kind")?.get(0)? == "bin";
    let is_test = message.get("profile")?.get("test")?.as_bool()?;
    (is_program && !is_test).then(|| message.get("executable")?.as_str().map(PathBuf::from))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_cargos_messages() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"name":"train","kind":["lib"]},"profile":{"test":false},"executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"oplus","kind":["bin"]},"profile":{"test":true},"executable":"/t/o-1"}
{"reason":"compiler-artifact","target":{"name":"oplus","kind":["bin"]},"profile":{"test":false},"executable":"/t/oplus"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(follow(messages.as_bytes(), "oplus").unwrap(), Some(PathBuf::from("/t/oplus")));
        assert_eq!(follow(&b"{}"[..], "oplus").unwrap(), None);
    }
}
