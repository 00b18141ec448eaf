//! Experiments: every row of a table trained with every seed, measured, and set beside what is in print.

mod catalogue;
mod order;
mod references;
mod tables;

pub(crate) use catalogue::{Experiment, find, names};
pub(crate) use tables::tables_of;

use crate::campaign::{self, Campaign, TABLE_FILE, duration, make, seconds_per_iteration};
use crate::data_sets::{classifier_is_there, set_is_there};
use crate::interruption;
use crate::kinds::{self, data_sets, protocol};
use crate::manifest::Manifest;
use crate::page;
use crate::progress::Progress;
use crate::run_folder::{REPORT_FILE, RESULTS_FILE, write_json};
use crate::screen;
use crate::seeds::{self, Seeds};
use anyhow::{Context, Result, bail};
use catalogue::Setting;
use datasets::{cells, cells_files, write_whole};
use eval::report::comparison;
use eval::results::{Protocol, Results, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use train::Config;

/// Columns that say what a row of a table is.
const KEYS: usize = 2;

/// How to reproduce an experiment.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub campaign: Campaign,
    /// Parts of FAMILY/STEM of the rows to reproduce, with commas between; empty for all.
    pub rows: String,
    pub seeds: Seeds,
    /// Whether the resampled digits stand in for USPS.
    pub usps_resampled: bool,
}

/// A row with a seed.
struct Trial {
    row: &'static Setting,
    run: campaign::Trial,
}

/// Trains, measures and tabulates; returns the tables as Markdown, or as lines that fit the terminal where the answer goes to
/// one; none when it was interrupted.
pub(crate) fn reproduce(experiment: &Experiment, plan: &Plan) -> Result<Option<String>> {
    let mut trials = trials(experiment, plan)?;
    let sets: BTreeSet<&str> =
        trials.iter().flat_map(|trial| kinds::sets_of_images(&trial.run.config)).collect();
    // What no package carries comes last in the alphabet and is the harder to get: it is said first.
    sets.into_iter().rev().try_for_each(set_is_there)?;
    trials.iter().try_for_each(known_map_is_there)?;
    trials.iter().try_for_each(funnels_are_there)?;
    let images: BTreeSet<&str> =
        trials.iter().filter_map(|trial| Some(trial.run.config.data().images()?.name())).collect();
    images.into_iter().try_for_each(classifier_is_there)?;
    trials.iter().try_for_each(cells_are_there)?;
    let Campaign { preset, out, .. } = &plan.campaign;
    let _lock = plan.campaign.claim(experiment.name)?;
    if plan.campaign.preset != "full" && plan.rows.is_empty() {
        for family in experiment.beyond_quick {
            say::note!("the rows {family} are left out of smoke and quick: --rows {family}/ makes them");
        }
    }
    for trial in &trials {
        make(trial.run.file.parent().unwrap_or(out))?;
        write_whole(&trial.run.file, |file| file.write_all(trial.row.text.as_bytes()))?;
    }
    let open = plan.campaign.open(trials.iter().map(|trial| &trial.run));
    if preset != "smoke" {
        tell_estimate(&open, &plan.campaign)?;
    }
    plan.campaign.run(&open)?;
    if interruption::ending().is_some() {
        return Ok(None);
    }
    interruption::advise(Some(
        "interrupted: the runs are kept; go on with the same command and --resume".into(),
    ));
    trials.extend(kept(experiment, plan, &trials)?);
    let mut rows = Vec::new();
    let measured = plan.campaign.kept()?;
    for trial in first_of_targets(&trials) {
        rows.extend(references::references(trial, plan, &measured)?);
    }
    for Trial { row, run } in &trials {
        rows.push(Row { family: row.family.into(), ..run.row(row.stem, out)? });
    }
    let protocol = trials.first().map_or(Protocol::FULL, |trial| protocol(&trial.run.config, preset));
    let floors = campaign::floors(trials.iter().map(|trial| &trial.run), &plan.campaign)?;
    campaign::tell_times_to_floors(&mut rows, &floors, out)?;
    let mut results = Results::new(experiment.name.into(), preset.clone(), protocol, rows, floors);
    // The table follows the catalogue, not the order of the work.
    let settings = experiment.rows();
    let place = |row: &Row| {
        let stem = format!("{}-{}d-{}", row.dataset, row.dim, row.method);
        let same = |entry: &Setting| entry.stem == stem || entry.stem == row.method;
        settings.iter().position(|entry| entry.family == row.family && same(entry))
    };
    results.rows.sort_by_key(|row| (place(row), row.seed));
    write_json(&out.join(RESULTS_FILE), &results)?;
    let table = write_table(experiment, &results, out)?;
    report(out, &results)?;
    Ok(Some(table))
}

