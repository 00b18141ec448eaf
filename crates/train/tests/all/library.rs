//! Training as a library: arrays in memory, observers, runs without a folder, and models from their folder alone.

use ndarray::Array2;
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use train::config::Points;
use train::observe::{Observer, Record};
use train::outcome::{Outcome, Status};
use train::run::{CONFIG_FILE, INITIAL_FILE, MANIFEST_FILE};
use train::{Config, Configuration, FlowConfig, GeneratorConfig, Model, Run, TrainError};

const FLOW: &str = include_str!("../../examples/small.toml");

const GENERATOR: &str = r#"
kind = "generator"
name = "small"
data = { kind = "array" }
initial = { kind = "normal", std = 0.5 }
generator = { hidden = [8], batch_norm = true, residual = true }
potentials = { penalty = { kind = "quadratic", weight = 10.0 }, hidden = [8] }
update = { kind = "flow", epsilon = 0.3 }
[training]
iterations = 12
batch = 8
critic_updates = 1
log_every = 4
checkpoint_every = 5
optimiser = { learning_rate = 1e-3 }
critic_optimiser = { learning_rate = 1e-3 }
"#;

const SHORT: [&str; 4] =
    ["training.iterations=12", "training.batch=8", "training.log_every=4", "training.checkpoint_every=5"];

/// Data that the training sees as they are.
const UNSCALED: &str = "data={ kind = \"array\", scaling = \"none\" }";

fn flow(changes: &[&str]) -> FlowConfig {
    let changes: Vec<String> = SHORT.iter().chain(changes).map(|&change| change.into()).collect();
    FlowConfig::parse(FLOW, "small.toml", None, &changes).unwrap()
}

fn generator(changes: &[&str]) -> GeneratorConfig {
    let changes: Vec<String> = changes.iter().map(|&change| change.into()).collect();
    GeneratorConfig::parse(GENERATOR, "generator.toml", None, &changes).unwrap()
}

/// Points on a circle; no two are equal.
fn circle(count: usize, radius: f64) -> Array2<f64> {
    Array2::from_shape_fn((count, 2), |(i, j)| radius * (i as f64 * 0.37 + j as f64 * 1.57).sin())
}

/// Whether every row of `points` is a row of `set` in single precision.
fn are_rows_of(points: &Array2<f64>, set: &Array2<f64>) -> bool {
    let single = |x: f64| f64::from(x as f32);
    points
        .rows()
        .into_iter()
        .all(|row| set.rows().into_iter().any(|known| row.iter().zip(known).all(|(&a, &b)| a == single(b))))
}

#[test]
fn both_kinds_train_in_memory_and_as_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("flow");
    let memory = Run::new(flow(&[])).data(circle(50, 1.0)).train().unwrap();
    let kept = Run::new(flow(&[])).data(circle(50, 1.0)).out(&out).train().unwrap();
    assert_eq!((memory.outcome.status, memory.outcome.iterations), (Status::Completed, 12));
    let points = memory.model.sample(20, 8, 3).unwrap();
    assert_eq!(points, kept.model.sample(20, 8, 3).unwrap());
    let Model::Flow(loaded) = Model::load(&out).unwrap() else { panic!("not a flow") };
    assert_eq!(points, loaded.sample(20, 8, 3).unwrap());

    let out = folder.path().join("generator");
    let memory = Run::new(generator(&[])).data(circle(50, 1.0)).train().unwrap();
    let kept = Run::new(generator(&[])).data(circle(50, 1.0)).out(&out).train().unwrap();
    let points = memory.model.sample(20, 3).unwrap();
    assert_eq!(points, kept.model.sample(20, 3).unwrap());
    assert_eq!(points, Model::load(&out).unwrap().sample(20, 3).unwrap());
}

#[test]
fn an_array_trains_as_the_file_that_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("points.npy");
    datasets::write_npy_f64(&file, &circle(50, 1.0)).unwrap();
    let from_file = flow(&[&format!("data={{ kind = \"file\", file = {:?} }}", file.display().to_string())]);
    let sample = |run: Run<'_, FlowConfig>| run.train().unwrap().model.sample(20, 8, 0).unwrap();
    assert_eq!(sample(Run::new(from_file)), sample(Run::new(flow(&[])).data(circle(50, 1.0))));
    assert_ne!(
        sample(Run::new(flow(&[])).data(circle(50, 1.1))),
        sample(Run::new(flow(&[])).data(circle(50, 1.0)))
    );
}

