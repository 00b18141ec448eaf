//! What the flow minimises.

use super::{Interaction, Steps};
use crate::FlowError;
use crate::error::{not_negative, positive, require};
use metrics::Metric;
use serde::{Deserialize, Serialize};

/// What the flow minimises, and the horizon and steps of its paths.
///
/// | term | weight |
/// | --- | --- |
/// | E φ(x_T) | 1 |
/// | KE = Σᵢ h·E½‖vᵢ‖² | λ, with `kinetic` |
/// | Σᵢ h·E‖vᵢ − (x_T − x₀)/T‖² | `velocity_spread` |
/// | Σᵢ (h/T)·E(∂ₜUᵢ/λ − ½‖vᵢ‖²)² | `hamilton_jacobi`, with the sign of [`HamiltonJacobiSign`] |
/// | E‖(∇U(x_T, T) − ∇φ(x_T))/λ‖² | `terminal_gradient` |
/// | Σᵢ (h/T)·E‖(xᵢ − x_T)/T − ((T − tᵢ)/(λT))·∇φ(x_T)‖² | `characteristic` |
/// | Σᵢ h·½(I(ρᵢ) + I(ρ_{i+1})) | 1, with `interaction` |
///
/// along x_{i+1} = xᵢ + h·vᵢ + σ√h·ξᵢ.
///
/// Without noise σ and interaction I every penalty is zero at the exact optimum, so none of them moves it; with one of
/// them only that of the terminal condition is. The sign that was published is zero at another flow.
///
/// ```
/// use flows::flow::{FlowObjective, Steps};
/// let objective = FlowObjective { lambda: 0.1, steps: Steps::Fixed(5), ..FlowObjective::default() };
/// assert_eq!((objective.horizon, objective.kinetic, objective.noise), (1.0, true, 0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlowObjective {
    /// The horizon T.
    pub horizon: f64,
    /// λ of v = −∇U/λ and of the kinetic term.
    pub lambda: f64,
    /// Euler steps of a training iteration: a number, or `{ min, max }` to draw one for every iteration.
    pub steps: Steps,
    /// Whether λ·KE is part of the objective (the W2 proximal).
    pub kinetic: bool,
    /// Weight of the spread of the velocity along each path.
    pub velocity_spread: f64,
    /// Weight of the squared Hamilton–Jacobi residual in units of energy.
    pub hamilton_jacobi: f64,
    /// The sign of the energy in that residual.
    #[serde(default)]
    pub hamilton_jacobi_sign: HamiltonJacobiSign,
    /// Weight of the squared mismatch of the terminal condition in units of velocity.
    pub terminal_gradient: f64,
    /// Weight of the squared distance to the characteristics that end in x_T, in units of velocity.
    pub characteristic: f64,
    /// Strength σ ≥ 0 of the noise in dX = v dt + σ dW, in length/√time.
    pub noise: f64,
    /// I, a running cost of the particles' law.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interaction: Option<Interaction>,
}

/// The sign of the energy in the residual of the Hamilton–Jacobi equation that is penalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HamiltonJacobiSign {
    /// ∂ₜU/λ − ½‖v‖², which is zero at the optimum of v = −∇U/λ.
    #[default]
    Right,
    /// ∂ₜU/λ + ½‖v‖², of the code that made the published numbers of arXiv 2407.11901: only to compare with these. It is
    /// zero where particles move against the velocity of their equation, not at the optimum.
    AsPublished,
}

impl HamiltonJacobiSign {
    /// ∂ₜU/λ ∓ ½‖v‖², from both terms.
    pub(crate) fn residual(self, time: f64, energy: f64) -> f64 {
        time + self.of_energy() * energy
    }

    /// The derivative of the residual in the energy ½‖v‖²: −1 or 1.
    pub(crate) fn of_energy(self) -> f64 {
        match self {
            Self::Right => -1.0,
            Self::AsPublished => 1.0,
        }
    }
}

impl Default for FlowObjective {
    /// λ = T = 1 in one step, the W2 proximal and nothing else.
    fn default() -> Self {
        Self {
            horizon: 1.0,
            lambda: 1.0,
            steps: Steps::Fixed(1),
            kinetic: true,
            velocity_spread: 0.0,
            hamilton_jacobi: 0.0,
            hamilton_jacobi_sign: HamiltonJacobiSign::Right,
            terminal_gradient: 0.0,
            characteristic: 0.0,
            noise: 0.0,
            interaction: None,
        }
    }
}

impl FlowObjective {
    /// λ/T, the weight of ½‖x₀ − x_T‖² in the cost of a straight path.
    pub fn pull(&self) -> f64 {
        self.lambda / self.horizon
    }

