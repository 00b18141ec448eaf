//! One iteration of the game: several ascent steps of the critic, then one descent step of the flow.
//!
//! Source: arXiv 2407.11901, eq. (10) and its adversarial training; here the kinetic energy is differentiated through
//! the whole trajectory.

use crate::TrainError;
use crate::config::{Config, Steps};
use crate::player::{Player, finite};
use crate::source::{Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::FlowError;
use flows::device::Device;
use flows::game::{
    Backend, CriticBatch, CriticObjective, CriticValue, FlowObjective, FlowValue, Game, Native, Networks,
    Paths, Representation,
};
use flows::generator::{Generator, GeneratorForm, GeneratorInitialisation, GeneratorOutput};
use flows::mlp::{Mlp, Output};
use flows::potential::Potential;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

impl Config {
    /// The networks and objectives of this configuration in dimension `dim`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for widths that describe no network.
    pub fn game(&self, dim: usize) -> Result<Game, FlowError> {
        let (flow, critic) = (&self.flow, &self.critic);
        let form = GeneratorForm {
            activation: flow.activation,
            batch_norm: false,
            residual: false,
            output: GeneratorOutput::Identity,
        };
        let direct = flow.representation == Representation::Velocity;
        let velocity = direct.then(|| Generator::new(dim + 1, &flow.hidden, dim, form)).transpose()?;
        let (penalty, penalty_points) = critic.lipschitz.penalty();
        Ok(Game {
            potential: Potential::new(dim, &flow.hidden, flow.activation)?,
            velocity,
            critic: Mlp::new(
                dim,
                &critic.hidden,
                critic.activation,
                Output::for_divergence(critic.divergence, critic.divergence_weight),
            )?,
            representation: flow.representation,
            critic_objective: CriticObjective {
                divergence: critic.divergence,
                divergence_weight: critic.divergence_weight,
                penalty,
                bound: critic.bound,
                penalty_points,
            },
            flow_objective: FlowObjective {
                lambda: flow.lambda,
                horizon: flow.horizon,
                kinetic: flow.kinetic,
                velocity_spread: flow.velocity_spread,
                hamilton_jacobi: flow.hamilton_jacobi,
                terminal_gradient: flow.terminal_gradient,
                characteristic: flow.characteristic,
                noise: flow.noise,
                interaction: flow.interaction,
            },
        })
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
    config: Config,
    source: Source,
    backend: Box<dyn Backend>,
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
    /// [`TrainError`] when the data cannot be had, the networks cannot be built or the device is not there.
    pub fn new(config: &Config, source: Source, device: Device) -> Result<Self, TrainError> {
        let game = config.game(source.dim())?;
        let mut rng = stream(config.seed, name::POTENTIAL, 0);
        let potential = match &game.velocity {
            Some(velocity) => GeneratorInitialisation::default().draw(velocity, &mut rng),
            None => config.flow.initialisation.draw(game.potential.net(), &mut rng),
        };
        let phi = config.critic.initialisation.draw(&game.critic, &mut stream(config.seed, name::CRITIC, 0));
        Ok(Self {
            flow: Player::new(potential),
            critic: Player::critic(&game.critic, phi, config.critic.lipschitz, config.critic.bound)?,
            backend: backend(game, device)?,
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
        let training = &self.config.training;
        let progress = self.iteration as f64 / training.iterations as f64;
        let steps = match self.config.flow.steps {
            Steps::Fixed(n) => n,
            Steps::Drawn { min, max } => rng.random_range(min..=max),
        };
        let critic_rate = training.critic.rate(progress);
        let mut last = None;
        for _ in 0..self.config.critic.updates {
            let (value, gradient) = self.critic_gradient(&mut rng, steps)?;
            let training = &self.config.training;
            self.critic.descend(&training.critic, critic_rate, training.average, gradient)?;
            last = Some(value);
        }
        let critic_value =
            last.unwrap_or(CriticValue { divergence: 0.0, penalty: 0.0, slope_mean: 0.0, slope_max: 0.0 });

        let (start, noise) = self.particles(steps, &mut rng)?;
        let mut gradient = vec![0.0; self.flow.parameters.len()];
        let critic = self.critic.effective();
        let networks = Networks { potential: &self.flow.parameters, critic: &critic };
        let paths = Paths { start: &start, steps, noise: &noise };
        let flow = self.backend.flow_gradient(networks, paths, &mut gradient)?;
        finite("objective of the flow", flow.total)?;
        let training = &self.config.training;
        self.flow.descend(&training.flow, training.flow.rate(progress), training.average, gradient)?;
        self.iteration += 1;
        Ok(StepReport { critic: critic_value, flow, steps })
    }

    /// The initial points of a minibatch and the noise of their paths, row-major.
    fn particles(&self, steps: usize, rng: &mut impl Rng) -> Result<(Vec<f32>, Vec<f32>), StepError> {
        let start = self.source.initial(self.config.training.batch, rng)?;
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
        let target = self.source.target(batch, rng);
        let mixing: Vec<f32> = (0..batch).map(|_| rng.random()).collect();
        let critic = self.critic.effective();
        let networks = Networks { potential: &self.flow.parameters, critic: &critic };
        let paths = Paths { start: &start, steps, noise: &noise };
        let mut generated = self.backend.push_forward(networks, paths)?;
        if let Some(stop) = self.config.flow.representation.refinement() {
            self.backend.refine(&critic, &start, &mut generated, stop)?;
        }
        let mut gradient = vec![0.0; critic.len()];
        let points = CriticBatch { generated: &generated, target: &target, mixing: &mixing };
        let value = self.backend.critic_gradient(&critic, points, &mut gradient)?;
        finite("objective of the critic", value.divergence - value.penalty)?;
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
            reason: "this program was built without libtorch; build it with the feature `torch`, or use --device cpu"
                .into(),
        }
        .into()),
    }
}
