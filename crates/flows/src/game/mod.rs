//! The two players and the gradients of their objectives.
//!
//! inf_v sup_φ E_{ρ_T} φ − E_π f*(φ) + λ∫₀ᵀ E ½‖v‖² dt, dx/dt = v = −∇U/λ, x₀ ~ ρ₀ (arXiv 2407.11901, eq. (10)).
//!
//! The critic ([`crate::critic`]) ascends its dual value less a slope penalty; the flow ([`crate::flow`]) descends E
//! φ(x_T) + λ·KE plus penalties that vanish at the exact optimum. The gradients are written out as adjoints of the
//! networks' closed forms, so an update needs no graph and no double backward pass.

use crate::FlowError;
use crate::critic::{self, Critic, CriticBatch, CriticDescription, CriticValue};
use crate::error::{expect_length, expect_rows};
use crate::flow::{self, Flow, FlowObjective, FlowValue, Paths, Representation};
use crate::hopf_lax::{CriticField, Curvature, Minimiser, Stop};
use crate::network::Network;
use crate::scalar_field::ScalarField;

/// Both players: the critic, the flow, and what the flow minimises.
///
/// A critic of your own network N makes a `Game<N>`, which the native backend trains.
#[derive(Debug, Clone, PartialEq)]
pub struct Game<N = Network> {
    /// φ, its objective and its bound.
    pub critic: Critic<N>,
    /// How the velocity follows from its network and φ.
    pub flow: Flow,
    /// What the flow minimises.
    pub objective: FlowObjective,
}

impl Game {
    /// The game of a checked description on R^`dim`.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for the first value outside its domain, by its path: `flow.…`, `representation.…`
    /// or `critic.…`.
    pub fn new(
        objective: &FlowObjective,
        representation: &Representation,
        critic: &CriticDescription,
        dim: usize,
    ) -> Result<Self, FlowError> {
        representation.validate(objective, critic)?;
        Ok(Self {
            critic: critic.build(dim).map_err(|e| e.within("critic"))?,
            flow: representation.build(dim)?,
            objective: *objective,
        })
    }
}

impl<N> Game<N> {
    /// The same game with a critic of another network.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when it does not judge points of the flow's dimension.
    pub fn with_critic<M: ScalarField>(self, network: M) -> Result<Game<M>, FlowError> {
        expect_length("the input of the critic's network", network.input(), self.flow.dim())?;
        let Critic { objective, bound, lipschitz, .. } = self.critic;
        let critic = Critic { network, objective, bound, lipschitz };
        Ok(Game { critic, flow: self.flow, objective: self.objective })
    }
}

/// The parameters of both networks, each a flat buffer in the layout of its network.
#[derive(Debug, Clone, Copy)]
pub struct Networks<'a, T> {
    /// Those of the flow's network.
    pub flow: &'a [T],
    /// Those of the critic.
    pub critic: &'a [T],
}

/// Something that can compute the gradients of a [`Game`]: the native CPU code, or libtorch.
///
/// Parameters and gradients are flat buffers in the layout of [`Network`]; gradients are overwritten. Both gradients are
/// those of a quantity to be minimised (the critic's is minus its objective).
pub trait Backend {
    /// The ends of the paths, [n, d].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit, and what the backend itself reports.
    fn push_forward(
        &mut self,
        networks: Networks<'_, f32>,
        paths: Paths<'_, f32>,
    ) -> Result<Vec<f32>, FlowError>;

    /// Moves the ends `y` of the paths from `x0` downhill on φ(y) + λ‖x₀ − y‖²/(2T), as [`Flow::HopfLax`] asks; every
    /// row is also offered the others'. `curvature` is that of earlier searches, and goes on with this one.
    ///
    /// # Errors
    /// [`FlowError::Shape`] as above.
    fn refine(
        &mut self,
        critic: &[f32],
        x0: &[f32],
        y: &mut [f32],
        curvature: &mut Curvature,
        stop: Stop,
    ) -> Result<(), FlowError>;

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

    /// The flow's objective and its gradient in the parameters of the flow's network, through the whole trajectory.
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

/// The native CPU backend, for a critic of any network.
#[derive(Debug)]
pub struct Native<N: ScalarField = Network> {
    game: Game<N>,
    critic: critic::Workspace<f32, N>,
    flow: flow::Workspace<f32, N>,
    minimiser: Minimiser<f32>,
}

impl<N: ScalarField> Native<N> {
    /// A backend for one game; its buffers are kept from call to call.
    pub fn new(game: Game<N>) -> Self {
        Self {
            game,
            critic: critic::Workspace::default(),
            flow: flow::Workspace::default(),
            minimiser: Minimiser::default(),
        }
    }
}

impl<N: ScalarField> Backend for Native<N> {
    fn push_forward(
        &mut self,
        networks: Networks<'_, f32>,
        paths: Paths<'_, f32>,
    ) -> Result<Vec<f32>, FlowError> {
        self.flow.push_forward(&self.game, networks, paths)
    }

    fn refine(
        &mut self,
        critic: &[f32],
        x0: &[f32],
        y: &mut [f32],
        curvature: &mut Curvature,
        stop: Stop,
    ) -> Result<(), FlowError> {
        let mut field = CriticField::new(&self.game.critic.network, critic)?;
        let offered = 0..expect_rows("the ends of the paths", y.len(), self.game.critic.dim())?;
        let pull = self.game.objective.pull();
        self.minimiser
            .knowing(curvature, |minimiser| minimiser.minimise(&mut field, pull, x0, y, offered, stop))
    }

    fn critic_gradient(
        &mut self,
        critic: &[f32],
        batch: CriticBatch<'_, f32>,
        gradient: &mut [f32],
    ) -> Result<CriticValue, FlowError> {
        self.critic.gradient(&self.game.critic, critic, batch, gradient)
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
