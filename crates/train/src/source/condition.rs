//! The conditions of data points, as their user writes them and as networks see them.

use crate::TrainError;
use crate::checkpoint::{State, Stored};
use crate::config::{Condition, ConfigError};
use flows::error::array2;
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate, s};
use rand::{Rng, RngExt};

/// Classes that a label may have: as many coordinates as a network sees.
const MOST_CLASSES: usize = 1000;
/// Conditions that a run folder keeps, to draw from.
const KEPT: usize = 4096;

/// How a condition becomes coordinates.
#[derive(Debug, Clone, PartialEq)]
enum Encoding {
    /// A label: 1 in the place of its class and 0 in those of the others. The labels of the classes, ascending.
    Label(Vec<f64>),
    /// Numbers: centred, and divided by their deviations.
    Vector { centre: Array1<f64>, scale: Array1<f64> },
}

/// What the points of a flow are conditioned on, and the conditions of the data to draw from.
///
/// A point of a conditional flow is a row (x, c): its d coordinates, and then those of its condition as networks see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    encoding: Encoding,
    /// c, [m, k].
    rows: Array2<f32>,
}

impl Conditions {
    /// Labels 0, 1, …, each as frequent as the others.
    pub(super) fn classes(count: usize) -> Self {
        let labels = (0..count).map(|label| label as f64).collect();
        Self { encoding: Encoding::Label(labels), rows: Array2::eye(count) }
    }

    /// The conditions of data, a row for each point; `key` says where they are from.
    pub(super) fn of(
        condition: &Condition,
        written: ArrayView2<'_, f64>,
        key: &str,
    ) -> Result<Self, ConfigError> {
        let value = |found: String, remedy: &str| ConfigError::Value {
            key: key.into(),
            found,
            remedy: remedy.into(),
        };
        let encoding = match condition {
            Condition::Label { .. } => {
                if written.ncols() != 1 {
                    return Err(value(
                        format!("{} columns", written.ncols()),
                        "give the one column that has the label",
                    ));
                }
                if let Some(number) = written.iter().find(|number| number.fract() != 0.0) {
                    let remedy = "give whole numbers as labels, or take kind = \"vector\" for a condition that is a number";
                    return Err(value(format!("the label {number}"), remedy));
                }
                let mut labels = written.iter().copied().collect::<Vec<f64>>();
                labels.sort_by(f64::total_cmp);
                labels.dedup();
                if labels.len() > MOST_CLASSES {
                    let remedy = "take kind = \"vector\" for a condition that is a number";
                    return Err(value(format!("a label of {} classes", labels.len()), remedy));
                }
                Encoding::Label(labels)
            }
            Condition::Vector { .. } => {
                let centre = written.mean_axis(Axis(0)).unwrap_or_default();
                let scale =
                    written.std_axis(Axis(0), 0.0).mapv(|scale| if scale > 0.0 { scale } else { 1.0 });
                Encoding::Vector { centre, scale }
            }
        };
        let mut conditions = Self { encoding, rows: Array2::zeros((0, 0)) };
        conditions.rows = conditions.encoded(written)?.mapv(|c| c as f32);
        Ok(conditions)
    }

    /// The number k of coordinates of a condition.
    pub fn width(&self) -> usize {
        match &self.encoding {
            Encoding::Label(labels) => labels.len(),
            Encoding::Vector { centre, .. } => centre.len(),
        }
    }

    /// The number of columns that a user writes a condition in.
    pub fn columns(&self) -> usize {
        match &self.encoding {
            Encoding::Label(_) => 1,
            Encoding::Vector { centre, .. } => centre.len(),
        }
    }

    /// The labels of the classes, ascending; none of numbers.
    pub fn labels(&self) -> Option<&[f64]> {
        match &self.encoding {
            Encoding::Label(labels) => Some(labels),
            Encoding::Vector { .. } => None,
        }
    }

