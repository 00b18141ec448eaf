//! One iteration of the game: several ascent steps of the critic, then one descent step of the flow.
//!
//! Source: arXiv 2407.11901, eq. (10) and its adversarial training; here the kinetic energy is differentiated through
//! the whole trajectory.

use crate::TrainError;
use crate::backend;
use crate::checkpoint::{State, Stored};
use crate::config::{FlowConfig, Optimiser};
use crate::coordinates::{AFFINE, affine};
use crate::player::{Player, finite};
use crate::remembered::{Remembered, pool};
use crate::source::{Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::FlowError;
use flows::affine::{Affine, Base};
use flows::critic::{CriticBatch, CriticValue};
use flows::device::Device;
use flows::error::array2;
use flows::flow::{FlowValue, Paths, Representation};
use flows::game::{Backend, Game, Native, Networks};
use flows::hopf_lax::{Curvature, Stop};
use flows::scalar_field::ScalarField;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

impl FlowConfig {
    /// The networks and objectives of this configuration in dimension `dim`, that of its coordinates.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a value outside its domain.
    pub fn game(&self, dim: usize) -> Result<Game, FlowError> {
        Game::new(&self.flow, &self.representation, &self.critic, dim)
    }

    /// The coordinates between which the flow is learnt: those that its base asks for.
    pub(crate) fn coordinates(&self, source: &Source) -> Result<Affine, TrainError> {
        match self.representation.base() {
            (Base::Identity, _) => Ok(Affine::identity(source.dim())),
            base => affine(base, source, &pool(&source.data, self.seed, 0)?, self.seed),
        }
    }

    /// The critics that [`Trainer::store`] has written, one after the other.
    pub(crate) fn stored_snapshots(&self, stored: &Stored) -> Result<Vec<f32>, TrainError> {
        match &self.representation {
            Representation::HopfLax(flow) if flow.snapshots > 0 => stored.floats(EARLIER),
            _ => Ok(Vec::new()),
        }
    }

    /// The coordinates that a training has written.
    pub(crate) fn stored_coordinates(&self, stored: &Stored) -> Result<Affine, TrainError> {
        let dim = stored.size("dimension")?;
        match self.representation.base() {
            (Base::Identity, _) => Ok(Affine::identity(dim)),
            (Base::Gaussian, _) => Ok(Affine::of_numbers(dim, &stored.doubles(AFFINE)?)?),
        }
    }
}

/// The array of a stored state that has the critics that were kept.
const EARLIER: &str = "earlier";

/// What one iteration measured on its own minibatches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// The last critic update.
    pub critic: CriticValue,
    /// The flow update; none where no network proposes ends.
    pub flow: Option<FlowValue>,
    /// Euler steps of this iteration.
    pub steps: usize,
}

/// Both players and the backend that computes their gradients: one update of each on given minibatches.
pub struct Players {
    backend: Box<dyn Backend>,
    /// The search for the ends of paths before the critic learns from them, where the flow needs one.
    refinement: Option<Stop>,
    /// The flow's side.
    pub flow: Player,
    /// The critic's side.
    pub critic: Player,
}

impl Players {
    /// The players of `game` at the initial parameters of the flow's network and of the critic's.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when the critic's network is not one for its Lipschitz method, [`FlowError::Shape`]
    /// when the parameters are not of the networks.
    pub fn new<N: ScalarField>(
        game: &Game<N>,
        backend: Box<dyn Backend>,
        flow: Vec<f32>,
        critic: Vec<f32>,
    ) -> Result<Self, FlowError> {
        let refinement = game.flow.refinement();
        Ok(Self {
            backend,
            refinement,
            flow: Player::new(flow),
            critic: Player::critic(&game.critic, critic)?,
        })
    }

    /// The ends of `paths`, [n, d]; the critic is the one that its network uses ([`Player::effective`]).
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    pub fn push_forward(&mut self, critic: &[f32], paths: Paths<'_, f32>) -> Result<Vec<f32>, FlowError> {
        self.backend.push_forward(Networks { flow: &self.flow.parameters, critic }, paths)
    }

    /// Searches for the ends of the paths from `start`, [n, d], from where they are, if the flow needs it; `curvature` is
    /// that of earlier searches.
    ///
    /// # Errors
    /// As [`Players::push_forward`].
    pub fn refine(
        &mut self,
        critic: &[f32],
        start: &[f32],
        ends: &mut [f32],
        curvature: &mut Curvature,
    ) -> Result<(), FlowError> {
        match self.refinement {
            Some(stop) => self.backend.refine(critic, start, ends, curvature, stop),
            None => Ok(()),
        }
    }

