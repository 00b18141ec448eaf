//! Experiments: every row of a table trained with every seed, measured, and set beside what is in print.

mod catalogue;
mod order;
mod queue;
mod references;
mod tables;

pub(crate) use catalogue::{Experiment, find, names};

use crate::interruption;
use crate::kinds::{self, data_sets, protocol};
use crate::manifest::Manifest;
use crate::page;
use crate::run;
use crate::run_folder::{self, REPORT_FILE, RESULTS_FILE, write_json};
use anyhow::{Context, Result, bail};
use catalogue::Setting;
use datasets::manifest::find as find_data_set;
use datasets::write_whole;
use eval::report::comparison;
use eval::results::{Floor, Protocol, Results, Row};
use flows::device::Device;
use queue::Job;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use train::Config;
use train::run::{Lock, MANIFEST_FILE};

/// Name of the table in the folder of an experiment.
const TABLE_FILE: &str = "table.md";

/// How to reproduce an experiment.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub preset: String,
    /// Part of FAMILY/STEM of the rows to reproduce; empty for all.
    pub rows: String,
    pub seeds: NonZeroUsize,
    pub side_by_side: NonZeroUsize,
    pub device: Device,
    pub out: PathBuf,
    pub resume: bool,
    /// Whether the resampled digits stand in for USPS.
    pub usps_resampled: bool,
}

/// A row with a seed.
struct Trial {
    row: &'static Setting,
    config: Config,
    seed: u64,
    /// Overrides of the row's settings.
    changes: Vec<String>,
}

impl Trial {
    fn label(&self) -> String {
        format!("{} {} seed {}", self.row.family, self.row.stem, self.seed)
    }

    /// The run folder relative to that of the experiment.
    fn folder(&self) -> String {
        format!("runs/{}/{}-s{}", self.row.family, self.row.stem, self.seed)
    }
}

/// Trains, measures and tabulates; returns the table as Markdown, or none when it was interrupted.
pub(crate) fn reproduce(experiment: &Experiment, plan: &Plan) -> Result<Option<String>> {
    let trials = trials(experiment, plan)?;
    let sets: BTreeSet<&str> = trials.iter().flat_map(|trial| kinds::digit_sets(&trial.config)).collect();
    // What no package carries comes last in the alphabet and is the harder to get: it is said first.
    sets.into_iter().rev().try_for_each(digits_are_there)?;
    trials.iter().try_for_each(known_map_is_there)?;
    claim(plan)?;
    let _lock = Lock::acquire(&plan.out)?;
    let manifest = Manifest::new(plan.device, &plan.preset, true);
    write_json(&plan.out.join(MANIFEST_FILE), &manifest)?;
    let jobs = trials.iter().map(|trial| job(trial, plan)).collect::<Result<Vec<_>>>()?;
    queue::run(&jobs, plan.side_by_side)?;
    if interruption::ending().is_some() {
        return Ok(None);
    }
    interruption::advise(Some(
        "interrupted: the runs are kept; go on with the same command and --resume".into(),
    ));
    let mut rows = Vec::new();
    for trial in first_of_targets(&trials) {
        rows.extend(references::references(&trial.config, trial.row.family, plan)?);
    }
    for trial in &trials {
        rows.push(row(trial, &plan.out)?);
    }
    let protocol = trials.first().map_or(Protocol::FULL, |trial| protocol(&trial.config, &plan.preset));
    let mut results =
        Results::new(experiment.name.into(), plan.preset.clone(), protocol, rows, floors(&trials, protocol)?);
    // The table follows the catalogue, not the order of the work.
    let settings = experiment.rows();
    let place = |row: &Row| {
        let stem = format!("{}-{}d-{}", row.dataset, row.dim, row.method);
        let same = |entry: &Setting| entry.stem == stem || entry.stem == row.method;
        settings.iter().position(|entry| entry.family == row.family && same(entry))
    };
    results.rows.sort_by_key(|row| (place(row), row.seed));
    write_json(&plan.out.join(RESULTS_FILE), &results)?;
    let table = write_table(experiment, &results, &plan.out)?;
    report(&plan.out)?;
    Ok(Some(table))
}

