//! What the records of a run folder are written as.

use super::Observer;
use super::csv::Csv;
use super::tensorboard::{self, TensorBoard};
use crate::TrainError;
use crate::run::METRICS_FILE;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Name of the table of records in a run folder.
pub(crate) const TABLE_FILE: &str = "metrics.csv";

/// What the records of a run folder are written as ([`Run::formats`](crate::Run::formats)).
///
/// ```
/// use train::observe::Format;
/// assert_eq!("csv".parse(), Ok(Format::Csv));
/// let error = "cvs".parse::<Format>().unwrap_err();
/// assert_eq!(error.to_string(), "there is no observer \"cvs\": take tensorboard, csv or jsonl");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Event files that TensorBoard reads: scalars, and pictures of samples.
    TensorBoard,
    /// metrics.csv, a column for each metric.
    Csv,
    /// metrics.jsonl, which every run folder has.
    JsonLines,
}

/// A name that is none of a [`Format`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no observer \"{0}\": take tensorboard, csv or jsonl")]
pub struct UnknownFormat(String);

impl Format {
    /// Every format, with its name.
    pub const ALL: [(&'static str, Self); 3] =
        [("tensorboard", Self::TensorBoard), ("csv", Self::Csv), ("jsonl", Self::JsonLines)];

    /// Whether a run folder has it already, beside metrics.jsonl.
    pub fn is_in(self, folder: &Path) -> bool {
        match self {
            Self::TensorBoard => !tensorboard::files(folder).is_empty(),
            Self::Csv => folder.join(TABLE_FILE).is_file(),
            Self::JsonLines => false,
        }
    }
}

/// What writes the formats that are `asked` for, and those that the run folder has already, as a run goes on after `done`
/// iterations; metrics.jsonl has its records up to there.
pub(crate) fn writers(
    asked: &[Format],
    folder: &Path,
    done: u64,
) -> Result<Vec<Box<dyn Observer>>, TrainError> {
    let records = folder.join(METRICS_FILE);
    let mut writers: Vec<Box<dyn Observer>> = Vec::new();
    for (_, format) in Format::ALL {
        if !asked.contains(&format) && !format.is_in(folder) {
            continue;
        }
        match format {
            Format::TensorBoard => writers.push(Box::new(TensorBoard::open(folder, done, &records)?)),
            Format::Csv => writers.push(Box::new(Csv::open(&folder.join(TABLE_FILE), &records)?)),
            Format::JsonLines => {}
        }
    }
    Ok(writers)
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, format)| *format).ok_or_else(|| UnknownFormat(name.into()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, format)| format == self).map_or("", |(name, _)| name);
        formatter.write_str(name)
    }
}
