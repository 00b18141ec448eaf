//! A trained flow: samples, trajectories and slopes of its averaged networks.

use super::Initial;
use super::explicit::ExplicitModel;
use super::game::GameModel;
use super::ot_flow::OtFlowModel;
use super::{Model, fitting, matching};
use crate::TrainError;
use crate::checkpoint::Stored;
use crate::config::FlowConfig;
use crate::remembered::COMPANIONS_OF_A_STATE;
use crate::run::{newest_state, stored};
use crate::source::{Conditions, Inputs, Units, name};
use datasets::stream;
use flows::FlowError;
use flows::affine::Affine;
use flows::counted::Counted;
use flows::critic::Critic;
use flows::flow::{Flow, Representation};
use flows::game::Game;
use flows::integrate::{Scheme, euler_maruyama, integrate};
use flows::matching::VelocityFlow;
use flows::network::Network;
use flows::record;
use flows::scalar_field::ScalarField;
use mfg::Trajectory;
use ndarray::{Array2, ArrayView2};
use rand_distr::{Distribution, StandardNormal};
use std::path::Path;

/// The averaged networks of a flow, with its configuration and its initial points; all points are in the user's units.
#[derive(Debug, Clone)]
pub struct FlowModel<N = Network> {
    /// The configuration of the run.
    pub config: FlowConfig,
    /// Iterations done.
    pub iteration: u64,
    /// The user's units.
    pub units: Units,
    pub(super) initial: Initial,
    /// What it is conditioned on.
    pub(super) condition: Option<Conditions>,
    pub(crate) trained: Trained<N>,
}

/// What was trained.
#[derive(Debug, Clone)]
pub(crate) enum Trained<N> {
    /// Both sides of a game.
    Game(Box<GameModel<N>>),
    /// A potential at time 0.
    Explicit(Box<ExplicitModel>),
    /// A velocity without a critic.
    Matching(Box<VelocityFlow>),
    /// A normalising flow.
    OtFlow(Box<OtFlowModel>),
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
        let dim = state.size("dimension")?;
        let condition = Conditions::stored(&state)?;
        let dim = dim - condition.as_ref().map_or(0, Conditions::width).min(dim);
        let points = |config: &FlowConfig| -> Result<(Initial, Units), TrainError> {
            let units = Units::stored(&state)?;
            let places = (folder, data_sets);
            Ok((Initial::stored(places, &config.initial, config.seed, (dim, &units))?, units))
        };
        match config.representation {
            Representation::Explicit(_) => {
                let (explicit, points) = (ExplicitModel::stored(&config, &state)?, points(&config)?);
                let model = Self::explicit(config, explicit, state.counter("iteration")?, points);
                return Ok(model.conditioned(condition));
            }
            Representation::Matching(_) => {
                let (flow, points) = (matching::stored(&config, &state)?, points(&config)?);
                return Ok(Self::matching(config, flow, state.counter("iteration")?, points));
            }
            Representation::OtFlow(_) => {
                let (flow, points) = (OtFlowModel::stored(&config, &state)?, points(&config)?);
                return Ok(Self::ot_flow(config, flow, state.counter("iteration")?, points));
            }
            _ => {}
        }
        let affine = config.stored_coordinates(&state)?;
        let game = config.game(affine.rank())?;
        Self::of_state(folder, config, (game, affine), &state, data_sets)
    }
}

impl<N> FlowModel<N> {
    /// A trained explicit flow.
    pub(crate) fn explicit(
        config: FlowConfig,
        explicit: ExplicitModel,
        iteration: u64,
        (initial, units): (Initial, Units),
    ) -> Self {
        Self {
            config,
            iteration,
            units,
            initial,
            condition: None,
            trained: Trained::Explicit(Box::new(explicit)),
        }
    }

    /// The same model of points with a condition.
    pub(crate) fn conditioned(self, condition: Option<Conditions>) -> Self {
        Self { condition, ..self }
    }

    /// A trained velocity without a critic.
    pub(crate) fn matching(
        config: FlowConfig,
        flow: VelocityFlow,
        iteration: u64,
        (initial, units): (Initial, Units),
    ) -> Self {
        Self {
            config,
            iteration,
            units,
            initial,
            condition: None,
            trained: Trained::Matching(Box::new(flow)),
        }
    }