    /// c, [n, k], of conditions as their user writes them, [n, columns].
    ///
    /// # Errors
    /// [`ConfigError::Value`] for a label that the data do not have, another number of columns, and what is not finite.
    pub fn encoded(&self, written: ArrayView2<'_, f64>) -> Result<Array2<f64>, ConfigError> {
        let wrong =
            |found: String, remedy: String| ConfigError::Value { key: "the condition".into(), found, remedy };
        if written.ncols() != self.columns() {
            let remedy = match &self.encoding {
                Encoding::Label(_) => "give one label for each point".into(),
                Encoding::Vector { centre, .. } => format!("give {} for each point", centre.len()),
            };
            return Err(wrong(format!("{} numbers", written.ncols()), remedy));
        }
        if let Some(number) = written.iter().find(|number| !number.is_finite()) {
            return Err(wrong(number.to_string(), "give finite numbers".into()));
        }
        match &self.encoding {
            Encoding::Label(labels) => {
                let mut encoded = Array2::zeros((written.nrows(), labels.len()));
                for (mut row, label) in encoded.rows_mut().into_iter().zip(written) {
                    let place = labels.iter().position(|class| class == label);
                    let class = place.and_then(|place| row.get_mut(place)).ok_or_else(|| {
                        let known: Vec<String> = labels.iter().take(20).map(f64::to_string).collect();
                        wrong(label.to_string(), format!("give one of the labels {}", known.join(", ")))
                    })?;
                    *class = 1.0;
                }
                Ok(encoded)
            }
            Encoding::Vector { centre, scale } => Ok((&written - centre) / scale),
        }
    }

    /// Centre and scale of a vector, by which networks see it as (c − centre)/scale; none of labels.
    pub(crate) fn scaling(&self) -> Option<(&Array1<f64>, &Array1<f64>)> {
        match &self.encoding {
            Encoding::Label(_) => None,
            Encoding::Vector { centre, scale } => Some((centre, scale)),
        }
    }

    /// The conditions as their user writes them, [n, columns], of rows (x, c) or c.
    pub fn written(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        let encoded = rows.slice(s![.., rows.ncols().saturating_sub(self.width())..]);
        match &self.encoding {
            Encoding::Label(labels) => {
                let label = |row: ndarray::ArrayView1<'_, f64>| {
                    let class = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
                    class.and_then(|(class, _)| labels.get(class)).copied().unwrap_or(f64::NAN)
                };
                encoded.rows().into_iter().map(label).collect::<Array1<f64>>().insert_axis(Axis(1))
            }
            Encoding::Vector { centre, scale } => &encoded * scale + centre,
        }
    }

    /// x of rows (x, c).
    pub fn coordinates<'a>(&self, rows: ArrayView2<'a, f64>) -> ArrayView2<'a, f64> {
        let dim = rows.ncols().saturating_sub(self.width());
        rows.slice_move(s![.., ..dim])
    }

    /// Rows (x, c) of points, [n, d], and conditions as networks see them, [n, k].
    pub(crate) fn beside<T: Clone>(points: &Array2<T>, conditions: &Array2<T>) -> Array2<T> {
        concatenate(Axis(1), &[points.view(), conditions.view()])
            .unwrap_or_else(|_| unreachable!("a condition each"))
    }

    /// The same with other conditions to draw from: the last columns of `rows`.
    pub(super) fn of_rows(&self, rows: &Array2<f32>) -> Self {
        let first = rows.ncols().saturating_sub(self.width());
        Self { encoding: self.encoding.clone(), rows: rows.slice(s![.., first..]).to_owned() }
    }

    /// `count` conditions of the data, drawn with replacement, as networks see them.
    pub(crate) fn draw(&self, count: usize, rng: &mut impl Rng) -> Array2<f64> {
        let drawn: Vec<usize> = (0..count).map(|_| rng.random_range(0..self.rows.nrows())).collect();
        self.rows.select(Axis(0), &drawn).mapv(f64::from)
    }

    /// The same with at most [`KEPT`] conditions, evenly over all.
    pub(crate) fn kept(&self) -> Self {
        let (rows, most) = (self.rows.nrows(), self.rows.nrows().min(KEPT));
        let some: Vec<usize> = (0..most).map(|i| i * rows / most.max(1)).collect();
        Self { encoding: self.encoding.clone(), rows: self.rows.select(Axis(0), &some) }
    }
}

