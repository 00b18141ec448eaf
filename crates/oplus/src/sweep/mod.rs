//! Sweeps: one configuration over a grid of its settings, every point with every seed.

mod array;
mod grid;

pub(crate) use grid::Grid;

use crate::campaign::{self, Campaign, TABLE_FILE, duration, make, seconds_per_iteration};
use crate::experiment::tables_of;
use crate::interruption;
use crate::kinds::{inputs, protocol};
use crate::manifest::Manifest;
use crate::page;
use crate::run_folder::{REPORT_FILE, RESULTS_FILE, write_json};
use crate::seeds::{self, Seeds};
use anyhow::{Context, Result, bail};
use datasets::write_whole;
use eval::report::comparison;
use eval::results::{Protocol, Results, Row, Settings};
use grid::Point;
use metrics::BEYOND_REACH;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use train::config::{Config, ConfigError, Configuration};
use train::source::Source;

/// How long a training is tried for an estimate.
const TRIED: Duration = Duration::from_secs(2);

/// What is swept.
#[derive(Debug)]
pub(crate) struct Plan {
    pub campaign: Campaign,
    pub config: PathBuf,
    pub grid: Grid,
    /// Overrides of every run.
    pub set: Vec<String>,
    pub seeds: Seeds,
}

/// A point, the how-many-th of the grid, with a seed.
struct Trial {
    run: campaign::Trial,
    settings: Settings,
    place: usize,
}

/// Trains, measures and tabulates; returns the table as Markdown, or none when it was interrupted.
pub(crate) fn sweep(plan: &Plan) -> Result<Option<String>> {
    let mut trials = trials(plan)?;
    let open = say_length(&trials, plan)?;
    let Campaign { preset, out, .. } = &plan.campaign;
    let name = name(&trials).to_owned();
    let _lock = plan.campaign.claim(&name)?;
    plan.campaign.run(&open)?;
    if interruption::ending().is_some() {
        return Ok(None);
    }
    interruption::advise(Some(
        "interrupted: the runs are kept; go on with the same command and --resume".into(),
    ));
    trials.extend(kept(plan, &trials)?);
    trials.sort_by_key(|trial| (trial.place, trial.run.config.seed()));
    let stem = plan.config.file_stem().unwrap_or_default().to_string_lossy();
    let mut rows = Vec::new();
    for Trial { run, settings, .. } in &trials {
        let mut row = Row { settings: settings.clone(), ..run.row(&stem, out)? };
        if let Some(beyond) = beyond_reach(&run.config)? {
            row.metrics.insert(BEYOND_REACH, beyond);
        }
        rows.push(row);
    }
    let protocol = trials.first().map_or(Protocol::FULL, |trial| protocol(&trial.run.config, preset));
    let floors = campaign::floors(trials.iter().map(|trial| &trial.run), &plan.campaign)?;
    campaign::tell_times_to_floors(&mut rows, &floors, out)?;
    let results = Results::new(name, preset.clone(), protocol, rows, floors);
    write_json(&out.join(RESULTS_FILE), &results)?;
    let mut text = format!("# {}\n\nPreset `{preset}`; the runs are in `runs`.\n", title(&results));
    for table in comparison(&results, &[], tables_of(&results)) {
        let _ = write!(text, "\n{}", table.to_markdown());
    }
    write_whole(out.join(TABLE_FILE), |file| file.write_all(text.as_bytes()))?;
    report(out, &results)?;
    Ok(Some(text))
}

/// Writes the array script of Slurm instead; returns how many tasks it has.
pub(crate) fn array(plan: &Plan, file: &Path) -> Result<usize> {
    let trials = trials(plan)?;
    say_length(&trials, plan)?;
    let _lock = plan.campaign.claim(name(&trials))?;
    make(&plan.campaign.out.join("logs"))?;
    array::write(file, trials.iter().map(|trial| &trial.run), &plan.campaign)?;
    Ok(trials.len())
}

/// Writes the report of a sweep from its folder.
pub(crate) fn report(folder: &Path, results: &Results) -> Result<PathBuf> {
    let page = page::sweep(
        results,
        &title(results),
        comparison(results, &[], tables_of(results)),
        &Manifest::read(folder)?,
    );
    let path = folder.join(REPORT_FILE);
    let html = page.to_html()?;
    write_whole(&path, |file| file.write_all(html.as_bytes()))?;
    Ok(path)
}

