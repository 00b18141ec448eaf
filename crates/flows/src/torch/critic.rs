//! The critic's objective on tensors: see [`crate::critic`] for the formulas.

use super::network::{Network, leaf_gradients};
use super::transfer::{Scalar, download, matrix, size, vector, wide};
use crate::FlowError;
use crate::critic::{Critic, CriticBatch, CriticValue};
use crate::error::{expect_length, expect_rows};
use crate::lipschitz::{Penalty, Slopes};
use crate::network;
use crate::scalar_field::ScalarField;
use tch::{Device, Kind, Tensor};

/// The critic as a field of points, its parameters on the device.
pub(super) struct Field {
    network: Network,
    device: Device,
    dim: usize,
}

impl Field {
    pub(super) fn new<T: Scalar>(
        net: &network::Network,
        parameters: &[T],
        device: Device,
    ) -> Result<Self, FlowError> {
        Ok(Self { network: Network::new(net, parameters, device, false)?, device, dim: net.input() })
    }

    /// φ, \[n\], and ∇φ, [n, d], at the rows of `points`.
    pub(super) fn values_and_slopes<T: Scalar>(&self, points: &[T]) -> Result<(Vec<T>, Vec<T>), FlowError> {
        let count = expect_rows("the points", points.len(), self.dim)?;
        let evaluation = self.network.at(&matrix(points, self.dim, self.device)?)?;
        let gradients = evaluation.gradient()?.f_contiguous()?.f_view([-1])?;
        Ok((download(&evaluation.value()?, count)?, download(&gradients, points.len())?))
    }
}

impl<T: Scalar> crate::hopf_lax::Field<T> for Field {
    fn dim(&self) -> usize {
        self.dim
    }

    fn jet(&mut self, points: &[T], values: &mut Vec<T>, gradients: &mut Vec<T>) -> Result<(), FlowError> {
        (*values, *gradients) = self.values_and_slopes(points)?;
        Ok(())
    }
}

/// Writes the gradient of −(dual value − penalty) with respect to the critic's parameters.
///
/// ∂ℓ/∂θ = Σ_j cⱼ·∂φ(x_j)/∂θ + Σ_k kₖ·∇φ(y_k)·∂∇φ(y_k)/∂θ, where cⱼ are the derivatives of the dual in the critic's
/// values and kₖ·∇φ that of the penalty in the gradient: one backward pass from both seeds. Buffers as in
/// [`CriticBatch`].
///
/// # Errors
/// [`FlowError::Shape`] when a buffer does not fit; [`FlowError::Divergence`] when a critic value is not finite or
/// outside the domain of f*; [`FlowError::Torch`] for what libtorch reports.
///
/// Complexity: two matrix products a layer for a value and four for a penalty point, as many again for the forward
/// pass.
pub fn gradient<T: Scalar>(
    critic: &Critic,
    device: Device,
    parameters: &[T],
    batch: CriticBatch<'_, T>,
    gradient: &mut [T],
) -> Result<CriticValue, FlowError> {
    let dim = critic.dim();
    let count = expect_rows("the target batch", batch.target.len(), dim)?;
    expect_length("the generated batch", batch.generated.len(), batch.target.len())?;
    expect_length("the parameter gradient", gradient.len(), critic.network.parameter_count())?;
    let network = Network::new(&critic.network, parameters, device, true)?;
    let points =
        Tensor::f_cat(&[matrix(batch.generated, dim, device)?, matrix(batch.target, dim, device)?], 0)?;

    let values = network.at(&points)?.value()?;
    let downloaded: Vec<f64> = download(&wide(&values)?, 2 * count)?;
    let (generated, target) = downloaded.split_at(count);
    let dual = critic.objective.dual(generated, target)?;
    let seed: Vec<T> = dual.d_generated.iter().chain(&dual.d_target).map(|d| T::of(-d)).collect();
    let mut loss = values.f_dot(&vector(&seed, device)?)?;
    let mut slopes = Slopes::default();
    if let Some(penalty) = critic.lipschitz.penalty() {
        let penalised = penalty_points(penalty, &points, batch.mixing, count)?;
        let gradients = network.at(&penalised)?.gradient()?;
        // Constants of the backward pass: the norm's own derivative, infinite at ∇φ = 0, is never asked for.
        let constant = gradients.f_detach()?;
        let squared = wide(&constant)?.f_square()?.f_sum_dim_intlist(1, false, Kind::Double)?;
        let norms: Vec<f64> = download(&squared.f_sqrt()?, count)?;
        let factor = |&slope: &f64| T::of(penalty.add(slope, critic.bound, count, &mut slopes));
        let factors: Vec<T> = norms.iter().map(factor).collect();
        let seed = constant.f_mul(&matrix(&factors, 1, device)?)?;
        loss = loss.f_add(&gradients.f_mul(&seed)?.f_sum(T::KIND)?)?;
    }
    leaf_gradients(&loss, [(network.leaf(), gradient)])?;
    let Slopes { penalty, mean, max } = slopes;
    Ok(CriticValue { divergence: dual.value, penalty, slope_mean: mean, slope_max: max })
}

/// The points α·generated + (1 − α)·target.
fn penalty_points<T: Scalar>(
    penalty: Penalty,
    points: &Tensor,
    mixing: &[T],
    count: usize,
) -> Result<Tensor, FlowError> {
    expect_length("the mixing weights", mixing.len(), count)?;
    let alphas: Vec<T> = mixing.iter().map(|&u| penalty.points.mixing(u)).collect();
    let alpha = matrix(&alphas, 1, points.device())?;
    let generated = points.f_narrow(0, 0, size(count))?.f_mul(&alpha)?;
    let target = points.f_narrow(0, size(count), size(count))?.f_mul(&alpha.f_rsub_scalar(1.0)?)?;
    Ok(generated.f_add(&target)?)
}
