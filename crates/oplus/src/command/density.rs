//! `density`: the log-density of given points under the law that a trained flow generates.

use super::transport::{load, of_flow, write_reached};
use crate::conditions::Conditions;
use crate::count::at_least_one;
use crate::ending::Ending;
use crate::progress::Progress;
use crate::samples;
use crate::table::Coordinates;
use anyhow::Result;
use clap::Args;
use datasets::write_npy_f64;
use ndarray::ArrayView2;
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run folder of a flow that begins with a law and has no noise
    run: PathBuf,
    /// The points, one a row of this .npy or .csv file
    #[arg(long, value_name = "FILE")]
    points: PathBuf,
    #[command(flatten)]
    coordinates: Coordinates,
    /// Steps of a sample, whose density it is [default: sampling.steps of the run; 1 of a Hopf–Lax flow, which is exact]
    #[arg(long, value_name = "S", value_parser = at_least_one)]
    steps: Option<NonZeroUsize>,
    #[command(flatten)]
    conditions: Conditions,
    /// The .npy file to write: one column, the natural logarithm of the density at each point; where that is 0, the lowest
    /// number there is, -1.8e308
    #[arg(long, value_name = "FILE.npy")]
    out: PathBuf,
    /// A .npy file of one column: 1 where a path of the flow ends at the point, 0 where none does, so that the density is 0
    /// and the number in --out says nothing
    #[arg(long, value_name = "FILE.npy")]
    reached: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    samples::new_pair(&arguments.out, arguments.reached.as_deref())?;
    let progress = Progress::new("densities");
    let model = load(&arguments.run, arguments.steps)?;
    let flow = of_flow(&model, &arguments.run, "has no density: train a flow")?;
    let points = arguments.coordinates.read(&arguments.points, flow.dim())?;
    let points = arguments.conditions.read()?.beside(&model, &arguments.run, points)?;
    let densities =
        progress.in_blocks("the density at", points.view(), |block| Ok(flow.log_density(block)?))?;
    let densities: Vec<f64> =
        densities.into_iter().flatten().map(|log| if log < f64::MIN { f64::MIN } else { log }).collect();
    let reached = progress.in_blocks("which are reached of", points.view(), |block| {
        Ok(flow.reached(block, flow.inverse(block)?.view())?)
    })?;
    write_npy_f64(&arguments.out, ArrayView2::from_shape((densities.len(), 1), &densities)?)?;
    write_reached(arguments.reached.as_deref(), &reached.concat())?;
    drop(progress);
    say::answer!("{} log-densities in {}", densities.len(), arguments.out.display());
    Ok(Ending::Done)
}
