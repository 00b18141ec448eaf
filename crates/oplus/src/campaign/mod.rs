//! Many runs in one folder, each a process of its own: what experiments and sweeps have in common.

mod estimate;
mod kept;
mod queue;
mod trial;

pub(crate) use estimate::{duration, seconds_per_iteration};
pub(crate) use kept::Kept;
pub(crate) use trial::Trial;

use crate::ending::Ending;
use crate::kinds::protocol;
use crate::manifest::Manifest;
use crate::run;
use crate::run_folder::{self, RESULTS_FILE, write_json};
use anyhow::{Context, Result, bail};
use datasets::is_partial;
use eval::results::{Floor, Metrics, Protocol, Row};
use flows::device::Device;
use measure::Records;
use queue::Job;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use train::config::{Config, Kind, Points};
use train::observe::Format;
use train::run::{LOCK_FILE, Lock, MANIFEST_FILE};

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
        // What a process leaves that ended before it had written anything is nobody's.
        let is_left_over = |path: &Path| path.file_name() == Some(LOCK_FILE.as_ref()) || is_partial(path);
        let used = fs::read_dir(out)
            .is_ok_and(|entries| entries.flatten().any(|entry| !is_left_over(&entry.path())));
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

    /// What this program has measured for the folder beside its runs.
    pub(crate) fn kept(&self) -> Result<Kept> {
        Ok(Kept::of(&self.out, &Manifest::read(&self.out)?))
    }

    /// Whether the folder has this run finished beside those that are planned, so that its row stays in the table.
    pub(crate) fn keeps<'a>(&self, found: &Trial, mut planned: impl Iterator<Item = &'a Trial>) -> bool {
        planned.all(|trial| trial.folder != found.folder) && self.finished(found).is_some()
    }

    /// How a run of the folder has ended, if it is there to its end, with its results.
    fn finished(&self, trial: &Trial) -> Option<Ending> {
        run::finished(&trial.config, &self.out.join(&trial.folder), &self.preset)
    }

    /// The trials that are not finished; says how many are, and which of those have diverged.
    pub(crate) fn open<'a>(&self, trials: impl Iterator<Item = &'a Trial>) -> Vec<&'a Trial> {
        let (mut all, mut diverged, mut open) = (0_usize, Vec::new(), Vec::new());
        for trial in trials {
            all += 1;
            match self.finished(trial) {
                None => open.push(trial),
                Some(Ending::Diverged) => diverged.push(trial.label.as_str()),
                Some(Ending::Done | Ending::Interrupted(_)) => {}
            }
        }
        if open.len() < all {
            say::note!("{}", already(all - open.len(), all, &diverged));
        }
        open
    }

    /// Does these trials in order.
    pub(crate) fn run(&self, open: &[&Trial]) -> Result<()> {
        let jobs: Vec<Job> = open.iter().map(|trial| trial.job(self)).collect::<Result<_>>()?;
        queue::run(&jobs, self.side_by_side)
    }
}

/// What is said of the runs that need not be made again.
fn already(done: usize, all: usize, diverged: &[&str]) -> String {
    let done = if done == all { "all".to_owned() } else { format!("{done} of") };
    let ended = if diverged.is_empty() {
        String::new()
    } else {
        format!(", {} of them diverged ({})", diverged.len(), diverged.join(", "))
    };
    format!("{done} {all} runs are there already{ended}")
}

/// The floor of every target, measured as its rows are: for its first seed, and for every seed where it takes all of them to have
/// more than one pair of clouds. That of the user's own data is the mean of those of the runs, which have measured their own.
pub(crate) fn floors<'a>(trials: impl Iterator<Item = &'a Trial>, campaign: &Campaign) -> Result<Vec<Floor>> {
    let Campaign { preset, out, .. } = campaign;
    let (own, others): (Vec<&Trial>, Vec<&Trial>) = trials.partition(|trial| trial.config.data().is_own());
    let targets = targets(others, |trial| &trial.config, preset);
    let kept = campaign.kept()?;
    let name = |trial: &&Trial| -> Result<String> {
        let (kind, protocol, data) = as_measured(&trial.config, preset);
        let data = (data, trial.data_sha256(out)?);
        Ok(serde_json::to_string(&("floor", kind.to_string(), protocol, data, trial.config.seed()))?)
    };
    let names: Vec<String> = targets.iter().map(name).collect::<Result<_>>()?;
    let count = names.iter().filter(|name| kept.get::<Vec<Floor>>(name).is_none()).count();
    if count > 0 {
        say::note!("measuring the floors: {count} times two independent samples of a target");
    }
    let floors = |(Trial { config, .. }, name): (&&Trial, &String)| {
        kept.or_measure(name, || run::floors(config, protocol(config, preset), &|_| {}))
    };
    let measured: Vec<Vec<Floor>> = targets.par_iter().zip(&names).map(floors).collect::<Result<_>>()?;
    let of_kind = |kind: Kind| {
        let of_kind = targets.iter().zip(&measured).filter(move |(trial, _)| trial.config.kind() == kind);
        of_kind.flat_map(|(trial, floors)| floors.iter().map(|floor| (trial.config.seed(), floor.clone())))
    };
    let mut measured: Vec<(u64, Floor)> = Vec::new();
    for kind in Kind::ALL {
        let all: Vec<(u64, Floor)> = of_kind(kind).collect();
        measured.extend(alike(&all).cloned());
    }
    let mut floors = means(measured.into_iter());
    let mut of_runs: Vec<(u64, Floor)> = Vec::new();
    for trial in own {
        let results = run_folder::results(&out.join(&trial.folder))?;
        of_runs.extend(results.floors.into_iter().map(|floor| (trial.config.seed(), floor)));
    }
    floors.extend(means(alike(&of_runs).cloned()));
    floors.sort_by_key(|floor| floor.dim);
    Ok(floors)
}

