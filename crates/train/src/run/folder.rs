//! The run folder.
//!
//! | file | what |
//! | --- | --- |
//! | config.toml | the merged configuration |
//! | manifest.json | the version of this format, and where the run came from |
//! | initial.npy | the initial points in the units of the training, where they come from a file or from memory |
//! | held-out.npy | rows of the user's own data that the training never sees, in the user's units |
//! | metrics.jsonl | one record every `training.log_every` iterations |
//! | checkpoints/NNNNNNNNN.safetensors | the whole state; the newest three are kept |
//! | outcome.json | how the run ended, written last |

use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::{Config, Configuration, Points};
use crate::outcome::Outcome;
use crate::source::Source;
use crate::training::Training;
use ndarray::Array2;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// Name of the merged configuration in a run folder.
pub const CONFIG_FILE: &str = "config.toml";
/// Name of the records in a run folder.
pub const METRICS_FILE: &str = "metrics.jsonl";
/// Name of the provenance in a run folder.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Name of the ending in a run folder.
pub const OUTCOME_FILE: &str = "outcome.json";
/// Name of the initial points in a run folder.
pub const INITIAL_FILE: &str = "initial.npy";
/// Name of the rows in a run folder that its training never sees.
pub const HELD_OUT_FILE: &str = "held-out.npy";
/// The version of the format of a run folder: of its configuration and of its checkpoints.
pub const FORMAT: u64 = 2;
/// The field of manifest.json with the version of the format.
const FORMAT_FIELD: &str = "schema_version";
const CHECKPOINTS: &str = "checkpoints";
/// Older checkpoints are deleted once a newer one is on disk.
const KEPT_CHECKPOINTS: usize = 3;

/// A folder that a run may use.
pub(super) struct Folder {
    path: PathBuf,
    /// Whether it holds the run already.
    begun: bool,
}

impl Folder {
    /// Checks that the folder may be used.
    pub(super) fn claim<C: Configuration>(
        config: &C,
        path: PathBuf,
        resume: bool,
    ) -> Result<Self, TrainError> {
        if path.join(CONFIG_FILE).is_file() {
            if !resume {
                return Err(TrainError::Occupied { path });
            }
            if stored::<C>(&path)? != *config {
                return Err(TrainError::OtherConfiguration { path });
            }
            return Ok(Self { path, begun: true });
        }
        if !path.exists() {
            return Ok(Self { path, begun: false });
        }
        let mut entries =
            fs::read_dir(&path).map_err(|source| TrainError::Io { path: path.clone(), source })?;
        // A run that was cut off before its configuration was written left at most these.
        let ours = [CHECKPOINTS, MANIFEST_FILE, INITIAL_FILE, HELD_OUT_FILE];
        let foreign = |name: std::ffi::OsString| !ours.iter().any(|ours| name == *ours);
        if entries.any(|entry| entry.is_ok_and(|entry| foreign(entry.file_name()))) {
            return Err(TrainError::Occupied { path });
        }
        Ok(Self { path, begun: false })
    }

    /// Writes what a run begins with, its configuration last; of a run to go on with, the checkpoint to go on from.
    pub(super) fn begin(
        &self,
        config: &impl Configuration,
        kept: &Kept,
        mut provenance: Map<String, Value>,
    ) -> Result<Option<PathBuf>, TrainError> {
        if self.begun {
            return newest_checkpoint(&self.path);
        }
        create(&self.path.join(CHECKPOINTS))?;
        provenance.insert(FORMAT_FIELD.into(), FORMAT.into());
        write_json(&self.path.join(MANIFEST_FILE), &provenance)?;
        if let Some(points) = &kept.initial {
            datasets::write_npy_f32(self.path.join(INITIAL_FILE), points)?;
        }
        if let Some(points) = &kept.held_out {
            datasets::write_npy_f64(self.path.join(HELD_OUT_FILE), points)?;
        }
        let text = config.to_toml()?;
        datasets::write_whole(self.path.join(CONFIG_FILE), |file| file.write_all(text.as_bytes()))?;
        Ok(None)
    }

    pub(super) fn metrics(&self) -> PathBuf {
        self.path.join(METRICS_FILE)
    }