    /// One ascent step of the critic, of which its network uses `critic`, on a minibatch.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when the objective or the gradient is not finite, [`StepError::Failed`] when a buffer
    /// does not fit.
    pub fn ascend(
        &mut self,
        critic: &[f32],
        points: CriticBatch<'_, f32>,
        (optimiser, rate, average): (&Optimiser, f64, f64),
    ) -> Result<CriticValue, StepError> {
        let mut gradient = vec![0.0; critic.len()];
        let value = self.backend.critic_gradient(critic, points, &mut gradient)?;
        finite("objective of the critic", value.total())?;
        self.critic.descend(optimiser, rate, average, gradient)?;
        Ok(value)
    }

    /// One descent step of the flow along `paths`.
    ///
    /// # Errors
    /// As [`Players::ascend`].
    pub fn descend(
        &mut self,
        paths: Paths<'_, f32>,
        (optimiser, rate, average): (&Optimiser, f64, f64),
    ) -> Result<FlowValue, StepError> {
        let mut gradient = vec![0.0; self.flow.parameters.len()];
        let critic = self.critic.effective()?;
        let networks = Networks { flow: &self.flow.parameters, critic: &critic };
        let value = self.backend.flow_gradient(networks, paths, &mut gradient)?;
        finite("objective of the flow", value.total)?;
        self.flow.descend(optimiser, rate, average, gradient)?;
        Ok(value)
    }
}

/// The state of a training run in memory.
pub struct Trainer {
    config: FlowConfig,
    source: Source,
    /// The coordinates between which the game is played.
    affine: Affine,
    /// The initial points, each with the end of its path, where that is searched for.
    starts: Option<Remembered>,
    /// How many critics are kept along the training.
    snapshots: usize,
    /// Those that were, the earliest first, one after the other.
    earlier: Vec<f32>,
    /// Both players.
    pub players: Players,
    /// Iterations done.
    pub iteration: u64,
}

impl Trainer {
    /// Draws initial parameters and prepares the backend of `device`; `game` is that of the configuration in the
    /// dimension of the coordinates.
    ///
    /// # Errors
    /// [`TrainError`] when the networks cannot be built or the device is not there.
    pub fn new(
        config: &FlowConfig,
        (source, affine): (Source, Affine),
        game: &Game,
        device: Device,
    ) -> Result<Self, TrainError> {
        Self::of(config, (source, affine), game, backend::of_game(game.clone(), device)?)
    }

