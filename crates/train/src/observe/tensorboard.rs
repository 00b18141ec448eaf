//! Event files of TensorBoard: the metrics of each record as scalars, and pictures.
//!
//! A file is a sequence of frames: the length of an event (8 bytes), the checksum of the length, the event, and its
//! checksum, all little-endian; an event is the message `Event` of `event.proto`.

use super::jsonl::records;
use super::{Observer, Picture, Record};
use crate::TrainError;
use crate::protobuf::Message;
use crc::{CRC_32_ISCSI, Crc};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// TensorBoard reads files whose names have this.
const PREFIX: &str = "events.out.tfevents.";
/// `SessionLog.START`: events from this step on are made again, and what a reader has of them is to be forgotten.
const START: u64 = 1;
/// CRC-32C.
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// Bytes of a length with its checksum.
const HEAD: usize = 12;
/// Bytes of a checksum.
const TAIL: usize = 4;

/// Appends events to a file of its own, which TensorBoard follows while the run goes on.
#[derive(Debug)]
pub(crate) struct TensorBoard {
    path: PathBuf,
    file: File,
}

impl TensorBoard {
    /// A new event file in `folder` for a run that goes on after `done` iterations.
    ///
    /// What earlier files say of later iterations is cut off. Where there is none the new one begins with the records in the
    /// file of JSON lines `records`.
    pub(crate) fn open(folder: &Path, done: u64, records: &Path) -> Result<Self, TrainError> {
        let old = files(folder);
        old.iter().try_for_each(|path| cut(path, done))?;
        // Files are read in the order of their names.
        let path = folder.join(format!("{PREFIX}{:017.6}.oplus", now()));
        let file = OpenOptions::new().create_new(true).append(true).open(&path);
        let file = file.map_err(|source| TrainError::Io { path: path.clone(), source })?;
        let mut board = Self { path, file };
        board.write(Message::default().double(1, now()).text(3, "brain.Event:2"))?;
        if done > 0 {
            let restart = Message::default().number(1, START);
            board.write(event(now(), done + 1).message(7, restart))?;
        }
        if old.is_empty() {
            board.write_records(records)?;
        }
        Ok(board)
    }

    fn write_records(&mut self, path: &Path) -> Result<(), TrainError> {
        let records = records(path)?;
        let seconds = |record: &serde_json::Map<String, Value>| record.get("seconds").and_then(Value::as_f64);
        let (now, all) = (now(), records.last().and_then(seconds).unwrap_or(0.0));
        for record in &records {
            let step = record.get("step").and_then(Value::as_u64).unwrap_or(0);
            let values = record.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_f64()?)));
            let values = values.filter(|(name, _)| metrics::find(name).is_some());
            // As long ago as the training is since then.
            self.write(scalars(now - all + seconds(record).unwrap_or(all), step, values))?;
        }
        Ok(())
    }

    fn write(&mut self, event: Message) -> Result<(), TrainError> {
        self.file
            .write_all(&framed(&event.finish()))
            .map_err(|source| TrainError::Io { path: self.path.clone(), source })
    }
}

impl Observer for TensorBoard {
    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        let values = record.values.iter().map(|(metric, value)| (metric.name, *value));
        self.write(scalars(now(), record.step, values))
    }

    fn picture(&mut self, step: u64, picture: &Picture) -> Result<(), TrainError> {
        let (height, width) = (picture.height as u64, picture.width as u64);
        // 3 stands for red, green and blue.
        let image = Message::default().number(1, height).number(2, width).number(3, 3).bytes(4, &picture.png);
        let value = Message::default().text(1, &picture.name).message(4, image);
        self.write(event(now(), step).message(5, Message::default().message(1, value)))
    }

    /// A run goes on from its checkpoint: the events before it must be on disk as well.
    fn checkpoint(&mut self, _path: &Path) -> Result<(), TrainError> {
        self.file.sync_data().map_err(|source| TrainError::Io { path: self.path.clone(), source })
    }
}

/// The event files of a folder in the order of their names.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let ours = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX))
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(ours).collect();
    files.sort();
    files
}

/// The beginning of an event; its other fields follow these two.
fn event(time: f64, step: u64) -> Message {
    Message::default().double(1, time).number(2, step)
}

/// An event with those of the values that are finite.
fn scalars<'a>(time: f64, step: u64, values: impl Iterator<Item = (&'a str, f64)>) -> Message {
    let scalar = |(name, value): (&str, f64)| Message::default().text(1, name).float(2, value as f32);
    let finite = values.filter(|(_, value)| value.is_finite());
    let summary = finite.fold(Message::default(), |summary, value| summary.message(1, scalar(value)));
    event(time, step).message(5, summary)
}

