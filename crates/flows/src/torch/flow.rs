//! The flow's objective on tensors: see [`crate::flow::FlowObjective`] for the formula.
//!
//! Its terms are written here a second time on purpose: the gradient is one backward pass through them, which owes
//! nothing to the native adjoint and so checks it.

use super::generator;
use super::network::{Network, leaf_gradients};
use super::transfer::{Scalar, download, matrix, size, vector, wide};
use crate::FlowError;
use crate::error::{expect_length, expect_rows};
use crate::flow::{Flow, FlowValue, Interaction, Paths, TERMS};
use crate::game::{Game, Networks};
use crate::integrate::step_count;
use tch::{Device, Kind, Tensor};

/// The ends of the paths, [n, d], without a graph.
///
/// # Errors
/// [`FlowError::Shape`] when a buffer does not fit, [`FlowError::Specification`] for zero steps,
/// [`FlowError::Torch`] for what libtorch reports.
///
/// Complexity: two products with each weight matrix a step.
pub fn push_forward<T: Scalar>(
    game: &Game,
    device: Device,
    networks: Networks<'_, T>,
    paths: Paths<'_, T>,
) -> Result<Vec<T>, FlowError> {
    let simulation = Simulation::new(game, device, networks, paths, false)?;
    let Run { x, .. } = tch::no_grad(|| simulation.run())?;
    download(&x, paths.start.len())
}

/// Writes the gradient of the flow's objective with respect to the parameters of the flow's network.
///
/// One backward pass through the whole trajectory, whose graph keeps every step: memory grows with the steps.
///
/// # Errors
/// [`FlowError::Shape`] when a buffer does not fit, [`FlowError::Specification`] for zero steps,
/// [`FlowError::Torch`] for what libtorch reports.
///
/// Complexity: two products with each weight matrix a step forwards, four backwards.
pub fn gradient<T: Scalar>(
    game: &Game,
    device: Device,
    networks: Networks<'_, T>,
    paths: Paths<'_, T>,
    gradient: &mut [T],
) -> Result<FlowValue, FlowError> {
    expect_length("the critic's input", game.critic.dim(), game.flow.dim())?;
    expect_length("the parameter gradient", gradient.len(), game.flow.parameter_count())?;
    let simulation = Simulation::new(game, device, networks, paths, true)?;

    let run = simulation.run()?;
    let [terminal, terminal_gradient, characteristic] = simulation.terminal_terms(&run)?;
    let [kinetic_energy, velocity_spread, hamilton_jacobi] = simulation.path_terms(&run.jets)?;
    // In the order of the weights.
    let terms: [Tensor; TERMS] = [
        terminal,
        kinetic_energy,
        velocity_spread,
        hamilton_jacobi,
        terminal_gradient,
        characteristic,
        run.interaction,
    ];
    let terms = Tensor::f_stack(&terms, 0)?;
    let total = terms.f_dot(&vector(&game.objective.weights(), device)?)?;
    leaf_gradients(&total, [(simulation.network.leaf(), gradient)])?;

    let mut values = [0.0; TERMS];
    terms.f_copy_data(&mut values, TERMS)?;
    Ok(FlowValue::of_terms(values, &game.objective))
}

/// What the flow is made of beside the critic.
enum FlowNetwork {
    /// N of a potential.
    Potential(Network),
    /// v itself.
    Velocity(generator::Network),
}

impl FlowNetwork {
    fn leaf(&self) -> &Tensor {
        match self {
            Self::Potential(network) => network.leaf(),
            Self::Velocity(network) => network.leaf(),
        }
    }
}

/// The networks, where the particles begin and how they step.
struct Simulation<'a> {
    game: &'a Game,
    network: FlowNetwork,
    critic: Network,
    start: Tensor,
    /// ξ, [steps·batch, d], empty without noise.
    noise: Tensor,
    batch: usize,
    steps: usize,
    h: f64,
}

/// What a simulation leaves behind.
struct Run {
    /// x_T, [batch, d].
    x: Tensor,
    /// xᵢ of every step.
    positions: Vec<Tensor>,
    /// (∇U, ∂ₜU) of every step, [batch, d + 1].
    jets: Vec<Tensor>,
    /// Σ h·½(Iᵢ + I_{i+1}).
    interaction: Tensor,
}

