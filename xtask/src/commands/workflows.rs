//! The workflows in `.github`: what would only be seen when they run (actionlint), and what is unsafe in them (zizmor).

use super::tools;
use crate::workspace::Workspace;
use anyhow::Result;

/// Checks every workflow without asking anything of the network.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    workspace.run(tools::command(workspace, "actionlint")?, "actionlint")?;
    let mut zizmor = tools::command(workspace, "zizmor")?;
    zizmor.args(["--offline", "--quiet", ".github/workflows"]);
    workspace.run(zizmor, "zizmor")
}
