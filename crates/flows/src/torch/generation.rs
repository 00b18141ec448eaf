//! The training of a generator against its critics on libtorch.

use super::critic::{self, Field};
use super::generator::Evaluation;
use super::{kantorovich, runtime};
use crate::FlowError;
use crate::critic::{Critic, CriticBatch, CriticValue};
use crate::device::Device;
use crate::generation::{Gradients, Judgement};
use crate::generator::{Generator, RunningStatistics, Statistics};
use crate::kantorovich::{KantorovichObjective, KantorovichValue, PairBatch, Potentials};
use crate::network::Network;

/// The libtorch counterpart of [`NativeGradients`](crate::generation::NativeGradients), on one device.
pub struct TorchGradients {
    device: tch::Device,
    generated: Option<Evaluation<f32>>,
}

impl TorchGradients {
    /// Opens the device ([`runtime::open`]).
    ///
    /// # Errors
    /// [`FlowError::Device`] when this libtorch does not have it.
    pub fn new(device: Device) -> Result<Self, FlowError> {
        Ok(Self { device: runtime::open(device)?, generated: None })
    }

    fn generated(&self) -> Result<&Evaluation<f32>, FlowError> {
        self.generated.as_ref().ok_or_else(|| {
            FlowError::specification("the batch of the generator", "not generated yet", "generate it first")
        })
    }
}

impl Gradients for TorchGradients {
    fn generate(
        &mut self,
        generator: &Generator,
        parameters: &[f32],
        z: &[f32],
    ) -> Result<Vec<f32>, FlowError> {
        let generated = Evaluation::new(generator, self.device, parameters, z, Statistics::Batch, true)?;
        self.generated.insert(generated).points()
    }

    fn generator_gradient(
        &mut self,
        _generator: &Generator,
        _parameters: &[f32],
        cotangent: &[f32],
        gradient: &mut [f32],
    ) -> Result<(), FlowError> {
        self.generated()?.pull_back(cotangent, gradient)
    }

    fn update_statistics(
        &mut self,
        running: &mut RunningStatistics<f32>,
        momentum: f64,
    ) -> Result<(), FlowError> {
        self.generated()?.update(running, momentum)
    }

    fn judge(&mut self, phi: &Network, parameters: &[f32], points: &[f32]) -> Result<Judgement, FlowError> {
        let (values, slopes) = Field::new(phi, parameters, self.device)?.values_and_slopes(points)?;
        Ok(Judgement { values, slopes })
    }

    fn critic_gradient(
        &mut self,
        critic: &Critic,
        parameters: &[f32],
        batch: CriticBatch<'_, f32>,
        gradient: &mut [f32],
    ) -> Result<CriticValue, FlowError> {
        critic::gradient(critic, self.device, parameters, batch, gradient)
    }

    fn potentials_gradient(
        &mut self,
        potentials: &Potentials,
        objective: KantorovichObjective,
        parameters: (&[f32], &[f32]),
        batch: PairBatch<'_, f32>,
        gradients: (&mut [f32], &mut [f32]),
    ) -> Result<KantorovichValue, FlowError> {
        kantorovich::gradient(potentials, objective, self.device, parameters, batch, gradients)
    }
}
