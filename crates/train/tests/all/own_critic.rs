//! A critic network from outside in the whole training.

use flows::FlowError;
use flows::device::Device;
use flows::mlp::{Cotangent, Mlp, Order, Tape, Weights};
use flows::real::Real;
use flows::scalar_field::ScalarField;
use rand::Rng;
use train::model::FlowModel;
use train::outcome::Status;
use train::{Configuration, FlowConfig, Run};

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
kind = "flow"
name = "own-critic"
[data]
kind = "target"
target = "pinwheel"
dim = 2
samples = 200
[flow]
horizon = 1.0
lambda = 0.5
steps = 2
[representation]
kind = "network"
hidden = [8, 8]
[critic]
divergence = "kl-donsker-varadhan"
lipschitz = { method = "penalty", form = "lp", weight = 1.0 }
hidden = [8, 8]
activation = "softplus"
[training]
iterations = 5
batch = 16
critic_updates = 2
optimiser = { learning_rate = 1e-3 }
critic_optimiser = { learning_rate = 1e-3 }
"#;

/// The same network trains alike, to the bit, whether it is the crate's own or a stranger, and is loaded again.
#[test]
fn a_strangers_network_is_trained_like_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["network", "exact-terminal", "hopf-lax", "velocity"] {
        let refinements = if kind == "hopf-lax" { ", refinements = 4" } else { "" };
        let representation = format!("representation={{ kind = \"{kind}\"{refinements}, hidden = [8, 8] }}");
        let config = FlowConfig::parse(CONFIG, "own_critic.toml", None, &[representation]).unwrap();
        let network = || Stranger(config.game(2).unwrap().critic.network.head().clone());
        let out = folder.path().join(kind);
        let own = Run::new(config.clone()).train().unwrap();
        let stranger = Run::new(config.clone()).critic(network()).out(&out).train().unwrap();
        assert_eq!(own.outcome.status, Status::Completed);
        let points = own.model.sample(50, 4, 1).unwrap();
        let slopes = own.model.critic_slopes(points.view()).unwrap();
        assert_eq!(points, stranger.model.sample(50, 4, 1).unwrap(), "{kind}");
        assert_eq!(slopes, stranger.model.critic_slopes(points.view()).unwrap(), "{kind}");
        let loaded = FlowModel::load_with_critic(&out, network()).unwrap();
        assert_eq!(slopes, loaded.critic_slopes(points.view()).unwrap(), "{kind}");
        let other = Run::new(FlowConfig { seed: 1, ..config }).train().unwrap().model;
        assert_ne!(points, other.sample(50, 4, 1).unwrap(), "{kind}: nothing depends on the training");
    }
}

#[test]
fn a_critic_of_another_dimension_or_on_another_device_is_an_error() {
    let config = FlowConfig::parse(CONFIG, "own_critic.toml", None, &[]).unwrap();
    let network = |dim| Stranger(config.game(dim).unwrap().critic.network.head().clone());
    assert!(Run::new(config.clone()).critic(network(3)).train().is_err());
    let run = Run::new(config.clone()).critic(network(2)).device(Device::Cuda(0));
    assert!(run.train().unwrap_err().to_string().contains("train on the CPU"));
}
