//! Whole runs: the same seed gives the same bits, interrupted or not; divergence loses nothing; and a trained flow is
//! the one that theory gives where it gives one.

use crate::common::{FLOW, GENERATORS, changes, generator};
use mfg::known_answers::{InteractingGaussians, ShiftedGaussians};
use ndarray::Array1;
use rand::RngExt;
use rand_distr::StandardNormal;
use std::collections::BTreeMap;
use std::path::Path;
use train::TrainError;
use train::checkpoint::Stored;
use train::config::{Configuration, FlowConfig, GeneratorConfig};
use train::model::FlowModel;
use train::outcome::{Outcome, Status, Stop};
use train::run::{METRICS_FILE, Run, newest_checkpoint};

fn small(overrides: &[&str]) -> FlowConfig {
    FlowConfig::parse(FLOW, "small.toml", None, &changes(overrides)).unwrap()
}

/// Trains in a folder.
fn train<C: Configuration>(config: &C, out: &Path) -> Result<Outcome, TrainError> {
    Ok(Run::new(config.clone()).out(out).train()?.outcome)
}

/// Goes on with the run of a folder.
fn resume<C: Configuration>(config: &C, out: &Path) -> Result<Outcome, TrainError> {
    Ok(Run::new(config.clone()).out(out).resume(true).train()?.outcome)
}

/// metrics.jsonl without its wall-clock fields.
fn metrics(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join(METRICS_FILE)).unwrap();
    let record = |line: &str| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        for clock in ["seconds", "reading_seconds"] {
            assert!(record.as_object_mut().unwrap().remove(clock).is_some());
        }
        record
    };
    text.lines().map(record).collect()
}

fn parameters(run: &Path) -> (Vec<f32>, Vec<f32>, u64) {
    let state = Stored::open(&newest_checkpoint(run).unwrap().unwrap()).unwrap();
    let [potential, critic] = ["potential.average", "critic.average"].map(|name| state.floats(name).unwrap());
    (potential, critic, state.counter("iteration").unwrap())
}

/// Every array of the newest checkpoint but the clock.
fn state(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(newest_checkpoint(run).unwrap().unwrap()).unwrap();
    let arrays = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut state: BTreeMap<String, Vec<u8>> =
        arrays.tensors().into_iter().map(|(name, view)| (name, view.data().to_vec())).collect();
    assert!(state.remove("seconds").is_some());
    state
}

/// Runs 40 iterations at once, and again from the state that an interruption after iteration 37 leaves: the checkpoint
/// of
/// 30, records up to 35 and half a line.
fn interrupt_and_compare<C: Configuration>(config: &C, label: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
    train(config, &whole).unwrap();
    train(config, &cut).unwrap();
    std::fs::remove_file(cut.join("checkpoints/000000040.safetensors")).unwrap();
    std::fs::remove_file(cut.join("outcome.json")).unwrap();
    let records = std::fs::read_to_string(cut.join(METRICS_FILE)).unwrap();
    let torn: Vec<&str> = records.lines().take(7).collect();
    std::fs::write(cut.join(METRICS_FILE), torn.join("\n") + "\n{\"step\":4").unwrap();
    resume(config, &cut).unwrap();
    assert_eq!(metrics(&whole).len(), 8);
    assert_eq!(metrics(&whole), metrics(&cut), "{label}");
    assert!(state(&whole) == state(&cut), "{label}");
}

#[test]
fn an_interrupted_run_ends_in_the_same_bits() {
    for device in [
        "lipschitz = { method = \"penalty\", form = \"lp\", weight = 1.0 }",
        "lipschitz = { method = \"spectral\" }",
        "lipschitz = { method = \"orthonormal\" }",
    ] {
        let text = FLOW.replace("lipschitz = { method = \"penalty\", form = \"lp\", weight = 1.0 }", device);
        interrupt_and_compare(&FlowConfig::parse(&text, "small.toml", None, &[]).unwrap(), device);
    }
}

const HOPF_LAX: [&str; 3] = [
    "representation={ kind = \"hopf-lax\", refinements = 4, hidden = [8, 8] }",
    "flow.steps=1",
    "critic.activation=sharp-softplus",
];

