//! `train`: a run from a configuration file.

use crate::ending::Ending;
use crate::interruption;
use crate::manifest::Manifest;
use crate::run::{self, How};
use crate::table::Coordinates;
use anyhow::{Context, Result};
use clap::Args;
use flows::device::Device;
use std::path::{Path, PathBuf};
use train::Config;
use train::observe::Format;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The configuration, a TOML file
    config: PathBuf,
    /// Train on the rows of this .npy or .csv file (their number of columns must be data.dim, where it is set)
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten)]
    coordinates: Coordinates,
    /// Change a setting, such as flow.lambda=0.1; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Seed of every random stream
    #[arg(long)]
    seed: Option<u64>,
    /// A preset of the configuration: full is the file itself
    #[arg(long, default_value = "full")]
    preset: String,
    /// cpu; or libtorch, cuda:0, cuda:1, … in a program that is built with libtorch
    #[arg(long, default_value_t)]
    device: Device,
    /// Write the records for other programs too: tensorboard (events and pictures of samples), csv (metrics.csv), jsonl
    /// (metrics.jsonl, which is written in any case)
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    observe: Vec<Format>,
    /// The run folder [default: runs/NAME-HASH-sSEED]
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Go on with the run of that folder, if there is one; with constant learning rates also for more iterations
    /// (--set training.iterations=N)
    #[arg(long)]
    resume: bool,
    /// Leave the floors to the experiment that starts this run
    #[arg(long, hide = true)]
    without_floor: bool,
    /// End when standard input is closed, as it is when the experiment that holds it ends
    #[arg(long, hide = true)]
    with_parent: bool,
}

pub(super) fn run(arguments: Arguments) -> Result<Ending> {
    if arguments.with_parent {
        interruption::follow_parent();
    }
    let mut changes = Vec::new();
    if let Some(file) = &arguments.data {
        changes.push(data_from(file, &arguments.config)?);
    }
    let columns = arguments.coordinates.columns.map(|columns| toml::Value::String(columns.to_string()));
    changes.extend(columns.map(|columns| format!("data.columns={columns}")));
    changes.extend(arguments.coordinates.header.map(|header| format!("data.header={header}")));
    changes.extend(arguments.set);
    changes.extend(arguments.seed.map(|seed| format!("seed={seed}")));
    let config = Config::load(&arguments.config, Some(&arguments.preset), &changes)?;
    let out = match arguments.out {
        Some(out) => out,
        None => Path::new("runs").join(format!("{}-{}-s{}", config.name(), config.hash()?, config.seed())),
    };
    let manifest = Manifest::new(arguments.device, &arguments.preset, !arguments.without_floor);
    run::train(
        &config,
        &out,
        &manifest,
        &How { resume: arguments.resume, device: arguments.device, observe: arguments.observe },
    )
}

/// What a configuration says of its data that holds for another file too.
const KEPT: [&str; 5] = ["dim", "columns", "header", "held_out", "scaling"];

/// The change that replaces the data by a file and keeps what the configuration says of its points ([`KEPT`]).
fn data_from(file: &Path, config: &Path) -> Result<String> {
    // The run is sampled and resumed later, perhaps from another folder.
    let file = std::path::absolute(file).with_context(|| format!("{} has no path", file.display()))?;
    let file = file.to_str().with_context(|| {
        format!("{} is not UTF-8 and cannot stand in a configuration: rename it", file.display())
    })?;
    let fields = [("kind", "file"), ("file", file)].map(|(key, value)| (key.to_owned(), value.into()));
    let mut data = toml::Table::from_iter(fields);
    // What is wrong with the configuration is said where it is loaded.
    let table = std::fs::read_to_string(config).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let section = table.as_ref().and_then(|table| table.get("data"));
    let kept = KEPT.into_iter().filter_map(|key| Some((key.to_owned(), section?.get(key)?.clone())));
    data.extend(kept);
    Ok(format!("data={}", toml::Value::Table(data)))
}
