//! A run that is interrupted, at any iteration and in any loop, goes on in its folder as if nothing had happened; its
//! records are never lost, whatever is in their file.

use crate::common::{FLOW, GENERATORS, changes, generator};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use train::checkpoint::Stored;
use train::config::Config;
use train::observe::{JsonLines, Notice, Observer};
use train::outcome::Status;
use train::run::{METRICS_FILE, OUTCOME_FILE, ended, newest_checkpoint};
use train::source::Inputs;
use train::{Configuration, FlowConfig, GeneratorConfig, Run, TrainError};

const SHORT: [&str; 2] = ["training.iterations=12", "training.log_every=4"];

fn flow() -> FlowConfig {
    FlowConfig::parse(FLOW, "small", None, &changes(&SHORT)).unwrap()
}

/// Sets a flag after an iteration, and keeps what it is told.
struct Stop<'a> {
    after: u64,
    flag: &'a AtomicBool,
    notices: Vec<Notice>,
    saved: usize,
}

impl<'a> Stop<'a> {
    fn new(after: u64, flag: &'a AtomicBool) -> Self {
        Self { after, flag, notices: Vec::new(), saved: 0 }
    }
}

impl Observer for Stop<'_> {
    fn notice(&mut self, notice: &Notice) {
        self.notices.push(notice.clone());
    }

    fn tick(&mut self, step: u64) {
        self.flag.store(step >= self.after, Ordering::Relaxed);
    }

    fn checkpoint(&mut self, _path: &Path) -> Result<(), TrainError> {
        self.saved += 1;
        Ok(())
    }
}

/// Records without their clocks, and the last state without its own.
fn ends_in(run: &Path) -> (Vec<serde_json::Value>, Vec<(String, Vec<u8>)>) {
    let text = fs::read_to_string(run.join(METRICS_FILE)).unwrap();
    let record = |line: &str| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        for clock in ["seconds", "reading_seconds"] {
            record.as_object_mut().unwrap().remove(clock);
        }
        record
    };
    let bytes = fs::read(newest_checkpoint(run).unwrap().unwrap()).unwrap();
    let arrays = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let state = arrays.iter().filter(|(name, _)| *name != "seconds");
    let mut state: Vec<_> = state.map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect();
    state.sort();
    (text.lines().map(record).collect(), state)
}

fn interrupted_at_every_iteration<C: Configuration>(config: &C) {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    Run::new(config.clone()).out(&whole).train().unwrap();
    for after in 1..config.training().iterations {
        let out = folder.path().join(after.to_string());
        let flag = AtomicBool::new(false);
        let mut stop = Stop::new(after, &flag);
        let run = Run::new(config.clone()).out(&out).interrupt(&flag).observer(&mut stop);
        let outcome = run.train().unwrap().outcome;
        assert_eq!((outcome.status, outcome.iterations), (Status::Interrupted, after));
        assert!(!out.join(OUTCOME_FILE).exists());
        assert_eq!(ended(config, &Inputs::default(), &out).unwrap(), None);
        let mut goes_on = Stop::new(u64::MAX, &flag);
        let run = Run::new(config.clone()).out(&out).resume(true).observer(&mut goes_on);
        let outcome = run.train().unwrap().outcome;
        assert_eq!(outcome.status, Status::Completed);
        assert_eq!(goes_on.notices, [Notice::Resumed { iteration: after, iterations: 12 }]);
        assert_eq!(ends_in(&out), ends_in(&whole), "after {after}");
        let ended = ended(config, &Inputs::default(), &out).unwrap().unwrap();
        assert_eq!((ended.status, ended.iterations), (outcome.status, 12));
    }
}

#[test]
fn a_flow_goes_on_after_any_iteration() {
    interrupted_at_every_iteration(&flow());
}

#[test]
fn a_generator_goes_on_after_any_iteration() {
    let (_, judge, change) = GENERATORS[1];
    let changes = changes(SHORT.iter().chain(change));
    interrupted_at_every_iteration(
        &GeneratorConfig::parse(&generator(judge), "ring", None, &changes).unwrap(),
    );
}

#[test]
fn the_time_between_checkpoints_changes_nothing_but_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let (often, rarely) = (folder.path().join("often"), folder.path().join("rarely"));
    let flag = AtomicBool::new(false);
    for (out, time, saved) in [(&often, Duration::ZERO, 12), (&rarely, Duration::from_secs(3600), 2)] {
        let mut count = Stop::new(u64::MAX, &flag);
        Run::new(flow()).out(out).save_after(time).observer(&mut count).train().unwrap();
        // After iteration 10, as the configuration has it, and at the end.
        assert_eq!(count.saved, saved);
    }
    assert_eq!(ends_in(&often), ends_in(&rarely));
}

