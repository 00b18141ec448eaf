//! The published game on images of any side, by perceptrons and by convolutional networks: what an iteration costs.

use crate::iteration::{CRITIC_UPDATES, Iteration, STEPS};
use anyhow::{Context, Result, ensure};
use datasets::{ImageSet, Split, manifest::cache_root, resized};
use flows::activation::Activation;
use flows::convolution::ConvolutionDescription;
use flows::critic::CriticDescription;
use flows::flow::{FlowObjective, PotentialDescription, Representation};
use flows::game::Game;
use flows::lipschitz::{Lipschitz, Penalty, PenaltyPoints, SlopePenalty};
use flows::mlp::Initialisation;
use ndarray::Array3;
use ot_core::divergence::Divergence;
use rand::RngExt;
use std::path::Path;

/// Sides of the images, in pixels.
pub const SIDES: [usize; 5] = [16, 28, 32, 64, 128];
/// Images of a minibatch.
pub const BATCH: usize = 200;

/// What potential and critic are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Networks {
    /// Three layers of 256 units each.
    Perceptron,
    /// Two blocks of eight channels, kernels of 7 × 7 and squares of 2 × 2, and below them three layers of 512 units in the
    /// potential and of 256 in the critic.
    Convolutional,
}

impl Networks {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Perceptron, Self::Convolutional];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Perceptron => "perceptron",
            Self::Convolutional => "convolutional",
        }
    }

    /// Those of that name.
    ///
    /// # Errors
    /// When there are none.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|networks| networks.name() == name);
        found.with_context(|| format!("no networks {name}: take perceptron or convolutional"))
    }

    /// The game of the rows W1 ⊕ W2 of the figures 1 and 2, on grey images of this side.
    ///
    /// # Errors
    /// When no pixel is left of such images.
    pub fn game(self, side: usize) -> Result<Game> {
        let image =
            ConvolutionDescription { image: [side, side, 1], channels: vec![8, 8], kernel: 7, pooling: 2 };
        let (convolutions, hidden, activation) = match self {
            Self::Perceptron => (None, 256, Activation::Tanh),
            Self::Convolutional => (Some(image), 512, Activation::Relu),
        };
        let initialisation = Initialisation::default();
        let penalty =
            Penalty { form: SlopePenalty::OneSidedSquared, weight: 0.1, points: PenaltyPoints::Interpolates };
        let critic = CriticDescription {
            divergence: Divergence::DonskerVaradhan,
            lipschitz: Lipschitz::Penalty(penalty),
            convolutions: convolutions.clone(),
            hidden: vec![256; 3],
            ..CriticDescription::default()
        };
        let hidden = vec![hidden; 3];
        let potential = PotentialDescription { convolutions, hidden, activation, initialisation };
        let objective = FlowObjective { horizon: 5.0, lambda: 0.05, ..FlowObjective::default() };
        Ok(Game::new(&objective, &Representation::Network(potential), &critic, side * side)?)
    }
}

/// An iteration of the game on images of MNIST that are resampled to this side.
///
/// # Errors
/// When the images are not there, or not enough.
pub fn iteration(game: &Game, side: usize) -> Result<Iteration> {
    let images = ImageSet::Mnist.read(&cache_root(Path::new(".")), Split::Test)?;
    let shape = ImageSet::Mnist.shape();
    let bytes: Vec<u8> =
        images.pixels.iter().take(BATCH * shape.values()).map(|&grey| (255.0 * grey).round() as u8).collect();
    ensure!(bytes.len() == BATCH * shape.values(), "MNIST has fewer than {BATCH} images");
    let images = Array3::from_shape_vec((BATCH, shape.height, shape.width), bytes)?;
    let target = resized(images.view(), side).iter().map(|grey| (grey / 255.0) as f32).collect();
    let mut random = datasets::stream(0, "benchmark", 0);
    let mut uniform =
        |count: usize, high: f32| -> Vec<f32> { (0..count).map(|_| high * random.random::<f32>()).collect() };
    let (initial, mixing) = (uniform(BATCH * side * side, 0.5), uniform(BATCH, 1.0));
    Iteration::of(game, [initial, target, mixing], &mut random)
}

/// Floating-point operations of the products of one iteration.
///
/// A value of a network of P products costs 2P for each point, a jet 4P, the pullback of a value 4P and of a jet 8P: five critic
/// updates with their paths, values and penalties at every point, and one update of the flow. What the kernels leave out (the
/// lowest input gradient, penalties of slopes below the bound) is counted too, so this is the most that an iteration takes.
pub fn operations(game: &Game) -> f64 {
    let potential = game.flow.potential().map_or(0, |potential| potential.net().products()) as f64;
    let critic = game.critic.network.products() as f64;
    let (points, path) = (BATCH as f64, (BATCH * STEPS) as f64);
    let ascent = path * 4.0 * potential + (2.0 * points * 6.0 + points * 12.0) * critic;
    CRITIC_UPDATES as f64 * ascent + path * 12.0 * potential + points * 4.0 * critic
}

/// The slope of log y over log x by least squares: the p of y ~ xᵖ.
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (x, y) =
        (logs.iter().map(|p| p.0).sum::<f64>() / count, logs.iter().map(|p| p.1).sum::<f64>() / count);
    let products: f64 = logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    products / logs.iter().map(|p| (p.0 - x) * (p.0 - x)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::{Networks, exponent, operations};

    #[test]
    fn the_exponent_of_a_power_is_its_own() {
        let power: Vec<(f64, f64)> = [1.0_f64, 2.0, 5.0].map(|x| (x, 3.0 * x.powf(1.5))).to_vec();
        // A few roundings.
        assert!((exponent(&power) - 1.5).abs() < 1e-12);
    }

    /// The published networks by hand: 784·49·8 + 196·392·8 products of the blocks, and those of the layers.
    #[test]
    fn the_products_of_the_published_networks_are_counted() {
        let game = Networks::Convolutional.game(28).unwrap();
        let blocks = 784 * 49 * 8 + 196 * 392 * 8;
        let potential = blocks + 393 * 512 + 2 * 512 * 512 + 512;
        let critic = blocks + 392 * 256 + 2 * 256 * 256 + 256;
        assert_eq!(game.flow.potential().unwrap().net().products(), potential);
        assert_eq!(game.critic.network.products(), critic);
        let (u, p) = (potential as f64, critic as f64);
        let by_hand =
            5.0 * (1000.0 * 4.0 * u + 400.0 * 6.0 * p + 200.0 * 12.0 * p) + 12_000.0 * u + 800.0 * p;
        assert!((operations(&game) / by_hand - 1.0).abs() < 1e-12);
    }
}
