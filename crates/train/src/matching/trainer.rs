//! One iteration: pairs of a minibatch are looked at at random times, and the velocity descends its regression.

use super::pairs::{Rectified, coupled};
use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::FlowConfig;
use crate::coordinates::AFFINE;
use crate::player::{Player, finite};
use crate::source::{Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::FlowError;
use flows::affine::Affine;
use flows::device::Device;
use flows::flow::Representation;
use flows::matching::{MatchingDescription, PairBatch, Regression, VelocityFlow};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

/// The state of a training in memory.
pub struct Trainer {
    config: FlowConfig,
    description: MatchingDescription,
    source: Source,
    /// The coordinates that the velocity departs from.
    affine: Affine,
    regression: Regression,
    /// The pairs of the part of the training that is going on, where the flow has made them.
    pairs: Option<Rectified>,
    /// The network.
    pub player: Player,
    /// Iterations done.
    pub iteration: u64,
}

/// The description of a flow that is trained by flow matching.
pub(crate) fn description(config: &FlowConfig) -> Result<&MatchingDescription, TrainError> {
    match &config.representation {
        Representation::Matching(description) => Ok(description),
        other => Err(FlowError::Specification {
            what: "representation.kind".into(),
            found: other.kind().into(),
            remedy: "take matching".into(),
        }
        .into()),
    }
}

impl Trainer {
    /// Draws initial parameters.
    ///
    /// # Errors
    /// [`TrainError::Flow`] when the network cannot be built, and for another device than the CPU.
    pub fn new(config: &FlowConfig, source: Source, device: Device) -> Result<Self, TrainError> {
        if device != Device::Cpu {
            let reason = "flow matching is trained on the CPU: take `cpu`".into();
            return Err(FlowError::Device { device: device.to_string(), reason }.into());
        }
        let description = description(config)?.clone();
        let affine = config.coordinates(&source)?;
        let regression = description.regression(&affine, config.flow.horizon)?;
        let parameters = regression.velocity().initial(&mut stream(config.seed, name::VELOCITY, 0));
        Ok(Self {
            player: Player::new(parameters),
            config: config.clone(),
            description,
            source,
            affine,
            regression,
            pairs: None,
            iteration: 0,
        })
    }

    /// The training data and the initial points.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The flow of the averaged network.
    pub fn flow(&self) -> VelocityFlow {
        VelocityFlow {
            velocity: self.regression.velocity().clone(),
            horizon: self.config.flow.horizon,
            parameters: self.player.average.clone(),
        }
    }

    /// The learning rate of an iteration: each part of the training has its schedule to itself.
    pub(super) fn rate(&self, iteration: u64) -> f64 {
        let length = self.part_length();
        let progress = (iteration % length) as f64 / length as f64;
        self.config.training.optimiser.rate(progress)
    }

    /// Iterations of a part: the training and its rectifications have equally many, the last one the rest.
    fn part_length(&self) -> u64 {
        let parts = self.description.rectifications as u64 + 1;
        self.config.training.iterations.div_ceil(parts).max(1)
    }

    /// One iteration; returns the loss.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when the loss or its gradient is not finite.
    pub fn step(&mut self) -> Result<f64, StepError> {
        let training = self.config.training;
        let (part, within) = (self.iteration / self.part_length(), self.iteration % self.part_length());
        if part > 0 && within == 0 {
            let (initial, seed) = (&self.source.initial, self.config.seed);
            self.pairs = Some(Rectified::new(initial, (&self.flow(), &self.affine), seed, part)?);
        }
        let mut rng = stream(self.config.seed, name::ITERATION, self.iteration);
        let (start, end) = match &self.pairs {
            Some(pairs) => pairs.batch(training.batch, &mut rng),
            None => {
                let (start, end) =
                    coupled(&self.source, self.description.coupling, training.batch, &mut rng)?;
                // A flow onto a plane of fewer dimensions ends at what the data are there.
                (start, self.affine.feet(end)?)
            }
        };
        let shares: Vec<f32> = (0..training.batch).map(|_| rng.random()).collect();
        let noise = self.noise(start.len(), &mut rng);
        let batch = PairBatch { start: &start, end: &end, shares: &shares, noise: &noise };
        let mut gradient = vec![0.0; self.player.parameters.len()];
        let loss = self.regression.gradient(&self.player.parameters, batch, &mut gradient)?;
        finite("loss of the velocity", loss)?;
        let rate = self.rate(self.iteration);
        self.player.descend(&training.optimiser, rate, training.average, gradient)?;
        self.iteration += 1;
        Ok(loss)
    }

    fn noise(&self, numbers: usize, rng: &mut impl Rng) -> Vec<f32> {
        let numbers = if self.description.sigma > 0.0 { numbers } else { 0 };
        (0..numbers).map(|_| StandardNormal.sample(rng)).collect()
    }

    /// Writes the whole state into `state`, the number of iterations aside.
    pub fn store(&self, state: &mut State) {
        state.counter("dimension", self.source.dim() as u64);
        self.source.units.store(state);
        if !self.affine.is_identity() {
            state.doubles(AFFINE, &self.affine.numbers());
        }
        state.player("velocity", &self.player);
        if let Some(pairs) = &self.pairs {
            pairs.store(state);
        }
    }

    /// Takes the state of a training of the same configuration, `iteration` iterations old.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when it is of another training.
    pub fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        // The last iteration tells the part that the pairs are of.
        let part = iteration.saturating_sub(1) / self.part_length();
        self.pairs = Rectified::stored(stored, &self.source.initial, self.config.seed, part)?;
        stored.player("velocity", &mut self.player)?;
        self.iteration = iteration;
        Ok(())
    }
}
