//! One iteration: the critic is searched at a minibatch of data points, or a second potential stands for it; then the
//! dual is ascended.

use super::paired::Paired;
use super::start::description;
use crate::TrainError;
use crate::backend;
use crate::checkpoint::{State, Stored};
use crate::config::FlowConfig;
use crate::coordinates::{AFFINE, affine};
use crate::model::SecondPotential;
use crate::player::{Player, finite};
use crate::remembered::{Hand, Remembered, pool};
use crate::source::{Conditions, Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::FlowError;
use flows::critic::CriticObjective;
use flows::device::Device;
use flows::error::array2;
use flows::explicit::{Backend, Batch, DualGame, DualReport, ExplicitFlow};
use flows::scalar_field::ScalarField;
use metrics::Metric;
use ndarray::Array2;
use rand::Rng;

/// What one iteration measured on its own minibatches.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepReport {
    /// The dual.
    pub dual: DualReport,
    /// The penalty of two potentials.
    pub penalty: Option<f64>,
}

impl StepReport {
    /// What a record of the training holds, by name.
    pub fn named(&self) -> impl Iterator<Item = (&'static Metric, f64)> {
        let penalty = self.penalty.map(|penalty| (metrics::CRITIC_PENALTY, penalty));
        self.dual.named().into_iter().chain(penalty)
    }
}

/// The state of a training in memory.
pub struct Trainer {
    config: FlowConfig,
    source: Source,
    flow: ExplicitFlow,
    inner: Inner,
    /// The network.
    pub player: Player,
    /// Iterations done.
    pub iteration: u64,
}

/// What gives the critic at data points.
enum Inner {
    Searched(Box<Searched>),
    Paired(Box<Paired>),
}

/// Searches.
struct Searched {
    backend: Box<dyn Backend>,
    /// The data, each with the x′ where its search ended the last time.
    data: Remembered,
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
        let condition = source.condition.as_ref().map_or(0, Conditions::width);
        let flow = description.build(affine, &config.flow, config.critic.bound)?.conditioned(condition)?;
        let parameters = flow.network().initial(&mut stream(config.seed, name::POTENTIAL, 0));
        let inner = match description.potentials(&flow)? {
            Some(potentials) => {
                Inner::Paired(Box::new(Paired::new(config, potentials, (&flow, &source), device)?))
            }
            None => Inner::Searched(Box::new(Searched::new(config, &flow, pool, device)?)),
        };
        let player = Player::new(parameters);
        Ok(Self { player, config: config.clone(), source, flow, inner, iteration: 0 })
    }

    /// The training data and the initial points.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The shape of the flow.
    pub fn flow(&self) -> &ExplicitFlow {
        &self.flow
    }

    /// x′ in rows of k numbers, which searches of the trained flow consider: the latest ends.
    pub(super) fn companions(&self) -> Vec<f32> {
        match &self.inner {
            Inner::Searched(searched) => searched.data.companions(self.iteration, self.config.training.batch),
            Inner::Paired(paired) => paired.companions().to_vec(),
        }
    }

    /// The second potential, where one is trained.
    pub(super) fn second(&self) -> Option<SecondPotential> {
        match &self.inner {
            Inner::Searched(_) => None,
            Inner::Paired(paired) => Some(paired.second()),
        }
    }

    /// One iteration.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when the dual or its gradient is not finite.
    pub fn step(&mut self) -> Result<StepReport, StepError> {
        let training = &self.config.training;
        let progress = training.progress(self.iteration);
        let mut rng = stream(self.config.seed, name::ITERATION, self.iteration);
        let mut gradient = vec![0.0; self.player.parameters.len()];
        let parameters = &self.player.parameters;
        let report = match &mut self.inner {
            Inner::Searched(searched) => {
                let hand = searched.search(parameters, (self.iteration, training.batch))?;
                let start = start(&self.source, &self.flow, &hand.points, &mut rng)?;
                let batch = Batch { start: &start, target: &hand.points, ends: &hand.ends };
                let dual = searched.backend.gradient(parameters, batch, &mut gradient)?;
                StepReport { dual, penalty: None }
            }
            Inner::Paired(paired) => {
                let about = (&self.flow, &self.source);
                paired.step((&self.config, progress), about, parameters, &mut gradient, &mut rng)?
            }
        };
        finite("dual of the game", report.dual.value)?;
        let rate = training.optimiser.rate(progress);
        self.player.descend(&training.optimiser, rate, training.average, gradient)?;
        self.iteration += 1;
        Ok(report)
    }

    /// Writes the whole state into `state`, the number of iterations aside.
    pub fn store(&self, state: &mut State) {
        state.counter("dimension", self.source.dim() as u64);
        self.source.units.store(state);
        self.source.condition.iter().for_each(|conditions| conditions.store(state));
        state.player("potential", &self.player);
        state.doubles(AFFINE, &self.flow.affine().numbers());
        match &self.inner {
            Inner::Searched(searched) => {
                searched.data.store(state, self.iteration, self.config.training.batch);
            }
            Inner::Paired(paired) => paired.store(state),
        }
    }

    /// Takes the state of a training of the same configuration, `iteration` iterations old.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when it is of another training.
    pub fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        match &mut self.inner {
            Inner::Searched(searched) => searched.data.restore(stored)?,
            Inner::Paired(paired) => paired.restore(stored)?,
        }
        stored.player("potential", &mut self.player)?;
        self.iteration = iteration;
        Ok(())
    }
}

impl Searched {
    /// The searches of the points of `pool` for the critic, which begin at the ends of the Gaussian map or at the data
    /// themselves.
    fn new(
        config: &FlowConfig,
        flow: &ExplicitFlow,
        pool: Array2<f32>,
        device: Device,
    ) -> Result<Self, TrainError> {
        let ends = flow.affine().ends(&pool.iter().copied().collect::<Vec<f32>>())?;
        let ends = array2("the data in coordinates of the ends", ends, flow.affine().rank())?;
        let objective =
            CriticObjective { divergence: config.critic.divergence, weight: config.critic.divergence_weight };
        let game = DualGame { flow: flow.clone(), objective, stop: description(config)?.stop() };
        Ok(Self { backend: backend::of_dual(game, device)?, data: Remembered::new(pool, ends, config.seed) })
    }

    /// Minibatch `number` of `size` data points, with the ends of their searches.
    fn search(&mut self, parameters: &[f32], (number, size): (u64, usize)) -> Result<Hand, FlowError> {
        let mut hand = self.data.deal(number, size);
        let curvature = &mut self.data.curvature;
        self.backend.search(parameters, &hand.points, &mut hand.ends, curvature)?;
        self.data.remember(&hand);
        Ok(hand)
    }
}

/// As many initial points as there are data points in `target`.
///
/// They have the very conditions of these: so each condition weighs the same on both sides of the dual, in every
/// minibatch.
fn start(
    source: &Source,
    flow: &ExplicitFlow,
    target: &[f32],
    rng: &mut impl Rng,
) -> Result<Vec<f32>, TrainError> {
    let width = flow.affine().dim();
    if flow.condition() == 0 {
        return source.initial.batch(target.len() / width.max(1), rng);
    }
    let conditions = target.chunks_exact(width).flat_map(|row| row.iter().skip(width - flow.condition()));
    let conditions: Vec<f64> = conditions.map(|&c| c.into()).collect();
    let conditions = array2("the conditions of the data", conditions, flow.condition())?;
    Ok(source.initial.given(conditions, rng)?.iter().map(|&x| x as f32).collect())
}
