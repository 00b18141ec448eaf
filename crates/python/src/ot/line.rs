//! Transport on lines: in one dimension, and over random directions.

use crate::array::{Weights, axes, points, vector};
use crate::error::{Error, Result};
use datasets::stream;
use ndarray::ArrayView1;
use numpy::{IntoPyArray, PyArray1};
use ot_core::Measure;
use ot_core::exact::one_dimensional::transport_cost;
use ot_core::sliced::{max_sliced_wasserstein, sliced_wasserstein};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

/// The exact transport cost on the line, min_P Σ P_ij |x_i − y_j|^p: W_p to the power p, without a root, as POT has it.
///
/// Parameters
/// ----------
/// x, y : arrays [n] and [m], or [n, k] and [m, k]
///     Samples of the line; k columns are k problems.
/// a, b : arrays [n] and [m], optional
///     Weights, divided by their sums, the same for all columns; equal ones if None.
/// p : float
///     At least 1.
///
/// Returns
/// -------
/// float, or array [k]
#[pyfunction]
#[pyo3(signature = (x, y, a=None, b=None, p=1.0))]
pub(crate) fn wasserstein_1d<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    a: Option<&Bound<'py, PyAny>>,
    b: Option<&Bound<'py, PyAny>>,
    p: f64,
) -> Result<Bound<'py, PyAny>> {
    let (a, b) = (Weights::new("a", a)?, Weights::new("b", b)?);
    let one = |x: ArrayView1<'_, f64>, y: ArrayView1<'_, f64>| -> Result<f64> {
        Ok(transport_cost(&x.to_vec(), &y.to_vec(), a.get(), b.get(), p)?)
    };
    if axes(x)? < 2 {
        let (x, y) = (vector("x", x)?, vector("y", y)?);
        let (x, y) = (x.as_array(), y.as_array());
        return Ok(py.detach(|| one(x, y))?.into_bound_py_any(py)?);
    }
    let (x, y) = (points("x", x)?, points("y", y)?);
    let (x, y) = (x.as_array(), y.as_array());
    if x.ncols() != y.ncols() {
        let counts = format!("x has {} columns and y {}", x.ncols(), y.ncols());
        return Err(Error::Input(format!("{counts}: pass as many problems on both sides")));
    }
    let costs = py.detach(|| -> Result<Vec<f64>> {
        x.columns().into_iter().zip(y.columns()).map(|(x, y)| one(x, y)).collect()
    })?;
    let costs: Bound<'py, PyArray1<f64>> = costs.into_pyarray(py);
    Ok(costs.into_any())
}

/// A sliced Wasserstein distance, estimated from random directions.
#[pyclass(frozen, get_all, module = "oplus.ot")]
#[derive(Debug)]
pub(crate) struct Sliced {
    /// SW_p = (mean of W_p^p over the directions)^(1/p), in the unit of the points.
    value: f64,
    /// Monte-Carlo standard error of `value`.
    standard_error: f64,
    /// The number of directions.
    n_projections: usize,
}

#[pymethods]
impl Sliced {
    fn __repr__(&self) -> String {
        format!("Sliced(value={}, standard_error={:.1e})", self.value, self.standard_error)
    }
}

/// The largest one-dimensional distance over directions, and its direction.
#[pyclass(frozen, get_all, module = "oplus.ot")]
#[derive(Debug)]
pub(crate) struct LargestSlice {
    /// The largest W_p that was found, in the unit of the points.
    value: f64,
    /// Its direction, a unit vector, [d].
    direction: Py<PyArray1<f64>>,
}

/// The sliced Wasserstein distance SW_p = (E_θ W_p^p(θ·x, θ·y))^(1/p) over random directions θ.
///
/// Parameters
/// ----------
/// x, y : arrays [n, d] and [m, d]
/// a, b : arrays [n] and [m], optional
///     Weights, divided by their sums; equal ones if None.
/// p : float
///     At least 1.
/// n_projections : int
///     The number of directions.
/// seed : int
///     The same seed gives the same directions.
///
/// Returns
/// -------
/// Sliced
///     With `value` and its `standard_error`.
#[pyfunction]
#[pyo3(signature = (x, y, a=None, b=None, *, p=2.0, n_projections=500, seed=0))]
#[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn sliced<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    a: Option<&Bound<'py, PyAny>>,
    b: Option<&Bound<'py, PyAny>>,
    p: f64,
    n_projections: usize,
    seed: u64,
) -> Result<Sliced> {
    let (a, b) = (Weights::new("a", a)?, Weights::new("b", b)?);
    let (x, y) = (points("x", x)?, points("y", y)?);
    let (x, y) = (x.as_array(), y.as_array());
    py.detach(|| {
        let (source, target) = (Measure::named("source", x, a.get())?, Measure::named("target", y, b.get())?);
        let mut rng = stream(seed, "python sliced", 0);
        let found = sliced_wasserstein(&source, &target, p, n_projections, &mut rng)?;
        Ok(Sliced {
            value: found.value,
            standard_error: found.standard_error,
            n_projections: found.directions,
        })
    })
}

/// The largest W_p(θ·x, θ·y) over directions θ, searched from random ones: a lower bound of max-sliced W_p.
///
/// Parameters
/// ----------
/// x, y, a, b, p, seed : as in `sliced`
/// n_projections : int
///     The number of random directions that the search begins with.
///
/// Returns
/// -------
/// LargestSlice
///     With `value` and its `direction`.
#[pyfunction]
#[pyo3(signature = (x, y, a=None, b=None, *, p=2.0, n_projections=500, seed=0))]
#[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn max_sliced<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    a: Option<&Bound<'py, PyAny>>,
    b: Option<&Bound<'py, PyAny>>,
    p: f64,
    n_projections: usize,
    seed: u64,
) -> Result<LargestSlice> {
    let (a, b) = (Weights::new("a", a)?, Weights::new("b", b)?);
    let (x, y) = (points("x", x)?, points("y", y)?);
    let (x, y) = (x.as_array(), y.as_array());
    let found = py.detach(|| -> Result<_> {
        let (source, target) = (Measure::named("source", x, a.get())?, Measure::named("target", y, b.get())?);
        let mut rng = stream(seed, "python sliced", 0);
        Ok(max_sliced_wasserstein(&source, &target, p, n_projections, &mut rng)?)
    })?;
    Ok(LargestSlice { value: found.value, direction: found.direction.into_pyarray(py).unbind() })
}
