//! Optimal transport: `oplus.ot`.

mod entropic;
mod exact;
mod line;
mod plan;

pub(crate) use entropic::{Entropic, SinkhornDivergence, sinkhorn, sinkhorn_divergence};
pub(crate) use exact::{Transport, emd, emd_matrix, emd2, emd2_batch};
pub(crate) use line::{LargestSlice, Sliced, max_sliced, sliced, wasserstein_1d};
pub(crate) use plan::Plan;

use crate::error::{Error, Result};
use ot_core::cost::Euclidean;

/// The costs by their names, those of `scipy.spatial.distance`.
const COSTS: [(&str, Euclidean); 3] = [
    ("sqeuclidean", Euclidean::Squared),
    ("euclidean", Euclidean::Distance),
    ("half_sqeuclidean", Euclidean::HalfSquared),
];

/// The cost of this name.
fn cost(name: &str) -> Result<&'static Euclidean> {
    let found = COSTS.iter().find(|(known, _)| *known == name);
    found.map(|(_, cost)| cost).ok_or_else(|| {
        Error::Input(format!(
            "cost is {name:?}: it is \"sqeuclidean\", \"euclidean\" or \"half_sqeuclidean\"; any other cost is a matrix for \
             emd_matrix"
        ))
    })
}
