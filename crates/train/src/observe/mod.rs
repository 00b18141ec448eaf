//! What a run tells while it runs.

mod jsonl;
mod monitor;
mod terminal;

pub use jsonl::JsonLines;
pub use monitor::Monitor;
pub use terminal::Terminal;

use crate::TrainError;
use crate::adversarial::StepReport;
use mfg::Indicators;
use serde_json::{Map, Value};

/// One record of a run: what the last iteration measured, and the indicators of the current flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Iterations done.
    pub step: u64,
    /// Wall-clock seconds of this run so far, resumed parts included only since the resumption.
    pub seconds: f64,
    /// The last iteration.
    pub report: StepReport,
    /// The indicators of the current parameters on a fixed set of particles; none where they are not finite.
    pub indicators: Option<Indicators>,
    /// Learning rates of the flow and of the critic.
    pub learning_rates: (f64, f64),
}

impl Record {
    /// The record as one flat JSON object; a value that is not finite is null.
    pub fn to_json(&self) -> Map<String, Value> {
        let StepReport { critic, flow, steps } = self.report;
        let mut object = Map::new();
        object.insert("step".into(), self.step.into());
        object.insert("seconds".into(), self.seconds.into());
        object.insert("euler_steps".into(), steps.into());
        let measured = [
            ("critic_divergence", critic.divergence),
            ("critic_penalty", critic.penalty),
            ("critic_slope_mean", critic.slope_mean),
            ("critic_slope_max", critic.slope_max),
            ("flow_objective", flow.total),
            ("terminal_cost", flow.terminal),
            ("batch_kinetic_energy", flow.kinetic_energy),
            ("learning_rate_flow", self.learning_rates.0),
            ("learning_rate_critic", self.learning_rates.1),
        ];
        object.extend(measured.map(|(name, value)| (name.to_owned(), value.into())));
        if let Some(indicators) = &self.indicators {
            object.extend(indicators.named().map(|(name, value)| (name.to_owned(), value.into())));
        }
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
