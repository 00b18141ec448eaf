//! The training of a flow with its live indicators, as a run folder holds it.

use crate::TrainError;
use crate::adversarial::{StepReport, Trainer};
use crate::checkpoint::{State, Stored};
use crate::config::{Config, ConfigError, Configuration, Length, StopWhen};
use crate::observe::Monitor;
use crate::source::Source;
use crate::training::{Readings, StepError, Training};
use flows::device::Device;
use mfg::Indicators;

impl Configuration for Config {
    type Training = FlowRun;

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

    fn begin(&self, device: Device) -> Result<FlowRun, TrainError> {
        let trainer = Trainer::new(self, Source::new(self)?, device)?;
        let monitor = Monitor::new(self, trainer.source())?;
        let patience = Patience { limits: self.training.stop_when, records: 0 };
        Ok(FlowRun { config: self.clone(), trainer, monitor, patience, report: None })
    }
}

/// A flow in training, its fixed particles and its early ending.
pub struct FlowRun {
    config: Config,
    trainer: Trainer,
    monitor: Monitor,
    patience: Patience,
    report: Option<StepReport>,
}

impl Training for FlowRun {
    fn iteration(&self) -> u64 {
        self.trainer.iteration
    }

    fn step(&mut self) -> Result<(), StepError> {
        self.report = Some(self.trainer.step()?);
        Ok(())
    }

    fn readings(&mut self) -> Result<Readings, TrainError> {
        let Some(StepReport { critic, flow, steps }) = self.report else { return Ok(Readings::default()) };
        let training = &self.config.training;
        // The rates of the last iteration.
        let progress = self.trainer.iteration.saturating_sub(1) as f64 / training.iterations as f64;
        let mut values = vec![(metrics::EULER_STEPS, steps as f64)];
        values.extend(critic.named());
        values.extend(flow.named());
        values.push((metrics::LEARNING_RATE_FLOW, training.flow.rate(progress)));
        values.push((metrics::LEARNING_RATE_CRITIC, training.critic.rate(progress)));
        let live = self.monitor.measure(&self.trainer)?;
        if let Some(indicators) = &live {
            let named = indicators.named();
            values.extend(named.into_iter().map(|(metric, value)| (metric, value.unwrap_or(f64::NAN))));
        }
        let show = |value: Option<f64>| value.map_or("–".into(), |v| format!("{v:.3}"));
        let headline = format!(
            "D {:.3}  KE {}  HJ {}  ∇φ gap {}  path {}  slope ≤ {:.2}",
            critic.divergence,
            show(live.map(|i| i.kinetic_energy)),
            show(live.and_then(|i| i.hj_residual_relative)),
            show(live.and_then(|i| i.terminal_gradient_relative)),
            show(live.and_then(|i| i.path_ratio)),
            critic.slope_max,
        );
        Ok(Readings { values, headline, stop: self.patience.satisfied(live.as_ref()) })
    }

    fn store(&self, state: &mut State) {
        state.player("potential", &self.trainer.flow);
        state.player("critic", &self.trainer.critic);
    }

    fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        stored.player("potential", &mut self.trainer.flow)?;
        stored.player("critic", &mut self.trainer.critic)?;
        self.trainer.iteration = iteration;
        Ok(())
    }
}

/// Counts the records in a row that met the stopping limits.
struct Patience {
    limits: Option<StopWhen>,
    records: usize,
}

impl Patience {
    fn satisfied(&mut self, indicators: Option<&Indicators>) -> Option<String> {
        let limits = self.limits?;
        let below = |limit: Option<f64>, value: Option<f64>| {
            limit.is_none_or(|limit| value.is_some_and(|v| v <= limit))
        };
        let met = indicators.is_some_and(|i| {
            below(limits.hj_residual_relative, i.hj_residual_relative)
                && below(limits.terminal_gradient_relative, i.terminal_gradient_relative)
                && below(limits.path_ratio, i.path_ratio)
        });
        self.records = if met { self.records + 1 } else { 0 };
        (self.records >= limits.records).then(|| {
            format!("the indicators of training.stop_when held for {} records in a row", limits.records)
        })
    }
}
