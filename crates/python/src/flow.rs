//! A trained flow or generator: `oplus.Flow`.

use crate::array::points;
use crate::error::{Error, Result};
use ndarray::{Array2, Array3, ArrayView2, Axis};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArray3};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::path::PathBuf;
use train::export::{Format, Function};
use train::model::FlowModel;
use train::{Config, Configuration, Model, TrainError};

/// A trained flow, from `oplus.train` or from its run folder. All points are in the unit of the data.
#[pyclass(frozen, module = "oplus")]
#[derive(Debug)]
pub(crate) struct Flow {
    model: Model,
    /// How the training ended: a dict with `status`, `iterations`, `seconds`; None of a flow that was loaded.
    #[pyo3(get)]
    outcome: Option<Py<PyDict>>,
    /// The records of the training, one dict each: `step`, `seconds` and the metrics by name; None of a flow that was
    /// loaded.
    #[pyo3(get)]
    records: Option<Py<PyList>>,
    /// The rows of the data that the training has not seen, [k, d]; None where there are none, or the flow was loaded.
    #[pyo3(get)]
    held_out: Option<Py<PyArray2<f64>>>,
}

impl Flow {
    pub(crate) fn new(
        model: Model,
        outcome: Option<Py<PyDict>>,
        records: Option<Py<PyList>>,
        held_out: Option<Py<PyArray2<f64>>>,
    ) -> Self {
        Self { model, outcome, records, held_out }
    }

    /// The flow; a generator has no velocity, no potential and no inverse.
    fn flow(&self, what: &str) -> Result<&FlowModel> {
        match &self.model {
            Model::Flow(flow) => Ok(flow),
            Model::Generator(_) => Err(Error::Unsupported(format!(
                "{what} is asked of a generator: train a flow (kind = \"flow\")"
            ))),
            Model::Critic(_) => Err(Error::Unsupported(format!(
                "{what} is asked of a critic, which moves no points: train a flow (kind = \"flow\")"
            ))),
        }
    }

    /// The ends of paths, of either kind of model.
    fn push_forward(
        &self,
        start: ArrayView2<'_, f64>,
        steps: Option<usize>,
        seed: u64,
    ) -> Result<Array2<f64>> {
        Ok(match (&self.model, steps) {
            (Model::Flow(flow), steps) => flow.push_forward(start, steps.unwrap_or(flow.steps()), seed)?,
            (Model::Generator(_) | Model::Critic(_), None) => self.model.push_forward(start, seed)?,
            (Model::Generator(_) | Model::Critic(_), Some(_)) => {
                return Err(Error::Unsupported("only a flow takes steps: leave out steps".into()));
            }
        })
    }
}

#[pymethods]
impl Flow {
    /// Loads the newest checkpoint of a run folder, of `oplus.train(…, out=…)` or of the command line.
    ///
    /// Parameters
    /// ----------
    /// run : path
    /// data_sets : path, optional
    ///     The folder of the data sets of others; only runs that begin with handwritten digits read it.
    #[staticmethod]
    #[pyo3(signature = (run, *, data_sets=None))]
    fn load(py: Python<'_>, run: PathBuf, data_sets: Option<PathBuf>) -> Result<Self> {
        let model = py.detach(|| match data_sets {
            Some(data_sets) => Model::load_with(&run, &data_sets),
            None => Model::load(&run),
        })?;
        Ok(Self::new(model, None, None, None))
    }

    /// Draws `n` points, [n, d]: the initial points of `seed`, moved.
    ///
    /// Parameters
    /// ----------
    /// n : int
    /// steps : int, optional
    ///     Euler steps; those of the configuration if None. Explicit and Hopf–Lax flows are exact in one.
    /// seed : int
    ///     The same seed gives the same points, to the bit, as `cargo xtask sample --seed`.
    /// condition : float or sequence of float or array, optional
    ///     Of a conditional flow: a label or a vector for all points, or one for each, [n, columns]; without it the points come
    ///     with conditions of the data in their last coordinates.
    #[pyo3(signature = (n, steps=None, seed=0, *, condition=None))]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        n: usize,
        steps: Option<usize>,
        seed: u64,
        condition: Option<&Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyArray2<f64>>> {
        let Some(condition) = condition else {
            let moved = py.detach(|| self.push_forward(self.model.initial(n, seed)?.view(), steps, seed))?;
            return Ok(moved.into_pyarray(py));
        };
        let flow = self.flow("a condition")?;
        let rows = py.import("numpy")?.call_method1("atleast_2d", (condition,))?;
        let rows = points("condition", &rows)?;
        let rows = rows.as_array();
        let start = flow.given(flow.unconditional_initial(n, seed)?.view(), rows)?;
        let moved = py.detach(|| self.push_forward(start.view(), steps, seed))?;
        Ok(flow.coordinates(moved.view()).to_owned().into_pyarray(py))
    }

