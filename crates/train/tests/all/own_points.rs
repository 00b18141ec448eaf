//! Points of the user's own at both ends of a flow, and what is said before it is trained.

use ndarray::{Array2, Axis};
use rand::RngExt;
use rand_distr::StandardNormal;
use std::path::Path;
use train::observe::{Notice, Observer};
use train::outcome::Status;
use train::{Configuration, FlowConfig, Model, Run};

/// Clusters of deviation 10 around the given centres, equally many points in each, one after the other.
fn clusters(centres: [[f64; 2]; 2], name: &str) -> Array2<f64> {
    let mut rng = datasets::stream(7, name, 0);
    Array2::from_shape_fn((400, 2), |(i, j)| {
        centres[usize::from(i >= 200)][j] + 10.0 * rng.sample::<f64, _>(StandardNormal)
    })
}

fn config(folder: &Path, changes: &[&str]) -> FlowConfig {
    let text = format!(
        "kind = \"flow\"\nname = \"pairs\"\ndata = {{ file = {:?} }}\ninitial = {{ file = {:?} }}\n\
         representation = {{ hidden = [32, 32] }}\n\
         training = {{ iterations = 300, batch = 64, average = 0.98 }}",
        folder.join("right.npy"),
        folder.join("left.csv"),
    );
    let changes: Vec<String> = changes.iter().map(|&change| change.into()).collect();
    FlowConfig::parse(&text, "pairs.toml", None, &changes).unwrap()
}

fn mean(points: &Array2<f64>, rows: std::ops::Range<usize>) -> [f64; 2] {
    let mean = points.slice(ndarray::s![rows, ..]).mean_axis(Axis(0)).unwrap();
    [mean[0], mean[1]]
}

/// Left of 0 to right of it, in a unit where the clusters are hundreds apart: by symmetry the optimal map takes the lower
/// cluster to the lower one and the upper to the upper one.
#[test]
fn a_flow_takes_two_clusters_of_one_file_to_the_two_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let left = clusters([[-300.0, 900.0], [-300.0, 1100.0]], "left");
    let right = clusters([[300.0, 900.0], [300.0, 1100.0]], "right");
    datasets::write_npy_f64(folder.path().join("right.npy"), &right).unwrap();
    let rows: Vec<String> = left.rows().into_iter().map(|row| format!("{},{}", row[0], row[1])).collect();
    std::fs::write(folder.path().join("left.csv"), rows.join("\n")).unwrap();
    let out = folder.path().join("run");
    let trained = Run::new(config(folder.path(), &[])).out(&out).train().unwrap();
    assert_eq!(trained.outcome.status, Status::Completed);
    let moved = Model::load(&out).unwrap().push_forward(left.view(), 0).unwrap();
    for (rows, centre) in [(0..200, [300.0, 900.0]), (200..400, [300.0, 1100.0])] {
        let found = mean(&moved, rows);
        // Short of the centre by a few per cent of the way of 600, which the divergence's weight leaves.
        assert!(
            (found[0] - centre[0]).abs() < 60.0 && (found[1] - centre[1]).abs() < 30.0,
            "{found:?}, not {centre:?}"
        );
    }
    // New points are rows of the file of initial points that have gone the same way.
    let new = Model::load(&out).unwrap().sample(100, 1).unwrap();
    assert!(new.column(0).iter().all(|&x| x > 100.0));
}

/// Keeps what the user is told.
#[derive(Default)]
struct Ears(Vec<String>);

impl Observer for Ears {
    fn notice(&mut self, notice: &Notice) {
        if let Notice::Warning(sentence) = notice {
            self.0.push(sentence.clone());
        }
    }
}

#[test]
fn what_lies_out_of_reach_is_told_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let points = clusters([[-300.0, 900.0], [300.0, 1100.0]], "points");
    let run = |lambda: &str| {
        // An explicit flow that departs from points at rest is one with a bound.
        let bounded = "representation.base=identity";
        let changes =
            ["data={ kind = \"array\" }", "initial={ std = 1.0 }", "training.iterations=3", bounded, lambda];
        let mut ears = Ears::default();
        let run = Run::new(config(folder.path(), &changes)).data(points.clone()).observer(&mut ears);
        let trained = run.train().unwrap();
        (trained, ears.0)
    };
    let (near, told) = run("flow.lambda=0.1");
    assert!(told.is_empty() && near.reach.unwrap().suffices(), "{told:?}");
    let (far, told) = run("flow.lambda=2.0");
    assert!(!far.reach.unwrap().suffices());
    assert_eq!(told.len(), 1);
    for words in ["= 0.5, and", "lower flow.lambda to", "raise critic.bound to", "scale"] {
        assert!(told[0].contains(words), "no {words:?} in {told:?}");
    }
}
