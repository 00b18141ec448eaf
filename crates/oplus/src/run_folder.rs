//! The run folder after the training: samples, results and report are added to what `train` wrote.

use crate::any_config::AnyConfig;
use crate::manifest::Manifest;
use crate::monitor::Monitor;
use crate::{page, samples};
use anyhow::{Context, Result, bail};
use datasets::write_whole;
use eval::results::{Floor, Protocol, Results, Row, Status};
use flows::device::Device;
use measure::{MeasureError, Measurement, Records, floor};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use train::model::Model;
use train::run::{self, CONFIG_FILE, OUTCOME_FILE, Outcome};
use train::source::Source;
use train::w2fe::{Draw, Model as GeneratorModel};

/// Name of the results in the folder of a run or of an experiment.
pub const RESULTS_FILE: &str = "results.json";
/// Name of the report in the folder of a run or of an experiment.
pub const REPORT_FILE: &str = "report.html";

/// Trains in a folder, measures the flow and writes samples, results and report; what is already done is not repeated.
pub fn train(
    config: &AnyConfig,
    folder: &Path,
    resume: bool,
    device: Device,
    manifest: &Manifest,
) -> Result<Status> {
    let trained = resume && folder.join(OUTCOME_FILE).is_file() && self::config(folder)? == *config;
    if trained && folder.join(RESULTS_FILE).is_file() {
        let results = results(folder)?;
        if results.protocol == config.protocol(&manifest.preset) {
            return Ok(ending(&results));
        }
    }
    let outcome = if trained {
        outcome(folder)?
    } else {
        let manifest = serde_json::to_value(manifest)?;
        let options = run::Options { out: folder.into(), resume, device, progress: true, manifest };
        match config {
            AnyConfig::Flow(config) => run::train(config.as_ref(), &options)?,
            AnyConfig::Generator(config) => {
                let mut monitor = Monitor::new(config, folder)?;
                run::train_measured(config.as_ref(), &options, &mut |run| monitor.measure(run))?
            }
        }
    };
    let results = finish(config, folder, &outcome, manifest)?;
    report(folder)?;
    let status = ending(&results);
    match &status {
        Status::Ok => println!("done: {}", folder.join(REPORT_FILE).display()),
        Status::Diverged { step, reason } => eprintln!(
            "diverged at iteration {step} ({reason}): {} holds the last finite state; lower the learning rates, or bound \
             the critic's slope",
            folder.display()
        ),
    }
    Ok(status)
}

/// Measures what a training has ended with, and writes samples and results.
fn finish(config: &AnyConfig, folder: &Path, outcome: &Outcome, manifest: &Manifest) -> Result<Results> {
    let protocol = config.protocol(&manifest.preset);
    let mut status = match &outcome.status {
        run::Status::Completed | run::Status::Stopped { .. } => Status::Ok,
        run::Status::Diverged { step, reason } => Status::Diverged { step: *step, reason: reason.clone() },
    };
    let mut measured = None;
    if status == Status::Ok {
        match trained(config, folder, protocol) {
            Ok(measurement) => measured = Some(measurement),
            Err(MeasureError::NotFinite(reason)) => {
                status = Status::Diverged { step: outcome.iterations, reason };
            }
            Err(error) => return Err(anyhow::Error::new(error).context("the run cannot be measured")),
        }
    }
    let dataset = config.dataset();
    let dim = dimension(config)?;
    let samples = measured.as_ref().map(|measurement| samples::write(folder, measurement)).transpose()?;
    let floors = if manifest.with_floor { floors(config, protocol)? } else { Vec::new() };
    let mut metrics = measured.map(|measurement| measurement.metrics).unwrap_or_default();
    if matches!(config, AnyConfig::Generator(_)) {
        metrics.extend(Records::read(folder)?.milestones());
        metrics.insert(metrics::SECONDS_PER_ITERATION, outcome.seconds / outcome.iterations as f64);
    }
    let row = Row {
        method: config.name().into(),
        family: String::new(),
        dataset,
        dim,
        seed: config.seed(),
        status,
        run: ".".into(),
        samples: samples.map(str::to_owned),
        iterations: outcome.iterations,
        seconds: outcome.seconds,
        metrics,
    };
    let results = Results::new(config.name().into(), manifest.preset.clone(), protocol, vec![row], floors);
    write_json(&folder.join(RESULTS_FILE), &results)?;
    Ok(results)
}

/// Writes the report of a run folder from its files.
pub fn report(folder: &Path) -> Result<PathBuf> {
    let path = folder.join(REPORT_FILE);
    let html = page::run(folder, &results(folder)?)?.to_html()?;
    write_whole(&path, |file| file.write_all(html.as_bytes()))?;
    Ok(path)
}

/// Measures what a run folder holds.
fn trained(config: &AnyConfig, folder: &Path, protocol: Protocol) -> Result<Measurement, MeasureError> {
    match config {
        AnyConfig::Flow(_) => measure::flow(&Model::load(folder)?, protocol),
        AnyConfig::Generator(_) => measure::generator(&GeneratorModel::load(folder)?, protocol),
    }
}

/// The same measures between two independent samples of the target of a run.
pub fn floors(config: &AnyConfig, protocol: Protocol) -> Result<Vec<Floor>> {
    let dataset = config.dataset();
    match config {
        AnyConfig::Flow(config) => Ok(vec![floor::of_flow(config, &dataset, protocol)?]),
        AnyConfig::Generator(config) => Ok(floor::of_generator(config, &dataset, protocol)?),
    }
}

/// The dimension of the target.
fn dimension(config: &AnyConfig) -> Result<usize> {
    Ok(match config {
        AnyConfig::Flow(config) => Source::new(config)?.dim(),
        AnyConfig::Generator(config) => Draw::new(&config.data)?.dim(),
    })
}

/// The configuration of a run folder.
pub fn config(folder: &Path) -> Result<AnyConfig> {
    let path = folder.join(CONFIG_FILE);
    if !path.is_file() {
        bail!("{} holds no run (no {CONFIG_FILE}): give the folder that `train` made", folder.display());
    }
    Ok(AnyConfig::load(&path, None, &[])?)
}

/// The results in the folder of a run or of an experiment.
pub fn results(folder: &Path) -> Result<Results> {
    read_json(&folder.join(RESULTS_FILE))
}

/// How the training in a run folder ended.
pub fn outcome(folder: &Path) -> Result<Outcome> {
    read_json(&folder.join(OUTCOME_FILE))
}

/// Writes a value as JSON, whole or not at all.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    Ok(write_whole(path, |file| writeln!(file, "{text}"))?)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| {
        format!("{} cannot be read: let the run finish with `oplus resume`", path.display())
    })?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not what this version writes: delete it and resume", path.display()))
}

fn ending(results: &Results) -> Status {
    results.rows.first().map_or(Status::Ok, |row| row.status.clone())
}
