//! The programs that are timed beside ours.

use crate::commands::venv;
use crate::program;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A group of programs with one environment and one script, `benches/peers/SCRIPT.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Peer {
    /// Exact transport: POT's network simplex and SciPy's assignment
    Pot,
    /// Sinkhorn divergences: geomloss
    Geomloss,
    /// A training iteration: PyTorch, eager and compiled
    Torch,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Pot => "pot",
            Self::Geomloss => "geomloss",
            Self::Torch => "torch",
        }
    }

    /// The script, which is also the name of our program in the benches crate and of the results.
    fn script(self) -> &'static str {
        match self {
            Self::Pot => "exact_transport",
            Self::Geomloss => "sinkhorn_divergence",
            Self::Torch => "training_iteration",
        }
    }

    /// Builds our program, gets theirs ready, and lets the script time both in turn.
    pub(super) fn run(
        self,
        workspace: &Workspace,
        python: Option<&Path>,
        arguments: &[OsString],
    ) -> Result<()> {
        let script = self.script();
        let mut cargo = workspace.cargo();
        cargo.args(["build", "--release", "--package", "oplus-benches", "--bin", script]);
        let program = program::build(cargo, script)?;
        let python = match python {
            Some(python) => python.to_path_buf(),
            None => {
                let folder = format!("benches/.venv-{}", self.name());
                let requirements = format!("benches/peers/requirements-{}.txt", self.name());
                venv::ready(workspace, folder.as_ref(), &[requirements.as_ref()])?
            }
        };
        let results = workspace.root().join("benches/results");
        fs::create_dir_all(&results).with_context(|| format!("{} cannot be made", results.display()))?;
        let mut command = Command::new(&python);
        command
            .current_dir(workspace.root())
            .arg(format!("benches/peers/{script}.py"))
            .arg("--binary")
            .arg(program)
            .arg("--out")
            .arg(results.join(format!("{script}.json")))
            .args(arguments);
        workspace.run(command, &format!("{} benches/peers/{script}.py", python.display()))
    }
}