    /// A trained normalising flow.
    pub(crate) fn ot_flow(
        config: FlowConfig,
        flow: OtFlowModel,
        iteration: u64,
        (initial, units): (Initial, Units),
    ) -> Self {
        Self { config, iteration, units, initial, condition: None, trained: Trained::OtFlow(Box::new(flow)) }
    }

    /// The same model for points in the units of its training.
    #[must_use]
    pub fn in_training_units(&self) -> Self
    where
        N: Clone,
    {
        Self { units: Units::Same, ..self.clone() }
    }

    /// Points, with their condition where there is one, in the units of the training.
    pub(super) fn scaled(&self, points: ArrayView2<'_, f64>) -> Result<Array2<f64>, FlowError> {
        fitting(points, (self.dim(), self.width() - self.dim()), &self.units)
    }

    /// What the points are conditioned on. Then every row of points that the model takes or gives is (x, c): d coordinates,
    /// and after them the condition as networks see it ([`FlowModel::given`]).
    pub fn condition(&self) -> Option<&Conditions> {
        self.condition.as_ref()
    }

    /// The rows (x, c) of points, [n, d], under conditions as their user writes them, [n, columns] or [1, columns] for all.
    ///
    /// # Errors
    /// [`TrainError::Flow`] for a flow without a condition, points of another dimension and another number of conditions;
    /// what [`Conditions::encoded`] reports.
    pub fn given(
        &self,
        points: ArrayView2<'_, f64>,
        conditions: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, TrainError> {
        let wrong = |what: &str, found: usize, remedy: String| FlowError::Specification {
            what: what.into(),
            found: found.to_string(),
            remedy,
        };
        let Some(condition) = &self.condition else {
            let remedy = "leave it out: the flow was trained without one".into();
            return Err(wrong("the number of conditions", conditions.nrows(), remedy).into());
        };
        let points = fitting(points, (self.dim(), 0), &Units::Same)?;
        let Some(conditions) = conditions.broadcast((points.nrows(), conditions.ncols())) else {
            let remedy = format!("give one for all points, or one for each of {}", points.nrows());
            return Err(wrong("the number of conditions", conditions.nrows(), remedy).into());
        };
        Ok(Conditions::beside(&points, &condition.encoded(conditions)?))
    }

    /// x of rows (x, c); all of a row of a flow without a condition.
    pub fn coordinates<'a>(&self, rows: ArrayView2<'a, f64>) -> ArrayView2<'a, f64> {
        match &self.condition {
            Some(condition) => condition.coordinates(rows),
            None => rows,
        }
    }

    /// The rows of `start`, [n, d], at which the map of an explicit flow is optimal, and their share: from the end of
    /// its path the search for the critic finds the particle itself. None of other representations.
    ///
    /// # Errors
    /// [`TrainError::Flow`] for points of another dimension.
    pub fn optimal(&self, start: ArrayView2<'_, f64>) -> Result<Option<(Array2<f64>, f64)>, TrainError> {
        match &self.trained {
            Trained::Explicit(model) => {
                let (optimal, share) = model.optimal(self.scaled(start)?.view())?;
                Ok(Some((self.units.restored(optimal.view()), share)))
            }
            _ => Ok(None),
        }
    }

    /// Steps of a sample, Runge–Kutta steps of an OT-Flow and Euler steps of all others: those that the configuration names; one of a Hopf–Lax flow, which is exact.
    pub fn steps(&self) -> usize {
        match self.config.representation {
            Representation::HopfLax(_) => 1,
            _ => self.config.sampling.steps,
        }
    }

    /// The dimension d of the points, without a condition.
    pub fn dim(&self) -> usize {
        self.width() - self.condition.as_ref().map_or(0, Conditions::width)
    }

    /// The coordinates of a row: those of a point and of its condition.
    pub fn width(&self) -> usize {
        match &self.trained {
            Trained::Game(players) => players.affine.dim(),
            Trained::Explicit(model) => model.width(),
            Trained::Matching(flow) => flow.velocity.dim(),
            Trained::OtFlow(flow) => flow.dim(),
        }
    }
}

