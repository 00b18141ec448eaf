//! `ci`: every check that a change has to pass, in one order, each with its time.

use super::{dependencies, downstream, guide, packages, python, test, tidy, tools, workflows};
use crate::libtorch;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::process::{Command, ExitCode};
use std::time::Instant;

type Step = (&'static str, fn(&Workspace) -> Result<()>);

/// Cheap steps first; all that compile share one profile, so that each dependency is compiled once.
const STEPS: &[Step] = &[
    ("format", format),
    ("tidy", tidy::check),
    ("dependencies", dependencies::check),
    ("guide", book),
    ("workflows", checked_workflows),
    ("libtorch", prepare),
    ("clippy", clippy),
    ("tests", tests),
    ("python", python::check),
    ("downstream", downstream::check),
    ("docs", docs),
    ("packages", packages::check),
    ("smoke", smoke),
];

pub(super) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let begin = Instant::now();
    for (name, step) in STEPS {
        say::note!("== {name}");
        let started = Instant::now();
        step(workspace).with_context(|| format!("ci stopped at `{name}`"))?;
        say::note!("== {name}: passed in {:.0} s", started.elapsed().as_secs_f64());
    }
    say::note!("== all {} steps passed in {:.0} s", STEPS.len(), begin.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

fn format(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["fmt", "--all", "--check"]);
    workspace.run(cargo, "cargo fmt --check")
}

/// Its links are rules of tidy, its blocks tests of the crates.
fn book(workspace: &Workspace) -> Result<()> {
    tools::where_there_are(workspace, || guide::build(workspace).map(drop))
}

fn checked_workflows(workspace: &Workspace) -> Result<()> {
    tools::where_there_are(workspace, || workflows::check(workspace))
}

fn prepare(workspace: &Workspace) -> Result<()> {
    libtorch::ensure(workspace).map(drop)
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.arg("clippy").args(test::EVERYTHING).args(["--all-targets", "--", "-D", "warnings"]);
    workspace.run(cargo, "cargo clippy")
}

fn tests(workspace: &Workspace) -> Result<()> {
    test::all(workspace, &[])
}

fn docs(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.arg("doc").args(test::EVERYTHING).arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings");
    workspace.run(cargo, "cargo doc")
}

/// The main job in small, with the program that the tests have used.
fn smoke(workspace: &Workspace) -> Result<()> {
    let program = test::oplus(workspace)?;
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let out = folder.path().join("table1");
    let mut reproduce = Command::new(program);
    reproduce
        .current_dir(workspace.root())
        .args(["reproduce", "table1", "--preset", "smoke", "--out"])
        .arg(&out);
    workspace.run(reproduce, "the smoke reproduction")?;
    for file in ["results.json", "table.md"] {
        if !out.join(file).is_file() {
            bail!("the smoke reproduction has written no {file}");
        }
    }
    Ok(())
}
