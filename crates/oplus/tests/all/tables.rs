//! Tables as other programs write them and data in units of their own, through the built program.

use crate::common::Workshop;
use serde_json::Value;
use std::fmt::Write;
use std::fs;

fn eval(workshop: &Workshop, arguments: &[&str]) -> Result<Value, String> {
    let output = workshop.oplus(&[&["eval", "--json"], arguments].concat()).output().unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

/// The same four points, as pandas writes them with and without its index, and by hand.
#[test]
fn what_pandas_writes_is_measured_as_its_points_or_refused() {
    let workshop = Workshop::new();
    let rows = ["2.5,7.0", "3.5,8.0", "4.5,9.5", "1.25,6.0"];
    let indexed: Vec<String> = rows.iter().enumerate().map(|(i, row)| format!("{i},{row}")).collect();
    let plain = rows.join("\n");
    fs::write(workshop.path("plain.csv"), &plain).unwrap();
    fs::write(workshop.path("index.csv"), format!(",0,1\n{}\n", indexed.join("\n"))).unwrap();
    fs::write(workshop.path("noindex.csv"), format!("0,1\n{plain}\n")).unwrap();
    fs::write(workshop.path("quoted.csv"), format!("\"speed, m/s\",y\n{plain}\n")).unwrap();
    let against = |file: &str, more: &[&str]| {
        eval(&workshop, &[&["--samples", "plain.csv", "--reference", file], more].concat())
    };
    for (file, more) in
        [("quoted.csv", &[][..]), ("index.csv", &["--columns", "1.."]), ("index.csv", &["--columns", "1,2"])]
    {
        let found = against(file, more).unwrap();
        assert_eq!((&found["n"], &found["m"], &found["dim"]), (&4.into(), &4.into(), &2.into()), "{file}");
        assert_eq!(found["exact"]["w2_squared"], 0.0, "{file}");
    }
    let error = against("index.csv", &[]).unwrap_err();
    assert!(
        error.contains("index.csv has a first column without a name") && error.contains("--columns"),
        "{error}"
    );
    let error = against("noindex.csv", &[]).unwrap_err();
    assert!(
        error.contains("noindex.csv begins with 0,1 on line 1") && error.contains("--header true"),
        "{error}"
    );
}

/// A label column is left out by name; what was trained on has the unit of the table, and so have the samples.
#[test]
fn a_table_with_labels_in_a_unit_of_its_own_is_trained_on_and_measured() {
    let workshop = Workshop::new();
    let mut table = String::from("east,north,kind\n");
    for i in 0..60 {
        let angle = f64::from(i) * 0.7;
        writeln!(table, "{},{},tree", 4.5e6 + 1000.0 * angle.cos(), 5.4e6 + 500.0 * angle.sin()).unwrap();
    }
    fs::write(workshop.path("trees.csv"), table).unwrap();
    let data = ["--data", "trees.csv", "--columns", "east,north"];
    workshop.train("run", &data);
    workshop.oplus(&["sample", "run", "--n", "50", "--out", "samples.npy"]).assert().success();
    let samples = datasets::read_matrix(workshop.path("samples.npy")).unwrap();
    let mean = samples.mean_axis(ndarray::Axis(0)).unwrap();
    // A normal law of deviation 790 about the centre, moved by a flow that has not learnt anything yet, by L·T/λ = 2 such
    // deviations at most.
    assert!((mean[0] - 4.5e6).abs() < 2200.0 && (mean[1] - 5.4e6).abs() < 2200.0, "{mean}");
    let held_out = datasets::read_matrix(workshop.path("run/held-out.npy")).unwrap();
    assert_eq!(held_out.dim(), (6, 2));
    let results: Value =
        serde_json::from_str(&fs::read_to_string(workshop.path("run/results.json")).unwrap()).unwrap();
    let reference = ["--samples", "samples.npy", "--reference", "trees.csv", "--columns", "east,north"];
    let found = eval(&workshop, &reference).unwrap();
    assert_eq!((&found["n"], &found["m"], &found["dim"]), (&50.into(), &60.into(), &2.into()));
    // The same distance between other samples of both: of one order, and a million times that in units of the training.
    let ratio = results["rows"][0]["metrics"]["w2_squared"].as_f64().unwrap()
        / found["exact"]["w2_squared"].as_f64().unwrap();
    assert!((0.2..5.0).contains(&ratio), "{ratio}");
    // The configuration of the run says what was picked.
    let config = fs::read_to_string(workshop.path("run/config.toml")).unwrap();
    assert!(config.contains("columns") && config.contains("east"), "{config}");
}

#[test]
fn a_point_that_dominates_the_scale_is_said_on_the_way() {
    let workshop = Workshop::new();
    let mut points = fs::read_to_string(workshop.path("points.csv")).unwrap();
    points.push_str("1e5,0\n");
    fs::write(workshop.path("points.csv"), points).unwrap();
    let output =
        workshop.oplus(&["train", "tiny.toml", "--preset", "smoke", "--out", "run"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{message}");
    assert!(
        message.contains("warning: few points dominate the scale") && message.contains("line 42, column 1"),
        "{message}"
    );
    let points = fs::read_to_string(workshop.path("points.csv")).unwrap().replace("1e5", "1e39");
    fs::write(workshop.path("points.csv"), points).unwrap();
    let output =
        workshop.oplus(&["train", "tiny.toml", "--preset", "smoke", "--out", "huge"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.starts_with("error: line 42, column 1 (counted from 1) of ")
            && !workshop.path("huge").exists(),
        "{message}"
    );
}