    /// Writes the state of a training that has run for `seconds`, and forgets old ones.
    pub(super) fn save(&self, training: &impl Training, seconds: f64) -> Result<PathBuf, TrainError> {
        let name = format!("{:09}.safetensors", training.iteration());
        let path = self.path.join(CHECKPOINTS).join(name);
        let mut state = State::default();
        training.store(&mut state);
        state.counter("iteration", training.iteration());
        state.doubles("seconds", &[seconds]);
        state.write(&path)?;
        let mut all = checkpoints(&self.path)?;
        all.truncate(all.len().saturating_sub(KEPT_CHECKPOINTS));
        for path in all {
            fs::remove_file(&path).map_err(|source| TrainError::Io { path, source })?;
        }
        Ok(path)
    }

    pub(super) fn end(&self, outcome: &Outcome) -> Result<(), TrainError> {
        write_json(&self.path.join(OUTCOME_FILE), outcome)
    }
}

/// Reads a state back into a training of the same configuration; returns the seconds that it had run.
pub(super) fn restore(training: &mut impl Training, path: &Path) -> Result<f64, TrainError> {
    let stored = Stored::open(path)?;
    training.restore(&stored, stored.counter("iteration")?)?;
    Ok(stored.doubles("seconds")?.first().copied().unwrap_or_default())
}

/// The points that a run folder keeps.
pub(super) struct Kept {
    /// The initial points that a model could not draw again from its configuration alone.
    initial: Option<Array2<f32>>,
    /// The rows that the training never sees.
    pub(super) held_out: Option<Array2<f64>>,
}

impl Kept {
    pub(super) fn of(config: &impl Configuration, source: &Source) -> Self {
        let initial = match config.initial() {
            Points::File { .. } | Points::Array { .. } => source.initial.rows().cloned(),
            _ => None,
        };
        Self { initial, held_out: source.held_out.clone() }
    }
}

/// The configuration of a run folder, of either kind.
///
/// # Errors
/// [`TrainError::NoRun`] when the folder holds no run, [`TrainError::OtherVersion`] for one of another version, and
/// what reading the configuration reports.
pub fn stored_config(folder: &Path) -> Result<Config, TrainError> {
    of_this_version(folder)?;
    Ok(Config::load(&folder.join(CONFIG_FILE), None, &[])?)
}

/// [`stored_config`] of a known kind.
pub(crate) fn stored<C: Configuration>(folder: &Path) -> Result<C, TrainError> {
    of_this_version(folder)?;
    Ok(C::load(&folder.join(CONFIG_FILE), None, &[])?)
}

fn of_this_version(folder: &Path) -> Result<(), TrainError> {
    for name in [CONFIG_FILE, MANIFEST_FILE] {
        if !folder.join(name).is_file() {
            return Err(TrainError::NoRun { path: folder.into(), reason: format!("no {name}") });
        }
    }
    let path = folder.join(MANIFEST_FILE);
    let text = fs::read_to_string(&path).map_err(|source| TrainError::Io { path, source })?;
    let manifest: Value = serde_json::from_str(&text).unwrap_or_default();
    let found = manifest.get(FORMAT_FIELD).and_then(Value::as_u64).unwrap_or(1);
    if found == FORMAT {
        return Ok(());
    }
    let version = manifest.get("version").and_then(Value::as_str);
    let writer = version.map(|version| format!(" (by version {version})")).unwrap_or_default();
    Err(TrainError::OtherVersion { path: folder.into(), found, writer, read: FORMAT })
}

/// Path of the newest checkpoint of a run folder.
///
/// # Errors
/// [`TrainError::Io`] when the folder cannot be read.
pub fn newest_checkpoint(folder: &Path) -> Result<Option<PathBuf>, TrainError> {
    Ok(checkpoints(folder)?.pop())
}

/// The newest checkpoint of a run folder, open.
pub(crate) fn newest_state(folder: &Path) -> Result<Stored, TrainError> {
    let path = newest_checkpoint(folder)?
        .ok_or_else(|| TrainError::NoRun { path: folder.into(), reason: "no checkpoint yet".into() })?;
    Stored::open(&path)
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
