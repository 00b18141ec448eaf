//! The live indicators: the optimality of the current flow on a fixed set of particles.

use crate::TrainError;
use crate::adversarial::Trainer;
use crate::config::{Config, Steps};
use crate::source::{Source, name};
use datasets::stream;
use flows::game::Game;
use flows::record::{self, RecordError};
use mfg::Indicators;
use ndarray::Array2;

/// Particles of the monitor: enough for a few per cent of noise, few enough to cost less than an iteration.
const PARTICLES: usize = 256;

/// Measures the averaged networks on the same particles every time.
#[derive(Debug, Clone)]
pub struct Monitor {
    game: Game,
    start: Array2<f64>,
    companions: Vec<f32>,
    steps: usize,
}

impl Monitor {
    /// Draws the particles.
    ///
    /// # Errors
    /// What the law or the networks' description reports.
    pub fn new(config: &Config, source: &Source) -> Result<Self, TrainError> {
        let dim = source.dim();
        let mut rng = stream(config.seed, name::MONITOR, 0);
        let steps = match config.flow.steps {
            Steps::Fixed(n) => n,
            Steps::Drawn { max, .. } => max,
        };
        Ok(Self {
            game: config.game(dim)?,
            start: config.initial.sample(PARTICLES, dim, &mut rng)?,
            companions: source.companions(config.seed)?,
            steps,
        })
    }

    /// The indicators now; none where the flow no longer gives finite numbers.
    ///
    /// # Errors
    /// [`TrainError::Record`] for anything but values that are not finite.
    pub fn measure(&self, trainer: &Trainer) -> Result<Option<Indicators>, TrainError> {
        let (potential, critic) = (&trainer.flow.average, &trainer.critic.average);
        match record::trajectory(
            &self.game,
            potential,
            critic,
            &self.companions,
            self.start.view(),
            self.steps,
        ) {
            Ok(trajectory) => Ok(Some(Indicators::new(&trajectory, None)?)),
            Err(RecordError::Trajectory(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
