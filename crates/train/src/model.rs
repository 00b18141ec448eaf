//! A trained run, loaded from its folder: samples, trajectories and slopes of the averaged networks.

use crate::TrainError;
use crate::checkpoint;
use crate::config::{Config, Configuration};
use crate::run::{CONFIG_FILE, newest_checkpoint};
use crate::source::{Source, name};
use datasets::stream;
use flows::game::{Game, Networks};
use flows::integrate::{Scheme, euler_maruyama, integrate};
use flows::record;
use mfg::Trajectory;
use ndarray::{Array2, ArrayView2};
use rand_distr::{Distribution, StandardNormal};
use std::path::Path;

/// The averaged networks of a run, with its configuration and data.
#[derive(Debug, Clone)]
pub struct Model {
    /// The configuration of the run.
    pub config: Config,
    /// The training data and the initial law.
    pub source: Source,
    /// Iterations done.
    pub iteration: u64,
    game: Game,
    potential: Vec<f32>,
    critic: Vec<f32>,
    companions: Vec<f32>,
}

impl Model {
    /// Loads the newest checkpoint of a run folder.
    ///
    /// # Errors
    /// [`TrainError::NoRun`] when the folder holds no run or no checkpoint, and what reading them reports.
    pub fn load(folder: &Path) -> Result<Self, TrainError> {
        let config_file = folder.join(CONFIG_FILE);
        if !config_file.is_file() {
            return Err(TrainError::NoRun { path: folder.into(), reason: format!("no {CONFIG_FILE}") });
        }
        let config = Config::load(&config_file, None, &[])?;
        let path = newest_checkpoint(folder)?
            .ok_or_else(|| TrainError::NoRun { path: folder.into(), reason: "no checkpoint yet".into() })?;
        let (potential, critic, iteration) = checkpoint::averages(&path)?;
        let source = Source::new(&config)?;
        let game = config.game(source.dim())?;
        let companions = source.companions(config.seed)?;
        Ok(Self { config, source, iteration, game, potential, critic, companions })
    }

    /// Draws `n` points of ρ₀ from the stream of `seed`.
    ///
    /// # Errors
    /// What the law reports; a checked configuration has none.
    pub fn initial(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        Ok(self.config.initial.sample(n, self.source.dim(), &mut stream(seed, name::SAMPLE, 0))?)
    }

    /// Moves the rows of `start` by `steps` Euler steps, in single precision as in training; noise comes from the stream of
    /// `seed`.
    ///
    /// # Errors
    /// [`TrainError::Flow`] for zero steps or points of another dimension.
    pub fn push_forward(
        &self,
        start: ArrayView2<'_, f64>,
        steps: usize,
        seed: u64,
    ) -> Result<Array2<f64>, TrainError> {
        let objective = &self.game.objective;
        let mut field = self.game.field(self.networks(), &self.companions)?;
        let mut x: Vec<f32> = start.iter().map(|&x| x as f32).collect();
        let horizon = objective.horizon as f32;
        if objective.noise > 0.0 {
            let mut rng = stream(seed, name::NOISE, 0);
            let normal = || StandardNormal.sample(&mut rng);
            euler_maruyama(
                &mut field,
                objective.noise as f32,
                (horizon, steps),
                &mut x,
                normal,
                |_, _, _| {},
            )?;
        } else {
            integrate(&mut field, Scheme::Euler, horizon, steps, &mut x, |_, _, _| {})?;
        }
        let mut out = start.to_owned();
        for (out, x) in out.iter_mut().zip(x) {
            *out = x.into();
        }
        Ok(out)
    }

    /// `n` generated points from the streams of `seed`, one a row.
    ///
    /// # Errors
    /// As [`Model::push_forward`].
    pub fn sample(&self, n: usize, steps: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        self.push_forward(self.initial(n, seed)?.view(), steps, seed)
    }

    /// The trajectory of `steps` Euler steps from the rows of `start`, recorded in double precision; noise comes from the
    /// stream of the run's seed.
    ///
    /// # Errors
    /// [`TrainError::Record`] when a value is not finite or the points do not fit.
    pub fn trajectory(&self, start: ArrayView2<'_, f64>, steps: usize) -> Result<Trajectory, TrainError> {
        let mut rng = stream(self.config.seed, name::NOISE, 0);
        let normal = || StandardNormal.sample(&mut rng);
        Ok(record::trajectory(&self.game, self.networks(), &self.companions, start, steps, normal)?)
    }

    fn networks(&self) -> Networks<'_, f32> {
        Networks { flow: &self.potential, critic: &self.critic }
    }

    /// ‖∇φ‖ at each row of `points`.
    ///
    /// # Errors
    /// [`TrainError::Flow`] when the points do not fit the critic.
    pub fn critic_slopes(&self, points: ArrayView2<'_, f64>) -> Result<Vec<f64>, TrainError> {
        Ok(record::critic_slopes(&self.game.critic, &self.critic, points)?)
    }
}
