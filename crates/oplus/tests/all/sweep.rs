//! Sweeps through the built program: every point is a run, nothing done is done twice, and what is shown is what was
//! measured.

use crate::common::{Workshop, without_clock};
use eval::Summary;
use eval::summary::significant;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

const GRID: [&str; 6] = ["sweep", "tiny.toml", "--preset", "smoke", "--grid", "flow.lambda=0.5,2"];
const SECOND: [&str; 2] = ["--grid", "critic.bound=1,3"];

fn results(workshop: &Workshop, out: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(workshop.path(out).join("results.json")).unwrap()).unwrap()
}

/// The rows without what depends on the machine.
fn rows(workshop: &Workshop, out: &str) -> Vec<Value> {
    let mut rows = results(workshop, out)["rows"].as_array().unwrap().clone();
    for row in &mut rows {
        for clock in ["seconds", "reading_seconds"] {
            row.as_object_mut().unwrap().remove(clock).unwrap();
        }
        row["metrics"] = without_clock(row["metrics"].take());
    }
    rows
}

/// When the results of the runs were written.
fn written(workshop: &Workshop, out: &str) -> Vec<(PathBuf, SystemTime)> {
    let mut folders = vec![workshop.path(out).join("runs")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let file = folder.join("results.json");
        if let Ok(data) = fs::metadata(&file) {
            found.push((file, data.modified().unwrap()));
        }
        let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        folders.extend(entries.filter(|path| path.is_dir()));
    }
    found.sort();
    found
}

