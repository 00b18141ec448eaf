//! A run of the program: training, then measurement, samples, results and report.

use crate::kinds::{data_sets, dataset, inputs, protocol};
use crate::manifest::Manifest;
use crate::monitor::Monitor;
use crate::progress::Progress;
use crate::run_folder::{PATHS_PICTURE, REPORT_FILE, RESULTS_FILE, outcome, results, write_json};
use crate::{page, samples};
use anyhow::Result;
use datasets::write_whole;
use eval::results::{Floor, Protocol, Results, Row, Status, Verdict};
use eval::sampling;
use flows::device::Device;
use flows::record::RecordError;
use measure::{MeasureError, Measurement, Records, Tell};
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
/// The most of the time of a training that its readings may take, where no table is made of them.
const READING_SHARE: f64 = 0.05;

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
    results.rows.iter().for_each(say);
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
    let mut run = Run::new(config.clone()).out(folder).resume(resume).device(device).data_sets(data_sets());
    // The milestones of a table are read off the records: those of its rows have no gaps.
    if manifest.with_floor {
        run = run.reading_share(READING_SHARE);
    }
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
    let progress = Progress::new("measuring");
    let (mut measured, mut units) = (None, Units::Same);
    if status == Status::Ok {
        let model = Model::load_with(folder, &data_sets())?;
        units = model.units().clone();
        match measure::model(&model, &inputs(), protocol, &|stage| progress.stage(stage)) {
            Ok(measurement) => {
                measured = Some(measurement);
                progress.stage("the paths of some particles");
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
    let tell = |stage: &str| progress.stage(format!("{stage}, of points of the target for the floor"));
    let floors = if manifest.with_floor { floors(config, protocol, &tell)? } else { Vec::new() };
    let verdict = measured.as_ref().zip(floors.first()).and_then(|(found, floor)| judge(found, floor));
    let records = Records::read(folder)?;
    say_cost(&records, outcome.seconds);
    let mut metrics = measured.map(|measurement| measurement.metrics).unwrap_or_default();
    if matches!(config, Config::Generator(_)) {
        metrics.extend(records.milestones());
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
        reading_seconds: records.reading_seconds(),
        metrics,
        verdict,
    };
    let results = Results::new(config.name().into(), manifest.preset.clone(), protocol, vec![row], floors);
    write_json(&folder.join(RESULTS_FILE), &results)?;
    Ok(results)
}

/// The verdict on a measurement, with what has to be known of the floor.
fn judge(measurement: &Measurement, floor: &Floor) -> Option<Verdict> {
    let layout = measurement.layout;
    let verdict = Verdict::new(&measurement.metrics, &floor.metrics, layout)?;
    let squared = |w2: f64| w2 * w2;
    let of_floor =
        floor.metrics.get(metrics::W2_SQUARED).or_else(|| floor.metrics.get(metrics::W2).map(squared));
    let caveat = of_floor.and_then(|w2_squared| {
        let spread = sampling::mean_squared_distance(measurement.target.view());
        sampling::caveat(layout.points, floor.dim, w2_squared, spread)
    });
    Some(Verdict { caveat, ..verdict })
}

/// Says what the readings of a training have cost, where that is much.
fn say_cost(records: &Records, seconds: f64) {
    let (read, without) = (records.reading_seconds(), records.without_readings());
    let left_out = match without {
        0 => String::new(),
        _ => format!("; {without} records are without readings, so that they take about 5 % of the time"),
    };
    if read >= 1.0 || without > 0 {
        println!(
            "readings during the training took {read:.1} s beside {seconds:.1} s of iterations{left_out}"
        );
    }
}

/// Says how a run is judged.
fn say(row: &Row) {
    if let Some(verdict) = &row.verdict {
        println!("{}", verdict.words);
        verdict.caveat.iter().for_each(|caveat| println!("note: {caveat}"));
    }
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
pub(crate) fn floors(config: &Config, protocol: Protocol, tell: Tell<'_>) -> Result<Vec<Floor>> {
    Ok(measure::floor(config, &inputs(), &dataset(config), protocol, tell)?)
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
