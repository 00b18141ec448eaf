//! The flow's objective on tensors: see [`crate::game::FlowObjective`] for the formula.

use super::network::Network;
use super::transfer::{Scalar, download, matrix, size, vector, wide};
use crate::FlowError;
use crate::error::expect_length;
use crate::game::{FlowValue, Game};
use crate::integrate::step_count;
use tch::{Device, Kind, Tensor};

/// Moves `x0` (row-major, batch × d) by `steps` Euler steps x − (h/λ)·∇ₓU, h = T/`steps`, without a graph.
///
/// # Errors
/// [`FlowError::Shape`] when a buffer does not fit, [`FlowError::Specification`] for zero steps,
/// [`FlowError::Torch`] for what libtorch reports.
///
/// Complexity: two products with each weight matrix a step.
pub fn push_forward<T: Scalar>(
    game: &Game,
    device: Device,
    potential: &[T],
    x0: &[T],
    steps: usize,
) -> Result<Vec<T>, FlowError> {
    let trajectory = Trajectory::new(game, device, x0, steps)?;
    let network = Network::new(game.potential.net(), potential, device, false)?;
    let (x, _) = tch::no_grad(|| trajectory.run(&network))?;
    download(&x, x0.len())
}

/// Writes the gradient of the flow's objective with respect to the potential's parameters, `networks` = (θ of U, those of φ).
///
/// One backward pass through the whole trajectory, whose graph keeps every step: memory grows with `steps`.
///
/// # Errors
/// [`FlowError::Shape`] when a buffer does not fit, [`FlowError::Specification`] for zero steps,
/// [`FlowError::Torch`] for what libtorch reports.
///
/// Complexity: two products with each weight matrix a step forwards, four backwards.
pub fn gradient<T: Scalar>(
    game: &Game,
    device: Device,
    (potential, critic): (&[T], &[T]),
    x0: &[T],
    steps: usize,
    gradient: &mut [T],
) -> Result<FlowValue, FlowError> {
    let objective = game.flow_objective;
    let trajectory = Trajectory::new(game, device, x0, steps)?;
    expect_length("the critic's input", game.critic.input(), game.potential.dim())?;
    expect_length("the parameter gradient", gradient.len(), game.potential.net().parameter_count())?;
    let network = Network::new(game.potential.net(), potential, device, true)?;
    let critic = Network::new(&game.critic, critic, device, false)?;

    let (x, jets) = trajectory.run(&network)?;
    let [terminal, terminal_gradient] = trajectory.terminal_terms(&network, &critic, &x)?;
    let [kinetic_energy, velocity_spread, hamilton_jacobi] = trajectory.path_terms(&x, &jets)?;
    let terms =
        Tensor::f_stack(&[terminal, kinetic_energy, velocity_spread, hamilton_jacobi, terminal_gradient], 0)?;
    let weights = [
        1.0,
        if objective.kinetic { objective.lambda } else { 0.0 },
        objective.velocity_spread,
        objective.hamilton_jacobi,
        objective.terminal_gradient,
    ];
    let total = terms.f_dot(&vector(&weights, device)?)?;
    network.parameter_gradient(&total, gradient)?;

    let mut values = [0.0; 5];
    terms.f_copy_data(&mut values, 5)?;
    let [terminal, kinetic_energy, velocity_spread, hamilton_jacobi, terminal_gradient] = values;
    Ok(FlowValue {
        total: values.iter().zip(weights).map(|(value, weight)| value * weight).sum(),
        terminal,
        kinetic_energy,
        velocity_spread,
        hamilton_jacobi,
        terminal_gradient,
    })
}

/// Where the flow starts and how it steps.
struct Trajectory<'a> {
    game: &'a Game,
    x0: Tensor,
    batch: usize,
    steps: usize,
    h: f64,
}

