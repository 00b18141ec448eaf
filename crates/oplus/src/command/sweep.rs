//! `sweep`: one configuration over a grid of its settings.

use super::Ending;
use crate::campaign::Campaign;
use crate::count::at_least_one;
use crate::interruption;
use crate::seeds::Seeds;
use crate::sweep::{self, Grid, Plan};
use anyhow::Result;
use clap::Args;
use flows::device::Device;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use train::observe::Format;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The configuration, a TOML file
    config: PathBuf,
    /// A setting and its values, such as flow.lambda=0.05,0.1,0.5; given several times, every combination is a point
    #[arg(long, value_name = "KEY=A,B,…", required = true)]
    grid: Vec<String>,
    /// Seeds of every point: 3 takes 0, 1 and 2, 3-5 those from 3 to 5
    #[arg(long, value_name = "N", default_value = "1")]
    seeds: Seeds,
    /// Runs side by side [default: the number of cores]
    #[arg(long, value_parser = at_least_one)]
    jobs: Option<NonZeroUsize>,
    /// A preset of the configuration: full is the file itself
    #[arg(long, default_value = "full")]
    preset: String,
    /// Change a setting of all runs, such as training.iterations=1000; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// cpu; or libtorch, cuda:0, cuda:1, … in a program that is built with libtorch
    #[arg(long, default_value_t)]
    device: Device,
    /// Write the records of every run for other programs too: tensorboard, csv, jsonl
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    observe: Vec<Format>,
    /// The folder of the results [default: out/sweep-NAME, after the file]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with an interrupted sweep, gather what an array of Slurm has done, or take more values: finished runs are
    /// kept
    #[arg(long)]
    resume: bool,
    /// Train nothing, but write an array script for sbatch, one task for each run [default file: DIR/array.sh]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "the flag may be absent, alone, or with a file")]
    slurm: Option<Option<PathBuf>>,
}

pub(super) fn run(arguments: Arguments) -> Result<Ending> {
    let grid = Grid::parse(&arguments.grid, &arguments.set)?;
    let stem = arguments.config.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let out = arguments.out.unwrap_or_else(|| format!("out/sweep-{stem}").into());
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let plan = Plan {
        campaign: Campaign {
            preset: arguments.preset,
            side_by_side: arguments.jobs.unwrap_or(cores),
            device: arguments.device,
            out,
            resume: arguments.resume,
            observe: arguments.observe,
        },
        config: arguments.config,
        grid,
        set: arguments.set,
        seeds: arguments.seeds,
    };
    let out = &plan.campaign.out;
    if let Some(file) = arguments.slurm {
        let file = file.unwrap_or_else(|| out.join("array.sh"));
        let tasks = sweep::array(&plan, &file)?;
        say::answer!(
            "{tasks} tasks in {file}: submit it with `sbatch {file}`, and gather with the same command and --resume in \
             the place of --slurm",
            file = file.display()
        );
        return Ok(Ending::Done);
    }
    let Some(table) = sweep::sweep(&plan)? else {
        say::note!(
            "interrupted: what is done is kept in {}; go on with the same command and --resume",
            out.display()
        );
        return Ok(interruption::ending().unwrap_or(Ending::Done));
    };
    say::answer!("{table}\n{}: results.json, table.md, report.html", out.display());
    Ok(Ending::Done)
}
