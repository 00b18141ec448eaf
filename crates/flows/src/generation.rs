//! What the training of a generator against its critics computes, on whichever device.

use crate::FlowError;
use crate::critic::{self, Critic, CriticBatch, CriticValue};
use crate::generator::{Generator, GeneratorTape, RunningStatistics, Statistics};
use crate::kantorovich::{self, KantorovichObjective, KantorovichValue, PairBatch, Potentials};
use crate::mlp::Order;
use crate::network::{Network, Tape, Weights};
use crate::scalar_field::{Evaluation, ScalarField};

/// The points, slopes and gradients that a generator and its critics are trained by: computed by native code on the CPU
/// ([`NativeGradients`]), or by libtorch.
///
/// Points and slopes are row-major, [n, d]; parameters and gradients are flat buffers in the layout of
/// [`Generator`] and [`Network`]. Gradients are overwritten, and are those of a quantity to be minimised (a critic's is
/// minus its objective).
pub trait Gradients {
    /// G at the rows of `z`, [n, p] → [n, d], normalised by the statistics of this batch and remembered: the next
    /// two methods are about the batch last generated.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit; [`FlowError::Specification`] for a batch of fewer than two
    /// points that should normalise itself; and what the backend itself reports.
    fn generate(
        &mut self,
        generator: &Generator,
        parameters: &[f32],
        z: &[f32],
    ) -> Result<Vec<f32>, FlowError>;

    /// ∂ℓ/∂parameters for ∂ℓ/∂G(z) = `cotangent`, such as [`fit`](crate::generator::fit) and
    /// [`push`](crate::generator::push) give; once for each batch, with the parameters that generated it.
    ///
    /// # Errors
    /// As [`Gradients::generate`].
    fn generator_gradient(
        &mut self,
        generator: &Generator,
        parameters: &[f32],
        cotangent: &[f32],
        gradient: &mut [f32],
    ) -> Result<(), FlowError>;

    /// Moves running averages towards the statistics of the batch ([`RunningStatistics::update`]).
    ///
    /// # Errors
    /// [`FlowError::Shape`] for averages of another generator.
    fn update_statistics(
        &mut self,
        running: &mut RunningStatistics<f32>,
        momentum: f64,
    ) -> Result<(), FlowError>;

    /// φ and ∇φ at the rows of `points`.
    ///
    /// # Errors
    /// As [`Gradients::generate`].
    fn judge(&mut self, phi: &Network, parameters: &[f32], points: &[f32]) -> Result<Judgement, FlowError>;

    /// The objective of a divergence's critic and the gradient of its negative.
    ///
    /// # Errors
    /// [`FlowError::Shape`] as above; [`FlowError::Divergence`] for critic values outside the domain of f*.
    fn critic_gradient(
        &mut self,
        critic: &Critic,
        parameters: &[f32],
        batch: CriticBatch<'_, f32>,
        gradient: &mut [f32],
    ) -> Result<CriticValue, FlowError>;

    /// The objective of two Kantorovich potentials and the gradients of its negative in the parameters of φ and of η.
    ///
    /// # Errors
    /// [`FlowError::Shape`] as above.
    fn potentials_gradient(
        &mut self,
        potentials: &Potentials,
        objective: KantorovichObjective,
        parameters: (&[f32], &[f32]),
        batch: PairBatch<'_, f32>,
        gradients: (&mut [f32], &mut [f32]),
    ) -> Result<KantorovichValue, FlowError>;
}

/// A critic at some points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgement {
    /// φ, \[n\].
    pub values: Vec<f32>,
    /// ∇φ, [n, d].
    pub slopes: Vec<f32>,
}

/// Native code on the CPU; its buffers are kept from call to call.
#[derive(Debug, Default)]
pub struct NativeGradients {
    generated: GeneratorTape<f32>,
    weights: Weights<f32>,
    judged: Tape<f32>,
    critic: critic::Workspace<f32>,
    potentials: kantorovich::Workspace<f32>,
}

impl Gradients for NativeGradients {
    fn generate(
        &mut self,
        generator: &Generator,
        parameters: &[f32],
        z: &[f32],
    ) -> Result<Vec<f32>, FlowError> {
        generator.evaluate(parameters, z, Statistics::Batch, &mut self.generated)?;
        Ok(self.generated.points().to_vec())
    }

    fn generator_gradient(
        &mut self,
        generator: &Generator,
        parameters: &[f32],
        cotangent: &[f32],
        gradient: &mut [f32],
    ) -> Result<(), FlowError> {
        gradient.fill(0.0);
        generator.pull_back(parameters, &mut self.generated, cotangent, gradient, None)
    }

    fn update_statistics(
        &mut self,
        running: &mut RunningStatistics<f32>,
        momentum: f64,
    ) -> Result<(), FlowError> {
        running.update(&self.generated, momentum)
    }

    fn judge(&mut self, phi: &Network, parameters: &[f32], points: &[f32]) -> Result<Judgement, FlowError> {
        phi.arrange(parameters, &mut self.weights)?;
        phi.evaluate(&self.weights, points, Order::Jet, &mut self.judged)?;
        Ok(Judgement { values: self.judged.value().to_vec(), slopes: self.judged.gradient().to_vec() })
    }

    fn critic_gradient(
        &mut self,
        critic: &Critic,
        parameters: &[f32],
        batch: CriticBatch<'_, f32>,
        gradient: &mut [f32],
    ) -> Result<CriticValue, FlowError> {
        self.critic.gradient(critic, parameters, batch, gradient)
    }

    fn potentials_gradient(
        &mut self,
        potentials: &Potentials,
        objective: KantorovichObjective,
        parameters: (&[f32], &[f32]),
        batch: PairBatch<'_, f32>,
        gradients: (&mut [f32], &mut [f32]),
    ) -> Result<KantorovichValue, FlowError> {
        self.potentials.gradient(potentials, objective, parameters, batch, gradients)
    }
}
