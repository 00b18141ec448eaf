//! The training of a generator as a run folder holds it.

use super::trainer::{StepReport, Trainer};
use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::{self, ConfigError, Configuration, GeneratorConfig, Kind, Points};
use crate::model::GeneratorModel;
use crate::source::Source;
use crate::training::{Readings, StepError, Training};
use flows::device::Device;

impl Configuration for GeneratorConfig {
    const KIND: Kind = Kind::Generator;
    type Training = GeneratorRun;

    fn validate(&self) -> Result<(), ConfigError> {
        self.check()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    fn data(&self) -> &Points {
        &self.data
    }

    fn initial(&self) -> &Points {
        &self.initial
    }

    fn with_points(self, data: Option<Points>, initial: Option<Points>) -> Self {
        Self { data: data.unwrap_or(self.data), initial: initial.unwrap_or(self.initial), ..self }
    }

    fn training(&self) -> &config::Training {
        &self.training
    }

    fn with_iterations(mut self, iterations: u64) -> Self {
        self.training.iterations = iterations;
        self
    }

    fn begin(&self, source: Source, device: Device) -> Result<GeneratorRun, TrainError> {
        Ok(GeneratorRun { trainer: Trainer::new(self, source, device)?, report: StepReport::default() })
    }
}

/// A generator in training.
pub struct GeneratorRun {
    trainer: Trainer,
    report: StepReport,
}

impl GeneratorRun {
    /// The state in memory.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }
}

impl Training for GeneratorRun {
    type Model = GeneratorModel;

    fn iteration(&self) -> u64 {
        self.trainer.iteration
    }

    fn step(&mut self) -> Result<(), StepError> {
        self.report = self.trainer.step()?;
        Ok(())
    }

    fn readings(&mut self, _live: bool) -> Result<Readings, TrainError> {
        let StepReport { critic, slope_rms, generator_first, generator_last } = self.report;
        let values = vec![
            (metrics::CRITIC_DUAL, critic.dual),
            (metrics::CRITIC_PENALTY, critic.penalty),
            (metrics::SLOPE_RMS, slope_rms),
            (metrics::GENERATOR_OBJECTIVE_FIRST, generator_first),
            (metrics::GENERATOR_OBJECTIVE_LAST, generator_last),
        ];
        let headline = format!("dual {:.4}  ‖∇φ‖ {slope_rms:.3}  fit {generator_last:.2e}", critic.dual);
        Ok(Readings { values, headline, ..Readings::default() })
    }

    fn store(&self, state: &mut State) {
        self.trainer.store(state);
    }

    fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        self.trainer.restore(stored, iteration)
    }

    fn model(&self) -> Result<GeneratorModel, TrainError> {
        Ok(self.trainer.model())
    }
}
