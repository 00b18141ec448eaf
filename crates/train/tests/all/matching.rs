//! Whole runs of flow matching: the velocity that theory gives, straighter paths by a rectification, and the same bits
//! whether interrupted or not.

use mfg::Indicators;
use ndarray::{Array1, Array2, array};
use std::path::Path;
use train::checkpoint::Stored;
use train::config::{Configuration, FlowConfig};
use train::model::FlowModel;
use train::observe::{Observer, Record};
use train::run::{Run, newest_checkpoint};
use train::{Model, TrainError};

const SMALL: &str = r#"
kind = "flow"
name = "small"
[data]
kind = "target"
target = "pinwheel"
dim = 3
samples = 300
[representation]
kind = "matching"
hidden = [8, 8]
[training]
iterations = 40
batch = 16
optimiser = { learning_rate = 1e-3 }
average = 0.9
log_every = 5
checkpoint_every = 10
"#;

fn small(overrides: &[&str]) -> FlowConfig {
    let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
    FlowConfig::parse(SMALL, "small.toml", None, &overrides).unwrap()
}

fn trained(config: FlowConfig) -> FlowModel {
    Run::new(config).train().unwrap().model
}

/// Between N(0, I) and N(m, I) with independent pairs, x_t and x_T − x₀ are Gaussian together, with s = t/T the covariances
/// (1−s)² + s² and 2s − 1: v(x, t) = (m + (2s−1)/((1−s)²+s²)·(x − s·m))/T.
#[test]
fn between_gaussians_the_velocity_is_affine() {
    let model = trained(small(&[
        "data={ kind = \"target\", target = \"shifted-gaussian\", dim = 2 }",
        "flow.horizon=2.0",
        "representation.hidden=[32, 32]",
        "training.batch=256",
        "training.iterations=1500",
        "training.log_every=1500",
        "training.average=0.995",
        "training.optimiser={ learning_rate = 1e-2, schedule = { kind = \"cosine\", end = 0.01 } }",
    ]));
    let start = model.initial(500, 1).unwrap();
    let trajectory = model.trajectory(start.view(), 8).unwrap();
    let (mean, parts): (Array1<f64>, _) = (array![3.0, 0.0], trajectory.parts());
    for ((t, x), minus_v) in parts.times.iter().zip(&parts.positions).zip(&parts.potential_gradient) {
        let s = t / 2.0;
        let rate = (2.0 * s - 1.0) / ((1.0 - s).powi(2) + s * s);
        let expected = (&mean + &((x - &(s * &mean)) * rate)) / 2.0;
        let error = ((&expected + minus_v).mapv(|gap| gap * gap).mean().unwrap()).sqrt();
        // The regression has residuals of deviation 1 a coordinate; the average of the last 200 iterations of 256 pairs
        // leaves some per cent of that. A velocity that did not depend on x would be off by 0.5 at either end.
        assert!(error < 0.08, "{error} at t = {t}");
    }
}

/// The paths of independent pairs cross in the middle, and the flow bends there.
#[test]
fn a_rectified_flow_is_straighter() {
    let path_ratio = |changes: &[&str]| {
        let base = [
            "data={ kind = \"target\", target = \"eight-gaussians\", dim = 2 }",
            "representation.hidden=[32, 32]",
            "training.batch=128",
            "training.log_every=2000",
            "training.average=0.99",
            "training.optimiser={ learning_rate = 5e-3, schedule = { kind = \"cosine\", end = 0.02 } }",
        ];
        let model = trained(small(&[&base, changes].concat()));
        let start = model.initial(500, 1).unwrap();
        let trajectory = model.trajectory(start.view(), 32).unwrap();
        Indicators::new(&trajectory, None).unwrap().path_ratio.unwrap()
    };
    let once = path_ratio(&["training.iterations=1000"]);
    let rectified = path_ratio(&["training.iterations=2000", "representation.rectifications=1"]);
    let optimal = path_ratio(&["training.iterations=1000", "representation.coupling=optimal"]);
    assert!(rectified < 0.5 * once && optimal < 0.5 * once, "{once}, {rectified} and {optimal}");
}