/// What the floor of a configuration is of, but for its seed.
fn as_measured(config: &Config, preset: &str) -> (Kind, Protocol, Points) {
    (config.kind(), protocol(config, preset), config.data().as_measured())
}

/// Of these runs with a configuration those whose floors are measured: for every target that of its first seed, or those of
/// all its seeds where a floor is a single pair of clouds.
fn targets<'a, T>(mut runs: Vec<&'a T>, config: impl Fn(&T) -> &Config, preset: &str) -> Vec<&'a T> {
    runs.sort_by_key(|run| config(run).seed());
    let mut targets: Vec<&T> = Vec::new();
    for run in runs {
        let of = config(run);
        let is_known = |known: &&T| {
            let known = config(known);
            as_measured(known, preset) == as_measured(of, preset)
                && (known.seed() == of.seed() || protocol(of, preset).pairs > 1)
        };
        if !targets.iter().any(is_known) {
            targets.push(run);
        }
    }
    targets
}

/// The floors that are the same for all of their target and seed: where the settings in which runs differ change the data, or how
/// they are measured, none is that of all.
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
    use super::{already, means, targets};
    use eval::results::{Floor, Metrics};
    use train::Config;

    #[test]
    fn runs_that_are_there_are_counted_and_the_diverged_named() {
        assert_eq!(already(3, 3, &[]), "all 3 runs are there already");
        let told = already(3, 4, &["a seed 0", "b seed 1"]);
        assert_eq!(told, "3 of 4 runs are there already, 2 of them diverged (a seed 0, b seed 1)");
    }

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

    /// The names and the seeds of those whose floors are measured under the preset full.
    fn chosen(runs: &[(&str, u64)]) -> Vec<(String, u64)> {
        let text = include_str!("../../../../configs/table1/rivals/pinwheel-2d-cfm.toml");
        let config = |(data, seed): &(&str, u64)| {
            let changes = [format!("data={data}"), format!("seed={seed}")];
            Config::parse(text, "a test", None, &changes).unwrap()
        };
        let configs: Vec<Config> = runs.iter().map(config).collect();
        let found = targets(configs.iter().collect(), |config| config, "full");
        found.into_iter().map(|config| (config.data().name(), config.seed())).collect()
    }

    #[test]
    fn a_floor_is_that_of_the_first_seed_of_its_target_even_where_that_is_not_0() {
        let pinwheel = "{ kind = \"target\", target = \"pinwheel\", dim = 2 }";
        let noised = "{ kind = \"target\", target = \"pinwheel\", dim = 2, samples = 90, noise = 0.1 }";
        let moons = "{ kind = \"target\", target = \"moons\", dim = 2 }";
        let found = chosen(&[(pinwheel, 2), (moons, 0), (noised, 1), (pinwheel, 2), (moons, 1)]);
        assert_eq!(found, [("moons".into(), 0), ("pinwheel".into(), 1)]);
        // Of single pairs of clouds, all seeds.
        let pairs = "{ kind = \"target\", target = \"cfm-moons\", dim = 2 }";
        let found = chosen(&[(pairs, 1), (pairs, 0), (pairs, 1)]);
        assert_eq!(found, [("cfm-moons".into(), 0), ("cfm-moons".into(), 1)]);
        // One name, two laws.
        let laws = ["{ kind = \"normal\", std = 1.0, dim = 2 }", "{ kind = \"normal\", std = 4.0, dim = 2 }"];
        assert_eq!(chosen(&laws.map(|law| (law, 0))), [("normal".into(), 0), ("normal".into(), 0)]);
    }
}
