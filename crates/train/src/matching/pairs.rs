//! The pairs of initial points and data that the velocity is regressed on.

use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::remembered::pool;
use crate::source::{Draw, Source};
use flows::integrate::Scheme;
use flows::matching::{Coupling, VelocityFlow};
use ndarray::Array2;
use rand::{Rng, RngExt};

/// Runge–Kutta steps to the ends of a rectification: two paths that the flow does not cross stay apart, and the ends lie
/// on its law far below what the regression resolves.
const STEPS: usize = 20;

/// The array of a stored state that has the ends.
const ENDS: &str = "pairs.ends";

/// The pairs of a rectification: initial points, and where the flow of an earlier part of the training takes them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rectified {
    starts: Array2<f32>,
    ends: Array2<f32>,
}

impl Rectified {
    /// Moves all initial points, a pool of them where they are a law, by the flow; `part` is that of the training.
    pub(super) fn new(initial: &Draw, flow: &VelocityFlow, seed: u64, part: u64) -> Result<Self, TrainError> {
        let starts = pool(initial, seed, part)?;
        let mut ends = starts.clone();
        flow.push_forward(Scheme::Rk4, STEPS, ends.view_mut())?;
        Ok(Self { starts, ends })
    }

    /// Writes the ends into `state`; the initial points come from their stream again.
    pub(super) fn store(&self, state: &mut State) {
        state.floats(ENDS, &self.ends.iter().copied().collect::<Vec<f32>>());
    }

    /// The pairs of a stored state, where it has some.
    pub(super) fn stored(
        stored: &Stored,
        initial: &Draw,
        seed: u64,
        part: u64,
    ) -> Result<Option<Self>, TrainError> {
        if !stored.has(ENDS)? {
            return Ok(None);
        }
        let starts = pool(initial, seed, part)?;
        let ends = Array2::from_shape_vec(starts.dim(), stored.fitting(ENDS, starts.len())?);
        let ends = ends.unwrap_or_else(|_| unreachable!("one row for each initial point"));
        Ok(Some(Self { starts, ends }))
    }

    /// `count` pairs, drawn with replacement; both sides row-major.
    pub(super) fn batch(&self, count: usize, rng: &mut impl Rng) -> (Vec<f32>, Vec<f32>) {
        let (mut start, mut end) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let row = rng.random_range(0..self.starts.nrows());
            start.extend(self.starts.row(row));
            end.extend(self.ends.row(row));
        }
        (start, end)
    }
}

/// `count` pairs of fresh points under a coupling; both sides row-major.
pub(super) fn coupled(
    source: &Source,
    coupling: Coupling,
    count: usize,
    rng: &mut impl Rng,
) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
    let start = source.initial.batch(count, rng)?;
    let mut end = source.data.batch(count, rng)?;
    coupling.arrange(source.dim(), &start, &mut end)?;
    Ok((start, end))
}
