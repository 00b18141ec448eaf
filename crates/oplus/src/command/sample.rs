//! `sample`: draws from a trained flow or generator, or moves points of the user's.

use crate::conditions::Conditions;
use crate::count::at_least_one;
use crate::ending::Ending;
use crate::progress::{Progress, Tenths};
use crate::run_folder;
use crate::samples;
use crate::table::Coordinates;
use anyhow::{Result, bail};
use clap::{ArgGroup, Args};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use train::Model;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("points").args(["n", "from", "conditions"]).required(true).multiple(true)))]
pub(super) struct Arguments {
    /// The run folder
    run: PathBuf,
    /// How many points
    #[arg(long, conflicts_with = "from", value_parser = at_least_one)]
    n: Option<NonZeroUsize>,
    /// Move the rows of this .npy or .csv file instead of initial points, in their order
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    coordinates: Coordinates,
    #[command(flatten)]
    conditions: Conditions,
    /// Euler steps of a flow [default: sampling.steps of the run; 1 of a Hopf–Lax flow, which is exact]
    #[arg(long, value_parser = at_least_one)]
    steps: Option<NonZeroUsize>,
    /// Seed of the initial points, and of the noise of a flow that has some [default: the seed of the run]
    #[arg(long)]
    seed: Option<u64>,
    /// The .npy file to write
    #[arg(long, value_name = "FILE.npy")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    samples::new_npy(&arguments.out, "--out")?;
    if arguments.from.is_none() && arguments.coordinates.are_given() {
        bail!("--columns and --header say how the file of --from is read: give one, or leave them out");
    }
    let progress = Progress::new("sampling");
    progress.stage("loading the model");
    let model = run_folder::model(&arguments.run)?;
    let seed = arguments.seed.unwrap_or_else(|| model.config().seed());
    let conditions = arguments.conditions.read()?;
    let start = match (&arguments.from, arguments.n) {
        (Some(file), _) => {
            let columns = if let Model::Flow(flow) = &model { flow.dim() } else { model.start_dim() };
            arguments.coordinates.read(file, columns)?
        }
        (None, count) => {
            let count = count.map_or(conditions.rows(), NonZeroUsize::get);
            match &model {
                Model::Flow(flow) => flow.unconditional_initial(count, seed)?,
                Model::Generator(_) | Model::Critic(_) => model.initial(count, seed)?,
            }
        }
    };
    let start = conditions.beside(&model, &arguments.run, start)?;
    progress.stage(format!("{} points", start.nrows()));
    let points = match (&model, arguments.steps) {
        (Model::Flow(flow), steps) => {
            let steps = steps.map_or(flow.steps(), NonZeroUsize::get);
            let tenths = Tenths::new(start.nrows());
            let moved = |rows| {
                if let Some(tenth) = tenths.after(rows) {
                    progress.stage(format!("{tenth}0 % of {} points", start.nrows()));
                }
            };
            let ends = flow.push_forward_telling(start.view(), steps, seed, &moved)?;
            flow.coordinates(ends.view()).to_owned()
        }
        (Model::Critic(_), _) => bail!("{} holds a critic, which moves no points", arguments.run.display()),
        (Model::Generator(_), None) => model.push_forward(start.view(), seed)?,
        (Model::Generator(_), Some(_)) => {
            bail!("{} holds a generator, which takes no steps: leave out --steps", arguments.run.display());
        }
    };
    progress.stage("writing the file");
    samples::write_generated(&arguments.out, &points, model.units())?;
    drop(progress);
    say::answer!("{} points of dimension {} in {}", points.nrows(), points.ncols(), arguments.out.display());
    Ok(Ending::Done)
}
