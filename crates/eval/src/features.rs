//! Two clouds of features, and the classes of one: the scores of generated images.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use ot_core::MeasureError;
use ot_core::gaussian::{Gaussian, GaussianError};
use ot_core::neighbours::{NeighbourError, nearest_others};

/// The neighbour whose distance is the radius of a ball, as in arXiv 1904.06991.
const NEIGHBOUR: usize = 3;
/// Rows whose distances or kernels to all others are at hand at once.
const BLOCK: usize = 256;

/// ‖m₁ − m₂‖² + tr(C₁ + C₂ − 2(C₁^½C₂C₁^½)^½) of the means and covariances of two clouds of features.
///
/// Shapes: [n, d] and [m, d]. It falls with n and m towards its value for the laws; compare clouds of one size.
/// Complexity: O((n + m)·d² + d³).
///
/// # Errors
/// As [`Gaussian::from_samples`].
///
/// Source: arXiv 1706.08500, equation (6).
///
/// ```
/// let x = ndarray::array![[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]];
/// // A shift by (3, 4).
/// let found = eval::frechet_distance(x.view(), (&x + &ndarray::array![3.0, 4.0]).view())?;
/// assert!((found - 25.0).abs() < 1e-9);
/// # Ok::<(), ot_core::gaussian::GaussianError>(())
/// ```
pub fn frechet_distance(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<f64, GaussianError> {
    Gaussian::from_samples(x)?.w2_squared(&Gaussian::from_samples(y)?)
}

/// The unbiased squared maximum mean discrepancy with the kernel k(a, b) = (⟨a, b⟩/d + 1)³:
/// mean k(xᵢ, xⱼ) over i ≠ j + mean k(yᵢ, yⱼ) over i ≠ j − 2·mean k(xᵢ, yⱼ).
///
/// Shapes: [n, d] and [m, d]; NaN for fewer than two points, or clouds of different dimensions. It may be below 0 where
/// the laws are equal. Complexity: O((n + m)²·d).
///
/// Source: arXiv 1801.01401, section 4.
///
/// ```
/// let (x, y) = (ndarray::array![[0.0], [1.0]], ndarray::array![[2.0], [3.0]]);
/// // 1 + 7³ − 2·(1 + 1 + 3³ + 4³)/4
/// assert_eq!(eval::kernel_distance(x.view(), y.view()), 1.0 + 343.0 - 93.0 / 2.0);
/// ```
#[must_use]
pub fn kernel_distance(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> f64 {
    if x.ncols() != y.ncols() || x.nrows().min(y.nrows()) < 2 {
        return f64::NAN;
    }
    let kernel = |product: f64| (product / x.ncols().max(1) as f64 + 1.0).powi(3);
    let sum = |a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>| -> f64 {
        a.axis_chunks_iter(Axis(0), BLOCK)
            .map(|a| a.dot(&b.t()).iter().map(|&p| kernel(p)).sum::<f64>())
            .sum()
    };
    let apart = |a: ArrayView2<'_, f64>| {
        let own: f64 = a.rows().into_iter().map(|row| kernel(row.dot(&row))).sum();
        let count = a.nrows() as f64;
        (sum(a, a) - own) / (count * (count - 1.0))
    };
    apart(x) + apart(y) - 2.0 * sum(x, y) / (x.nrows() as f64 * y.nrows() as f64)
}

/// The entropy −Σ p·ln p of the histogram of `classes`, in nats.
///
/// ```
/// assert!((eval::class_entropy(&[0, 1, 2, 3]) - 4.0_f64.ln()).abs() < 1e-15);
/// assert_eq!(eval::class_entropy(&[7, 7]), 0.0);
/// ```
#[must_use]
pub fn class_entropy(classes: &[u8]) -> f64 {
    let mut counts = [0_u64; 256];
    for &class in classes {
        if let Some(count) = counts.get_mut(usize::from(class)) {
            *count += 1;
        }
    }
    let share = |count: &&u64| **count as f64 / classes.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| -share(&count) * share(&count).ln())
        .sum::<f64>()
        .max(0.0)
}

