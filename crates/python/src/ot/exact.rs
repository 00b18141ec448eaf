//! Exact transport with its certificate.

use super::cost;
use super::plan::Plan;
use crate::array::{Numbers, Weights, axes, matrix, points};
use crate::error::{Error, Result};
use ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use ot_core::Measure;
use ot_core::cost::{Euclidean, MatrixCost};
use ot_core::dual::c_transform::c_transform;
use ot_core::exact::{Certificate, Flow, solve, solve_pairs};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use rayon::prelude::*;

/// A certified optimal transport plan: what `emd` and `emd_matrix` return.
#[pyclass(frozen, module = "oplus.ot")]
#[derive(Debug)]
pub(crate) struct Transport {
    certificate: Certificate,
    /// The plan P, at most n + m − 1 entries.
    #[pyo3(get)]
    plan: Py<Plan>,
    f: Py<PyArray1<f64>>,
    g: Py<PyArray1<f64>>,
    map: Option<Py<PyArray2<f64>>>,
    /// Pivots of the network simplex; 0 on a line, where the plan is a closed form.
    #[pyo3(get)]
    iterations: usize,
    clouds: Option<Clouds>,
}

/// The points of both sides as they were when the problem was solved.
#[derive(Debug)]
struct Clouds {
    x: Array2<f64>,
    y: Array2<f64>,
    f: Vec<f64>,
    g: Vec<f64>,
    cost: &'static Euclidean,
}

/// What a solver has found, without Python.
struct Solved {
    coupling: Vec<Flow>,
    f: Vec<f64>,
    g: Vec<f64>,
    iterations: usize,
    certificate: Certificate,
}

impl Solved {
    fn transport(
        self,
        py: Python<'_>,
        map: Option<Array2<f64>>,
        clouds: Option<Clouds>,
    ) -> Result<Transport> {
        let Self { coupling, f, g, iterations, certificate } = self;
        let plan = Py::new(py, Plan::new(py, (f.len(), g.len()), &coupling))?;
        let (f, g) = (f.into_pyarray(py).unbind(), g.into_pyarray(py).unbind());
        let map = map.map(|map| map.into_pyarray(py).unbind());
        Ok(Transport { certificate, plan, f, g, map, iterations, clouds })
    }
}

#[pymethods]
impl Transport {
    /// The optimal cost Σ P_ij c_ij.
    #[getter]
    fn value(&self) -> f64 {
        self.certificate.primal
    }

    /// The dual value Σ a_i f_i + Σ b_j g_j.
    #[getter]
    fn dual(&self) -> f64 {
        self.certificate.dual
    }

    /// The duality gap, `value` − `dual`: 0 up to rounding.
    #[getter]
    fn gap(&self) -> f64 {
        self.certificate.gap()
    }

    /// Whether the plan is proved optimal: always, since a plan without its proof is a `CertificateError`.
    #[getter]
    fn certified(&self) -> bool {
        true
    }

    /// The verified conditions as a dict: `primal`, `dual`, `marginal_error` (in mass), `infeasibility` and `slackness`
    /// (in units of cost) and the `tolerance` of the last two.
    #[getter]
    fn certificate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Certificate { primal, dual, marginal_error, infeasibility, slackness, tolerance } =
            self.certificate;
        let conditions = PyDict::new(py);
        for (name, value) in [
            ("primal", primal),
            ("dual", dual),
            ("marginal_error", marginal_error),
            ("infeasibility", infeasibility),
            ("slackness", slackness),
            ("tolerance", tolerance),
        ] {
            conditions.set_item(name, value)?;
        }
        Ok(conditions)
    }

    /// The dual potentials (f, g), [n] and [m]: f_i + g_j ≤ c_ij, with equality where P_ij > 0.
    #[getter]
    fn potentials(&self, py: Python<'_>) -> (Py<PyArray1<f64>>, Py<PyArray1<f64>>) {
        (self.f.clone_ref(py), self.g.clone_ref(py))
    }

    /// Where the plan takes each source on average, T(x_i) = Σ_j P_ij y_j / Σ_j P_ij, [n, d]; None for a cost matrix,
    /// which has no points.
    #[getter]
    fn barycentric_map(&self, py: Python<'_>) -> Option<Py<PyArray2<f64>>> {
        self.map.as_ref().map(|map| map.clone_ref(py))
    }

    /// The potential f at other points, [k, d]: f(x) = min_j c(x, y_j) − g_j, [k].
    fn f_at<'py>(&self, py: Python<'py>, points: &Bound<'py, PyAny>) -> Result<Bound<'py, PyArray1<f64>>> {
        let clouds = self.clouds()?;
        transform(py, clouds, (&clouds.y, &clouds.g), points)
    }

    /// The potential g at other points, [k, d]: g(y) = min_i c(x_i, y) − f_i, [k].
    fn g_at<'py>(&self, py: Python<'py>, points: &Bound<'py, PyAny>) -> Result<Bound<'py, PyArray1<f64>>> {
        let clouds = self.clouds()?;
        transform(py, clouds, (&clouds.x, &clouds.f), points)
    }

    fn __repr__(&self) -> String {
        format!("Transport(value={}, gap={:.1e}, certified=True)", self.value(), self.gap())
    }
}

