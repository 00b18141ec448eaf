//! The training by likelihood with its live indicators, as a run folder holds it.

use super::Trainer;
use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::FlowConfig;
use crate::model::{FlowModel, Initial, OtFlowModel};
use crate::observe::particles;
use crate::source::{Source, name};
use crate::training::{Readings, StepError, Training};
use datasets::stream;
use flows::device::Device;
use flows::ot_flow::OtFlowValue;
use flows::record::RecordError;
use mfg::Indicators;
use ndarray::Array2;

/// A flow in training, with the fixed particles that it is watched by.
pub struct LikelihoodRun {
    config: FlowConfig,
    trainer: Trainer,
    particles: Array2<f64>,
    value: Option<OtFlowValue>,
}

impl LikelihoodRun {
    /// A training at its start.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn new(config: &FlowConfig, source: Source, device: Device) -> Result<Self, TrainError> {
        let particles =
            source.initial.points(particles(source.dim()), &mut stream(config.seed, name::MONITOR, 0))?;
        let trainer = Trainer::new(config, source, device)?;
        Ok(Self { config: config.clone(), trainer, particles, value: None })
    }

    /// The data and the initial points.
    pub fn source(&self) -> &Source {
        self.trainer.source()
    }

    /// The averaged network as it is now.
    fn trained(&self) -> OtFlowModel {
        OtFlowModel::new(*self.trainer.flow(), self.trainer.player.average.clone())
    }

    /// Indicators of samples on their way; none where it leads out of the finite numbers.
    fn live(&self) -> Result<Option<Indicators>, TrainError> {
        match self.trained().trajectory(self.particles.view(), self.config.sampling.steps) {
            Ok(trajectory) => Ok(Some(Indicators::new(&trajectory, None)?)),
            Err(RecordError::Trajectory(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Training for LikelihoodRun {
    type Model = FlowModel;

    fn iteration(&self) -> u64 {
        self.trainer.iteration
    }

    fn step(&mut self) -> Result<(), StepError> {
        let last = self.value;
        let value = self.trainer.step().map_err(|error| match (error, last) {
            (StepError::Diverged(reason), Some(last)) => StepError::Diverged(format!(
                "{reason}; the iteration before had the objective {:.3e} and the log-likelihood {:.3e}",
                last.total, -last.negative_log_likelihood
            )),
            (error, _) => error,
        })?;
        self.value = Some(value);
        Ok(())
    }

    fn readings(&mut self, live: bool) -> Result<Readings, TrainError> {
        let Some(value) = self.value else { return Ok(Readings::default()) };
        let training = &self.config.training;
        // The rate of the last iteration.
        let progress = training.progress(self.trainer.iteration.saturating_sub(1));
        let mut values = value.named().to_vec();
        values.push((metrics::LEARNING_RATE_FLOW, training.optimiser.rate(progress)));
        let live = if live { self.live()? } else { None };
        let named = live.iter().flat_map(Indicators::named);
        values.extend(named.filter_map(|(metric, value)| Some((metric, value?))));
        let show = |value: Option<f64>| value.map_or("–".into(), |v| format!("{v:.3}"));
        let headline = format!(
            "−log p {:.3}  KE {}  HJ {}  path {}",
            value.negative_log_likelihood,
            show(live.map(|i| self.source().units.value(metrics::KINETIC_ENERGY, i.kinetic_energy))),
            show(live.and_then(|i| i.hj_residual_relative)),
            show(live.and_then(|i| i.path_ratio)),
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
        Ok(FlowModel::ot_flow(self.config.clone(), self.trained(), self.trainer.iteration, points))
    }
}
