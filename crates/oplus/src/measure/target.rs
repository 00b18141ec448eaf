//! Fresh clouds of the target of a run.

use anyhow::Result;
use datasets::stream;
use ndarray::{Array2, Axis};
use rand::seq::SliceRandom;
use train::config::Config;
use train::source::Source;

/// Stream of the clouds that generated ones are measured against.
const REFERENCE: &str = "measured-target";
/// Stream of the clouds that take the place of generated ones for the floor.
const FLOOR: &str = "measured-floor";

/// Draws clouds of the target that no training has seen; of a file, random halves of its rows.
pub struct FreshTarget<'a> {
    config: &'a Config,
    source: &'a Source,
}

impl<'a> FreshTarget<'a> {
    pub fn new(config: &'a Config, source: &'a Source) -> Self {
        Self { config, source }
    }

    /// The most points of a cloud that has an independent counterpart.
    pub fn largest_cloud(&self) -> usize {
        if self.config.data.target.is_some() { usize::MAX } else { (self.source.points().nrows() / 2).max(1) }
    }

    /// The dimension of the set that a synthetic target lies on.
    pub fn manifold_dim(&self) -> Option<usize> {
        self.config.data.target.map(|_| super::MANIFOLD_DIM)
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
        let seed = self.config.seed;
        if let Some(target) = self.config.data.target {
            return Ok(target.sample(size, self.source.dim(), &mut stream(seed, name, pair as u64))?);
        }
        let points = self.source.points();
        let mut rows: Vec<usize> = (0..points.nrows()).collect();
        // One shuffle for both streams: the floor takes the rows that the reference leaves.
        rows.shuffle(&mut stream(seed, REFERENCE, pair as u64));
        let skipped = if name == FLOOR { points.nrows() - points.nrows() / 2 } else { 0 };
        let taken: Vec<usize> = rows.into_iter().skip(skipped).take(size).collect();
        Ok(points.select(Axis(0), &taken).mapv(f64::from))
    }
}
