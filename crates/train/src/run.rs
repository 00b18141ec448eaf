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
use crate::adversarial::{StepError, Trainer};
use crate::checkpoint;
use crate::config::{Config, StopWhen};
use crate::observe::{JsonLines, Monitor, Observer, Record, Terminal};
use crate::source::Source;
use flows::device::Device;
use mfg::Indicators;
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
    /// Wall-clock seconds since it was started or resumed.
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

/// Trains a flow in a run folder, from the start or from its newest checkpoint.
///
/// The same configuration and seed give the same records and parameters, resumed or not.
///
/// # Errors
/// [`TrainError::Occupied`] when the folder holds anything and `resume` is not set;
/// [`TrainError::OtherConfiguration`] when it is and the configuration differs; data, device and file errors.
pub fn train(config: &Config, options: &Options) -> Result<Outcome, TrainError> {
    config.validate()?;
    let folder = &options.out;
    let begun = claim(config, options)?;
    let source = Source::new(config)?;
    let mut trainer = Trainer::new(config, source, options.device)?;
    if !begun {
        create(&folder.join(CHECKPOINTS))?;
        write_json(&folder.join(MANIFEST_FILE), &options.manifest)?;
        let text = config.to_toml()?;
        datasets::write_whole(folder.join(CONFIG_FILE), |file| file.write_all(text.as_bytes()))?;
    } else if let Some(path) = newest_checkpoint(folder)? {
        checkpoint::restore(&mut trainer, &path)?;
    }
    let mut observers: Vec<Box<dyn Observer>> =
        vec![Box::new(JsonLines::open(&folder.join(METRICS_FILE), trainer.iteration)?)];
    if options.progress {
        observers.push(Box::new(Terminal::new(&config.name, config.training.iterations, trainer.iteration)));
    }
    let outcome = iterate(config, folder, &mut trainer, &mut observers)?;
    drop(observers);
    save(&trainer, folder)?;
    write_json(&folder.join(OUTCOME_FILE), &outcome)?;
    Ok(outcome)
}

fn iterate(
    config: &Config,
    folder: &Path,
    trainer: &mut Trainer,
    observers: &mut [Box<dyn Observer>],
) -> Result<Outcome, TrainError> {
    let started = Instant::now();
    let monitor = Monitor::new(config, trainer.source().dim())?;
    let training = &config.training;
    let mut patience = Patience { limits: training.stop_when, records: 0 };
    let mut status = Status::Completed;
    while trainer.iteration < training.iterations {
        let progress = trainer.iteration as f64 / training.iterations as f64;
        let report = match trainer.step() {
            Ok(report) => report,
            Err(StepError::Diverged(reason)) => {
                status = Status::Diverged { step: trainer.iteration, reason };
                break;
            }
            Err(StepError::Failed(error)) => return Err(error),
        };
        let step = trainer.iteration;
        observers.iter_mut().for_each(|o| o.tick(step));
        if step.is_multiple_of(training.log_every) || step == training.iterations {
            let record = Record {
                step,
                seconds: started.elapsed().as_secs_f64(),
                report,
                indicators: monitor.measure(trainer)?,
                learning_rates: (training.flow.rate(progress), training.critic.rate(progress)),
            };
            observers.iter_mut().try_for_each(|o| o.record(&record))?;
            if let Some(reason) = patience.satisfied(record.indicators.as_ref()) {
                status = Status::Stopped { reason };
                break;
            }
        }
        if step.is_multiple_of(training.checkpoint_every) {
            save(trainer, folder)?;
        }
    }
    Ok(Outcome { status, iterations: trainer.iteration, seconds: started.elapsed().as_secs_f64() })
}

/// Counts the records in a row that met the stopping limits.
struct Patience {
    limits: Option<StopWhen>,
    records: usize,
}

impl Patience {
    fn satisfied(&mut self, indicators: Option<&Indicators>) -> Option<String> {
        let limits = self.limits?;
        let below = |limit: Option<f64>, value: Option<f64>| {
            limit.is_none_or(|limit| value.is_some_and(|v| v <= limit))
        };
        let met = indicators.is_some_and(|i| {
            below(limits.hj_residual_relative, i.hj_residual_relative)
                && below(limits.terminal_gradient_relative, i.terminal_gradient_relative)
                && below(limits.path_ratio, i.path_ratio)
        });
        self.records = if met { self.records + 1 } else { 0 };
        (self.records >= limits.records).then(|| {
            format!("the indicators of training.stop_when held for {} records in a row", limits.records)
        })
    }
}

/// Checks that the folder may be used; true when it holds a run to continue.
fn claim(config: &Config, options: &Options) -> Result<bool, TrainError> {
    let folder = &options.out;
    let stored = folder.join(CONFIG_FILE);
    if stored.is_file() {
        if !options.resume {
            return Err(TrainError::Occupied { path: folder.clone() });
        }
        if Config::load(&stored, None, &[])? != *config {
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

fn save(trainer: &Trainer, folder: &Path) -> Result<(), TrainError> {
    let name = format!("{:09}.safetensors", trainer.iteration);
    checkpoint::save(trainer, &folder.join(CHECKPOINTS).join(name))?;
    let mut all = checkpoints(folder)?;
    all.truncate(all.len().saturating_sub(KEPT_CHECKPOINTS));
    for path in all {
        fs::remove_file(&path).map_err(|source| TrainError::Io { path, source })?;
    }
    Ok(())
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
