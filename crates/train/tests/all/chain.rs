//! Flows that begin with the samples of another run.

use ndarray::{Array2, Axis};
use rand::RngExt;
use rand_distr::StandardNormal;
use std::fs;
use std::path::Path;
use train::model::FlowModel;
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

#[test]
fn a_run_goes_on_with_the_run_that_it_began_with_wherever_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let data = cluster(&[3.0, 4.0]);
    trained(config(None, &[]), &data, &place("first"));
    trained(config(Some(&place("first")), &[]), &data, &place("second"));
    fs::rename(place("first"), place("moved")).unwrap();
    let longer = |first: &str| config(Some(&place(first)), &["training.iterations=80"]);
    assert_eq!(trained(longer("moved"), &data, &place("second")).iteration, 80);
    // Another one than it began with, and none.
    trained(config(None, &["seed=1"]), &data, &place("first"));
    let refused = |first: &str| {
        let run = Run::new(longer(first)).data(data.clone()).out(place("second")).resume(true);
        run.train().unwrap_err().to_string()
    };
    let other = refused("first");
    assert!(other.contains("second") && other.contains("was begun with"), "{other}");
    let none = refused("nowhere");
    assert!(none.contains("nowhere") && none.contains("no config.toml"), "{none}");
    // A conditional flow gives its points without their conditions.
    let labels = Array2::from_shape_fn((400, 3), |(i, j)| if j < 2 { data[[i, j]] } else { (i % 2) as f64 });
    let conditional = config(None, &["condition={ kind = \"label\", columns = [2] }"]);
    trained(conditional, &labels, &place("labels"));
    let after = trained(config(Some(&place("labels")), &[]), &data, &place("after"));
    assert_eq!(after.initial(5, 0).unwrap().dim(), (5, 2));
}
