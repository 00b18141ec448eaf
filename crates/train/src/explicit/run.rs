//! The training of an explicit flow with its live indicators, as a run folder holds it.

use super::{StepReport, Trainer};
use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::FlowConfig;
use crate::model::{ExplicitModel, FlowModel, Initial};
use crate::observe::particles;
use crate::source::{Conditions, Source, name};
use crate::training::{Readings, StepError, Training};
use datasets::stream;
use flows::device::Device;
use flows::record::RecordError;
use mfg::Indicators;
use ndarray::Array2;

/// An explicit flow in training, with the fixed particles that it is watched by.
pub struct ExplicitRun {
    config: FlowConfig,
    trainer: Trainer,
    particles: Array2<f64>,
    report: Option<StepReport>,
}

impl ExplicitRun {
    /// A training at its start.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn new(config: &FlowConfig, source: Source, device: Device) -> Result<Self, TrainError> {
        let particles =
            source.initial.points(particles(source.dim()), &mut stream(config.seed, name::MONITOR, 0))?;
        let trainer = Trainer::new(config, source, device)?;
        Ok(Self { config: config.clone(), trainer, particles, report: None })
    }

    /// The data and the initial points.
    pub fn source(&self) -> &Source {
        self.trainer.source()
    }

    /// The averaged network as it is now.
    fn explicit(&self) -> ExplicitModel {
        ExplicitModel::new(
            self.trainer.flow().clone(),
            self.trainer.player.average.clone(),
            self.trainer.companions(),
            self.trainer.second(),
        )
    }

    /// Indicators of the particles that return, and their share; none where the flow no longer gives finite numbers.
    fn live(&self) -> Result<Option<(Option<Indicators>, f64)>, TrainError> {
        let model = self.explicit();
        match model.optimal(self.particles.view()) {
            Ok((optimal, share)) if optimal.nrows() >= 2 => {
                match model.trajectory(optimal.view(), self.config.flow.steps.most()) {
                    Ok(trajectory) => Ok(Some((Some(Indicators::new(&trajectory, None)?), share))),
                    Err(RecordError::Trajectory(_)) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
            Ok((_, share)) => Ok(Some((None, share))),
            Err(error) => Err(error.into()),
        }
    }
}

impl Training for ExplicitRun {
    type Model = FlowModel;

    fn iteration(&self) -> u64 {
        self.trainer.iteration
    }

    fn step(&mut self) -> Result<(), StepError> {
        self.report = Some(self.trainer.step()?);
        Ok(())
    }

    fn readings(&mut self, live: bool) -> Result<Readings, TrainError> {
        let Some(report) = self.report else { return Ok(Readings::default()) };
        let training = &self.config.training;
        // The rate of the last iteration.
        let progress = training.progress(self.trainer.iteration.saturating_sub(1));
        let mut values: Vec<_> = report.named().collect();
        values.push((metrics::LEARNING_RATE_FLOW, training.optimiser.rate(progress)));
        let live = if live { self.live()? } else { None };
        if let Some((indicators, share)) = &live {
            values.push((metrics::OPTIMAL_SHARE, *share));
            let named = indicators.iter().flat_map(Indicators::named);
            values.extend(named.map(|(metric, value)| (metric, value.unwrap_or(f64::NAN))));
        }
        let show = |value: Option<f64>| value.map_or("–".into(), |v| format!("{v:.3}"));
        let units = &self.source().units;
        let energy = live.and_then(|(indicators, _)| Some(indicators?.kinetic_energy));
        let last = match report.penalty {
            Some(penalty) => format!("penalty {:.3}", units.value(metrics::CRITIC_PENALTY, penalty)),
            None => format!("heaviest {:.3}", report.dual.largest_weight),
        };
        let headline = format!(
            "dual {:.3}  KE {}  optimal {}  {last}",
            report.dual.value,
            show(energy.map(|energy| units.value(metrics::KINETIC_ENERGY, energy))),
            show(live.map(|(_, share)| share)),
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
        let Source { initial, condition, units, .. } = self.trainer.source();
        let points = (Initial::Drawn(initial.clone()), units.clone());
        let model = FlowModel::explicit(self.config.clone(), self.explicit(), self.trainer.iteration, points);
        Ok(model.conditioned(condition.as_ref().map(Conditions::kept)))
    }
}
