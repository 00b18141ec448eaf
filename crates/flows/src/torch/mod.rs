//! All that training computes, on libtorch: for CUDA, and as an independent check of the native code.
//!
//! | home | what |
//! | --- | --- |
//! | [`Torch`] | the game between a flow and its critic: the other [`Backend`] |
//! | [`TorchDual`] | the dual of an explicit flow: the other [`explicit::Backend`](crate::explicit::Backend) |
//! | [`TorchGradients`] | a generator and its critics: the other [`Gradients`](crate::generation::Gradients) |
//! | [`critic`], [`flow`] | the two players' objectives, as in [`crate::critic`] and [`crate::flow`] |
//! | [`generator`] | generators with libtorch's own batch normalisation, as in [`crate::generator`] |
//! | [`kantorovich`] | the objective of two Kantorovich potentials, as in [`crate::kantorovich`] |
//! | [`runtime`] | threads, and the devices that this libtorch has |
//!
//! ∇ₓU, ∂ₜU and ∇φ are forward operations (a layer knows its input gradient), so that every parameter gradient is one
//! first-order backward pass: no graph of a graph is ever built, and what is not differentiated runs without a graph.
//! Formulas that are not networks stay at their one home: the dual of the divergence and the slope penalty are computed
//! in double precision by `ot_core` from downloaded critic values and slopes, and their derivatives are the seed of the
//! backward pass.
//!
//! Parameters and gradients are flat buffers on the CPU. On CUDA every call therefore copies its parameters and its
//! minibatch to the device and its gradient back; this is small against the work of networks that are worth a GPU. No
//! random number of libtorch is used: initial parameters and minibatches are drawn by native code, from the same
//! streams whatever the device.
//!
//! What is trained on a device is a list of numbers like any other: a trained flow or generator is evaluated, sampled
//! and recorded by native code, the search of a Hopf–Lax flow for the ends of its paths included.

mod convolution;
pub mod critic;
mod explicit;
pub mod flow;
mod generation;
pub mod generator;
pub mod kantorovich;
mod network;
pub mod runtime;
mod transfer;

pub use explicit::TorchDual;
pub use generation::TorchGradients;
pub use transfer::Scalar;

use crate::FlowError;
use crate::critic::{CriticBatch, CriticValue};
use crate::device::Device;
use crate::error::expect_rows;
use crate::flow::{FlowValue, Paths};
use crate::game::{Backend, Game, Networks};
use crate::hopf_lax::{Curvature, Minimiser, Stop};

/// The libtorch backend of one game on one device.
#[derive(Debug)]
pub struct Torch {
    game: Game,
    device: tch::Device,
}

impl Torch {
    /// A backend for one game on `device`, which it opens ([`runtime::open`]).
    ///
    /// # Errors
    /// [`FlowError::Device`] when this libtorch does not have the device.
    ///
    /// ```
    /// use flows::critic::{Critic, CriticObjective};
    /// use flows::flow::{Flow, FlowObjective, Paths};
    /// use flows::game::{Backend, Game, Networks};
    /// use flows::{activation::Activation, device::Device, lipschitz::Lipschitz, torch::Torch};
    /// use flows::{mlp::{Mlp, Output}, potential::Potential};
    /// use ot_core::divergence::Divergence;
    /// let critic = Critic {
    ///     network: Mlp::new(1, &[1], Activation::Relu, Output::Identity)?.into(),
    ///     objective: CriticObjective { divergence: Divergence::Wasserstein1, weight: 1.0 },
    ///     bound: 1.0,
    ///     lipschitz: Lipschitz::None,
    /// };
    /// let flow = Flow::Network(Potential::new(1, &[1], Activation::Tanh)?);
    /// let objective = FlowObjective { lambda: 0.5, ..FlowObjective::default() };
    /// // U(x, t) = tanh(x), whose slope at 0 is 1: one step moves the origin by −1/λ.
    /// let mut torch = Torch::new(Game { critic, flow, objective }, Device::Libtorch)?;
    /// let networks = Networks { flow: &[1.0, 0.0, 0.0, 1.0, 0.0], critic: &[0.0; 4] };
    /// assert_eq!(torch.push_forward(networks, Paths { start: &[0.0], steps: 1, noise: &[] })?, [-2.0]);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn new(game: Game, device: Device) -> Result<Self, FlowError> {
        Ok(Self { game, device: runtime::open(device)? })
    }
}

impl Backend for Torch {
    fn push_forward(
        &mut self,
        networks: Networks<'_, f32>,
        paths: Paths<'_, f32>,
    ) -> Result<Vec<f32>, FlowError> {
        flow::push_forward(&self.game, self.device, networks, paths)
    }

    fn refine(
        &mut self,
        critic: &[f32],
        x0: &[f32],
        y: &mut [f32],
        curvature: &mut Curvature,
        stop: Stop,
    ) -> Result<(), FlowError> {
        let mut field = critic::Field::new(&self.game.critic.network, critic, self.device)?;
        let offered = 0..expect_rows("the ends of the paths", y.len(), self.game.critic.dim())?;
        let pull = self.game.objective.pull();
        Minimiser::default()
            .knowing(curvature, |minimiser| minimiser.minimise(&mut field, pull, x0, y, offered, stop))
    }

    fn critic_gradient(
        &mut self,
        critic: &[f32],
        batch: CriticBatch<'_, f32>,
        gradient: &mut [f32],
    ) -> Result<CriticValue, FlowError> {
        critic::gradient(&self.game.critic, self.device, critic, batch, gradient)
    }

    fn flow_gradient(
        &mut self,
        networks: Networks<'_, f32>,
        paths: Paths<'_, f32>,
        gradient: &mut [f32],
    ) -> Result<FlowValue, FlowError> {
        flow::gradient(&self.game, self.device, networks, paths, gradient)
    }
}
