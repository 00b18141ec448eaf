//! A run of the program: training, then measurement, samples, results and report.

use crate::kinds::{data_sets, dataset, inputs, protocol};
use crate::manifest::Manifest;
use crate::monitor::Monitor;
use crate::run_folder::{PATHS_PICTURE, REPORT_FILE, RESULTS_FILE, outcome, results, write_json};
use crate::{page, samples};
use anyhow::Result;
use datasets::write_whole;
use eval::results::{Floor, Protocol, Results, Row, Status};
use flows::device::Device;
use flows::record::RecordError;
use measure::{MeasureError, Records};
use std::path::{Path, PathBuf};
use train::config::{Config, Configuration};
use train::model::FlowModel;
use train::observe::Terminal;
use train::outcome::{self, Outcome};
use train::run::{OUTCOME_FILE, Run, stored_config};
use train::source::Units;
use train::{Model, TrainError};

/// Particles whose paths are drawn.
const DRAWN_PATHS: usize = 400;
/// Most steps of a drawn path.
const DRAWN_STEPS: usize = 16;

/// Trains in a folder, measures the flow and writes samples, results and report; what is already done is not repeated.
pub(crate) fn train(
    config: &Config,
    folder: &Path,
    resume: bool,
    device: Device,
    manifest: &Manifest,
) -> Result<Status> {
    let trained = resume && folder.join(OUTCOME_FILE).is_file() && stored_config(folder)? == *config;
    if trained && folder.join(RESULTS_FILE).is_file() {
        let results = results(folder)?;
        if results.protocol == protocol(config, &manifest.preset) {
            return Ok(ending(&results));
        }
    }
    let outcome = if trained {
        outcome(folder)?
    } else {
        match config {
            Config::Flow(config) => {
                begin(config.as_ref(), folder, resume, device, manifest)?.train()?.outcome
            }
            Config::Generator(config) => {
                let mut monitor = Monitor::new(config, folder)?;
                let run = begin(config.as_ref(), folder, resume, device, manifest)?;
                run.measure(|training| monitor.measure(training)).train()?.outcome
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

fn begin<'a, C: Configuration>(
    config: &C,
    folder: &Path,
    resume: bool,
    device: Device,
    manifest: &Manifest,
) -> Result<Run<'a, C>> {
    let run = Run::new(config.clone()).out(folder).resume(resume).device(device).data_sets(data_sets());
    Ok(run.provenance(manifest.facts()?).observer(Terminal::default()))
}

/// Measures what a training has ended with, and writes samples and results.
fn finish(config: &Config, folder: &Path, outcome: &Outcome, manifest: &Manifest) -> Result<Results> {
    let protocol = protocol(config, &manifest.preset);
    let mut status = match &outcome.status {
        outcome::Status::Completed | outcome::Status::Stopped(_) => Status::Ok,
        outcome::Status::Diverged { step, reason } => {
            Status::Diverged { step: *step, reason: reason.clone() }
        }
    };
    let (mut measured, mut units) = (None, Units::Same);
    if status == Status::Ok {
        let model = Model::load_with(folder, &data_sets())?;
        units = model.units().clone();
        match measure::model(&model, &inputs(), protocol) {
            Ok(measurement) => {
                measured = Some(measurement);
                if let Model::Flow(model) = &model {
                    write_paths(model, folder)?;
                }
            }
            Err(MeasureError::NotFinite(reason)) => {
                status = Status::Diverged { step: outcome.iterations, reason };
            }
            Err(error) => return Err(anyhow::Error::new(error).context("the run cannot be measured")),
        }
    }
    let dataset = dataset(config);
    let dim = dimension(config)?;
    let samples =
        measured.as_ref().map(|measurement| samples::write(folder, measurement, &units)).transpose()?;
    let floors = if manifest.with_floor { floors(config, protocol)? } else { Vec::new() };
    let mut metrics = measured.map(|measurement| measurement.metrics).unwrap_or_default();
    if matches!(config, Config::Generator(_)) {
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

/// Writes the ways of some particles; none where they lead out of the finite numbers.
fn write_paths(model: &FlowModel, folder: &Path) -> Result<()> {
    let start = model.initial(DRAWN_PATHS, model.config.seed)?;
    match model.trajectory(start.view(), model.config.sampling.steps.min(DRAWN_STEPS)) {
        Ok(trajectory) => samples::write_paths(folder, &trajectory.parts().positions, &model.units),
        Err(TrainError::Record(RecordError::Trajectory(_))) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Writes the report of a run folder from its files, and its paths as a picture of their own.
pub(crate) fn report(folder: &Path) -> Result<PathBuf> {
    let results = results(folder)?;
    if let Some(paths) = page::paths(folder, &results)? {
        let picture = paths.draw()?.to_document();
        write_whole(folder.join(PATHS_PICTURE), |file| file.write_all(picture.as_bytes()))?;
    }
    let path = folder.join(REPORT_FILE);
    let html = page::run(folder, &results)?.to_html()?;
    write_whole(&path, |file| file.write_all(html.as_bytes()))?;
    Ok(path)
}

/// The same measures between two independent samples of the target of a run.
pub(crate) fn floors(config: &Config, protocol: Protocol) -> Result<Vec<Floor>> {
    Ok(measure::floor(config, &inputs(), &dataset(config), protocol)?)
}

/// The dimension of the target.
fn dimension(config: &Config) -> Result<usize, TrainError> {
    Ok(match config {
        Config::Flow(config) => inputs().data(config.as_ref())?,
        Config::Generator(config) => inputs().data(config.as_ref())?,
    }
    .dim())
}

fn ending(results: &Results) -> Status {
    results.rows.first().map_or(Status::Ok, |row| row.status.clone())
}
