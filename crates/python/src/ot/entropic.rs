//! Entropic transport and the Sinkhorn divergence.

use super::cost;
use crate::array::{Weights, points};
use crate::error::{Error, Result};
use ndarray::{Array1, Array2};
use numpy::{IntoPyArray, PyArray1, PyArray2};
use ot_core::Measure;
use ot_core::entropic::{self, SinkhornOptions, SinkhornPower};
use pyo3::prelude::*;

/// A debiased entropic transport cost: what `sinkhorn_divergence` returns.
#[pyclass(frozen, get_all, module = "oplus.ot")]
#[derive(Debug)]
pub(crate) struct SinkhornDivergence {
    /// S_ε = OT_ε(x, y) − ½OT_ε(x, x) − ½OT_ε(y, y).
    value: f64,
    /// ∂S_ε/∂x, [n, d]; None unless it was asked for.
    gradient: Option<Py<PyArray2<f64>>>,
    /// The regularisation ε, in units of cost.
    epsilon: f64,
    /// Updates of the potentials between x and y.
    iterations: usize,
    /// Largest marginal error of the three plans.
    marginal_error: f64,
    /// Whether marginals and value are good to the tolerance.
    converged: bool,
}

#[pymethods]
impl SinkhornDivergence {
    fn __repr__(&self) -> String {
        let converged = if self.converged { "True" } else { "False" };
        format!("SinkhornDivergence(value={}, epsilon={}, converged={converged})", self.value, self.epsilon)
    }
}

/// The debiased Sinkhorn divergence, in the convention of geomloss, with its gradient in x if it is asked for.
///
/// S_ε(x, y) = OT_ε(x, y) − ½OT_ε(x, x) − ½OT_ε(y, y) with OT_ε = min_P Σ P_ij c_ij + ε·KL(P‖a⊗b). For p = 2 the cost is
/// ½‖x − y‖² and ε = blur², so that S_ε is about half of `emd2`; for p = 1 it is ‖x − y‖ and ε = blur.
///
/// Parameters
/// ----------
/// x, y : arrays [n, d] and [m, d]
/// a, b : arrays [n] and [m], optional
///     Weights, divided by their sums; equal ones if None.
/// blur : float
///     In the unit of the points.
/// p : {1, 2}
/// gradient : bool
///     Whether to compute ∂S_ε/∂x, one more pass over the pairs.
/// tolerance : float
///     Largest marginal error ‖P1 − a‖₁, and error of the value relative to the value.
/// max_iterations : int
///
/// Returns
/// -------
/// SinkhornDivergence
///     With `value`, `gradient`, `converged` and `marginal_error`.
#[pyfunction]
#[pyo3(signature = (
    x, y, a=None, b=None, *, blur=0.05, p=2, gradient=false, tolerance=1e-4, max_iterations=5000
))]
#[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn sinkhorn_divergence<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    a: Option<&Bound<'py, PyAny>>,
    b: Option<&Bound<'py, PyAny>>,
    blur: f64,
    p: u8,
    gradient: bool,
    tolerance: f64,
    max_iterations: usize,
) -> Result<SinkhornDivergence> {
    let power = match p {
        1 => SinkhornPower::One,
        2 => SinkhornPower::Two,
        _ => return Err(Error::Input(format!("p is {p}: it is 1 or 2"))),
    };
    if !(blur > 0.0 && blur.is_finite()) {
        return Err(Error::Input(format!("blur = {blur} must be positive and finite")));
    }
    let (cost, epsilon, options) =
        (power.cost(), power.epsilon(blur), SinkhornOptions { tolerance, max_iterations });
    let (a, b) = (Weights::new("a", a)?, Weights::new("b", b)?);
    let (x, y) = (points("x", x)?, points("y", y)?);
    let (x, y) = (x.as_array(), y.as_array());
    let (found, gradient) = py.detach(|| -> Result<(_, Option<Array2<f64>>)> {
        let (source, target) = (Measure::named("source", x, a.get())?, Measure::named("target", y, b.get())?);
        Ok(if gradient {
            let (found, gradient) =
                entropic::sinkhorn_divergence_gradient(&source, &target, cost, epsilon, options)?;
            (found, Some(gradient))
        } else {
            (entropic::sinkhorn_divergence(&source, &target, cost, epsilon, options)?, None)
        })
    })?;
    Ok(SinkhornDivergence {
        value: found.value,
        gradient: gradient.map(|gradient| gradient.into_pyarray(py).unbind()),
        epsilon: found.epsilon,
        iterations: found.iterations,
        marginal_error: found.marginal_error,
        converged: found.converged,
    })
}

