//! The training of a generator as a run folder holds it.

use super::config::Config;
use super::trainer::{StepReport, Trainer};
use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::{ConfigError, Configuration, Length};
use crate::training::{Readings, StepError, Training};
use flows::device::Device;

impl Configuration for Config {
    type Training = GeneratorRun;

    fn validate(&self) -> Result<(), ConfigError> {
        self.check()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn length(&self) -> Length {
        let training = &self.training;
        Length {
            iterations: training.iterations,
            log_every: training.log_every,
            checkpoint_every: training.checkpoint_every,
        }
    }

    fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    fn begin(&self, device: Device) -> Result<GeneratorRun, TrainError> {
        Ok(GeneratorRun { trainer: Trainer::new(self, device)?, report: StepReport::default() })
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
    fn iteration(&self) -> u64 {
        self.trainer.iteration
    }

    fn step(&mut self) -> Result<(), StepError> {
        self.report = self.trainer.step()?;
        Ok(())
    }

    fn readings(&mut self) -> Result<Readings, TrainError> {
        let StepReport { critic, slope_rms, generator_first, generator_last } = self.report;
        let values = vec![
            (metrics::CRITIC_DUAL, critic.dual),
            (metrics::CRITIC_PENALTY, critic.penalty),
            (metrics::SLOPE_RMS, slope_rms),
            (metrics::GENERATOR_OBJECTIVE_FIRST, generator_first),
            (metrics::GENERATOR_OBJECTIVE_LAST, generator_last),
        ];
        let headline = format!("dual {:.4}  ‖∇φ‖ {slope_rms:.3}  fit {generator_last:.2e}", critic.dual);
        Ok(Readings { values, headline, stop: None })
    }

    fn store(&self, state: &mut State) {
        self.trainer.store(state);
    }

    fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        self.trainer.restore(stored, iteration)
    }
}
