//! Critics of orthonormal layers in training: the bound holds whatever happens, and it is reached where it must be.

use datasets::stream;
use flows::critic::{self, CriticBatch};
use flows::mlp::{Mlp, Order, Tape, Weights};
use ndarray::Array2;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use train::config::{Configuration, FlowConfig};
use train::model::FlowModel;
use train::player::Player;
use train::run::Run;

const CONFIG: &str = r#"
kind = "flow"
name = "orthonormal"
[data]
kind = "target"
target = "pinwheel"
dim = 3
samples = 500
[flow]
horizon = 1.0
lambda = 0.5
steps = 2
[representation]
kind = "network"
hidden = [8, 8]
[critic]
divergence = "w1"
lipschitz = { method = "orthonormal" }
hidden = [32, 32, 32]
[training]
iterations = 100
batch = 32
critic_updates = 2
optimiser = { learning_rate = 1e-3 }
critic_optimiser = { learning_rate = 5e-3, beta1 = 0.9, beta2 = 0.99, schedule = { kind = "cosine", end = 0.02 } }
average = 0.9
"#;

fn config(overrides: &[&str]) -> FlowConfig {
    let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
    FlowConfig::parse(CONFIG, "orthonormal.toml", None, &overrides).unwrap()
}

fn normal(rng: &mut impl Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| rng.sample::<f32, _>(StandardNormal)).collect()
}

/// ‖∇φ‖ at each point.
fn slopes(net: &Mlp, theta: &[f32], points: &[f32]) -> Vec<f64> {
    let mut tape = Tape::new();
    net.evaluate(&Weights::new(net, theta).unwrap(), points, Order::Jet, &mut tape).unwrap();
    let norm = |g: &[f32]| g.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
    tape.gradient().chunks_exact(net.input()).map(norm).collect()
}

/// Trains a critic alone between N(0, I) and the origin, where the best one is L‖x‖; returns the dual value over
/// L·E‖x‖, and the mean and maximum of ‖∇φ‖/L on fresh points.
fn cone(bound: f64, updates: u64) -> [f64; 3] {
    let config = config(&[&format!("critic.bound={bound}")]);
    let dim = 3;
    let critic = config.game(dim).unwrap().critic;
    let drawn = config.critic.initialisation.draw(critic.network.head(), &mut stream(1, "critic", 0));
    let mut player = Player::critic(&critic, drawn).unwrap();
    let mut workspace = critic::Workspace::default();
    let target = vec![0.0; 256 * dim];
    for update in 0..updates {
        let generated = normal(&mut stream(1, "points", update), target.len());
        let batch = CriticBatch { generated: &generated, target: &target, mixing: &[] };
        let mut gradient = vec![0.0; player.parameters.len()];
        workspace.gradient(&critic, &player.effective().unwrap(), batch, &mut gradient).unwrap();
        let settings = &config.training.critic_optimiser;
        let rate = settings.rate(update as f64 / updates as f64);
        player.descend(settings, rate, 0.0, gradient).unwrap();
    }
    let fresh = normal(&mut stream(2, "points", 0), 4000 * dim);
    let batch = CriticBatch { generated: &fresh, target: &vec![0.0; fresh.len()], mixing: &[] };
    let mut discarded = vec![0.0; player.parameters.len()];
    let effective = player.effective().unwrap();
    let dual = workspace.gradient(&critic, &effective, batch, &mut discarded).unwrap().divergence;
    let length = |x: &[f32]| x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let lengths = fresh.chunks_exact(dim).map(length).sum::<f64>() / 4000.0;
    let slopes = slopes(critic.network.head(), &effective, &fresh);
    let mean = slopes.iter().sum::<f64>() / slopes.len() as f64;
    [dual / (bound * lengths), mean / bound, slopes.iter().copied().fold(0.0, f64::max) / bound]
}

#[test]
fn the_distance_to_a_point_is_learned_at_full_slope() {
    for bound in [1.0, 2.5] {
        let [start, ..] = cone(bound, 0);
        assert!(start < 0.5, "nothing is left to learn: {start}");
        let [dual, mean, max] = cone(bound, 600);
        assert!(mean >= 0.95, "mean slope {mean} of L");
        // No critic of slope L has more than 1. A cone of flat pieces in three dimensions lies below by their widths.
        assert!(dual > 0.96 && dual <= 1.0, "{dual} of the distance");
        assert!(max <= 1.0, "largest slope {max} of L");
    }
}

#[test]
fn no_training_breaks_the_bound() {
    let folder = tempfile::tempdir().unwrap();
    let points = Array2::from_shape_vec(
        (3000, 3),
        normal(&mut stream(3, "points", 0), 9000).iter().map(|&x| 3.0 * f64::from(x)).collect(),
    )
    .unwrap();
    let steepest = |name: &str, method: &str| {
        let overrides = [
            "critic.bound=0.7",
            "training.critic_optimiser.learning_rate=0.1",
            "critic.divergence=kl-donsker-varadhan",
            method,
        ];
        let out = folder.path().join(name);
        Run::new(config(&overrides)).out(&out).train().unwrap();
        let slopes = FlowModel::load(&out).unwrap().critic_slopes(points.view()).unwrap();
        slopes.into_iter().fold(0.0, f64::max)
    };
    let held = steepest("held", "critic.lipschitz.method=orthonormal");
    assert!(held <= 0.7 && held > 0.35, "{held}");
    let free = steepest("free", "critic.lipschitz.method=none");
    assert!(free > 0.7, "the negative control: without a method the slope is {free}");
}
