//! The training by flow matching with its live indicators, as a run folder holds it.

use super::Trainer;
use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::FlowConfig;
use crate::model::{FlowModel, Initial};
use crate::observe::particles;
use crate::source::{Source, name};
use crate::training::{Readings, StepError, Training};
use datasets::stream;
use flows::device::Device;
use flows::record::RecordError;
use mfg::Indicators;
use ndarray::Array2;

/// A velocity in training, with the fixed particles that it is watched by.
pub struct MatchingRun {
    config: FlowConfig,
    trainer: Trainer,
    particles: Array2<f64>,
    loss: Option<f64>,
}

impl MatchingRun {
    /// A training at its start.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn new(config: &FlowConfig, source: Source, device: Device) -> Result<Self, TrainError> {
        let particles =
            source.initial.points(particles(source.dim()), &mut stream(config.seed, name::MONITOR, 0))?;
        let trainer = Trainer::new(config, source, device)?;
        Ok(Self { config: config.clone(), trainer, particles, loss: None })
    }

    /// The data and the initial points.
    pub fn source(&self) -> &Source {
        self.trainer.source()
    }

    /// Indicators of the particles; none where the flow no longer gives finite numbers.
    fn live(&self) -> Result<Option<Indicators>, TrainError> {
        match self.trainer.flow().trajectory(self.particles.view(), self.config.sampling.steps) {
            Ok(trajectory) => Ok(Some(Indicators::new(&trajectory, None)?)),
            Err(RecordError::Trajectory(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Training for MatchingRun {
    type Model = FlowModel;

    fn iteration(&self) -> u64 {
        self.trainer.iteration
    }

    fn step(&mut self) -> Result<(), StepError> {
        self.loss = Some(self.trainer.step()?);
        Ok(())
    }

    fn readings(&mut self, live: bool) -> Result<Readings, TrainError> {
        let Some(loss) = self.loss else { return Ok(Readings::default()) };
        // The rate of the last iteration.
        let rate = self.trainer.rate(self.trainer.iteration.saturating_sub(1));
        let mut values = vec![(metrics::MATCHING_LOSS, loss), (metrics::LEARNING_RATE_FLOW, rate)];
        let live = if live { self.live()? } else { None };
        let named = live.iter().flat_map(Indicators::named);
        values.extend(named.filter_map(|(metric, value)| Some((metric, value?))));
        let show = |value: Option<f64>| value.map_or("–".into(), |v| format!("{v:.3}"));
        let units = &self.source().units;
        let energy = live.map(|indicators| units.value(metrics::KINETIC_ENERGY, indicators.kinetic_energy));
        let headline = format!(
            "loss {:.3}  KE {}  path {}",
            units.value(metrics::MATCHING_LOSS, loss),
            show(energy),
            show(live.and_then(|indicators| indicators.path_ratio)),
        );
        Ok(Readings { values, headline, ..Readings::default() })
    }

    fn store(&self, state: &mut State) {
        self.trainer.store(state);
    }

    fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        self.trainer.restore(stored, iteration)
    }

    fn model(&self) -> Result<FlowModel, TrainError> {
        let Source { initial, units, .. } = self.trainer.source();
        let points = (Initial::Drawn(initial.clone()), units.clone());
        Ok(FlowModel::matching(self.config.clone(), self.trainer.flow(), self.trainer.iteration, points))
    }
}
