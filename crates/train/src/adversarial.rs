//! One iteration of the game: several ascent steps of the critic, then one descent step of the flow.
//!
//! Source: arXiv 2407.11901, eq. (10) and its adversarial training; here the kinetic energy is differentiated through
//! the whole trajectory.

use crate::TrainError;
use crate::config::FlowConfig;
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

    /// The same game with another network for the critic.
    ///
    /// # Errors
    /// As [`FlowConfig::game`], and for a network on points of another dimension.
    pub fn game_with<N: ScalarField>(&self, network: N, dim: usize) -> Result<Game<N>, FlowError> {
        let Game { flow, objective, .. } = self.game(dim)?;
        if network.input() != dim {
            return Err(FlowError::Specification {
                what: "the dimension of the critic's network".into(),
                found: network.input().to_string(),
                remedy: format!("give a network on points of {dim} coordinates, as the data have"),
            });
        }
        Ok(Game { critic: self.critic.with_network(network), flow, objective })
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

/// The state of a training run in memory.
pub struct Trainer {
    config: FlowConfig,
    source: Source,
    backend: Box<dyn Backend>,
    refinement: Option<Stop>,
    /// The flow's side.
    pub flow: Player,
    /// The critic's side.
    pub critic: Player,
    /// Iterations done.
    pub iteration: u64,
}

impl Trainer {
    /// Draws initial parameters and prepares the backend of `device`: native code on the CPU, libtorch on CUDA.
    ///
    /// # Errors
    /// [`TrainError`] when the networks cannot be built or the device is not there.
    pub fn new(config: &FlowConfig, source: Source, device: Device) -> Result<Self, TrainError> {
        let game = config.game(source.dim())?;
        let backend = |game: &Game| backend(game.clone(), device);
        Self::of_game(config, source, &game, backend)
    }

    /// A trainer of a game with a critic of any network, in native code.
    ///
    /// # Errors
    /// [`TrainError::Flow`] when the slope of the network cannot be held by the method of the configuration.
    pub fn native<N>(config: &FlowConfig, source: Source, game: &Game<N>) -> Result<Self, TrainError>
    where
        N: ScalarField + Clone + 'static,
    {
        Self::of_game(config, source, game, |game| Ok(Box::new(Native::new(game.clone()))))
    }

    fn of_game<N: ScalarField>(
        config: &FlowConfig,
        source: Source,
        game: &Game<N>,
        backend: impl FnOnce(&Game<N>) -> Result<Box<dyn Backend>, TrainError>,
    ) -> Result<Self, TrainError> {
        let flow = game.flow.initial(&mut stream(config.seed, name::POTENTIAL, 0));
        let phi = game.critic.network.initial(&mut stream(config.seed, name::CRITIC, 0));
        Ok(Self {
            flow: Player::new(flow),
            critic: Player::critic(&game.critic, phi)?,
            refinement: game.flow.refinement(),
            backend: backend(game)?,
            source,
            config: config.clone(),
            iteration: 0,
        })
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
        let critic_rate = training.critic_optimiser.rate(progress);
        let mut critic_value = CriticValue::default();
        for _ in 0..training.critic_updates {
            let (value, gradient) = self.critic_gradient(&mut rng, steps)?;
            self.critic.descend(&training.critic_optimiser, critic_rate, training.average, gradient)?;
            critic_value = value;
        }

        let (start, noise) = self.particles(steps, &mut rng)?;
        let mut gradient = vec![0.0; self.flow.parameters.len()];
        let critic = self.critic.effective()?;
        let networks = Networks { flow: &self.flow.parameters, critic: &critic };
        let paths = Paths { start: &start, steps, noise: &noise };
        let flow = self.backend.flow_gradient(networks, paths, &mut gradient)?;
        finite("objective of the flow", flow.total)?;
        let rate = training.optimiser.rate(progress);
        self.flow.descend(&training.optimiser, rate, training.average, gradient)?;
        self.iteration += 1;
        Ok(StepReport { critic: critic_value, flow, steps })
    }

    /// The initial points of a minibatch and the noise of their paths, row-major.
    fn particles(&self, steps: usize, rng: &mut impl Rng) -> Result<(Vec<f32>, Vec<f32>), StepError> {
        let start = self.source.initial.batch(self.config.training.batch, rng)?;
        let numbers = if self.config.flow.noise > 0.0 { steps * start.len() } else { 0 };
        let noise = (0..numbers).map(|_| StandardNormal.sample(rng)).collect();
        Ok((start, noise))
    }

    fn critic_gradient(
        &mut self,
        rng: &mut impl Rng,
        steps: usize,
    ) -> Result<(CriticValue, Vec<f32>), StepError> {
        let batch = self.config.training.batch;
        let (start, noise) = self.particles(steps, rng)?;
        let target = self.source.data.batch(batch, rng)?;
        let mixing: Vec<f32> = (0..batch).map(|_| rng.random()).collect();
        let critic = self.critic.effective()?;
        let networks = Networks { flow: &self.flow.parameters, critic: &critic };
        let paths = Paths { start: &start, steps, noise: &noise };
        let mut generated = self.backend.push_forward(networks, paths)?;
        if let Some(stop) = self.refinement {
            self.backend.refine(&critic, &start, &mut generated, stop)?;
        }
        let mut gradient = vec![0.0; critic.len()];
        let points = CriticBatch { generated: &generated, target: &target, mixing: &mixing };
        let value = self.backend.critic_gradient(&critic, points, &mut gradient)?;
        finite("objective of the critic", value.total())?;
        Ok((value, gradient))
    }
}

fn backend(game: Game, device: Device) -> Result<Box<dyn Backend>, TrainError> {
    match device {
        Device::Cpu => Ok(Box::new(Native::new(game))),
        #[cfg(feature = "torch")]
        Device::Cuda(_) => Ok(Box::new(flows::torch::Torch::new(game, device)?)),
        #[cfg(not(feature = "torch"))]
        Device::Cuda(_) => Err(FlowError::Device {
            device: device.to_string(),
            reason: "this program was built without libtorch; build it with the feature `torch`, or train on the CPU"
                .into(),
        }
        .into()),
    }
}
