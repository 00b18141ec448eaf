//! All rows in random order, again and again.

use crate::source::name;
use datasets::stream;
use rand::seq::SliceRandom;

/// The rows 0, 1, … of a set of points in random order, all of them before one comes again. Which rows a minibatch has
/// depends on its number alone, so that a training can go on from any.
#[derive(Debug, Clone)]
pub(super) struct Deck {
    seed: u64,
    /// The order of the rows in the round of this number.
    round: Option<u64>,
    order: Vec<usize>,
}

impl Deck {
    pub(super) fn new(rows: usize, seed: u64) -> Self {
        Self { seed, round: None, order: (0..rows).collect() }
    }

    /// The rows of minibatch `number` of `size` rows.
    pub(super) fn batch(&mut self, number: u64, size: usize) -> Vec<usize> {
        let (rows, size) = (self.order.len().max(1) as u64, size as u64);
        (number * size..(number + 1) * size)
            .filter_map(|dealt| self.row(dealt / rows, dealt % rows))
            .collect()
    }

    fn row(&mut self, round: u64, place: u64) -> Option<usize> {
        if self.round != Some(round) {
            self.order.sort_unstable();
            self.order.shuffle(&mut stream(self.seed, name::DECK, round));
            self.round = Some(round);
        }
        self.order.get(usize::try_from(place).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Deck;

    #[test]
    fn every_row_comes_once_a_round_and_a_batch_depends_on_its_number_alone() {
        let mut deck = Deck::new(10, 3);
        let dealt: Vec<usize> = (0..5).flat_map(|number| deck.batch(number, 4)).collect();
        for round in dealt.chunks(10) {
            let mut sorted = round.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(dealt[..10], dealt[10..]);
        assert_eq!(Deck::new(10, 3).batch(3, 4), dealt[12..16]);
        // A minibatch may be larger than the set.
        assert_eq!(Deck::new(3, 0).batch(0, 8).len(), 8);
    }
}
