//! The digits of a domain adaptation: labelled source, and test digits of the target.

use crate::error::finite;
use crate::generator::drawn;
use crate::stream_name::{SOURCE, TEST};
use crate::subject::Side;
use crate::{MeasureError, Measurement, Tell};
use datasets::{DigitSet, Split, UspsDigits, stream};
use eval::nearest_neighbour_accuracy;
use eval::results::{Floor, Layout, Metrics, Protocol, Reference};
use ndarray::{Array2, ArrayView2, Axis};
use rand::seq::SliceRandom;
use std::path::{Path, PathBuf};
use train::config::Points;
use train::source::Inputs;

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
    /// The digits that a configuration moves to others; none of other points.
    pub(crate) fn of(
        (initial, data): (&Points, &Points),
        inputs: &Inputs,
        seed: u64,
    ) -> Result<Option<Self>, MeasureError> {
        match (initial, data) {
            (&Points::Digits { set: start, .. }, &Points::Digits { set, split }) => {
                Ok(Some(Self::read(&inputs.data_sets, (start, set, split), seed)?))
            }
            _ => Ok(None),
        }
    }

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

    /// Accuracies of the source digits that `moved` leads to the target, and w2 to its test digits.
    pub(crate) fn measure<E>(
        &self,
        (seed, protocol): (u64, Protocol),
        tell: Tell<'_>,
        moved: impl Fn(ArrayView2<'_, f64>) -> Result<Array2<f64>, E>,
    ) -> Result<Measurement, MeasureError>
    where
        MeasureError: From<E>,
    {
        tell("accuracies on the test digits");
        let moved = finite(moved(self.source.pixels.view())?)?;
        let accuracy = self.accuracy(moved.view(), &self.source.labels.to_vec())?;
        let mut metrics = Metrics::default();
        metrics.insert(metrics::ACCURACY_ALL, accuracy.all);
        metrics.insert(metrics::ACCURACY_2007, accuracy.drawn);
        tell("distances to the test digits");
        let mut kept = Array2::zeros((0, self.source.pixels.ncols()));
        let (mut generated, mut target) = (kept.clone(), kept.clone());
        let mut w2 = Vec::new();
        for pair in 0..protocol.pairs {
            let rows = |cloud: &Array2<f64>, name: &str| {
                drawn(cloud.nrows(), protocol.exact_points, seed, name, pair)
            };
            let from = rows(&moved, SOURCE);
            let to = rows(&self.test.pixels, Side::Reference.stream());
            let (x, y) = (moved.select(Axis(0), &from), self.test.pixels.select(Axis(0), &to));
            w2.push(eval::w2(x.view(), y.view())?);
            let start = self.source.pixels.select(Axis(0), &from);
            for (all, cloud) in [(&mut kept, &start), (&mut generated, &x), (&mut target, &y)] {
                all.append(Axis(0), cloud.view())?;
            }
        }
        metrics.insert_repeated(metrics::W2, &w2);
        let (pairs, points) = (protocol.pairs, protocol.exact_points);
        let layout = Layout { reference: Reference::FreshPoints, pairs, points };
        Ok(Measurement { metrics, layout, start: Some(kept), generated, labels: Vec::new(), target })
    }

    /// w2 between training and test digits of the target.
    pub(crate) fn floor(
        &self,
        (seed, protocol): (u64, Protocol),
        dataset: &str,
    ) -> Result<Floor, MeasureError> {
        let train = self.training()?.pixels;
        let mut w2 = Vec::new();
        for pair in 0..protocol.pairs {
            let choose = |cloud: &Array2<f64>, side: Side| {
                let rows = drawn(cloud.nrows(), protocol.exact_points, seed, side.stream(), pair);
                cloud.select(Axis(0), &rows)
            };
            let (x, y) = (choose(&train, Side::Floor), choose(&self.test.pixels, Side::Reference));
            w2.push(eval::w2(x.view(), y.view())?);
        }
        let mut metrics = Metrics::default();
        metrics.insert_repeated(metrics::W2, &w2);
        Ok(Floor { dataset: dataset.into(), dim: train.ncols(), metrics })
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
