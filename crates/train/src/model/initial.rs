//! The initial points of a model.

use crate::TrainError;
use crate::config::Points;
use crate::run::INITIAL_FILE;
use crate::source::{Draw, name};
use datasets::{DigitSet, Split, stream};
use ndarray::Array2;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The initial points of a model: at hand, or digits that are read when they are asked for.
#[derive(Debug, Clone)]
pub enum Initial {
    /// At hand.
    Drawn(Draw),
    /// In a data set of others.
    Digits {
        /// Which ones.
        set: DigitSet,
        /// Which part of them.
        split: Split,
        /// The folder of the data sets.
        data_sets: PathBuf,
    },
}

impl Initial {
    /// The initial points in dimension `dim` of a run folder beside the folder of the data sets.
    pub(super) fn stored(
        (folder, data_sets): (&Path, &Path),
        points: &Points,
        seed: u64,
        dim: usize,
    ) -> Result<Self, TrainError> {
        let draw = match *points {
            Points::Digits { set, split } => {
                return Ok(Self::Digits { set, split, data_sets: data_sets.into() });
            }
            Points::File { .. } | Points::Array { .. } => {
                let kept = Points::File { file: folder.join(INITIAL_FILE), dim: Some(dim) };
                Draw::read(&kept, "initial", None, None, folder)?
            }
            _ => Draw::read(points, "initial", Some(dim), None, folder)?,
        };
        Ok(Self::Drawn(draw.fixed(points, &mut stream(seed, name::INITIAL, 0))?))
    }

    /// What can be drawn from.
    ///
    /// # Errors
    /// What reading the digits reports.
    pub fn draw(&self) -> Result<Cow<'_, Draw>, TrainError> {
        match self {
            Self::Drawn(draw) => Ok(Cow::Borrowed(draw)),
            Self::Digits { set, split, data_sets } => {
                Ok(Cow::Owned(Draw::Rows(set.read(data_sets, *split)?.pixels.mapv(|x| x as f32))))
            }
        }
    }

    /// `n` points from the stream of `seed`, [n, d].
    pub(super) fn sample(&self, n: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        self.draw()?.points(n, &mut stream(seed, name::SAMPLE, 0))
    }
}