impl Transport {
    fn clouds(&self) -> Result<&Clouds> {
        let without =
            || Error::Input("a cost matrix has no points: potentials at others need emd(x, y)".into());
        self.clouds.as_ref().ok_or_else(without)
    }
}

/// The c-transform of a potential on `cloud` at the points `at`; Euclidean costs are symmetric.
fn transform<'py>(
    py: Python<'py>,
    clouds: &Clouds,
    (cloud, potential): (&Array2<f64>, &[f64]),
    at: &Bound<'py, PyAny>,
) -> Result<Bound<'py, PyArray1<f64>>> {
    let at = points("points", at)?;
    let at = at.as_array();
    let values = py.detach(|| c_transform(cloud.view(), potential, at, clouds.cost))?;
    Ok(values.into_pyarray(py))
}

/// Exact optimal transport between two weighted clouds, with a proof of optimality.
///
/// min_P Σ P_ij c(x_i, y_j) over P ≥ 0 with row sums a and column sums b.
///
/// Parameters
/// ----------
/// x : array [n, d]
///     The sources, one point a row.
/// y : array [m, d]
///     The targets.
/// a : array [n], optional
///     Weights of the sources, divided by their sum; equal ones if None.
/// b : array [m], optional
///     Weights of the targets.
/// cost : {"sqeuclidean", "euclidean", "half_sqeuclidean"}
///     ‖x − y‖², ‖x − y‖ or ½‖x − y‖².
///
/// Returns
/// -------
/// Transport
///     With `value`, `plan`, `potentials`, `gap`, `certified`, `certificate` and `barycentric_map`. No matrix of n·m
///     numbers is made.
///
/// Raises
/// ------
/// InputError
///     Points or weights that are no measure, or of different dimensions; a `ValueError`.
/// CertificateError
///     A plan that is not proved optimal.
#[pyfunction]
#[pyo3(signature = (x, y, a=None, b=None, cost="sqeuclidean"))]
pub(crate) fn emd<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    a: Option<&Bound<'py, PyAny>>,
    b: Option<&Bound<'py, PyAny>>,
    cost: &str,
) -> Result<Transport> {
    let cost = self::cost(cost)?;
    let (a, b) = (Weights::new("a", a)?, Weights::new("b", b)?);
    let (x, y) = (points("x", x)?, points("y", y)?);
    let (x, y) = (x.as_array(), y.as_array());
    let (solved, map, clouds) = py.detach(|| -> Result<_> {
        let (source, target) = (Measure::named("source", x, a.get())?, Measure::named("target", y, b.get())?);
        let found = solve(&source, &target, cost)?;
        let map = found.barycentric_map();
        let (f, g) = (found.potentials.f().to_vec(), found.potentials.g().to_vec());
        let clouds = Clouds { x: x.to_owned(), y: y.to_owned(), f: f.clone(), g: g.clone(), cost };
        let (iterations, certificate) = (found.iterations, found.certificate);
        Ok((Solved { coupling: found.coupling, f, g, iterations, certificate }, map, clouds))
    })?;
    solved.transport(py, Some(map), Some(clouds))
}