impl<'a> Trajectory<'a> {
    fn new<T: Scalar>(game: &'a Game, device: Device, x0: &[T], steps: usize) -> Result<Self, FlowError> {
        let dim = game.potential.dim();
        let batch = x0.len() / dim;
        expect_length("the batch of positions", x0.len(), batch * dim)?;
        let h = game.flow_objective.horizon / step_count(steps)?;
        Ok(Self { game, x0: matrix(x0, dim, device)?, batch, steps, h })
    }

    fn dim(&self) -> i64 {
        size(self.game.potential.dim())
    }

    /// (∇ₓU, ∂ₜU) at the rows of `x` and one time, \[batch, d + 1\].
    fn jet(&self, network: &Network, x: &Tensor, t: f64) -> Result<Tensor, FlowError> {
        let time = x.f_new_full([size(self.batch), 1], t, (x.f_kind()?, x.device()))?;
        network.at(&Tensor::f_cat(&[x, &time], 1)?)?.gradient()
    }

    /// x_T and the jet of every step.
    fn run(&self, network: &Network) -> Result<(Tensor, Vec<Tensor>), FlowError> {
        let rate = self.h / self.game.flow_objective.lambda;
        let mut x = self.x0.f_detach()?;
        let mut jets = Vec::with_capacity(self.steps);
        for i in 0..self.steps {
            let jet = self.jet(network, &x, i as f64 * self.h)?;
            x = x.f_sub(&jet.f_narrow(1, 0, self.dim())?.f_mul_scalar(rate)?)?;
            jets.push(jet);
        }
        Ok((x, jets))
    }

    /// E φ(x_T) and E‖(∇U(x_T, T) − ∇φ(x_T))/λ‖²; the second is left at 0 where it has no weight.
    fn terminal_terms(
        &self,
        network: &Network,
        critic: &Network,
        x: &Tensor,
    ) -> Result<[Tensor; 2], FlowError> {
        let objective = self.game.flow_objective;
        let end = critic.at(x)?;
        let terminal = end.value()?.f_sum(Kind::Double)?.f_mul_scalar(1.0 / self.batch as f64)?;
        if objective.terminal_gradient == 0.0 {
            return Ok([terminal, Tensor::f_zeros([0_i64; 0], (Kind::Double, x.device()))?]);
        }
        let jet = self.jet(network, x, objective.horizon)?;
        let gap = jet.f_narrow(1, 0, self.dim())?.f_sub(&end.gradient()?)?;
        let scale = 1.0 / (objective.lambda * objective.lambda * self.batch as f64);
        Ok([terminal, wide(&gap)?.f_square()?.f_sum(Kind::Double)?.f_mul_scalar(scale)?])
    }

    /// Σ h·E½‖v‖², Σ h·E‖v − (x_T − x₀)/T‖² and Σ (h/T)·E(∂ₜU/λ − ½‖v‖²)², in double precision.
    fn path_terms(&self, x: &Tensor, jets: &[Tensor]) -> Result<[Tensor; 3], FlowError> {
        let objective = self.game.flow_objective;
        let jets = wide(&Tensor::f_stack(jets, 0)?)?.f_mul_scalar(1.0 / objective.lambda)?;
        let velocity = jets.f_narrow(2, 0, self.dim())?.f_neg()?;
        let energy = velocity.f_square()?.f_sum_dim_intlist(2, false, Kind::Double)?.f_mul_scalar(0.5)?;
        // The mean velocity is the average of the v_i, around which the spread is stationary: its own derivative
        // drops out.
        let mean = x.f_detach()?.f_sub(&self.x0)?.f_mul_scalar(1.0 / objective.horizon)?;
        let spread = velocity.f_sub(&wide(&mean)?)?.f_square()?;
        let residual = jets.f_select(2, self.dim())?.f_sub(&energy)?.f_square()?;
        let per_point = self.h / self.batch as f64;
        let sum = |term: &Tensor, scale: f64| term.f_sum(Kind::Double)?.f_mul_scalar(scale);
        Ok([
            sum(&energy, per_point)?,
            sum(&spread, per_point)?,
            sum(&residual, per_point / objective.horizon)?,
        ])
    }
}
