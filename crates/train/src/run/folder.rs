//! The run folder.
//!
//! | file | what |
//! | --- | --- |
//! | config.toml | the merged configuration, under its digest |
//! | manifest.json | the version of this format, the digests of the data files, and where the run came from |
//! | initial.npy | the initial points in the units of the training, where they come from a file or from memory |
//! | initial/ | the run whose samples are the initial points: its newest checkpoint, and what else its model is loaded from |
//! | held-out.npy | rows of the user's own data that the training never sees, without their condition, in the user's units |
//! | held-out-conditions.npy | the conditions of these rows, as the user has written them |
//! | metrics.jsonl | one record every `training.log_every` iterations |
//! | metrics.csv | the same as a table, where it is asked for |
//! | events.out.tfevents.* | the same for TensorBoard, with pictures of samples, where it is asked for |
//! | metrics.superseded.jsonl | records of iterations that were made again after an interruption |
//! | checkpoints/N.safetensors | the whole state after N iterations, under its digest; the newest three are kept |
//! | checkpoints/N.safetensors.damaged | a checkpoint that was not what was written when the run went on |
//! | outcome.json | how the run ended, written last |
//! | .lock | locked by the process that works on the run |

use super::checkpoints::{self, CHECKPOINTS, newest_checkpoint, newest_state};
use super::lock::{LOCK_FILE, Lock};
use super::settings::{self, continues, manifest, stored, stored_config};
use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::{Configuration, Points};
use crate::observe::Notice;
use crate::outcome::Outcome;
use crate::source::{DataFile, Inputs, Source, data_files};
use crate::training::Training;
use datasets::PartialFolder;
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
/// Name of the run in a run folder whose samples are the initial points.
pub const INITIAL_RUN: &str = "initial";
/// Name of the rows in a run folder that its training never sees.
pub const HELD_OUT_FILE: &str = "held-out.npy";
/// Name of the conditions of these rows in a run folder.
pub const HELD_OUT_CONDITIONS_FILE: &str = "held-out-conditions.npy";
/// The version of the format of a run folder: of its configuration and of its checkpoints.
pub const FORMAT: u64 = 4;
/// The field of manifest.json with the version of the format.
pub(super) const FORMAT_FIELD: &str = "schema_version";
/// The field of manifest.json with the digests of the data files.
const DATA_FIELD: &str = "data_sha256";

/// Where the run lies whose samples are the initial points.
pub(super) enum Beginning {
    /// In the folder of the run that goes on.
    Kept(PathBuf),
    /// In a copy that is not in its place yet.
    Copied {
        copy: Option<PartialFolder>,
        /// The folder of the run, where it was made for the copy.
        parent: Option<PathBuf>,
    },
}

impl Beginning {
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Kept(path) => Some(path),
            Self::Copied { copy, .. } => copy.as_ref().map(PartialFolder::path),
        }
    }

    /// Puts a copy in its place.
    fn keep(mut self, place: &Path) -> Result<(), TrainError> {
        match &mut self {
            Self::Copied { copy: Some(_), .. } if place.exists() => {
                Err(TrainError::Occupied { path: place.into() })
            }
            Self::Copied { copy, .. } => Ok(copy.take().map_or(Ok(()), |copy| copy.finish(place))?),
            Self::Kept(_) => Ok(()),
        }
    }
}

impl Drop for Beginning {
    /// What never began leaves nothing behind.
    fn drop(&mut self) {
        if let Self::Copied { copy, parent } = self {
            drop(copy.take());
            // It stays where it holds anything.
            parent.iter().for_each(|parent| drop(fs::remove_dir(parent)));
        }
    }
}

/// A folder that a run may use, and the run that it holds already.
pub(super) struct Claim<C> {
    path: PathBuf,
    held: Option<(C, Lock)>,
}

/// The folder of a run on its way.
pub(super) struct Folder {
    path: PathBuf,
    pub(super) lock: Lock,
}

/// How a run begins in its folder.
pub(super) struct Begun {
    pub(super) folder: Folder,
    /// The state that it goes on from.
    pub(super) state: Option<Stored>,
    /// What its user should know.
    pub(super) notices: Vec<Notice>,
}

impl<C: Configuration> Claim<C> {
    /// Checks that the folder may be used.
    pub(super) fn new(config: &C, path: PathBuf, resume: bool) -> Result<Self, TrainError> {
        if path.join(CONFIG_FILE).is_file() {
            if !resume {
                return Err(TrainError::Occupied { path });
            }
            let lock = Lock::acquire(&path)?;
            let held = stored::<C>(&path)?;
            continues(&held, config, &path)?;
            return Ok(Self { path, held: Some((held, lock)) });
        }
        if !path.exists() {
            return Ok(Self { path, held: None });
        }
        let mut entries =
            fs::read_dir(&path).map_err(|source| TrainError::Io { path: path.clone(), source })?;
        // A run that was cut off before its configuration was written left at most these, and temporary files.
        let ours =
            [CHECKPOINTS, MANIFEST_FILE, INITIAL_FILE, HELD_OUT_FILE, HELD_OUT_CONDITIONS_FILE, LOCK_FILE];
        let foreign = |name: std::ffi::OsString| {
            !ours.iter().any(|ours| name == *ours) && !datasets::is_partial(Path::new(&name))
        };
        if entries.any(|entry| entry.is_ok_and(|entry| foreign(entry.file_name()))) {
            return Err(TrainError::Occupied { path });
        }
        Ok(Self { path, held: None })
    }

