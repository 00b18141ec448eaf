//! Whole runs of explicit flows: the same bits whether interrupted or not, the maps that theory gives, and densities.

use datasets::KnownMap;
use mfg::known_answers::{OptimalFlow, SoftThreshold};
use ndarray::{Array2, ArrayView2, array};
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
[flow]
horizon = 1.0
lambda = 0.5
steps = 1
[representation]
kind = "explicit"
hidden = [8, 8]
[critic]
divergence = "kl-donsker-varadhan"
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

/// Ends the run at the first record from this step on.
struct Interruption(u64);

impl Observer for Interruption {
    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        if record.step < self.0 { Ok(()) } else { Err(TrainError::Observer("interrupted".into())) }
    }
}

/// Every array of the newest checkpoint of a run, as numbers.
fn state(run: &Path) -> Vec<Vec<f32>> {
    let state = Stored::open(&newest_checkpoint(run).unwrap().unwrap()).unwrap();
    assert_eq!(state.counter("iteration").unwrap(), 40);
    let names = [
        "potential.parameters",
        "potential.average",
        "potential.adam.first",
        "potential.adam.second",
        "companions",
        "ends",
    ];
    let curvature = state.doubles("curvature").unwrap().into_iter().map(|x| x as f32).collect();
    [curvature].into_iter().chain(names.into_iter().map(|name| state.floats(name).unwrap())).collect()
}

/// Of a set of points, where every row remembers an end, and of endless points, which are drawn once. The ends are part
/// of the state: they decide where the next searches begin.
#[test]
fn an_interrupted_training_ends_in_the_same_bits() {
    for change in [
        "data.samples=300",
        "data={ kind = \"target\", target = \"pinwheel\", dim = 3 }",
        "representation.base=identity",
        "representation.quadratic=true",
    ] {
        let (folder, config) = (tempfile::tempdir().unwrap(), small(&[change]));
        let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
        Run::new(config.clone()).out(&whole).train().unwrap();
        let stopped = Run::new(config.clone()).out(&cut).observer(Interruption(25)).train();
        assert!(stopped.is_err());
        Run::new(config).out(&cut).resume(true).train().unwrap();
        let (whole, cut) = (state(&whole), state(&cut));
        assert!(whole == cut, "{change}");
        let ends = whole.last().unwrap();
        let moved = ends.chunks(3).any(|end| end.iter().any(|x| *x != ends[0]));
        assert!(moved, "the ends are remembered");
    }
}

#[test]
fn a_stored_flow_is_the_one_that_was_trained() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let model = Run::new(small(&[])).out(&run).train().unwrap().model;
    let loaded = FlowModel::load(&run).unwrap();
    assert_eq!(model.sample(50, 1, 3).unwrap(), loaded.sample(50, 1, 3).unwrap());
    // Any number of steps is exact, and the third coordinate of the data is 0.
    let points = loaded.sample(50, 64, 3).unwrap();
    assert_eq!(points, loaded.sample(50, 1, 3).unwrap());
    assert!(points.column(2).iter().all(|x| *x == 0.0));
    assert!(loaded.sample(50, 0, 3).is_err());
    assert_eq!(Model::load(&run).unwrap().iteration(), 40);
    let start = loaded.initial(20, 1).unwrap();
    let (_, share) = loaded.optimal(start.view()).unwrap().unwrap();
    assert!((0.0..=1.0).contains(&share));
    assert_eq!(loaded.trajectory(start.view(), 4).unwrap().end().dim(), (20, 3));
    let error = loaded.log_density(points.view()).unwrap_err().to_string();
    assert!(error.contains("2 of 3 dimensions"), "{error}");
}