#[test]
fn temporary_files_of_a_killed_process_are_swept_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    Run::new(flow()).out(&out).train().unwrap();
    let stale = [out.join(".aBc123.partial"), out.join("checkpoints/.dEf456.partial")];
    stale.iter().for_each(|path| fs::write(path, "half").unwrap());
    let mine = out.join("checkpoints/notes.partial");
    fs::write(&mine, "mine").unwrap();
    Run::new(flow()).out(&out).resume(true).train().unwrap();
    assert!(stale.iter().all(|path| !path.exists()) && mine.exists());
}

#[test]
fn later_records_are_set_aside_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(METRICS_FILE);
    let lines = ["{\"step\":4,\"a\":1}", "{\"step\":8}", "no record", "{\"step\":12}", "{\"step\":1"];
    fs::write(&path, lines.join("\n")).unwrap();
    let first = JsonLines::open(&path, 8).unwrap();
    assert_eq!(first.set_aside(), 3);
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":4,\"a\":1}\n{\"step\":8}\n");
    let aside = JsonLines::superseded(&path);
    assert_eq!(aside, folder.path().join("metrics.superseded.jsonl"));
    assert_eq!(fs::read_to_string(&aside).unwrap(), "no record\n{\"step\":12}\n{\"step\":1\n");
    // Again, and the first ones stay; a last record without its newline is one.
    fs::write(&path, "{\"step\":4}\n{\"step\":8}").unwrap();
    assert_eq!(JsonLines::open(&path, 4).unwrap().set_aside(), 1);
    assert!(fs::read_to_string(&aside).unwrap().ends_with("{\"step\":1\n{\"step\":8}\n"));
    fs::write(&path, "{\"step\":4}").unwrap();
    assert_eq!(JsonLines::open(&path, 4).unwrap().set_aside(), 0);
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":4}\n");
}

proptest! {
    /// `PROPTEST_CASES` makes more of them.
    #[test]
    fn no_file_of_records_is_lost_or_makes_the_reader_panic(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"{}\":,step0123\n"[..])], 0..200),
        keep in 0_u64..20,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(METRICS_FILE);
        fs::write(&path, &bytes).unwrap();
        JsonLines::open(&path, keep).unwrap();
        let lines = |bytes: Vec<u8>| {
            let mut lines: Vec<Vec<u8>> =
                bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
            lines.sort();
            lines
        };
        let aside = fs::read(JsonLines::superseded(&path)).unwrap_or_default();
        prop_assert_eq!(lines(bytes), lines([fs::read(&path).unwrap(), aside].concat()));
    }

    #[test]
    fn no_configuration_makes_the_reader_panic(text in "\\PC{0,80}", key in "[a-z_.]{1,30}", value in "\\PC{0,30}") {
        prop_assert!(Config::parse(&text, "fuzz", None, &[]).is_err());
        // Changes of one that is right.
        let _ = Config::parse(FLOW, "fuzz", Some("smoke"), &[format!("{key}={value}")]);
        let _ = Config::parse(FLOW, "fuzz", None, &[format!("training.{key}={value}"), format!("data={value}")]);
        let _ = Config::parse(&format!("{FLOW}\n{text}"), "fuzz", None, &[]);
    }

    /// Bytes that are exchanged in a file that is right: another word, an unknown key, a number out of its domain.
    #[test]
    fn no_changed_configuration_makes_the_reader_panic(place in 0..FLOW.len(), with in any::<char>(), cut in 0..FLOW.len()) {
        let changed: String = FLOW.chars().enumerate().map(|(i, c)| if i == place { with } else { c }).collect();
        let _ = Config::parse(&changed, "fuzz", None, &[]);
        let _ = Config::parse(&FLOW[..cut], "fuzz", None, &[]);
    }
}

/// The file of a checkpoint is what [`Stored`] reads, and nothing but its own bytes.
#[test]
fn a_checkpoint_of_a_folder_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    Run::new(flow()).out(folder.path().join("run")).train().unwrap();
    let path = newest_checkpoint(&folder.path().join("run")).unwrap().unwrap();
    assert_eq!(Stored::open(&path).unwrap().counter("iteration").unwrap(), 12);
    fs::write(&path, [&fs::read(&path).unwrap()[..], b"\n"].concat()).unwrap();
    assert!(matches!(Stored::open(&path), Err(TrainError::Damaged { .. })));
}
