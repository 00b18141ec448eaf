//! The training of a critic as a run folder holds it.

use super::trainer::Trainer;
use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::{self, ConfigError, Configuration, CriticConfig, Kind, Points};
use crate::model::{CriticModel, Initial};
use crate::source::{Source, name};
use crate::training::{Readings, StepError, Training};
use flows::FlowError;
use flows::critic::CriticValue;
use flows::device::Device;

impl Configuration for CriticConfig {
    const KIND: Kind = Kind::Critic;
    type Training = CriticRun;

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

    fn begin(&self, source: Source, device: Device) -> Result<CriticRun, TrainError> {
        if device != Device::Cpu {
            let reason = "a critic alone is trained on the CPU: take `cpu`".into();
            return Err(FlowError::Device { device: device.to_string(), reason }.into());
        }
        let trainer = Trainer::new(self, source.square()?)?;
        Ok(CriticRun { config: self.clone(), trainer, value: None })
    }
}

/// A critic in training.
pub struct CriticRun {
    config: CriticConfig,
    trainer: Trainer,
    value: Option<CriticValue>,
}

impl Training for CriticRun {
    type Model = CriticModel;

    fn iteration(&self) -> u64 {
        self.trainer.iteration
    }

    fn step(&mut self) -> Result<(), StepError> {
        self.value = Some(self.trainer.step()?);
        Ok(())
    }

    fn readings(&mut self, _live: bool) -> Result<Readings, TrainError> {
        let Some(value) = self.value else { return Ok(Readings::default()) };
        let CriticValue { divergence, slope_mean, slope_max, .. } = value;
        // The rate of the last iteration.
        let rate = self.trainer.rate(self.trainer.iteration.saturating_sub(1));
        let mut values = vec![(metrics::W1_DUAL, divergence), (metrics::LEARNING_RATE_CRITIC, rate)];
        let mut headline =
            format!("dual {:.4}", self.trainer.source.units.value(metrics::W1_DUAL, divergence));
        if slope_max > 0.0 {
            values.extend([(metrics::CRITIC_SLOPE_MEAN, slope_mean), (metrics::CRITIC_SLOPE_MAX, slope_max)]);
            headline += &format!("  slope ≤ {slope_max:.2}");
        }
        Ok(Readings { values, headline, ..Readings::default() })
    }

    fn store(&self, state: &mut State) {
        state.counter("dimension", self.trainer.source.dim() as u64);
        self.trainer.source.units.store(state);
        state.player(name::CRITIC, self.trainer.player());
    }

    fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        stored.player(name::CRITIC, self.trainer.player_mut())?;
        self.trainer.iteration = iteration;
        Ok(())
    }

    fn model(&self) -> Result<CriticModel, TrainError> {
        let Source { initial, units, .. } = &self.trainer.source;
        let points = (Initial::Drawn(initial.clone()), units.clone());
        let average = self.trainer.player().average.clone();
        CriticModel::new(
            self.config.clone(),
            self.trainer.source.dim(),
            average,
            self.trainer.iteration,
            points,
        )
    }
}
