//! Flows that begin with the samples of another run.

use ndarray::{Array2, Axis};
use rand::RngExt;
use rand_distr::StandardNormal;
use std::fs;
use std::path::Path;
use train::model::FlowModel;
use train::run::INITIAL_RUN;
use train::{Configuration, FlowConfig, Model, Run};

/// A cluster of deviation 10 around `centre`.
fn cluster(centre: &[f64]) -> Array2<f64> {
    let mut rng = datasets::stream(3, "cluster", 0);
    Array2::from_shape_fn((400, centre.len()), |(_, j)| {
        centre[j] + 10.0 * rng.sample::<f64, _>(StandardNormal)
    })
}

/// An explicit flow to an array, from a law or from the samples of a run.
fn config(first: Option<&Path>, changes: &[&str]) -> FlowConfig {
    let text = "kind = \"flow\"\nname = \"chain\"\ndata = { kind = \"array\" }\nrepresentation = { hidden = [16, 16] }\n\
                training = { iterations = 60, batch = 64, average = 0.9, \
                optimiser = { learning_rate = 1e-3, schedule = { kind = \"constant\" } } }";
    let initial =
        first.map(|first| format!("initial={{ kind = \"run\", folder = {first:?}, samples = 500 }}"));
    let changes = initial.into_iter().chain(changes.iter().map(|&change| change.into()));
    FlowConfig::parse(text, "chain.toml", None, &changes.collect::<Vec<String>>()).unwrap()
}

fn trained(config: FlowConfig, data: &Array2<f64>, out: &Path) -> FlowModel {
    Run::new(config).data(data.clone()).out(out).resume(true).train().unwrap().model
}

/// Each flow has units of its own. The folders that it came from are gone, and its own has moved.
#[test]
fn a_flow_begins_with_the_samples_of_another_and_needs_its_folder_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let first = trained(config(None, &[]), &cluster(&[300.0, 900.0]), &place("first"));
    let second = trained(config(Some(&place("first")), &[]), &cluster(&[-50.0, 0.0]), &place("second"));
    let start = second.initial(2000, 1).unwrap();
    let samples = first.sample(2000, 1, 5).unwrap();
    for (column, expected) in start.columns().into_iter().zip(samples.columns()) {
        // Means of 2000 points of deviation 10: their difference has a standard error of 0.3.
        let gap = column.mean().unwrap() - expected.mean().unwrap();
        assert!(gap.abs() < 1.5, "{gap}");
        assert!((column.std(0.0) / expected.std(0.0) - 1.0).abs() < 0.1);
    }
    // Fresh ones, not the 500 of the training; two may agree in single precision.
    let mut distinct: Vec<u64> = start.column(0).iter().map(|x| x.to_bits()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() > 1990, "{}", distinct.len());

    let third = trained(config(Some(&place("second")), &[]), &cluster(&[40.0, 8.0]), &place("third"));
    let before = third.sample(9, 1, 2).unwrap();
    fs::remove_dir_all(place("first")).unwrap();
    fs::remove_dir_all(place("second")).unwrap();
    fs::rename(place("third"), place("moved")).unwrap();
    let third = Model::load(&place("moved")).unwrap();
    assert_eq!(third.sample(9, 2).unwrap(), before);
    let mean = third.initial(2000, 0).unwrap().mean_axis(Axis(0)).unwrap();
    // Sixty iterations leave the second flow some units short of its data, which are hundreds from the first one's.
    assert!((mean[0] + 50.0).abs() < 20.0 && mean[1].abs() < 20.0, "{mean}");
}

/// ∫ρ = 1, and ρ₂(y) = ρ₁(x)·dx/dy with x the inverse of y, by central differences.
#[test]
fn the_density_of_a_chain_is_that_of_all_its_flows() {
    let folder = tempfile::tempdir().unwrap();
    let first = trained(config(None, &[]), &cluster(&[30.0]), &folder.path().join("first"));
    let second = trained(
        config(Some(&folder.path().join("first")), &[]),
        &cluster(&[-50.0]),
        &folder.path().join("second"),
    );
    let step = 0.1;
    let grid = Array2::from_shape_fn((2000, 1), |(i, _)| -150.0 + step * i as f64);
    let densities = second.log_density(grid.view()).unwrap();
    let mass: f64 = densities.iter().map(|density| step * density.exp()).sum();
    // All mass lies ten deviations within the grid; the rectangles are a hundredth of a deviation wide.
    assert!((mass - 1.0).abs() < 1e-3, "{mass}");
    let x = second.inverse(grid.view()).unwrap();
    let below = first.log_density(x.view()).unwrap();
    for row in (600..1400).step_by(50) {
        let slope = (x[[row + 1, 0]] - x[[row - 1, 0]]) / (2.0 * step);
        let expected = below[row] + slope.abs().ln();
        // Central differences over a fiftieth of a deviation.
        assert!((densities[row] - expected).abs() < 1e-2, "row {row}: {} and {expected}", densities[row]);
    }
}

