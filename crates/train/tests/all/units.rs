//! Data in units of their own: trained on as the same data at scale one, and told in their units.

use ndarray::{Array2, array};
use std::fs;
use train::model::FlowModel;
use train::observe::{Notice, Observer, Record};
use train::run::{HELD_OUT_FILE, METRICS_FILE};
use train::{Configuration, FlowConfig, GeneratorConfig, Model, Run, TrainError};

const FLOW: &str = include_str!("../../examples/small.toml");

fn flow(changes: &[&str]) -> FlowConfig {
    let short =
        ["data={ kind = \"array\" }", "training.iterations=12", "training.batch=8", "training.log_every=4"];
    let changes: Vec<String> = short.iter().chain(changes).map(|&change| change.into()).collect();
    FlowConfig::parse(FLOW, "small.toml", None, &changes).unwrap()
}

/// Points on an ellipse whose mean, spread and offsets are powers of two and sums of few: what is done to them is exact
/// up to the rounding of their mean.
fn ellipse(count: usize) -> Array2<f64> {
    Array2::from_shape_fn((count, 2), |(i, j)| (i as f64 * 0.37 + j as f64 * 1.57).sin() * [1.0, 0.25][j])
}

#[derive(Default)]
struct Energies(Vec<(f64, f64)>, Vec<String>);

impl Observer for Energies {
    fn notice(&mut self, notice: &Notice) {
        if let Notice::Warning(sentence) = notice {
            self.1.push(sentence.clone());
        }
    }

    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        self.0.extend(record.value(metrics::KINETIC_ENERGY).zip(record.value(metrics::PATH_RATIO)));
        Ok(())
    }
}

/// Metres on a map, or a unit so large that squares of lengths are tiny: nothing but the unit changes.
#[test]
fn another_unit_changes_nothing_but_the_unit() {
    let plain = ellipse(60);
    let mut energies = Energies::default();
    let own = Run::new(flow(&[])).data(plain.clone()).observer(&mut energies).train().unwrap();
    for (scale, offset) in [(1024.0, array![5e6, -2e5]), (2.0_f64.powi(-40), array![0.0, 0.0])] {
        let mut scaled = Energies::default();
        let other = &plain * scale + &offset;
        let trained = Run::new(flow(&[])).data(other).observer(&mut scaled).train().unwrap();
        let back = |points: Array2<f64>| (points - &offset) / scale;
        // The data differ by a rounding of 5e6 in double precision, 1e-9 of 1024, and the training by what single
        // precision makes of that in twelve iterations.
        let close = |a: &Array2<f64>, b: &Array2<f64>| (a - b).iter().all(|gap| gap.abs() < 1e-4);
        let (a, b) = (&own.model, &trained.model);
        assert!(close(&back(b.initial(50, 1).unwrap()), &a.initial(50, 1).unwrap()));
        assert!(close(&back(b.sample(50, 8, 1).unwrap()), &a.sample(50, 8, 1).unwrap()));
        assert!(close(&back(trained.held_out.unwrap()), own.held_out.as_ref().unwrap()));
        let start = a.initial(9, 0).unwrap();
        let moved = &start * scale + &offset;
        let (plain_paths, paths) =
            (a.trajectory(start.view(), 3).unwrap(), b.trajectory(moved.view(), 3).unwrap());
        let energy = paths.kinetic_energy() / (scale * scale);
        assert!((energy / plain_paths.kinetic_energy() - 1.0).abs() < 1e-3, "{energy}");
        let slopes = (a.critic_slopes(start.view()).unwrap(), b.critic_slopes(moved.view()).unwrap());
        assert!(slopes.0.iter().zip(&slopes.1).all(|(a, b)| (b / scale - a).abs() < 1e-4));
        // Records are in the user's units too; what has no unit is as it was.
        assert_eq!(energies.0.len(), 3);
        for (own, other) in energies.0.iter().zip(&scaled.0) {
            assert!((other.0 / (scale * scale) / own.0 - 1.0).abs() < 1e-3, "{} {}", other.0, own.0);
            assert!((other.1 - own.1).abs() < 1e-4);
        }
    }
}

