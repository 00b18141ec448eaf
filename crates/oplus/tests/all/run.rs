//! Runs through the built program: the same seed gives the same bits, and what is written is what others rely on.

use crate::common::{Workshop, without_clock};
use eval::distances::{DistanceOptions, distances};
use serde_json::Value;
use std::fs;

fn json(workshop: &Workshop, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(workshop.path(name)).unwrap()).unwrap()
}

/// metrics.jsonl without its wall-clock fields.
fn records(workshop: &Workshop, run: &str) -> Vec<Value> {
    let text = fs::read_to_string(workshop.path(&format!("{run}/metrics.jsonl"))).unwrap();
    let record = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        for clock in ["seconds", "reading_seconds"] {
            assert!(record.as_object_mut().unwrap().remove(clock).is_some());
        }
        record
    };
    text.lines().map(record).collect()
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
    let workshop = Workshop::new();
    workshop.train("a", &["--seed", "3"]);
    workshop.train("b", &["--seed", "3"]);
    workshop.train("c", &["--seed", "4"]);
    let samples = |run: &str| fs::read(workshop.path(&format!("{run}/samples/generated.npy"))).unwrap();
    let metrics = |run: &str| {
        without_clock(json(&workshop, &format!("{run}/results.json"))["rows"][0]["metrics"].clone())
    };
    assert_eq!(records(&workshop, "a").len(), 3);
    assert_eq!(records(&workshop, "a"), records(&workshop, "b"));
    assert_eq!(samples("a"), samples("b"));
    assert_eq!(metrics("a"), metrics("b"));
    assert_ne!(records(&workshop, "a"), records(&workshop, "c"));
    assert_ne!(samples("a"), samples("c"));
}

#[test]
fn a_run_folder_holds_what_others_rely_on() {
    let workshop = Workshop::new();
    workshop.train("run", &["--seed", "5"]);
    for name in ["config.toml", "manifest.json", "metrics.jsonl", "results.json", "report.html"] {
        assert!(workshop.path("run").join(name).is_file(), "no {name}");
    }
    let results = json(&workshop, "run/results.json");
    assert_eq!(results["schema_version"], 1);
    let row = &results["rows"][0];
    assert_eq!((&row["status"], &row["seed"], &row["dim"]), (&"ok".into(), &5.into(), &2.into()));
    assert_eq!(row["samples"], "samples/generated.npy");
    for metric in ["w2_squared", "w2_squared_sd", "w2_squared_one_step", "path_ratio", "critic_slope_max"] {
        assert!(row["metrics"][metric].is_f64(), "no {metric} in {row}");
        assert!(results["definitions"][metric].is_string(), "no definition of {metric}");
    }
    assert!(results["floors"][0]["metrics"]["w2_squared"].as_f64().unwrap() > 0.0);
    assert_eq!(workshop.undefined("run"), [""; 0]);
    let manifest = json(&workshop, "run/manifest.json");
    assert_eq!(manifest["data_sha256"].as_object().unwrap().len(), 1);
    assert_eq!(manifest["cargo_lock_sha256"].as_str().unwrap().len(), 64);

    let report = fs::read_to_string(workshop.path("run/report.html")).unwrap();
    assert!(report.contains("<svg") && report.contains("w2_squared"));
    let rest = report.replace("http://www.w3.org/2000/svg", "");
    for outside in ["http:", "https:", "<script", "<link", "@import", "url(", "src="] {
        assert!(!rest.contains(outside), "the report contains {outside}");
    }
}

