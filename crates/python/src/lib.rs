//! The Python package `oplus`: optimal transport and flows of this workspace on numpy arrays.
//!
//! This crate only translates: arrays into views and back, settings into configurations, errors into exceptions with the
//! same sentences. What is Python by nature (exceptions, the estimator) lies beside it, in `python/oplus`.

mod array;
mod error;
mod flow;
mod observer;
mod ot;
mod settings;
mod training;

use pyo3::prelude::*;

/// The native half of the package; `oplus` and `oplus.ot` show it.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::flow::Flow;
    #[pymodule_export]
    use crate::ot::{Entropic, LargestSlice, Plan, SinkhornDivergence, Sliced, Transport};
    #[pymodule_export]
    use crate::ot::{
        emd, emd_matrix, emd2, emd2_batch, max_sliced, sinkhorn, sinkhorn_divergence, sliced, wasserstein_1d,
    };
    #[pymodule_export]
    use crate::training::train;
}
