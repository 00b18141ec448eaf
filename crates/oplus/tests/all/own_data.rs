//! From a file of points to new ones: `init`, `train` and `sample --from` through the built program.

use crate::common::Workshop;
use serde_json::Value;
use std::fs;
use std::path::Path;

#[test]
fn init_looks_at_the_data_and_what_it_writes_trains() {
    let workshop = Workshop::new();
    let output = workshop.oplus(&["init", "points.csv"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(
        told.starts_with("40 points of 2 coordinates.\n") && told.contains("cargo xtask train points.toml"),
        "{told}"
    );
    let text = fs::read_to_string(workshop.path("points.toml")).unwrap();
    assert!(text.contains("name = \"points\"") && text.contains("file = \"points.csv\""), "{text}");
    let few = ["training.iterations=4", "training.log_every=2", "representation.hidden=[8]"];
    let mut arguments = vec!["train", "points.toml", "--preset", "quick", "--out", "run"];
    few.iter().for_each(|change| arguments.extend(["--set", change]));
    workshop.oplus(&arguments).assert().success();
}

/// Which rows are held out depends on the seed, and how many on a setting: no run is set against the rows of another.
#[test]
fn every_run_of_a_sweep_has_the_floor_of_its_own_rows() {
    let workshop = Workshop::new();
    let rows: String = (0..200).map(|i| format!("{},{}\n", i % 20, (i * i) % 31)).collect();
    fs::write(workshop.path("own.csv"), rows).unwrap();
    workshop.oplus(&["init", "own.csv"]).assert().success();
    let few = ["training.iterations=4", "training.log_every=2", "representation.hidden=[8]"];
    let swept = |grid: &str, out: &str| -> Value {
        let mut arguments = vec!["sweep", "own.toml", "--preset", "quick", "--seeds", "2", "--grid", grid];
        few.iter().for_each(|change| arguments.extend(["--set", change]));
        arguments.extend(["--out", out]);
        workshop.oplus(&arguments).assert().success();
        read(&workshop.path(out))
    };
    for (grid, common) in [("flow.lambda=0.5,2", true), ("data.held_out=0.25,0.5", false)] {
        let out = grid.split(&['.', '='][..]).nth(1).unwrap();
        let results = swept(grid, out);
        let floors: Vec<f64> = results["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let alone = read(&workshop.path(out).join(row["run"].as_str().unwrap()));
                assert!(row["verdict"].is_object() && row["verdict"] == alone["rows"][0]["verdict"]);
                alone["floors"][0]["metrics"]["w2_squared"].as_f64().unwrap()
            })
            .collect();
        assert!(floors[0] != floors[1], "{grid}: the seeds hold out other rows");
        // Seeds come first: two of one value of the grid, then two of the next.
        assert_eq!(floors[0] == floors[2], common, "{grid}");
        let of_all = results["floors"].as_array().unwrap();
        assert_eq!(of_all.len(), usize::from(common), "{grid}");
        if let [floor] = of_all.as_slice() {
            let mean = floor["metrics"]["w2_squared"].as_f64().unwrap();
            assert!((mean - 0.5 * (floors[0] + floors[1])).abs() < 1e-12 * mean, "{grid}");
        }
        let table = fs::read_to_string(workshop.path(out).join("table.md")).unwrap();
        assert!(table.contains("distances to rows that were held out"), "{table}");
    }
}

fn read(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("results.json")).unwrap()).unwrap()
}

