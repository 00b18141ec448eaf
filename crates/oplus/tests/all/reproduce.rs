//! An experiment through the built program: what is done is kept, what is missing is done, a divergence is a row.

use crate::common::{Workshop, measured, without_clock};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Three rows of a second each.
const REPRODUCE: [&str; 8] =
    ["reproduce", "table1", "--preset", "smoke", "--rows", "published/pinwheel-2d-w", "--out", "table"];

fn json(workshop: &Workshop, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(workshop.path(name)).unwrap()).unwrap()
}

/// The rows without the seconds that their training took.
fn rows(workshop: &Workshop) -> Vec<Value> {
    let mut rows = json(workshop, "table/results.json")["rows"].as_array().unwrap().clone();
    for row in &mut rows {
        for clock in ["seconds", "reading_seconds"] {
            row.as_object_mut().unwrap().remove(clock).unwrap();
        }
        row["metrics"] = without_clock(row["metrics"].take());
    }
    rows
}

#[test]
fn every_number_in_the_repository_is_defined_in_the_catalogue() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("results.json") {
                files += 1;
                let names = measured(&serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap());
                let unknown: Vec<_> =
                    names.iter().filter(|name| metrics::definition(name).is_none()).collect();
                assert!(unknown.is_empty() && !names.is_empty(), "{}: {unknown:?}", path.display());
            }
        }
    }
    assert!(files > 0);
}

#[test]
fn the_help_names_every_experiment() {
    let output = Workshop::new().oplus(&["reproduce", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let entries = fs::read_dir(configs).unwrap().map(|entry| entry.unwrap());
    // A file beside the folders is a configuration of its own.
    for experiment in entries.filter(|entry| entry.path().is_dir()) {
        let name = experiment.file_name().into_string().unwrap();
        assert!(help.contains(&name), "no {name} in {help}");
    }
}

/// Every row has its cost, and its curve of distance over seconds ends in its number.
fn costs_are_told(workshop: &Workshop) {
    let results = json(workshop, "table/results.json");
    for row in results["rows"].as_array().unwrap() {
        let metrics = &row["metrics"];
        let of = |name: &str| metrics[name].as_f64().unwrap_or_else(|| panic!("no {name} in {metrics}"));
        assert_eq!(of("training_seconds"), row["seconds"].as_f64().unwrap());
        // Euler steps of a potential.
        assert_eq!(["one_step", "5_steps"].map(|steps| of(&format!("evaluations_{steps}"))), [1.0, 5.0]);
        assert!(of("ms_per_1000_5_steps") > 0.0 && of("peak_memory") > 1.0 && of("parameters") > 1e4);
        if let Some(seconds) = metrics["seconds_to_1.5_floor"].as_f64() {
            let floor = results["floors"][0]["metrics"]["w2_squared"].as_f64().unwrap();
            assert!(seconds <= of("training_seconds"));
            assert!(of("w2_squared") <= 1.5 * floor || seconds < of("training_seconds"));
        }
        let records = workshop.path(&format!("table/{}/metrics.jsonl", row["run"].as_str().unwrap()));
        assert!(fs::read_to_string(records).unwrap().contains("\"w2_squared\":"), "no reading on the way");
    }
    let table = fs::read_to_string(workshop.path("table/table.md")).unwrap();
    assert!(table.contains("cost of the training") && table.contains("| peak_memory |"), "{table}");
}

#[test]
fn an_experiment_is_resumed_and_keeps_its_divergences() {
    let workshop = Workshop::new();
    let resumed: [&str; 9] = [&REPRODUCE[..], &["--resume"]].concat().try_into().unwrap();
    workshop.oplus(&REPRODUCE).assert().success();
    let first = rows(&workshop);
    let methods: Vec<&str> = first.iter().map(|row| row["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["w1w2", "w1", "w2"]);
    assert!(first.iter().all(|row| row["metrics"]["w2_squared"].is_f64()));
    costs_are_told(&workshop);

    let before = workshop.snapshot();
    let refused = workshop.oplus(&REPRODUCE).output().unwrap();
    assert!(String::from_utf8(refused.stderr).unwrap().contains("--resume"));
    assert!(!refused.status.success() && before == workshop.snapshot(), "the folder was touched");

    // A run that is gone is made again, to the bit; the others stay as they are, and in the table.
    let kept = workshop.path("table/runs/published/pinwheel-2d-w1-s0/results.json");
    let written = fs::metadata(&kept).unwrap().modified().unwrap();
    fs::remove_dir_all(workshop.path("table/runs/published/pinwheel-2d-w1w2-s0")).unwrap();
    let one = resumed
        .map(|argument| if argument == REPRODUCE[5] { "published/pinwheel-2d-w1w2" } else { argument });
    let floors = || json(&workshop, "table/results.json")["floors"].clone();
    let of_first = floors();
    let output = workshop.oplus(&one).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !told.contains("measuring the floors"), "they are there: {told}");
    assert_eq!((rows(&workshop), floors()), (first.clone(), of_first));
    assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), written);

    // More seeds come to what there is, and stay there, the one between them done or not.
    let more =
        resumed.map(|argument| if argument == REPRODUCE[5] { "published/pinwheel-2d-w2" } else { argument });
    workshop.oplus(&[&more[..], &["--seeds", "2-2"]].concat()).assert().success();
    let with_more = rows(&workshop);
    assert_eq!((&with_more[..3], &with_more[3]["seed"]), (&first[..], &serde_json::json!(2)));

    // The smoke rows do not diverge: this is what one that did leaves.
    let run = "table/runs/published/pinwheel-2d-w2-s0/results.json";
    let mut diverged = json(&workshop, run);
    let row = diverged["rows"][0].as_object_mut().unwrap();
    row.insert("status".into(), "diverged".into());
    row.insert("step".into(), 7.into());
    row.insert("reason".into(), "a weight is NaN".into());
    row.insert("metrics".into(), serde_json::json!({}));
    fs::write(workshop.path(run), diverged.to_string()).unwrap();
    let output = workshop.oplus(&resumed).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let named = "1 of them diverged (published pinwheel-2d-w2 seed 0)";
    assert!(output.status.success() && told.contains(named), "{told}");
    assert_eq!(rows(&workshop)[2]["status"], "diverged");
    assert_eq!(rows(&workshop)[3], with_more[3]);
    let table = fs::read_to_string(workshop.path("table/table.md")).unwrap();
    assert!(table.lines().any(|line| line.contains("| w2 |") && line.contains("diverged")), "{table}");
    assert!(fs::read_to_string(workshop.path("table/report.html")).unwrap().contains("diverged"));
    // Its last finite state can still be looked at, and whoever does is told.
    let run = "table/runs/published/pinwheel-2d-w2-s0";
    let output = workshop.oplus(&["sample", run, "--n", "5", "--out", "few.npy"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && told.contains("diverged at iteration 7 (a weight is NaN)"), "{told}");
}