/// Writes the report of an experiment from its folder.
pub(crate) fn report(folder: &Path, results: &Results) -> Result<PathBuf> {
    let experiment = find(&results.experiment)?;
    let manifest = Manifest::read(folder)?;
    let tables = comparison(results, &experiment.in_print()?, experiment.tables);
    let page = page::experiment(
        folder,
        &experiment.title_of(results),
        results,
        (tables, experiment.differences()?),
        experiment.curves,
        &manifest,
    )?;
    let path = folder.join(REPORT_FILE);
    let html = page.to_html()?;
    write_whole(&path, |file| file.write_all(html.as_bytes()))?;
    Ok(path)
}

fn trials(experiment: &Experiment, plan: &Plan) -> Result<Vec<Trial>> {
    let all = experiment.rows();
    plan.seeds.fit(all.len() as u128)?;
    let mut trials = Vec::new();
    let mut wanted = Vec::new();
    let mut texts: Vec<&str> = plan.rows.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        texts.push(&plan.rows);
    }
    for text in texts {
        wanted.extend(rows_of(experiment, &all, text, &plan.campaign.preset)?);
    }
    for row in all.into_iter().filter(|row| wanted.iter().any(|wanted| std::ptr::eq(*wanted, *row))) {
        for seed in plan.seeds.iter() {
            trials.push(trial(experiment, plan, row, seed)?);
        }
    }
    // What takes long is started first.
    trials.sort_by_key(|trial| std::cmp::Reverse(trial.run.work()));
    Ok(trials)
}

/// The rows that have this word in their name, or if none has, this text.
fn rows_of(
    experiment: &Experiment,
    all: &[&'static Setting],
    text: &str,
    preset: &str,
) -> Result<Vec<&'static Setting>> {
    let name = |row: &Setting| format!("{}/{}", row.family, row.stem);
    // `2d` is asked for by those who want 2 dimensions, not 12.
    let is_word = |row: &Setting| name(row).split(['/', '-']).any(|word| word == text);
    let with_word = all.iter().any(|row| is_word(row));
    let is_told = |row: &Setting| if with_word { is_word(row) } else { name(row).contains(text) };
    let named = !text.is_empty() || preset == "full";
    let is_wanted =
        |row: &&Setting| is_told(row) && (named || !experiment.beyond_quick.contains(&row.family));
    let rows: Vec<_> = all.iter().copied().filter(is_wanted).collect();
    if rows.is_empty() {
        let names: Vec<String> = all.iter().map(|row| name(row)).collect();
        bail!("no row of {} contains `{text}`: there are {}", experiment.name, names.join(", "));
    }
    Ok(rows)
}

fn trial(experiment: &Experiment, plan: &Plan, row: &'static Setting, seed: u64) -> Result<Trial> {
    let origin = format!("configs/{}/{}/{}.toml", experiment.name, row.family, row.stem);
    let mut changes = vec![format!("seed={seed}")];
    if plan.usps_resampled {
        changes.extend(stand_ins(row)?);
    }
    let Campaign { preset, out, .. } = &plan.campaign;
    let config = Config::parse(row.text, &origin, Some(preset), &changes)?;
    let (family, stem) = (row.family, row.stem);
    let run = campaign::Trial {
        label: format!("{family} {stem} seed {seed}"),
        file: out.join(format!("configs/{family}/{stem}.toml")),
        changes,
        config,
        folder: format!("runs/{family}/{stem}-s{seed}"),
        log: format!("logs/{family}-{stem}-s{seed}.log"),
    };
    Ok(Trial { row, run })
}

/// Finished runs that the folder has beside those of the plan: other rows, or other seeds of them.
fn kept(experiment: &Experiment, plan: &Plan, trials: &[Trial]) -> Result<Vec<Trial>> {
    let planned = || trials.iter().map(|trial| &trial.run);
    let mut kept = Vec::new();
    for row in experiment.rows() {
        let folder = plan.campaign.out.join("runs").join(row.family);
        for seed in seeds::begun(&folder, &format!("{}-s", row.stem)) {
            let found = trial(experiment, plan, row, seed)?;
            if plan.campaign.keeps(&found.run, planned()) {
                kept.push(found);
            }
        }
    }
    Ok(kept)
}

/// How long each row is tried for an estimate.
const TRIED: Duration = Duration::from_millis(300);

