//! The dual of an explicit flow on tensors: see [`crate::explicit`] for the formulas.

use super::critic::Field;
use super::network::{Network, leaf_gradients};
use super::runtime;
use super::transfer::{Scalar, download, matrix, vector, wide};
use crate::FlowError;
use crate::device::Device;
use crate::error::expect_length;
use crate::explicit::{Backend, Batch, DualGame, DualReport};
use crate::hopf_lax::{Curvature, Minimiser};
use crate::scalar_field::ScalarField;

/// The libtorch backend of the dual of one explicit flow on one device.
#[derive(Debug)]
pub struct TorchDual {
    game: DualGame,
    device: tch::Device,
}

impl TorchDual {
    /// A backend for one flow on `device`, which it opens ([`runtime::open`]).
    ///
    /// # Errors
    /// [`FlowError::Device`] when this libtorch does not have the device.
    pub fn new(game: DualGame, device: Device) -> Result<Self, FlowError> {
        Ok(Self { game, device: runtime::open(device)? })
    }
}

impl<T: Scalar> Backend<T> for TorchDual {
    fn search(
        &mut self,
        parameters: &[T],
        target: &[T],
        ends: &mut [T],
        curvature: &mut Curvature,
    ) -> Result<(), FlowError> {
        let flow = &self.game.flow;
        let targets = flow.affine().ends(target)?;
        let field = Field::new(flow.network(), parameters, self.device)?;
        let stop = self.game.stop;
        Minimiser::default()
            .knowing(curvature, |minimiser| flow.climb(field, minimiser, (&targets, ends), stop))
    }

    fn gradient(
        &mut self,
        parameters: &[T],
        batch: Batch<'_, T>,
        gradient: &mut [T],
    ) -> Result<DualReport, FlowError> {
        let (affine, net) = (self.game.flow.affine(), self.game.flow.network());
        expect_length("the gradient of the potential", gradient.len(), net.parameter_count())?;
        let (beginnings, targets) = (affine.beginnings(batch.start)?, affine.ends(batch.target)?);
        expect_length("the ends of the searches", batch.ends.len(), targets.len())?;
        let network = Network::new(net, parameters, self.device, true)?;
        let points: Vec<T> = beginnings.iter().chain(batch.ends).copied().collect();
        let values = network.at(&matrix(&points, affine.rank(), self.device)?)?.value()?;
        let downloaded: Vec<f64> = download(&wide(&values)?, points.len() / affine.rank())?;
        let (report, derivatives) = self.game.dual(batch, (&beginnings, &targets), &downloaded)?;
        let seed: Vec<T> = derivatives.into_iter().map(|d| -d).collect();
        let loss = values.f_dot(&vector(&seed, self.device)?)?;
        leaf_gradients(&loss, [(network.leaf(), gradient)])?;
        Ok(report)
    }
}