const FOLLOWED: [&str; 2] = [
    "representation={ kind = \"hopf-lax\", base = \"gaussian\", snapshots = 7, refinements = 4, hidden = [8] }",
    "critic.lipschitz={ method = \"none\" }",
];

#[test]
fn an_interrupted_maximisation_of_the_dual_ends_in_the_same_bits() {
    interrupt_and_compare(&small(&HOPF_LAX), "points that are drawn once");
    // Each of these comes more than ten times, and its search begins where the last one ended.
    let initial = "initial={ kind = \"target\", target = \"pinwheel\", dim = 3, samples = 90 }";
    let [representation, steps, activation] = HOPF_LAX;
    interrupt_and_compare(&small(&[initial, representation, steps, activation]), "points that come back");
    let [followed, free] = FOLLOWED;
    interrupt_and_compare(&small(&[followed, free, steps, activation]), "critics that are kept");
}

#[test]
fn an_interrupted_game_with_noise_interaction_or_velocity_ends_in_the_same_bits() {
    let softplus = "critic.activation=softplus";
    for changes in [
        ["flow.noise=0.5", "flow.interaction={ kind = \"gaussian\", weight = 0.3, width = 0.5 }"],
        ["representation.kind=exact-terminal", softplus],
        ["representation.kind=velocity", softplus],
    ] {
        interrupt_and_compare(&small(&changes), &changes.join(" "));
    }
}

/// The Hamilton–Jacobi equation, the terminal condition, straightness and independence of the step hold whatever the
/// critic is: no training can lose them.
#[test]
fn a_hopf_lax_flow_is_optimal_for_its_critic_after_any_training() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    train(&small(&HOPF_LAX), &run).unwrap();
    let model = FlowModel::load(&run).unwrap();
    let start = model.initial(300, 7).unwrap();
    let trajectory = model.trajectory(start.view(), 8).unwrap();
    let (from, to) = (trajectory.start(), trajectory.end());
    let plan = ot_core::exact::solve(
        &ot_core::Measure::uniform(from).unwrap(),
        &ot_core::Measure::uniform(to).unwrap(),
        &ot_core::cost::Euclidean::Squared,
    )
    .unwrap();
    let indicators = mfg::Indicators::new(&trajectory, Some(plan.certificate.primal)).unwrap();
    // Searches end when the slope is 1e-5 of its parts.
    assert!(indicators.hj_residual_relative.unwrap() < 1e-4);
    assert!(indicators.characteristic_rms.unwrap() < 1e-4);
    assert!(indicators.path_ratio.unwrap() < 1e-6);
    assert_eq!(indicators.terminal_gradient_rms, Some(0.0));
    // A wrong valley for one point in a thousand would show here.
    assert!(indicators.straightness.unwrap() < 1e-6);
    let (one, many) =
        (model.push_forward(start.view(), 1, 0).unwrap(), model.push_forward(start.view(), 64, 0).unwrap());
    // Single precision.
    assert!(mfg::step_invariance(one.view(), many.view(), start.view()).unwrap().unwrap() < 1e-3);
}

/// Seven critics cut 40 iterations into eight parts; the data lie in a plane, whose coordinates the critic sees.
#[test]
fn a_sample_follows_the_critics_that_were_kept_and_ends_in_the_plane_of_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let [_, steps, activation] = HOPF_LAX;
    let config = small(&[FOLLOWED[0], FOLLOWED[1], steps, activation]);
    let trained = Run::new(config).out(&run).train().unwrap().model;
    let stored = Stored::open(&newest_checkpoint(&run).unwrap().unwrap()).unwrap();
    let count = stored.floats("critic.average").unwrap().len();
    assert_eq!(stored.floats("earlier").unwrap().len(), 7 * count);
    let model = FlowModel::load(&run).unwrap();
    assert_eq!(model.parameter_count(), 8 * count);
    let start = model.initial(50, 7).unwrap();
    let ends = model.push_forward(start.view(), 1, 0).unwrap();
    assert_eq!(ends, trained.push_forward(start.view(), 1, 0).unwrap());
    assert!(ends.column(2).iter().all(|x| *x == 0.0), "{ends}");
    let way = (&ends - &start).mapv(|step| step * step).sum() / 50.0;
    let indicators = mfg::Indicators::new(&model.trajectory(start.view(), 2).unwrap(), None).unwrap();
    // A search in single precision may end elsewhere than one in double precision for a few points.
    assert!((2.0 * indicators.kinetic_energy / way - 1.0).abs() < 1e-2);
    assert!(indicators.terminal_gradient_relative.unwrap() < 1e-4);
    let error = model.velocity(start.view(), 0.5).unwrap_err().to_string();
    assert!(error.contains("snapshots"), "{error}");
}

