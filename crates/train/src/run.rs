//! The run folder: start, resume, finish.
//!
//! | file | what |
//! | --- | --- |
//! | config.toml | the merged configuration |
//! | manifest.json | where the run came from: version, revision, device, threads, data digests |
//! | metrics.jsonl | one record every `training.log_every` iterations |
//! | checkpoints/NNNNNNNNN.safetensors | the whole state; the newest three are kept |
//! | outcome.json | how the run ended, written last |

use crate::TrainError;
use crate::checkpoint;
use crate::config::{Configuration, Length};
use crate::observe::{JsonLines, Observer, Record, Terminal};
use crate::training::{Readings, StepError, Training};
use flows::device::Device;
use metrics::Metric;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Name of the merged configuration in a run folder.
pub const CONFIG_FILE: &str = "config.toml";
/// Name of the records in a run folder.
pub const METRICS_FILE: &str = "metrics.jsonl";
/// Name of the provenance in a run folder.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Name of the ending in a run folder.
pub const OUTCOME_FILE: &str = "outcome.json";
const CHECKPOINTS: &str = "checkpoints";
/// Older checkpoints are deleted once a newer one is on disk.
const KEPT_CHECKPOINTS: usize = 3;

/// Where and how to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The run folder.
    pub out: PathBuf,
    /// Continue the run of that folder.
    pub resume: bool,
    /// Where the arithmetic runs.
    pub device: Device,
    /// Whether to show a progress bar (only ever on a terminal).
    pub progress: bool,
    /// What manifest.json says, from the program that runs.
    pub manifest: serde_json::Value,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Why it ended.
    pub status: Status,
    /// Iterations done.
    pub iterations: u64,
    /// Wall-clock seconds of all iterations, without measurements.
    pub seconds: f64,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Status {
    /// All iterations were done.
    Completed,
    /// The indicators stayed below `training.stop_when`.
    Stopped {
        /// Which, and for how long.
        reason: String,
    },
    /// A loss or a gradient was not finite.
    Diverged {
        /// The iteration that could not be done.
        step: u64,
        /// What was not finite.
        reason: String,
    },
}

/// Values that the caller adds to each record of a run.
pub type Measured = Result<Vec<(&'static Metric, f64)>, Box<dyn std::error::Error + Send + Sync>>;

/// Trains in a run folder, from the start or from its newest checkpoint.
///
/// The same configuration and seed give the same records and parameters, resumed or not.
///
/// # Errors
/// [`TrainError::Occupied`] when the folder holds anything and `resume` is not set;
/// [`TrainError::OtherConfiguration`] when it is and the configuration differs; data, device and file errors.
pub fn train<C: Configuration>(config: &C, options: &Options) -> Result<Outcome, TrainError> {
    train_measured(config, options, &mut |_| Ok(Vec::new()))
}

/// [`train`] with measurements of the caller's at every record; their time is not counted.
///
/// # Errors
/// As [`train`], and [`TrainError::Measurement`] for what `measure` reports.
pub fn train_measured<C: Configuration>(
    config: &C,
    options: &Options,
    measure: &mut dyn FnMut(&C::Training) -> Measured,
) -> Result<Outcome, TrainError> {
    config.validate()?;
    let folder = &options.out;
    let begun = claim(config, options)?;
    let mut training = config.begin(options.device)?;
    let mut seconds = 0.0;
    if !begun {
        create(&folder.join(CHECKPOINTS))?;
        write_json(&folder.join(MANIFEST_FILE), &options.manifest)?;
        let text = config.to_toml()?;
        datasets::write_whole(folder.join(CONFIG_FILE), |file| file.write_all(text.as_bytes()))?;
    } else if let Some(path) = newest_checkpoint(folder)? {
        seconds = checkpoint::restore(&mut training, &path)?;
    }
    let mut observers: Vec<Box<dyn Observer>> =
        vec![Box::new(JsonLines::open(&folder.join(METRICS_FILE), training.iteration())?)];
    if options.progress {
        let iterations = config.length().iterations;
        observers.push(Box::new(Terminal::new(config.name(), iterations, training.iteration())));
    }
    let mut run = Run { length: config.length(), folder, training, seconds, observers };
    let status = run.iterate(measure)?;
    let outcome = Outcome { status, iterations: run.training.iteration(), seconds: run.seconds };
    run.save()?;
    drop(run);
    write_json(&folder.join(OUTCOME_FILE), &outcome)?;
    Ok(outcome)
}

/// A training on its way.
struct Run<'a, T> {
    length: Length,
    folder: &'a Path,
    training: T,
    /// Of all iterations so far.
    seconds: f64,
    observers: Vec<Box<dyn Observer>>,
}

