//! The training iteration that is timed: five critic updates and one flow update.

use anyhow::{Context, Result};
use flows::activation::Activation;
use flows::critic::{Critic, CriticBatch, CriticObjective};
use flows::flow::{Flow, FlowObjective, Paths};
use flows::game::{Game, Native};
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, SlopePenalty};
use flows::mlp::{Mlp, Output};
use flows::potential::Potential;
use flows::scalar_field::ScalarField;
use ndarray::ArrayView2;
use ot_core::divergence::Divergence;
use rand::{Rng, RngExt};
use std::path::Path;
use train::adversarial::Players;
use train::config::{Optimiser, Schedule};

/// Critic updates for each flow update.
pub const CRITIC_UPDATES: usize = 5;
/// Euler steps of the flow.
pub const STEPS: usize = 5;
/// λ, L and the weight of the penalty; the horizon is 1.
const LAMBDA: f64 = 0.1;
const BOUND: f64 = 1.0;
const PENALTY_WEIGHT: f64 = 1.0;
const OPTIMISER: Optimiser =
    Optimiser { learning_rate: 1e-3, beta1: 0.5, beta2: 0.9, epsilon: 1e-8, schedule: Schedule::Constant };

/// The sizes of one problem.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Width × depth of U.
    pub name: &'static str,
    potential: &'static [usize],
    critic: &'static [usize],
    batch: usize,
}

/// From the published low-dimensional setting to networks that are bound by arithmetic.
pub const SIZES: [Size; 6] = [
    Size { name: "48x5", potential: &[48; 5], critic: &[48; 3], batch: 200 },
    Size { name: "64x3", potential: &[64; 3], critic: &[128; 3], batch: 256 },
    Size { name: "128x4", potential: &[128; 4], critic: &[128; 3], batch: 512 },
    Size { name: "256x4", potential: &[256; 4], critic: &[256; 3], batch: 2048 },
    // Those of images and of benchmarks of transport.
    Size { name: "256x3", potential: &[256; 3], critic: &[256; 3], batch: 1024 },
    Size { name: "512x3", potential: &[512; 3], critic: &[512; 3], batch: 512 },
];

impl Size {
    /// The size of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self> {
        let names = SIZES.map(|size| size.name).join(", ");
        SIZES
            .into_iter()
            .find(|s| s.name == name)
            .with_context(|| format!("no size {name}: take one of {names}"))
    }

    /// Floating-point operations of the matrix products of one iteration.
    ///
    /// With W weights a value costs 2W for each point, its pullback 4W, a jet 4W and its pullback 8W; where the input's
    /// gradient is not needed, its first layer is saved. The pullback of the penalty is not counted: it leaves out the
    /// points whose slope is below the bound, which may be all of them.
    pub fn operations(&self, dim: usize) -> f64 {
        let weights = |input: usize, hidden: &[usize]| -> [f64; 2] {
            let first = hidden.first().map_or(0, |width| input * width);
            let rest: usize = hidden.iter().zip(hidden.iter().skip(1)).map(|(a, b)| a * b).sum();
            [first as f64, rest as f64]
        };
        let ([u0, u], [p0, p]) = (weights(dim + 1, self.potential), weights(dim, self.critic));
        let path = (self.batch * STEPS) as f64;
        let points = self.batch as f64;
        let pushes = path * 4.0 * (u0 + u);
        let values = 2.0 * points * (4.0 * p0 + 6.0 * p);
        let slopes = points * 4.0 * (p0 + p);
        let flow = path * 12.0 * (u0 + u) + points * 4.0 * (p0 + p);
        CRITIC_UPDATES as f64 * (pushes + values + slopes) + flow
    }
}

/// The players of a training, whose minibatch stays the same.
pub struct Iteration {
    players: Players,
    initial: Vec<f32>,
    target: Vec<f32>,
    mixing: Vec<f32>,
}

