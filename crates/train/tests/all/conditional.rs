//! Whole runs of flows under a condition: maps that theory gives, arms of a pinwheel, and what is refused.

use datasets::read_matrix;
use ndarray::{Array2, ArrayView2, Axis, array};
use ot_core::neighbours::nearest_neighbours;
use rand::RngExt;
use rand_distr::StandardNormal;
use train::config::{Configuration, FlowConfig};
use train::model::FlowModel;
use train::observe::{Observer, Record};
use train::run::{HELD_OUT_CONDITIONS_FILE, HELD_OUT_FILE, Run};
use train::{Model, TrainError};

const SMALL: &str = r#"
kind = "flow"
name = "small"
data = { kind = "array", scaling = "none" }
condition = { kind = "label", columns = 2 }
representation = { hidden = [32, 32], activation = "softplus" }
critic = { divergence = "w1" }
[training]
iterations = 500
batch = 128
average = 0.98
log_every = 500
optimiser = { learning_rate = 1e-2, schedule = { kind = "cosine", end = 0.01 } }
"#;

fn small(overrides: &[&str]) -> FlowConfig {
    let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
    FlowConfig::parse(SMALL, "small.toml", None, &overrides).unwrap()
}

fn normal(rows: usize, columns: usize, name: &str) -> Array2<f64> {
    let mut rng = datasets::stream(5, name, 0);
    Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
}

/// Means and deviations of the classes 3 and 7.
const CLASSES: [(f64, [f64; 2], f64); 2] = [(3.0, [2.0, 0.0], 0.5), (7.0, [-1.0, 1.0], 1.5)];

/// Rows (y, label) with N(m, s²I) under each label.
fn gaussians(rows: usize) -> Array2<f64> {
    let noise = normal(rows, 2, "classes");
    Array2::from_shape_fn((rows, 3), |(i, j)| {
        let (label, mean, deviation) = CLASSES[i % 2];
        if j < 2 { mean[j] + deviation * noise[[i, j]] } else { label }
    })
}

fn rms(gaps: &Array2<f64>) -> f64 {
    (gaps.mapv(|gap| gap * gap).sum() / gaps.nrows() as f64).sqrt()
}

fn moved(model: &FlowModel, x: ArrayView2<'_, f64>, label: f64) -> Array2<f64> {
    let ends = model.push_forward(model.given(x, array![[label]].view()).unwrap().view(), 1, 0).unwrap();
    model.coordinates(ends.view()).to_owned()
}