/// An entropic transport plan: what `sinkhorn` returns.
#[pyclass(frozen, module = "oplus.ot")]
#[derive(Debug)]
pub(crate) struct Entropic {
    /// OT_ε as the dual value Σ a_i f_i + Σ b_j g_j.
    #[pyo3(get)]
    value: f64,
    /// The plan P_ij = a_i b_j exp((f_i + g_j − c_ij)/ε), [n, m]; None unless it was asked for.
    #[pyo3(get)]
    plan: Option<Py<PyArray2<f64>>>,
    f: Py<PyArray1<f64>>,
    g: Py<PyArray1<f64>>,
    /// Where the plan takes each source on average, [n, d].
    #[pyo3(get)]
    barycentric_map: Py<PyArray2<f64>>,
    /// Updates of both potentials.
    #[pyo3(get)]
    iterations: usize,
    /// ‖P1 − a‖₁, measured after the last update.
    #[pyo3(get)]
    marginal_error: f64,
    /// Whether `marginal_error` is within the tolerance.
    #[pyo3(get)]
    converged: bool,
}

#[pymethods]
impl Entropic {
    /// The potentials (f, g), [n] and [m].
    #[getter]
    fn potentials(&self, py: Python<'_>) -> (Py<PyArray1<f64>>, Py<PyArray1<f64>>) {
        (self.f.clone_ref(py), self.g.clone_ref(py))
    }

    fn __repr__(&self) -> String {
        let converged = if self.converged { "True" } else { "False" };
        format!(
            "Entropic(value={}, marginal_error={:.1e}, converged={converged})",
            self.value, self.marginal_error
        )
    }
}

/// Entropic optimal transport, min_P Σ P_ij c(x_i, y_j) + ε·KL(P‖a⊗b), in the log domain.
///
/// Parameters
/// ----------
/// x, y : arrays [n, d] and [m, d]
/// epsilon : float
///     The regularisation, in units of cost.
/// a, b : arrays [n] and [m], optional
///     Weights, divided by their sums; equal ones if None.
/// cost : as in `emd`
/// plan : bool
///     Whether to make the plan, a matrix [n, m].
/// tolerance : float
///     Largest marginal error ‖P1 − a‖₁.
/// max_iterations : int
///
/// Returns
/// -------
/// Entropic
///     With `value`, `plan`, `potentials`, `barycentric_map`, `converged` and `marginal_error`.
#[pyfunction]
#[pyo3(signature = (
    x, y, epsilon, a=None, b=None, *, cost="sqeuclidean", plan=false, tolerance=1e-4, max_iterations=5000
))]
#[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub(crate) fn sinkhorn<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    epsilon: f64,
    a: Option<&Bound<'py, PyAny>>,
    b: Option<&Bound<'py, PyAny>>,
    cost: &str,
    plan: bool,
    tolerance: f64,
    max_iterations: usize,
) -> Result<Entropic> {
    let (cost, options) = (self::cost(cost)?, SinkhornOptions { tolerance, max_iterations });
    let (a, b) = (Weights::new("a", a)?, Weights::new("b", b)?);
    let (x, y) = (points("x", x)?, points("y", y)?);
    let (x, y) = (x.as_array(), y.as_array());
    let (found, dense, map) = py.detach(|| -> Result<_> {
        let (source, target) = (Measure::named("source", x, a.get())?, Measure::named("target", y, b.get())?);
        let found = entropic::sinkhorn(&source, &target, cost, epsilon, options)?;
        let mut dense = plan.then(|| Array2::zeros((x.nrows(), y.nrows())));
        for (source, mut row) in dense.iter_mut().flat_map(|dense| dense.rows_mut()).enumerate() {
            row.assign(&Array1::from(found.row(source).unwrap_or_default()));
        }
        let map = found.barycentric_map();
        Ok((found, dense, map))
    })?;
    Ok(Entropic {
        value: found.value,
        plan: dense.map(|dense| dense.into_pyarray(py).unbind()),
        f: found.potentials.f().to_vec().into_pyarray(py).unbind(),
        g: found.potentials.g().to_vec().into_pyarray(py).unbind(),
        barycentric_map: map.into_pyarray(py).unbind(),
        iterations: found.iterations,
        marginal_error: found.marginal_error,
        converged: found.converged,
    })
}
