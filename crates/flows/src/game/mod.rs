//! The two players' objectives and their gradients.
//!
//! inf_v sup_φ E_{ρ_T} φ − E_π f*(φ) + λ∫₀ᵀ E ½‖v‖² dt, dx/dt = v = −∇U/λ, x₀ ~ ρ₀ (arXiv 2407.11901, eq. (10)).
//!
//! The critic ascends its dual value less a slope penalty ([`CriticObjective`], [`critic`]); the flow descends
//! E φ(x_T) + λ·KE plus penalties that vanish at the exact optimum ([`FlowObjective`], [`flow`]). The gradients are
//! written out as adjoints of the networks' closed forms, so an update needs no graph and no double backward pass.

pub mod critic;
mod field;
pub mod flow;
mod interaction;
mod jet;

pub use field::Representation;
pub use interaction::Interaction;

use crate::FlowError;
use crate::generator::Generator;
use crate::hopf_lax::{CriticField, Minimiser, Stop};
use crate::mlp::Mlp;
use crate::potential::Potential;
use crate::real::Real;
use ot_core::divergence::{Divergence, DivergenceError, DualValue};
use ot_core::dual::lipschitz::SlopePenalty;

/// What the critic maximises: the dual value of the divergence less the mean slope penalty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CriticObjective {
    /// The divergence D_f whose dual the critic ascends.
    pub divergence: Divergence,
    /// Its weight c > 0: the dual is that of c·D_f. The larger c, the closer the optimum is to the target for the same λ and L.
    pub divergence_weight: f64,
    /// The penalty on ‖∇φ‖ and its weight; `None` without a penalty.
    pub penalty: Option<(SlopePenalty, f64)>,
    /// The Lipschitz bound L of the penalty.
    pub bound: f64,
    /// Where the penalty is taken.
    pub penalty_points: PenaltyPoints,
}

impl CriticObjective {
    /// E φ(generated) − c·E f*(φ(target)/c) with its derivatives in the critic's values.
    ///
    /// # Errors
    /// [`DivergenceError`] when a value is not finite or φ/c is outside the domain of f*.
    pub fn dual(&self, generated: &[f64], target: &[f64]) -> Result<DualValue, DivergenceError> {
        let weight = self.divergence_weight;
        let over_weight = |values: &[f64]| values.iter().map(|phi| phi / weight).collect::<Vec<_>>();
        let dual = self.divergence.dual(&over_weight(generated), &over_weight(target))?;
        Ok(DualValue { value: weight * dual.value, ..dual })
    }
}

/// The points at which a slope penalty is averaged: one on the segment of each pair of a generated and a target point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PenaltyPoints {
    /// Random interpolates (Gulrajani et al. 2017, algorithm 1).
    #[default]
    Interpolates,
    /// Random interpolates for a third of the pairs, the generated point for another and the target point for the last.
    Everywhere,
}

impl PenaltyPoints {
    /// The weight α of the generated point of a pair, from a number `u` that is uniform in [0, 1].
    ///
    /// ```
    /// use flows::game::PenaltyPoints;
    /// assert_eq!([0.2, 0.5, 0.9].map(|u| PenaltyPoints::Everywhere.mixing(u)), [0.0, 0.5, 1.0]);
    /// assert_eq!(PenaltyPoints::Interpolates.mixing(0.2), 0.2);
    /// ```
    pub fn mixing<T: Real>(self, u: T) -> T {
        match self {
            Self::Interpolates => u,
            Self::Everywhere => (T::of(3.0) * u - T::one()).max(T::zero()).min(T::one()),
        }
    }
}