/// Counts the calls of each method in order.
#[derive(Default)]
struct Diary {
    begun: Vec<(String, u64, u64)>,
    records: Vec<u64>,
    ticks: Vec<u64>,
    checkpoints: Vec<PathBuf>,
    ends: Vec<Outcome>,
}

impl Observer for Diary {
    fn begin(&mut self, name: &str, done: u64, total: u64) {
        self.begun.push((name.into(), done, total));
    }

    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        assert!(record.value(metrics::CRITIC_PENALTY).is_some());
        self.records.push(record.step);
        Ok(())
    }

    fn checkpoint(&mut self, path: &Path) -> Result<(), TrainError> {
        assert!(path.is_file());
        self.checkpoints.push(path.into());
        Ok(())
    }

    fn tick(&mut self, step: u64) {
        self.ticks.push(step);
    }

    fn end(&mut self, outcome: &Outcome) -> Result<(), TrainError> {
        self.ends.push(outcome.clone());
        Ok(())
    }
}

#[test]
fn observers_hear_of_everything_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut diary = Diary::default();
    let run = Run::new(flow(&[])).out(folder.path().join("run")).observer(&mut diary);
    let outcome = run.train().unwrap().outcome;
    assert_eq!(diary.begun, [("small".to_owned(), 0, 12)]);
    assert_eq!(diary.records, [4, 8, 12]);
    assert_eq!(diary.ticks, (1..=12).collect::<Vec<u64>>());
    let names: Vec<_> = diary.checkpoints.iter().map(|path| path.file_stem().unwrap().to_owned()).collect();
    assert_eq!(names, ["000000005", "000000010", "000000012"]);
    assert_eq!(diary.ends, [outcome]);
    let mut nowhere = Diary::default();
    Run::new(flow(&[])).observer(&mut nowhere).train().unwrap();
    assert!(nowhere.checkpoints.is_empty() && nowhere.records == [4, 8, 12]);
}

#[test]
fn an_observer_or_a_measurement_that_fails_ends_the_run_with_its_words() {
    struct Full;
    impl Observer for Full {
        fn record(&mut self, _: &Record) -> Result<(), TrainError> {
            Err(TrainError::Observer("the disk is full".into()))
        }
    }
    let error = Run::new(flow(&[])).observer(Full).train().unwrap_err().to_string();
    assert_eq!(error, "the run cannot be observed: the disk is full");
    let steps = RefCell::new(Vec::new());
    let error = Run::new(generator(&[]))
        .data(circle(20, 1.0))
        .measure(|training| {
            steps.borrow_mut().push(train::training::Training::iteration(training));
            if steps.borrow().len() == 2 { Err("no".into()) } else { Ok(vec![(metrics::W2, 1.0)]) }
        })
        .train()
        .unwrap_err();
    assert!(matches!(error, TrainError::Measurement(_)));
    assert_eq!(*steps.borrow(), [4, 8]);
}

#[test]
fn a_run_on_arrays_goes_on_with_the_same_arrays_only() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let run = |data: Array2<f64>| Run::new(generator(&[])).data(data).out(&out);
    let whole = run(circle(50, 1.0)).train().unwrap().model.sample(20, 0).unwrap();
    let config = fs::read_to_string(out.join(CONFIG_FILE)).unwrap();
    assert!(
        config.contains("kind = \"array\"") && config.contains("sha256") && config.contains("50"),
        "{config}"
    );
    fs::remove_file(out.join("checkpoints/000000012.safetensors")).unwrap();
    let again = run(circle(50, 1.0)).resume(true).train().unwrap().model.sample(20, 0).unwrap();
    assert_eq!(whole, again);
    let other = run(circle(50, 1.01)).resume(true).train().unwrap_err();
    assert!(matches!(other, TrainError::OtherConfiguration { .. }), "{other}");
    // A configuration that speaks of an array needs one.
    let error = Run::new(generator(&[])).train().unwrap_err().to_string();
    assert!(error.starts_with("the array for `data` is missing: give it to the run"), "{error}");
}

