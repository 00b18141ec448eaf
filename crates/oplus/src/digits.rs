//! The digits of a domain adaptation: labelled source, and test digits of the target.

use crate::kinds::data_sets;
use anyhow::Result;
use datasets::{DigitSet, Split, UspsDigits, stream};
use eval::nearest_neighbour_accuracy;
use ndarray::{ArrayView2, Axis};
use rand::seq::SliceRandom;

/// Test digits of the smaller accuracy: as many as USPS has.
const DRAWN: usize = 2007;
/// Stream of their choice.
const CHOICE: &str = "measured-test-digits";

/// Source and test digits.
pub struct Digits {
    /// Training digits of the source.
    pub source: UspsDigits,
    /// Test digits of the target.
    pub test: UspsDigits,
    /// Indices of the test digits of the smaller accuracy.
    pub drawn: Vec<usize>,
}

/// Accuracies of the classifier that is fitted on moved source digits.
pub struct Accuracy {
    /// On all test digits of the target.
    pub all: f64,
    /// On 2007 of them.
    pub drawn: f64,
}

impl Digits {
    pub fn read(start: DigitSet, target: DigitSet, seed: u64) -> Result<Self> {
        let root = data_sets();
        let test = target.read(&root, Split::Test)?;
        let mut drawn: Vec<usize> = (0..test.labels.len()).collect();
        if drawn.len() > DRAWN {
            drawn.shuffle(&mut stream(seed, CHOICE, 0));
            drawn.truncate(DRAWN);
        }
        Ok(Self { source: start.read(&root, Split::Train)?, test, drawn })
    }

    /// The accuracies of the 1-nearest-neighbour classifier fitted on `points` with their labels.
    pub fn accuracy(&self, points: ArrayView2<'_, f64>, labels: &[u8]) -> Result<Accuracy> {
        let truth = self.test.labels.to_vec();
        let all = nearest_neighbour_accuracy((points, labels), (self.test.pixels.view(), &truth))?;
        if self.drawn.len() == truth.len() {
            return Ok(Accuracy { all, drawn: all });
        }
        let queries = self.test.pixels.select(Axis(0), &self.drawn);
        let truth: Vec<u8> = self.test.labels.select(Axis(0), &self.drawn).to_vec();
        let drawn = nearest_neighbour_accuracy((points, labels), (queries.view(), &truth))?;
        Ok(Accuracy { all, drawn })
    }
}
