//! What follows a training for Python: records, warnings, and Ctrl-C.

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList};
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use train::TrainError;
use train::observe::{Notice, Observer, Record};

/// Time between two looks at signals: short for whoever waits, long beside taking the interpreter's lock.
const BETWEEN: Duration = Duration::from_millis(50);

/// Keeps the records, hands them to a callback, and asks the training to end once Python has a signal.
pub(crate) struct Follower<'a> {
    callback: Option<&'a Py<PyAny>>,
    records: &'a Py<PyList>,
    interrupt: &'a AtomicBool,
    /// What Python has raised meanwhile, such as KeyboardInterrupt.
    raised: &'a mut Option<PyErr>,
    looked: Instant,
}

impl<'a> Follower<'a> {
    pub(crate) fn new(
        callback: Option<&'a Py<PyAny>>,
        records: &'a Py<PyList>,
        interrupt: &'a AtomicBool,
        raised: &'a mut Option<PyErr>,
    ) -> Self {
        Self { callback, records, interrupt, raised, looked: Instant::now() }
    }

    /// Remembers what Python has raised, and asks the training to end after this iteration.
    fn stop(&mut self, error: PyErr) {
        self.raised.get_or_insert(error);
        self.interrupt.store(true, Ordering::Relaxed);
    }

    fn tell(&self, py: Python<'_>, record: &Record) -> PyResult<bool> {
        let entry = entry(py, record)?;
        self.records.bind(py).append(&entry)?;
        let Some(callback) = self.callback else { return Ok(true) };
        let answer = callback.bind(py).call1((entry,))?;
        Ok(!answer.is(PyBool::new(py, false)))
    }
}

/// A record as a dict.
fn entry<'py>(py: Python<'py>, record: &Record) -> PyResult<Bound<'py, PyDict>> {
    let entry = PyDict::new(py);
    entry.set_item("step", record.step)?;
    entry.set_item("seconds", record.seconds)?;
    for (metric, value) in &record.values {
        entry.set_item(metric.name, value)?;
    }
    Ok(entry)
}

impl Observer for Follower<'_> {
    fn notice(&mut self, notice: &Notice) {
        // Where a run goes on is what its caller has asked for.
        if !matches!(notice, Notice::Warning(_) | Notice::Damaged { .. }) {
            return;
        }
        let Ok(sentence) = CString::new(notice.to_string()) else { return };
        let told = Python::attach(|py| PyErr::warn(py, &py.get_type::<PyUserWarning>(), &sentence, 1));
        // Where warnings are errors this is one.
        if let Err(error) = told {
            self.stop(error);
        }
    }

    fn record(&mut self, record: &Record) -> Result<(), TrainError> {
        match Python::attach(|py| self.tell(py, record)) {
            Ok(true) => {}
            Ok(false) => self.interrupt.store(true, Ordering::Relaxed),
            Err(error) => self.stop(error),
        }
        Ok(())
    }

    fn tick(&mut self, _step: u64) {
        if self.looked.elapsed() < BETWEEN {
            return;
        }
        if let Err(error) = Python::attach(|py| py.check_signals()) {
            self.stop(error);
        }
        self.looked = Instant::now();
    }
}