#[test]
fn arrays_that_cannot_be_trained_on_are_refused_with_the_place() {
    let mut hole = circle(5, 1.0);
    hole[[3, 1]] = f64::NAN;
    for (array, expected) in [
        (hole, "row 3, column 1 (counted from 0) of the array for `data` is NaN: "),
        (circle(5, 1e39), "of the array for `data` is "),
        (Array2::zeros((0, 2)), "the array for `data` is of shape [0, 2]: "),
    ] {
        let error = Run::new(flow(&[UNSCALED])).data(array).train().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let error = Run::new(flow(&[])).data(circle(5, 1.0)).initial(Array2::zeros((5, 3))).train();
    let error = error.unwrap_err().to_string();
    assert!(error.contains("initial.dim is 3: give 2"), "{error}");
}

/// ρ₀ may be points of a file, of an array or of another target, for both kinds, and is what is drawn.
#[test]
fn initial_points_are_those_that_the_configuration_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("initial.csv");
    let start = circle(30, 5.0);
    let text: Vec<String> = start.rows().into_iter().map(|row| format!("{},{}", row[0], row[1])).collect();
    fs::write(&file, text.join("\n")).unwrap();
    let of_file = format!("initial={{ kind = \"file\", file = {:?} }}", file.display().to_string());
    let data = circle(40, 1.0);

    let models = [
        Run::new(flow(&[&of_file])).train().unwrap().model.initial(100, 1).unwrap(),
        Run::new(flow(&[])).initial(start.clone()).train().unwrap().model.initial(100, 1).unwrap(),
        Run::new(generator(&[&of_file, UNSCALED]))
            .data(data.clone())
            .train()
            .unwrap()
            .model
            .initial(100, 1)
            .unwrap(),
    ];
    for points in &models {
        assert_eq!(points, &models[0]);
        assert!(are_rows_of(points, &start) && points.column(0).iter().any(|&x| x != points[[0, 0]]));
    }
    let target = "initial={ kind = \"target\", target = \"ring\", dim = 2, samples = 10 }";
    let ring = Run::new(flow(&[target])).train().unwrap().model.initial(100, 1).unwrap();
    let mut distinct: Vec<u64> = ring.column(0).iter().map(|x| x.to_bits()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    // Ten points drawn once: a hundred draws with replacement see each, up to a chance of 10·.9¹⁰⁰ = 3e-4 for this
    // seed.
    assert_eq!(distinct.len(), 10);
}

/// A flow that begins on a small far circle in both players' minibatches: the paths' mean start is there, not at 0.
#[test]
fn training_itself_draws_from_the_initial_points() {
    let far = Array2::from_elem((3, 2), 100.0);
    let mut energy = Vec::new();
    struct Terminal<'a>(&'a mut Vec<f64>);
    impl Observer for Terminal<'_> {
        fn record(&mut self, record: &Record) -> Result<(), TrainError> {
            self.0.extend(record.value(metrics::CRITIC_DIVERGENCE));
            Ok(())
        }
    }
    let near = Run::new(flow(&[])).observer(Terminal(&mut energy)).train();
    near.unwrap();
    let mut distant = Vec::new();
    Run::new(flow(&[])).initial(far).observer(Terminal(&mut distant)).train().unwrap();
    assert_ne!(energy, distant);
    let config = flow(&[
        "representation={ kind = \"hopf-lax\", refinements = 2, hidden = [8] }",
        "critic.activation=softplus",
    ]);
    let model = Run::new(config).initial(Array2::from_elem((3, 2), 4.0)).train().unwrap().model;
    assert_eq!(model.initial(2, 0).unwrap(), Array2::from_elem((2, 2), 4.0));
}

/// The folder is moved, the files of data and initial points are gone: sampling gives the same points.
#[test]
fn a_model_needs_its_run_folder_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (data, initial) = (folder.path().join("data.npy"), folder.path().join("initial.npy"));
    let section = |key: &str, file: &Path| {
        format!("{key}={{ kind = \"file\", file = {:?} }}", file.display().to_string())
    };
    let sections = [section("data", &data), section("initial", &initial)];
    let sections: Vec<&str> = sections.iter().map(String::as_str).collect();
    let trained = |config: Config, out: &Path| match config {
        Config::Flow(config) => {
            let model = Run::new(*config).out(out).train().unwrap().model;
            model.sample(9, model.steps(), 2).unwrap()
        }
        Config::Generator(config) => Run::new(*config).out(out).train().unwrap().model.sample(9, 2).unwrap(),
        Config::Critic(_) => unreachable!("a critic has no samples"),
    };
    for config in [Config::Flow(flow(&sections).into()), Config::Generator(generator(&sections).into())] {
        datasets::write_npy_f64(&data, &circle(40, 1.0)).unwrap();
        datasets::write_npy_f64(&initial, &circle(30, 5.0)).unwrap();
        let (first, moved) = (folder.path().join("first"), folder.path().join("moved"));
        let before = trained(config, &first);
        fs::rename(&first, &moved).unwrap();
        fs::remove_file(&data).unwrap();
        fs::remove_file(&initial).unwrap();
        let model = Model::load(&moved).unwrap();
        assert_eq!(model.sample(9, 2).unwrap(), before);
        assert_eq!(model.iteration(), 12);
        // Without its copy of the initial points the folder says what is missing.
        fs::remove_file(moved.join(INITIAL_FILE)).unwrap();
        let error = Model::load(&moved).unwrap_err().to_string();
        assert!(error.contains(INITIAL_FILE) && error.contains("does not exist"), "{error}");
        fs::remove_dir_all(&moved).unwrap();
    }
}