/// Two clusters with a gap between them, in which no path of a Hopf–Lax flow ends: its formula has a number there all the same.
#[test]
fn where_the_first_flow_ends_nowhere_the_chain_has_no_density() {
    let folder = tempfile::tempdir().unwrap();
    let data = cluster(&[0.0]);
    let gap = data.mapv(|x| x / 10.0 + if x < 0.0 { 3.0 } else { 12.0 });
    let hopf_lax = config(
        None,
        &[
            "representation={ kind = \"hopf-lax\", hidden = [16], refinements = 20 }",
            "critic={ hidden = [16, 16], lipschitz = { method = \"penalty\", form = \"lp\", weight = 10.0 } }",
            "flow.lambda=0.1",
            "training.iterations=300",
        ],
    );
    let first = trained(hopf_lax, &gap, &folder.path().join("first"));
    let second = trained(
        config(Some(&folder.path().join("first")), &["representation.base=identity"]),
        &gap,
        &folder.path().join("second"),
    );
    let step = 0.02;
    let grid = Array2::from_shape_fn((1000, 1), |(i, _)| -2.0 + step * i as f64);
    let mass = |model: &FlowModel| -> f64 {
        model.log_density(grid.view()).unwrap().iter().map(|density| step * density.exp()).sum()
    };
    let reached = second.reached(grid.view(), second.inverse(grid.view()).unwrap().view()).unwrap();
    assert!(reached.iter().any(|reached| !reached) && reached.iter().any(|reached| *reached));
    // The formula of the first alone has twice the mass and more; grid points at the edges of the clusters carry some per cent.
    assert!(mass(&first) > 1.5 && (mass(&second) - 1.0).abs() < 0.1, "{} {}", mass(&first), mass(&second));
}

/// The copy is what counts: the original may be gone, or have been trained on.
#[test]
fn a_run_goes_on_with_its_copy_of_the_run_that_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let data = cluster(&[3.0, 4.0]);
    let longer =
        |iterations: u64| config(Some(&place("first")), &[&format!("training.iterations={iterations}")]);
    trained(config(None, &[]), &data, &place("first"));
    trained(longer(80), &data, &place("whole"));
    trained(longer(60), &data, &place("second"));
    trained(config(None, &["training.iterations=70"]), &data, &place("first"));
    trained(longer(70), &data, &place("second"));
    fs::remove_dir_all(place("first")).unwrap();
    let second = trained(longer(80), &data, &place("second"));
    let whole = Model::load(&place("whole")).unwrap();
    assert_eq!(second.sample(9, 1, 2).unwrap(), whole.sample(9, 2).unwrap());
    // Another copy than it began with.
    trained(config(None, &["seed=1"]), &data, &place("other"));
    fs::remove_dir_all(place("second").join(INITIAL_RUN)).unwrap();
    fs::rename(place("other"), place("second").join(INITIAL_RUN)).unwrap();
    let run = Run::new(longer(90)).data(data.clone()).out(place("second")).resume(true);
    let other = run.train().unwrap_err().to_string();
    assert!(other.contains("second") && other.contains("was begun with"), "{other}");
}

#[test]
fn what_cannot_begin_leaves_nothing_and_what_lies_there_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let data = cluster(&[3.0, 4.0]);
    let refused = |first: &str, data: &Array2<f64>| {
        let run = Run::new(config(Some(&place(first)), &[])).data(data.clone()).out(place("second"));
        run.train().unwrap_err().to_string()
    };
    let none = refused("nowhere", &data);
    assert!(none.contains("nowhere") && none.contains("no config.toml"), "{none}");
    trained(config(None, &[]), &data, &place("first"));
    let other = refused("first", &cluster(&[1.0]));
    assert!(other.contains("initial.dim is 2"), "{other}");
    assert!(!place("second").exists());
    // A run that lies where the copy would.
    trained(config(None, &[]), &data, &place("second").join(INITIAL_RUN));
    let there = refused("first", &data);
    assert!(there.contains("second holds another run"), "{there}");
    assert!(Model::load(&place("second").join(INITIAL_RUN)).is_ok());
    // Two points span a line, which no Gaussian map begins with.
    let line = config(Some(&place("first")), &["initial.samples=2"]);
    let flat = Run::new(line).data(data.clone()).train().unwrap_err().to_string();
    assert!(flat.contains("representation.base = \"identity\""), "{flat}");
    // Into the folder of the run that it begins with.
    let inside = place("first").join(INITIAL_RUN);
    trained(config(Some(&place("first")), &[]), &data, &inside);
    assert!(
        Model::load(&inside).unwrap().sample(3, 0).is_ok()
            && !inside.join(INITIAL_RUN).join(INITIAL_RUN).exists()
    );
}

#[test]
fn a_conditional_flow_gives_its_points_without_their_conditions() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let data = cluster(&[3.0, 4.0]);
    let labels = Array2::from_shape_fn((400, 3), |(i, j)| if j < 2 { data[[i, j]] } else { (i % 2) as f64 });
    let conditional = config(None, &["condition={ kind = \"label\", columns = [2] }"]);
    trained(conditional, &labels, &place("labels"));
    let after = trained(config(Some(&place("labels")), &[]), &data, &place("after"));
    assert_eq!(after.initial(5, 0).unwrap().dim(), (5, 2));
    let unknown = after.log_density(data.view()).unwrap_err().to_string();
    assert!(unknown.contains("the density of the initial points"), "{unknown}");
}
