//! Fresh clouds of the target of a run.

use crate::kinds::data_sets;
use anyhow::Result;
use datasets::stream;
use ndarray::{Array2, Axis};
use rand::seq::SliceRandom;
use train::FlowConfig;
use train::source::{Draw, Inputs};

/// Stream of the clouds that generated ones are measured against.
const REFERENCE: &str = "measured-target";
/// Stream of the clouds that take the place of generated ones for the floor.
const FLOOR: &str = "measured-floor";

/// Draws clouds of the target that no training has seen; of a set of points, random halves of its rows.
pub struct FreshTarget {
    seed: u64,
    data: Draw,
}

impl FreshTarget {
    pub fn new(config: &FlowConfig) -> Result<Self> {
        let data = Inputs { data_sets: data_sets(), ..Inputs::default() }.data(config)?;
        Ok(Self { seed: config.seed, data })
    }

    /// The ambient dimension.
    pub fn dim(&self) -> usize {
        self.data.dim()
    }

    /// The most points of a cloud that has an independent counterpart.
    pub fn largest_cloud(&self) -> usize {
        self.data.rows().map_or(usize::MAX, |rows| (rows.nrows() / 2).max(1))
    }

    /// The dimension of the set that a synthetic target lies on.
    pub fn manifold_dim(&self) -> Option<usize> {
        matches!(self.data, Draw::Target { .. }).then_some(super::MANIFOLD_DIM)
    }

    /// The reference cloud of a pair, [size, d].
    pub fn cloud(&self, pair: usize, size: usize) -> Result<Array2<f64>> {
        self.draw(REFERENCE, pair, size)
    }

    /// A cloud that is independent of [`FreshTarget::cloud`], [size, d].
    pub fn other_cloud(&self, pair: usize, size: usize) -> Result<Array2<f64>> {
        self.draw(FLOOR, pair, size)
    }

    fn draw(&self, name: &str, pair: usize, size: usize) -> Result<Array2<f64>> {
        let seed = self.seed;
        let Some(points) = self.data.rows() else {
            return Ok(self.data.points(size, &mut stream(seed, name, pair as u64))?);
        };
        let mut rows: Vec<usize> = (0..points.nrows()).collect();
        // One shuffle for both streams: the floor takes the rows that the reference leaves.
        rows.shuffle(&mut stream(seed, REFERENCE, pair as u64));
        let skipped = if name == FLOOR { points.nrows() - points.nrows() / 2 } else { 0 };
        let taken: Vec<usize> = rows.into_iter().skip(skipped).take(size).collect();
        Ok(points.select(Axis(0), &taken).mapv(f64::from))
    }
}
