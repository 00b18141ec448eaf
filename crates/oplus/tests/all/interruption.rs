//! Signals, second processes and readers that go away: nothing is lost, and the program says what it did.

use crate::common::Workshop;
use std::fs;
use std::io::Read;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use train::run::newest_checkpoint;

/// A training that would take hours, whose learning rates are constant, with few records.
const ENDLESS: [&str; 10] = [
    "train",
    "tiny.toml",
    "--out",
    "run",
    "--set",
    "training.iterations=1000000000",
    "--set",
    "training.log_every=50",
    // A quick machine would write one by itself meanwhile.
    "--set",
    "training.checkpoint_every=1000000000",
];

fn start(workshop: &Workshop, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oplus"));
    command.current_dir(workshop.path("")).args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until a file has some lines.
fn wait_for(workshop: &Workshop, name: &str, lines: usize) {
    let begun = Instant::now();
    while fs::read_to_string(workshop.path(name)).map_or(0, |text| text.lines().count()) < lines {
        assert!(begun.elapsed() < Duration::from_secs(60), "{name} has no {lines} lines");
        sleep(Duration::from_millis(5));
    }
}

fn words(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn iteration_of_the_newest_checkpoint(workshop: &Workshop) -> u64 {
    let path = newest_checkpoint(&workshop.path("run")).unwrap().unwrap();
    path.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

/// metrics.jsonl without its clocks.
fn records(workshop: &Workshop, run: &str) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(workshop.path(&format!("{run}/metrics.jsonl"))).unwrap();
    let record = |line: &str| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        for clock in ["seconds", "reading_seconds"] {
            record.as_object_mut().unwrap().remove(clock);
        }
        record
    };
    text.lines().map(record).collect()
}

#[test]
fn a_signal_ends_a_training_where_it_can_go_on_in_the_same_bits() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let workshop = Workshop::new();
        let child = start(&workshop, &ENDLESS);
        wait_for(&workshop, "run/metrics.jsonl", 3);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let message = words(&output);
        assert_eq!(output.status.code(), Some(code), "{message}");
        let done = iteration_of_the_newest_checkpoint(&workshop);
        assert!(message.contains(&format!("interrupted after iteration {done}")), "{message}");
        assert!(message.contains("cargo xtask resume run"), "{message}");
        assert!(!workshop.path("run/outcome.json").exists());

        // On to a few more iterations, against a run that was never interrupted.
        let more = format!("training.iterations={}", done + 60);
        let changes = [&ENDLESS[8..], &["--set", "training.log_every=50", "--set", &more]].concat();
        let arguments = [&["train", "tiny.toml", "--out", "run", "--resume"][..], &changes].concat();
        let output = start(&workshop, &arguments).wait_with_output().unwrap();
        let message = words(&output);
        assert!(output.status.success(), "{message}");
        assert!(message.contains(&format!("goes on at iteration {done} of {}", done + 60)), "{message}");
        start(&workshop, &[&["train", "tiny.toml", "--out", "whole"][..], &changes].concat()).wait().unwrap();
        assert_eq!(records(&workshop, "run"), records(&workshop, "whole"));
        let samples = |run: &str| fs::read(workshop.path(&format!("{run}/samples/generated.npy"))).unwrap();
        assert!(samples("run") == samples("whole"));
    }
}

#[test]
fn the_second_signal_ends_at_once() {
    let workshop = Workshop::new();
    // An iteration of many seconds.
    let child = start(&workshop, &[&ENDLESS[..], &["--set", "training.batch=3000000"]].concat());
    let begun = Instant::now();
    while !workshop.path("run/metrics.jsonl").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(5));
    }
    // The iteration begins now, if not yet.
    sleep(Duration::from_millis(300));
    signal(&child, "-INT");
    sleep(Duration::from_millis(300));
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let message = words(&output);
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(
        message.contains("once more ends at once") && !message.contains("interrupted after"),
        "{message}"
    );
    assert_eq!(newest_checkpoint(&workshop.path("run")).unwrap(), None);
}

