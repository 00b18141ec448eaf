//! Data of the user's own: rows are held out, and the others centred and scaled before they become single precision.

use super::{Conditions, Data, Draw, Units, name, outlier};
use crate::config::{Condition, ConfigError, Points, Scaling};
use datasets::{Table, stream};
use ndarray::{Array2, Axis, s};
use rand::seq::SliceRandom;

/// From this ratio of [`outlier::Farthest`] on, the user should look at the data.
const FAR: f64 = 10.0;
/// From this one on, half of the points lie within 1e-5 of each other in the units of the training: networks in single
/// precision no longer tell them apart.
const TOO_FAR: f64 = 1e5;
/// The part of the spread that single precision may lose before that is said.
const LOST: f64 = 1e-3;

/// Points of the user's own with what they are called in messages.
pub(super) struct Own {
    pub(super) table: Table,
    pub(super) name: String,
    /// What each row is conditioned on, as its user writes it, [n, columns].
    pub(super) condition: Option<(Condition, Array2<f64>)>,
}

impl Own {
    /// The data of a run with this seed; `points` says what is held out and whether they are scaled.
    pub(super) fn data(self, points: &Points, seed: u64) -> Result<Data, ConfigError> {
        let rows = self.table.values.nrows();
        if rows < 2 {
            return Err(ConfigError::Value {
                key: format!("the number of rows of {}", self.name),
                found: rows.to_string(),
                remedy: "give at least 2 points, a single one has no law to learn".into(),
            });
        }
        let mut warnings = Vec::new();
        let (training, held_out) = split(rows, points.held_out(), seed);
        if held_out.is_empty() && points.held_out() > 0.0 {
            warnings.push(format!(
                "{} has {rows} rows, too few to hold out a share of {}: measures are taken against rows that the \
                 training has seen",
                self.name,
                points.held_out()
            ));
        }
        if held_out.len() > training.len() {
            warnings.push(format!(
                "{} rows of {} are held out and {} are trained on, by as many of which the run is judged: hold out less \
                 (held_out)",
                held_out.len(),
                self.name,
                training.len()
            ));
        }
        warnings.extend(self.counted());
        let values = self.table.values.view();
        let units = match points.scaling() {
            Scaling::Isotropic => {
                warnings.extend(self.dominated()?);
                Units::of(values.select(Axis(0), &training).view())
            }
            Scaling::None => {
                warnings.extend(self.coarse());
                Units::Same
            }
        };
        let mut rows = self.single(&training, &units)?;
        let mut held_out = (!held_out.is_empty()).then(|| (values.select(Axis(0), &held_out), held_out));
        let mut condition = None;
        if let Some((kind, written)) = &self.condition {
            let key = format!("the condition in {}", self.name);
            let conditions = Conditions::of(kind, written.view(), &key)?;
            let of = |chosen: &[usize]| conditions.encoded(written.select(Axis(0), chosen).view());
            rows = Conditions::beside(&rows, &of(&training)?.mapv(|c| c as f32));
            if let Some((values, chosen)) = &mut held_out {
                *values = Conditions::beside(values, &of(chosen)?);
            }
            condition = Some(conditions);
        }
        let (draw, held_out) = (Draw::Rows(rows), held_out.map(|(values, _)| values));
        Ok(Data { draw, held_out, condition, units, warnings })
    }

    /// Initial points in the units of a training.
    pub(super) fn initial(self, units: &Units) -> Result<Draw, ConfigError> {
        let rows: Vec<usize> = (0..self.table.values.nrows()).collect();
        Ok(Draw::Rows(self.single(&rows, units)?))
    }

    /// Some rows in these units and in single precision.
    fn single(&self, rows: &[usize], units: &Units) -> Result<Array2<f32>, ConfigError> {
        let values = &self.table.values;
        let mut single = Array2::zeros((rows.len(), values.ncols()));
        for (mut point, &row) in single.rows_mut().into_iter().zip(rows) {
            let scaled = units.scaled(values.slice(s![row..=row, ..]));
            point.assign(&scaled.index_axis(Axis(0), 0).mapv(|z| z as f32));
            if let Some(column) = point.iter().position(|z: &f32| !z.is_finite()) {
                let remedy = "give numbers that single precision holds, below 3e38";
                return Err(self.value(row, column, remedy.into()));
            }
        }
        Ok(single)
    }

