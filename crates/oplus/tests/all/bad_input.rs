//! Bad input through the built program: one sentence with the remedy, an exit code that says so, nothing overwritten.

use crate::common::Workshop;
use std::fs;

/// Runs the program, which must fail with `code`, change no file, and say one line with all of `words`.
fn refused(workshop: &Workshop, arguments: &[&str], code: i32, words: &[&str]) {
    let before = workshop.snapshot();
    let output = workshop.oplus(arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert!(message.starts_with("error: "), "{arguments:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments:?}: no {word:?} in {message}");
    }
    if code == 1 {
        assert_eq!(message.trim_end().lines().count(), 1, "{arguments:?}: {message}");
    }
    assert!(before == workshop.snapshot(), "{arguments:?} has changed files");
}

fn training_is_refused(changes: &[&str], words: &[&str]) {
    let workshop = Workshop::new();
    let mut arguments = vec!["train", "tiny.toml", "--out", "run"];
    arguments.extend(changes);
    refused(&workshop, &arguments, 1, words);
}

#[test]
fn settings() {
    training_is_refused(&["--set", "flow.lamda=1.0"], &["lamda", "did you mean `lambda`?"]);
    training_is_refused(&["--set", "flow.lambda=\"much\""], &["flow.lambda is \"much\"", "above 0"]);
    training_is_refused(&["--set", "flow.lambda=0"], &["flow.lambda is 0", "above 0"]);
    training_is_refused(&["--set", "flow.lambda=-1.0"], &["flow.lambda is -1", "above 0"]);
    training_is_refused(&["--preset", "smok"], &["no preset `smok`", "smoke"]);
    training_is_refused(
        &["--set", "data={ kind = \"target\", target = \"pinweel\", dim = 2 }"],
        &["pinweel", "did you mean `pinwheel`?"],
    );
}

#[test]
fn data_files() {
    for (name, contents, words) in [
        ("nan.csv", "1,2\n3,nan\n", &["nan.csv", "line 2", "NaN"][..]),
        ("wide.csv", "1,2,3\n4,5,6\n", &["wide.csv", "3 columns where 2"]),
        ("empty.csv", "", &["empty.csv is empty"]),
        ("short.npy", "\u{1}", &["short.npy", "not a valid npy"]),
        ("points.txt", "1 2\n", &["points.txt", ".npy nor .csv"]),
    ] {
        let workshop = Workshop::new();
        fs::write(workshop.path(name), contents).unwrap();
        refused(&workshop, &["train", "tiny.toml", "--out", "run", "--data", name], 1, words);
    }
    training_is_refused(&["--data", "nowhere.npy"], &["nowhere.npy does not exist"]);
}

#[test]
fn a_configuration_that_is_not_there_or_not_toml() {
    let workshop = Workshop::new();
    refused(&workshop, &["train", "nothing.toml"], 1, &["nothing.toml", "check the path"]);
    fs::write(workshop.path("broken.toml"), "name = \n").unwrap();
    refused(&workshop, &["train", "broken.toml"], 1, &["broken.toml", "line 1"]);
    fs::write(workshop.path("points.npy"), [0x93, b'N']).unwrap();
    for points in ["points.csv", "points.npy"] {
        refused(
            &workshop,
            &["train", points],
            1,
            &[&format!("(a configuration for points is written by `cargo xtask init {points}`)")],
        );
    }
}

#[test]
fn devices() {
    // Either there is no CUDA on this machine, or there are not so many devices.
    training_is_refused(&["--device", "cuda:99"], &["cuda:99", "not available"]);
    let workshop = Workshop::new();
    refused(
        &workshop,
        &["train", "tiny.toml", "--device", "gpu"],
        2,
        &["gpu", "write cpu, libtorch, or cuda:0"],
    );
}

#[test]
fn folders_that_are_in_use() {
    let workshop = Workshop::new();
    workshop.train("run", &[]);
    let occupied = ["run holds another run", "--out", "--resume"];
    refused(&workshop, &["train", "tiny.toml", "--out", "run"], 1, &occupied);
    refused(
        &workshop,
        &["train", "tiny.toml", "--preset", "smoke", "--out", "run", "--resume", "--set", "flow.lambda=0.25"],
        1,
        &["another configuration", "--out"],
    );
    let used = ["run is not empty", "--out", "--resume"];
    refused(&workshop, &["reproduce", "table1", "--preset", "smoke", "--out", "run"], 1, &used);
    refused(&workshop, &["sample", "run", "--n", "3", "--out", "points.csv"], 1, &["points.csv exists"]);
}

#[test]
fn folders_without_a_run() {
    let workshop = Workshop::new();
    for arguments in [&["resume", "."][..], &["sample", ".", "--n", "3", "--out", "a.npy"], &["report", "."]]
    {
        refused(&workshop, arguments, 1, &[]);
    }
}

#[test]
fn folders_that_are_not_there() {
    let workshop = Workshop::new();
    refused(&workshop, &["report", "nowhere"], 1, &["there is no folder nowhere: give that of a run"]);
}