    /// `n` initial points from the stream of `seed`, [n, d].
    #[pyo3(signature = (n, seed=0))]
    fn initial<'py>(&self, py: Python<'py>, n: usize, seed: u64) -> Result<Bound<'py, PyArray2<f64>>> {
        Ok(py.detach(|| self.model.initial(n, seed))?.into_pyarray(py))
    }

    /// Where the flow takes the rows of `x`, [n, d], in their order.
    ///
    /// `steps` is as in `sample`; `seed` is that of the noise of a flow that has some.
    #[pyo3(signature = (x, steps=None, seed=0))]
    fn transport<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        steps: Option<usize>,
        seed: u64,
    ) -> Result<Bound<'py, PyArray2<f64>>> {
        let x = points("x", x)?;
        let x = x.as_array();
        Ok(py.detach(|| self.push_forward(x, steps, seed))?.into_pyarray(py))
    }

    /// The paths from the rows of `x`, [n, d], at `steps` + 1 equal times, [steps + 1, n, d], in double precision.
    #[pyo3(signature = (x, steps=16))]
    fn trajectory<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        steps: usize,
    ) -> Result<Bound<'py, PyArray3<f64>>> {
        let flow = self.flow("a trajectory")?;
        let x = points("x", x)?;
        let x = x.as_array();
        let paths = py.detach(|| -> Result<Array3<f64>> {
            let trajectory = flow.trajectory(x, steps)?;
            let positions = &trajectory.parts().positions;
            let mut paths = Array3::zeros((positions.len(), x.nrows(), x.ncols()));
            for (mut at, position) in paths.axis_iter_mut(Axis(0)).zip(positions) {
                at.assign(position);
            }
            Ok(paths)
        })?;
        Ok(paths.into_pyarray(py))
    }

    /// The velocity v(x, t) = −∇U/λ at the rows of `x`, [n, d], and one time 0 ≤ t ≤ T, [n, d].
    #[pyo3(signature = (x, t=0.0))]
    fn velocity<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        t: f64,
    ) -> Result<Bound<'py, PyArray2<f64>>> {
        let flow = self.flow("a velocity")?;
        let x = points("x", x)?;
        let x = x.as_array();
        Ok(py.detach(|| flow.velocity(x, t))?.into_pyarray(py))
    }

    /// The potential U(x, t) at the rows of `x`, [n, d], and one time 0 ≤ t ≤ T, [n], up to one constant.
    #[pyo3(signature = (x, t=0.0))]
    fn potential<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        t: f64,
    ) -> Result<Bound<'py, PyArray1<f64>>> {
        let flow = self.flow("a potential")?;
        let x = points("x", x)?;
        let x = x.as_array();
        Ok(py.detach(|| flow.potential(x, t))?.into_pyarray(py))
    }

    /// Where the paths begin that end at the rows of `y`, [n, d]; of flows that have an inverse.
    ///
    /// It inverts an explicit flow where its map is optimal.
    fn inverse<'py>(&self, py: Python<'py>, y: &Bound<'py, PyAny>) -> Result<Bound<'py, PyArray2<f64>>> {
        let flow = self.flow("an inverse")?;
        let y = points("y", y)?;
        let y = y.as_array();
        Ok(py.detach(|| flow.inverse(y))?.into_pyarray(py))
    }

    /// log ρ_T at the rows of `x`, [n, d], in nats, [n]; of flows that have a density.
    fn log_prob<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>) -> Result<Bound<'py, PyArray1<f64>>> {
        let flow = self.flow("a density")?;
        let x = points("x", x)?;
        let x = x.as_array();
        Ok(py.detach(|| flow.log_density(x))?.into_pyarray(py))
    }

    /// Writes a function of the flow for other programs: .onnx, or .safetensors with the operations as JSON.
    ///
    /// Parameters
    /// ----------
    /// path : path that ends in .onnx or .safetensors
    /// function : {"map", "velocity", "potential", "critic"}, optional
    ///     If None the map of an explicit flow or of a generator, else the velocity, else the critic.
    ///
    /// Returns
    /// -------
    /// str
    ///     The name of the function.
    #[pyo3(signature = (path, function=None))]
    fn export(&self, py: Python<'_>, path: PathBuf, function: Option<&str>) -> Result<&'static str> {
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("onnx") => Format::Onnx,
            Some("safetensors") => Format::Safetensors,
            _ => {
                return Err(Error::Input(format!(
                    "{} ends neither in .onnx nor in .safetensors",
                    path.display()
                )));
            }
        };
        let named =
            |name: &str| Function::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, found)| found);
        let unknown = |name: &str| format!("function is {name:?}: it is map, velocity, potential or critic");
        let function =
            function.map(|name| named(name).ok_or_else(|| Error::Input(unknown(name)))).transpose()?;
        py.detach(|| {
            let (function, graph) = self.model.graph(function).map_err(TrainError::from)?;
            graph.write(&path, format, self.model.config().name())?;
            Ok(function.name())
        })
    }

    /// The dimension d of the points that it generates.
    #[getter]
    fn dim(&self) -> usize {
        self.model.dim()
    }

    /// The horizon T of a flow; None of others.
    #[getter]
    fn horizon(&self) -> Option<f64> {
        match &self.model {
            Model::Flow(flow) => Some(flow.config.flow.horizon),
            Model::Generator(_) | Model::Critic(_) => None,
        }
    }

    /// Iterations done.
    #[getter]
    fn iteration(&self) -> u64 {
        self.model.iteration()
    }

    /// The whole configuration of the run, as TOML.
    #[getter]
    fn config(&self) -> Result<String> {
        Ok(match self.model.config() {
            Config::Flow(config) => config.to_toml()?,
            Config::Generator(config) => config.to_toml()?,
            Config::Critic(config) => config.to_toml()?,
        })
    }

    fn __repr__(&self) -> String {
        let config = self.model.config();
        format!("Flow({:?}, dim={}, iteration={})", config.name(), self.dim(), self.iteration())
    }
}
