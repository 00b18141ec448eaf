//! Generators through the built program: an experiment of seconds, its resumption, its samples, and data that is
//! missing.

use crate::common::Workshop;
use serde_json::Value;
use std::fs;

fn json(workshop: &Workshop, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(workshop.path(name)).unwrap()).unwrap()
}

/// Six rows, five of W2-FE and one of a rival, with the references beside them.
#[test]
fn the_ring_is_reproduced_sampled_and_resumed() {
    let workshop = Workshop::new();
    let reproduce = ["reproduce", "ring", "--preset", "smoke", "--rows", "methods/w2", "--out", "ring"];
    let rows = [&reproduce[..], &["--resume"]].concat();
    workshop.oplus(&reproduce).assert().success();
    let results = json(&workshop, "ring/results.json");
    let row = |method: &str| {
        let rows = results["rows"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["method"].as_str().unwrap().starts_with(method)).unwrap()
    };
    // The start is .945 from the ring in w2, with a standard error of some thousandths.
    let start = row("start")["metrics"]["w2"].as_f64().unwrap();
    assert!((start - 0.945).abs() < 0.02, "{start}");
    // The plan is optimal up to rounding; the last of 20 steps of ε = ½ is 1e-6 of the first distance.
    assert!(row("w2fe-exact, ε = 0.1")["metrics"]["geometric_deviation"].as_f64().unwrap() < 1e-6);
    assert!(row("w2fe-k3")["metrics"]["w2"].as_f64().unwrap() < start);
    assert!(row("w2gan")["metrics"]["modes_covered"].is_f64());
    let floors = results["floors"].as_array().unwrap();
    // Two independent rings of 512 points with balanced modes: .058 ± .003; random counts on both sides: .17.
    assert!((floors[0]["metrics"]["w2"].as_f64().unwrap() - 0.058).abs() < 0.02, "{floors:?}");
    assert!(floors[2]["metrics"]["w2"].as_f64().unwrap() > 0.08, "{floors:?}");
    assert_eq!(workshop.undefined("ring"), [""; 0]);
    assert_eq!(workshop.undefined("ring/runs/methods/w2fe-k1-s0"), [""; 0]);
    let report = fs::read_to_string(workshop.path("ring/report.html")).unwrap();
    let page = "runs/methods/w2fe-k1-s0/report.html";
    assert!(report.contains("seconds of training") && report.contains(&format!("href=\"{page}\"")));
    assert!(fs::read_to_string(workshop.path("ring").join(page)).unwrap().contains("after iteration 10"));

    let sample = ["sample", "ring/runs/methods/w2fe-k1-s0", "--n", "7", "--out", "a.npy"];
    workshop.oplus(&sample).assert().success();
    assert_eq!(datasets::read_matrix(workshop.path("a.npy")).unwrap().dim(), (7, 2));
    let with_steps = [&sample[..5], &["b.npy", "--steps", "3"]].concat();
    let refused = workshop.oplus(&with_steps).output().unwrap();
    assert!(String::from_utf8(refused.stderr).unwrap().contains("takes no steps"));

    fs::remove_dir_all(workshop.path("ring/runs/methods/w2fe-k3-s0")).unwrap();
    workshop.oplus(&rows).assert().success();
    let again = json(&workshop, "ring/results.json");
    let w2 = |results: &Value| -> Vec<Value> {
        results["rows"].as_array().unwrap().iter().map(|row| row["metrics"]["w2"].clone()).collect()
    };
    assert_eq!(w2(&results), w2(&again));
}

#[test]
fn missing_digits_say_what_to_do() {
    let workshop = Workshop::new();
    let mut command = workshop.oplus(&["reproduce", "usps-mnist", "--preset", "smoke", "--out", "digits"]);
    let output = command.env("OPLUS_DATA", workshop.path("none")).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    for word in ["usps", "zip.train.gz", "--usps-resampled"] {
        assert!(message.contains(word), "no {word:?} in {message}");
    }
    let mut command = workshop.oplus(&[
        "reproduce",
        "usps-mnist",
        "--preset",
        "smoke",
        "--usps-resampled",
        "--out",
        "digits",
    ]);
    let output = command.env("OPLUS_DATA", workshop.path("none")).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("data fetch"), "{message}");
}

/// The data are looked for first, then the classifier that scores them.
#[test]
fn missing_images_and_a_missing_classifier_say_what_to_do() {
    let workshop = Workshop::new();
    let told = || {
        let rows = ["reproduce", "images", "--preset", "smoke", "--rows", "fashion", "--out", "images"];
        let output = workshop.oplus(&rows).env("OPLUS_DATA", workshop.path("data")).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let message = told();
    assert!(message.contains("cargo xtask data fetch fashion"), "{message}");
    let folder = workshop.path("data/fashion");
    fs::create_dir_all(&folder).unwrap();
    for file in datasets::manifest::find("fashion").unwrap().files {
        fs::write(folder.join(file.name), []).unwrap();
    }
    let message = told();
    assert!(message.contains("cargo xtask classifier fashion"), "{message}");
    let scores = |set: &str| {
        let mut eval = workshop.oplus(&["eval", "--samples", "x.npy", "--images", set]);
        String::from_utf8(eval.env("OPLUS_DATA", workshop.path("data")).output().unwrap().stderr).unwrap()
    };
    for (set, remedy) in [
        ("fashion", "cargo xtask classifier fashion"),
        ("mnist", "cargo xtask data fetch mnist"),
        ("cats", "there are mnist, fashion, cifar10"),
    ] {
        let message = scores(set);
        assert!(message.contains(remedy), "{message}");
    }
}
