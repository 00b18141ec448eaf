//! `sample`: draws from a trained flow or generator.

use crate::ending::Ending;
use crate::kinds::data_sets;
use crate::samples;
use anyhow::{Result, bail};
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use train::Model;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folder
    run: PathBuf,
    /// How many points
    #[arg(long)]
    n: NonZeroUsize,
    /// Euler steps of a flow [default: sampling.steps of the run]
    #[arg(long)]
    steps: Option<NonZeroUsize>,
    /// Seed of the initial points [default: the seed of the run]
    #[arg(long)]
    seed: Option<u64>,
    /// The .npy file to write
    #[arg(long, value_name = "FILE.npy")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    if arguments.out.exists() {
        bail!("{} exists: choose another name with --out, or delete it", arguments.out.display());
    }
    if arguments.out.extension().is_none_or(|extension| extension != "npy") {
        bail!("{} does not end in .npy: samples are written in that format", arguments.out.display());
    }
    let count = arguments.n.get();
    let model = Model::load_with(&arguments.run, &data_sets())?;
    let seed = arguments.seed.unwrap_or_else(|| model.config().seed());
    let points = match (&model, arguments.steps) {
        (_, None) => model.sample(count, seed)?,
        (Model::Flow(flow), Some(steps)) => flow.sample(count, steps.get(), seed)?,
        (Model::Generator(_), Some(_)) => {
            bail!("{} holds a generator, which takes no steps: leave out --steps", arguments.run.display());
        }
    };
    samples::write_points(&arguments.out, &points, model.units())?;
    println!("{} points of dimension {} in {}", points.nrows(), points.ncols(), arguments.out.display());
    Ok(Ending::Done)
}
