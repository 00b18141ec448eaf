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
use std::collections::BTreeMap;
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

    /// Whether the folder has this run finished beside those that are planned, so that its row stays in the table.
    pub(crate) fn keeps<'a>(&self, found: &Trial, mut planned: impl Iterator<Item = &'a Trial>) -> bool {
        planned.all(|trial| trial.folder != found.folder)
            && run::is_finished(&found.config, &self.out.join(&found.folder))
    }

    /// Does all trials in order; what is done is left as it is.
    pub(crate) fn run<'a>(&self, trials: impl Iterator<Item = &'a Trial>) -> Result<()> {
        let jobs: Vec<Job> = trials.map(|trial| trial.job(self)).collect::<Result<_>>()?;
        queue::run(&jobs, self.side_by_side)
    }
}

/// The floor of every target, measured as the rows are: for its first seed, and for every seed where it takes all of them to have
/// more than one pair of clouds. That of the user's own data is the mean of those of the runs, which have measured their own.
pub(crate) fn floors<'a>(
    trials: impl Iterator<Item = &'a Trial>,
    out: &Path,
    protocol: Protocol,
) -> Result<Vec<Floor>> {
    let (own, others): (Vec<&Trial>, Vec<&Trial>) = trials.partition(|trial| trial.config.data().is_own());
    let targets = targets(others.iter().map(|trial| &trial.config).collect(), protocol);
    if !targets.is_empty() {
        let count = targets.len();
        say::note!("measuring the floors: {count} times two independent samples of a target");
    }
    let measured: Vec<(u64, Vec<Floor>)> = targets
        .par_iter()
        .map(|config| Ok((config.seed(), run::floors(config, protocol, &|_| {})?)))
        .collect::<Result<_>>()?;
    let mut floors =
        means(measured.into_iter().flat_map(|(seed, floors)| floors.into_iter().map(move |f| (seed, f))));
    let mut of_runs: Vec<(u64, Floor)> = Vec::new();
    for trial in own {
        let results = run_folder::results(&out.join(&trial.folder))?;
        of_runs.extend(results.floors.into_iter().map(|floor| (trial.config.seed(), floor)));
    }
    floors.extend(means(alike(&of_runs).cloned()));
    floors.sort_by_key(|floor| floor.dim);
    Ok(floors)
}

/// The configurations whose floors are measured: for every target that of its first seed, or those of all its seeds where
/// a floor is a single pair of clouds.
fn targets(mut configs: Vec<&Config>, protocol: Protocol) -> Vec<&Config> {
    configs.sort_by_key(|config| config.seed());
    let mut targets: Vec<&Config> = Vec::new();
    for config in configs {
        let of = |config: &Config| (config.kind(), config.data().name(), config.data().dim());
        let is_known = |known: &&Config| {
            of(known) == of(config) && (known.seed() == config.seed() || protocol.pairs > 1)
        };
        if !targets.iter().any(is_known) {
            targets.push(config);
        }
    }
    targets
}

/// The floors that are the same in all runs of their target and seed: where the settings in which runs differ change the data,
/// none is that of all.
fn alike(floors: &[(u64, Floor)]) -> impl Iterator<Item = &(u64, Floor)> {
    floors.iter().filter(|(seed, floor)| {
        let target = (seed, &floor.dataset, floor.dim);
        floors.iter().all(|(other, with)| (other, &with.dataset, with.dim) != target || with == floor)
    })
}

/// One floor for each target: the mean and the standard deviation where several seeds have one. What is measured of one
/// target with one seed for flows, generators and critics is one floor.
fn means(floors: impl Iterator<Item = (u64, Floor)>) -> Vec<Floor> {
    let mut targets: Vec<((String, usize), BTreeMap<u64, Metrics>)> = Vec::new();
    for (seed, Floor { dataset, dim, metrics }) in floors {
        let target = (dataset, dim);
        match targets.iter_mut().find(|(known, _)| *known == target) {
            Some((_, seeds)) => seeds.entry(seed).or_default().extend(metrics),
            None => targets.push((target, BTreeMap::from([(seed, metrics)]))),
        }
    }
    let mean = |((dataset, dim), mut seeds): ((String, usize), BTreeMap<u64, Metrics>)| {
        let (_, mut metrics) = seeds.pop_last()?;
        if !seeds.is_empty() {
            let all: Vec<Metrics> = seeds.into_values().chain([std::mem::take(&mut metrics)]).collect();
            for metric in metrics::all() {
                let values: Vec<f64> = all.iter().filter_map(|metrics| metrics.get(metric)).collect();
                metrics.insert_repeated(metric, &values);
            }
        }
        Some(Floor { dataset, dim, metrics })
    };
    targets.into_iter().filter_map(mean).collect()
}

/// Adds to the row of each run how long its training took to come near the floor of its target.
pub(crate) fn tell_times_to_floors(rows: &mut [Row], floors: &[Floor], out: &Path) -> Result<()> {
    // A row with a verdict has measured its own floor.
    for row in rows.iter_mut().filter(|row| row.run != "." && row.verdict.is_none()) {
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
    use super::{means, targets};
    use eval::results::{Floor, Metrics, Protocol};
    use train::Config;

    #[test]
    fn floors_of_several_seeds_are_averaged_target_by_target() {
        let floor = |seed: u64, dataset: &str, w2| {
            let metrics: Metrics = [(metrics::W2, w2)].into_iter().collect();
            (seed, Floor { dataset: dataset.into(), dim: 2, metrics })
        };
        // The S-curve is the target of flows and of generators.
        let measured = [("moons", 0, 1.0), ("s-curve", 0, 5.0), ("moons", 1, 3.0), ("s-curve", 0, 5.0)];
        let found = means(measured.into_iter().map(|(dataset, seed, w2)| floor(seed, dataset, w2)));
        let numbers: Vec<_> = found
            .iter()
            .map(|floor| {
                (floor.dataset.as_str(), floor.metrics.get(metrics::W2), floor.metrics.deviation(metrics::W2))
            })
            .collect();
        assert_eq!(numbers, [("moons", Some(2.0), Some(2.0_f64.sqrt())), ("s-curve", Some(5.0), None)]);
    }

    #[test]
    fn a_floor_is_that_of_the_first_seed_of_its_target_even_where_that_is_not_0() {
        let pinwheel = include_str!("../../../../configs/table1/rivals/pinwheel-2d-cfm.toml");
        let moons = include_str!("../../../../configs/table1/rivals/moons-2d-cfm.toml");
        let config = |(text, seed): &(&str, u64)| {
            Config::parse(text, "a test", None, &[format!("seed={seed}")]).unwrap()
        };
        let runs =
            [(pinwheel, 2), (moons, 0), (pinwheel, 1), (pinwheel, 2), (moons, 1)].map(|run| config(&run));
        let chosen = |pairs| {
            let found = targets(runs.iter().collect(), Protocol { pairs, ..Protocol::FULL });
            found
                .into_iter()
                .map(|config| (config.data().name().to_owned(), config.seed()))
                .collect::<Vec<_>>()
        };
        let named =
            |all: &[(&str, u64)]| all.iter().map(|&(name, seed)| (name.to_owned(), seed)).collect::<Vec<_>>();
        assert_eq!(chosen(8), named(&[("moons", 0), ("pinwheel", 1)]));
        assert_eq!(chosen(1), named(&[("moons", 0), ("pinwheel", 1), ("moons", 1), ("pinwheel", 2)]));
    }
}