/// From N(0, I) the optimal map under each label is x ↦ m + s·x, which the common base, the map onto both, is far from.
#[test]
fn under_a_label_the_map_is_that_onto_its_gaussian() {
    let (folder, data) = (tempfile::tempdir().unwrap(), gaussians(6000));
    let run = folder.path().join("run");
    let model =
        Run::new(small(&["training.iterations=1500"])).data(data.clone()).out(&run).train().unwrap().model;
    assert_eq!(
        (model.dim(), model.width(), model.condition().unwrap().labels()),
        (2, 4, Some(&[3.0, 7.0][..]))
    );
    let x = normal(500, 2, "start");
    for (label, mean, deviation) in CLASSES {
        let expected = &x * deviation + ndarray::aview1(&mean);
        let error = rms(&(moved(&model, x.view(), label) - &expected));
        // 3000 points tell a mean and a deviation to 1/40 of the deviation, 1.5; the training leaves some per cent.
        assert!(error < 0.12, "{error} under {label}");
        let start = model.given(x.view(), array![[label]].view()).unwrap();
        let back = model.inverse(model.push_forward(start.view(), 1, 0).unwrap().view()).unwrap();
        assert!(rms(&(&back - &start)) < 1e-3, "the way back under {label}");
        let densities =
            model.log_density(model.given(expected.view(), array![[label]].view()).unwrap().view()).unwrap();
        let gaps = densities.iter().zip(x.rows()).map(|(found, x)| {
            let exact = -0.5 * x.dot(&x) - std::f64::consts::TAU.ln() - 2.0 * deviation.ln();
            (found - exact).abs()
        });
        let gap = gaps.sum::<f64>() / 500.0;
        // A map that is off by 0.1 has x₀ off by 0.1/s = 0.2, and log ρ₀ by that times ‖x₀‖; under the other label the density
        // is off by more than 2.
        assert!(gap < 0.3, "{gap}, the density under {label}");
    }
    // Side by side what was held out are rows of the data.
    let held_out = [HELD_OUT_FILE, HELD_OUT_CONDITIONS_FILE].map(|file| read_matrix(run.join(file)).unwrap());
    let held_out = ndarray::concatenate(Axis(1), &held_out.each_ref().map(|part| part.view())).unwrap();
    assert_eq!(held_out.dim(), (600, 3));
    assert!(
        held_out.rows().into_iter().take(20).all(|row| data.rows().into_iter().any(|known| known == row))
    );
    let loaded = FlowModel::load(&run).unwrap();
    assert_eq!(moved(&loaded, x.view(), 7.0), moved(&model, x.view(), 7.0));
    assert_eq!(loaded.sample(100, 1, 3).unwrap(), model.sample(100, 1, 3).unwrap());
    // Half of the data are of either class, and so are samples.
    let labels = loaded.condition().unwrap().written(loaded.sample(2000, 1, 0).unwrap().view());
    let share = labels.iter().filter(|label| **label == 3.0).count() as f64 / 2000.0;
    assert!((share - 0.5).abs() < 0.05, "{share}");
    for (points, conditions, says) in [
        (x.view(), array![[4.0]], "one of the labels 3, 7"),
        (x.view(), array![[3.0, 7.0]], "give one label for each point"),
        (x.view(), array![[3.0], [7.0]], "one for each of 500"),
        (data.view(), array![[3.0]], "give points of 2 coordinates"),
    ] {
        let error = loaded.given(points, conditions.view()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let error = loaded.push_forward(x.view(), 1, 0).unwrap_err().to_string();
    assert!(error.contains("2 coordinates, and 2 of their condition"), "{error}");
    assert!(matches!(Model::load(&run).unwrap().sample(3, 0), Ok(points) if points.ncols() == 4));
}

/// y = (c, −c) + 0.2·noise with c between −1 and 1.
#[test]
fn under_a_number_the_samples_follow_it() {
    let noise = normal(4000, 2, "noise");
    let mut rng = datasets::stream(1, "condition", 0);
    let c: Vec<f64> = (0..4000).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect();
    let data = Array2::from_shape_fn((4000, 3), |(i, j)| match j {
        0 => 10.0 * c[i],
        _ => [1.0, -1.0][j - 1] * c[i] + 0.2 * noise[[i, j - 1]],
    });
    let changes = ["condition={ kind = \"vector\", columns = 0 }", "data.scaling=isotropic"];
    let model = Run::new(small(&changes)).data(data).train().unwrap().model;
    let start = model.unconditional_initial(1000, 1).unwrap();
    for c in [-0.8, 0.1, 0.7] {
        let samples = moved(&model, start.view(), 10.0 * c);
        let mean = samples.mean_axis(Axis(0)).unwrap();
        let deviation = samples.std_axis(Axis(0), 0.0);
        // The training leaves some per cent of the deviation of all, 0.6.
        assert!((mean[0] - c).abs() < 0.06 && (mean[1] + c).abs() < 0.06, "{mean} under {c}");
        assert!(deviation.iter().all(|deviation| (deviation - 0.2).abs() < 0.06), "{deviation} under {c}");
    }
}

#[test]
fn samples_under_an_arm_of_the_pinwheel_lie_in_it() {
    let model = Run::new(small(&[
        "data={ kind = \"target\", target = \"pinwheel\", dim = 2, samples = 5000 }",
        "condition={ kind = \"label\" }",
        "representation.activation=sharp-softplus",
    ]));
    let model = model.train().unwrap().model;
    let (reference, arms) =
        datasets::Target::Pinwheel.sample_labelled(5000, 2, &mut datasets::stream(9, "arms", 0)).unwrap();
    let start = model.unconditional_initial(400, 2).unwrap();
    for arm in 0..5 {
        let samples = moved(&model, start.view(), f64::from(arm));
        let nearest = nearest_neighbours(samples.view(), reference.view(), 1).unwrap();
        let inside = nearest.indices.iter().zip(&nearest.distances);
        let inside = inside.filter(|(row, distance)| arms[**row] == arm && **distance < 0.3).count();
        // Arms overlap a little at the centre; without the condition a fifth would be inside.
        assert!(inside >= 380, "{inside} of 400 in arm {arm}");
    }
}

/// Ends the run at the first record from this step on.
struct Interruption(u64);

impl Observer for Interruption {
    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        if record.step < self.0 { Ok(()) } else { Err(TrainError::Observer("interrupted".into())) }
    }
}

#[test]
fn an_interrupted_training_ends_in_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let config = small(&["training.iterations=30", "training.log_every=10", "training.checkpoint_every=10"]);
    let run = |out: &str| Run::new(config.clone()).data(gaussians(300)).out(folder.path().join(out));
    let whole = run("whole").train().unwrap().model.sample(50, 1, 0).unwrap();
    assert!(run("cut").observer(Interruption(20)).train().is_err());
    assert_eq!(run("cut").resume(true).train().unwrap().model.sample(50, 1, 0).unwrap(), whole);
}

#[test]
fn what_cannot_be_a_condition_is_said() {
    let parse = |changes: &[&str]| {
        let changes: Vec<String> = changes.iter().map(|&change| change.into()).collect();
        FlowConfig::parse(SMALL, "small.toml", None, &changes)
    };
    for (changes, says) in [
        (&["condition={ kind = \"label\" }"][..], "condition.columns"),
        (&["data={ kind = \"target\", target = \"moons\", dim = 2 }"], "labels by themselves"),
        (
            &[
                "data={ kind = \"target\", target = \"moons\", dim = 2 }",
                "condition={ kind = \"vector\", columns = 0 }",
            ],
            "labels by themselves",
        ),
        (
            &[
                "representation={ kind = \"matching\", hidden = [4] }",
                "critic={}",
                "condition={ kind = \"label\" }",
            ],
            "explicit",
        ),
    ] {
        let error = parse(changes).and_then(|config| config.validate()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let mut numbers = normal(1500, 3, "numbers");
    let error = Run::new(small(&[])).data(numbers.clone()).train().unwrap_err().to_string();
    assert!(error.contains("kind = \"vector\""), "{error}");
    numbers.column_mut(2).fill(1.0);
    let error =
        Run::new(small(&["condition.columns=9"])).data(numbers.clone()).train().unwrap_err().to_string();
    assert!(error.contains("condition.columns"), "{error}");
    let error = Run::new(small(&["condition.columns=0..3"])).data(numbers).train().unwrap_err().to_string();
    assert!(error.contains("leave some for the coordinates"), "{error}");
}
