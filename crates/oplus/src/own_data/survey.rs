//! What can be seen of a cloud of points before anything is learnt of it, in plain sentences.

use eval::summary::to_digits;
use ndarray::{ArrayView1, ArrayView2, Axis};
use std::collections::HashMap;

/// Fewer points than this are learnt by heart.
const FEW: usize = 200;
/// Columns whose deviations differ by more than this are hardly seen beside each other.
const UNEQUAL: f64 = 100.0;
/// A point so many times as far from the centre as most is an outlier: a normal cloud has none beyond 4.
const FAR: f64 = 8.0;
/// Whole numbers with at most so many values are levels or classes.
const LEVELS: usize = 64;

/// What a cloud looks like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Survey {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Mean of each column.
    means: Vec<f64>,
    /// Standard deviation of each column.
    deviations: Vec<f64>,
    /// Rows that are equal to an earlier one.
    repeated: usize,
    /// Different values, where all are whole numbers and they are few.
    levels: Option<usize>,
    /// Rows more than [`FAR`] times as far from the centre as half of the rows, the farthest first.
    far: Vec<(usize, f64)>,
}

impl Survey {
    /// Looks at the rows of an array of finite numbers, [n, d] with n, d ≥ 1. O(n·d) and one sort.
    pub(crate) fn of(points: ArrayView2<'_, f64>) -> Self {
        let (rows, columns) = points.dim();
        let (mut means, mut deviations) = (Vec::new(), Vec::new());
        for column in points.columns() {
            let (mean, deviation) = moments(column);
            means.push(mean);
            deviations.push(deviation);
        }
        let mut seen: HashMap<Vec<u64>, ()> = HashMap::with_capacity(rows);
        // Minus zero is zero.
        let bits = |row: ArrayView1<'_, f64>| row.iter().map(|x| (x + 0.0).to_bits()).collect::<Vec<_>>();
        let repeated = points.rows().into_iter().filter(|row| seen.insert(bits(*row), ()).is_some()).count();
        Self { rows, columns, repeated, levels: levels(points), far: far(points), means, deviations }
    }

    /// Root mean square of the deviations of the columns: what is 1 in the training.
    pub(crate) fn scale(&self) -> f64 {
        root_mean_square(&self.deviations)
    }

    /// Columns of one value only.
    fn constant(&self) -> Vec<usize> {
        self.deviations
            .iter()
            .enumerate()
            .filter(|(_, deviation)| **deviation == 0.0)
            .map(|(at, _)| at)
            .collect()
    }

    /// What the user should know, the shape and scale first.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let Self { rows, columns, .. } = *self;
        let mut all = vec![format!("{} of {}.", counted(rows, "point"), counted(columns, "coordinate"))];
        let [(low, high), (least, most)] = [&self.means, &self.deviations].map(|values| {
            let (least, most) = range(values);
            (number(least), number(most))
        });
        let moments = match columns {
            1 => format!("Their mean is {low}, their standard deviation {least}"),
            _ => format!(
                "The means of the columns lie between {low} and {high}, their standard deviations between {least} and {most}"
            ),
        };
        let scale = number(self.scale());
        all.push(format!("{moments}; the training centres the points and divides them by {scale}."));
        if rows < FEW {
            all.push(format!(
                "So few points are learnt by heart: give {FEW} or more for a flow that makes new ones."
            ));
        }
        if self.repeated > 0 {
            let share = 100.0 * self.repeated as f64 / rows as f64;
            all.push(format!(
                "{} ({share:.1} %) repeat earlier ones, and count as often as they stand there.",
                counted(self.repeated, "row")
            ));
        }
        let constant = self.constant();
        if !constant.is_empty() {
            all.push(format!(
                "{} of one value only: column {} (counted from 0). The flow moves its points there; leave such columns \
                 out if they say nothing.",
                counted(constant.len(), "column"),
                some(&constant)
            ));
        }
        let varying: Vec<f64> =
            self.deviations.iter().copied().filter(|deviation| *deviation > 0.0).collect();
        let (least, most) = range(&varying);
        if most > UNEQUAL * least {
            all.push(format!(
                "Some columns vary {:.1e} times as much as others, which are hardly seen beside them: bring the columns to \
                 comparable units if the small ones matter.",
                most / least
            ));
        }
        if let Some(levels) = self.levels {
            all.push(format!(
                "All values are whole numbers, {levels} different ones: new points will lie between them. A column that \
                 counts or names classes is better left out."
            ));
        }
        if let Some(&(row, times)) = self.far.first() {
            all.push(format!(
                "{} far out, the farthest {times:.0} times as far from the centre as half of the points, in row {row} \
                 (counted from 0): leave it out if it is a mistake. Few such points decide the squared distance w2_squared.",
                if self.far.len() == 1 { "1 point lies".into() } else { format!("{} points lie", self.far.len()) }
            ));
        }
        all
    }
}

/// Mean and standard deviation, from the first value on so that no digit is lost far from 0.
fn moments(column: ArrayView1<'_, f64>) -> (f64, f64) {
    let first = column.first().copied().unwrap_or_default();
    let count = column.len().max(1) as f64;
    let offset = column.iter().map(|x| (x - first) / count).sum::<f64>();
    let largest = column.iter().fold(0.0, |most: f64, x| most.max((x - first - offset).abs()));
    if largest == 0.0 {
        return (first + offset, 0.0);
    }
    // In units of the largest, so that no square leaves the range of the numbers.
    let square = column.iter().map(|x| ((x - first - offset) / largest).powi(2)).sum::<f64>();
    (first + offset, largest * (square / count).sqrt())
}