impl<'a> Simulation<'a> {
    /// Copies everything to the device; only a `trained` potential records a graph.
    fn new<T: Scalar>(
        game: &'a Game,
        device: Device,
        networks: Networks<'_, T>,
        paths: Paths<'_, T>,
        trained: bool,
    ) -> Result<Self, FlowError> {
        let dim = game.flow.dim();
        let batch = expect_rows("the batch of positions", paths.start.len(), dim)?;
        let h = game.objective.horizon / step_count(paths.steps)?;
        let noise = if game.objective.noise > 0.0 { paths.steps * paths.start.len() } else { 0 };
        expect_length("the noise of the paths", paths.noise.len(), noise)?;
        let network = match &game.flow {
            Flow::Velocity(velocity) => FlowNetwork::Velocity(generator::Network::new(
                velocity.net(),
                networks.flow,
                device,
                trained,
            )?),
            Flow::Network(potential)
            | Flow::ExactTerminal(potential)
            | Flow::HopfLax { proposal: potential, .. } => {
                FlowNetwork::Potential(Network::new(potential.net(), networks.flow, device, trained)?)
            }
        };
        Ok(Self {
            game,
            network,
            critic: Network::new(&game.critic.network, networks.critic, device, false)?,
            start: matrix(paths.start, dim, device)?,
            noise: matrix(paths.noise, dim, device)?,
            batch,
            steps: paths.steps,
            h,
        })
    }

    fn dim(&self) -> i64 {
        size(self.game.flow.dim())
    }

    /// (∇ₓU, ∂ₜU) at the rows of `x` and one time, [batch, d + 1]; (−λv, 0) for a velocity without a potential.
    fn jet(&self, x: &Tensor, t: f64) -> Result<Tensor, FlowError> {
        let column = |value: f64| x.f_new_full([size(self.batch), 1], value, (x.f_kind()?, x.device()));
        let z = Tensor::f_cat(&[x, &column(t)?], 1)?;
        let network = match &self.network {
            FlowNetwork::Velocity(velocity) => {
                let in_place_of_slope =
                    velocity.at(&z, true, &[])?.f_mul_scalar(-self.game.objective.lambda)?;
                return Ok(Tensor::f_cat(&[in_place_of_slope, column(0.0)?], 1)?);
            }
            FlowNetwork::Potential(network) => network.at(&z)?,
        };
        let jet = network.gradient()?;
        if !matches!(self.game.flow, Flow::ExactTerminal(_)) {
            return Ok(jet);
        }
        // U = s·φ + (1 − s)·N with s = t/T.
        let horizon = self.game.objective.horizon;
        let (share, critic) = (t / horizon, self.critic.at(x)?);
        let rate = critic.value()?.f_sub(&network.value()?)?.f_mul_scalar(1.0 / horizon)?.f_unsqueeze(1)?;
        let of_critic = Tensor::f_cat(&[critic.gradient()?.f_mul_scalar(share)?, rate], 1)?;
        Ok(jet.f_mul_scalar(1.0 - share)?.f_add(&of_critic)?)
    }

    /// Runs the flow.
    fn run(&self) -> Result<Run, FlowError> {
        let objective = self.game.objective;
        let rate = self.h / objective.lambda;
        let mut x = self.start.f_detach()?;
        let mut jets = Vec::with_capacity(self.steps);
        let mut positions = Vec::with_capacity(self.steps);
        let mut interaction = Tensor::f_zeros([0_i64; 0], (Kind::Double, x.device()))?;
        for i in 0..self.steps {
            interaction = self.interact(&interaction, &x, if i == 0 { 0.5 } else { 1.0 })?;
            positions.push(x.shallow_clone());
            let jet = self.jet(&x, i as f64 * self.h)?;
            x = x.f_sub(&jet.f_narrow(1, 0, self.dim())?.f_mul_scalar(rate)?)?;
            if objective.noise > 0.0 {
                let xi = self.noise.f_narrow(0, size(i * self.batch), size(self.batch))?;
                x = x.f_add(&xi.f_mul_scalar(objective.noise * self.h.sqrt())?)?;
            }
            jets.push(jet);
        }
        interaction = self.interact(&interaction, &x, 0.5)?;
        Ok(Run { x, positions, jets, interaction })
    }

    /// sum + share·h·I of the particles in the rows of `x`.
    fn interact(&self, sum: &Tensor, x: &Tensor, share: f64) -> Result<Tensor, FlowError> {
        let Some(cost) = self.game.objective.interaction else { return Ok(sum.shallow_clone()) };
        Ok(sum.f_add(&law_cost(cost, x, self.batch)?.f_mul_scalar(share * self.h)?)?)
    }

