//! The checks of dependencies by tools of their own: licences and sources (cargo-deny), and what nothing uses
//! (cargo-machete).

use crate::workspace::Workspace;
use anyhow::Result;
use std::process::Stdio;

/// Runs the tools that are installed; the workflow has all of them, and the advisories, which change from day to day.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    for (tool, arguments) in [("deny", &["check", "bans", "licenses", "sources"][..]), ("machete", &[])] {
        if !installed(workspace, tool) {
            say::note!("cargo {tool} is skipped: `cargo install --locked cargo-{tool}` installs it");
            continue;
        }
        let mut cargo = workspace.cargo();
        cargo.arg(tool).args(arguments);
        workspace.run(cargo, &format!("cargo {tool}"))?;
    }
    Ok(())
}

fn installed(workspace: &Workspace, tool: &str) -> bool {
    let mut cargo = workspace.cargo();
    cargo.args([tool, "--version"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    cargo.status().is_ok_and(|status| status.success())
}