    /// A training of a game with a critic of any network, in native code.
    ///
    /// # Errors
    /// [`TrainError::Flow`] when the Lipschitz method needs the layers of a perceptron.
    pub fn native<N: ScalarField + Clone + 'static>(
        config: &FlowConfig,
        (source, affine): (Source, Affine),
        game: &Game<N>,
    ) -> Result<Self, TrainError> {
        Self::of(config, (source, affine), game, Box::new(Native::new(game.clone())))
    }

    fn of<N: ScalarField>(
        config: &FlowConfig,
        (source, affine): (Source, Affine),
        game: &Game<N>,
        backend: Box<dyn Backend>,
    ) -> Result<Self, TrainError> {
        let flow = game.flow.initial(&mut stream(config.seed, name::POTENTIAL, 0));
        let phi = game.critic.network.initial(&mut stream(config.seed, name::CRITIC, 0));
        let players = Players::new(game, backend, flow, phi)?;
        let starts = match players.refinement {
            Some(_) => {
                let points = pool(&source.initial, config.seed, 1)?;
                let inner = affine.beginnings(&points.iter().copied().collect::<Vec<f32>>())?;
                let points =
                    array2("the initial points in coordinates of the beginnings", inner, affine.rank())?;
                Some(Remembered::new(points.clone(), points, config.seed))
            }
            None => None,
        };
        let snapshots = match &config.representation {
            Representation::HopfLax(flow) => flow.snapshots,
            _ => 0,
        };
        let (config, earlier) = (config.clone(), Vec::new());
        Ok(Self { config, source, affine, starts, snapshots, earlier, players, iteration: 0 })
    }

    /// The training data.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The coordinates between which the game is played.
    pub(crate) fn affine(&self) -> &Affine {
        &self.affine
    }

    /// One iteration.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when a loss or gradient is not finite.
    pub fn step(&mut self) -> Result<StepReport, StepError> {
        let mut rng = stream(self.config.seed, name::ITERATION, self.iteration);
        let training = self.config.training;
        let progress = training.progress(self.iteration);
        let steps = self.config.flow.steps.draw(&mut rng);
        if self.keeps_a_snapshot() {
            self.earlier.extend_from_slice(&self.players.critic.effective()?);
        }
        let mut critic = CriticValue::default();
        for update in 0..training.critic_updates as u64 {
            let parameters = self.players.critic.effective()?;
            let generated = self.generated(&parameters, self.searches() + update, steps, &mut rng)?;
            let target = self.affine.ends(&self.source.data.batch(training.batch, &mut rng)?)?;
            let mixing: Vec<f32> = (0..training.batch).map(|_| rng.random()).collect();
            let points = CriticBatch { generated: &generated, target: &target, mixing: &mixing };
            let update =
                (&training.critic_optimiser, training.critic_optimiser.rate(progress), training.average);
            critic = self.players.ascend(&parameters, points, update)?;
        }
        let mut flow = None;
        if self.snapshots == 0 {
            let (start, noise) = self.particles(steps, &mut rng)?;
            let paths = Paths { start: &start, steps, noise: &noise };
            let update = (&training.optimiser, training.optimiser.rate(progress), training.average);
            flow = Some(self.players.descend(paths, update)?);
        }
        self.iteration += 1;
        Ok(StepReport { critic, flow, steps })
    }

    /// Whether this iteration begins with one of the critics that are kept: they cut the training into equal parts.
    fn keeps_a_snapshot(&self) -> bool {
        let (parts, iterations) = (self.snapshots as u64 + 1, self.config.training.iterations.max(1));
        let part = |iteration: u64| iteration * parts / iterations;
        self.snapshots > 0 && self.iteration > 0 && part(self.iteration) > part(self.iteration - 1)
    }

    /// The critics that were kept, the earliest first, one after the other.
    pub(crate) fn earlier(&self) -> &[f32] {
        &self.earlier
    }

    /// The generated points of critic update `number`: the ends of fresh paths; or of paths from initial points that
    /// remember their ends, each of which is proposed once, or begins at the initial point where samples do, and is
    /// then searched for where it was the last time.
    fn generated(
        &mut self,
        critic: &[f32],
        number: u64,
        steps: usize,
        rng: &mut impl Rng,
    ) -> Result<Vec<f32>, StepError> {
        let Some(starts) = &mut self.starts else {
            let (start, noise) = self.particles(steps, rng)?;
            return Ok(self.players.push_forward(critic, Paths { start: &start, steps, noise: &noise })?);
        };
        let mut hand = starts.deal(number, self.config.training.batch);
        if hand.is_first && self.snapshots == 0 {
            let paths = Paths { start: &hand.points, steps, noise: &[] };
            hand.ends = self.players.push_forward(critic, paths)?;
        }
        self.players.refine(critic, &hand.points, &mut hand.ends, &mut starts.curvature)?;
        starts.remember(&hand);
        Ok(hand.ends)
    }

    /// The latest ends of searches, y in rows of d numbers; none where nothing is searched for.
    pub(crate) fn companions(&self) -> Vec<f32> {
        let starts = self.starts.as_ref();
        starts
            .map(|starts| starts.companions(self.searches(), self.config.training.batch))
            .unwrap_or_default()
    }

    /// Minibatches of initial points that were searched for.
    fn searches(&self) -> u64 {
        self.iteration * self.config.training.critic_updates as u64
    }

    /// Writes what is remembered of earlier iterations into `state`.
    pub(crate) fn store(&self, state: &mut State) {
        if !self.affine.is_identity() {
            state.doubles(AFFINE, &self.affine.numbers());
        }
        if self.snapshots > 0 {
            state.floats(EARLIER, &self.earlier);
        }
        state.player("potential", &self.players.flow);
        state.player("critic", &self.players.critic);
        if let Some(starts) = &self.starts {
            starts.store(state, self.searches(), self.config.training.batch);
        }
    }

    /// Takes the state of a training of the same configuration, `iteration` iterations old.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when it is of another training.
    pub(crate) fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        stored.player("potential", &mut self.players.flow)?;
        stored.player("critic", &mut self.players.critic)?;
        if let Some(starts) = &mut self.starts {
            starts.restore(stored)?;
        }
        self.earlier = self.config.stored_snapshots(stored)?;
        self.iteration = iteration;
        Ok(())
    }

    /// The initial points of a minibatch and the noise of their paths, row-major.
    fn particles(&self, steps: usize, rng: &mut impl Rng) -> Result<(Vec<f32>, Vec<f32>), StepError> {
        let start = self.source.initial.batch(self.config.training.batch, rng)?;
        let start = self.affine.beginnings(&start)?;
        let numbers = if self.config.flow.noise > 0.0 { steps * start.len() } else { 0 };
        let noise = (0..numbers).map(|_| StandardNormal.sample(rng)).collect();
        Ok((start, noise))
    }
}
