//! `reproduce`: an experiment from its configurations to its table.

use super::Ending;
use crate::campaign::Campaign;
use crate::count::at_least_one;
use crate::experiment::{self, Plan};
use crate::interruption;
use crate::seeds::Seeds;
use anyhow::Result;
use clap::{Args, ValueEnum};
use flows::device::Device;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use train::observe::Format;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[arg(help = experiments())]
    name: String,
    /// smoke shows that everything works, quick gives a first impression (both without the Hopf–Lax rows and the rivals of table1), full all
    #[arg(long, value_enum, default_value_t = Preset::Full)]
    preset: Preset,
    /// Only the rows whose FAMILY/TARGET-METHOD has this word, such as tuned or 2d; if none has, those that contain this
    /// text, such as tuned/pinwheel-2d-w1w2; several with commas between
    #[arg(long, value_name = "TEXT,…", default_value = "")]
    rows: String,
    /// Seeds of every row: 3 takes 0, 1 and 2, 3-5 those from 3 to 5
    #[arg(long, value_name = "N", default_value = "1")]
    seeds: Seeds,
    /// Runs side by side [default: the number of cores]
    #[arg(long, value_parser = at_least_one)]
    jobs: Option<NonZeroUsize>,
    /// cpu; or libtorch, cuda:0, cuda:1, … in a program that is built with libtorch
    #[arg(long, default_value_t)]
    device: Device,
    /// Write the records of every run for other programs too: tensorboard, csv, jsonl
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    observe: Vec<Format>,
    /// The folder of the results [default: out/NAME-PRESET]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Take the resampled digits in the place of USPS, which no package carries; every output says so
    #[arg(long)]
    usps_resampled: bool,
    /// Go on in a folder: finished runs are kept, those of other rows and more seeds too
    #[arg(long)]
    resume: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Preset {
    Smoke,
    Quick,
    Full,
}

impl Preset {
    fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Quick => "quick",
            Self::Full => "full",
        }
    }
}

/// What `--help` says of the name.
fn experiments() -> String {
    let names: Vec<&str> = experiment::names().collect();
    format!("The experiment: {}", names.join(", "))
}

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let experiment = experiment::find(&arguments.name)?;
    let preset = arguments.preset.name();
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let plan = Plan {
        campaign: Campaign {
            preset: preset.into(),
            side_by_side: arguments.jobs.unwrap_or(cores),
            device: arguments.device,
            out: arguments.out.clone().unwrap_or_else(|| format!("out/{}-{preset}", experiment.name).into()),
            resume: arguments.resume,
            observe: arguments.observe.clone(),
        },
        rows: arguments.rows.clone(),
        seeds: arguments.seeds.clone(),
        usps_resampled: arguments.usps_resampled,
    };
    let Some(table) = experiment::reproduce(experiment, &plan)? else {
        say::note!(
            "interrupted: what is done is kept in {}; go on with the same command and --resume",
            plan.campaign.out.display()
        );
        return Ok(interruption::ending().unwrap_or(Ending::Done));
    };
    say::answer!("{table}\n{}: results.json, table.md, report.html", plan.campaign.out.display());
    Ok(Ending::Done)
}