/// Every point with every seed, all of them valid and different.
fn trials(plan: &Plan) -> Result<Vec<Trial>> {
    plan.seeds.fit(plan.grid.count())?;
    let mut trials = Vec::new();
    let mut known: BTreeMap<String, Point> = BTreeMap::new();
    for (place, point) in plan.grid.points().into_iter().enumerate() {
        for seed in plan.seeds.iter() {
            let trial = trial(plan, place, &point, seed)?;
            if seed == plan.seeds.first()
                && let Some(same) = known.insert(trial.run.config.hash()?, point.clone())
            {
                bail!("{same} and {point} are the same settings: leave one out");
            }
            trials.push(trial);
        }
    }
    Ok(trials)
}

/// Finished runs that the folder has of other seeds.
fn kept(plan: &Plan, trials: &[Trial]) -> Result<Vec<Trial>> {
    let runs = plan.campaign.out.join("runs");
    let planned = || trials.iter().map(|trial| &trial.run);
    let mut kept = Vec::new();
    for (place, point) in plan.grid.points().into_iter().enumerate() {
        for seed in seeds::begun(&runs.join(point.folder()), "s") {
            let found = trial(plan, place, &point, seed)?;
            if plan.campaign.keeps(&found.run, planned()) {
                kept.push(found);
            }
        }
    }
    Ok(kept)
}

fn trial(plan: &Plan, place: usize, point: &Point, seed: u64) -> Result<Trial> {
    let mut changes = plan.set.clone();
    changes.extend(point.changes());
    changes.push(format!("seed={seed}"));
    let config = load(plan, &changes, point)?;
    let run = campaign::Trial {
        label: format!("{point} seed {seed}"),
        file: plan.config.clone(),
        changes,
        config,
        folder: format!("runs/{}/s{seed}", point.folder()),
        log: format!("logs/{}/s{seed}.log", point.folder()),
    };
    Ok(Trial { run, settings: point.settings(), place })
}

/// The configuration of a point; what is wrong with the file itself is said without the point.
fn load(plan: &Plan, changes: &[String], point: &Point) -> Result<Config> {
    match Config::load(&plan.config, Some(&plan.campaign.preset), changes) {
        Ok(config) => Ok(config),
        Err(
            error @ (ConfigError::Io { .. }
            | ConfigError::Syntax { .. }
            | ConfigError::Preset { .. }
            | ConfigError::Kind { .. }),
        ) => Err(error.into()),
        Err(error) => Err(error).with_context(|| format!("{point} cannot be trained")),
    }
}

/// The name of the configuration.
fn name(trials: &[Trial]) -> &str {
    trials.first().map_or("", |trial| trial.run.config.name())
}

/// Says how many runs there are, and about how long those take that are not finished, which it returns.
fn say_length<'a>(trials: &'a [Trial], plan: &Plan) -> Result<Vec<&'a campaign::Trial>> {
    say::note!("{} runs over {} ({})", trials.len(), plan.grid.keys().join(" × "), plan.seeds);
    let open = plan.campaign.open(trials.iter().map(|trial| &trial.run));
    let Some(first) = open.first() else { return Ok(open) };
    say::note!("one is tried for two seconds");
    let Some(seconds) = seconds_per_iteration(&first.config, TRIED)? else {
        say::note!(
            "its start alone takes longer: how long a training takes is told in logs/, once it goes on"
        );
        return Ok(open);
    };
    let of = |run: &campaign::Trial| {
        let iterations = first.config.training().iterations as f64;
        seconds * iterations * run.work() as f64 / first.work().max(1) as f64
    };
    let total: f64 = open.iter().map(|run| of(run)).sum();
    let side_by_side = plan.campaign.side_by_side.get().min(open.len());
    say::note!(
        "to train: {} runs × about {} = {} of one core, {} with {side_by_side} side by side, as this machine is now; \
         what measuring takes comes to it",
        open.len(),
        duration(total / open.len() as f64),
        duration(total),
        duration(total / side_by_side as f64),
    );
    Ok(open)
}

/// The share of points beyond R = L·T/λ, of a flow whose points have a longest way.
fn beyond_reach(config: &Config) -> Result<Option<f64>> {
    let Config::Flow(config) = config else { return Ok(None) };
    let source = Source::new(config.as_ref(), &inputs())?;
    Ok(config.reach(&source)?.map(|reach| reach.beyond()))
}

/// The title of a report.
fn title(results: &Results) -> String {
    let keys: Vec<&str> =
        results.rows.first().map(|row| row.settings.iter().map(|(key, _)| key).collect()).unwrap_or_default();
    format!("Sweep of {} over {}", results.experiment, keys.join(" × "))
}
