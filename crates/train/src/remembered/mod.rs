//! Points that remember where their searches have ended.
//!
//! A search that begins where the last one ended, a small change of the network ago, is over in a few evaluations.

mod deck;

use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::source::{Draw, name};
use datasets::stream;
use deck::Deck;
use flows::hopf_lax::Curvature;
use ndarray::{Array2, Axis};

/// Points that are drawn once of an endless law, so that each has an end to remember.
pub(crate) const POOL: usize = 1 << 16;
/// Most numbers of the points of such a pool: what a checkpoint holds of it in many dimensions, 64 MiB.
const POOL_NUMBERS: usize = 1 << 24;
/// Remembered ends that stand beside a trained flow, for its searches.
pub(crate) const COMPANIONS: usize = 512;
/// The array of a stored state that has them.
pub(crate) const COMPANIONS_OF_A_STATE: &str = "companions";

/// All of what can be drawn, if that is a set of points; a pool otherwise, from the stream of this seed and step.
pub(crate) fn pool(draw: &Draw, seed: u64, step: u64) -> Result<Array2<f32>, TrainError> {
    if let Some(rows) = draw.rows() {
        return Ok(rows.clone());
    }
    let count = POOL.min(POOL_NUMBERS / draw.dim().max(1)).max(1);
    Ok(draw.points(count, &mut stream(seed, name::POOL, step))?.mapv(|x| x as f32))
}

/// Points, [m, d], with the ends of their searches, [m, k], and the curvature that these have met.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    points: Array2<f32>,
    ends: Array2<f32>,
    /// What the next search begins with.
    pub(crate) curvature: Curvature,
    deck: Deck,
}

/// A minibatch of them.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    rows: Vec<usize>,
    /// The points, row-major.
    pub(crate) points: Vec<f32>,
    /// Where their searches begin, row-major.
    pub(crate) ends: Vec<f32>,
    /// Whether the first of them comes for the first time.
    pub(crate) is_first: bool,
}

impl Remembered {
    /// Points whose first searches begin at `ends`, in the order of `seed`.
    pub(crate) fn new(points: Array2<f32>, ends: Array2<f32>, seed: u64) -> Self {
        let deck = Deck::new(points.nrows(), seed);
        Self { points, ends, curvature: Curvature::default(), deck }
    }

    /// Minibatch `number` of `size` points.
    pub(crate) fn deal(&mut self, number: u64, size: usize) -> Hand {
        let rows = self.deck.batch(number, size);
        let take = |from: &Array2<f32>| from.select(Axis(0), &rows).into_raw_vec_and_offset().0;
        let (points, ends) = (take(&self.points), take(&self.ends));
        let is_first = number * (size as u64) < self.points.nrows() as u64;
        Hand { rows, points, ends, is_first }
    }

    /// Keeps the ends that the searches of a minibatch have found.
    pub(crate) fn remember(&mut self, hand: &Hand) {
        let width = self.ends.ncols().max(1);
        for (&row, end) in hand.rows.iter().zip(hand.ends.chunks_exact(width)) {
            self.ends.row_mut(row).iter_mut().zip(end).for_each(|(old, &new)| *old = new);
        }
    }

    /// The latest ends when the next minibatch of `size` points is `number`, row-major.
    pub(crate) fn companions(&self, number: u64, size: usize) -> Vec<f32> {
        let batches = COMPANIONS.div_ceil(size.max(1)) as u64;
        // Before the first minibatch its own points are as good as any.
        let first = number.saturating_sub(batches);
        let mut deck = self.deck.clone();
        let mut rows: Vec<usize> =
            (first..first + batches).flat_map(|number| deck.batch(number, size)).collect();
        let rows = rows.split_off(rows.len().saturating_sub(COMPANIONS));
        self.ends.select(Axis(0), &rows).into_raw_vec_and_offset().0
    }

    /// Writes the ends, and those of [`Remembered::companions`], into `state`.
    pub(crate) fn store(&self, state: &mut State, number: u64, size: usize) {
        state.floats("ends", &self.ends.iter().copied().collect::<Vec<f32>>());
        state.floats(COMPANIONS_OF_A_STATE, &self.companions(number, size));
        state.doubles("curvature", &self.curvature.numbers());
    }

    /// Takes the state of the same points; an error leaves it unchanged.
    pub(crate) fn restore(&mut self, stored: &Stored) -> Result<(), TrainError> {
        let ends = stored.fitting("ends", self.ends.len())?;
        self.curvature = Curvature::of_numbers(&stored.doubles("curvature")?);
        self.ends.iter_mut().zip(ends).for_each(|(old, new)| *old = new);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{COMPANIONS, Remembered};
    use crate::checkpoint::{State, Stored};
    use flows::hopf_lax::Curvature;
    use ndarray::Array2;

    fn remembered(rows: usize) -> Remembered {
        let points = Array2::from_shape_fn((rows, 2), |(row, column)| (2 * row + column) as f32);
        Remembered::new(points.clone(), points, 3)
    }

    /// Every number of an end is the number of its minibatch plus one.
    fn after(batches: u64, rows: usize, size: usize) -> Remembered {
        let mut remembered = remembered(rows);
        for number in 0..batches {
            let mut hand = remembered.deal(number, size);
            assert_eq!(hand.is_first, number * (size as u64) < rows as u64);
            hand.ends.fill(number as f32 + 1.0);
            remembered.remember(&hand);
        }
        remembered
    }

    #[test]
    fn a_point_comes_back_with_its_last_end() {
        let mut remembered = after(5, 10, 4);
        let hand = remembered.deal(5, 4);
        // Twenty were dealt: each row twice, the second time in minibatches 2 (its last two), 3 or 4.
        assert!(hand.ends.iter().all(|end| [3.0, 4.0, 5.0].contains(end)), "{:?}", hand.ends);
        assert!(hand.points.chunks(2).all(|point| point[1] == point[0] + 1.0));
        assert!(hand.ends.chunks(2).all(|end| end[0] == end[1]));
    }

    #[test]
    fn companions_are_the_latest_ends() {
        let (size, batches) = (200, 40);
        let companions = after(batches, 5000, size).companions(batches, size);
        assert_eq!(companions.len(), 2 * COMPANIONS);
        // Three minibatches have the 512 ends that are asked for.
        assert!(companions.iter().all(|end| (38.0..=40.0).contains(end)), "{companions:?}");
        assert_eq!(remembered(20).companions(0, 7).len(), 2 * COMPANIONS);
    }

    #[test]
    fn what_was_stored_is_remembered_and_the_state_of_other_points_is_refused() {
        let mut before = after(7, 30, 8);
        before.curvature = Curvature::of_numbers(&[1.0, 2.0, 3.0, 4.0]);
        let mut state = State::default();
        before.store(&mut state, 7, 8);
        let stored = Stored::in_memory(&state).unwrap();
        let mut again = remembered(30);
        again.restore(&stored).unwrap();
        assert_eq!((&again.ends, &again.curvature), (&before.ends, &before.curvature));
        assert_eq!(stored.floats("companions").unwrap(), before.companions(7, 8));
        assert!(remembered(31).restore(&stored).is_err());
    }
}