#[test]
fn every_point_is_a_run_and_the_report_shows_what_the_results_hold() {
    let workshop = Workshop::new();
    let arguments = [&GRID[..], &SECOND, &["--seeds", "2", "--out", "out"]].concat();
    // What a process leaves that was killed as it began is in nobody's way.
    fs::create_dir(workshop.path("out")).unwrap();
    fs::write(workshop.path("out/.lock"), "").unwrap();
    let output = workshop.oplus(&arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{message}");
    assert!(message.starts_with("8 runs over flow.lambda × critic.bound (2 seeds)"), "{message}");
    assert!(message.contains("to train: 8 runs × about "), "{message}");
    let rows = rows(&workshop, "out");
    let places: Vec<Value> = rows.iter().map(|row| json!([row["settings"], row["seed"]])).collect();
    let mut expected = Vec::new();
    for lambda in [json!(0.5), json!(2)] {
        for bound in [1, 3] {
            for seed in [0, 1] {
                expected.push(json!([{ "flow.lambda": lambda, "critic.bound": bound }, seed]));
            }
        }
    }
    assert_eq!(places, expected);
    for row in &rows {
        assert_eq!((&row["method"], &row["dim"], &row["status"]), (&json!("tiny"), &json!(2), &json!("ok")));
        assert!(row["dataset"].is_string() && row["metrics"]["w2_squared"].is_f64());
        assert!(workshop.path("out").join(row["samples"].as_str().unwrap()).is_file());
    }
    // Points of N(0, 1) have to travel about a unit, and some deviations at most: R = 6 is enough, R = .5 is not.
    let beyond = |lambda: f64, bound: i64| {
        let here = |row: &&Value| {
            row["settings"]["flow.lambda"].as_f64() == Some(lambda)
                && row["settings"]["critic.bound"] == bound
        };
        rows.iter().find(here).unwrap()["metrics"]["beyond_reach"].as_f64().unwrap()
    };
    assert!(beyond(0.5, 3) == 0.0 && beyond(2.0, 1) > 0.2, "{} {}", beyond(0.5, 3), beyond(2.0, 1));

    let report = fs::read_to_string(workshop.path("out/report.html")).unwrap();
    for metric in ["w2_squared", "straightness"] {
        let caption = format!("<figcaption>{metric}, mean ± sd over the seeds; in a red frame");
        let map = report.split("<figure>").find(|figure| figure.contains(&caption)).unwrap();
        let texts: Vec<&str> = map.split("</text>").filter_map(|text| text.rsplit('>').next()).collect();
        let mut cells = Vec::new();
        for point in rows.chunks(2) {
            let values: Vec<f64> = point.iter().map(|row| row["metrics"][metric].as_f64().unwrap()).collect();
            let summary = Summary::of(&values).unwrap();
            cells.extend([significant(summary.mean), format!("± {}", significant(summary.sd.unwrap()))]);
        }
        assert!(texts.windows(8).any(|window| window == cells), "{metric}: {cells:?} in {texts:?}");
        let framed =
            rows.chunks(2).filter(|point| point[0]["metrics"]["beyond_reach"].as_f64().unwrap() > 0.05);
        assert_eq!(map.matches("stroke-dasharray").count(), framed.count(), "{metric}");
    }
    let table = fs::read_to_string(workshop.path("out/table.md")).unwrap();
    assert!(
        table.contains("| flow.lambda | critic.bound | status |") && table.contains("ok (2 seeds)"),
        "{table}"
    );

    // The report is written again from the folder, and more values keep what is done.
    fs::remove_file(workshop.path("out/report.html")).unwrap();
    workshop.oplus(&["report", "out"]).assert().success();
    assert_eq!(fs::read_to_string(workshop.path("out/report.html")).unwrap(), report);
    let before = written(&workshop, "out");
    let more = [&arguments[..4], &["--grid", "flow.lambda=0.5,2,4"], &SECOND, &["--out", "out", "--resume"]]
        .concat();
    workshop.oplus(&more).assert().success();
    // The other seed of the first points stays.
    let of = |row: &Value| json!([row["settings"]["flow.lambda"], row["seed"]]);
    let places: Vec<Value> = results(&workshop, "out")["rows"].as_array().unwrap().iter().map(of).collect();
    let (half, two, four) =
        ([json!([0.5, 0]), json!([0.5, 1])], [json!([2, 0]), json!([2, 1])], json!([4, 0]));
    assert_eq!(places, [&half[..], &half, &two, &two, &[four.clone(), four]].concat());
    let after = written(&workshop, "out");
    assert!(before.iter().all(|run| after.contains(run)) && after.len() == 10);
}

/// A training that goes on for longer is not done because its shorter self was, and what that said stays.
#[test]
fn a_sweep_that_is_made_longer_is_trained_and_measured_again() {
    let workshop = Workshop::new();
    let arguments = [&GRID[..], &["--out", "out"]].concat();
    workshop.oplus(&arguments).assert().success();
    let iterations = |row: &Value| row["iterations"].as_u64().unwrap();
    let (before, log) = (rows(&workshop, "out"), workshop.path("out/logs/flow.lambda=2/s0.log"));
    let said = fs::read_to_string(&log).unwrap();
    let longer = format!("training.iterations={}", iterations(&before[0]) + 3);
    let again = || {
        let output =
            workshop.oplus(&[&arguments[..], &["--resume", "--set", &longer]].concat()).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{message}");
        message
    };
    let message = again();
    assert!(message.contains("to train: 2 runs") && !message.contains("already"), "{message}");
    assert!(rows(&workshop, "out").iter().all(|row| iterations(row) == iterations(&before[0]) + 3));
    let all = fs::read_to_string(&log).unwrap();
    assert!(all.starts_with(&said) && all.len() > said.len(), "{all}");
    // What is done is not begun again.
    assert!(again().contains("all 2 runs are there already"));
    assert_eq!(fs::read_to_string(&log).unwrap(), all);
}

#[test]
fn a_sweep_that_is_killed_or_told_to_end_goes_on_where_it_was() {
    let workshop = Workshop::new();
    // Some tenths of a second each.
    let length =
        ["--set", "training.iterations=3000", "--set", "training.log_every=50", "--jobs", "1", "--out"];
    let values = ["sweep", "tiny.toml", "--grid", "flow.lambda=0.5,1,2"];
    workshop.oplus(&[&values[..], &length, &["whole"]].concat()).assert().success();
    for (signal, code) in [("KILL", None), ("TERM", Some(143))] {
        let arguments = [&values[..], &length, &[signal]].concat();
        let mut command = Command::new(env!("CARGO_BIN_EXE_oplus"));
        command.current_dir(workshop.path("")).args(&arguments).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let second = workshop.path(signal).join("runs/flow.lambda=1/s0/metrics.jsonl");
        let begun = Instant::now();
        while !second.exists() {
            assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
            sleep(Duration::from_millis(2));
        }
        let id = child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), code);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(code.is_none() || message.contains("go on with the same command and --resume"), "{message}");
        // The run at hand ends with its sweep.
        let begun = Instant::now();
        while train::run::Lock::acquire(second.parent().unwrap()).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30));
            sleep(Duration::from_millis(5));
        }
        let done = written(&workshop, signal);
        assert!(!done.is_empty() && !workshop.path(signal).join("results.json").exists());
        let output = workshop.oplus(&[&arguments[..], &["--resume"]].concat()).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{message}");
        assert!(message.contains(&format!("{} of 3 runs are there already", done.len())), "{message}");
        assert!(done.iter().all(|run| written(&workshop, signal).contains(run)), "a run was done again");
        assert_eq!(rows(&workshop, signal), rows(&workshop, "whole"));
    }
}

