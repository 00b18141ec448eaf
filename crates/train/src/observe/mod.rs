//! What a run tells while it runs.

mod budget;
mod csv;
mod format;
mod jsonl;
mod monitor;
mod notice;
mod tensorboard;
mod terminal;

pub(crate) use budget::Budget;
pub(crate) use format::writers;
pub use format::{Format, UnknownFormat};
pub use jsonl::JsonLines;
pub(crate) use monitor::{Monitor, particles};
pub use notice::Notice;
pub use terminal::Terminal;

use crate::TrainError;
use crate::outcome::Outcome;
use metrics::Metric;
use serde_json::{Map, Value};
use std::path::Path;

/// One record of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Iterations done.
    pub step: u64,
    /// Wall-clock seconds of the iterations so far, without the measurements.
    pub seconds: f64,
    /// Wall-clock seconds that the measurements of this record took; none where they were left out to save time.
    pub reading_seconds: Option<f64>,
    /// What was measured.
    pub values: Vec<(&'static Metric, f64)>,
    /// The same for a terminal, in a few words.
    pub headline: String,
}

impl Record {
    /// The value of a metric, where the record has one.
    pub fn value(&self, metric: &Metric) -> Option<f64> {
        self.values.iter().find(|(name, _)| *name == metric).map(|(_, value)| *value)
    }

    /// The record as one flat JSON object; a value that is not finite is null.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("step".into(), self.step.into());
        object.insert("seconds".into(), self.seconds.into());
        if let Some(seconds) = self.reading_seconds {
            object.insert("reading_seconds".into(), seconds.into());
        }
        object.extend(self.values.iter().map(|(metric, value)| (metric.name.to_owned(), (*value).into())));
        object
    }
}

/// A picture of what a run generates on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What it shows, in a word.
    pub name: String,
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The picture, a PNG file of red, green and blue.
    pub png: Vec<u8>,
}

/// The picture that the caller of a run draws at a record, where one is due.
pub type Pictured = Result<Option<Picture>, Box<dyn std::error::Error + Send + Sync>>;

/// Something that follows a run; what it does not care about it need not implement.
///
/// ```
/// use train::observe::{Observer, Record};
/// /// Remembers when each record was made.
/// #[derive(Default)]
/// struct Clock(Vec<f64>);
/// impl Observer for Clock {
///     fn record(&mut self, record: &Record) -> Result<(), train::TrainError> {
///         self.0.push(record.seconds);
///         Ok(())
///     }
/// }
/// ```
pub trait Observer {
    /// Called before the first iteration of the run `name`: `done` of `total` iterations were done before.
    fn begin(&mut self, _name: &str, _done: u64, _total: u64) {}

    /// Called with what the user should know: after [`Observer::begin`] what is known before the first iteration, after a
    /// record what the training has come to.
    fn notice(&mut self, _notice: &Notice) {}

    /// Called for every record.
    ///
    /// # Errors
    /// When the record cannot be kept.
    fn record(&mut self, _record: &Record) -> Result<(), TrainError> {
        Ok(())
    }

    /// Called after the record of a step for which there is a picture ([`Run::picture`](crate::Run::picture)).
    ///
    /// # Errors
    /// When the picture cannot be kept.
    fn picture(&mut self, _step: u64, _picture: &Picture) -> Result<(), TrainError> {
        Ok(())
    }

    /// Called when the state was written to `path`, so that records too can be made durable; never without a run
    /// folder.
    ///
    /// # Errors
    /// When the records cannot be kept.
    fn checkpoint(&mut self, _path: &Path) -> Result<(), TrainError> {
        Ok(())
    }

    /// Called after every iteration.
    fn tick(&mut self, _step: u64) {}

    /// Called once, when the run has ended or was interrupted and its last state was written.
    ///
    /// # Errors
    /// When the outcome cannot be kept.
    fn end(&mut self, _outcome: &Outcome) -> Result<(), TrainError> {
        Ok(())
    }
}

/// An observer that its owner reads after the run.
impl<O: Observer + ?Sized> Observer for &mut O {
    fn begin(&mut self, name: &str, done: u64, total: u64) {
        (**self).begin(name, done, total);
    }

    fn notice(&mut self, notice: &Notice) {
        (**self).notice(notice);
    }

    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        (**self).record(record)
    }

    fn picture(&mut self, step: u64, picture: &Picture) -> Result<(), TrainError> {
        (**self).picture(step, picture)
    }

    fn checkpoint(&mut self, path: &Path) -> Result<(), TrainError> {
        (**self).checkpoint(path)
    }

    fn tick(&mut self, step: u64) {
        (**self).tick(step);
    }

    fn end(&mut self, outcome: &Outcome) -> Result<(), TrainError> {
        (**self).end(outcome)
    }
}