/// Cuts off the events of later iterations than `keep`, and an event that was not written to its end.
fn cut(path: &Path, keep: u64) -> Result<(), TrainError> {
    let bytes = fs::read(path).map_err(|source| TrainError::Io { path: path.into(), source })?;
    let mut kept = 0;
    while let Some((event, end)) = frame(&bytes, kept) {
        if step(event).is_some_and(|step| step > keep) {
            break;
        }
        kept = end;
    }
    if let Some(kept) = bytes.get(..kept).filter(|kept| kept.len() < bytes.len()) {
        datasets::write_whole(path, |file| file.write_all(kept))?;
    }
    Ok(())
}

/// An event in its frame.
fn framed(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), event, &masked(event)].concat()
}

/// The event whose frame begins at a byte, and where the frame ends.
fn frame(bytes: &[u8], begin: usize) -> Option<(&[u8], usize)> {
    let length = bytes.get(begin..begin + 8)?.try_into().ok().map(u64::from_le_bytes)?;
    let first = begin + HEAD;
    let end = first.checked_add(usize::try_from(length).ok()?)?.checked_add(TAIL)?;
    let event = bytes.get(first..end - TAIL)?;
    (bytes.get(end - TAIL..end)? == masked(event)).then_some((event, end))
}

/// The step of an event as [`event`] begins it: nine bytes of time, the number of the field, a varint.
fn step(event: &[u8]) -> Option<u64> {
    let (&field, digits) = event.get(9..)?.split_first()?;
    if field != 2 << 3 {
        return None;
    }
    let mut step = 0;
    for (index, &byte) in digits.iter().take(9).enumerate() {
        step |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some(step);
        }
    }
    None
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The checksum of a frame: CRC-32C, turned by 15 bits and moved, so that the checksum of data that hold checksums is no
/// accident.
fn masked(bytes: &[u8]) -> [u8; 4] {
    CHECKSUM.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `tensorboard.summary.writer.record_writer.RecordWriter` of TensorBoard 2.21.0 writes of
    /// `Event(wall_time=1.5, file_version="brain.Event:2")` and of `Event(wall_time=2.5, step=300, summary=Summary(value=[
    /// Summary.Value(tag="w1", simple_value=0.25)]))`.
    const THEIRS: &str = "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c\
                          19000000000000008bf1082809000000000000044010ac022a0b0a090a027731150000803e491b12ff";

    #[test]
    fn events_are_those_of_tensorboard() {
        let version = Message::default().double(1, 1.5).text(3, "brain.Event:2").finish();
        let scalar = scalars(2.5, 300, [("w1", 0.25), ("w2", f64::NAN)].into_iter()).finish();
        let ours = [framed(&version), framed(&scalar)].concat();
        let digits: String = ours.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, THEIRS);
    }

    /// The steps of the events in a file, 0 for an event without.
    fn steps(path: &Path) -> Vec<u64> {
        let (bytes, mut at, mut steps) = (fs::read(path).unwrap(), 0, Vec::new());
        while let Some((event, end)) = frame(&bytes, at) {
            steps.push(step(event).unwrap_or(0));
            at = end;
        }
        assert_eq!(at, bytes.len(), "a torn end");
        steps
    }

    #[test]
    fn what_is_made_again_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let records = folder.path().join("metrics.jsonl");
        let line = |step: u64| format!("{{\"step\":{step},\"seconds\":1.0,\"w1\":0.5,\"unknown\":1}}\n");
        datasets::write_whole(&records, |file| file.write_all(line(100).as_bytes())).unwrap();
        let mut board = TensorBoard::open(folder.path(), 0, &records).unwrap();
        for step in [200, 300] {
            let values = vec![(metrics::W1, 0.25)];
            let record =
                Record { step, seconds: 1.0, reading_seconds: None, values, headline: String::new() };
            board.record(&record).unwrap();
        }
        let path = board.path.clone();
        drop(board);
        assert_eq!(steps(&path), [0, 100, 200, 300]);
        let torn = [fs::read(&path).unwrap(), vec![24, 0, 0]].concat();
        datasets::write_whole(&path, |file| file.write_all(&torn)).unwrap();
        TensorBoard::open(folder.path(), 200, &records).unwrap();
        let files = files(folder.path());
        // The second one tells a reader that has seen step 300 to forget it, and repeats nothing.
        assert_eq!(
            files.iter().map(|path| steps(path)).collect::<Vec<_>>(),
            [vec![0, 100, 200], vec![0, 201]]
        );
    }
}
