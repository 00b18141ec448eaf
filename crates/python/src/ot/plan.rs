//! A transport plan as sparse triplets.

use numpy::{IntoPyArray, PyArray1, PyArray2};
use ot_core::exact::Flow;
use pyo3::prelude::*;

/// A transport plan P of shape (n, m) by its entries that are not 0, sorted by source and then target.
#[pyclass(frozen, module = "oplus.ot")]
#[derive(Debug)]
pub(crate) struct Plan {
    /// Number of sources and of targets, (n, m).
    #[pyo3(get)]
    shape: (usize, usize),
    /// Index of the source of each entry, [k].
    #[pyo3(get)]
    source: Py<PyArray1<i64>>,
    /// Index of the target of each entry, [k].
    #[pyo3(get)]
    target: Py<PyArray1<i64>>,
    /// Mass of each entry, [k]; the sum is 1.
    #[pyo3(get)]
    mass: Py<PyArray1<f64>>,
}

impl Plan {
    pub(super) fn new(py: Python<'_>, shape: (usize, usize), coupling: &[Flow]) -> Self {
        // An index of a numpy array is an int64.
        let indices = |of: fn(&Flow) -> usize| -> Py<PyArray1<i64>> {
            coupling.iter().map(|flow| of(flow) as i64).collect::<Vec<_>>().into_pyarray(py).unbind()
        };
        let mass = coupling.iter().map(|flow| flow.mass).collect::<Vec<_>>().into_pyarray(py).unbind();
        Self { shape, source: indices(|flow| flow.source), target: indices(|flow| flow.target), mass }
    }
}

#[pymethods]
impl Plan {
    /// The plan as a `scipy.sparse.coo_array` of shape (n, m).
    fn to_scipy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let entries = (&self.mass, (&self.source, &self.target));
        py.import("scipy.sparse")?.getattr("coo_array")?.call1((entries, self.shape))
    }

    /// The plan as a dense array, [n, m].
    fn to_dense<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let dense = PyArray2::zeros(py, [self.shape.0, self.shape.1], false);
        // No pair comes twice.
        dense.set_item((&self.source, &self.target), &self.mass)?;
        Ok(dense)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.mass.bind(py).len()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (n, m) = self.shape;
        Ok(format!("Plan({} entries of {n} × {m})", self.__len__(py)?))
    }
}
