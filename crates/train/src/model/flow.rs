//! A trained flow: samples, trajectories and slopes of its averaged networks.

use super::Initial;
use crate::TrainError;
use crate::checkpoint::Stored;
use crate::config::FlowConfig;
use crate::run::{newest_state, stored};
use crate::source::{Inputs, Units, companions, name};
use datasets::stream;
use flows::flow::Flow;
use flows::game::{Game, Networks};
use flows::integrate::{Scheme, euler_maruyama, integrate};
use flows::mlp::Mlp;
use flows::record;
use flows::scalar_field::ScalarField;
use mfg::Trajectory;
use ndarray::{Array2, ArrayView2};
use rand_distr::{Distribution, StandardNormal};
use std::path::Path;

/// The averaged networks of a flow, with its configuration and its initial points; all points are in the user's units.
#[derive(Debug, Clone)]
pub struct FlowModel<N = Mlp> {
    /// The configuration of the run.
    pub config: FlowConfig,
    /// Iterations done.
    pub iteration: u64,
    /// The user's units.
    pub units: Units,
    initial: Initial,
    game: Game<N>,
    flow: Vec<f32>,
    critic: Vec<f32>,
    companions: Vec<f32>,
}

impl FlowModel {
    /// Loads the newest checkpoint of a run folder.
    ///
    /// # Errors
    /// As [`super::Model::load`], and [`TrainError::Config`] for a run of another kind.
    pub fn load(folder: &Path) -> Result<Self, TrainError> {
        Self::stored(folder, stored(folder)?, &Inputs::default().data_sets)
    }

    pub(super) fn stored(folder: &Path, config: FlowConfig, data_sets: &Path) -> Result<Self, TrainError> {
        let state = newest_state(folder)?;
        let game = config.game(state.size("dimension")?)?;
        Self::of_state(folder, config, game, &state, data_sets)
    }
}

impl<N: ScalarField> FlowModel<N> {
    /// Loads a run whose critic was a network of its own ([`crate::Run::critic`]).
    ///
    /// # Errors
    /// As [`FlowModel::load`], and [`TrainError::Checkpoint`] for another network than that of the run.
    pub fn load_with_critic(folder: &Path, network: N) -> Result<Self, TrainError> {
        let (config, state) = (stored::<FlowConfig>(folder)?, newest_state(folder)?);
        let game = config.game(state.size("dimension")?)?.with_critic(network)?;
        Self::of_state(folder, config, game, &state, &Inputs::default().data_sets)
    }

    fn of_state(
        folder: &Path,
        config: FlowConfig,
        game: Game<N>,
        state: &Stored,
        data_sets: &Path,
    ) -> Result<Self, TrainError> {
        let average = |player: &str, count: usize| state.fitting(&format!("{player}.average"), count);
        let networks = (
            average("potential", game.flow.parameter_count())?,
            average("critic", game.critic.network.parameter_count())?,
        );
        let units = Units::stored(state)?;
        let places = (folder, data_sets);
        let initial = Initial::stored(places, &config.initial, config.seed, (game.flow.dim(), &units))?;
        Self::new(config, game, networks, state.counter("iteration")?, (initial, units))
    }

    /// The parameters are those of the flow's network and of the critic.
    pub(crate) fn new(
        config: FlowConfig,
        game: Game<N>,
        (flow, critic): (Vec<f32>, Vec<f32>),
        iteration: u64,
        (initial, units): (Initial, Units),
    ) -> Result<Self, TrainError> {
        // Nothing else asks for companions, and digits are read when they are asked for.
        let companions = match game.flow {
            Flow::HopfLax { .. } => companions(initial.draw()?.as_ref(), config.seed)?,
            _ => Vec::new(),
        };
        Ok(Self { config, iteration, units, initial, game, flow, critic, companions })
    }

    /// The same model for points in the units of its training.
    #[must_use]
    pub fn in_training_units(&self) -> Self
    where
        N: Clone,
    {
        Self { units: Units::Same, ..self.clone() }
    }

    /// The dimension d of the points.
    pub fn dim(&self) -> usize {
        self.game.flow.dim()
    }

    /// `n` initial points from the stream of `seed`, [n, d].
    ///
    /// # Errors
    /// What reading handwritten digits reports, where the run begins with them.
    pub fn initial(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        Ok(self.units.restored(self.initial.sample(n, seed)?.view()))
    }

    /// Moves the rows of `start` by `steps` Euler steps, in single precision as in training; noise comes from the
    /// stream of `seed`.
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
        let mut x = self.units.scaled(start).mapv(|z| z as f32);
        let horizon = objective.horizon as f32;
        if objective.noise > 0.0 {
            let mut rng = stream(seed, name::NOISE, 0);
            let normal = || StandardNormal.sample(&mut rng);
            euler_maruyama(
                &mut field,
                objective.noise as f32,
                (horizon, steps),
                x.view_mut(),
                normal,
                |_, _, _| {},
            )?;
        } else {
            integrate(&mut field, Scheme::Euler, horizon, steps, x.view_mut(), |_, _, _| {})?;
        }
        Ok(self.units.restored(x.mapv(f64::from).view()))
    }

    /// `n` generated points from the streams of `seed`, one a row.
    ///
    /// # Errors
    /// As [`FlowModel::push_forward`].
    pub fn sample(&self, n: usize, steps: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        self.push_forward(self.initial(n, seed)?.view(), steps, seed)
    }

    /// The trajectory of `steps` Euler steps from the rows of `start`, recorded in double precision; noise comes from
    /// the stream of the run's seed.
    ///
    /// # Errors
    /// [`TrainError::Record`] when a value is not finite or the points do not fit.
    pub fn trajectory(&self, start: ArrayView2<'_, f64>, steps: usize) -> Result<Trajectory, TrainError> {
        let mut rng = stream(self.config.seed, name::NOISE, 0);
        let normal = || StandardNormal.sample(&mut rng);
        let start = self.units.scaled(start);
        let networks = self.networks();
        let trajectory =
            record::trajectory(&self.game, networks, &self.companions, start.view(), steps, normal)?;
        Ok(self.units.trajectory(trajectory)?)
    }

    fn networks(&self) -> Networks<'_, f32> {
        Networks { flow: &self.flow, critic: &self.critic }
    }

    /// ‖∇φ‖ at each row of `points`.
    ///
    /// # Errors
    /// [`TrainError::Flow`] when the points do not fit the critic.
    pub fn critic_slopes(&self, points: ArrayView2<'_, f64>) -> Result<Vec<f64>, TrainError> {
        let points = self.units.scaled(points);
        let slopes = record::critic_slopes(&self.game.critic, &self.critic, points.view())?;
        Ok(slopes.into_iter().map(|slope| self.units.scale() * slope).collect())
    }
}
