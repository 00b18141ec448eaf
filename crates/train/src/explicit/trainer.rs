//! One iteration: the critic is searched at a minibatch of data points, then the dual is ascended.

use super::deck::Deck;
use super::start::{affine, description, pool};
use crate::TrainError;
use crate::backend;
use crate::checkpoint::{State, Stored};
use crate::config::FlowConfig;
use crate::player::{Player, finite};
use crate::source::{Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::critic::CriticObjective;
use flows::device::Device;
use flows::explicit::{Backend, Batch, DualGame, DualReport, ExplicitFlow};
use ndarray::{Array2, ArrayViewMut2, Axis};

/// Remembered ends that stand beside a trained flow, for its searches.
const COMPANIONS: usize = 512;

/// The state of a training in memory.
pub struct Trainer {
    config: FlowConfig,
    source: Source,
    game: DualGame,
    backend: Box<dyn Backend>,
    /// The data, [m, d].
    pool: Array2<f32>,
    /// x′ where the search of each data point ended the last time, [m, k].
    ends: Array2<f32>,
    deck: Deck,
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
        let pool = pool(&source, config.seed)?;
        let affine = affine(description.base, &source, &pool, config.seed)?;
        let shape = (pool.nrows(), affine.rank());
        let ends = rows(shape, affine.ends(&numbers(&pool))?);
        let flow = description.build(affine, &config.flow, config.critic.bound)?;
        let objective =
            CriticObjective { divergence: config.critic.divergence, weight: config.critic.divergence_weight };
        let network = flow.network();
        let parameters = network.initialisation().draw(network, &mut stream(config.seed, name::POTENTIAL, 0));
        let game = DualGame { flow, objective, stop: description.stop() };
        Ok(Self {
            backend: backend::of_dual(game.clone(), device)?,
            deck: Deck::new(pool.nrows(), config.seed),
            player: Player::new(parameters),
            config: config.clone(),
            source,
            game,
            pool,
            ends,
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

    /// Some of the remembered ends, x′ in rows of k numbers.
    pub(super) fn companions(&self) -> Vec<f32> {
        companions(&numbers(&self.ends), self.ends.ncols())
    }

    /// One iteration.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when the dual or its gradient is not finite.
    pub fn step(&mut self) -> Result<DualReport, StepError> {
        let training = &self.config.training;
        let rows = self.deck.batch(self.iteration, training.batch);
        let take = |from: &Array2<f32>| from.select(Axis(0), &rows).into_raw_vec_and_offset().0;
        let (target, mut ends) = (take(&self.pool), take(&self.ends));
        self.backend.search(&self.player.parameters, &target, &mut ends)?;
        remember(self.ends.view_mut(), &rows, &ends);
        let mut rng = stream(self.config.seed, name::ITERATION, self.iteration);
        let start = self.source.initial.batch(training.batch, &mut rng)?;
        let batch = Batch { start: &start, target: &target, ends: &ends };
        let mut gradient = vec![0.0; self.player.parameters.len()];
        let report = self.backend.gradient(&self.player.parameters, batch, &mut gradient)?;
        finite("dual of the game", report.value)?;
        let rate = training.optimiser.rate(training.progress(self.iteration));
        self.player.descend(&training.optimiser, rate, training.average, gradient)?;
        self.iteration += 1;
        Ok(report)
    }

    /// Writes the whole state into `state`, the number of iterations aside.
    pub fn store(&self, state: &mut State) {
        state.counter("dimension", self.source.dim() as u64);
        self.source.units.store(state);
        state.player("potential", &self.player);
        state.doubles("affine", &self.game.flow.affine().numbers());
        state.floats("ends", &numbers(&self.ends));
    }

    /// Takes the state of a training of the same configuration, `iteration` iterations old.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when it is of another training.
    pub fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        let ends = stored.fitting("ends", self.ends.len())?;
        stored.player("potential", &mut self.player)?;
        self.ends = rows(self.ends.dim(), ends);
        self.iteration = iteration;
        Ok(())
    }
}

/// Some of the rows of `rank` numbers, evenly chosen.
pub(crate) fn companions(ends: &[f32], rank: usize) -> Vec<f32> {
    let rank = rank.max(1);
    let every = (ends.len() / rank).div_ceil(COMPANIONS).max(1);
    ends.chunks_exact(rank).step_by(every).flatten().copied().collect()
}

/// The rows one after the other.
fn numbers(rows: &Array2<f32>) -> Vec<f32> {
    rows.iter().copied().collect()
}

/// An array of this shape from as many numbers.
fn rows(shape: (usize, usize), numbers: Vec<f32>) -> Array2<f32> {
    Array2::from_shape_vec(shape, numbers).unwrap_or_else(|_| unreachable!("one row for each data point"))
}

/// Writes the rows of `ends` over those of the same numbers.
fn remember(mut all: ArrayViewMut2<'_, f32>, numbers: &[usize], ends: &[f32]) {
    let width = all.ncols().max(1);
    for (&number, end) in numbers.iter().zip(ends.chunks_exact(width)) {
        all.row_mut(number).iter_mut().zip(end).for_each(|(old, &new)| *old = new);
    }
}