/// Exact optimal transport for a matrix of costs, with a proof of optimality.
///
/// Parameters
/// ----------
/// costs : array [n, m]
///     Any finite costs.
/// a, b : arrays [n] and [m], optional
///     Weights, divided by their sums; equal ones if None.
///
/// Returns
/// -------
/// Transport
///     As that of `emd`, without `barycentric_map`.
#[pyfunction]
#[pyo3(signature = (costs, a=None, b=None))]
pub(crate) fn emd_matrix<'py>(
    py: Python<'py>,
    costs: &Bound<'py, PyAny>,
    a: Option<&Bound<'py, PyAny>>,
    b: Option<&Bound<'py, PyAny>>,
) -> Result<Transport> {
    let (a, b) = (Weights::new("a", a)?, Weights::new("b", b)?);
    let costs = matrix("costs", costs)?;
    let costs = costs.as_array();
    let found = py.detach(|| solve_pairs(&MatrixCost(costs), a.get(), b.get()))?;
    let ot_core::exact::Plan { coupling, f, g, iterations, certificate } = found;
    Solved { coupling, f, g, iterations, certificate }.transport(py, None, None)
}

/// The exact optimal cost min_P Σ P_ij c(x_i, y_j): W₂² for the default cost, ‖x − y‖².
///
/// Parameters and exceptions are those of `emd`; the value is certified too.
///
/// Returns
/// -------
/// float
///     In units of the cost. Its square root is the Wasserstein-2 distance.
#[pyfunction]
#[pyo3(signature = (x, y, a=None, b=None, cost="sqeuclidean"))]
pub(crate) fn emd2<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    a: Option<&Bound<'py, PyAny>>,
    b: Option<&Bound<'py, PyAny>>,
    cost: &str,
) -> Result<f64> {
    let cost = self::cost(cost)?;
    let (a, b) = (Weights::new("a", a)?, Weights::new("b", b)?);
    let (x, y) = (points("x", x)?, points("y", y)?);
    let (x, y) = (x.as_array(), y.as_array());
    py.detach(|| {
        let (source, target) = (Measure::named("source", x, a.get())?, Measure::named("target", y, b.get())?);
        Ok(solve(&source, &target, cost)?.primal())
    })
}

/// The exact optimal costs of several problems, which are solved side by side on all threads.
///
/// Parameters
/// ----------
/// xs, ys : arrays [k, n, d] and [k, m, d], or sequences of k arrays [n_i, d] and [m_i, d]
///     The clouds of each problem; all points of a cloud have the same weight.
/// cost : as in `emd`
///
/// Returns
/// -------
/// array [k]
#[pyfunction]
#[pyo3(signature = (xs, ys, cost="sqeuclidean"))]
pub(crate) fn emd2_batch<'py>(
    py: Python<'py>,
    xs: &Bound<'py, PyAny>,
    ys: &Bound<'py, PyAny>,
    cost: &str,
) -> Result<Bound<'py, PyArray1<f64>>> {
    let cost = self::cost(cost)?;
    let (xs, ys) = (clouds("xs", xs)?, clouds("ys", ys)?);
    if xs.len() != ys.len() {
        return Err(Error::Input(format!(
            "xs has {} clouds and ys {}: pass one pair for each problem",
            xs.len(),
            ys.len()
        )));
    }
    let pairs: Vec<_> = xs.iter().map(|x| x.as_array()).zip(ys.iter().map(|y| y.as_array())).collect();
    let solved = py.detach(|| -> Result<Vec<f64>> {
        let pairs = pairs.par_iter();
        let solved = pairs.map(|(x, y)| {
            let (source, target) = (Measure::named("source", *x, None)?, Measure::named("target", *y, None)?);
            Ok(solve(&source, &target, cost)?.primal())
        });
        // In order, so that the error is that of the first problem that has one.
        let (values, index): (Vec<Result<f64>>, usize) = (solved.collect(), 0);
        values
            .into_iter()
            .zip(index..)
            .map(|(value, index)| value.map_err(|error| of(index, error)))
            .collect()
    })?;
    Ok(solved.into_pyarray(py))
}

/// The error of the problem `index`.
fn of(index: usize, error: Error) -> Error {
    match error {
        Error::Input(sentence) => Error::Input(format!("problem {index}: {sentence}")),
        Error::Certificate(sentence) => Error::Certificate(format!("problem {index}: {sentence}")),
        other => other,
    }
}

fn clouds<'py>(name: &str, object: &Bound<'py, PyAny>) -> Result<Vec<Numbers<'py, ndarray::Ix2>>> {
    let is_sequence = object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>();
    if !is_sequence && axes(object)? != 3 {
        let remedy = "pass [k, n, d], or a list of clouds";
        return Err(Error::Input(format!("{name} is one array of {} axes: {remedy}", axes(object)?)));
    }
    let numbered = object.try_iter()?.enumerate();
    numbered.map(|(index, cloud)| points(&format!("{name}[{index}]"), &cloud?)).collect()
}
