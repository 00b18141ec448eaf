//! metrics.jsonl: one JSON object a line.

use super::{Observer, Record};
use crate::TrainError;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Appends records to a file; each line is written whole.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl JsonLines {
    /// Opens the file, keeping the records up to and including step `keep` of an interrupted run and dropping later
    /// ones and a torn last line.
    ///
    /// # Errors
    /// [`TrainError::Io`] or [`TrainError::Write`] when the file cannot be read or written.
    pub fn open(path: &Path, keep: u64) -> Result<Self, TrainError> {
        let io = |source| TrainError::Io { path: path.into(), source };
        let old = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(io(e)),
        };
        let step = |line: &str| -> Option<u64> {
            serde_json::from_str::<serde_json::Value>(line).ok()?.get("step")?.as_u64()
        };
        let kept: Vec<&str> =
            old.lines().filter(|line| step(line).is_some_and(|step| step <= keep)).collect();
        datasets::write_whole(path, |file| kept.iter().try_for_each(|line| writeln!(file, "{line}")))?;
        let file = OpenOptions::new().append(true).open(path).map_err(io)?;
        Ok(Self { path: path.into(), file: BufWriter::new(file) })
    }
}

impl Observer for JsonLines {
    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        let line = serde_json::Value::Object(record.to_json()).to_string();
        writeln!(self.file, "{line}")
            .and_then(|()| self.file.flush())
            .map_err(|source| TrainError::Io { path: self.path.clone(), source })
    }

    /// A run goes on from its checkpoint: the records before it must be on disk as well.
    fn checkpoint(&mut self, _path: &Path) -> Result<(), TrainError> {
        self.file.get_ref().sync_data().map_err(|source| TrainError::Io { path: self.path.clone(), source })
    }
}
