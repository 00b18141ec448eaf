//! The data of a run.

use super::{Draw, Units};
use ndarray::Array2;

/// The data of a run: what a training draws from, and what it never sees.
#[derive(Debug, Clone)]
pub struct Data {
    /// What minibatches are drawn from, in the units of the training.
    pub draw: Draw,
    /// Rows that the training never sees, in the user's units, [k, d]; none but of data of the user's own.
    pub held_out: Option<Array2<f64>>,
    /// The user's units.
    pub units: Units,
    /// What the user should know of the data, one sentence each.
    pub warnings: Vec<String>,
}

impl Data {
    /// The dimension d of the points.
    pub fn dim(&self) -> usize {
        self.draw.dim()
    }
}

impl From<Draw> for Data {
    /// Data of which nothing is held out, in their own units.
    fn from(draw: Draw) -> Self {
        Self { draw, held_out: None, units: Units::Same, warnings: Vec::new() }
    }
}