/// What the flow minimises.
///
/// E φ(x_T) + λ·Σᵢ h·E½‖vᵢ‖² + `velocity_spread`·Σᵢ h·E‖vᵢ − (x_T − x₀)/T‖²
/// + `hamilton_jacobi`·Σᵢ (h/T)·E(∂ₜUᵢ/λ − ½‖vᵢ‖²)² + `terminal_gradient`·E‖(∇U(x_T, T) − ∇φ(x_T))/λ‖²
/// + `characteristic`·Σᵢ (h/T)·E‖(xᵢ − x_T)/T − ((T − tᵢ)/(λT))·∇φ(x_T)‖² + Σᵢ h·½(I(ρᵢ) + I(ρ_{i+1})), along x_{i+1} = xᵢ + h·vᵢ + σ√h·ξᵢ.
///
/// Without noise σ and interaction I every penalty is zero at the exact optimum, so none of them moves it; with one of them
/// only that of the terminal condition is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowObjective {
    /// λ of v = −∇U/λ and of the kinetic term.
    pub lambda: f64,
    /// The horizon T.
    pub horizon: f64,
    /// Whether λ·KE is part of the objective (the W2 proximal).
    pub kinetic: bool,
    /// Weight of the spread of the velocity along each path.
    pub velocity_spread: f64,
    /// Weight of the squared Hamilton–Jacobi residual in units of energy.
    pub hamilton_jacobi: f64,
    /// Weight of the squared mismatch of the terminal condition in units of velocity.
    pub terminal_gradient: f64,
    /// Weight of the squared distance to the characteristics that end in x_T, in units of velocity.
    pub characteristic: f64,
    /// Strength σ ≥ 0 of the noise of the particles, in length/√time.
    pub noise: f64,
    /// I, the running cost of the particles' law.
    pub interaction: Option<Interaction>,
}

/// The parameters of both networks, each a flat buffer in the layout of [`Mlp`].
#[derive(Debug, Clone, Copy)]
pub struct Networks<'a, T> {
    /// Those of the potential's network, or of the velocity in its place.
    pub potential: &'a [T],
    /// Those of the critic.
    pub critic: &'a [T],
}

/// Where the particles of a minibatch begin and what moves them beside their velocity.
#[derive(Debug, Clone, Copy)]
pub struct Paths<'a, T> {
    /// x₀, batch × d.
    pub start: &'a [T],
    /// Euler steps.
    pub steps: usize,
    /// ξ, standard normal numbers, steps × batch × d; empty without noise.
    pub noise: &'a [T],
}

/// One minibatch of the critic, row-major.
#[derive(Debug, Clone, Copy)]
pub struct CriticBatch<'a, T> {
    /// Generated points, batch × d.
    pub generated: &'a [T],
    /// Target points, batch × d.
    pub target: &'a [T],
    /// Numbers that are uniform in [0, 1], one for each pair: [`PenaltyPoints::mixing`] makes them the α of the points
    /// α·generated + (1 − α)·target of the penalty.
    pub mixing: &'a [T],
}

/// The value of the critic's objective on a minibatch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CriticValue {
    /// The dual value of the divergence.
    pub divergence: f64,
    /// The weighted penalty.
    pub penalty: f64,
    /// Mean of ‖∇φ‖ over the points of the penalty (0 without one).
    pub slope_mean: f64,
    /// Maximum of ‖∇φ‖ over the points of the penalty (0 without one).
    pub slope_max: f64,
}

/// The parts of the flow's objective on a minibatch, each without its weight.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FlowValue {
    /// The weighted sum that was differentiated.
    pub total: f64,
    /// E φ(x_T).
    pub terminal: f64,
    /// KE = Σ h·E½‖v‖².
    pub kinetic_energy: f64,
    /// Σ h·E‖v − (x_T − x₀)/T‖².
    pub velocity_spread: f64,
    /// Σ (h/T)·E(∂ₜU/λ − ½‖v‖²)².
    pub hamilton_jacobi: f64,
    /// E‖(∇U(x_T, T) − ∇φ(x_T))/λ‖².
    pub terminal_gradient: f64,
    /// Σ (h/T)·E‖(xᵢ − x_T)/T − ((T − tᵢ)/(λT))·∇φ(x_T)‖².
    pub characteristic: f64,
    /// Σ h·½(I(ρᵢ) + I(ρ_{i+1})).
    pub interaction: f64,
}

