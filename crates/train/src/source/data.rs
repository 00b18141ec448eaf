//! The data of a run.

use super::{Conditions, Draw, Units};
use ndarray::Array2;

/// The data of a run: what a training draws from, and what it never sees.
#[derive(Debug, Clone)]
pub struct Data {
    /// What minibatches are drawn from, in the units of the training.
    pub draw: Draw,
    /// Rows that the training never sees, in the user's units, [k, d]; none but of data of the user's own.
    pub held_out: Option<Array2<f64>>,
    /// What the points are conditioned on; then all rows have their condition in the last coordinates.
    pub condition: Option<Conditions>,
    /// The user's units.
    pub units: Units,
    /// What the user should know of the data, one sentence each.
    pub warnings: Vec<String>,
}

impl Data {
    /// The dimension d of the points, without their condition.
    pub fn dim(&self) -> usize {
        self.draw.dim() - self.condition.as_ref().map_or(0, Conditions::width)
    }
}

impl From<Draw> for Data {
    /// Data of which nothing is held out, in their own units.
    fn from(draw: Draw) -> Self {
        Self { draw, held_out: None, condition: None, units: Units::Same, warnings: Vec::new() }
    }
}