/// Says before a long reproduction how long about its trainings take, by trying each row for a moment.
fn tell_estimate(open: &[&campaign::Trial], campaign: &Campaign) -> Result<()> {
    // A row has one configuration file for all its seeds.
    let mut rates: BTreeMap<&Path, f64> = BTreeMap::new();
    let progress = Progress::new("estimating");
    let mut seconds = 0.0;
    for trial in open {
        let rate = match rates.get(trial.file.as_path()) {
            Some(rate) => *rate,
            // The start of a training on images, a Gaussian map of all pixels, takes longer than an estimate is worth.
            None if trial.config.data().images().is_some() => 0.0,
            None => {
                progress.stage(format!("{} for a moment", trial.label));
                seconds_per_iteration(&trial.config, TRIED)?.unwrap_or(0.0)
            }
        };
        rates.insert(&trial.file, rate);
        seconds += rate * trial.config.training().iterations as f64;
    }
    drop(progress);
    let side_by_side = campaign.side_by_side.get().min(open.len()).max(1);
    if seconds > 0.0 {
        say::note!(
            "{} runs, {side_by_side} side by side: about {} of training as busy as this machine is now; what is measured \
             comes on top",
            open.len(),
            duration(seconds / side_by_side as f64)
        );
    }
    Ok(())
}

/// Says before any training that the files of a known map are missing, and which rows need none.
fn known_map_is_there(trial: &Trial) -> Result<()> {
    let Some((map, dim)) = trial.run.config.data().known_map() else { return Ok(()) };
    if map.files(dim, &data_sets()).iter().all(|file| file.is_file()) {
        return Ok(());
    }
    map.pair(dim, &data_sets()).map(|_| ()).with_context(|| {
        format!("{} cannot be trained (--rows known takes the rows that need no file)", trial.row.stem)
    })
}

/// Says before any training that the file of funnels is missing, and which rows need none.
fn funnels_are_there(trial: &Trial) -> Result<()> {
    let Some((set, count, dim)) = trial.run.config.data().funnels() else { return Ok(()) };
    if set.file(count, dim, &data_sets()).is_none_or(|file| file.is_file()) {
        return Ok(());
    }
    set.funnels(count, dim, &data_sets()).map(|_| ()).with_context(|| {
        format!("{} cannot be trained (--rows known takes the rows that need no file)", trial.row.stem)
    })
}

fn cells_are_there(trial: &Trial) -> Result<()> {
    let Some((day, components)) = trial.run.config.data().cells() else { return Ok(()) };
    if cells_files(&data_sets()).iter().all(|file| file.is_file()) {
        return Ok(());
    }
    cells(&data_sets(), day, components).map(|_| ()).context("the snapshots of cells are not there")
}

/// The first row of each target in each family.
fn first_of_targets(trials: &[Trial]) -> Vec<&Trial> {
    let mut first: Vec<&Trial> = Vec::new();
    for trial in trials {
        let same = |known: &&Trial| {
            let (a, b) = (&known.run.config, &trial.run.config);
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

fn write_table(experiment: &Experiment, results: &Results, out: &Path) -> Result<String> {
    let mut text = format!(
        "# {}\n\nPreset `{}`. A row is a configuration in `configs`; its run is in `runs`.\n",
        experiment.title_of(results),
        results.preset
    );
    let tables = comparison(results, &experiment.in_print()?, experiment.tables);
    for table in &tables {
        let _ = write!(text, "\n{}", table.to_markdown());
    }
    write_whole(out.join(TABLE_FILE), |file| file.write_all(text.as_bytes()))?;
    if let Some(width) = screen::width() {
        text.clear();
        for table in &tables {
            let _ = writeln!(text, "{}", table.to_text(width, KEYS));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{Plan, find, trials};
    use crate::campaign::Campaign;
    use flows::device::Device;
    use std::num::NonZeroUsize;

    /// The families of the runs, each once.
    fn families(preset: &str, rows: &str) -> Vec<&'static str> {
        let campaign = Campaign {
            preset: preset.into(),
            side_by_side: NonZeroUsize::MIN,
            device: Device::Cpu,
            out: "out".into(),
            resume: false,
            observe: Vec::new(),
        };
        let plan = Plan { campaign, rows: rows.into(), seeds: "1".parse().unwrap(), usps_resampled: false };
        let trials = trials(find("table1").unwrap(), &plan).unwrap();
        let mut families: Vec<_> = trials.iter().map(|trial| trial.row.family).collect();
        families.sort_unstable();
        families.dedup();
        families
    }

    #[test]
    fn a_first_impression_leaves_the_rivals_out_unless_rows_are_named() {
        assert_eq!(families("quick", ""), ["explicit", "published", "tuned"]);
        assert_eq!(families("smoke", ""), ["explicit", "published", "tuned"]);
        assert_eq!(families("full", ""), ["explicit", "hopf-lax", "published", "rivals", "tuned"]);
        assert_eq!(families("quick", "rivals/"), ["rivals"]);
        assert_eq!(families("quick", "hopf-lax/"), ["hopf-lax"]);
        assert!(families("quick", "pinwheel-7d").contains(&"rivals"));
        assert_eq!(families("quick", "rivals/, hopf-lax/"), ["hopf-lax", "rivals"]);
        assert_eq!(families("quick", "rivals/,"), ["rivals"]);
    }
}
