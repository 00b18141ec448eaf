//! `bench`: the benchmarks, or other programs timed beside ours on the same problems.

mod dashboard;
mod guard;
mod peer;
mod sampling;

use crate::workspace::Workspace;
use anyhow::Result;
use clap::Args;
use guard::Guard;
use peer::Peer;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Time these programs beside ours instead: pot (with SciPy), geomloss or torch
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, default_missing_value = "pot", value_enum)]
    peers: Option<Peer>,
    /// Only compare the speed of a training iteration, as a share of the machine's matrix products, with the committed
    /// one
    #[arg(long, num_args = 0..=1, default_missing_value = "check", value_enum, conflicts_with = "peers")]
    guard: Option<Guard>,
    /// Only measure what three flows cost in training, memory and sampling, for the dashboard
    #[arg(long, conflicts_with_all = ["peers", "guard"])]
    sampling: bool,
    /// A Python that has those programs [default: an environment of its own, with pinned versions, in benches/]
    #[arg(long, value_name = "FILE", requires = "peers")]
    python: Option<PathBuf>,
    /// Passed on to `cargo bench`, or to the script of the peer
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    match (arguments.peers, arguments.guard) {
        (Some(peer), _) => peer.run(workspace, arguments.python.as_deref(), &arguments.arguments)?,
        (None, Some(guard)) => guard::run(workspace, guard)?,
        (None, None) if arguments.sampling => sampling::run(workspace)?,
        (None, None) => {
            guard::run(workspace, Guard::Check)?;
            let mut cargo = workspace.cargo();
            cargo.args(["bench", "--package", "oplus-benches"]).args(&arguments.arguments);
            workspace.run(cargo, "cargo bench")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