/// A point as the target: the optimal flow is soft thresholding with R = LT/λ, whatever the divergence is, and it
/// needs the bound.
#[test]
fn a_bound_thresholds_softly() {
    let model = trained(small(&[
        "data={ kind = \"target\", target = \"origin\", dim = 2, samples = 2000 }",
        "flow.lambda=1.0",
        "representation.base=identity",
        "representation.hidden=[32, 32]",
        "training.batch=128",
        "training.iterations=1500",
        "training.log_every=500",
        "training.average=0.99",
        "training.optimiser={ learning_rate = 1e-2, schedule = { kind = \"cosine\", end = 0.02 } }",
    ]));
    let start = model.initial(2000, 1).unwrap();
    let end = model.push_forward(start.view(), 1, 0).unwrap();
    let exact = SoftThreshold { lambda: 1.0, horizon: 1.0, lipschitz: 1.0, tangent: 0 };
    let expected = ends(&exact, start.view());
    let square = |a: &Array2<f64>, b: &Array2<f64>| (a - b).mapv(|gap| gap * gap).sum();
    let error = (square(&end, &expected) / square(&expected, &start)).sqrt();
    // A network of 32 units trained for two seconds; to go to the origin, as without a bound, is an error of 0.6.
    assert!(error < 0.1, "{error} of the displacement");
}

/// How far the map of a flow between Gaussians is off, and its inverse, as shares of the displacement: RMS over RMS of 2000
/// new points.
fn errors_between_gaussians(changes: &[&str]) -> [f64; 2] {
    let between = [
        "data={ kind = \"known-map\", map = \"gaussian\", dim = 3, samples = 5000 }",
        "initial={ kind = \"known-map\", map = \"gaussian\", dim = 3 }",
        "critic={ divergence = \"w1\", bound = 1e9 }",
        "representation.base=identity",
        "training.batch=128",
        "training.iterations=600",
        "training.log_every=600",
        "training.average=0.98",
        "training.optimiser={ learning_rate = 2e-2, schedule = { kind = \"cosine\", end = 0.02 } }",
    ];
    let model = trained(small(&[&between, changes].concat()));
    let pair = KnownMap::Gaussian.pair(3, Path::new("")).unwrap();
    let x = pair.source(2000, &mut datasets::stream(4, "held out", 0));
    let exact = pair.map(x.view());
    let square = |a: &Array2<f64>, b: &Array2<f64>| (a - b).mapv(|gap| gap * gap).sum();
    let share = |error: f64| (error / square(&x, &exact)).sqrt();
    let (there, back) = (model.push_forward(x.view(), 1, 0).unwrap(), model.inverse(exact.view()).unwrap());
    [share(square(&there, &exact)), share(square(&back, &x))]
}

/// Between two Gaussians with correlations the optimal map is affine: a quadratic part learns it where nothing else of the
/// flow knows of Gaussians, and a network of six units does not.
#[test]
fn a_quadratic_part_learns_the_map_between_gaussians() {
    let error = |change| errors_between_gaussians(&["representation.hidden=[6]", change])[0];
    let (with, without) = (error("representation.quadratic=true"), error("representation.quadratic=false"));
    // The moments of 5000 points are known to a hundredth or two.
    assert!(with < 0.05 && without > 2.0 * with, "{with} of the displacement with, {without} without");
}

const POTENTIALS: &str = "representation.potentials={ penalty = { kind = \"quadratic\", weight = 100.0 }, \
                          pairing = \"all\", hidden = [32, 32], activation = \"softplus\" }";

#[test]
fn two_potentials_learn_the_map_between_gaussians() {
    let [there, back] = errors_between_gaussians(&["representation.hidden=[32, 32]", POTENTIALS]);
    assert!(there < 0.3 && back < 0.3, "{there} and {back} of the displacement");
}

