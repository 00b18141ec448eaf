//! What a run tells while it runs.

mod jsonl;
mod monitor;
mod terminal;

pub use jsonl::JsonLines;
pub use monitor::Monitor;
pub use terminal::Terminal;

use crate::TrainError;
use metrics::Metric;
use serde_json::{Map, Value};

/// One record of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Iterations done.
    pub step: u64,
    /// Wall-clock seconds of the iterations so far, without the measurements.
    pub seconds: f64,
    /// What was measured.
    pub values: Vec<(&'static Metric, f64)>,
    /// The same for a terminal, in a few words.
    pub headline: String,
}

impl Record {
    /// The record as one flat JSON object; a value that is not finite is null.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("step".into(), self.step.into());
        object.insert("seconds".into(), self.seconds.into());
        object.extend(self.values.iter().map(|(metric, value)| (metric.name.to_owned(), (*value).into())));
        object
    }
}

/// Something that follows a run.
pub trait Observer {
    /// Called for every record.
    ///
    /// # Errors
    /// When the record cannot be kept.
    fn record(&mut self, record: &Record) -> Result<(), TrainError>;

    /// Called when the state was written to disk, so that records too can be made durable.
    ///
    /// # Errors
    /// When the records cannot be kept.
    fn checkpoint(&mut self) -> Result<(), TrainError> {
        Ok(())
    }

    /// Called after every iteration.
    fn tick(&mut self, _step: u64) {}
}
