//! `sample`: draws from a trained flow or generator.

use super::Ending;
use crate::any_config::AnyConfig;
use crate::run_folder;
use anyhow::{Result, bail};
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use train::model::Model;

#[derive(Debug, Args)]
pub struct Arguments {
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

pub fn run(arguments: &Arguments) -> Result<Ending> {
    if arguments.out.exists() {
        bail!("{} exists: choose another name with --out, or delete it", arguments.out.display());
    }
    if arguments.out.extension().is_none_or(|extension| extension != "npy") {
        bail!("{} does not end in .npy: samples are written in that format", arguments.out.display());
    }
    let count = arguments.n.get();
    let points = match run_folder::config(&arguments.run)? {
        AnyConfig::Flow(config) => {
            let steps = arguments.steps.map_or(config.sampling.steps, NonZeroUsize::get);
            Model::load(&arguments.run)?.sample(count, steps, arguments.seed.unwrap_or(config.seed))?
        }
        AnyConfig::Generator(_) if arguments.steps.is_some() => {
            bail!("{} holds a generator, which takes no steps: leave out --steps", arguments.run.display());
        }
        AnyConfig::Generator(config) => {
            let model = train::w2fe::Model::load(&arguments.run)?;
            model.generate(model.initial(count, arguments.seed.unwrap_or(config.seed))?.view())?
        }
    };
    // Networks compute in single precision: nothing is lost.
    datasets::write_npy_f32(&arguments.out, &points.mapv(|x| x as f32))?;
    println!("{} points of dimension {} in {}", points.nrows(), points.ncols(), arguments.out.display());
    Ok(Ending::Done)
}