/// Training for 6 iterations brings nothing to a circle: the judgement says so wherever the run is looked at.
#[test]
fn a_run_is_judged_against_the_floor_in_words() {
    let workshop = Workshop::new();
    let arguments = ["train", "tiny.toml", "--out", "run", "--set", "data.held_out=0.25"];
    let output = workshop.oplus(&arguments).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let results = json(&workshop, "run/results.json");
    let row = &results["rows"][0];
    let words = row["verdict"]["words"].as_str().unwrap();
    assert!(words.contains("times the floor") && words.contains("2 × 5 held-out rows"), "{words}");
    assert!(printed.contains(words), "{words} in {printed}");
    assert_eq!(row["verdict"]["metric"], "w2_squared");
    let of = |row: &Value| row["metrics"]["w2_squared"].as_f64().unwrap();
    assert_eq!(row["verdict"]["ratio"].as_f64().unwrap(), of(row) / of(&results["floors"][0]));
    for metric in ["w1", "sliced_w2", "coordinate_w1_worst", "nearest_training_distance"] {
        assert!(
            row["metrics"][metric].is_f64() && results["floors"][0]["metrics"][metric].is_f64(),
            "{metric}"
        );
    }
    // The blur of the tables means nothing in another unit.
    assert!(row["metrics"].get("sinkhorn_divergence_2d").is_none());
    let report = fs::read_to_string(workshop.path("run/report.html")).unwrap();
    assert!(report.contains(words));
    assert!(
        records(&workshop, "run").iter().all(|record| record["path_ratio"].is_f64()),
        "readings of milliseconds"
    );
}

/// Straightness is 0 whatever the critic of a Hopf–Lax flow is: it stands apart from the measures, and in no figure.
#[test]
fn what_holds_by_construction_is_no_sign_of_fit() {
    let workshop = Workshop::new();
    workshop.train("network", &[]);
    workshop.train(
        "hopf-lax",
        &["--set", "representation={ kind = \"hopf-lax\", hidden = [6], refinements = 2 }"],
    );
    let report = |run: &str| fs::read_to_string(workshop.path(run).join("report.html")).unwrap();
    let before = |report: String, text: &str| report.split_once(text).map(|(before, _)| before.to_owned());
    let apart = before(report("hopf-lax"), "What holds by construction").unwrap();
    let names = ["straightness", "path_ratio", "hj_residual", "step_invariance"];
    assert!(names.iter().all(|name| !apart.contains(name)) && apart.contains("w2_squared"));
    assert_eq!(before(report("network"), "What holds by construction"), None);
    assert!(names.iter().all(|name| report("network").contains(name)));
}

#[test]
fn samples_can_be_drawn_and_measured_again() {
    let workshop = Workshop::new();
    workshop.train("run", &["--seed", "2"]);
    workshop.oplus(&["sample", "run", "--n", "30", "--out", "again.npy"]).assert().success();
    let written = datasets::read_matrix(workshop.path("run/samples/generated.npy")).unwrap();
    let again = datasets::read_matrix(workshop.path("again.npy")).unwrap();
    // Of 40 points 4 are held out: two parts of two are measured against, one after the other. The seed of the run is
    // the default.
    assert_eq!(written.nrows(), 4);
    assert_eq!(written, again.slice(ndarray::s![..4, ..]));
    workshop.oplus(&["sample", "run", "--n", "30", "--seed", "9", "--out", "other.npy"]).assert().success();
    assert_ne!(datasets::read_matrix(workshop.path("other.npy")).unwrap(), again);

    let eval = ["eval", "--samples", "again.npy", "--reference", "points.csv", "--json"];
    let output = workshop.oplus(&eval).output().unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reference = datasets::read_matrix(workshop.path("points.csv")).unwrap();
    let mut rng = datasets::stream(0, "sliced-directions", 0);
    let options = DistanceOptions::default();
    let expected = distances(again.view(), reference.view(), None, None, &options, &mut rng).unwrap();
    // Through text on both sides: serde_json reads a number back to within its last digit.
    let expected: Value = serde_json::from_str(&serde_json::to_string(&expected).unwrap()).unwrap();
    assert_eq!(printed, expected);
    assert_eq!((&printed["n"], &printed["m"], &printed["dim"]), (&30.into(), &40.into(), &2.into()));
    for key in ["w1", "w2", "w2_squared", "transport_cost", "duality_gap"] {
        assert!(printed["exact"][key].is_f64(), "no {key}");
    }
}