#[test]
fn init_replaces_no_file_and_names_what_is_wrong_with_the_data() {
    let workshop = Workshop::new();
    fs::write(workshop.path("points.toml"), "mine").unwrap();
    fs::write(workshop.path("broken.csv"), "1,2\n3\n").unwrap();
    let before = workshop.snapshot();
    for (arguments, words) in [
        (&["init", "points.csv"][..], ["points.toml exists", "--out"]),
        (&["init", "points.csv", "--out", "tiny.toml"], ["tiny.toml exists", "--out"]),
        (&["init", "broken.csv"], ["broken.csv", "2"]),
        (&["init", "nowhere.npy"], ["nowhere.npy", "does not exist"]),
    ] {
        let output = workshop.oplus(arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        assert!(words.iter().all(|word| message.contains(word)), "{arguments:?}: {message}");
    }
    assert!(before == workshop.snapshot());
    workshop.oplus(&["init", "points.csv", "--out", "other.toml"]).assert().success();
    assert!(workshop.path("other.toml").is_file());
}

/// Numbers far from 1 and few columns in the test of the survey itself.
#[test]
fn init_refuses_the_points_that_no_training_takes() {
    let workshop = Workshop::new();
    fs::write(workshop.path("one.csv"), "1,2\n").unwrap();
    fs::write(workshop.path("same.csv"), "1,2\n".repeat(30)).unwrap();
    for file in ["one.csv", "same.csv"] {
        let said = |arguments: &[&str]| {
            let output = workshop.oplus(arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        let init = said(&["init", file, "--out", "new.toml"]);
        fs::write(
            workshop.path("own.toml"),
            format!("kind = \"flow\"\nname = \"own\"\ndata = {{ file = \"{file}\" }}\n"),
        )
        .unwrap();
        assert_eq!(said(&["train", "own.toml", "--out", file.trim_end_matches(".csv")]), init);
        assert!(!workshop.path("new.toml").exists());
    }
}

const FEW: [&str; 6] =
    ["--set", "training.iterations=4", "--set", "representation.hidden=[8]", "--set", "training.batch=8"];

/// People with a height, a weight and a word.
fn people(workshop: &Workshop) {
    let row =
        |i: u32| format!("{},{},{}\n", 170 + i * 7 % 23, 60 + i * 5 % 17, ["cat", "dog"][i as usize % 2]);
    let rows: String = (0..40).map(row).collect();
    fs::write(workshop.path("people.csv"), format!("height,weight,pet\n{rows}")).unwrap();
}

#[test]
fn a_flow_to_some_columns_of_a_file_can_be_asked_about_the_same_file() {
    let workshop = Workshop::new();
    people(&workshop);
    let columns = ["--columns", "height,weight"];
    let ok = |arguments: &[&str]| {
        let output = workshop.oplus(arguments).args(columns).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    ok(&["init", "people.csv"]);
    workshop.oplus(&[&["train", "people.toml", "--out", "run"][..], &FEW].concat()).assert().success();
    ok(&["sample", "run", "--from", "people.csv", "--out", "moved.npy"]);
    ok(&["transport", "run", "--points", "people.csv", "--out", "same.npy"]);
    ok(&["density", "run", "--points", "people.csv", "--out", "log.npy"]);
    let read = |name: &str| datasets::read_matrix(workshop.path(name)).unwrap();
    assert_eq!((read("moved.npy").dim(), read("log.npy").dim()), ((40, 2), (40, 1)));
    assert_eq!(read("moved.npy"), read("same.npy"));
    for (arguments, words) in [
        (&["density", "run", "--points", "people.csv", "--out", "a.npy"][..], "--columns"),
        (
            &["transport", "run", "--points", "people.csv", "--columns", "height", "--out", "a.npy"],
            "1 columns where 2",
        ),
        (&["sample", "run", "--n", "3", "--columns", "0,1", "--out", "a.npy"], "--from"),
    ] {
        let output = workshop.oplus(arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && message.contains(words), "{arguments:?}: {message}");
    }
}

/// The way of README: `init`, then a column of the file as the condition.
#[test]
fn what_init_writes_takes_a_condition_and_other_columns() {
    let workshop = Workshop::new();
    let rows: String = (0..40).map(|i| format!("{},{},{}\n", i * 7 % 23, i * 5 % 17, i % 3)).collect();
    fs::write(workshop.path("head.csv"), format!("height,weight,species\n{rows}")).unwrap();
    workshop.oplus(&["init", "head.csv"]).assert().success();
    let condition = "condition={ kind = \"label\", columns = \"species\" }";
    let train =
        |more: &[&str]| workshop.oplus(&[&["train", "head.toml"][..], &FEW, more].concat()).output().unwrap();
    assert!(train(&["--out", "labelled", "--set", condition]).status.success());
    assert!(train(&["--out", "two", "--columns", "height,weight"]).status.success());
    for more in [&["--set", condition][..], &["--columns", "height,weight"]] {
        let output = train(&[&["--out", "wrong", "--set", "data.dim=3"][..], more].concat());
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("data.dim is 3: leave it out, or set it to 2"), "{more:?}: {message}");
    }
    // A condition may begin below 0.
    let condition = "condition={ kind = \"vector\", columns = \"weight,species\" }";
    assert!(train(&["--out", "vector", "--set", condition]).status.success());
    let sample = ["sample", "vector", "--n", "3", "--condition", "-0.5,70", "--out", "three.npy"];
    workshop.oplus(&sample).assert().success();
}

#[test]
fn all_that_is_wrong_with_a_configuration_is_told_a_line_each() {
    let workshop = Workshop::new();
    fs::write(workshop.path("wrong.toml"), "kind = \"flow\"\n[flow]\nlambda = \"small\"\nhorizont = 1\n")
        .unwrap();
    let output = workshop.oplus(&["train", "wrong.toml"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = message.lines().collect();
    let expected = [
        "error: wrong.toml: 4 keys are wrong",
        "  name is missing: write name = \"mine\"",
        "  data is missing: write data = { kind = \"file\", file = \"points.npy\" }",
        "  flow.horizont is no key here: did you mean `horizon`?",
        "  flow.lambda is \"small\": give a finite number above 0, such as lambda = 0.1",
    ];
    assert_eq!((output.status.code(), lines), (Some(1), expected.to_vec()));
}

#[test]
fn sample_moves_the_points_that_it_is_given() {
    let workshop = Workshop::new();
    workshop.train("run", &[]);
    // The initial points of the run itself go the same way by either road.
    workshop.oplus(&["sample", "run", "--n", "5", "--seed", "3", "--out", "drawn.npy"]).assert().success();
    let model = train::Model::load(&workshop.path("run")).unwrap();
    let start = model.initial(5, 3).unwrap();
    datasets::write_npy_f64(workshop.path("start.npy"), &start).unwrap();
    workshop.oplus(&["sample", "run", "--from", "start.npy", "--out", "moved.npy"]).assert().success();
    let read = |name: &str| datasets::read_matrix(workshop.path(name)).unwrap();
    assert_eq!(read("moved.npy"), read("drawn.npy"));
    fs::write(workshop.path("wide.csv"), "1,2,3\n4,5,6\n").unwrap();
    for (arguments, code, words) in [
        (&["--from", "wide.csv"][..], 1, "wide.csv has 3 columns where 2"),
        (&["--from", "start.npy", "--n", "5"], 2, "cannot be used with"),
        (&[], 2, "<--n <N>|--from <FILE>|--conditions <FILE>>"),
    ] {
        let output = workshop.oplus(&["sample", "run", "--out", "a.npy"]).args(arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{message}");
        assert!(message.contains(words), "{message}");
    }
}