#[test]
fn an_interrupted_training_of_potentials_ends_in_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let config = small(&[POTENTIALS, "critic.divergence=w1"]);
    let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
    let model = Run::new(config.clone()).out(&whole).train().unwrap().model;
    assert!(Run::new(config.clone()).out(&cut).observer(Interruption(25)).train().is_err());
    Run::new(config).out(&cut).resume(true).train().unwrap();
    let loaded = FlowModel::load(&cut).unwrap();
    assert_eq!(model.sample(50, 1, 3).unwrap(), loaded.sample(50, 1, 3).unwrap());
    // The way back begins its searches with what a run folder keeps.
    let ends = model.sample(50, 1, 3).unwrap();
    assert_eq!(model.inverse(ends.view()).unwrap(), loaded.inverse(ends.view()).unwrap());
    let [whole, cut] =
        [whole, cut].map(|run| Stored::open(&newest_checkpoint(&run).unwrap().unwrap()).unwrap());
    for name in
        ["potential.parameters", "second-potential.parameters", "second-potential.adam.second", "companions"]
    {
        assert_eq!(whole.floats(name).unwrap(), cut.floats(name).unwrap(), "{name}");
    }
}

fn ends(flow: &SoftThreshold, start: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut end = Array2::zeros(start.raw_dim());
    for (mut end, start) in end.rows_mut().into_iter().zip(start.rows()) {
        end.assign(&flow.position(start, 1.0));
    }
    end
}

/// N(0, I) to N((3, 0), I): the base is the exact flow, and the density that of the target, to the errors of its sample
/// moments, which are given here exactly by a symmetric set of points.
#[test]
fn gaussians_have_their_density_and_mass() {
    let arms = [[3.0, 2.0], [3.0, -2.0], [5.0, 0.0], [1.0, 0.0]];
    let data = Array2::from_shape_fn((4, 2), |(i, j)| arms[i][j]);
    // The unbiased covariance is 8/3 in each direction.
    let config = small(&[
        "data={ kind = \"array\" }",
        "training.iterations=1",
        "training.optimiser.learning_rate=1e-12",
        "representation.initialisation={ normal = { std = 1e-9 } }",
    ]);
    let model = Run::new(config).data(data).train().unwrap().model;
    let points = array![[3.0, 0.0], [1.0, -2.0], [6.5, 1.0]];
    let found = model.log_density(points.view()).unwrap();
    for (point, found) in points.rows().into_iter().zip(&found) {
        let square = (point[0] - 3.0).powi(2) + point[1].powi(2);
        let expected = -(std::f64::consts::TAU * 8.0 / 3.0).ln() - square * 3.0 / 16.0;
        assert!((found - expected).abs() < 1e-6, "{found} against {expected}");
    }
    let inverse = model.inverse(points.view()).unwrap();
    let back = model.push_forward(inverse.view(), 1, 0).unwrap();
    assert!(back.iter().zip(&points).all(|(a, b)| (a - b).abs() < 1e-5));
}

/// By the midpoint rule over a box that holds nearly all of it. Late in a training the map folds, and the particles that
/// are alone at their end have a mass below 1.
#[test]
fn the_density_has_mass_one() {
    let (mass, _) = mass_after(100);
    assert!((mass - 1.0).abs() < 0.01, "{mass}");
}

/// At the edge of a fold the density is infinite like 1/√s at distance s, of which the midpoint rule misses a part like the
/// root of a cell.
#[test]
fn the_density_has_mass_one_where_the_map_folds_too() {
    let (mass, share) = mass_after(400);
    assert!(share <= 0.95, "{share} of the particles are alone at their end: no fold to speak of");
    assert!((mass - 1.0).abs() < 0.03, "a mass of {mass}, {share} of the particles alone at their end");
}

