//! What a run is given beside its configuration.

use super::Draw;
use crate::TrainError;
use crate::config::{ConfigError, Configuration, Points};
use ndarray::Array2;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// What a run is given beside its configuration: points in memory, and the folder of the data sets of others.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Points in the place of the configuration's `data`, [n, d].
    pub data: Option<Array2<f64>>,
    /// Points in the place of the configuration's `initial`, [n, d].
    pub initial: Option<Array2<f64>>,
    /// The folder of the data sets of others.
    pub data_sets: PathBuf,
}

impl Default for Inputs {
    /// Nothing in memory, and data sets below `datasets/cache`.
    fn default() -> Self {
        Self { data: None, initial: None, data_sets: Path::new("datasets").join("cache") }
    }
}

impl Inputs {
    /// The data of a configuration; a synthetic target is drawn afresh even where the configuration draws it once.
    ///
    /// # Errors
    /// What the reader reports, and [`ConfigError::Value`] for a dimension or an array that is missing.
    pub fn data(&self, config: &impl Configuration) -> Result<Draw, TrainError> {
        Draw::read(config.data(), "data", None, self.data.as_ref(), &self.data_sets)
    }

    /// What a configuration begins with, in dimension `dim` where it tells none; drawn as [`Inputs::data`].
    ///
    /// # Errors
    /// As [`Inputs::data`].
    pub fn initial(&self, config: &impl Configuration, dim: usize) -> Result<Draw, TrainError> {
        Draw::read(config.initial(), "initial", Some(dim), self.initial.as_ref(), &self.data_sets)
    }
}

/// What identifies the points of `array`, which stand in the place of a configuration's section `key`.
pub(crate) fn identified(array: &Array2<f64>, key: &str) -> Result<Points, ConfigError> {
    let (rows, columns) = array.dim();
    if rows == 0 || columns == 0 {
        return Err(ConfigError::Value {
            key: format!("the array for `{key}`"),
            found: format!("of shape [{rows}, {columns}]"),
            remedy: "give at least one point of one coordinate".into(),
        });
    }
    // Points become single precision: a number beyond its range is no better than an infinity.
    if let Some(((row, column), value)) =
        array.indexed_iter().find(|(_, value)| !(**value as f32).is_finite())
    {
        return Err(ConfigError::Value {
            key: format!("row {row}, column {column} (counted from 0) of the array for `{key}`"),
            found: value.to_string(),
            remedy: "give finite numbers below 3e38".into(),
        });
    }
    let mut hash = Sha256::new();
    array.iter().for_each(|value| hash.update(value.to_le_bytes()));
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Points::Array { shape: Some([rows, columns]), sha256: Some(sha256) })
}
