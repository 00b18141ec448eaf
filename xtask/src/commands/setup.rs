//! `setup`: puts libtorch into the per-user cache and links it.

use crate::libtorch::{self, Kind, Ready};
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;

/// Arguments of `setup`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// With the CUDA libraries (3.5 GB once unpacked)
    #[arg(long)]
    cuda: bool,
}

pub(super) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let kind = if arguments.cuda { Kind::Cuda } else { Kind::Cpu };
    let ready = match libtorch::users_own(workspace) {
        Some(folder) if arguments.cuda => bail!(
            "LIBTORCH={} is your own libtorch, so nothing is set up: unset LIBTORCH to get one with CUDA here",
            folder.display()
        ),
        Some(_) => libtorch::ensure(workspace)?,
        None => libtorch::set_up(workspace, kind)?,
    };
    match &ready {
        Ready::Own(folder) => {
            say::answer!("libtorch {} is your own: LIBTORCH={}", libtorch::VERSION, folder.display())
        }
        Ready::Linked(folder) => {
            say::answer!("libtorch {} is ready: .libtorch -> {}", libtorch::VERSION, folder.display())
        }
    }
    Ok(ExitCode::SUCCESS)
}