    /// Where the run lies whose samples are the initial points: of a new run a copy, which its folder is to keep.
    pub(super) fn beginning(&self, initial: &Points) -> Result<Option<Beginning>, TrainError> {
        let Points::Run { folder: original, .. } = initial else { return Ok(None) };
        if self.held.is_some() {
            return Ok(Some(Beginning::Kept(self.path.join(INITIAL_RUN))));
        }
        // Before anything is written: what is no run has no copy.
        stored_config(original)?;
        newest_state(original)?;
        let created = !self.path.exists();
        create(&self.path)?;
        let copy = PartialFolder::new_in(&self.path)?;
        copy_model(original, copy.path())?;
        Ok(Some(Beginning::Copied { copy: Some(copy), parent: created.then(|| self.path.clone()) }))
    }

    /// Checks that a run to go on with finds the data that it was begun with.
    pub(super) fn check(&self, data: &[DataFile]) -> Result<(), TrainError> {
        if self.held.is_some() { same_data(&self.path, data) } else { Ok(()) }
    }

    /// Writes what a run begins with, its configuration last; of a run to go on with, finds the state to go on from.
    pub(super) fn begin(
        self,
        config: &C,
        (kept, beginning): (&Kept, Option<Beginning>),
        data: &[DataFile],
        mut provenance: Map<String, Value>,
    ) -> Result<Begun, TrainError> {
        let Self { path, held } = self;
        if let Some((held, lock)) = held {
            sweep(&path)?;
            return go_on(Folder { path, lock }, &held, config);
        }
        create(&path.join(CHECKPOINTS))?;
        let lock = Lock::acquire(&path)?;
        // Another process may have been faster.
        if path.join(CONFIG_FILE).is_file() {
            return Err(TrainError::Occupied { path });
        }
        if let Some(beginning) = beginning {
            beginning.keep(&path.join(INITIAL_RUN))?;
        }
        sweep(&path)?;
        provenance.insert(FORMAT_FIELD.into(), FORMAT.into());
        let digests = data.iter().map(|file| (file.name.clone(), file.sha256.clone().into())).collect();
        provenance.insert(DATA_FIELD.into(), Value::Object(digests));
        write_json(&path.join(MANIFEST_FILE), &provenance)?;
        if let Some(points) = &kept.initial {
            datasets::write_npy_f32(path.join(INITIAL_FILE), points)?;
        }
        if let Some(points) = &kept.held_out {
            datasets::write_npy_f64(path.join(HELD_OUT_FILE), points)?;
        }
        if let Some(conditions) = &kept.held_out_conditions {
            datasets::write_npy_f64(path.join(HELD_OUT_CONDITIONS_FILE), conditions)?;
        }
        settings::write(config, &path)?;
        Ok(Begun { folder: Folder { path, lock }, state: None, notices: Vec::new() })
    }
}

/// Finds the state to go on from; a run that is to last longer or whose data have moved gets its new configuration.
fn go_on<C: Configuration>(folder: Folder, held: &C, config: &C) -> Result<Begun, TrainError> {
    let path = &folder.path;
    let mut notices = Vec::new();
    let damaged = |file, reason| notices.push(Notice::Damaged { file, reason });
    let state = checkpoints::newest_whole(path, damaged)?;
    let done = state.as_ref().map_or(Ok(0), |state| state.counter("iteration"))?;
    let iterations = config.training().iterations;
    if done > iterations {
        return Err(TrainError::Shorter { path: path.clone(), iterations, done });
    }
    if held != config {
        // In this order: an outcome never stands beside a configuration that asks for more.
        remove_if_there(&path.join(OUTCOME_FILE))?;
        settings::write(config, path)?;
    }
    notices.push(Notice::Resumed { iteration: done, iterations });
    Ok(Begun { folder, state, notices })
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn metrics(&self) -> PathBuf {
        self.path.join(METRICS_FILE)
    }

    /// Writes the state of a training that has run for `seconds`, and forgets old ones.
    pub(super) fn save(&self, training: &impl Training, seconds: f64) -> Result<PathBuf, TrainError> {
        let path = checkpoints::path_of(&self.path, training.iteration());
        let mut state = State::default();
        training.store(&mut state);
        state.counter("iteration", training.iteration());
        state.doubles("seconds", &[seconds]);
        state.write(&path)?;
        checkpoints::forget_old(&self.path)?;
        Ok(path)
    }

    pub(super) fn end(&self, outcome: &Outcome) -> Result<(), TrainError> {
        write_json(&self.path.join(OUTCOME_FILE), outcome)
    }
}