/// Writes the report of an experiment from its folder.
pub(crate) fn report(folder: &Path) -> Result<PathBuf> {
    let results = run_folder::results(folder)
        .with_context(|| format!("{} is neither a run nor a finished experiment", folder.display()))?;
    let experiment = find(&results.experiment)?;
    let manifest = Manifest::read(folder)?;
    let tables = comparison(&results, &experiment.in_print()?, experiment.tables);
    let page = page::experiment(
        folder,
        &experiment.title_of(&results),
        &results,
        tables,
        experiment.curves,
        &manifest,
    )?;
    let path = folder.join(REPORT_FILE);
    let html = page.to_html()?;
    write_whole(&path, |file| file.write_all(html.as_bytes()))?;
    Ok(path)
}

/// Multiplications of the training up to a factor: what takes long is started first.
fn work(config: &Config) -> u64 {
    let training = config.training();
    training.iterations * training.batch as u64 * (1 + training.critic_updates as u64)
}

fn trials(experiment: &Experiment, plan: &Plan) -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    let name = |row: &Setting| format!("{}/{}", row.family, row.stem);
    // `2d` is asked for by those who want 2 dimensions, not 12.
    let is_word = |row: &&Setting| name(row).split(['/', '-']).any(|word| word == plan.rows);
    let all = experiment.rows();
    let with_word = all.iter().any(|row| is_word(&row));
    let wanted = |row: &&Setting| if with_word { is_word(row) } else { name(row).contains(&plan.rows) };
    for row in all.into_iter().filter(wanted) {
        let origin = format!("configs/{}/{}/{}.toml", experiment.name, row.family, row.stem);
        for seed in 0..plan.seeds.get() as u64 {
            let mut changes = vec![format!("seed={seed}")];
            if plan.usps_resampled {
                changes.extend(stand_ins(row)?);
            }
            let config = Config::parse(row.text, &origin, Some(&plan.preset), &changes)?;
            trials.push(Trial { row, config, seed, changes });
        }
    }
    if trials.is_empty() {
        let names: Vec<String> = experiment.rows().into_iter().map(name).collect();
        bail!("no row of {} contains `{}`: there are {}", experiment.name, plan.rows, names.join(", "));
    }
    trials.sort_by_key(|trial| std::cmp::Reverse(work(&trial.config)));
    Ok(trials)
}

/// Makes sure that the folder is new, or that of the experiment to go on with.
fn claim(plan: &Plan) -> Result<()> {
    let out = &plan.out;
    let used = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if used && !plan.resume {
        bail!(
            "{} is not empty: choose another folder with --out, or go on with that experiment with --resume",
            out.display()
        );
    }
    if used && out.join(MANIFEST_FILE).is_file() {
        let before = Manifest::read(out)?.preset;
        if before != plan.preset {
            bail!(
                "{} was started with --preset {before}: go on with that preset, or choose another folder with --out",
                out.display()
            );
        }
    } else if used {
        bail!(
            "{} holds something else (no {MANIFEST_FILE}): choose another folder with --out",
            out.display()
        );
    }
    fs::create_dir_all(out)
        .with_context(|| format!("{} cannot be made: choose another folder", out.display()))
}

/// Writes the row's configuration and says how the child process is called.
fn job(trial: &Trial, plan: &Plan) -> Result<Job> {
    let make = |folder: PathBuf| -> Result<PathBuf> {
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(folder)
    };
    let row = trial.row;
    let config = make(plan.out.join("configs").join(row.family))?.join(format!("{}.toml", row.stem));
    write_whole(&config, |file| file.write_all(row.text.as_bytes()))?;
    let log = make(plan.out.join("logs"))?.join(format!("{}-{}-s{}.log", row.family, row.stem, trial.seed));
    let folder = plan.out.join(trial.folder());
    let text = |path: &Path| {
        path.to_str()
            .map(str::to_owned)
            .with_context(|| format!("{} is not UTF-8: choose another folder with --out", path.display()))
    };
    let mut arguments = vec!["train".to_owned(), text(&config)?];
    for change in &trial.changes {
        arguments.extend(["--set".to_owned(), change.clone()]);
    }
    for (name, value) in
        [("--preset", plan.preset.clone()), ("--device", plan.device.to_string()), ("--out", text(&folder)?)]
    {
        arguments.extend([name.to_owned(), value]);
    }
    // A finished run is left as it is, an interrupted one goes on, a missing one begins.
    arguments.extend(["--resume", "--without-floor", "--with-parent"].map(str::to_owned));
    Ok(Job { label: trial.label(), arguments, log })
}