/// Ends the run at the first record from this step on.
struct Interruption(u64);

impl Observer for Interruption {
    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        if record.step < self.0 { Ok(()) } else { Err(TrainError::Observer("interrupted".into())) }
    }
}

/// Every array of the newest checkpoint of a run.
fn state(run: &Path) -> Vec<Vec<f32>> {
    let state = Stored::open(&newest_checkpoint(run).unwrap().unwrap()).unwrap();
    assert_eq!(state.counter("iteration").unwrap(), 40);
    let names = ["parameters", "average", "adam.first", "adam.second"].map(|name| format!("velocity.{name}"));
    let pairs = state.has("pairs.ends").unwrap().then(|| state.floats("pairs.ends").unwrap());
    names.iter().map(|name| state.floats(name).unwrap()).chain(pairs).collect()
}

/// Cut before the first pairs of the rectification, which are made at iteration 20, just there, and between later ones.
#[test]
fn an_interrupted_training_ends_in_the_same_bits() {
    for changes in [
        ["representation.coupling=optimal", "representation.sigma=0.1"],
        [
            "representation.rectifications=1",
            "initial={ kind = \"target\", target = \"moons\", dim = 3, samples = 200 }",
        ],
    ] {
        let (folder, config) = (tempfile::tempdir().unwrap(), small(&changes));
        let whole = folder.path().join("whole");
        Run::new(config.clone()).out(&whole).train().unwrap();
        for step in [15, 25, 35] {
            let cut = folder.path().join(format!("cut-{step}"));
            assert!(Run::new(config.clone()).out(&cut).observer(Interruption(step)).train().is_err());
            Run::new(config.clone()).out(&cut).resume(true).train().unwrap();
            assert!(state(&whole) == state(&cut), "{changes:?} at {step}");
        }
    }
}

#[test]
fn a_stored_flow_is_the_one_that_was_trained_and_has_no_critic() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let model = Run::new(small(&["data={ kind = \"target\", target = \"moons\", dim = 3 }"])).out(&run);
    let model = model.train().unwrap().model;
    let loaded = FlowModel::load(&run).unwrap();
    assert_eq!(model.sample(50, 5, 3).unwrap(), loaded.sample(50, 5, 3).unwrap());
    assert_ne!(loaded.sample(50, 1, 3).unwrap(), loaded.sample(50, 5, 3).unwrap());
    assert!(loaded.sample(50, 0, 3).is_err());
    assert_eq!((Model::load(&run).unwrap().iteration(), loaded.steps()), (40, 64));
    let start = loaded.initial(20, 1).unwrap();
    let indicators = Indicators::new(&loaded.trajectory(start.view(), 4).unwrap(), None).unwrap();
    assert_eq!((indicators.terminal_gradient_rms, indicators.hj_residual_rms), (None, None));
    let error = loaded.critic_slopes(start.view()).unwrap_err().to_string();
    assert!(error.contains("trained without one"), "{error}");
    let other =
        small(&["initial={ kind = \"target\", target = \"moons\", dim = 3 }", "training.iterations=1"]);
    let error = trained(other).log_density(start.view()).unwrap_err().to_string();
    assert!(error.contains("begin with a normal"), "{error}");
    assert!(loaded.optimal(start.view()).unwrap().is_none());
}

