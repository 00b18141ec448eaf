//! The objective of two Kantorovich potentials on tensors: see [`crate::kantorovich`] for the formulas.
//!
//! The whole objective is a tensor, equality terms included, and its gradient one backward pass: nothing of the native
//! adjoint is used, which it therefore checks.

use super::network::{Network, leaf_gradients};
use super::transfer::{Scalar, matrix, size, wide};
use crate::FlowError;
use crate::error::expect_length;
use crate::kantorovich::{
    GapPenalty, KantorovichObjective, KantorovichValue, PairBatch, Pairing, Potentials, Psi,
};
use tch::{Device, Kind, Tensor};

/// Writes the gradients of minus the objective with respect to the parameters (φ, η).
///
/// Complexity: that of some ten passes through each network; over all pairs n² gaps are held at once.
///
/// # Errors
/// [`FlowError::Shape`] when a buffer does not fit; [`FlowError::Torch`] for what libtorch reports.
pub fn gradient<T: Scalar>(
    potentials: &Potentials,
    objective: KantorovichObjective,
    device: Device,
    parameters: (&[T], &[T]),
    batch: PairBatch<'_, T>,
    gradients: (&mut [T], &mut [T]),
) -> Result<KantorovichValue, FlowError> {
    let dim = potentials.dim()?;
    expect_length("the target batch", batch.target.len(), batch.generated.len())?;
    expect_length("the gradient of φ", gradients.0.len(), potentials.phi.parameter_count())?;
    expect_length("the gradient of η", gradients.1.len(), potentials.eta.parameter_count())?;
    let networks = Networks {
        phi: Network::new(&potentials.phi.clone().into(), parameters.0, device, true)?,
        eta: Network::new(&potentials.eta.clone().into(), parameters.1, device, true)?,
        psi: potentials.psi,
    };
    let y = matrix(batch.generated, dim, device)?;
    let x = matrix(batch.target, dim, device)?;

    let phi = networks.phi.at(&y)?.value()?;
    let psi = networks.psi_value(&x)?;
    let dual = mean(&phi)?.f_add(&mean(&psi)?)?;
    let gaps = match objective.pairing {
        Pairing::Paired => paired_gaps(&phi, &psi, &y, &x)?,
        Pairing::All => {
            // Distances one by one: those by a product of matrices lose the digits of near points.
            let distances = Tensor::f_cdist(&y, &x, 2.0, WITHOUT_PRODUCTS)?;
            let sums = phi.f_unsqueeze(1)?.f_add(&psi.f_unsqueeze(0)?)?;
            sums.f_sub(&distances.f_square()?.f_mul_scalar(0.5)?)?
        }
    };
    let penalty = mean(&penalise(objective.penalty, &gaps)?)?;
    let zero = || Tensor::f_zeros([0_i64; 0], (Kind::Double, device));
    let interpolated = if objective.interpolated {
        let count = batch.generated.len() / dim;
        expect_length("the mixing weights", batch.mixing.len(), 2 * count)?;
        let mixing = matrix(batch.mixing, 1, device)?;
        let mixed = |a: &Tensor, b: &Tensor, start: usize| {
            b.f_lerp_tensor(a, &mixing.f_narrow(0, size(start), size(count))?)
        };
        let (y, x) = (mixed(&y, &x, 0)?, mixed(&x, &y, count)?);
        let gaps = paired_gaps(&networks.phi.at(&y)?.value()?, &networks.psi_value(&x)?, &y, &x)?;
        mean(&penalise(objective.penalty, &gaps)?)?
    } else {
        zero()?
    };
    let equality = if objective.equality > 0.0 {
        networks.equality(&y, &x)?.f_mul_scalar(objective.equality)?
    } else {
        zero()?
    };

    let terms = Tensor::f_stack(&[&dual, &penalty, &interpolated, &equality], 0)?;
    let loss = penalty.f_add(&interpolated)?.f_add(&equality)?.f_sub(&dual)?;
    let leaves = [(networks.phi.leaf(), gradients.0), (networks.eta.leaf(), gradients.1)];
    leaf_gradients(&loss, leaves)?;
    let mut values = [0.0; 4];
    terms.f_copy_data(&mut values, 4)?;
    let [dual, penalty, interpolated, equality] = values;
    Ok(KantorovichValue { dual, penalty, interpolated, equality })
}

