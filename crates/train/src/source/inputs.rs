//! What a run is given beside its configuration.

use super::own::Own;
use super::{Conditions, Data, Draw};
use crate::TrainError;
use crate::config::{Condition, ConfigError, Configuration, Points};
use crate::digest::sha256;
#[cfg(doc)]
use crate::run::INITIAL_RUN;
use datasets::{Columns, Split, Table, TableOptions};
use ndarray::{Array1, Array2, Axis};
use std::borrow::Cow;
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
    /// Where the run lies whose samples the initial points are, in the place of the folder that the configuration names: a run
    /// folder keeps a copy of it ([`INITIAL_RUN`]). Nothing where it is not there.
    pub initial_run: Option<PathBuf>,
}

impl Default for Inputs {
    /// Nothing in memory, and data sets below `datasets/cache`.
    fn default() -> Self {
        Self { data: None, initial: None, data_sets: Path::new("datasets").join("cache"), initial_run: None }
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
        match own(points, "data", self.data.as_ref(), config.condition())? {
            Some(own) => Ok(own.data(points, config.seed())?),
            None if config.condition().is_some() => labelled(points, &self.data_sets),
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
        match own(points, "initial", self.initial.as_ref(), None)? {
            Some(own) => {
                let units = data.units.of_dimension(own.table.values.ncols());
                Ok(own.initial(&units)?)
            }
            None => {
                let points = self.beginning(points);
                let draw = Draw::read(&points, "initial", Some(dim), &self.data_sets)?;
                let units = data.units.of_dimension(draw.dim());
                Ok(draw.scaled(&units))
            }
        }
    }

    /// What the section `initial` names, where it lies now.
    pub(crate) fn beginning<'a>(&self, initial: &'a Points) -> Cow<'a, Points> {
        match (initial, &self.initial_run) {
            (&Points::Run { samples, .. }, Some(folder)) if folder.is_dir() => {
                Cow::Owned(Points::Run { folder: folder.clone(), samples })
            }
            _ => Cow::Borrowed(initial),
        }
    }
}

/// The user's own points of the section `key`, from a file or from memory; none of other kinds.
fn own(
    points: &Points,
    key: &str,
    array: Option<&Array2<f64>>,
    condition: Option<&Condition>,
) -> Result<Option<Own>, TrainError> {
    let columns_of_it = condition.and_then(Condition::columns);
    let (mut table, name, written, all) = match points {
        Points::File { file, columns, header, .. } => {
            let read = |columns: &Option<Columns>| {
                datasets::read_table(file, &TableOptions { header: *header, columns: columns.clone() })
            };
            let written = columns_of_it.map(|columns| read(&Some(columns.clone()))).transpose()?;
            (read(columns)?, file.display().to_string(), written, columns.is_none())
        }
        Points::Array { .. } => {
            let Some(array) = array else { return Ok(None) };
            let table = Table::from(array.clone());
            let selected = |columns: &Columns| {
                let (key, found) = ("condition.columns".into(), columns.to_string());
                table.clone().selected(columns).map_err(|remedy| ConfigError::Value { key, found, remedy })
            };
            let written = columns_of_it.map(selected).transpose()?;
            (table, of_array(key), written, true)
        }
        _ => return Ok(None),
    };
    if let (true, Some(written)) = (all, &written) {
        table = table.without(written.columns());
        if table.values.ncols() == 0 {
            let (key, found) = ("condition.columns".into(), "all columns".into());
            return Err(
                ConfigError::Value { key, found, remedy: "leave some for the coordinates".into() }.into()
            );
        }
    }
    if let Points::File { file, columns, dim: Some(dim), .. } = points {
        let found = table.values.ncols();
        if found != *dim && (columns.is_some() || written.is_some()) {
            let remedy = format!(
                "leave it out, or set it to {found}: so many columns of {name} are left as coordinates by the choice of \
                 columns"
            );
            let (key, found) = (format!("{key}.dim"), dim.to_string());
            return Err(ConfigError::Value { key, found, remedy }.into());
        }
        datasets::expect_columns(file, &table.values, *dim)?;
    }
    let condition = condition.cloned().zip(written.map(|table| table.values));
    Ok(Some(Own { table, name, condition }))
}

/// Points that have labels by themselves, with their labels as the condition.
fn labelled(points: &Points, data_sets: &Path) -> Result<Data, TrainError> {
    let kind = Condition::Label { columns: None };
    let of = |labels: &Array1<u8>| labels.mapv(f64::from).insert_axis(Axis(1));
    let rows = |pixels: &Array2<f64>, labels: &Array1<u8>| -> Result<Data, TrainError> {
        let conditions = Conditions::of(&kind, of(labels).view(), "the labels")?;
        let rows = Conditions::beside(pixels, &conditions.encoded(of(labels).view())?);
        Ok(Data { condition: Some(conditions), ..Data::from(Draw::Rows(rows.mapv(|x| x as f32))) })
    };
    match points {
        &Points::Target { target, dim, .. } => {
            let condition = Some(Conditions::classes(target.components() as usize));
            Ok(Data { condition, ..Data::from(Draw::Labelled { target, dim }) })
        }
        Points::Digits { set, split } => {
            let digits = set.read(data_sets, *split)?;
            rows(&digits.pixels, &digits.labels)
        }
        Points::Images { set } => {
            let [train, test] = [Split::Train, Split::Test].map(|split| set.read(data_sets, split));
            let (train, test) = (train?, test?);
            let mut data = rows(&train.pixels.mapv(f64::from), &train.labels)?;
            if let Some(conditions) = &data.condition {
                let labels = conditions.encoded(of(&test.labels).view())?;
                data.held_out = Some(Conditions::beside(&test.pixels.mapv(f64::from), &labels));
            }
            Ok(data)
        }
        // A checked configuration has no others.
        _ => Ok(Data::from(Draw::read(points, "data", None, data_sets)?)),
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