impl<N: ScalarField> FlowModel<N> {
    /// Loads a run whose critic was a network of its own ([`crate::Run::critic`]).
    ///
    /// # Errors
    /// As [`FlowModel::load`], and [`TrainError::Checkpoint`] for another network than that of the run.
    pub fn load_with_critic(folder: &Path, network: N) -> Result<Self, TrainError> {
        let (config, state) = (stored::<FlowConfig>(folder)?, newest_state(folder)?);
        let affine = config.stored_coordinates(&state)?;
        let game = config.game(affine.rank())?.with_critic(network)?;
        Self::of_state(folder, config, (game, affine), &state, &Inputs::default().data_sets)
    }

    fn of_state(
        folder: &Path,
        config: FlowConfig,
        (game, affine): (Game<N>, Affine),
        state: &Stored,
        data_sets: &Path,
    ) -> Result<Self, TrainError> {
        let average = |player: &str, count: usize| state.fitting(&format!("{player}.average"), count);
        let (flow, critic) = (
            average("potential", game.flow.parameter_count())?,
            average("critic", game.critic.network.parameter_count())?,
        );
        let companions = match game.flow {
            Flow::HopfLax { .. } => state.floats(COMPANIONS_OF_A_STATE)?,
            _ => Vec::new(),
        };
        let units = Units::stored(state)?;
        let places = (folder, data_sets);
        let initial = Initial::stored(places, &config.initial, config.seed, (affine.dim(), &units))?;
        let earlier = config.stored_snapshots(state)?;
        let trained = GameModel { game, affine, earlier, flow, critic, companions };
        Ok(Self::of_game(config, trained, state.counter("iteration")?, (initial, units)))
    }

    /// A trained game.
    pub(crate) fn of_game(
        config: FlowConfig,
        trained: GameModel<N>,
        iteration: u64,
        (initial, units): (Initial, Units),
    ) -> Self {
        Self { config, iteration, units, initial, condition: None, trained: Trained::Game(Box::new(trained)) }
    }

    /// `n` initial points from the stream of `seed`, [n, d], of a conditional flow with conditions of the data.
    ///
    /// # Errors
    /// What reading handwritten digits reports, where the run begins with them.
    pub fn initial(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        let points = self.unconditional_initial(n, seed)?;
        Ok(match &self.condition {
            Some(condition) => {
                let conditions = condition.draw(n, &mut stream(seed, name::CONDITION, 0));
                Conditions::beside(&points, &conditions)
            }
            None => points,
        })
    }

    /// The model whose samples the initial points are, where they are of a run.
    pub fn initial_run(&self) -> Option<&Model> {
        self.initial.run()
    }

    /// `n` initial points from the stream of `seed` without their conditions, [n, d].
    ///
    /// # Errors
    /// As [`FlowModel::initial`].
    pub fn unconditional_initial(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
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
        self.push_forward_telling(start, steps, seed, &|_| {})
    }

    /// [`FlowModel::push_forward`], where `moved` hears how many points a Hopf–Lax flow, whose points take longest, has
    /// moved since it was last told.
    ///
    /// # Errors
    /// As [`FlowModel::push_forward`].
    pub fn push_forward_telling(
        &self,
        start: ArrayView2<'_, f64>,
        steps: usize,
        seed: u64,
        moved: &(dyn Fn(usize) + Sync),
    ) -> Result<Array2<f64>, TrainError> {
        let players = match &self.trained {
            Trained::Game(players) => players,
            // Exact in any number of steps.
            Trained::Explicit(model) => {
                return Ok(self
                    .units
                    .restored(model.push_forward(self.scaled(start)?.view(), steps)?.view()));
            }
            Trained::Matching(flow) => {
                let ends = matching::push_forward(flow, self.scaled(start)?.view(), steps)?;
                return Ok(self.units.restored(ends.view()));
            }
            Trained::OtFlow(flow) => {
                let ends = flow.push_forward(self.scaled(start)?.view(), steps)?;
                return Ok(self.units.restored(ends.view()));
            }
        };
        let objective = &players.game.objective;
        let mut x = self.scaled(start)?.mapv(|z| z as f32);
        if matches!(players.game.flow, Flow::HopfLax { .. }) {
            let ends = players.based(&players.game).ends(x.view(), steps, moved)?;
            return Ok(self.units.restored(ends.mapv(f64::from).view()));
        }
        let mut field = players.game.field(players.networks(), &[])?;
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
        let players = match &self.trained {
            Trained::Game(players) => players,
            Trained::Explicit(model) => {
                let trajectory = model.trajectory(self.scaled(start)?.view(), steps)?;
                return Ok(self.units.trajectory(trajectory)?);
            }
            Trained::Matching(flow) => {
                let trajectory = flow.trajectory(self.scaled(start)?.view(), steps)?;
                return Ok(self.units.trajectory(trajectory)?);
            }
            Trained::OtFlow(flow) => {
                let trajectory = flow.trajectory(self.scaled(start)?.view(), steps)?;
                return Ok(self.units.trajectory(trajectory)?);
            }
        };
        let start = self.scaled(start)?;
        if !players.is_plain() {
            return Ok(self
                .units
                .trajectory(players.based(&players.game).trajectory(start.view(), steps)?)?);
        }
        let mut rng = stream(self.config.seed, name::NOISE, 0);
        let normal = || StandardNormal.sample(&mut rng);
        let networks = players.networks();
        let trajectory =
            record::trajectory(&players.game, networks, &players.companions, start.view(), steps, normal)?;
        Ok(self.units.trajectory(trajectory)?)
    }