/// Half a second apart since 1970: single precision steps by 128.
#[test]
fn time_stamps_keep_their_digits_from_the_data_to_the_samples() {
    let folder = tempfile::tempdir().unwrap();
    let times =
        Array2::from_shape_fn((200, 2), |(i, j)| [1.7e9, 0.0][j] + 0.5 * ((i * (j + 3)) % 200) as f64);
    let out = folder.path().join("run");
    let config = flow(&["initial={ kind = \"array\" }"]);
    let trained = Run::new(config).data(times.clone()).initial(times.clone()).out(&out).train().unwrap();
    let held_out = datasets::read_matrix(out.join(HELD_OUT_FILE)).unwrap();
    assert_eq!(held_out.nrows(), 20);
    assert!(held_out.rows().into_iter().all(|row| times.rows().into_iter().any(|known| known == row)));
    assert_eq!(Some(held_out), trained.held_out);
    let loaded = FlowModel::load(&out).unwrap();
    assert_eq!(loaded.units, trained.model.units);
    let start = loaded.initial(50, 1).unwrap();
    assert_eq!(start, trained.model.initial(50, 1).unwrap());
    // Single precision keeps 2⁻²⁴ of the distance from the centre, at most 50, and double 2⁻⁵² of 1.7e9.
    let near = |point: ndarray::ArrayView1<'_, f64>| {
        times.rows().into_iter().any(|known| (&known - &point).iter().all(|gap| gap.abs() < 1e-5))
    };
    assert!(start.rows().into_iter().all(near));
    assert_eq!(loaded.sample(50, 8, 1).unwrap(), trained.model.sample(50, 8, 1).unwrap());
}

/// A generator of the dimension of the data begins in their units, one of another dimension in those of its law.
#[test]
fn a_generator_begins_in_the_units_of_the_data_where_it_has_their_dimension() {
    let text = r#"
kind = "generator"
name = "small"
data = { kind = "array" }
generator = { hidden = [8], batch_norm = true, residual = true }
potentials = { penalty = { kind = "quadratic", weight = 10.0 }, hidden = [8] }
update = { kind = "flow", epsilon = 0.3 }
training = { iterations = 4, batch = 8, critic_updates = 1, optimiser = { learning_rate = 1e-3 }, critic_optimiser = { learning_rate = 1e-3 } }
"#;
    let folder = tempfile::tempdir().unwrap();
    let far = ellipse(50) * 100.0 + 1e6;
    let mean = |points: &Array2<f64>| points.mean().unwrap();
    for (change, expected) in [("seed=0", 1e6), ("initial={ kind = \"normal\", dim = 3 }", 0.0)] {
        let changes = [change.to_owned(), format!("generator.residual={}", expected > 0.0)];
        let config = GeneratorConfig::parse(text, "generator.toml", None, &changes).unwrap();
        let out = folder.path().join(format!("{expected}"));
        let model = Run::new(config).data(far.clone()).out(&out).train().unwrap().model;
        let (start, end) = (model.initial(40, 1).unwrap(), model.sample(40, 1).unwrap());
        // Means of 80 or 120 numbers of deviation 70 or 1, and a generator that has not learnt anything yet.
        assert!((mean(&start) - expected).abs() < 40.0, "{}", mean(&start));
        assert!((mean(&end) - 1e6).abs() < 300.0, "{}", mean(&end));
        let loaded = Model::load(&out).unwrap();
        assert_eq!((loaded.initial(40, 1).unwrap(), loaded.sample(40, 1).unwrap()), (start, end));
    }
}

#[test]
fn data_that_are_to_stay_as_they_are_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let config = flow(&["data={ kind = \"array\", scaling = \"none\", held_out = 0 }"]);
    let trained = Run::new(config).data(ellipse(40)).out(&out).train().unwrap();
    assert_eq!(trained.model.units, train::source::Units::Same);
    assert!(trained.held_out.is_none() && !out.join(HELD_OUT_FILE).exists());
    let stored = fs::read_to_string(out.join("config.toml")).unwrap();
    assert!(stored.contains("scaling = \"none\"") && stored.contains("held_out = 0"), "{stored}");
    assert!(fs::read_to_string(out.join(METRICS_FILE)).unwrap().lines().count() == 3);
}

#[test]
fn few_rows_are_told_and_one_is_refused_before_training() {
    for rows in [2, 3, 5] {
        let mut heard = Energies::default();
        let trained = Run::new(flow(&[])).data(ellipse(rows)).observer(&mut heard).train().unwrap();
        assert!(trained.held_out.is_none());
        assert!(heard.1.join("").contains(&format!("{rows} rows, too few to hold out")), "{:?}", heard.1);
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let error = Run::new(flow(&[])).data(ellipse(1)).out(&out).train().unwrap_err().to_string();
    assert!(error.contains("rows of the array for `data` is 1: give at least 2"), "{error}");
    assert!(!out.exists());
}

#[test]
fn what_is_said_of_data_only_is_refused_of_initial_points() {
    for change in
        ["initial={ kind = \"array\", held_out = 0.1 }", "initial={ kind = \"array\", scaling = \"none\" }"]
    {
        let error = FlowConfig::parse(FLOW, "a.toml", None, &[change.into()]).unwrap_err().to_string();
        assert!(error.starts_with("initial.") && error.contains("leave it out"), "{error}");
    }
    let error =
        FlowConfig::parse(FLOW, "a.toml", None, &["data={ kind = \"array\", held_out = 1.0 }".into()]);
    assert!(error.unwrap_err().to_string().contains("data.held_out is 1: "));
}
