//! What a run is given beside its configuration.

use super::own::Own;
use super::{Data, Draw};
use crate::TrainError;
use crate::config::{ConfigError, Configuration, Points};
use crate::digest::sha256;
use datasets::{Split, TableOptions};
use ndarray::Array2;
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
    /// The data of a configuration, of images with the test images held out; a synthetic target is drawn afresh even where the configuration draws it once.
    ///
    /// # Errors
    /// What the reader reports, and [`ConfigError::Value`] for a dimension or an array that is missing, for a single
    /// row, and for a value that hides all others or that single precision does not hold.
    pub fn data(&self, config: &impl Configuration) -> Result<Data, TrainError> {
        let points = config.data();
        match own(points, "data", self.data.as_ref())? {
            Some(own) => Ok(own.data(points, config.seed())?),
            None => {
                let mut data = Data::from(Draw::read(points, "data", None, &self.data_sets)?);
                if let Some(set) = points.images() {
                    data.held_out = Some(set.read(&self.data_sets, Split::Test)?.pixels.mapv(f64::from));
                }
                Ok(data)
            }
        }
    }

    /// What a configuration begins with in the units of its training, in the dimension of its data where it tells none;
    /// drawn as [`Inputs::data`].
    ///
    /// # Errors
    /// As [`Inputs::data`].
    pub fn initial(&self, config: &impl Configuration, data: &Data) -> Result<Draw, TrainError> {
        let (points, dim) = (config.initial(), data.dim());
        match own(points, "initial", self.initial.as_ref())? {
            Some(own) => {
                let units = data.units.of_dimension(own.table.values.ncols());
                Ok(own.initial(&units)?)
            }
            None => {
                let draw = Draw::read(points, "initial", Some(dim), &self.data_sets)?;
                let units = data.units.of_dimension(draw.dim());
                Ok(draw.scaled(&units))
            }
        }
    }
}

/// The user's own points of the section `key`, from a file or from memory; none of other kinds.
fn own(points: &Points, key: &str, array: Option<&Array2<f64>>) -> Result<Option<Own>, TrainError> {
    match points {
        Points::File { file, dim, columns, header, .. } => {
            let options = TableOptions { header: *header, columns: columns.clone() };
            let table = datasets::read_table(file, &options)?;
            if let Some(dim) = *dim {
                datasets::expect_columns(file, &table.values, dim)?;
            }
            Ok(Some(Own { table, name: file.display().to_string() }))
        }
        Points::Array { .. } => {
            Ok(array.map(|array| Own { table: array.clone().into(), name: of_array(key) }))
        }
        _ => Ok(None),
    }
}

fn of_array(key: &str) -> String {
    format!("the array for `{key}`")
}

/// What identifies the points of `array`, which stand in the place of a configuration's section `key`; what that section
/// says about points of the user's own, holds for them.
pub(crate) fn identified(array: &Array2<f64>, key: &str, section: &Points) -> Result<Points, ConfigError> {
    let (rows, columns) = array.dim();
    if rows == 0 || columns == 0 {
        return Err(ConfigError::Value {
            key: of_array(key),
            found: format!("of shape [{rows}, {columns}]"),
            remedy: "give at least one point of one coordinate".into(),
        });
    }
    if let Some(((row, column), value)) = array.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(ConfigError::Value {
            key: format!("row {row}, column {column} (counted from 0) of {}", of_array(key)),
            found: value.to_string(),
            remedy: "give finite numbers".into(),
        });
    }
    let numbers: Vec<[u8; 8]> = array.iter().map(|value| value.to_le_bytes()).collect();
    let sha256 = sha256(numbers.iter().map(|number| &number[..]));
    let (held_out, scaling) = match *section {
        Points::File { held_out, scaling, .. } | Points::Array { held_out, scaling, .. } => {
            (held_out, scaling)
        }
        _ => (None, None),
    };
    Ok(Points::Array { shape: Some([rows, columns]), sha256: Some(sha256), held_out, scaling })
}
