//! One iteration: the critic is searched at a minibatch of data points, then the dual is ascended.

use super::start::description;
use crate::TrainError;
use crate::backend;
use crate::checkpoint::{State, Stored};
use crate::config::FlowConfig;
use crate::coordinates::{AFFINE, affine};
use crate::player::{Player, finite};
use crate::remembered::{Remembered, pool};
use crate::source::{Conditions, Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::critic::CriticObjective;
use flows::device::Device;
use flows::error::array2;
use flows::explicit::{Backend, Batch, DualGame, DualReport, ExplicitFlow};
use flows::scalar_field::ScalarField;
use rand::Rng;

/// The state of a training in memory.
pub struct Trainer {
    config: FlowConfig,
    source: Source,
    game: DualGame,
    backend: Box<dyn Backend>,
    /// The data, each with the x′ where its search ended the last time.
    data: Remembered,
    /// The network.
    pub player: Player,
    /// Iterations done.
    pub iteration: u64,
}

impl Trainer {
    /// Draws initial parameters and what the data begin their searches with: the ends of the Gaussian map, or the data
    /// themselves.
    ///
    /// # Errors
    /// [`TrainError`] when the flow cannot be built from the configuration and the data.
    pub fn new(config: &FlowConfig, source: Source, device: Device) -> Result<Self, TrainError> {
        let description = description(config)?;
        let pool = pool(&source.data, config.seed, 0)?;
        let affine = affine((description.base, description.rank), &source, &pool, config.seed)?;
        let ends = affine.ends(&pool.iter().copied().collect::<Vec<f32>>())?;
        let ends = array2("the data in coordinates of the ends", ends, affine.rank())?;
        let condition = source.condition.as_ref().map_or(0, Conditions::width);
        let flow = description.build(affine, &config.flow, config.critic.bound)?.conditioned(condition)?;
        let objective =
            CriticObjective { divergence: config.critic.divergence, weight: config.critic.divergence_weight };
        let parameters = flow.network().initial(&mut stream(config.seed, name::POTENTIAL, 0));
        let game = DualGame { flow, objective, stop: description.stop() };
        Ok(Self {
            backend: backend::of_dual(game.clone(), device)?,
            player: Player::new(parameters),
            config: config.clone(),
            source,
            game,
            data: Remembered::new(pool, ends, config.seed),
            iteration: 0,
        })
    }

    /// The training data and the initial points.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The shape of the flow.
    pub fn flow(&self) -> &ExplicitFlow {
        &self.game.flow
    }

    /// The latest ends, x′ in rows of k numbers.
    pub(super) fn companions(&self) -> Vec<f32> {
        self.data.companions(self.iteration, self.config.training.batch)
    }

    /// One iteration.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when the dual or its gradient is not finite.
    pub fn step(&mut self) -> Result<DualReport, StepError> {
        let training = &self.config.training;
        let mut hand = self.data.deal(self.iteration, training.batch);
        let curvature = &mut self.data.curvature;
        self.backend.search(&self.player.parameters, &hand.points, &mut hand.ends, curvature)?;
        self.data.remember(&hand);
        let mut rng = stream(self.config.seed, name::ITERATION, self.iteration);
        let start = self.start(&hand.points, &mut rng)?;
        let batch = Batch { start: &start, target: &hand.points, ends: &hand.ends };
        let mut gradient = vec![0.0; self.player.parameters.len()];
        let report = self.backend.gradient(&self.player.parameters, batch, &mut gradient)?;
        finite("dual of the game", report.value)?;
        let rate = training.optimiser.rate(training.progress(self.iteration));
        self.player.descend(&training.optimiser, rate, training.average, gradient)?;
        self.iteration += 1;
        Ok(report)
    }

    /// The initial points of an iteration.
    ///
    /// They have the very conditions of its data points: so each condition weighs the same on both sides of the dual, in
    /// every minibatch.
    fn start(&self, target: &[f32], rng: &mut impl Rng) -> Result<Vec<f32>, TrainError> {
        let (initial, flow) = (&self.source.initial, self.flow());
        if flow.condition() == 0 {
            return initial.batch(self.config.training.batch, rng);
        }
        let width = flow.affine().dim();
        let conditions = target.chunks_exact(width).flat_map(|row| row.iter().skip(width - flow.condition()));
        let conditions: Vec<f64> = conditions.map(|&c| c.into()).collect();
        let conditions = array2("the conditions of the data", conditions, flow.condition())?;
        Ok(initial.given(conditions, rng)?.iter().map(|&x| x as f32).collect())
    }

    /// Writes the whole state into `state`, the number of iterations aside.
    pub fn store(&self, state: &mut State) {
        state.counter("dimension", self.source.dim() as u64);
        self.source.units.store(state);
        self.source.condition.iter().for_each(|conditions| conditions.store(state));
        state.player("potential", &self.player);
        state.doubles(AFFINE, &self.game.flow.affine().numbers());
        self.data.store(state, self.iteration, self.config.training.batch);
    }

    /// Takes the state of a training of the same configuration, `iteration` iterations old.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when it is of another training.
    pub fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        self.data.restore(stored)?;
        stored.player("potential", &mut self.player)?;
        self.iteration = iteration;
        Ok(())
    }
}
