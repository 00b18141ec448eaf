//! Many runs in one folder, each a process of its own: what experiments and sweeps have in common.

mod estimate;
mod queue;
mod trial;

pub(crate) use estimate::{duration, seconds_per_iteration};
pub(crate) use trial::Trial;

use crate::manifest::Manifest;
use crate::run;
use crate::run_folder::{self, RESULTS_FILE, write_json};
use anyhow::{Context, Result, bail};
use eval::results::{Floor, Metrics, Protocol, Row};
use flows::device::Device;
use measure::Records;
use queue::Job;
use rayon::prelude::*;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use train::Config;
use train::observe::Format;
use train::run::{Lock, MANIFEST_FILE};

/// Name of the table in the folder of a campaign.
pub(crate) const TABLE_FILE: &str = "table.md";

/// How runs are made, and where.
#[derive(Debug, Clone)]
pub(crate) struct Campaign {
    pub preset: String,
    pub side_by_side: NonZeroUsize,
    pub device: Device,
    pub out: PathBuf,
    pub resume: bool,
    /// What else the records of its runs are written as.
    pub observe: Vec<Format>,
}

impl Campaign {
    /// Takes the folder for the campaign of this name: it must be new, or that of the campaign to go on with.
    pub(crate) fn claim(&self, name: &str) -> Result<Lock> {
        let out = &self.out;
        let used = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
        if used && !self.resume {
            bail!(
                "{} is not empty: choose another folder with --out, or go on with what it holds with --resume",
                out.display()
            );
        }
        if used && out.join(MANIFEST_FILE).is_file() {
            self.is_that_of(name)?;
        } else if used {
            bail!(
                "{} holds something else (no {MANIFEST_FILE}): choose another folder with --out",
                out.display()
            );
        }
        make(out)?;
        let lock = Lock::acquire(out)?;
        write_json(&out.join(MANIFEST_FILE), &Manifest::new(self.device, &self.preset, true))?;
        Ok(lock)
    }

    /// Says so where the folder is that of another campaign.
    fn is_that_of(&self, name: &str) -> Result<()> {
        let out = &self.out;
        let before = Manifest::read(out)?.preset;
        if before != self.preset {
            bail!(
                "{} was started with --preset {before}: go on with that preset, or choose another folder with --out",
                out.display()
            );
        }
        if out.join(RESULTS_FILE).is_file() {
            let before = run_folder::results(out)?.experiment;
            if before != name {
                bail!("{} holds the results of {before}: choose another folder with --out", out.display());
            }
        }
        Ok(())
    }

    /// Does all trials in order; what is done is left as it is.
    pub(crate) fn run<'a>(&self, trials: impl Iterator<Item = &'a Trial>) -> Result<()> {
        let jobs: Vec<Job> = trials.map(|trial| trial.job(self)).collect::<Result<_>>()?;
        queue::run(&jobs, self.side_by_side)
    }
}

/// The floor of every target, measured as the rows are: for seed 0, and for every seed where it takes all of them to have
/// more than one pair of clouds.
pub(crate) fn floors<'a>(
    configs: impl Iterator<Item = &'a Config>,
    protocol: Protocol,
) -> Result<Vec<Floor>> {
    let mut targets: Vec<&Config> = Vec::new();
    for config in configs.filter(|config| config.seed() == 0 || protocol.pairs == 1) {
        let of = |config: &Config| (config.kind(), config.data().name(), config.data().dim(), config.seed());
        if !targets.iter().any(|known| of(known) == of(config)) {
            targets.push(config);
        }
    }
    let measured: Vec<Vec<Floor>> =
        targets.par_iter().map(|config| run::floors(config, protocol, &|_| {})).collect::<Result<_>>()?;
    let mut floors = means(measured.into_iter().flatten());
    floors.sort_by_key(|floor| floor.dim);
    Ok(floors)
}

/// One floor for each target: the mean and the standard deviation where there are several.
fn means(floors: impl Iterator<Item = Floor>) -> Vec<Floor> {
    let mut targets: Vec<Vec<Floor>> = Vec::new();
    for floor in floors {
        let same = |seeds: &&mut Vec<Floor>| {
            seeds.iter().all(|known| (&known.dataset, known.dim) == (&floor.dataset, floor.dim))
        };
        match targets.iter_mut().find(same) {
            Some(seeds) => seeds.push(floor),
            None => targets.push(vec![floor]),
        }
    }
    let mean = |mut seeds: Vec<Floor>| {
        let mut floor = seeds.pop()?;
        if !seeds.is_empty() {
            let all: Vec<Metrics> = seeds
                .into_iter()
                .map(|floor| floor.metrics)
                .chain([std::mem::take(&mut floor.metrics)])
                .collect();
            for metric in metrics::all() {
                let values: Vec<f64> = all.iter().filter_map(|metrics| metrics.get(metric)).collect();
                floor.metrics.insert_repeated(metric, &values);
            }
        }
        Some(floor)
    };
    targets.into_iter().filter_map(mean).collect()
}

/// Adds to the row of each run how long its training took to come near the floor of its target.
pub(crate) fn tell_times_to_floors(rows: &mut [Row], floors: &[Floor], out: &Path) -> Result<()> {
    for row in rows.iter_mut().filter(|row| row.run != ".") {
        let floor = floors.iter().find(|floor| floor.dataset == row.dataset && floor.dim == row.dim);
        if let Some(floor) = floor {
            run::tell_time_to_floor(row, &Records::read(&out.join(&row.run))?, floor);
        }
    }
    Ok(())
}

/// Makes a folder with those above it.
pub(crate) fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made: choose another folder", folder.display()))
}

/// A path as an argument of another process.
fn text(path: &Path) -> Result<String> {
    path.to_str()
        .map(str::to_owned)
        .with_context(|| format!("{} is not UTF-8: choose another folder with --out", path.display()))
}

#[cfg(test)]
mod tests {
    use super::means;
    use eval::results::{Floor, Metrics};

    #[test]
    fn floors_of_several_seeds_are_averaged_target_by_target() {
        let floor = |dataset: &str, w2| {
            let metrics: Metrics = [(metrics::W2, w2)].into_iter().collect();
            Floor { dataset: dataset.into(), dim: 2, metrics }
        };
        let found = means([floor("moons", 1.0), floor("s-curve", 5.0), floor("moons", 3.0)].into_iter());
        let numbers: Vec<_> = found
            .iter()
            .map(|floor| {
                (floor.dataset.as_str(), floor.metrics.get(metrics::W2), floor.metrics.deviation(metrics::W2))
            })
            .collect();
        assert_eq!(numbers, [("moons", Some(2.0), Some(2.0_f64.sqrt())), ("s-curve", Some(5.0), None)]);
    }
}
