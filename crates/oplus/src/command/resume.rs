//! `resume`: goes on with the run of a folder.

use crate::ending::Ending;
use crate::manifest::Manifest;
use crate::run::{self, How};
use anyhow::Result;
use clap::Args;
use flows::device::Device;
use std::path::PathBuf;
use train::observe::Format;
use train::run::stored_config;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folder
    run: PathBuf,
    /// cpu; or libtorch, cuda:0, cuda:1, … in a program that is built with libtorch
    #[arg(long, default_value_t)]
    device: Device,
    /// Write the records for other programs too: tensorboard, csv, jsonl; what the run was begun with goes on by itself
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    observe: Vec<Format>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let config = stored_config(&arguments.run)?;
    let manifest = Manifest::read(&arguments.run)?;
    let how = How { resume: true, device: arguments.device, observe: arguments.observe.clone() };
    run::train(&config, &arguments.run, &manifest, &how)
}