#[test]
fn a_second_process_is_refused_while_the_first_works_and_not_after_it_was_killed() {
    let workshop = Workshop::new();
    let mut child = start(&workshop, &ENDLESS);
    wait_for(&workshop, "run/metrics.jsonl", 1);
    for arguments in [&["resume", "run"][..], &[&ENDLESS[..], &["--resume"]].concat()] {
        let output = workshop.oplus(arguments).output().unwrap();
        let message = words(&output);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.starts_with("error: run is in use by another process"), "{message}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let child = start(&workshop, &["resume", "run"]);
    // The file of the first process is there until the second has begun.
    wait_for(&workshop, "run/metrics.superseded.jsonl", 1);
    wait_for(&workshop, "run/metrics.jsonl", 2);
    signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", words(&output));
    // What the killed process had recorded beyond its last checkpoint, which it had none of.
    assert!(words(&output).contains("begins again at iteration 0"), "{}", words(&output));
    assert!(
        fs::read_to_string(workshop.path("run/metrics.superseded.jsonl")).unwrap().contains("\"step\":50")
    );
}

#[test]
fn an_experiment_that_is_told_to_end_tells_its_runs() {
    let workshop = Workshop::new();
    let rows = ["reproduce", "table1", "--rows", "published/pinwheel-2d-w1w2", "--out", "table"];
    let child = start(&workshop, &rows);
    let run = "table/runs/published/pinwheel-2d-w1w2-s0";
    wait_for(&workshop, &format!("{run}/metrics.jsonl"), 1);
    let second = workshop.oplus(&[&rows[..], &["--resume"]].concat()).output().unwrap();
    assert!(words(&second).contains("table is in use by another process"), "{}", words(&second));
    signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    let message = words(&output);
    assert_eq!(output.status.code(), Some(143), "{message}");
    assert!(message.contains(": interrupted in") && message.contains("--resume"), "{message}");
    // The run has ended before its experiment has, with its state.
    assert!(newest_checkpoint(&workshop.path(run)).unwrap().is_some());
    assert!(train::run::Lock::acquire(&workshop.path(run)).is_ok());
}

#[test]
fn the_run_of_an_experiment_that_is_killed_ends_too() {
    let workshop = Workshop::new();
    let rows = ["reproduce", "table1", "--rows", "published/pinwheel-2d-w1w2", "--out", "table"];
    let mut child = start(&workshop, &rows);
    let run = "table/runs/published/pinwheel-2d-w1w2-s0";
    wait_for(&workshop, &format!("{run}/metrics.jsonl"), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = Instant::now();
    while train::run::Lock::acquire(&workshop.path(run)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the run goes on without its experiment");
        sleep(Duration::from_millis(20));
    }
    assert!(newest_checkpoint(&workshop.path(run)).unwrap().is_some());
}

/// A pipe that nobody reads.
fn nobody() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

#[test]
fn answers_that_nobody_reads_end_quietly() {
    let workshop = Workshop::new();
    workshop.train("run", &[]);
    for arguments in [
        &["eval", "--samples", "points.csv", "--reference", "points.csv", "--json"][..],
        &["eval", "--samples", "points.csv", "--reference", "points.csv"],
        &["sample", "run", "--n", "3", "--out", "a.npy"],
        &["report", "run"],
        &["--help"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oplus"));
        command.current_dir(workshop.path("")).args(arguments).stdout(nobody());
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), words(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_training_that_nobody_listens_to_goes_on_to_its_end() {
    let workshop = Workshop::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_oplus"));
    command.current_dir(workshop.path("")).args(["train", "tiny.toml", "--preset", "smoke", "--out", "run"]);
    assert!(command.stdout(nobody()).stderr(nobody()).status().unwrap().success());
    assert!(workshop.path("run/results.json").is_file());
}

#[test]
fn a_log_shows_that_a_training_goes_on() {
    let workshop = Workshop::new();
    let mut child = start(&workshop, &ENDLESS);
    let begun = Instant::now();
    let mut log = Vec::new();
    let mut stderr = child.stderr.take().unwrap();
    while !log.contains(&b'\n') && begun.elapsed() < Duration::from_secs(20) {
        let mut piece = [0; 500];
        let count = stderr.read(&mut piece).unwrap();
        log.extend(&piece[..count]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let log = String::from_utf8(log).unwrap();
    assert!(
        log.starts_with("tiny: iteration ") && log.contains(" of 1000000000, ") && log.contains("left"),
        "{log}"
    );
}
