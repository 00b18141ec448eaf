//! The pairs of initial points and data that the velocity is regressed on.

use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::source::{Draw, Source, name};
use datasets::stream;
use flows::affine::Affine;
use flows::error::array2;
use flows::integrate::Scheme;
use flows::matching::{Coupling, VelocityFlow};
use ndarray::Array2;
use rand::{Rng, RngExt};

/// Pairs of a rectification: a training sees each some dozens of times.
const PAIRS: usize = 1 << 15;
/// Most numbers of one side of them: what a checkpoint holds in many dimensions, 64 MiB.
const NUMBERS: usize = 1 << 24;
/// Runge–Kutta steps to their ends, whose error is far below what the regression resolves.
const STEPS: usize = 10;

/// The array of a stored state that has the ends.
const ENDS: &str = "pairs.ends";

/// The pairs of a rectification: initial points, and where the flow of an earlier part of the training takes them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rectified {
    starts: Array2<f32>,
    ends: Array2<f32>,
}

impl Rectified {
    /// Draws initial points for a part of the training, and moves them by the flow.
    ///
    /// Where `affine` has ends in a plane, the pairs end there.
    pub(super) fn new(
        initial: &Draw,
        (flow, affine): (&VelocityFlow, &Affine),
        seed: u64,
        part: u64,
    ) -> Result<Self, TrainError> {
        let starts = starts(initial, seed, part)?;
        let mut ends = starts.clone();
        flow.push_forward(Scheme::Rk4, STEPS, ends.view_mut())?;
        // The last step of the scheme leaves a sixth of what lies beside the plane.
        let feet = affine.feet(ends.into_raw_vec_and_offset().0)?;
        Ok(Self { starts, ends: array2("the ends of the pairs", feet, affine.dim())? })
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
        let starts = starts(initial, seed, part)?;
        let ends = array2("the ends of the pairs", stored.fitting(ENDS, starts.len())?, starts.ncols())?;
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

/// The initial points of the pairs of a part of the training.
fn starts(initial: &Draw, seed: u64, part: u64) -> Result<Array2<f32>, TrainError> {
    let count = PAIRS.min(NUMBERS / initial.dim().max(1)).max(1);
    Ok(initial.points(count, &mut stream(seed, name::POOL, part))?.mapv(|x| x as f32))
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