    /// What is said where the first of several coordinates counts the rows.
    fn counted(&self) -> Option<String> {
        let values = &self.table.values;
        let counts =
            |from: f64| (0..values.nrows()).all(|row| values.get((row, 0)) == Some(&(from + row as f64)));
        let suspicious = values.nrows() > 2 && values.ncols() > 1 && (counts(0.0) || counts(1.0));
        suspicious.then(|| {
            format!(
                "the first column of {} counts the rows, as an index does: leave it out if it is one",
                self.name
            )
        })
    }

    /// What is said where few points dominate the scale of the data.
    fn dominated(&self) -> Result<Option<String>, ConfigError> {
        let Some(farthest) = outlier::farthest(self.table.values.view()) else { return Ok(None) };
        let outlier::Farthest { row, column, near, mean, .. } = farthest;
        let ratio = farthest.ratio();
        if ratio.is_nan() || ratio > TOO_FAR {
            let remedy = format!(
                "remove or repair it: half of the points lie within {near:.3e} of their median and this one so far that \
                 they cannot be told apart at the scale of all"
            );
            return Err(self.value(row, column, remedy));
        }
        Ok((ratio > FAR).then(|| {
            format!(
                "few points dominate the scale of {}: half of the points lie within {near:.3e} of their median, but the \
                 root mean square of that distance is {mean:.3e}; the farthest has {} at {}: if that is a mistake, \
                 remove or repair it",
                self.name,
                self.table.values.get((row, column)).copied().unwrap_or(f64::NAN),
                self.table.place(row, column)
            )
        }))
    }

    /// What is said where single precision loses the data.
    fn coarse(&self) -> Option<String> {
        let values = self.table.values.view();
        let spread = Units::of(values).scale();
        let most = values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let step = most * f64::from(f32::EPSILON);
        (step > LOST * spread).then(|| {
            format!(
                "{} loses digits in single precision, which steps by {step:.1e} there where the spread is {spread:.1e}: \
                 leave out data.scaling",
                self.name
            )
        })
    }

    fn value(&self, row: usize, column: usize, remedy: String) -> ConfigError {
        let value = self.table.values.get((row, column)).copied().unwrap_or(f64::NAN);
        let key = format!("{} of {}", self.table.place(row, column), self.name);
        ConfigError::Value { key, found: value.to_string(), remedy }
    }
}