/// The sum of the density of a pinwheel's flow over cells of a sixth of the arms' width, and the share of the particles that
/// are alone at their end.
fn mass_after(iterations: usize) -> (f64, f64) {
    let model = trained(small(&[
        "data={ kind = \"target\", target = \"pinwheel\", dim = 2, samples = 2000 }",
        "training.batch=128",
        &format!("training.iterations={iterations}"),
        "training.log_every=1000",
        "training.optimiser.learning_rate=1e-2",
    ]));
    let (_, share) = model.optimal(model.initial(1000, 1).unwrap().view()).unwrap().unwrap();
    let (cells, side) = (64, 12.0);
    let h = side / f64::from(cells);
    let at = |i: u32| (f64::from(i) + 0.5) * h - 0.5 * side;
    let grid: Vec<f64> = (0..cells).flat_map(|i| (0..cells).flat_map(move |j| [at(i), at(j)])).collect();
    let grid = Array2::from_shape_vec((grid.len() / 2, 2), grid).unwrap();
    let mass = model.log_density(grid.view()).unwrap().iter().map(|l| l.exp()).sum::<f64>() * h * h;
    (mass, share)
}

#[test]
fn what_an_explicit_flow_cannot_do_is_refused_by_name() {
    for (changes, expected) in [
        (
            vec!["flow.noise=0.1"],
            "representation.kind is explicit: take network or exact-terminal with noise",
        ),
        (vec!["flow.kinetic=false"], "flow.kinetic is false: leave it true"),
        (vec!["flow.hamilton_jacobi=1"], "flow.hamilton_jacobi is 1: leave it at 0"),
        (vec!["flow.velocity_spread=1"], "flow.velocity_spread is 1: leave it at 0"),
        (vec!["flow.terminal_gradient=1"], "flow.terminal_gradient is 1: leave it at 0"),
        (vec!["flow.characteristic=1"], "flow.characteristic is 1: leave it at 0"),
        (vec!["stop_when={ records = 2, path_ratio = 0.1 }"], "stop_when is given: leave it out"),
        (vec!["representation.refinements=0"], "representation.refinements is 0: "),
        (vec!["representation.activation=relu"], "representation.activation is relu: take sharp-softplus"),
        (vec!["critic.bound=0"], "critic.bound is 0: "),
        (vec!["representation.hidden=[]"], "representation.hidden is []: "),
        (
            vec![
                "representation.convolutions={ image = [3, 1, 1], channels = [2], kernel = 1, pooling = 1 }",
            ],
            "representation.base is gaussian with convolutions: take base = \"identity\"",
        ),
        (
            vec![
                "representation.base=identity",
                "representation.convolutions={ image = [3, 1, 1], channels = [2], kernel = 1, pooling = 1 }",
                "condition={ kind = \"label\" }",
            ],
            "representation.convolutions is given beside a condition: leave them out, or the condition",
        ),
        (
            vec![POTENTIALS],
            "critic.divergence is kl-donsker-varadhan: take w1 with representation.potentials",
        ),
        (vec![POTENTIALS, "representation.quadratic=true"], "representation.quadratic is true: leave it out"),
        (
            vec![POTENTIALS, "representation.potentials.penalty.weight=0"],
            "representation.potentials.penalty.weight is 0: ",
        ),
        (
            vec![POTENTIALS, "critic.divergence=w1", "condition={ kind = \"label\" }"],
            "representation.potentials is given beside a condition: leave them out, or the condition",
        ),
    ] {
        let overrides: Vec<String> = changes.iter().map(|s| (*s).to_owned()).collect();
        let error = FlowConfig::parse(SMALL, "small.toml", None, &overrides).unwrap_err().to_string();
        assert!(error.contains(expected), "{changes:?}: {error}");
    }
}

/// A sample of an explicit flow is one gradient, whatever the steps.
#[test]
fn a_sample_of_an_explicit_flow_costs_one_evaluation() {
    let model = trained(small(&[]));
    let start = model.initial(10, 0).unwrap();
    for steps in [1, 64] {
        assert_eq!(model.evaluations(start.view(), steps).unwrap(), 1.0);
    }
    // 2 → 8 → 8 → 1 with biases: the pinwheel lies in a plane of R³.
    assert_eq!(model.parameter_count(), 2 * 8 + 8 + 8 * 8 + 8 + 8 + 1);
}