    /// Checks every value against its domain; errors name the field.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for the first value outside its domain, and for a penalty on bent paths where noise
    /// or an interaction bends the optimal ones.
    pub fn validate(&self) -> Result<(), FlowError> {
        positive("horizon", self.horizon)?;
        positive("lambda", self.lambda)?;
        self.steps.validate()?;
        not_negative("velocity_spread", self.velocity_spread)?;
        not_negative("hamilton_jacobi", self.hamilton_jacobi)?;
        not_negative("terminal_gradient", self.terminal_gradient)?;
        not_negative("characteristic", self.characteristic)?;
        not_negative("noise", self.noise)?;
        if let Some(interaction) = self.interaction {
            interaction.validate()?;
        }
        if !self.bends() {
            return Ok(());
        }
        for (field, weight) in self.penalties_on_bends() {
            let remedy = "leave it at 0 with noise or an interaction, which bend the optimal paths";
            require(weight == 0.0, field, weight, remedy)?;
        }
        Ok(())
    }

    /// Checks it for a representation, of this name, whose paths are optimal by construction: straight for the sake of
    /// the kinetic energy, with nothing left to penalise.
    pub(crate) fn validate_straight(&self, kind: &str) -> Result<(), FlowError> {
        let remedy =
            format!("leave it true for the representation {kind}, which minimises the kinetic energy too");
        require(self.kinetic, "flow.kinetic", false, &remedy)?;
        require(
            !self.bends(),
            "representation.kind",
            kind,
            "take network or exact-terminal with noise or an interaction: paths are straight without them alone",
        )?;
        let remedy = format!(
            "leave it at 0 for the representation {kind}, where what it penalises is 0 by construction"
        );
        let terminal = ("terminal_gradient", self.terminal_gradient);
        for (field, weight) in self.penalties_on_bends().into_iter().chain([terminal]) {
            require(weight == 0.0, &format!("flow.{field}"), weight, &remedy)?;
        }
        Ok(())
    }

    /// The weights of what is 0 on straight paths alone, with their names.
    fn penalties_on_bends(&self) -> [(&'static str, f64); 3] {
        [
            ("velocity_spread", self.velocity_spread),
            ("hamilton_jacobi", self.hamilton_jacobi),
            ("characteristic", self.characteristic),
        ]
    }

    /// Whether noise or an interaction bends the optimal paths.
    pub fn bends(&self) -> bool {
        self.noise > 0.0 || self.interaction.is_some()
    }

    /// The weights of the terms of [`FlowValue`], in the order of [`FlowValue::terms`].
    pub fn weights(&self) -> [f64; TERMS] {
        [
            1.0,
            self.kinetic_weight(),
            self.velocity_spread,
            self.hamilton_jacobi,
            self.terminal_gradient,
            self.characteristic,
            1.0,
        ]
    }

    /// λ, or 0 without the kinetic term.
    pub(crate) fn kinetic_weight(&self) -> f64 {
        if self.kinetic { self.lambda } else { 0.0 }
    }
}

/// How many terms the objective has.
pub const TERMS: usize = 7;

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
    /// Σ (h/T)·E(∂ₜU/λ ∓ ½‖v‖²)².
    pub hamilton_jacobi: f64,
    /// E‖(∇U(x_T, T) − ∇φ(x_T))/λ‖².
    pub terminal_gradient: f64,
    /// Σ (h/T)·E‖(xᵢ − x_T)/T − ((T − tᵢ)/(λT))·∇φ(x_T)‖².
    pub characteristic: f64,
    /// Σ h·½(I(ρᵢ) + I(ρ_{i+1})).
    pub interaction: f64,
}

impl FlowValue {
    /// The terms without their weights, in the order of the formula of [`FlowObjective`].
    pub fn terms(&self) -> [f64; TERMS] {
        [
            self.terminal,
            self.kinetic_energy,
            self.velocity_spread,
            self.hamilton_jacobi,
            self.terminal_gradient,
            self.characteristic,
            self.interaction,
        ]
    }

    /// The value of these terms under an objective.
    pub fn of_terms(terms: [f64; TERMS], objective: &FlowObjective) -> Self {
        let [
            terminal,
            kinetic_energy,
            velocity_spread,
            hamilton_jacobi,
            terminal_gradient,
            characteristic,
            interaction,
        ] = terms;
        let total =
            terms.iter().zip(objective.weights()).fold(0.0, |sum, (term, weight)| sum + weight * term);
        Self {
            total,
            terminal,
            kinetic_energy,
            velocity_spread,
            hamilton_jacobi,
            terminal_gradient,
            characteristic,
            interaction,
        }
    }

    /// What a record of the training holds, by name.
    pub fn named(&self) -> [(&'static Metric, f64); 3] {
        [
            (metrics::FLOW_OBJECTIVE, self.total),
            (metrics::TERMINAL_COST, self.terminal),
            (metrics::BATCH_KINETIC_ENERGY, self.kinetic_energy),
        ]
    }
}