/// The rows of the training and ⌊share·rows⌋ others, each in order; at least two stay in the training.
fn split(rows: usize, share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let count = ((share * rows as f64) as usize).min(rows.saturating_sub(2));
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(&mut stream(seed, name::HELD_OUT, 0));
    let mut training = order.split_off(count);
    training.sort_unstable();
    order.sort_unstable();
    (training, order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn every_row_is_on_one_side_and_the_seed_chooses() {
        let (training, held_out) = split(1000, 0.1, 3);
        assert_eq!((training.len(), held_out.len()), (900, 100));
        let mut all = [training.clone(), held_out.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        assert_eq!(split(1000, 0.1, 3).1, held_out);
        assert_ne!(split(1000, 0.1, 4).1, held_out);
        // Both halves of the rows lose about a tenth: 50 ± 5·√(100/4).
        let first = held_out.iter().filter(|&&row| row < 500).count();
        assert!((25..=75).contains(&first), "{first}");
    }

    #[test]
    fn few_rows_stay_in_the_training() {
        for (rows, share, held_out) in
            [(2, 0.1, 0), (9, 0.1, 0), (10, 0.1, 1), (3, 0.9, 1), (2, 0.9, 0), (50, 0.0, 0)]
        {
            assert_eq!(split(rows, share, 0).1.len(), held_out, "{rows} rows, {share}");
        }
    }

    fn own(values: Array2<f64>) -> Own {
        Own { table: values.into(), name: "points.npy".into(), condition: None }
    }

    fn points(scaling: Scaling) -> Points {
        Points::Array { shape: None, sha256: None, held_out: None, scaling: Some(scaling) }
    }

    /// A column of 3, …, 102 beside its tenfold.
    fn line() -> Array2<f64> {
        Array2::from_shape_fn((100, 2), |(i, j)| (3 + i) as f64 * if j == 0 { 1.0 } else { 10.0 })
    }

    #[test]
    fn held_out_rows_keep_their_units_and_no_training_row_is_among_them() {
        let data = own(line()).data(&points(Scaling::Isotropic), 5).unwrap();
        let held_out = data.held_out.unwrap();
        assert_eq!(held_out.dim(), (10, 2));
        assert!(held_out.rows().into_iter().all(|row| row[1] == 10.0 * row[0]));
        let training = data.draw.rows().unwrap().mapv(f64::from);
        let square = training.mapv(|z| z * z).mean().unwrap();
        assert!((square - 1.0).abs() < 1e-6, "{square}");
        // Rounded to single precision, which steps by less than 1e-5 at scale 200.
        let first: Vec<f64> =
            data.units.restored(training.view()).column(0).iter().map(|x| x.round()).collect();
        assert!(held_out.column(0).iter().all(|x| !first.contains(x)));
        assert!(data.warnings.is_empty());
        let whole = own(line()).data(&points(Scaling::None), 5).unwrap();
        assert_eq!((whole.units, whole.held_out.unwrap()), (Units::Same, held_out));
    }

    #[test]
    fn a_point_that_dominates_the_scale_is_named_and_one_that_hides_the_others_refused() {
        let mut values = line();
        values[[7, 1]] = 1e6;
        let warning = own(values.clone()).data(&points(Scaling::Isotropic), 0).unwrap().warnings.join("");
        assert!(
            warning.contains("the farthest has 1000000 at row 7, column 1 (counted from 0)"),
            "{warning}"
        );
        values[[7, 1]] = 1e39;
        let error = own(values.clone()).data(&points(Scaling::Isotropic), 0).unwrap_err().to_string();
        assert!(error.starts_with("row 7, column 1 (counted from 0) of points.npy is 1000"), "{error}");
        let seed = (0..).find(|&seed| split(100, 0.1, seed).0.contains(&7)).unwrap();
        let error = own(values).data(&points(Scaling::None), seed).unwrap_err().to_string();
        assert!(error.starts_with("row 7, column 1 (counted from 0) of points.npy is 1000"), "{error}");
        assert!(error.contains("below 3e38"), "{error}");
    }

    #[test]
    fn a_column_that_counts_the_rows_is_told() {
        let warnings = |from: f64| {
            let rows =
                Array2::from_shape_fn(
                    (20, 2),
                    |(i, j)| if j == 0 { from + i as f64 } else { (i as f64).sin() },
                );
            own(rows).data(&points(Scaling::Isotropic), 0).unwrap().warnings
        };
        assert!(warnings(0.0).join("").contains("counts the rows") && warnings(1.0).len() == 1);
        assert!(warnings(2.0).is_empty());
    }

    #[test]
    fn digits_that_single_precision_loses_are_told() {
        let times = Array2::from_shape_fn((100, 1), |(i, _)| 1.7e9 + i as f64);
        let warnings = |scaling| own(times.clone()).data(&points(scaling), 0).unwrap().warnings;
        assert!(warnings(Scaling::None).join("").contains("loses digits"));
        assert!(warnings(Scaling::Isotropic).is_empty());
    }

    #[test]
    fn one_row_is_refused_and_few_are_told() {
        let error = own(array![[1.0, 2.0]]).data(&points(Scaling::None), 0).unwrap_err().to_string();
        assert!(error.starts_with("the number of rows of points.npy is 1: give at least 2"), "{error}");
        let few =
            own(line().slice(ndarray::s![..5, ..]).to_owned()).data(&points(Scaling::Isotropic), 0).unwrap();
        assert!(
            few.held_out.is_none() && few.warnings.join("").contains("5 rows, too few"),
            "{:?}",
            few.warnings
        );
    }
}