/// Precision: the share of `generated` within the ball of some row of `reference`. Recall: the share of `reference`
/// within the ball of some row of `generated`. The ball of a row reaches to its third neighbour in its own cloud.
///
/// Shapes: [n, d] and [m, d], at least 4 rows each. Complexity: O((n + m)²·d).
///
/// # Errors
/// As [`nearest_others`].
///
/// Source: arXiv 1904.06991, equation (2), k = 3.
pub fn precision_and_recall(
    generated: ArrayView2<'_, f64>,
    reference: ArrayView2<'_, f64>,
) -> Result<(f64, f64), NeighbourError> {
    let (source_dim, target_dim) = (generated.ncols(), reference.ncols());
    if source_dim != target_dim {
        return Err(NeighbourError::Measure(MeasureError::Dimension { source_dim, target_dim }));
    }
    Ok((covered(generated, reference)?, covered(reference, generated)?))
}

/// The share of `points` within the ball of some row of `centres`.
fn covered(points: ArrayView2<'_, f64>, centres: ArrayView2<'_, f64>) -> Result<f64, NeighbourError> {
    let radii = nearest_others(centres, NEIGHBOUR)?.distances;
    let squares: Array1<f64> = centres.rows().into_iter().map(|row| row.dot(&row)).collect();
    // ‖x − c‖² ≤ r² where 2⟨x, c⟩ ≥ ‖x‖² + ‖c‖² − r².
    let slack: Array1<f64> =
        radii.column(NEIGHBOUR - 1).iter().zip(&squares).map(|(r, c)| c - r * r).collect();
    let inside = |block: ArrayView2<'_, f64>| {
        let products: Array2<f64> = block.dot(&centres.t()) * 2.0;
        let is_inside = |(row, products): (ndarray::ArrayView1<'_, f64>, ndarray::ArrayView1<'_, f64>)| {
            let own = row.dot(&row);
            products.iter().zip(&slack).any(|(product, slack)| *product >= own + slack)
        };
        block
            .rows()
            .into_iter()
            .zip(products.rows())
            .filter(|&(row, products)| is_inside((row, products)))
            .count()
    };
    let count: usize = points.axis_chunks_iter(Axis(0), BLOCK).map(inside).sum();
    Ok(count as f64 / points.nrows() as f64)
}