/// The mode of `cdist` that sums squares of differences.
const WITHOUT_PRODUCTS: i64 = 2;

/// φ and η on the device, and how ψ is made of them.
struct Networks {
    phi: Network,
    eta: Network,
    psi: Psi,
}

impl Networks {
    /// ψ at the rows of `x`, \[batch\].
    fn psi_value(&self, x: &Tensor) -> Result<Tensor, FlowError> {
        let eta = self.eta.at(x)?.value()?;
        Ok(match self.psi {
            Psi::Separate => eta,
            Psi::MinusPhi => eta.f_sub(&self.phi.at(x)?.value()?)?,
        })
    }

    /// ψ and ∇ψ at the rows of `x`, \[batch\] and [batch, d].
    fn psi_jet(&self, x: &Tensor) -> Result<[Tensor; 2], FlowError> {
        let [value, gradient] = jet(&self.eta, x)?;
        Ok(match self.psi {
            Psi::Separate => [value, gradient],
            Psi::MinusPhi => {
                let [phi, slope] = jet(&self.phi, x)?;
                [value.f_sub(&phi)?, gradient.f_sub(&slope)?]
            }
        })
    }

    /// mean g² at the pairs (y, y − ∇φ(y)) and (x − ∇ψ(x), x), in double precision.
    fn equality(&self, y: &Tensor, x: &Tensor) -> Result<Tensor, FlowError> {
        let [phi, slope] = jet(&self.phi, y)?;
        let moved = y.f_sub(&slope)?;
        let at_generated = paired_gaps(&phi, &self.psi_value(&moved)?, y, &moved)?;
        let [psi, slope] = self.psi_jet(x)?;
        let moved = x.f_sub(&slope)?;
        let at_target = paired_gaps(&self.phi.at(&moved)?.value()?, &psi, &moved, x)?;
        Ok(mean(&at_generated.f_square()?)?.f_add(&mean(&at_target.f_square()?)?)?)
    }
}

/// u and ∇u at the rows of `x`, \[batch\] and [batch, d].
fn jet(network: &Network, x: &Tensor) -> Result<[Tensor; 2], FlowError> {
    let evaluation = network.at(x)?;
    Ok([evaluation.value()?, evaluation.gradient()?])
}

/// φ(yᵢ) + ψ(xᵢ) − ½‖yᵢ − xᵢ‖², in double precision.
fn paired_gaps(phi: &Tensor, psi: &Tensor, y: &Tensor, x: &Tensor) -> Result<Tensor, FlowError> {
    let cost = wide(&y.f_sub(x)?)?.f_square()?.f_sum_dim_intlist(1, false, Kind::Double)?;
    Ok(wide(phi)?.f_add(&wide(psi)?)?.f_sub(&cost.f_mul_scalar(0.5)?)?)
}

/// P of every gap.
fn penalise(penalty: GapPenalty, gaps: &Tensor) -> Result<Tensor, FlowError> {
    Ok(match penalty {
        GapPenalty::Linear { weight } => gaps.f_relu()?.f_mul_scalar(weight)?,
        GapPenalty::Quadratic { weight } => gaps.f_relu()?.f_square()?.f_mul_scalar(weight)?,
        GapPenalty::Entropic { temperature } => {
            gaps.f_mul_scalar(1.0 / temperature)?.f_exp()?.f_mul_scalar(temperature)?
        }
    })
}

/// The mean of all entries, in double precision.
fn mean(values: &Tensor) -> Result<Tensor, FlowError> {
    Ok(values.f_mean(Kind::Double)?)
}
