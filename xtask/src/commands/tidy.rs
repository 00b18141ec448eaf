//! `tidy`: checks the rules of the code base.

use crate::tidy;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use std::process::ExitCode;

pub(super) fn run(workspace: &Workspace) -> Result<ExitCode> {
    check(workspace)?;
    say::answer!("tidy: every rule holds");
    Ok(ExitCode::SUCCESS)
}

/// Lists what breaks a rule, then fails if anything does.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let problems = tidy::problems(workspace.root())?;
    for problem in &problems {
        say::note!("{problem}");
    }
    if !problems.is_empty() {
        bail!("{} places break a rule, listed above", problems.len());
    }
    Ok(())
}
