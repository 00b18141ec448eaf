//! How close generated points are to rows of somebody's own data.

use crate::distances::{Distance, DistanceError, DistanceOptions, Distances, Wanted, distances};
use crate::results::Metrics;
use metrics::{COORDINATE_W1_WORST, COORDINATE_W1_WORST_COLUMN, SLICED_W2, W1, W2, W2_SQUARED};
use ndarray::{Array2, ArrayView2};
use ot_core::neighbours::{NeighbourError, nearest_neighbours};
use rand::Rng;

/// Distances between pairs of generated clouds and clouds of rows: mean and standard deviation over the pairs.
///
/// `w2_squared` alone can be ruled by a few far points, and be at its floor where all others are not, so that `w1`,
/// `w2`, `sliced_w2` and the column with the largest W1 stand beside it. `directions` begins the same stream of
/// directions for each pair. What is beyond the range of numbers is absent.
///
/// # Errors
/// Clouds that are empty, not finite or of different dimensions.
///
/// ```
/// let y = ndarray::array![[0.0, 1.0], [1.0, 3.0]];
/// let x = &y + &ndarray::array![0.0, 2.0];
/// let found = eval::closeness_to_rows(&[(x.view(), y.view())], || datasets::stream(0, "directions", 0))?;
/// assert_eq!(found.get(metrics::W2_SQUARED), Some(4.0));
/// assert_eq!(found.get(metrics::COORDINATE_W1_WORST_COLUMN), Some(1.0));
/// assert_eq!(found.get(metrics::COORDINATE_W1_WORST), Some(2.0)); // W1 is 2, E|y − median y| is 1
/// # Ok::<(), eval::distances::DistanceError>(())
/// ```
pub fn closeness_to_rows<R: Rng>(
    pairs: &[(ArrayView2<'_, f64>, ArrayView2<'_, f64>)],
    directions: impl Fn() -> R,
) -> Result<Metrics, DistanceError> {
    let wanted =
        [Distance::W2Squared, Distance::W2, Distance::W1, Distance::SlicedW2, Distance::CoordinateW1];
    let options =
        DistanceOptions { wanted: Wanted::These(wanted.into()), floor: false, ..DistanceOptions::default() };
    let found: Vec<Distances> = pairs
        .iter()
        .map(|&(x, y)| distances(x, y, None, None, &options, &mut directions()))
        .collect::<Result<_, _>>()?;
    let mut metrics = Metrics::default();
    for (metric, distance) in [
        (W2_SQUARED, Distance::W2Squared),
        (W2, Distance::W2),
        (W1, Distance::W1),
        (SLICED_W2, Distance::SlicedW2),
    ] {
        let values: Option<Vec<f64>> = found.iter().map(|found| found.get(distance)).collect();
        metrics.insert_repeated(metric, &values.unwrap_or_default());
    }
    // The column that is the worst in the mean: a single pair has one by chance.
    let columns: Vec<&Vec<f64>> =
        found.iter().filter_map(|found| Some(&found.coordinate_w1.as_ref()?.relative)).collect();
    let of_column = |column: usize| -> Vec<f64> {
        columns.iter().filter_map(|relative| relative.get(column).copied()).collect()
    };
    let dim = found.first().map_or(0, |found| found.dim);
    let mean = |column: usize| of_column(column).iter().sum::<f64>();
    let worst =
        (0..dim).filter(|&column| mean(column).is_finite()).max_by(|&i, &j| mean(i).total_cmp(&mean(j)));
    if let Some(worst) = worst {
        metrics.insert_repeated(COORDINATE_W1_WORST, &of_column(worst));
        metrics.insert(COORDINATE_W1_WORST_COLUMN, worst as f64);
    }
    Ok(metrics)
}