    /// E φ(x_T), E‖(∇U(x_T, T) − ∇φ(x_T))/λ‖² and the distance to the characteristics; the last two are left at 0 where
    /// they have no weight.
    fn terminal_terms(&self, Run { x, positions, .. }: &Run) -> Result<[Tensor; 3], FlowError> {
        let objective = self.game.objective;
        let end = self.critic.at(x)?;
        let per_point = 1.0 / self.batch as f64;
        let terminal = end.value()?.f_sum(Kind::Double)?.f_mul_scalar(per_point)?;
        let zero = || Tensor::f_zeros([0_i64; 0], (Kind::Double, x.device()));
        let mean_square = |gap: &Tensor, scale: f64| -> Result<Tensor, FlowError> {
            Ok(wide(gap)?.f_square()?.f_sum(Kind::Double)?.f_mul_scalar(scale * per_point)?)
        };
        let terminal_gradient = if objective.terminal_gradient > 0.0 {
            let jet = self.jet(x, objective.horizon)?;
            let gap = jet.f_narrow(1, 0, self.dim())?.f_sub(&end.gradient()?)?;
            mean_square(&gap, 1.0 / (objective.lambda * objective.lambda))?
        } else {
            zero()?
        };
        let mut characteristic = zero()?;
        if objective.characteristic > 0.0 {
            let slope = end.gradient()?;
            for (i, position) in positions.iter().enumerate() {
                let lever = (1.0 - i as f64 / self.steps as f64) / objective.lambda;
                let chord = position.f_sub(x)?.f_mul_scalar(1.0 / objective.horizon)?;
                let gap = chord.f_sub(&slope.f_mul_scalar(lever)?)?;
                characteristic = characteristic.f_add(&mean_square(&gap, 1.0 / self.steps as f64)?)?;
            }
        }
        Ok([terminal, terminal_gradient, characteristic])
    }

    /// Σ h·E½‖v‖², Σ h·E‖v − v̄‖² and Σ (h/T)·E(∂ₜU/λ ∓ ½‖v‖²)², in double precision.
    fn path_terms(&self, jets: &[Tensor]) -> Result<[Tensor; 3], FlowError> {
        let objective = self.game.objective;
        let jets = wide(&Tensor::f_stack(jets, 0)?)?.f_mul_scalar(1.0 / objective.lambda)?;
        let velocity = jets.f_narrow(2, 0, self.dim())?.f_neg()?;
        let energy = velocity.f_square()?.f_sum_dim_intlist(2, false, Kind::Double)?.f_mul_scalar(0.5)?;
        // The mean velocity is the average of the v_i, around which the spread is stationary: its own derivative
        // drops out.
        let mean = velocity.f_detach()?.f_mean_dim(0_i64, false, Kind::Double)?;
        let spread = velocity.f_sub(&mean)?.f_square()?;
        // Without a potential there is no Hamilton–Jacobi equation.
        let residual = match self.network {
            FlowNetwork::Potential(_) => {
                let sign = objective.hamilton_jacobi_sign.of_energy();
                jets.f_select(2, self.dim())?.f_add(&energy.f_mul_scalar(sign)?)?.f_square()?
            }
            FlowNetwork::Velocity(_) => energy.f_zeros_like()?,
        };
        let per_point = self.h / self.batch as f64;
        let sum = |term: &Tensor, scale: f64| term.f_sum(Kind::Double)?.f_mul_scalar(scale);
        Ok([
            sum(&energy, per_point)?,
            sum(&spread, per_point)?,
            sum(&residual, per_point / objective.horizon)?,
        ])
    }
}

/// I of the particles in the rows of `x`, in double precision.
fn law_cost(interaction: Interaction, x: &Tensor, particles: usize) -> Result<Tensor, FlowError> {
    let x = wide(x)?;
    let difference = x.f_unsqueeze(0)?.f_sub(&x.f_unsqueeze(1)?)?;
    let square = difference.f_square()?.f_sum_dim_intlist(2, false, Kind::Double)?;
    // K(0) stands on the diagonal, where no pair is.
    let (kernel, at_zero) = match interaction {
        Interaction::Quadratic { .. } => (square.f_mul_scalar(0.5)?, 0.0),
        Interaction::Gaussian { width, .. } => (square.f_mul_scalar(-0.5 / (width * width))?.f_exp()?, 1.0),
    };
    let pairs = (particles * particles.saturating_sub(1).max(1)) as f64;
    let sum = kernel.f_sum(Kind::Double)?.f_sub_scalar(at_zero * particles as f64)?;
    Ok(sum.f_mul_scalar(0.5 * interaction.weight() / pairs)?)
}