/// Two-step schemes remember the networks of the step before.
#[test]
fn an_interrupted_generator_ends_in_the_same_bits() {
    for (method, judge, change) in [GENERATORS[1], GENERATORS[2]] {
        let config = GeneratorConfig::parse(&generator(judge), "ring.toml", None, &changes(change)).unwrap();
        interrupt_and_compare(&config, method);
    }
}

#[test]
fn another_seed_gives_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let runs: Vec<_> = [0, 0, 1]
        .iter()
        .enumerate()
        .map(|(i, seed)| {
            let run = folder.path().join(i.to_string());
            train(&small(&[&format!("seed={seed}")]), &run).unwrap();
            (metrics(&run), parameters(&run))
        })
        .collect();
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0].0, runs[2].0);
    assert_ne!(runs[0].1, runs[2].1);
}

#[test]
fn divergence_is_an_outcome_and_the_last_finite_state_stays() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let config = small(&["training.critic_optimiser.learning_rate=1e20", "training.iterations=200"]);
    let outcome = train(&config, &run).unwrap();
    let Status::Diverged { step, .. } = outcome.status else { panic!("{outcome:?}") };
    assert_eq!(step, outcome.iterations);
    let (potential, critic, at) = parameters(&run);
    assert_eq!(at, step);
    assert!(potential.iter().chain(&critic).all(|p| p.is_finite()));
    let written = std::fs::read_to_string(run.join(METRICS_FILE)).unwrap();
    assert!(!written.contains("NaN") && !written.contains("inf"));
}

#[test]
fn a_used_folder_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    train(&small(&[]), &run).unwrap();
    let before = parameters(&run);
    let again = train(&small(&["seed=5"]), &run);
    assert!(matches!(again, Err(TrainError::Occupied { .. })));
    let other = resume(&small(&["flow.lambda=0.4"]), &run);
    assert!(matches!(other, Err(TrainError::OtherConfiguration { .. })));
    assert_eq!(before, parameters(&run));
    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("notes.txt"), "mine").unwrap();
    assert!(matches!(train(&small(&[]), &foreign), Err(TrainError::Occupied { .. })));
}

