//! A critic network from outside in the whole training.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use flows::FlowError;
use flows::device::Device;
use flows::mlp::{Cotangent, Mlp, Order, Tape, Weights};
use flows::real::Real;
use flows::scalar_field::ScalarField;
use rand::Rng;
use train::adversarial::Trainer;
use train::config::{Config, Configuration};
use train::source::Source;

/// A perceptron that training does not know as one.
#[derive(Debug, Clone)]
struct Stranger(Mlp);

impl ScalarField for Stranger {
    type Weights<T: Real> = Weights<T>;
    type Tape<T: Real> = Tape<T>;

    fn input(&self) -> usize {
        self.0.input()
    }

    fn parameter_count(&self) -> usize {
        self.0.parameter_count()
    }

    fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        self.0.initial(rng)
    }

    fn arrange<T: Real>(&self, parameters: &[T], weights: &mut Weights<T>) -> Result<(), FlowError> {
        self.0.arrange(parameters, weights)
    }

    fn evaluate<T: Real>(
        &self,
        weights: &Weights<T>,
        points: &[T],
        order: Order,
        tape: &mut Tape<T>,
    ) -> Result<(), FlowError> {
        self.0.evaluate(weights, points, order, tape)
    }

    fn pull_back<T: Real>(
        &self,
        weights: &Weights<T>,
        tape: &mut Tape<T>,
        cotangent: Cotangent<'_, T>,
        parameters: &mut [T],
        inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        self.0.pull_back(weights, tape, cotangent, parameters, inputs)
    }
}

const CONFIG: &str = r#"
name = "own-critic"
[data]
target = "pinwheel"
dim = 2
samples = 200
[flow]
horizon = 1.0
lambda = 0.5
steps = 2
hidden = [8, 8]
[critic]
divergence = "kl-donsker-varadhan"
lipschitz = { method = "penalty", form = "lp", weight = 1.0 }
hidden = [8, 8]
activation = "softplus"
updates = 2
[training]
iterations = 5
batch = 16
flow = { learning_rate = 1e-3 }
critic = { learning_rate = 1e-3 }
"#;

/// The same network trains alike, to the bit, whether it is the crate's own or a stranger.
#[test]
fn a_strangers_network_is_trained_like_ones_own() {
    for kind in ["network", "exact-terminal", "hopf-lax", "velocity"] {
        let refinements = if kind == "hopf-lax" { ", refinements = 4" } else { "" };
        let representation = format!("flow.representation={{ kind = \"{kind}\"{refinements} }}");
        let config = Config::parse(CONFIG, "own_critic.toml", None, &[representation]).unwrap();
        let source = || Source::new(&config).unwrap();
        let network = config.game(2).unwrap().critic.network;
        let mut own = Trainer::new(&config, source(), Device::Cpu).unwrap();
        let mut stranger = Trainer::with_critic(&config, source(), Stranger(network)).unwrap();
        let start = stranger.players.critic.parameters.clone();
        for _ in 0..5 {
            assert_eq!(own.step().unwrap(), stranger.step().unwrap(), "{kind}");
        }
        assert_eq!(own.players.critic, stranger.players.critic, "{kind}");
        assert_eq!(own.players.flow, stranger.players.flow, "{kind}");
        assert_ne!(start, stranger.players.critic.parameters, "{kind}: nothing was trained");
    }
}

#[test]
fn a_critic_of_another_dimension_is_an_error() {
    let config = Config::parse(CONFIG, "own_critic.toml", None, &[]).unwrap();
    let network = config.game(3).unwrap().critic.network;
    let source = Source::new(&config).unwrap();
    assert!(Trainer::with_critic(&config, source, Stranger(network)).is_err());
}