/// The root mean square of the values of `images` in the columns that are 0 in at least 99 % of the rows of `data`; none where
/// there is no such column.
///
/// Shapes: [n, d] and [m, d]. Complexity: O((n + m)·d).
///
/// ```
/// let data = ndarray::array![[0.0, 1.0], [0.0, 0.0]];
/// let images = ndarray::array![[0.3, 5.0], [0.4, 7.0]];
/// assert!((eval::background_noise(images.view(), data.view()).unwrap_or(0.0) - 0.125_f64.sqrt()).abs() < 1e-12);
/// ```
#[must_use]
pub fn background_noise(images: ArrayView2<'_, f64>, data: ArrayView2<'_, f64>) -> Option<f64> {
    let is_background = |column: ndarray::ArrayView1<'_, f64>| {
        column.iter().filter(|value| **value != 0.0).count() * 100 <= column.len()
    };
    let columns: Vec<usize> =
        (0..data.ncols()).filter(|&column| is_background(data.column(column))).collect();
    let values = images.select(Axis(1), &columns);
    values.mapv(|value| value * value).mean().map(f64::sqrt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::{InitialLaw, stream};

    fn cloud(count: usize, dim: usize, name: &str) -> Array2<f64> {
        InitialLaw::Normal { std: 1.0 }.sample(count, dim, &mut stream(3, name, 0)).unwrap()
    }

    /// Of scaled clouds C₂ = s²C₁, so that the distance is (1 − s)²·tr C₁ + (1 − s)²‖m‖².
    #[test]
    fn the_frechet_distance_of_scaled_features_is_in_closed_form() {
        let x = cloud(500, 6, "a") + 1.0;
        let gaussian = Gaussian::from_samples(x.view()).unwrap();
        let moments = gaussian.covariance().diag().sum() + gaussian.mean().dot(&gaussian.mean());
        let found = frechet_distance(x.view(), (&x * 3.0).view()).unwrap();
        // Roots of matrices in double precision.
        assert!((found / (4.0 * moments) - 1.0).abs() < 1e-9, "{found} for {}", 4.0 * moments);
    }

    #[test]
    fn the_kernel_distance_is_that_of_all_pairs() {
        let (x, y) = (cloud(BLOCK + 30, 5, "a"), cloud(40, 5, "b") * 1.5);
        let kernel = |a: usize, b: usize, p: &Array2<f64>, q: &Array2<f64>| {
            (p.row(a).dot(&q.row(b)) / 5.0 + 1.0).powi(3)
        };
        let mean = |p: &Array2<f64>, q: &Array2<f64>, apart: bool| {
            let pairs = (0..p.nrows()).flat_map(|i| (0..q.nrows()).map(move |j| (i, j)));
            let values: Vec<f64> =
                pairs.filter(|(i, j)| !apart || i != j).map(|(i, j)| kernel(i, j, p, q)).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        let expected = mean(&x, &x, true) + mean(&y, &y, true) - 2.0 * mean(&x, &y, false);
        assert!((kernel_distance(x.view(), y.view()) / expected - 1.0).abs() < 1e-10);
        assert!(kernel_distance(x.view(), cloud(300, 5, "c").view()).abs() < 0.1 * expected.abs());
        for (n, d) in [(1, 5), (40, 4)] {
            assert!(kernel_distance(x.view(), cloud(n, d, "d").view()).is_nan(), "{n} rows of {d}");
        }
    }

    #[test]
    fn precision_and_recall_are_those_of_all_pairs() {
        let (x, y) = (cloud(BLOCK + 20, 3, "a"), cloud(150, 3, "b") * 0.3);
        let share = |points: &Array2<f64>, centres: &Array2<f64>| {
            let distance = |a: ndarray::ArrayView1<'_, f64>, b: ndarray::ArrayView1<'_, f64>| {
                (&a - &b).mapv(|x| x * x).sum().sqrt()
            };
            let radius = |i: usize| {
                let mut all: Vec<f64> =
                    centres.rows().into_iter().map(|row| distance(row, centres.row(i))).collect();
                all.sort_by(f64::total_cmp);
                all[NEIGHBOUR]
            };
            let radii: Vec<f64> = (0..centres.nrows()).map(radius).collect();
            let inside = |x: ndarray::ArrayView1<'_, f64>| {
                centres.rows().into_iter().zip(&radii).any(|(centre, radius)| distance(x, centre) <= *radius)
            };
            points.rows().into_iter().filter(|row| inside(*row)).count() as f64 / points.nrows() as f64
        };
        let (precision, recall) = precision_and_recall(x.view(), y.view()).unwrap();
        assert_eq!((precision, recall), (share(&x, &y), share(&y, &x)));
        // A narrow cloud covers little of a wide one, and lies within it.
        assert!(precision < 0.3 && recall > 0.9, "{precision} {recall}");
        assert!(precision_and_recall(x.view(), cloud(150, 2, "b").view()).is_err());
    }

    #[test]
    fn a_column_that_is_seldom_lit_is_background() {
        let data = |lit: usize| Array2::from_shape_fn((200, 1), |(row, _)| f64::from(u8::from(row < lit)));
        let images = ndarray::array![[3.0], [4.0]];
        assert_eq!(background_noise(images.view(), data(2).view()), Some(12.5_f64.sqrt()));
        assert_eq!(background_noise(images.view(), data(3).view()), None);
    }
}