/// The names in a checkpoint.
const LABELS: &str = "condition.labels";
const CENTRE: &str = "condition.centre";
const SCALE: &str = "condition.scale";
const ROWS: &str = "condition.rows";

impl Conditions {
    /// Writes what a model needs into a state.
    pub(crate) fn store(&self, state: &mut State) {
        match &self.encoding {
            Encoding::Label(labels) => state.doubles(LABELS, labels),
            Encoding::Vector { centre, scale } => {
                state.doubles(CENTRE, &centre.to_vec());
                state.doubles(SCALE, &scale.to_vec());
            }
        }
        state.floats(ROWS, &self.kept().rows.iter().copied().collect::<Vec<f32>>());
    }

    /// The conditions in a checkpoint, if there are any.
    pub(crate) fn stored(state: &Stored) -> Result<Option<Self>, TrainError> {
        if !state.has(ROWS)? {
            return Ok(None);
        }
        let encoding = if state.has(LABELS)? {
            Encoding::Label(state.doubles(LABELS)?)
        } else {
            Encoding::Vector { centre: state.doubles(CENTRE)?.into(), scale: state.doubles(SCALE)?.into() }
        };
        let mut conditions = Self { encoding, rows: Array2::zeros((0, 0)) };
        conditions.rows = array2("the stored conditions", state.floats(ROWS)?, conditions.width())?;
        Ok(Some(conditions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn labels_become_ones_and_numbers_are_scaled_and_both_come_back() {
        let label = Condition::Label { columns: None };
        let found = Conditions::of(&label, array![[7.0], [2.0], [7.0], [-1.0]].view(), "the label").unwrap();
        assert_eq!((found.width(), found.columns(), found.labels()), (3, 1, Some(&[-1.0, 2.0, 7.0][..])));
        let encoded = found.encoded(array![[2.0], [-1.0]].view()).unwrap();
        assert_eq!(encoded, array![[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]);
        assert_eq!(found.written(array![[9.0, 0.0, 1.0, 0.0]].view()), array![[2.0]]);
        let error = found.encoded(array![[3.0]].view()).unwrap_err().to_string();
        assert!(error.contains("one of the labels -1, 2, 7"), "{error}");
        let error = Conditions::of(&label, array![[2.0], [1.5]].view(), "the label").unwrap_err().to_string();
        assert!(
            error.starts_with("the label is the label 1.5: ") && error.contains("kind = \"vector\""),
            "{error}"
        );
        let vector = Condition::Vector { columns: "1..3".parse().unwrap() };
        let rows = array![[1.0, 5.0], [3.0, 5.0]];
        let found = Conditions::of(&vector, rows.view(), "the columns").unwrap();
        let encoded = found.encoded(rows.view()).unwrap();
        assert_eq!(encoded, array![[-1.0, 0.0], [1.0, 0.0]]);
        assert_eq!(found.written(encoded.view()), rows);
        let error = found.encoded(array![[3.0]].view()).unwrap_err().to_string();
        assert!(error.contains("give 2 for each point"), "{error}");
    }

    #[test]
    fn a_checkpoint_keeps_conditions_of_everywhere() {
        let numbers = Array2::from_shape_fn((10_000, 1), |(row, _)| f64::from(u8::from(row >= 9000)));
        let all = Conditions::of(&Condition::Label { columns: None }, numbers.view(), "the label").unwrap();
        let mut state = State::default();
        all.store(&mut state);
        let stored = Conditions::stored(&Stored::in_memory(&state).unwrap()).unwrap().unwrap();
        assert_eq!(stored, all.kept());
        // A tenth of the rows, to one of 4096.
        assert!((stored.rows.column(1).sum() / KEPT as f32 - 0.1).abs() < 1e-3);
        assert_eq!(Conditions::stored(&Stored::in_memory(&State::default()).unwrap()).unwrap(), None);
    }
}
