//! One critic with its optimiser: an ascent step on minibatches of both laws.

use crate::TrainError;
use crate::config::{CriticConfig, CriticForm};
use crate::player::{Player, finite};
use crate::source::{Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::critic::{Critic, CriticBatch, CriticObjective, CriticValue, Workspace};
use flows::envelope::{Envelope, EnvelopeDescription};
use flows::lipschitz::Lipschitz;
use flows::network::Network;
use flows::scalar_field::ScalarField;
use ot_core::divergence::Divergence;
use rand::RngExt;

use super::start;

/// The critic of an envelope: W1, whose bound holds by construction.
fn of_envelope(description: &EnvelopeDescription, dim: usize) -> Result<Critic<Envelope>, TrainError> {
    Ok(Critic {
        network: description.build(dim)?,
        objective: CriticObjective { divergence: Divergence::Wasserstein1, weight: 1.0 },
        bound: description.bound,
        lipschitz: Lipschitz::None,
    })
}

/// A critic of the network N.
struct Ascent<N: ScalarField> {
    critic: Critic<N>,
    workspace: Workspace<f32, N>,
    player: Player,
}

impl<N: ScalarField> Ascent<N> {
    fn new(critic: Critic<N>, parameters: Vec<f32>) -> Result<Self, TrainError> {
        Ok(Self { player: Player::critic(&critic, parameters)?, workspace: Workspace::default(), critic })
    }

    fn gradient(&mut self, batch: CriticBatch<'_, f32>) -> Result<(CriticValue, Vec<f32>), StepError> {
        let mut gradient = vec![0.0; self.player.parameters.len()];
        let value = self.workspace.gradient(&self.critic, &self.player.effective()?, batch, &mut gradient)?;
        Ok((value, gradient))
    }
}

/// A critic of either form.
enum Form {
    HopfLax(Box<Ascent<Envelope>>),
    Perceptron(Box<Ascent<Network>>),
}

/// The state of a training in memory.
pub(super) struct Trainer {
    config: CriticConfig,
    form: Form,
    pub(super) source: Source,
    /// Iterations done.
    pub(super) iteration: u64,
}

impl Trainer {
    pub(super) fn new(config: &CriticConfig, source: Source) -> Result<Self, TrainError> {
        let form = match &config.critic {
            CriticForm::HopfLax(description) => {
                let critic = of_envelope(description, source.dim())?;
                let parameters = start::parameters(&critic.network, &source, config.seed)?;
                Form::HopfLax(Box::new(Ascent::new(critic, parameters)?))
            }
            CriticForm::Perceptron(description) => {
                let critic = description.build(source.dim())?;
                let parameters = critic.network.initial(&mut stream(config.seed, name::CRITIC, 0));
                Form::Perceptron(Box::new(Ascent::new(critic, parameters)?))
            }
        };
        Ok(Self { config: config.clone(), form, source, iteration: 0 })
    }

    pub(super) fn player(&self) -> &Player {
        match &self.form {
            Form::HopfLax(ascent) => &ascent.player,
            Form::Perceptron(ascent) => &ascent.player,
        }
    }

    pub(super) fn player_mut(&mut self) -> &mut Player {
        match &mut self.form {
            Form::HopfLax(ascent) => &mut ascent.player,
            Form::Perceptron(ascent) => &mut ascent.player,
        }
    }

    /// The learning rate of an iteration.
    pub(super) fn rate(&self, iteration: u64) -> f64 {
        self.config.training.optimiser.rate(self.config.training.progress(iteration))
    }

    /// One iteration.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when the objective or its gradient is not finite.
    pub(super) fn step(&mut self) -> Result<CriticValue, StepError> {
        let training = self.config.training;
        let mut rng = stream(self.config.seed, name::ITERATION, self.iteration);
        let x = self.source.initial.batch(training.batch, &mut rng)?;
        let y = self.source.data.batch(training.batch, &mut rng)?;
        let mixing: Vec<f32> = (0..training.batch).map(|_| rng.random()).collect();
        let batch = CriticBatch { generated: &x, target: &y, mixing: &mixing };
        let (value, gradient) = match &mut self.form {
            Form::HopfLax(ascent) => ascent.gradient(batch)?,
            Form::Perceptron(ascent) => ascent.gradient(batch)?,
        };
        finite("objective of the critic", value.total())?;
        let rate = self.rate(self.iteration);
        self.player_mut().descend(&training.optimiser, rate, training.average, gradient)?;
        self.iteration += 1;
        Ok(value)
    }
}
