//! The checkout that is worked on, and how its commands are run.

use anyhow::{Context, Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root folder of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace that cargo runs this program from, from whatever folder it was called.
    pub(crate) fn find() -> Result<Self> {
        // Cargo sets the variable when it runs a program; without cargo, the place where the program was built counts.
        let own = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = own.parent().context("xtask has to lie in the workspace")?;
        Ok(Self { root: root.to_path_buf() })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that cargo builds in: this program lies there below the folder of its profile.
    pub(crate) fn target(&self) -> Result<PathBuf> {
        let program = env::current_exe().context("the path of this program is unknown")?;
        let target = program.ancestors().nth(2).context("this program lies in no build folder")?;
        Ok(target.to_path_buf())
    }

    /// The cargo that runs this program, started in the root so that `.cargo/config.toml` counts.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }

    /// Runs a command to its end; a failure is named by `what`.
    pub(crate) fn run(&self, mut command: Command, what: &str) -> Result<()> {
        let status = command.status().with_context(|| format!("{what} did not start"))?;
        if !status.success() {
            bail!("{what} failed ({status}): its message is above");
        }
        Ok(())
    }
}
