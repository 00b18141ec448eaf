//! Kills, damages and full disks by the hundred, which takes a minute:
//!
//! ```sh
//! cargo test -p oplus --test all damage -- --ignored --nocapture
//! ```
#![allow(clippy::print_stderr, reason = "numbers for whoever has asked for them")]

use crate::common::Workshop;
use rand::RngExt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use train::TrainError;
use train::checkpoint::Stored;
use train::run::{damaged_checkpoints, newest_checkpoint};

const KILLS: usize = 200;
const FLIPS: usize = 100;
const CUTS: usize = 50;

/// Nearly all of the time is spent in checkpoints.
const SAVING: [&str; 6] = [
    "--set",
    "training.checkpoint_every=1",
    "--set",
    "training.log_every=7",
    "--set",
    "training.critic_updates=1",
];

fn oplus(workshop: &Workshop, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oplus"));
    command.current_dir(workshop.path("")).args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn train(workshop: &Workshop, run: &str, iterations: u64) -> Command {
    let iterations = format!("training.iterations={iterations}");
    let arguments =
        ["train", "tiny.toml", "--preset", "smoke", "--out", run, "--resume", "--set", &iterations];
    oplus(workshop, &[&arguments[..], &SAVING].concat())
}

fn newest(folder: &Path) -> Option<PathBuf> {
    newest_checkpoint(folder).unwrap()
}

fn iteration(path: &Path) -> u64 {
    path.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

/// Records without their clocks, and the last state without its own.
fn ends_in(run: &Path) -> (Vec<serde_json::Value>, Vec<(String, Vec<f32>)>) {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let record = |line: &str| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        for clock in ["seconds", "reading_seconds"] {
            record.as_object_mut().unwrap().remove(clock);
        }
        record
    };
    let stored = Stored::open(&newest(run).unwrap()).unwrap();
    let names = ["potential", "critic"].map(|player| {
        ["parameters", "average", "adam.first", "adam.second"].map(|part| format!("{player}.{part}"))
    });
    let state = names.into_iter().flatten().map(|name| (name.clone(), stored.floats(&name).unwrap()));
    (text.lines().map(record).collect(), state.collect())
}

fn partial_files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder.join("checkpoints")).unwrap();
    entries.filter(|entry| datasets::is_partial(&entry.as_ref().unwrap().path())).count()
}

#[test]
#[ignore = "a minute"]
fn a_process_that_is_killed_while_it_saves_leaves_a_whole_checkpoint() {
    let workshop = Workshop::new();
    let folder = workshop.path("run");
    let mut rng = datasets::stream(0, "kills", 0);
    let (mut halves, mut last) = (0, 0);
    for round in 0..KILLS {
        let mut child = train(&workshop, "run", 1_000_000_000).spawn().unwrap();
        let begun = Instant::now();
        while newest(&folder).map_or(0, |path| iteration(&path)) <= last {
            assert!(begun.elapsed() < Duration::from_secs(60), "round {round}: nothing is saved");
            sleep(Duration::from_micros(200));
        }
        sleep(Duration::from_micros(rng.random_range(0..20_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let path = newest(&folder).unwrap();
        Stored::open(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        halves += partial_files(&folder);
        last = iteration(&path);
    }
    assert!(damaged_checkpoints(&folder).unwrap().is_empty());
    assert!(train(&workshop, "run", last + 20).status().unwrap().success());
    assert_eq!(partial_files(&folder), 0);
    assert!(train(&workshop, "whole", last + 20).status().unwrap().success());
    assert!(ends_in(&folder) == ends_in(&workshop.path("whole")));
    eprintln!(
        "{KILLS} of {KILLS} kills left a whole checkpoint, {halves} of them in the middle of a write; after {last} \
               iterations the run ends in the bits of one that was never killed"
    );
}

#[test]
#[ignore = "a minute"]
fn every_flip_and_every_cut_of_a_checkpoint_is_noticed() {
    let workshop = Workshop::new();
    let folder = workshop.path("run");
    assert!(train(&workshop, "run", 6).status().unwrap().success());
    let (path, whole) = (newest(&folder).unwrap(), ends_in(&folder));
    let good = fs::read(&path).unwrap();
    let mut rng = datasets::stream(0, "damages", 0);
    for round in 0..FLIPS + CUTS {
        let mut bytes = good.clone();
        if round < FLIPS {
            let place = rng.random_range(0..bytes.len());
            bytes[place] ^= rng.random_range(1..=255_u8);
        } else {
            bytes.truncate(rng.random_range(0..bytes.len()));
        }
        fs::write(&path, bytes).unwrap();
        assert!(matches!(Stored::open(&path), Err(TrainError::Damaged { .. })), "round {round}");
        if round % 10 == 0 {
            let output = train(&workshop, "run", 6).stderr(Stdio::piped()).output().unwrap();
            let message = String::from_utf8(output.stderr).unwrap();
            assert!(
                output.status.success() && message.contains("a checkpoint is damaged"),
                "round {round}: {message}"
            );
            assert!(ends_in(&folder) == whole, "round {round}");
        }
    }
    eprintln!("{FLIPS} flipped bytes and {CUTS} cuts noticed; every tenth was resumed to the same bits");
}

/// A limit on the size of a file, which is met in the middle of a write as the end of a disk is.
#[test]
#[ignore = "a minute"]
fn a_disk_that_is_full_loses_nothing() {
    let workshop = Workshop::new();
    let folder = workshop.path("run");
    let mut rounds = 0;
    for blocks in 1..40 {
        let last = newest(&folder).map_or(0, |path| iteration(&path));
        // The signal of the limit is ignored, so that writes fail as they do without space.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let iterations = format!("training.iterations={}", last + 200);
        let mut command = Command::new("bash");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_oplus"), "train", "tiny.toml", "--preset", "smoke"]);
        command.args(["--out", "run", "--resume", "--set", &iterations]).args(SAVING);
        let output = command.current_dir(workshop.path("")).stdin(Stdio::null()).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        if output.status.success() {
            continue;
        }
        rounds += 1;
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("error: ") && message.contains("File too large"), "{message}");
        if let Some(path) = newest(&folder) {
            assert!(iteration(&path) >= last);
            Stored::open(&path).unwrap();
        }
    }
    assert!(rounds > 0);
    let last = newest(&folder).map_or(0, |path| iteration(&path)) + 20;
    assert!(train(&workshop, "run", last).status().unwrap().success());
    assert!(train(&workshop, "whole", last).status().unwrap().success());
    assert!(ends_in(&folder) == ends_in(&workshop.path("whole")));
    eprintln!(
        "{rounds} runs met a full disk and lost nothing: after {last} iterations the bits are the same"
    );
}