#[test]
fn stop_when_ends_a_run_early_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let stop = small(&["stop_when={ records = 2, path_ratio = 10.0 }"]);
    let outcome = train(&stop, &folder.path().join("a")).unwrap();
    assert_eq!(outcome.status, Status::Stopped(Stop { records: 2 }));
    assert_eq!(outcome.iterations, 10);
    let never = small(&["stop_when={ records = 2, path_ratio = -1.0 }"]);
    let outcome = train(&never, &folder.path().join("b")).unwrap();
    assert_eq!(outcome.status, Status::Completed);
    for (change, expected) in [
        ("stop_when={ records = 2 }", "stop_when is without a limit: "),
        ("stop_when={ records = 0, path_ratio = 1.0 }", "stop_when.records is 0: "),
    ] {
        let text = small(&[]).to_toml().unwrap();
        let error = FlowConfig::parse(&text, "small.toml", None, &[change.into()]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// The full problem between Gaussians of equal covariance has a closed form: a pure shift that stops short of the
/// target by the pull of the kinetic term (here to half of the distance).
#[test]
fn a_trained_flow_finds_the_shift_between_gaussians() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("target.npy");
    let mut rng = datasets::stream(0, "test target", 0);
    let target = ndarray::Array2::from_shape_fn((20_000, 2), |(_, j)| {
        rng.sample::<f64, _>(StandardNormal) + if j == 0 { 1.0 } else { 0.0 }
    });
    datasets::write_npy_f64(&file, &target).unwrap();
    let config = small(&[
        &format!("data={{ kind = \"file\", file = {:?}, scaling = \"none\" }}", file.display().to_string()),
        "flow.lambda=1.0",
        "representation.hidden=[16, 16]",
        "critic.hidden=[16, 16]",
        "critic.activation=softplus",
        "training.critic_updates=3",
        "training.batch=256",
        "training.iterations=1500",
        "training.log_every=500",
        "training.average=0.99",
        "training.optimiser={ learning_rate = 3e-3, schedule = { kind = \"cosine\", end = 0.02 } }",
        "training.critic_optimiser={ learning_rate = 3e-3, schedule = { kind = \"cosine\", end = 0.02 } }",
    ]);
    let run = folder.path().join("run");
    train(&config, &run).unwrap();
    let model = FlowModel::load(&run).unwrap();
    let start = model.initial(4000, 1).unwrap();
    let end = model.push_forward(start.view(), 16, 0).unwrap();
    let exact = ShiftedGaussians {
        lambda: 1.0,
        horizon: 1.0,
        lipschitz: 1.0,
        std: 1.0,
        initial_mean: Array1::zeros(2),
        target_mean: Array1::from(vec![1.0, 0.0]),
    };
    let shift = exact.final_mean();
    let mut squares = 0.0;
    for (a, b) in start.rows().into_iter().zip(end.rows()) {
        squares += (0..2).map(|j| (b[j] - a[j] - shift[j]).powi(2)).sum::<f64>();
    }
    let error = (squares / 4000.0).sqrt();
    // Half of the displacement of .5 would be no answer at all; two adversarial networks trained for seconds on
    // minibatches of 256 (standard error of a batch mean: .06) come within a fifth of it.
    assert!(error < 0.1, "RMS distance {error} from the exact flow");
}

/// Two Gaussians with noise and with attraction: the laws on the way are known (`InteractingGaussians`). Measured are
/// the mean and the deviation at the horizon.
#[test]
fn trained_flows_find_the_gaussians_of_noise_and_attraction() {
    let folder = tempfile::tempdir().unwrap();
    for (name, force, sigma, attraction) in [
        ("noise", "flow.noise=1.0", 1.0, 0.0),
        ("attraction", "flow.interaction={ kind = \"quadratic\", weight = 3.0 }", 0.0, 3.0),
    ] {
        let config = small(&[
            "data={ kind = \"target\", target = \"shifted-gaussian\", dim = 2, samples = 20000 }",
            "flow.lambda=1.0",
            "flow.steps=12",
            "representation.hidden=[16, 16]",
            force,
            "critic.hidden=[16, 16]",
            "critic.activation=softplus",
            "critic.lipschitz={ method = \"none\" }",
            "training.critic_updates=3",
            "training.batch=256",
            "training.iterations=1000",
            "training.log_every=500",
            "training.average=0.99",
            "training.optimiser={ learning_rate = 3e-3, schedule = { kind = \"cosine\", end = 0.02 } }",
            "training.critic_optimiser={ learning_rate = 3e-3, schedule = { kind = \"cosine\", end = 0.02 } }",
        ]);
        let run = folder.path().join(name);
        train(&config, &run).unwrap();
        let end = FlowModel::load(&run).unwrap().sample(4000, 64, 1).unwrap();
        let exact = InteractingGaussians {
            lambda: 1.0,
            horizon: 1.0,
            sigma,
            attraction,
            initial_mean: Array1::zeros(2),
            initial_std: 1.0,
            target_mean: Array1::from(vec![3.0, 0.0]),
            target_std: 1.0,
        };
        let law = exact.law(1.0).unwrap();
        let (mean, std) = (end.mean_axis(ndarray::Axis(0)).unwrap(), end.std_axis(ndarray::Axis(0), 0.0));
        for j in 0..2 {
            // Networks trained for seconds on minibatches of 256, and Euler–Maruyama steps of 1/12 in training, whose
            // law is of first order in the step; not to move would be an error of 1.5 in the mean, and no force one of
            // .2 to .3 in the
            // deviation.
            assert!((mean[j] - law.mean[j]).abs() < 0.15, "{name}: mean {mean} against {}", law.mean);
            assert!((std[j] - law.std).abs() < 0.1, "{name}: deviation {std} against {}", law.std);
        }
        assert!((law.std - 1.0).abs() > 0.15, "{name}: {}", law.std);
    }
}
