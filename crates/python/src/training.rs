//! `oplus.train`.

use crate::array::points;
use crate::error::Result;
use crate::flow::Flow;
use crate::observer::Follower;
use crate::settings;
use ::train::outcome::{Outcome, Status};
use ::train::run::{FORMAT, Trained};
use ::train::training::Training;
use ::train::{Config, Configuration, Model, Run, TrainError};
use ndarray::Array2;
use numpy::IntoPyArray;
use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::ffi::CString;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// What a run is given beside its configuration.
struct Given {
    data: Option<Array2<f64>>,
    initial: Option<Array2<f64>>,
    out: Option<PathBuf>,
    resume: bool,
    data_sets: Option<PathBuf>,
}

/// Trains a flow or a generator, as the command line does with the same configuration, to the bit.
///
/// Ctrl-C ends the training after the iteration at hand and raises KeyboardInterrupt; with `out` its state is kept, and
/// `resume=True` goes on from there as if nothing had happened.
///
/// Parameters
/// ----------
/// config : dict, or path of a TOML file
///     The keys of docs/configuration.md; of a dict `kind` is "flow" and `name` "python" where they are left out.
/// data : array [n, d], optional
///     Points to train on, whatever the configuration names as data. A tenth of the rows is held out.
/// initial : array [n, d], optional
///     Points to begin with, whatever the configuration names as `initial`.
/// callback : callable, optional
///     Called with each record, a dict with `step`, `seconds` and the metrics by name; the training ends early if it
///     returns False, and what it raises is raised.
/// out : path, optional
///     The run folder: configuration, records, checkpoints. Without one the run is in memory.
/// resume : bool
///     Whether to go on with the run that `out` holds, if it holds one.
/// changes : dict, optional
///     Settings to change, by dotted keys: {"flow.lambda": 0.1}.
/// preset : str, optional
///     A preset of the configuration.
/// data_sets : path, optional
///     The folder of the data sets of others, for configurations that name one.
///
/// Returns
/// -------
/// Flow
///     With `outcome`, `records` and `held_out`. A training that diverges warns, and its flow is the last finite one.
#[pyfunction]
#[pyo3(signature = (
    config, data=None, *, initial=None, callback=None, out=None, resume=false, changes=None, preset=None, data_sets=None
))]
#[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn train<'py>(
    py: Python<'py>,
    config: &Bound<'py, PyAny>,
    data: Option<&Bound<'py, PyAny>>,
    initial: Option<&Bound<'py, PyAny>>,
    callback: Option<Py<PyAny>>,
    out: Option<PathBuf>,
    resume: bool,
    changes: Option<&Bound<'py, PyDict>>,
    preset: Option<&str>,
    data_sets: Option<PathBuf>,
) -> Result<Flow> {
    let config = settings::config(config, data.is_some(), preset, changes)?;
    let owned = |name: &str, object: Option<&Bound<'py, PyAny>>| -> Result<Option<Array2<f64>>> {
        object.map(|object| Ok(points(name, object)?.as_array().to_owned())).transpose()
    };
    let given =
        Given { data: owned("data", data)?, initial: owned("initial", initial)?, out, resume, data_sets };
    let records = PyList::empty(py).unbind();
    let (model, outcome, held_out) = match config {
        Config::Flow(config) => {
            let trained = run(py, *config, given, callback.as_ref(), &records)?;
            (Model::Flow(Box::new(trained.model)), trained.outcome, trained.held_out)
        }
        Config::Generator(config) => {
            let trained = run(py, *config, given, callback.as_ref(), &records)?;
            (Model::Generator(Box::new(trained.model)), trained.outcome, trained.held_out)
        }
        Config::Critic(config) => {
            let trained = run(py, *config, given, callback.as_ref(), &records)?;
            (Model::Critic(Box::new(trained.model)), trained.outcome, trained.held_out)
        }
    };
    if let Status::Diverged { .. } = outcome.status
        && let Ok(sentence) = CString::new(format!("{}: the flow is its last finite state", outcome.status))
    {
        PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &sentence, 1)?;
    }
    let held_out = held_out.map(|rows| rows.into_pyarray(py).unbind());
    Ok(Flow::new(model, Some(told(py, &outcome)?), Some(records), held_out))
}

/// Trains without the interpreter's lock.
fn run<C>(
    py: Python<'_>,
    config: C,
    given: Given,
    callback: Option<&Py<PyAny>>,
    records: &Py<PyList>,
) -> Result<Trained<<C::Training as Training>::Model>>
where
    C: Configuration + Send,
    <C::Training as Training>::Model: Send,
{
    let (interrupt, mut raised) = (AtomicBool::new(false), None);
    let trained = py.detach(|| -> std::result::Result<_, TrainError> {
        let follower = Follower::new(callback, records, &interrupt, &mut raised);
        let mut run = Run::new(config).interrupt(&interrupt).observer(follower).resume(given.resume);
        if let Some(data) = given.data {
            run = run.data(data);
        }
        if let Some(initial) = given.initial {
            run = run.initial(initial);
        }
        if let Some(folder) = given.data_sets {
            run = run.data_sets(folder);
        }
        if let Some(out) = given.out {
            run = run.out(out).provenance(facts());
        }
        run.train()
    })?;
    match raised {
        Some(error) => Err(error.into()),
        None => Ok(trained),
    }
}

/// What the manifest of a run folder says beside its data files.
fn facts() -> serde_json::Map<String, serde_json::Value> {
    let platform = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    [
        ("schema_version", FORMAT.into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("device", "cpu".into()),
        ("platform", platform.into()),
        ("program", "oplus for Python".into()),
    ]
    .map(|(key, value): (&str, serde_json::Value)| (key.to_owned(), value))
    .into_iter()
    .collect()
}

/// How a training ended, as a dict.
fn told(py: Python<'_>, outcome: &Outcome) -> PyResult<Py<PyDict>> {
    let status = match outcome.status {
        Status::Completed => "completed",
        Status::Stopped(_) => "stopped",
        Status::Interrupted => "interrupted",
        Status::Diverged { .. } => "diverged",
    };
    let told = PyDict::new(py);
    told.set_item("status", status)?;
    told.set_item("reason", outcome.status.to_string())?;
    told.set_item("iterations", outcome.iterations)?;
    told.set_item("seconds", outcome.seconds)?;
    Ok(told.unbind())
}