/// The networks of both players and their objectives.
#[derive(Debug, Clone, PartialEq)]
pub struct Game {
    /// The potential's network.
    pub potential: Potential,
    /// v itself as a network on (x, t), in the place of the potential's: [`Representation::Velocity`].
    pub velocity: Option<Generator>,
    /// φ.
    pub critic: Mlp,
    /// How the flow follows from the two.
    pub representation: Representation,
    /// The critic's side.
    pub critic_objective: CriticObjective,
    /// The flow's side.
    pub flow_objective: FlowObjective,
}

/// Something that can compute the gradients of a [`Game`]: the native CPU code, or libtorch.
///
/// Parameters and gradients are flat buffers in the layout of [`Mlp`]; gradients are overwritten. Both gradients are
/// those of a quantity to be minimised (the critic's is minus its objective).
pub trait Backend {
    /// The ends of the paths, batch × d.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit, and what the backend itself reports.
    fn push_forward(
        &mut self,
        networks: Networks<'_, f32>,
        paths: Paths<'_, f32>,
    ) -> Result<Vec<f32>, FlowError>;

    /// Moves the ends `y` of the paths from `x0` downhill on φ(y) + λ‖x₀ − y‖²/(2T), as [`Representation::HopfLax`] asks.
    ///
    /// # Errors
    /// [`FlowError::Shape`] as above.
    fn refine(&mut self, critic: &[f32], x0: &[f32], y: &mut [f32], stop: Stop) -> Result<(), FlowError>;

    /// The critic's objective and the gradient of its negative.
    ///
    /// # Errors
    /// [`FlowError::Shape`] as above; [`FlowError::Divergence`] for critic values outside the domain of f*.
    fn critic_gradient(
        &mut self,
        critic: &[f32],
        batch: CriticBatch<'_, f32>,
        gradient: &mut [f32],
    ) -> Result<CriticValue, FlowError>;

    /// The flow's objective and its gradient in the parameters of the potential's network, through the whole trajectory.
    ///
    /// # Errors
    /// [`FlowError::Shape`] as above.
    fn flow_gradient(
        &mut self,
        networks: Networks<'_, f32>,
        paths: Paths<'_, f32>,
        gradient: &mut [f32],
    ) -> Result<FlowValue, FlowError>;
}

/// The native CPU backend.
#[derive(Debug)]
pub struct Native {
    game: Game,
    critic: critic::Workspace<f32>,
    flow: flow::Workspace<f32>,
    minimiser: Minimiser<f32>,
}

impl Native {
    /// A backend for one game; its buffers are kept from call to call.
    pub fn new(game: Game) -> Self {
        Self {
            game,
            critic: critic::Workspace::default(),
            flow: flow::Workspace::default(),
            minimiser: Minimiser::default(),
        }
    }
}

impl Backend for Native {
    fn push_forward(
        &mut self,
        networks: Networks<'_, f32>,
        paths: Paths<'_, f32>,
    ) -> Result<Vec<f32>, FlowError> {
        self.flow.push_forward(&self.game, networks, paths)
    }

    fn refine(&mut self, critic: &[f32], x0: &[f32], y: &mut [f32], stop: Stop) -> Result<(), FlowError> {
        let mut field = CriticField::new(&self.game.critic, critic)?;
        let dim = self.game.critic.input();
        let offered = 0..y.len() / dim;
        self.minimiser.minimise(&mut field, self.game.flow_objective.pull(), x0, y, offered, stop)
    }

    fn critic_gradient(
        &mut self,
        critic: &[f32],
        batch: CriticBatch<'_, f32>,
        gradient: &mut [f32],
    ) -> Result<CriticValue, FlowError> {
        self.critic.gradient(&self.game, critic, batch, gradient)
    }

    fn flow_gradient(
        &mut self,
        networks: Networks<'_, f32>,
        paths: Paths<'_, f32>,
        gradient: &mut [f32],
    ) -> Result<FlowValue, FlowError> {
        self.flow.gradient(&self.game, networks, paths, gradient)
    }
}