/// The row that a child process has written, with its place in the experiment.
fn row(trial: &Trial, out: &Path) -> Result<Row> {
    let folder = trial.folder();
    let results = run_folder::results(&out.join(&folder))?;
    let row = results.rows.into_iter().next();
    let row = row.with_context(|| format!("{folder} has no result: delete it and go on with --resume"))?;
    let prefix = format!("{}-{}d-", row.dataset, row.dim);
    Ok(Row {
        method: trial.row.stem.strip_prefix(&prefix).unwrap_or(trial.row.stem).into(),
        family: trial.row.family.into(),
        samples: row.samples.map(|samples| format!("{folder}/{samples}")),
        run: folder,
        ..row
    })
}

/// Says before any training that a data set is missing, and what can be done.
fn digits_are_there(name: &str) -> Result<()> {
    let folder = data_sets().join(name);
    let data_set = find_data_set(name)?;
    let Some(missing) = data_set.files.iter().find(|file| !folder.join(file.name).is_file()) else {
        return Ok(());
    };
    let path = folder.join(missing.name);
    match data_set.package {
        Some(_) => bail!("{} is missing: get it with `cargo xtask data fetch {name}`", path.display()),
        None => bail!(
            "{} is missing and no package carries it ({}): put the files into that folder, or take the resampled \
             digits, a stand-in that every output names, with --usps-resampled",
            path.display(),
            data_set.terms
        ),
    }
}

/// Says before any training that the files of a known map are missing, and which rows need none.
fn known_map_is_there(trial: &Trial) -> Result<()> {
    let Some((map, dim)) = trial.config.data().known_map() else { return Ok(()) };
    if map.files(dim, &data_sets()).iter().all(|file| file.is_file()) {
        return Ok(());
    }
    map.pair(dim, &data_sets()).map(|_| ()).with_context(|| {
        format!("{} cannot be trained (--rows known takes the rows that need no file)", trial.row.stem)
    })
}

/// The first row of each target in each family.
fn first_of_targets(trials: &[Trial]) -> Vec<&Trial> {
    let mut first: Vec<&Trial> = Vec::new();
    for trial in trials {
        let same = |known: &&Trial| {
            let (a, b) = (&known.config, &trial.config);
            known.row.family == trial.row.family
                && (a.data().name(), a.data().dim()) == (b.data().name(), b.data().dim())
        };
        if !first.iter().any(same) {
            first.push(trial);
        }
    }
    first
}

/// The changes that put the resampled digits in the place of USPS.
fn stand_ins(row: &Setting) -> Result<Vec<String>> {
    let table: toml::Table = row.text.parse()?;
    let is_usps = |side: &&&str| {
        table.get(**side).and_then(|law| law.get("set")).and_then(toml::Value::as_str) == Some("usps")
    };
    Ok(["initial", "data"].iter().filter(is_usps).map(|side| format!("{side}.set=usps-resampled")).collect())
}

/// The floor of every target, measured as the rows are.
fn floors(trials: &[Trial], protocol: Protocol) -> Result<Vec<Floor>> {
    let mut targets: Vec<&Config> = Vec::new();
    for trial in trials.iter().filter(|trial| trial.seed == 0) {
        let same =
            |config: &&Config| config.kind() == trial.config.kind() && config.data() == trial.config.data();
        if !targets.iter().any(same) {
            targets.push(&trial.config);
        }
    }
    let measured: Vec<Vec<Floor>> =
        targets.par_iter().map(|config| run::floors(config, protocol, &|_| {})).collect::<Result<_>>()?;
    let mut floors: Vec<Floor> = measured.into_iter().flatten().collect();
    floors.sort_by_key(|floor| floor.dim);
    Ok(floors)
}

fn write_table(experiment: &Experiment, results: &Results, out: &Path) -> Result<String> {
    let mut text = format!(
        "# {}\n\nPreset `{}`. A row is a configuration in `configs`; its run is in `runs`.\n",
        experiment.title_of(results),
        results.preset
    );
    for table in comparison(results, &experiment.in_print()?, experiment.tables) {
        let _ = write!(text, "\n{}", table.to_markdown());
    }
    write_whole(out.join(TABLE_FILE), |file| file.write_all(text.as_bytes()))?;
    Ok(text)
}