/// The median over the rows of `points`, [n, d], of the distance to the nearest row of `rows`, [m, d].
///
/// The median, not the mean: in a tail the nearest point is far whatever was learnt by heart.
///
/// # Errors
/// Clouds that are empty, not finite or of different dimensions.
///
/// Complexity: that of [`nearest_neighbours`], at most O(n·m·d).
///
/// ```
/// use ndarray::array;
/// let found = eval::median_nearest_distance(array![[0.1], [1.2], [9.0]].view(), &array![[0.0], [1.0]])?;
/// assert!((found - 0.2).abs() < 1e-15);
/// # Ok::<(), ot_core::neighbours::NeighbourError>(())
/// ```
pub fn median_nearest_distance(
    points: ArrayView2<'_, f64>,
    rows: &Array2<f64>,
) -> Result<f64, NeighbourError> {
    let mut distances: Vec<f64> = nearest_neighbours(points, rows.view(), 1)?.distances.into_iter().collect();
    let middle = distances.len() / 2;
    Ok(*distances.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::{InitialLaw, stream};
    use ndarray::Axis;
    use rand_distr::{Distribution, StudentT};

    /// A column of Student's t with 2.1 degrees of freedom, whose variance hangs on a few points, beside 9 normal ones.
    fn table(name: &str) -> Array2<f64> {
        let mut rng = stream(4, name, 0);
        let mut cloud = InitialLaw::default().sample(400, 10, &mut rng).unwrap();
        let tail = StudentT::new(2.1_f64).unwrap();
        cloud.column_mut(3).mapv_inplace(|_| 5.0 * tail.sample(&mut rng));
        cloud
    }

    /// A generated table that has the tail right and every other column of half the width: `w2_squared` is within the
    /// noise of its floor, the columns are not.
    #[test]
    fn a_heavy_tail_hides_a_failure_in_w2_squared_but_not_in_the_columns() {
        let (x, y, z) = (table("x"), table("y"), table("z"));
        let mut narrow = x.clone();
        for column in (0..10).filter(|&column| column != 3) {
            narrow.column_mut(column).mapv_inplace(|value| 0.5 * value);
        }
        let against = |cloud: &Array2<f64>| {
            closeness_to_rows(&[(cloud.view(), y.view())], || stream(0, "directions", 0)).unwrap()
        };
        let (floor, found) = (against(&z), against(&narrow));
        let ratio = |metric| found.get(metric).unwrap() / floor.get(metric).unwrap();
        assert!(ratio(W2_SQUARED) < 1.5, "{}", ratio(W2_SQUARED));
        assert!(ratio(COORDINATE_W1_WORST) > 2.0, "{}", ratio(COORDINATE_W1_WORST));
        let column = found.get(COORDINATE_W1_WORST_COLUMN).unwrap();
        assert!(column != 3.0, "{column}");
        // W1 of a normal column against that of half its width is ½E|z|, over E|z|.
        let worst = found.get(COORDINATE_W1_WORST).unwrap();
        assert!((worst - 0.5).abs() < 0.1, "{worst}");
    }

    #[test]
    fn the_worst_column_is_that_of_the_mean_over_pairs() {
        let y = InitialLaw::default().sample(200, 3, &mut stream(1, "y", 0)).unwrap();
        let moved = |shift: [f64; 3]| &y + &ndarray::arr1(&shift);
        let (first, second) = (moved([0.5, 0.4, 0.0]), moved([0.0, 0.4, 0.0]));
        let pairs = [(first.view(), y.view()), (second.view(), y.view())];
        let found = closeness_to_rows(&pairs, || stream(0, "directions", 0)).unwrap();
        assert_eq!(found.get(COORDINATE_W1_WORST_COLUMN), Some(1.0));
        // Shifts: (.41 + .16)/2 and (√.41 + .4)/2, up to the rounding of sums of 200 terms.
        assert!((found.get(W2_SQUARED).unwrap() - 0.285).abs() < 1e-12);
        assert!((found.get(W1).unwrap() - (0.41_f64.sqrt() + 0.4) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn copies_of_rows_are_told_from_new_ones() {
        let cloud = |name: &str| InitialLaw::default().sample(300, 5, &mut stream(1, name, 0)).unwrap();
        let (rows, fresh) = (cloud("rows"), cloud("fresh"));
        let copies = rows.select(Axis(0), &[3, 3, 8, 299]);
        assert_eq!(median_nearest_distance(copies.view(), &rows).unwrap(), 0.0);
        assert!(median_nearest_distance(fresh.view(), &rows).unwrap() > 0.5);
    }
}
