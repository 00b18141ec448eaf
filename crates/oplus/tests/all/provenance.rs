//! A run folder is enough, wherever it is; what it was made from is checked when it is gone on with.

use crate::common::Workshop;
use serde_json::Value;
use std::fs;

/// Runs the program; its exit code and what it says.
fn said(workshop: &Workshop, arguments: &[&str]) -> (Option<i32>, String) {
    let output = workshop.oplus(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), text)
}

fn samples(workshop: &Workshop, run: &str) -> Vec<u8> {
    fs::read(workshop.path(&format!("{run}/samples/generated.npy"))).unwrap()
}

fn notes(workshop: &Workshop, run: &str) -> Value {
    let text = fs::read_to_string(workshop.path(&format!("{run}/results.json"))).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["rows"][0]["notes"].clone()
}

const SMOKE: [&str; 6] = ["train", "tiny.toml", "--preset", "smoke", "--out", "run"];

fn again(changes: &[&'static str]) -> Vec<&'static str> {
    [&SMOKE[..], &["--resume"], changes].concat()
}

#[test]
fn other_data_are_refused_by_the_name_of_their_file() {
    let workshop = Workshop::new();
    workshop.train("run", &[]);
    let original = fs::read(workshop.path("points.csv")).unwrap();
    let manifest = fs::read(workshop.path("run/manifest.json")).unwrap();
    fs::write(workshop.path("points.csv"), "x,y\n1,2\n3,4\n").unwrap();
    for unfinished in [false, true] {
        if unfinished {
            fs::remove_file(workshop.path("run/outcome.json")).unwrap();
        }
        for arguments in [again(&[]), vec!["resume", "run"]] {
            let (code, text) = said(&workshop, &arguments);
            assert_eq!(code, Some(1), "{text}");
            assert!(text.contains("points.csv is not what run was begun with"), "{text}");
        }
    }
    assert_eq!(fs::read(workshop.path("run/manifest.json")).unwrap(), manifest);
    // The same data, elsewhere, are the same data.
    fs::write(workshop.path("moved.csv"), original).unwrap();
    let (code, text) = said(&workshop, &again(&["--data", "moved.csv"]));
    assert_eq!(code, Some(0), "{text}");
}

/// The Python package and programs of their own say less of themselves, and measure nothing.
#[test]
fn a_run_of_another_program_is_measured_and_reported() {
    let workshop = Workshop::new();
    workshop.train("run", &[]);
    let path = workshop.path("run/manifest.json");
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let said_by_python = ["schema_version", "version", "device", "platform", "data_sha256"];
    manifest.as_object_mut().unwrap().retain(|key, _| said_by_python.contains(&key.as_str()));
    fs::write(&path, manifest.to_string()).unwrap();
    for file in ["results.json", "report.html"] {
        fs::remove_file(workshop.path("run").join(file)).unwrap();
    }
    for (arguments, file) in [(["report", "run"], "report.html"), (["resume", "run"], "results.json")] {
        let (code, text) = said(&workshop, &arguments);
        assert!(code == Some(0) && workshop.path("run").join(file).is_file(), "{text}");
    }
    let results = fs::read_to_string(workshop.path("run/results.json")).unwrap();
    let results: Value = serde_json::from_str(&results).unwrap();
    assert!(results["floors"][0]["metrics"]["w2_squared"].is_f64(), "{results}");
}

#[test]
fn a_finished_run_says_so_and_does_nothing() {
    let workshop = Workshop::new();
    workshop.train("run", &[]);
    let before = workshop.snapshot();
    for arguments in [again(&[]), vec!["resume", "run"]] {
        let (code, text) = said(&workshop, &arguments);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("run is finished after 6 iterations (all iterations were done)"), "{text}");
    }
    assert!(before == workshop.snapshot());
}

#[test]
fn a_run_folder_needs_neither_its_data_nor_its_place() {
    let workshop = Workshop::new();
    workshop.train("run", &[]);
    let sample = |run: &str, out: &str| {
        workshop.oplus(&["sample", run, "--n", "30", "--out", out]).assert().success();
        fs::read(workshop.path(out)).unwrap()
    };
    let before = sample("run", "before.npy");
    fs::remove_file(workshop.path("points.csv")).unwrap();
    fs::create_dir(workshop.path("elsewhere")).unwrap();
    fs::rename(workshop.path("run"), workshop.path("elsewhere/moved")).unwrap();
    assert!(before == sample("elsewhere/moved", "after.npy"));
    fs::remove_file(workshop.path("elsewhere/moved/report.html")).unwrap();
    workshop.oplus(&["report", "elsewhere/moved"]).assert().success();
    assert!(workshop.path("elsewhere/moved/report.html").is_file());
    let (code, text) = said(&workshop, &["resume", "elsewhere/moved"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("elsewhere/moved is finished"), "{text}");
    let eval = ["eval", "--samples", "elsewhere/moved/samples/generated.npy", "--reference"];
    workshop.oplus(&[&eval[..], &["elsewhere/moved/samples/target.npy"]].concat()).assert().success();
}

#[test]
fn a_relative_file_is_the_one_beside_its_configuration() {
    let workshop = Workshop::new();
    fs::create_dir(workshop.path("own")).unwrap();
    for name in ["tiny.toml", "points.csv"] {
        fs::rename(workshop.path(name), workshop.path("own").join(name)).unwrap();
    }
    // Another file of that name where the program happens to run.
    fs::write(workshop.path("points.csv"), "1,2\n3,4\n5,6\n").unwrap();
    let smoke = ["train", "own/tiny.toml", "--preset", "smoke", "--out", "run"];
    workshop.oplus(&smoke).assert().success();
    let config = fs::read_to_string(workshop.path("run/config.toml")).unwrap();
    let beside = fs::canonicalize(workshop.path("own")).unwrap().join("points.csv");
    assert!(config.contains(&format!("file = {:?}", beside.display().to_string())), "{config}");
    // A file of the command line is one of the working folder.
    workshop
        .oplus(&["train", "own/tiny.toml", "--preset", "smoke", "--out", "b", "--data", "points.csv"])
        .assert()
        .success();
    assert!(samples(&workshop, "run") != samples(&workshop, "b"));
}

#[test]
fn a_configuration_that_was_edited_is_noticed() {
    let workshop = Workshop::new();
    workshop.train("run", &[]);
    let path = workshop.path("run/config.toml");
    let text = fs::read_to_string(&path).unwrap();
    for edited in
        [text.replace("lambda = 0.5", "lambda = 0.4"), text.clone() + "\n", text.replacen('#', "##", 1)]
    {
        assert_ne!(edited, text);
        fs::write(&path, edited).unwrap();
        for arguments in
            [again(&[]), vec!["resume", "run"], vec!["sample", "run", "--n", "3", "--out", "a.npy"]]
        {
            let (code, message) = said(&workshop, &arguments);
            assert_eq!(code, Some(1), "{arguments:?}: {message}");
            assert!(message.contains("config.toml is not as it was written"), "{message}");
        }
    }
    fs::write(&path, text).unwrap();
    workshop.oplus(&["sample", "run", "--n", "3", "--out", "a.npy"]).assert().success();
}

#[test]
fn a_run_can_be_made_longer_where_its_learning_rates_are_constant() {
    let workshop = Workshop::new();
    workshop.train("run", &["--set", "training.log_every=3"]);
    workshop.train("whole", &["--set", "training.log_every=3", "--set", "training.iterations=11"]);
    let longer = again(&["--set", "training.log_every=3", "--set", "training.iterations=11"]);
    let (code, text) = said(&workshop, &longer);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("the run goes on at iteration 6 of 11"), "{text}");
    assert!(samples(&workshop, "run") == samples(&workshop, "whole"));
    assert!(said(&workshop, &longer).1.contains("finished after 11 iterations"));
    let (code, text) = said(&workshop, &again(&["--set", "training.log_every=3"]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("run has done 11 iterations, more than 6"), "{text}");

    let cosine = "training.optimiser={ learning_rate = 1e-3, schedule = { kind = \"cosine\", end = 0.1 } }";
    workshop.train("cosine", &["--set", cosine]);
    let arguments =
        ["train", "tiny.toml", "--preset", "smoke", "--out", "cosine", "--resume", "--set", cosine];
    let before = workshop.snapshot();
    let (code, text) = said(&workshop, &[&arguments[..], &["--set", "training.iterations=11"]].concat());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("training.optimiser.schedule") && text.contains("in a new folder"), "{text}");
    assert!(before == workshop.snapshot());
}

#[test]
fn a_damaged_checkpoint_is_replaced_from_the_one_before_and_noted() {
    let workshop = Workshop::new();
    workshop.train("whole", &["--set", "training.checkpoint_every=2"]);
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 3] = [
        ("flipped", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }),
        ("cut", |bytes| bytes.truncate(100)),
        ("empty", Vec::clear),
    ];
    for (run, damage) in damages {
        workshop.train(run, &["--set", "training.checkpoint_every=2"]);
        assert_eq!(notes(&workshop, run), Value::Null);
        let path = workshop.path(&format!("{run}/checkpoints/000000006.safetensors"));
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let (code, text) = said(&workshop, &["sample", run, "--n", "3", "--out", "a.npy"]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("000000006.safetensors is damaged") && text.contains("resume"), "{text}");
        let (code, text) = said(&workshop, &["resume", run]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("a checkpoint is damaged") && text.contains("the one before"), "{text}");
        assert!(text.contains("goes on at iteration 4 of 6"), "{text}");
        assert!(notes(&workshop, run).to_string().contains("000000006.safetensors.damaged"));
        assert_eq!(fs::read(path.with_extension("safetensors.damaged")).unwrap(), bytes);
        assert!(samples(&workshop, run) == samples(&workshop, "whole"), "{run}");
    }
}

#[test]
fn seeds_have_64_bits() {
    let workshop = Workshop::new();
    let most = "18446744073709551615";
    workshop.train("run", &["--seed", most]);
    let results = fs::read_to_string(workshop.path("run/results.json")).unwrap();
    assert!(results.contains(&format!("\"seed\": {most}")), "{results}");
    workshop.train("run", &["--seed", most, "--resume"]);
    workshop.oplus(&["resume", "run"]).assert().success();
    workshop.oplus(&["sample", "run", "--n", "3", "--seed", most, "--out", "a.npy"]).assert().success();
    workshop.train("other", &["--seed", "18446744073709551614"]);
    assert!(samples(&workshop, "run") != samples(&workshop, "other"));
}

#[test]
fn an_error_of_the_system_is_told_once() {
    let workshop = Workshop::new();
    let (_, text) = said(&workshop, &["train", "nowhere.toml"]);
    assert_eq!(text.matches("No such file").count(), 1, "{text}");
}