#[test]
fn a_finished_run_is_left_alone_and_an_unmeasured_one_is_measured() {
    let workshop = Workshop::new();
    workshop.train("run", &[]);
    let before = workshop.snapshot();
    workshop.train("run", &["--resume"]);
    workshop.oplus(&["resume", "run"]).assert().success();
    assert!(before == workshop.snapshot(), "a finished run has changed");
    let measured = || {
        let mut results = json(&workshop, "run/results.json");
        let metrics = results["rows"][0]["metrics"].take();
        results["rows"][0]["metrics"] = without_clock(metrics);
        results.as_object_mut().unwrap().remove("definitions");
        results
    };
    let results = measured();
    let mut by_another_protocol = results.clone();
    by_another_protocol["protocol"]["pairs"] = 1.into();
    fs::write(workshop.path("run/results.json"), by_another_protocol.to_string()).unwrap();
    workshop.train("run", &["--resume"]);
    assert_eq!(measured(), results);
    fs::remove_file(workshop.path("run/results.json")).unwrap();
    fs::remove_file(workshop.path("run/report.html")).unwrap();
    workshop.oplus(&["resume", "run"]).assert().success();
    assert_eq!(measured(), results);
    fs::remove_file(workshop.path("run/report.html")).unwrap();
    workshop.oplus(&["report", "run"]).assert().success();
    assert!(workshop.path("run/report.html").is_file());
}

#[test]
fn a_divergence_is_a_result_without_numbers() {
    let workshop = Workshop::new();
    let diverging = [
        "train",
        "tiny.toml",
        "--preset",
        "smoke",
        "--out",
        "run",
        "--set",
        "training.critic_optimiser.learning_rate=1e30",
        "--set",
        "training.iterations=200",
    ];
    let output = workshop.oplus(&diverging).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("diverged at iteration"), "{message}");
    let row = json(&workshop, "run/results.json")["rows"][0].clone();
    assert_eq!(row["status"], "diverged");
    assert!(row["step"].is_u64() && row["reason"].is_string());
    assert_eq!(row["metrics"], serde_json::json!({}));
    assert!(row["samples"].is_null());
    assert!(fs::read_to_string(workshop.path("run/report.html")).unwrap().contains("diverged at iteration"));
}

#[test]
fn runs_side_by_side_say_what_differs() {
    let workshop = Workshop::new();
    workshop.train("half", &[]);
    workshop.train("quarter", &["--set", "flow.lambda=0.25"]);
    let compare = |arguments: &[&str]| {
        let output = workshop.oplus(&[&["compare"], arguments].concat()).output().unwrap();
        let words = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), words(output.stdout), words(output.stderr))
    };
    let (success, printed, said) = compare(&["half", "quarter"]);
    assert!(success && printed.contains("they differ in flow.lambda\ncompare.html"), "{printed}{said}");
    let page = fs::read_to_string(workshop.path("compare.html")).unwrap();
    let differing =
        page.split("All other keys have one value").nth(1).unwrap().split("</table>").next().unwrap();
    // One key: a head and a row, with the value of each run.
    assert_eq!(differing.matches("<tr>").count(), 2, "{differing}");
    assert!(differing.contains(">0.5<") && differing.contains(">0.25<"), "{differing}");
    assert!(page.contains("href=\"half/report.html\"") && page.contains("href=\"quarter/report.html\""));
    // Its own page is written again, a file of somebody's is not.
    assert!(compare(&["half", "quarter"]).0);
    for (arguments, words) in [
        (
            &["half", "quarter", "--out", "points.csv"][..],
            "points.csv exists and is no page of runs side by side",
        ),
        (&["half", "./half"][..], "./half stands there twice"),
        (&["half", "nothing"][..], "nothing holds no run"),
    ] {
        let (success, _, said) = compare(arguments);
        assert!(!success && said.contains(words), "{said}");
    }
}
