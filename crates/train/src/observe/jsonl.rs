//! metrics.jsonl: one JSON object a line.

use super::{Observer, Record};
use crate::TrainError;
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What the name of the file of records that were set aside ends in.
const SUPERSEDED: &str = "superseded.jsonl";

/// Appends records to a file; each line is written whole.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: BufWriter<File>,
    set_aside: usize,
}

impl JsonLines {
    /// Opens the file, keeping the records up to and including step `keep` of an interrupted run.
    ///
    /// The steps of later ones are made again: those records are set aside, at the end of a file beside this one
    /// ([`JsonLines::superseded`]), as is everything that is not a record, such as a torn last line.
    ///
    /// # Errors
    /// [`TrainError::Io`] or [`TrainError::Write`] when the file cannot be read or written.
    pub fn open(path: &Path, keep: u64) -> Result<Self, TrainError> {
        let io = |source| TrainError::Io { path: path.into(), source };
        let old = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(io(e)),
        };
        let step = |line: &[u8]| -> Option<u64> {
            serde_json::from_slice::<Value>(line).ok()?.get("step")?.as_u64()
        };
        let lines = old.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let (kept, later): (Vec<&[u8]>, Vec<&[u8]>) =
            lines.partition(|line| step(line).is_some_and(|step| step <= keep));
        if !later.is_empty() {
            append(&Self::superseded(path), &later)?;
        }
        // Only now: what is set aside is never on neither side.
        if !later.is_empty() || !old.ends_with(b"\n") {
            datasets::write_whole(path, |file| write_lines(file, &kept))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
        Ok(Self { path: path.into(), file: BufWriter::new(file), set_aside: later.len() })
    }

    /// Where records of `path` are set aside.
    pub fn superseded(path: &Path) -> PathBuf {
        path.with_extension(SUPERSEDED)
    }

    /// How many lines were set aside when the file was opened.
    pub fn set_aside(&self) -> usize {
        self.set_aside
    }
}

/// The records in a file; a torn last line is left out.
pub(super) fn records(path: &Path) -> Result<Vec<Map<String, Value>>, TrainError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| TrainError::Io { path: path.into(), source })?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn append(path: &Path, lines: &[&[u8]]) -> Result<(), TrainError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| write_lines(&mut file, lines).and_then(|()| file.sync_all()))
        .map_err(|source| TrainError::Io { path: path.into(), source })
}

fn write_lines(file: &mut dyn Write, lines: &[&[u8]]) -> std::io::Result<()> {
    let text: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
    file.write_all(&text)
}

impl Observer for JsonLines {
    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        let line = Value::Object(record.to_json()).to_string();
        writeln!(self.file, "{line}")
            .and_then(|()| self.file.flush())
            .map_err(|source| TrainError::Io { path: self.path.clone(), source })
    }

    /// A run goes on from its checkpoint: the records before it must be on disk as well.
    fn checkpoint(&mut self, _path: &Path) -> Result<(), TrainError> {
        self.file.get_ref().sync_data().map_err(|source| TrainError::Io { path: self.path.clone(), source })
    }
}