#[test]
fn digits_as_initial_points_are_asked_for_by_name() {
    let initial = "initial={ kind = \"digits\", set = \"usps\" }";
    let config = generator(&[initial, "generator.residual=false"]);
    let error = Run::new(config).data(circle(20, 1.0)).data_sets("nowhere").train().unwrap_err().to_string();
    assert!(error.contains("no package carries usps") && error.contains("nowhere"), "{error}");
}

/// The folder as the versions before the key `kind` wrote it.
#[test]
fn a_run_folder_of_another_version_is_refused_by_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let old = r#"
name = "small"
seed = 0
[data]
target = "pinwheel"
dim = 2
samples = 500
[initial]
law = "normal"
std = 1.0
[critic.lipschitz]
device = "none"
"#;
    fs::write(folder.path().join(CONFIG_FILE), old).unwrap();
    fs::write(folder.path().join(MANIFEST_FILE), "{\"schema_version\": 1, \"version\": \"0.1.0\"}").unwrap();
    for error in [
        Model::load(folder.path()).unwrap_err(),
        Run::new(flow(&[])).out(folder.path()).resume(true).train().unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(matches!(error, TrainError::OtherVersion { found: 1, .. }), "{text}");
        assert!(text.contains("format 1 (by version 0.1.0)") && text.contains("reads format 4"), "{text}");
    }
    let error = Run::new(flow(&[])).out(folder.path()).train().unwrap_err();
    assert!(matches!(error, TrainError::Occupied { .. }));
}

#[test]
fn points_know_their_names_and_dimensions() {
    let points = |text: &str| flow(&[&format!("data={text}")]).data;
    assert_eq!(points("{ kind = \"file\", file = \"a/b.csv\", dim = 2 }").name(), "b.csv");
    assert_eq!(points("{ kind = \"target\", target = \"moons\", dim = 5 }").dim(), Some(5));
    assert_eq!(points("{ kind = \"digits\", set = \"mnist\" }").dim(), Some(256));
    assert_eq!(Points::default().dim(), None);
}

/// The steps of the records that have readings.
fn read_at(run: Run<'_, FlowConfig>) -> Vec<u64> {
    #[derive(Default)]
    struct Read(Vec<u64>);
    impl Observer for Read {
        fn record(&mut self, record: &Record) -> Result<(), TrainError> {
            // What costs nothing is in every record.
            assert!(record.value(metrics::CRITIC_DIVERGENCE).is_some());
            let has_readings = record.value(metrics::KINETIC_ENERGY).is_some();
            assert_eq!(has_readings, record.value(metrics::W1).is_some());
            assert_eq!(has_readings, record.to_json().contains_key("reading_seconds"));
            self.0.extend(record.reading_seconds.map(|_| record.step));
            Ok(())
        }
    }
    let mut read = Read::default();
    let slow = |_: &_| {
        std::thread::sleep(std::time::Duration::from_millis(700));
        Ok(vec![(metrics::W1, 1.0)])
    };
    run.data(circle(50, 1.0)).measure(slow).observer(&mut read).train().unwrap();
    read.0
}

/// Readings of .7 s each, of a training of milliseconds: two are within two seconds, the last is always there.
#[test]
fn slow_readings_are_left_out_but_for_the_first_and_the_last() {
    let config = || flow(&["training.log_every=1", "training.iterations=6"]);
    assert_eq!(read_at(Run::new(config()).reading_share(0.05)), [1, 2, 6]);
    let config = flow(&["training.log_every=1", "training.iterations=3"]);
    assert_eq!(read_at(Run::new(config)), [1, 2, 3], "without a share all are made");
}
