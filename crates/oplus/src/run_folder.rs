//! The files that the program adds to a run folder, and those of an experiment: their names, and how they are read.

use crate::kinds::data_sets;
use anyhow::{Context, Result};
use datasets::write_whole;
use eval::results::{Results, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;
use train::Model;
use train::outcome::Outcome;
use train::run::OUTCOME_FILE;

/// Name of the results in the folder of a run or of an experiment.
pub(crate) const RESULTS_FILE: &str = "results.json";
/// Name of the report in the folder of a run or of an experiment.
pub(crate) const REPORT_FILE: &str = "report.html";
/// Name of the picture of a flow's paths in the folder of a run.
pub(crate) const PATHS_PICTURE: &str = "paths.svg";

/// The results in the folder of a run or of an experiment.
pub(crate) fn results(folder: &Path) -> Result<Results> {
    read_json(&folder.join(RESULTS_FILE))
}

/// The results of the training that a run folder holds; none before it is measured: one that goes on for longer has those of
/// its shorter self until then.
pub(crate) fn results_of_training(folder: &Path) -> Result<Option<Results>> {
    if [RESULTS_FILE, OUTCOME_FILE].iter().any(|name| !folder.join(name).is_file()) {
        return Ok(None);
    }
    let results = results(folder)?;
    let outcome: Outcome = read_json(&folder.join(OUTCOME_FILE))?;
    Ok(results.rows.iter().all(|row| row.iterations == outcome.iterations).then_some(results))
}

/// The model that a run holds; says so where the run has diverged.
pub(crate) fn model(run: &Path) -> Result<Model> {
    let model = Model::load_with(run, &data_sets())?;
    let row = results(run).ok().and_then(|results| results.rows.into_iter().next());
    if let Some(Status::Diverged { step, reason }) = row.map(|row| row.status) {
        say::note!(
            "warning: {} diverged at iteration {step} ({reason}): what it holds is no flow to the data",
            run.display()
        );
    }
    Ok(model)
}

/// Writes a value as JSON, whole or not at all.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    Ok(write_whole(path, |file| writeln!(file, "{text}"))?)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| {
        format!("{} cannot be read: let the run finish with `oplus resume`", path.display())
    })?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not what this version writes: delete it and resume", path.display()))
}
