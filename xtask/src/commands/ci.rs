//! `ci`: every check that a change has to pass, in one order, each with its time.

use super::{dependencies, downstream, guide, packages, python, test, tidy, tools, workflows};
use crate::libtorch;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Instant;

type Step = (&'static str, fn(&Workspace) -> Result<()>);

/// Cheap steps first; all that compile share one profile, so that each dependency is compiled once. Those of a stage run
/// side by side, where most of them alone would leave one of two cores idle for much of their time.
const STAGES: &[&[Step]] = &[
    &[("format", format)],
    &[("tidy", tidy::check)],
    &[("dependencies", dependencies::check)],
    &[("guide", book)],
    &[("workflows", checked_workflows)],
    &[("libtorch", prepare)],
    &[("clippy", clippy)],
    &[("tests", tests)],
    &[
        ("python", python::check),
        ("downstream", downstream::check),
        ("docs", docs),
        ("packages", packages::check),
    ],
    &[("smoke", smoke)],
];

pub(super) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let begin = Instant::now();
    for stage in STAGES {
        side_by_side(stage, workspace)?;
    }
    let steps: usize = STAGES.iter().map(|stage| stage.len()).sum();
    say::note!("== all {steps} steps passed in {:.0} s", begin.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

/// Runs every step of a stage to its end, and says of each that failed why.
fn side_by_side(stage: &[Step], workspace: &Workspace) -> Result<()> {
    let ended: Vec<Result<()>> = thread::scope(|scope| {
        let started: Vec<_> = stage.iter().map(|step| scope.spawn(move || timed(step, workspace))).collect();
        let panicked = || bail!("a step of ci panicked: its message is above");
        started.into_iter().map(|step| step.join().unwrap_or_else(|_| panicked())).collect()
    });
    let failed: Vec<String> =
        ended.iter().filter_map(|step| step.as_ref().err()).map(|error| format!("{error:#}")).collect();
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("\n")) }
}

fn timed((name, step): &Step, workspace: &Workspace) -> Result<()> {
    say::note!("== {name}");
    let started = Instant::now();
    step(workspace).with_context(|| format!("ci stopped at `{name}`"))?;
    say::note!("== {name}: passed in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn the_steps_of_a_stage_run_side_by_side_and_all_that_fail_are_named() {
        static BEGUN: AtomicUsize = AtomicUsize::new(0);
        fn meets(_: &Workspace) -> Result<()> {
            BEGUN.fetch_add(1, Ordering::SeqCst);
            // Far longer than a thread takes to start, and short for one who reads of the failure.
            let deadline = Instant::now() + Duration::from_secs(20);
            while BEGUN.load(Ordering::SeqCst) < 2 {
                if Instant::now() > deadline {
                    bail!("the other has not begun");
                }
                thread::yield_now();
            }
            Ok(())
        }
        fn fails(_: &Workspace) -> Result<()> {
            bail!("no disk")
        }
        let workspace = Workspace::find().unwrap();
        side_by_side(&[("one", meets), ("other", meets)], &workspace).unwrap();
        let stage: &[Step] = &[("docs", fails), ("quiet", |_| Ok(())), ("packages", fails)];
        let error = side_by_side(stage, &workspace).unwrap_err().to_string();
        assert_eq!(error, "ci stopped at `docs`: no disk\nci stopped at `packages`: no disk");
    }
}