    /// ‖∇φ‖ at each row of `points`.
    ///
    /// # Errors
    /// [`TrainError::Flow`] when the points do not fit the critic, and for a flow without one.
    pub fn critic_slopes(&self, points: ArrayView2<'_, f64>) -> Result<Vec<f64>, TrainError> {
        let points = self.scaled(points)?;
        let slopes = match &self.trained {
            Trained::Game(players) if players.affine.is_identity() => {
                record::critic_slopes(&players.game.critic, &players.critic, points.view())?
            }
            Trained::Game(players) => {
                let slopes = players.based(&players.game).critic_gradient(points.view())?;
                slopes.rows().into_iter().map(|slope| slope.dot(&slope).sqrt()).collect()
            }
            Trained::Explicit(model) => model.critic_slopes(points.view())?,
            Trained::Matching(_) | Trained::OtFlow(_) => return Err(matching::without_critic()),
        };
        Ok(slopes.into_iter().map(|slope| self.units.scale() * slope).collect())
    }
}

impl<N: ScalarField> FlowModel<N> {
    /// The trained numbers of all its networks.
    pub fn parameter_count(&self) -> usize {
        match &self.trained {
            // Where searches follow earlier critics these are needed, and no network proposes.
            Trained::Game(players) if !players.earlier.is_empty() => {
                players.earlier.len() + players.critic.len()
            }
            Trained::Game(players) => players.flow.len() + players.critic.len(),
            Trained::Explicit(model) => model.parameter_count(),
            Trained::Matching(flow) => flow.parameters.len(),
            Trained::OtFlow(flow) => flow.parameter_count(),
        }
    }

    /// Evaluations of networks that a sample takes in `steps` steps, mean over the rows of `start`, [n, d].
    ///
    /// One of the flow's network for each step, and what is counted of the critic: a Hopf–Lax flow asks its network once
    /// and searches the critic for each point, an explicit flow asks for one gradient whatever the steps; a Runge–Kutta step of an OT-Flow asks four times. Complexity: that of moving the points.
    ///
    /// # Errors
    /// As [`FlowModel::push_forward`].
    pub fn evaluations(&self, start: ArrayView2<'_, f64>, steps: usize) -> Result<f64, TrainError> {
        let players = match &self.trained {
            Trained::Game(players) => players,
            Trained::Explicit(_) => return Ok(1.0),
            Trained::Matching(_) => return Ok(steps as f64),
            Trained::OtFlow(_) => return Ok(4.0 * steps as f64),
        };
        let Game { critic, flow, objective } = &players.game;
        let own = match flow {
            Flow::HopfLax { .. } => usize::from(players.earlier.is_empty()),
            _ => steps,
        };
        let network = Counted::new(&critic.network);
        let &Critic { objective: dual, bound, lipschitz, .. } = critic;
        let critic = Critic { network, objective: dual, bound, lipschitz };
        let game = Game { critic, flow: flow.clone(), objective: *objective };
        let x = self.scaled(start)?.mapv(|z| z as f32);
        players.based(&game).ends(x.view(), steps, &|_| {})?;
        Ok(own as f64 + game.critic.network.evaluations() as f64 / start.nrows().max(1) as f64)
    }
}
