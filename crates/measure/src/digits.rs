//! The digits of a domain adaptation: labelled source, and test digits of the target.

use crate::MeasureError;
use crate::stream_name::TEST;
use datasets::{DigitSet, Split, UspsDigits, stream};
use eval::nearest_neighbour_accuracy;
use ndarray::{ArrayView2, Axis};
use rand::seq::SliceRandom;
use std::path::{Path, PathBuf};

/// Test digits of the smaller accuracy: as many as USPS has.
const DRAWN: usize = 2007;

/// Source and test digits.
#[derive(Debug, Clone)]
pub struct Digits {
    /// Training digits of the source.
    pub source: UspsDigits,
    /// Test digits of the target.
    pub test: UspsDigits,
    /// Indices of the test digits of the smaller accuracy.
    drawn: Vec<usize>,
    target: DigitSet,
    split: Split,
    root: PathBuf,
}

/// Accuracies of the 1-nearest-neighbour classifier that is fitted on moved source digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// On all test digits of the target, between 0 and 1.
    pub all: f64,
    /// On 2007 of them, between 0 and 1.
    pub drawn: f64,
}

impl Digits {
    /// Reads the digits that are moved from `start` to the part `split` of `target`, from the folder `root` of the data
    /// sets; `seed` draws the test digits of the smaller accuracy.
    ///
    /// # Errors
    /// [`MeasureError::Data`] where a file is missing or not what it should be.
    pub fn read(
        root: &Path,
        (start, target, split): (DigitSet, DigitSet, Split),
        seed: u64,
    ) -> Result<Self, MeasureError> {
        let test = target.read(root, Split::Test)?;
        let mut drawn: Vec<usize> = (0..test.labels.len()).collect();
        if drawn.len() > DRAWN {
            drawn.shuffle(&mut stream(seed, TEST, 0));
            drawn.truncate(DRAWN);
        }
        Ok(Self { source: start.read(root, Split::Train)?, test, drawn, target, split, root: root.into() })
    }

    /// Reads the digits of the target that a generator is trained towards.
    ///
    /// # Errors
    /// As [`Digits::read`].
    pub fn training(&self) -> Result<UspsDigits, MeasureError> {
        Ok(self.target.read(&self.root, self.split)?)
    }

    /// The accuracies of the 1-nearest-neighbour classifier fitted on `points`, [n, d], with their n labels.
    ///
    /// Complexity: that of [`nearest_neighbour_accuracy`], twice.
    ///
    /// # Errors
    /// [`MeasureError::Accuracy`] for labels that do not fit, or points that are not finite or of another dimension.
    pub fn accuracy(&self, points: ArrayView2<'_, f64>, labels: &[u8]) -> Result<Accuracy, MeasureError> {
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