#[test]
fn numbers_of_the_command_line() {
    let workshop = Workshop::new();
    let sample = |option: &'static str, value: &'static str| {
        ["sample", "run", "--n", "3", "--out", "a.npy", option, value].map(str::to_owned)
    };
    for (option, value, words) in [
        ("--steps", "0", "give a whole number, at least 1"),
        ("--condition", "cat", "give the label of a class as a number"),
    ] {
        let arguments = sample(option, value);
        refused(&workshop, &arguments.each_ref().map(String::as_str), 2, &[value, words]);
    }
    for arguments in
        [&["sample", "run", "--out", "a.npy", "--n", "0"][..], &["sweep", "tiny.toml", "--jobs", "0"]]
    {
        refused(&workshop, arguments, 2, &["give a whole number, at least 1"]);
    }
}

/// A file of a command that fails does not stand in the way of its next attempt.
#[test]
fn names_of_two_files_are_checked_before_either_is_written() {
    let workshop = Workshop::new();
    let density = |out: &'static str, reached: &'static str| {
        ["density", "nowhere", "--points", "points.csv", "--out", out, "--reached", reached]
    };
    refused(&workshop, &density("folder/a.npy", "r.npy"), 1, &["folder/a.npy", "is no folder", "--out"]);
    refused(&workshop, &density("a.npy", "folder/r.npy"), 1, &["folder/r.npy", "is no folder", "--reached"]);
    refused(&workshop, &density("a.npy", "a.npy"), 1, &["both --out and --reached"]);
}

#[test]
fn names() {
    let workshop = Workshop::new();
    refused(&workshop, &["reproduce", "tabel1"], 1, &["no experiment `tabel1`", "did you mean `table1`?"]);
    let arguments = ["reproduce", "table1", "--rows", "13d"];
    refused(&workshop, &arguments, 1, &["no row of table1 contains `13d`", "tuned/pinwheel-12d-w1w2"]);
    refused(&workshop, &["trian"], 2, &["trian", "train"]);
}

#[test]
fn clouds_that_cannot_be_compared() {
    let workshop = Workshop::new();
    fs::write(workshop.path("wide.csv"), "1,2,3\n4,5,6\n").unwrap();
    fs::write(workshop.path("weights.csv"), "1\n2\n").unwrap();
    let against = |more: &[&'static str]| {
        let mut arguments = vec!["eval", "--samples", "points.csv", "--reference", "wide.csv"];
        arguments.extend(more);
        arguments
    };
    refused(&workshop, &against(&[]), 1, &["points.csv", "wide.csv", "2", "3"]);
    refused(&workshop, &against(&["--coords", "0..5"]), 1, &["0..5", "2 columns"]);
    refused(&workshop, &against(&["--coords", "2..2"]), 2, &["0..2"]);
    refused(&workshop, &against(&["--measures", "w1,w3"]), 2, &["`w3` is no distance", "sliced_w2"]);
    refused(&workshop, &against(&["--blur", "0"]), 2, &["0.05", "5%"]);
    refused(&workshop, &against(&["--coords", "0..2", "--weights-a", "weights.csv"]), 1, &["2", "40"]);
}

const UNDER_A_LABEL: &str = r#"
kind = "flow"
name = "halves"
data = { kind = "target", target = "moons", dim = 2, samples = 500 }
condition = { kind = "label" }
flow = { lambda = 0.1 }
representation = { kind = "explicit", hidden = [8] }
training = { iterations = 5, batch = 32, optimiser = { learning_rate = 1e-3 } }
"#;

#[test]
fn conditions_that_are_missing_or_unknown() {
    let workshop = Workshop::new();
    fs::write(workshop.path("halves.toml"), UNDER_A_LABEL).unwrap();
    fs::write(workshop.path("three.csv"), "0\n1\n0\n").unwrap();
    assert!(workshop.oplus(&["train", "halves.toml", "--out", "halves"]).output().unwrap().status.success());
    let sample = |more: &[&str]| {
        let mut arguments = vec!["sample", "halves", "--out", "samples.npy"];
        arguments.extend(more);
        arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>()
    };
    for (more, words) in [
        (&["--n", "4"][..], &["conditional flow", "--condition", "0, 1"][..]),
        (&["--n", "4", "--condition", "7"], &["7", "0, 1"]),
        (&["--n", "4", "--condition", "0,1"], &["condition"]),
        (&["--n", "4", "--conditions", "three.csv"], &["3", "4"]),
        (&["--conditions", "nowhere.csv"], &["nowhere.csv"]),
    ] {
        let arguments = sample(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        refused(&workshop, &arguments, 1, words);
    }
    workshop.train("plain", &[]);
    refused(
        &workshop,
        &["sample", "plain", "--n", "4", "--condition", "1", "--out", "samples.npy"],
        1,
        &["without a condition"],
    );
    // One sample for each row of the file.
    let arguments = sample(&["--conditions", "three.csv"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert!(workshop.oplus(&arguments).output().unwrap().status.success());
    assert_eq!(datasets::read_matrix(workshop.path("samples.npy")).unwrap().dim(), (3, 2));
}
