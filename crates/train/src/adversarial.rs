//! One iteration of the game: several ascent steps of the critic, then one descent step of the flow.
//!
//! Source: arXiv 2407.11901, eq. (10) and its adversarial training; here the kinetic energy is differentiated through
//! the whole trajectory.

use crate::TrainError;
use crate::backend;
use crate::config::{FlowConfig, Optimiser};
use crate::player::{Player, finite};
use crate::source::{Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::FlowError;
use flows::critic::{CriticBatch, CriticValue};
use flows::device::Device;
use flows::flow::{FlowValue, Paths};
use flows::game::{Backend, Game, Native, Networks};
use flows::hopf_lax::Stop;
use flows::scalar_field::ScalarField;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

impl FlowConfig {
    /// The networks and objectives of this configuration in dimension `dim`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a value outside its domain.
    pub fn game(&self, dim: usize) -> Result<Game, FlowError> {
        Game::new(&self.flow, &self.representation, &self.critic, dim)
    }
}

/// What one iteration measured on its own minibatches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// The last critic update.
    pub critic: CriticValue,
    /// The flow update.
    pub flow: FlowValue,
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

    /// One ascent step of the critic between the ends of `paths` and the points `target`, [n, d], with one number of
    /// `mixing` for each pair.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when the objective or the gradient is not finite, [`StepError::Failed`] when a buffer
    /// does not fit.
    pub fn ascend(
        &mut self,
        paths: Paths<'_, f32>,
        target: &[f32],
        mixing: &[f32],
        (optimiser, rate, average): (&Optimiser, f64, f64),
    ) -> Result<CriticValue, StepError> {
        let critic = self.critic.effective()?;
        let networks = Networks { flow: &self.flow.parameters, critic: &critic };
        let mut generated = self.backend.push_forward(networks, paths)?;
        if let Some(stop) = self.refinement {
            self.backend.refine(&critic, paths.start, &mut generated, stop)?;
        }
        let mut gradient = vec![0.0; critic.len()];
        let points = CriticBatch { generated: &generated, target, mixing };
        let value = self.backend.critic_gradient(&critic, points, &mut gradient)?;
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
    /// Both players.
    pub players: Players,
    /// Iterations done.
    pub iteration: u64,
}

impl Trainer {
    /// Draws initial parameters and prepares the backend of `device`.
    ///
    /// # Errors
    /// [`TrainError`] when the networks cannot be built or the device is not there.
    pub fn new(config: &FlowConfig, source: Source, device: Device) -> Result<Self, TrainError> {
        let game = config.game(source.dim())?;
        let backend = backend::of_game(game.clone(), device)?;
        Self::of(config, source, &game, backend)
    }

    /// A training of a game with a critic of any network, in native code.
    ///
    /// # Errors
    /// [`TrainError::Flow`] when the Lipschitz method needs the layers of a perceptron.
    pub fn native<N: ScalarField + Clone + 'static>(
        config: &FlowConfig,
        source: Source,
        game: &Game<N>,
    ) -> Result<Self, TrainError> {
        Self::of(config, source, game, Box::new(Native::new(game.clone())))
    }

    fn of<N: ScalarField>(
        config: &FlowConfig,
        source: Source,
        game: &Game<N>,
        backend: Box<dyn Backend>,
    ) -> Result<Self, TrainError> {
        let flow = game.flow.initial(&mut stream(config.seed, name::POTENTIAL, 0));
        let phi = game.critic.network.initial(&mut stream(config.seed, name::CRITIC, 0));
        let players = Players::new(game, backend, flow, phi)?;
        Ok(Self { players, source, config: config.clone(), iteration: 0 })
    }

    /// The training data.
    pub fn source(&self) -> &Source {
        &self.source
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
        let mut critic = CriticValue::default();
        for _ in 0..training.critic_updates {
            let (start, noise) = self.particles(steps, &mut rng)?;
            let target = self.source.data.batch(training.batch, &mut rng)?;
            let mixing: Vec<f32> = (0..training.batch).map(|_| rng.random()).collect();
            let paths = Paths { start: &start, steps, noise: &noise };
            let update =
                (&training.critic_optimiser, training.critic_optimiser.rate(progress), training.average);
            critic = self.players.ascend(paths, &target, &mixing, update)?;
        }
        let (start, noise) = self.particles(steps, &mut rng)?;
        let paths = Paths { start: &start, steps, noise: &noise };
        let update = (&training.optimiser, training.optimiser.rate(progress), training.average);
        let flow = self.players.descend(paths, update)?;
        self.iteration += 1;
        Ok(StepReport { critic, flow, steps })
    }

    /// The initial points of a minibatch and the noise of their paths, row-major.
    fn particles(&self, steps: usize, rng: &mut impl Rng) -> Result<(Vec<f32>, Vec<f32>), StepError> {
        let start = self.source.initial.batch(self.config.training.batch, rng)?;
        let numbers = if self.config.flow.noise > 0.0 { steps * start.len() } else { 0 };
        let noise = (0..numbers).map(|_| StandardNormal.sample(rng)).collect();
        Ok((start, noise))
    }
}
