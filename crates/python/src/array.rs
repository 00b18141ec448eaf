//! Arrays of the caller as views.
//!
//! An aligned numpy array of float64 is read where it lies, whatever its strides; other numbers (float32, integers,
//! lists, data frames) are converted once, by numpy.

use crate::error::{Error, Result};
use numpy::{PyArray, PyArrayMethods, PyReadonlyArray, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Numbers that are read where they lie while this lives, `D` the dimension of the array.
pub(crate) type Numbers<'py, D> = PyReadonlyArray<'py, f64, D>;

/// The points `name`, [n, d].
pub(crate) fn points<'py>(name: &str, object: &Bound<'py, PyAny>) -> Result<Numbers<'py, ndarray::Ix2>> {
    numbers(name, object, "pass one point a row, [n, d]; x[:, None] makes rows of numbers")
}

/// The numbers `name`, \[n\].
pub(crate) fn vector<'py>(name: &str, object: &Bound<'py, PyAny>) -> Result<Numbers<'py, ndarray::Ix1>> {
    numbers(name, object, "pass one number for each point, [n]")
}

/// A matrix `name`, [n, m].
pub(crate) fn matrix<'py>(name: &str, object: &Bound<'py, PyAny>) -> Result<Numbers<'py, ndarray::Ix2>> {
    numbers(name, object, "pass one row for each source and one column for each target, [n, m]")
}

/// The number of axes of what numpy makes of an object.
pub(crate) fn axes(object: &Bound<'_, PyAny>) -> Result<usize> {
    let numpy = object.py().import("numpy")?;
    Ok(numpy.call_method1("ndim", (object,))?.extract()?)
}

/// Weights, in one piece as the solvers take them.
pub(crate) struct Weights(Option<Vec<f64>>);

impl Weights {
    /// The weights `name`, \[n\]; nothing for `None`.
    pub(crate) fn new(name: &str, object: Option<&Bound<'_, PyAny>>) -> Result<Self> {
        let weights = object.map(|object| vector(name, object)).transpose()?;
        Ok(Self(weights.map(|weights| weights.as_array().to_vec())))
    }

    /// The numbers.
    pub(crate) fn get(&self) -> Option<&[f64]> {
        self.0.as_deref()
    }
}

fn numbers<'py, D: ndarray::Dimension>(
    name: &str,
    object: &Bound<'py, PyAny>,
    remedy: &str,
) -> Result<Numbers<'py, D>> {
    let numpy = object.py().import("numpy")?;
    let array = numpy.call_method1("asarray", (object,))?;
    let kind = array.getattr("dtype")?.getattr("kind")?;
    let kind: &Bound<'_, PyString> = kind.cast().map_err(PyErr::from)?;
    if !["f", "i", "u", "b"].contains(&kind.to_str()?) {
        let dtype = array.getattr("dtype")?;
        return Err(Error::Input(format!("{name} holds {dtype}: pass real numbers")));
    }
    let array = numpy.call_method1("require", (array, "float64", "A"))?;
    let untyped: &Bound<'_, PyUntypedArray> = array.cast().map_err(PyErr::from)?;
    if Some(untyped.ndim()) != D::NDIM {
        let shape: Vec<String> = untyped.shape().iter().map(ToString::to_string).collect();
        return Err(Error::Input(format!("{name} has the shape [{}]: {remedy}", shape.join(", "))));
    }
    let array = array.cast_into::<PyArray<f64, D>>().map_err(PyErr::from)?;
    array
        .try_readonly()
        .map_err(|_| Error::Input(format!("{name} is being written to: wait until it is done")))
}