fn root_mean_square(values: &[f64]) -> f64 {
    let largest = range(values).1;
    if largest == 0.0 {
        return 0.0;
    }
    largest * (values.iter().map(|x| (x / largest).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// The number of different values, where all are whole numbers and they are few.
fn levels(points: ArrayView2<'_, f64>) -> Option<usize> {
    let mut values: Vec<i64> = Vec::new();
    for &x in points {
        let whole = x as i64;
        if whole as f64 != x {
            return None;
        }
        if let Err(place) = values.binary_search(&whole) {
            values.insert(place, whole);
            if values.len() > LEVELS {
                return None;
            }
        }
    }
    Some(values.len())
}

/// The rows that are far out, with their distance from the medians of the columns over the median distance.
fn far(points: ArrayView2<'_, f64>) -> Vec<(usize, f64)> {
    let centre: Vec<f64> = points.columns().into_iter().map(|column| median(column.to_vec())).collect();
    let largest = points
        .axis_iter(Axis(0))
        .flat_map(|row| row.into_iter().zip(&centre))
        .fold(0.0, |most: f64, (x, c)| most.max((x - c).abs()));
    let distance = |row: ArrayView1<'_, f64>| {
        row.iter().zip(&centre).map(|(x, c)| ((x - c) / largest).powi(2)).sum::<f64>().sqrt()
    };
    let distances: Vec<f64> = points.rows().into_iter().map(distance).collect();
    // Of those that do not lie in the centre itself.
    let near = median(distances.iter().copied().filter(|d| *d > 0.0).collect());
    let mut far: Vec<(usize, f64)> =
        distances.iter().map(|d| d / near).enumerate().filter(|(_, times)| *times > FAR).collect();
    far.sort_by(|a, b| b.1.total_cmp(&a.1));
    far
}

/// The upper median; NaN of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return f64::NAN;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// The least and the largest; zeros of nothing.
fn range(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().reduce(f64::min).unwrap_or_default();
    (least, values.iter().copied().reduce(f64::max).unwrap_or_default())
}

/// A number in a sentence, to four significant digits.
fn number(value: f64) -> String {
    to_digits(value, 4)
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The first few of a list.
fn some(list: &[usize]) -> String {
    const SHOWN: usize = 8;
    let mut shown: Vec<String> = list.iter().take(SHOWN).map(usize::to_string).collect();
    if list.len() > SHOWN {
        shown.push("…".into());
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Survey;
    use ndarray::{Array2, array};
    use rand::RngExt;
    use rand_distr::StandardNormal;

    fn normal(rows: usize, columns: usize) -> Array2<f64> {
        let mut rng = datasets::stream(1, "survey", 0);
        Array2::from_shape_simple_fn((rows, columns), || rng.sample(StandardNormal))
    }

    fn sentences(points: &Array2<f64>) -> Vec<String> {
        Survey::of(points.view()).sentences()
    }

    #[test]
    fn an_ordinary_cloud_has_a_shape_and_a_scale_and_nothing_else() {
        // By hand: columns 0, 2 and 10, 16, each a hundred times; deviations 1 and 3, root mean square √5.
        let points =
            Array2::from_shape_fn((400, 2), |(i, j)| [[0.0, 10.0], [2.0, 16.0]][i % 2][j] + 1e-9 * i as f64);
        let expected = [
            "400 points of 2 coordinates.",
            "The means of the columns lie between 1.000 and 13.00, their standard deviations between 1.000 and 3.000; \
             the training centres the points and divides them by 2.236.",
        ];
        assert_eq!(sentences(&points), expected);
        assert_eq!(sentences(&(normal(1000, 5) * 1e6 + 1e9)).len(), 2);
        // A column of 1 and 3 has one mean and one deviation; numbers far from 1 keep their digits.
        for (scale, unit) in [(1e-5, "e-5"), (1e300, "e300")] {
            let told = sentences(&Array2::from_shape_fn((400, 1), |(i, _)| scale * [1.0, 3.0][i % 2]));
            let expected = format!(
                "Their mean is 2.000{unit}, their standard deviation 1.000{unit}; the training centres the points and \
                 divides them by 1.000{unit}."
            );
            assert_eq!(told[1], expected);
        }
    }

    #[test]
    fn what_is_peculiar_is_said_with_its_place() {
        let mut points = normal(300, 4);
        points.column_mut(2).fill(7.5);
        points.column_mut(3).map_inplace(|x| *x *= 1e-3);
        points.row_mut(11).assign(&array![100.0, 0.0, 7.5, 0.0]);
        for row in [20, 21, 22] {
            let first = points.row(5).to_owned();
            points.row_mut(row).assign(&first);
        }
        let told = sentences(&points).join("\n");
        for words in [
            "3 rows (1.0 %) repeat earlier ones",
            "1 column of one value only: column 2 (counted from 0)",
            "vary 5.",
            "1 point lies far out, the farthest 8",
            "in row 11",
        ] {
            assert!(told.contains(words), "no {words:?} in {told}");
        }
        assert!(!told.contains("whole numbers") && !told.contains("by heart"), "{told}");
        let digits = Array2::from_shape_fn((50, 3), |(i, j)| ((i * 7 + j * 3) % 17) as f64);
        let told = sentences(&digits).join("\n");
        assert!(
            told.contains("whole numbers, 17 different ones") && told.contains("learnt by heart"),
            "{told}"
        );
    }

    #[test]
    fn extreme_scales_and_single_points_have_numbers() {
        for points in [array![[1e300], [-1e300]], array![[1e-300], [-1e-300]]] {
            let expected = points[[0, 0]];
            assert!((Survey::of(points.view()).scale() / expected - 1.0).abs() < 1e-15);
        }
        assert_eq!(Survey::of(array![[3.0, 4.0]].view()).scale(), 0.0);
        assert!(!sentences(&array![[3.0, 4.0]]).join("").contains("NaN"));
    }
}
