//! metrics.csv: the records as a table.

use super::jsonl::records;
use super::{Observer, Record};
use crate::TrainError;
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The columns that come first.
const FIRST: [&str; 3] = ["step", "seconds", "reading_seconds"];

/// Appends records to a table: a column for each metric, empty where a record has none.
///
/// The table is made of metrics.jsonl whenever it is opened, so it has the same records, and again when a metric comes that
/// no record before had.
#[derive(Debug)]
pub(crate) struct Csv {
    path: PathBuf,
    records: PathBuf,
    columns: Vec<String>,
    file: File,
}

impl Csv {
    /// A table at `path` of the records in the file of JSON lines `records`, to which further ones are written first.
    pub(crate) fn open(path: &Path, records: &Path) -> Result<Self, TrainError> {
        let rows = self::records(records)?;
        let mut columns = FIRST.map(str::to_owned).to_vec();
        for name in rows.iter().flat_map(Map::keys) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let head = std::iter::once(columns.join(","));
        let lines: Vec<String> = head.chain(rows.iter().map(|row| line(&columns, row))).collect();
        datasets::write_whole(path, |file| lines.iter().try_for_each(|line| writeln!(file, "{line}")))?;
        let file = OpenOptions::new().append(true).open(path);
        let file = file.map_err(|source| TrainError::Io { path: path.into(), source })?;
        Ok(Self { path: path.into(), records: records.into(), columns, file })
    }
}

impl Observer for Csv {
    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        let row = record.to_json();
        if row.keys().any(|name| !self.columns.contains(name)) {
            *self = Self::open(&self.path, &self.records)?;
            return Ok(());
        }
        writeln!(self.file, "{}", line(&self.columns, &row))
            .map_err(|source| TrainError::Io { path: self.path.clone(), source })
    }
}

/// The cells of a row; what is no number is empty.
fn line(columns: &[String], row: &Map<String, Value>) -> String {
    let cell = |name: &String| row.get(name).filter(|value| value.is_number()).map(Value::to_string);
    columns.iter().map(|name| cell(name).unwrap_or_default()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::JsonLines;
    use metrics::Metric;

    fn record(step: u64, values: &[(&'static Metric, f64)]) -> Record {
        let values = values.to_vec();
        Record { step, seconds: 0.5, reading_seconds: None, values, headline: String::new() }
    }

    #[test]
    fn a_metric_that_comes_later_gets_a_column() {
        let folder = tempfile::tempdir().unwrap();
        let (path, lines) = (folder.path().join("metrics.csv"), folder.path().join("metrics.jsonl"));
        let mut json = JsonLines::open(&lines, 0).unwrap();
        let mut csv = Csv::open(&path, &lines).unwrap();
        let all = [
            record(10, &[(metrics::W1, 0.25)]),
            record(20, &[(metrics::W1, f64::NAN), (metrics::W2, 2.0)]),
            record(30, &[(metrics::W2, 3.0)]),
        ];
        for record in &all {
            json.record(record).unwrap();
            csv.record(record).unwrap();
        }
        let expected = "step,seconds,reading_seconds,w1,w2\n10,0.5,,0.25,\n20,0.5,,,2.0\n30,0.5,,,3.0\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        // Of a run that goes on after 20 iterations the last line is made again.
        drop(JsonLines::open(&lines, 20).unwrap());
        drop(Csv::open(&path, &lines).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected.replace("30,0.5,,,3.0\n", ""));
    }
}