/// What `sbatch` does with an array, one task after the other: it takes the tasks that the script names, and runs it in
/// a folder that is not the user's.
const SBATCH: &str = "#!/bin/bash\n\
    last=$(sed -n 's/^#SBATCH --array=0-//p' \"$1\")\n\
    cd / && for task in $(seq 0 \"${last:?}\"); do SLURM_ARRAY_TASK_ID=$task bash \"$1\" || exit 1; done\n";

#[test]
fn an_array_of_slurm_makes_the_same_runs() {
    let workshop = Workshop::new();
    fs::write(workshop.path("sbatch"), SBATCH).unwrap();
    // A name that a shell would take apart.
    let out = "it's $HERE";
    let arguments = [&GRID[..], &["--grid", "flow.steps={ min = 1, max = 2 },2", "--out"]].concat();
    let output = workshop.oplus(&[&arguments[..], &[out, "--slurm"]].concat()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("4 tasks in "));
    assert!(written(&workshop, out).is_empty(), "a run was made");
    let script = workshop.path(out).join("array.sh");
    let submit = || Command::new("bash").arg(workshop.path("sbatch")).arg(&script).output().unwrap();
    let submitted = submit();
    assert!(submitted.status.success(), "{}", String::from_utf8_lossy(&submitted.stderr));
    let done = written(&workshop, out);
    assert_eq!(done.len(), 4);
    // Submitted again, it repeats nothing; nor does the command that gathers.
    assert!(submit().status.success());
    workshop.oplus(&[&arguments[..], &[out, "--resume"]].concat()).assert().success();
    assert_eq!(written(&workshop, out), done);
    workshop.oplus(&[&arguments[..], &["here"]].concat()).assert().success();
    assert_eq!(rows(&workshop, out), rows(&workshop, "here"));
    assert_eq!(rows(&workshop, out)[0]["settings"]["flow.steps"], "{ min = 1, max = 2 }");
}

#[test]
fn what_cannot_be_swept_is_one_sentence_before_anything_is_done() {
    let workshop = Workshop::new();
    let before = workshop.snapshot();
    for (arguments, words) in [
        (&["--grid", "flow.lamda=1"][..], &["flow.lamda=1 cannot be trained", "did you mean `lambda`?"][..]),
        (&["--grid", "flow.lambda=1,-2"], &["flow.lambda=-2 cannot be trained", "above 0"]),
        (&["--grid", "flow.lambda=1,1.0"], &["flow.lambda=1 and flow.lambda=1.0 are the same settings"]),
        (&["--grid", "flow.lambda="], &["lacks a key or a value"]),
        (&["--grid", "flow.lambda"], &["has no values"]),
        (&["--grid", "flow.lambda=1", "--grid", "flow.lambda=2"], &["say the same key twice"]),
        (&["--grid", "flow.lambda=1", "--set", "flow.lambda=2"], &["in --grid and in --set"]),
        (
            &["--grid", "critic={ divergence = 'w1' },{ divergence = 'kl' }", "--set", "critic.bound=2"],
            &["--set critic.bound would be lost"],
        ),
        (&["--grid", "flow.lambda=1,2", "--seeds", "60000"], &["120000 runs are too many"]),
        (&["--grid", "seed=1,2"], &["--seeds N"]),
        (&["--grid", "flow.lambda=1", "--preset", "smok"], &["no preset `smok`"]),
        (&["--grid", "data.file=nowhere.csv"], &["nowhere.csv does not exist"]),
    ] {
        let output =
            workshop.oplus(&[&["sweep", "tiny.toml", "--out", "out"], arguments].concat()).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        let error = message.lines().last().unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(error.starts_with("error: "), "{arguments:?}: {message}");
        assert!(words.iter().all(|word| error.contains(word)), "{arguments:?}: {error}");
        assert!(before == workshop.snapshot(), "{arguments:?} has changed files");
    }
    // Neither a folder of something else nor a file that is no script is replaced.
    fs::create_dir(workshop.path("out")).unwrap();
    fs::write(workshop.path("out/mine.txt"), "mine").unwrap();
    for arguments in [&["--out", "out", "--resume"][..], &["--out", "new", "--slurm", "points.csv"]] {
        let output = workshop.oplus(&[&GRID[..], arguments].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
    assert!(fs::read_to_string(workshop.path("points.csv")).unwrap().starts_with("x,y"));
    assert!(!workshop.path("out/runs").exists());
}