/// Reads a state back into a training of the same configuration; returns the seconds that it had run.
pub(super) fn restore(training: &mut impl Training, stored: &Stored) -> Result<f64, TrainError> {
    training.restore(stored, stored.counter("iteration")?)?;
    Ok(stored.doubles("seconds")?.first().copied().unwrap_or_default())
}

/// The points that a run folder keeps.
pub(super) struct Kept {
    /// The initial points that a model could not draw again from its configuration alone.
    initial: Option<Array2<f32>>,
    /// The rows that the training never sees, without their condition.
    pub(super) held_out: Option<Array2<f64>>,
    /// Their conditions as the user has written them.
    pub(super) held_out_conditions: Option<Array2<f64>>,
}

impl Kept {
    pub(super) fn of(config: &impl Configuration, source: &Source) -> Self {
        let initial = match config.initial() {
            Points::File { .. } | Points::Array { .. } => source.initial.unconditional().rows().cloned(),
            _ => None,
        };
        // The test images of a set are in its files.
        let rows = source.held_out.as_ref().filter(|_| config.data().images().is_none());
        let condition = source.condition.as_ref();
        let held_out_conditions = rows.zip(condition).map(|(rows, condition)| condition.written(rows.view()));
        let held_out = rows.map(|rows| match condition {
            Some(condition) => condition.coordinates(rows.view()).to_owned(),
            None => rows.clone(),
        });
        Self { initial, held_out, held_out_conditions }
    }
}

/// How the run in a folder has ended, where `config` on the same data is that run and nothing of it is left to do.
///
/// # Errors
/// [`TrainError::OtherConfiguration`] and its kin when the folder holds another run, [`TrainError::OtherData`] when a
/// data file has changed since.
pub fn ended<C: Configuration>(
    config: &C,
    inputs: &Inputs,
    folder: &Path,
) -> Result<Option<Outcome>, TrainError> {
    if !folder.join(CONFIG_FILE).is_file() {
        return Ok(None);
    }
    let held = stored::<C>(folder)?;
    continues(&held, config, folder)?;
    let inputs = Inputs { initial_run: Some(folder.join(INITIAL_RUN)), ..inputs.clone() };
    same_data(folder, &data_files(config, &inputs)?)?;
    let outcome = fs::read(folder.join(OUTCOME_FILE)).unwrap_or_default();
    let Ok(outcome) = serde_json::from_slice::<Outcome>(&outcome) else { return Ok(None) };
    let last = newest_state(folder).and_then(|state| state.counter("iteration"));
    let nothing_left = held.training().iterations == config.training().iterations
        && last.is_ok_and(|iteration| iteration == outcome.iterations);
    Ok(nothing_left.then_some(outcome))
}

/// Checks that the data files hold what the run of a folder was begun with.
fn same_data(folder: &Path, data: &[DataFile]) -> Result<(), TrainError> {
    let manifest = manifest(folder)?;
    for DataFile { name, path, sha256 } in data {
        let expected = manifest.get(DATA_FIELD).and_then(|digests| digests.get(name)?.as_str());
        let expected = expected.unwrap_or("none in its manifest");
        if expected != sha256 {
            return Err(TrainError::OtherData {
                file: path.clone(),
                path: folder.into(),
                found: sha256.clone(),
                expected: expected.into(),
            });
        }
    }
    Ok(())
}

/// Copies what the model of a run folder is loaded from, runs that it begins with included.
fn copy_model(from: &Path, to: &Path) -> Result<(), TrainError> {
    create(&to.join(CHECKPOINTS))?;
    let checkpoint = newest_checkpoint(from)?;
    let files = [CONFIG_FILE, MANIFEST_FILE, INITIAL_FILE, OUTCOME_FILE].map(|name| from.join(name));
    for file in files.into_iter().chain(checkpoint).filter(|file| file.is_file()) {
        let copy = to.join(file.strip_prefix(from).unwrap_or(&file));
        let mut original =
            fs::File::open(&file).map_err(|source| TrainError::Io { path: file.clone(), source })?;
        datasets::write_whole(copy, |copy| std::io::copy(&mut original, copy).map(drop))?;
    }
    match stored_config(from)?.initial() {
        Points::Run { .. } => copy_model(&from.join(INITIAL_RUN), &to.join(INITIAL_RUN)),
        _ => Ok(()),
    }
}

/// Removes the temporary files of writes that were cut off.
fn sweep(folder: &Path) -> Result<(), TrainError> {
    datasets::remove_partial(folder)?;
    let entries = fs::read_dir(folder).map_err(|source| TrainError::Io { path: folder.into(), source })?;
    for entry in entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|t| t.is_dir())) {
        datasets::remove_partial(entry.path())?;
    }
    Ok(())
}

fn create(folder: &Path) -> Result<(), TrainError> {
    fs::create_dir_all(folder).map_err(|source| TrainError::Io { path: folder.into(), source })
}

fn remove_if_there(path: &Path) -> Result<(), TrainError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(TrainError::Io { path: path.into(), source })
        }
        _ => Ok(()),
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| TrainError::Io { path: path.into(), source: std::io::Error::other(e) })?;
    datasets::write_whole(path, |file| writeln!(file, "{text}"))?;
    Ok(())
}