impl<T: Training> Run<'_, T> {
    fn iterate(&mut self, measure: &mut dyn FnMut(&T) -> Measured) -> Result<Status, TrainError> {
        let length = self.length;
        while self.training.iteration() < length.iterations {
            let begun = Instant::now();
            match self.training.step() {
                Ok(()) => self.seconds += begun.elapsed().as_secs_f64(),
                Err(StepError::Diverged(reason)) => {
                    return Ok(Status::Diverged { step: self.training.iteration(), reason });
                }
                Err(StepError::Failed(error)) => return Err(error),
            }
            let step = self.training.iteration();
            self.observers.iter_mut().for_each(|o| o.tick(step));
            if step.is_multiple_of(length.log_every) || step == length.iterations {
                let Readings { mut values, headline, stop } = self.training.readings()?;
                values.extend(measure(&self.training).map_err(TrainError::Measurement)?);
                let record = Record { step, seconds: self.seconds, values, headline };
                self.observers.iter_mut().try_for_each(|o| o.record(&record))?;
                if let Some(reason) = stop {
                    return Ok(Status::Stopped { reason });
                }
            }
            if step.is_multiple_of(length.checkpoint_every) {
                self.save()?;
            }
        }
        Ok(Status::Completed)
    }

    fn save(&self) -> Result<(), TrainError> {
        let name = format!("{:09}.safetensors", self.training.iteration());
        checkpoint::save(&self.training, self.seconds, &self.folder.join(CHECKPOINTS).join(name))?;
        let mut all = checkpoints(self.folder)?;
        all.truncate(all.len().saturating_sub(KEPT_CHECKPOINTS));
        for path in all {
            fs::remove_file(&path).map_err(|source| TrainError::Io { path, source })?;
        }
        Ok(())
    }
}

/// Checks that the folder may be used; true when it holds a run to continue.
fn claim<C: Configuration>(config: &C, options: &Options) -> Result<bool, TrainError> {
    let folder = &options.out;
    let stored = folder.join(CONFIG_FILE);
    if stored.is_file() {
        if !options.resume {
            return Err(TrainError::Occupied { path: folder.clone() });
        }
        if C::load(&stored, None, &[])? != *config {
            return Err(TrainError::OtherConfiguration { path: folder.clone() });
        }
        return Ok(true);
    }
    create(folder)?;
    let mut entries =
        fs::read_dir(folder).map_err(|source| TrainError::Io { path: folder.clone(), source })?;
    // A run that was cut off before its configuration was written left at most these.
    let foreign = entries
        .any(|entry| entry.is_ok_and(|e| e.file_name() != CHECKPOINTS && e.file_name() != MANIFEST_FILE));
    if foreign { Err(TrainError::Occupied { path: folder.clone() }) } else { Ok(false) }
}

/// Path of the newest checkpoint of a run folder.
///
/// # Errors
/// [`TrainError::Io`] when the folder cannot be read.
pub fn newest_checkpoint(folder: &Path) -> Result<Option<PathBuf>, TrainError> {
    Ok(checkpoints(folder)?.pop())
}

fn checkpoints(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let folder = folder.join(CHECKPOINTS);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&folder).map_err(|source| TrainError::Io { path: folder.clone(), source })?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    // Names are zero-padded, so their order is that of the iterations.
    paths.sort();
    Ok(paths)
}

fn create(folder: &Path) -> Result<(), TrainError> {
    fs::create_dir_all(folder).map_err(|source| TrainError::Io { path: folder.into(), source })
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| TrainError::Io { path: path.into(), source: std::io::Error::other(e) })?;
    datasets::write_whole(path, |file| writeln!(file, "{text}"))?;
    Ok(())
}
