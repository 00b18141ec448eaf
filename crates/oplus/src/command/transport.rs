//! `transport`: where a trained flow or generator moves given points, and where it has them from.

use crate::conditions::Conditions;
use crate::count::at_least_one;
use crate::ending::Ending;
use crate::progress::Progress;
use crate::run_folder;
use crate::samples;
use crate::table::Coordinates;
use anyhow::{Result, bail};
use clap::Args;
use datasets::write_npy_f64;
use ndarray::{ArrayView2, Axis, concatenate};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use train::Model;
use train::model::FlowModel;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folder
    run: PathBuf,
    /// The points, one a row of this .npy or .csv file
    #[arg(long, value_name = "FILE")]
    points: PathBuf,
    #[command(flatten)]
    coordinates: Coordinates,
    /// Euler steps of a flow [default: sampling.steps of the run; 1 of a Hopf–Lax flow, which is exact]
    #[arg(long, value_name = "S", value_parser = at_least_one)]
    steps: Option<NonZeroUsize>,
    #[command(flatten)]
    conditions: Conditions,
    /// The points from which the flow leads to these; of a flow without noise
    #[arg(long)]
    inverse: bool,
    /// The .npy file to write, a row for each point
    #[arg(long, value_name = "FILE.npy")]
    out: PathBuf,
    /// With --inverse: a .npy file of one column, 1 where the flow leads from the new point to the given one, 0 where it leads
    /// elsewhere, since no path ends there
    #[arg(long, value_name = "FILE.npy", requires = "inverse")]
    reached: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    samples::new_pair(&arguments.out, arguments.reached.as_deref())?;
    let progress = Progress::new("moving points");
    let model = load(&arguments.run, arguments.steps)?;
    let columns = match &model {
        Model::Flow(flow) => flow.dim(),
        Model::Generator(_) if arguments.inverse => model.dim(),
        Model::Generator(_) | Model::Critic(_) => model.start_dim(),
    };
    let points = arguments.coordinates.read(&arguments.points, columns)?;
    let points = arguments.conditions.read()?.beside(&model, &arguments.run, points)?;
    let mut reached = None;
    let moved = if arguments.inverse {
        let flow = of_flow(&model, &arguments.run, "takes no point back: leave out --inverse")?;
        let parts = progress.in_blocks("the beginnings of", points.view(), |block| {
            let beginnings = flow.inverse(block)?;
            Ok((flow.reached(block, beginnings.view())?, beginnings))
        })?;
        let (of_parts, beginnings): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        reached = Some(of_parts.concat());
        let views: Vec<_> = beginnings.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views)?
    } else {
        progress.stage(format!("{} points", points.nrows()));
        model.push_forward(points.view(), model.config().seed())?
    };
    let moved = match &model {
        Model::Flow(flow) => flow.coordinates(moved.view()).to_owned(),
        Model::Generator(_) | Model::Critic(_) => moved,
    };
    samples::write_generated(&arguments.out, &moved, model.units())?;
    if let Some(reached) = reached {
        write_reached(arguments.reached.as_deref(), &reached)?;
    }
    drop(progress);
    say::answer!("{} points of dimension {} in {}", moved.nrows(), moved.ncols(), arguments.out.display());
    Ok(Ending::Done)
}

/// What a run holds, moving its points in so many steps.
pub(super) fn load(run: &Path, steps: Option<NonZeroUsize>) -> Result<Model> {
    let mut model = run_folder::model(run)?;
    match (&mut model, steps) {
        (Model::Flow(flow), Some(steps)) => flow.config.sampling.steps = steps.get(),
        (Model::Generator(_) | Model::Critic(_), Some(_)) => {
            bail!("{} holds no flow, and takes no steps: leave out --steps", run.display())
        }
        (_, None) => {}
    }
    Ok(model)
}

/// The flow that a run holds.
pub(super) fn of_flow<'a>(model: &'a Model, run: &Path, otherwise: &str) -> Result<&'a FlowModel> {
    match model {
        Model::Flow(flow) => Ok(flow),
        Model::Generator(_) => bail!("{} holds a generator, which {otherwise}", run.display()),
        Model::Critic(_) => bail!("{} holds a critic, which moves no points", run.display()),
    }
}

/// Writes which points are reached, and says how many are not.
pub(super) fn write_reached(path: Option<&Path>, reached: &[bool]) -> Result<()> {
    let flags: Vec<f64> = reached.iter().map(|&reached| f64::from(u8::from(reached))).collect();
    let missed = flags.iter().filter(|&&flag| flag == 0.0).count();
    if missed > 0 {
        say::note!("note: no path of the flow ends at {missed} of {} points", flags.len());
    }
    if let Some(path) = path {
        write_npy_f64(path, ArrayView2::from_shape((flags.len(), 1), &flags)?)?;
    }
    Ok(())
}