impl Iteration {
    /// Draws networks and a minibatch in R^`dim`.
    ///
    /// # Errors
    /// When the sizes do not describe a network.
    pub fn new(size: Size, dim: usize) -> Result<Self> {
        let penalty = Penalty {
            form: SlopePenalty::OneSidedSquared,
            weight: PENALTY_WEIGHT,
            points: PenaltyPoints::Interpolates,
        };
        let game = Game {
            critic: Critic {
                network: Mlp::new(dim, size.critic, Activation::Relu, Output::Identity)?.into(),
                objective: CriticObjective { divergence: Divergence::KullbackLeibler, weight: 1.0 },
                bound: BOUND,
                lipschitz: Lipschitz::Penalty(penalty),
            },
            flow: Flow::Network(Potential::new(dim, size.potential, Activation::Tanh)?),
            objective: FlowObjective { lambda: LAMBDA, ..FlowObjective::default() },
        };
        let mut random = datasets::stream(0, "benchmark", 0);
        let mut uniform =
            |count: usize, from: f32| (0..count).map(|_| from + random.random::<f32>()).collect::<Vec<_>>();
        let (initial, target) = (uniform(size.batch * dim, -0.5), uniform(size.batch * dim, 0.0));
        let mixing = uniform(size.batch, 0.0);
        Self::of(&game, [initial, target, mixing], &mut random)
    }

    /// Draws the networks of a game, for a minibatch of initial points, of targets and of the numbers that mix them.
    ///
    /// # Errors
    /// When the critic's network is not one for its Lipschitz method.
    pub fn of(game: &Game, [initial, target, mixing]: [Vec<f32>; 3], random: &mut impl Rng) -> Result<Self> {
        let flow = game.flow.initial(random);
        let critic = game.critic.network.initial(random);
        let players = Players::new(game, Box::new(Native::new(game.clone())), flow, critic)?;
        Ok(Self { players, initial, target, mixing })
    }

    /// One iteration; the loss of each of its updates, the flow's last.
    ///
    /// # Errors
    /// When a loss leaves its domain.
    pub fn run(&mut self) -> Result<Vec<f64>> {
        let mut losses = Vec::with_capacity(CRITIC_UPDATES + 1);
        let paths = Paths { start: &self.initial, steps: STEPS, noise: &[] };
        // No average is kept: the last parameters are the ones in use.
        let update = (&OPTIMISER, OPTIMISER.learning_rate, 0.0);
        for _ in 0..CRITIC_UPDATES {
            let critic = self.players.critic.effective()?;
            let generated = self.players.push_forward(&critic, paths)?;
            let points = CriticBatch { generated: &generated, target: &self.target, mixing: &self.mixing };
            losses.push(-self.players.ascend(&critic, points, update)?.total());
        }
        losses.push(self.players.descend(paths, update)?.total);
        Ok(losses)
    }

    /// Writes all that another program needs to do the same: parameters and minibatch as `.npy`, the rest as
    /// `problem.json`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn export(&self, size: Size, dim: usize, folder: &Path) -> Result<()> {
        let arrays = [
            ("potential", &self.players.flow.parameters, 1),
            ("critic", &self.players.critic.parameters, 1),
            ("initial", &self.initial, dim),
            ("target", &self.target, dim),
            ("mixing", &self.mixing, 1),
        ];
        for (name, values, columns) in arrays {
            let matrix = ArrayView2::from_shape((values.len() / columns, columns), values)?;
            datasets::write_npy_f32(folder.join(format!("{name}.npy")), matrix)?;
        }
        let problem = serde_json::json!({
            "size": size.name,
            "dim": dim,
            "batch": size.batch,
            "potential": size.potential,
            "critic": size.critic,
            "critic_updates": CRITIC_UPDATES,
            "steps": STEPS,
            "lambda": LAMBDA,
            "bound": BOUND,
            "penalty_weight": PENALTY_WEIGHT,
            "learning_rate": OPTIMISER.learning_rate,
            "betas": [OPTIMISER.beta1, OPTIMISER.beta2],
            "epsilon": OPTIMISER.epsilon,
            "operations": size.operations(dim),
        });
        datasets::write_whole(folder.join("problem.json"), |file| {
            Ok(serde_json::to_writer(file, &problem)?)
        })?;
        Ok(())
    }
}