/// Two coordinates of twelve carry the pinwheel: a base takes the others to 0 whatever the network has learnt, and the same
/// training without one leaves some of the noise there.
#[test]
fn a_gaussian_base_leaves_nothing_off_the_plane_of_the_data() {
    let off = |base: &[&str]| {
        let run = tempfile::tempdir().unwrap();
        let settings = ["data.dim=12", "training.iterations=100", "training.average=0.9"];
        let config = small(&[&settings, base].concat());
        let model = Run::new(config).out(run.path().join("run")).train().unwrap().model;
        let points = model.sample(200, 8, 3).unwrap();
        let loaded = FlowModel::load(&run.path().join("run")).unwrap();
        assert_eq!(points, loaded.sample(200, 8, 3).unwrap());
        points.slice(ndarray::s![.., 2..]).iter().fold(0.0_f64, |most, x| most.max(x.abs()))
    };
    let gaussian = "representation.base=gaussian";
    // Eight steps in single precision.
    assert!(off(&[gaussian]) < 1e-5 && off(&[gaussian, "representation.rank=2"]) < 1e-5);
    assert!(off(&[]) > 0.1);
}

/// By the midpoint rule over a box that holds nearly all of it. Few steps, so that the density of the differential equation
/// would be another.
#[test]
fn the_density_of_euler_steps_has_mass_one_and_is_that_of_the_samples() {
    let model = trained(small(&[
        "data={ kind = \"target\", target = \"moons\", dim = 2 }",
        "representation.hidden=[32, 32]",
        "training.batch=128",
        "training.iterations=400",
        "training.optimiser={ learning_rate = 1e-2 }",
        "sampling.steps=6",
    ]));
    let (cells, side) = (160_u32, 16.0);
    let h = side / f64::from(cells);
    let at = |i: u32| (f64::from(i) + 0.5) * h - 0.5 * side;
    let grid: Vec<f64> = (0..cells).flat_map(|i| (0..cells).flat_map(move |j| [at(i), at(j)])).collect();
    let grid = Array2::from_shape_vec((grid.len() / 2, 2), grid).unwrap();
    let densities = model.log_density(grid.view()).unwrap();
    let mass = |keep: &dyn Fn(f64, f64) -> bool| -> f64 {
        let rows = densities.iter().zip(grid.rows());
        rows.filter(|(_, x)| keep(x[0], x[1])).map(|(log, _)| log.exp()).sum::<f64>() * h * h
    };
    let found = mass(&|_, _| true);
    assert!((found - 1.0).abs() < 0.01, "{found}");
    // The share of samples in a part of the plane, whose standard error is 0.5 % at most.
    let samples = model.sample(10_000, 6, 5).unwrap();
    for keep in [&(|x, y| y > 0.0 && x < y) as &dyn Fn(f64, f64) -> bool, &|x, y| x * x + y * y < 3.0] {
        let share = samples.rows().into_iter().filter(|x| keep(x[0], x[1])).count() as f64 / 1e4;
        assert!((mass(keep) - share).abs() < 0.02 && share > 0.05, "{} of {share}", mass(keep));
    }
    let start = model.initial(300, 2).unwrap();
    let ends = model.push_forward(start.view(), 6, 0).unwrap();
    let back = model.inverse(ends.view()).unwrap();
    // Points are moved in single precision, and brought back in double.
    assert!((&back - &start).iter().all(|gap| gap.abs() < 1e-4));
    assert!(model.reached(ends.view(), back.view()).unwrap().iter().all(|reached| *reached));
}

#[test]
fn a_law_on_a_plane_has_no_density() {
    let config = small(&["data.dim=12", "training.iterations=2", "representation.base=gaussian"]);
    let model = Run::new(config).train().unwrap().model;
    let error = model.log_density(model.initial(3, 1).unwrap().view()).unwrap_err().to_string();
    assert!(error.contains("2 of 12 dimensions"), "{error}");
}

/// The parts of a longer training begin elsewhere: its first iterations are others.
#[test]
fn a_rectified_training_is_not_continued_for_longer() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let settings = |iterations: &'static str| {
        small(&["representation.rectifications=1", "training.optimiser={ learning_rate = 1e-3 }", iterations])
    };
    Run::new(settings("training.iterations=4")).out(&out).train().unwrap();
    let error =
        Run::new(settings("training.iterations=8")).out(&out).resume(true).train().unwrap_err().to_string();
    assert!(error.contains("representation.rectifications stretches over the whole run"), "{error}");
}
