//! `resume`: goes on with the run of a folder.

use crate::ending::Ending;
use crate::manifest::Manifest;
use crate::run;
use anyhow::Result;
use clap::Args;
use flows::device::Device;
use std::path::PathBuf;
use train::run::stored_config;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folder
    run: PathBuf,
    /// cpu; or libtorch, cuda:0, cuda:1, … in a program that is built with libtorch
    #[arg(long, default_value_t)]
    device: Device,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let config = stored_config(&arguments.run)?;
    let manifest = Manifest::read(&arguments.run)?;
    run::train(&config, &arguments.run, true, arguments.device, &manifest)
}
