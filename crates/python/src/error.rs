//! Errors of the crates as the exceptions of `oplus.errors`, with the same sentences.

use ot_core::MeasureError;
use ot_core::dual::c_transform::TransformError;
use ot_core::entropic::EntropicError;
use ot_core::exact::ExactError;
use ot_core::exact::one_dimensional::LineError;
use ot_core::sliced::SlicedError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use train::TrainError;
use train::config::ConfigError;

/// What a function of the package raises.
#[derive(Debug)]
pub(crate) enum Error {
    /// Points, weights or settings that the function does not take: `InputError`, a `ValueError`.
    Input(String),
    /// A plan that is not proved optimal: `CertificateError`.
    Certificate(String),
    /// A run folder that cannot be used, or a training that cannot go on: `RunError`.
    Run(String),
    /// What this kind of flow does not have: `UnsupportedError`.
    Unsupported(String),
    /// What Python itself has raised.
    Python(PyErr),
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl From<PyErr> for Error {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let (class, sentence) = match error {
            Error::Input(sentence) => ("InputError", sentence),
            Error::Certificate(sentence) => ("CertificateError", sentence),
            Error::Run(sentence) => ("RunError", sentence),
            Error::Unsupported(sentence) => ("UnsupportedError", sentence),
            Error::Python(error) => return error,
        };
        Python::attach(|py| match exception(py, class) {
            Ok(class) => Self::from_type(class, sentence),
            Err(error) => error,
        })
    }
}

/// A class of `oplus.errors`.
fn exception<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
    Ok(py.import("oplus.errors")?.getattr(name)?.cast_into()?)
}

impl From<ExactError> for Error {
    fn from(error: ExactError) -> Self {
        match error {
            ExactError::NotCertified(_) | ExactError::IterationLimit { .. } => {
                Self::Certificate(error.to_string())
            }
            _ => Self::Input(error.to_string()),
        }
    }
}

impl From<TrainError> for Error {
    fn from(error: TrainError) -> Self {
        let sentence = error.to_string();
        match error {
            TrainError::Config(_) | TrainError::Flow(_) | TrainError::Read(_) | TrainError::Sample(_) => {
                Self::Input(sentence)
            }
            // What a callback has raised comes back as it is.
            TrainError::Observer(cause) => {
                cause.downcast::<PyErr>().map_or(Self::Run(sentence), |error| Self::Python(*error))
            }
            _ => Self::Run(sentence),
        }
    }
}

macro_rules! input_errors {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Error {
            fn from(error: $kind) -> Self {
                Self::Input(error.to_string())
            }
        }
    )*};
}

input_errors!(ConfigError, MeasureError, TransformError, EntropicError, LineError, SlicedError);
