//! Points of many coordinates in the plane of a picture.

use faer::{Mat, Side};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

/// The share of all variance from which on two coordinates are the whole picture.
const NEARLY_ALL: f64 = 0.999;
/// The fewest pixels of an image's side.
const LEAST_SIDE: usize = 8;
/// Neighbouring pixels differ by less than this share of what any two differ by.
const SMOOTH: f64 = 0.6;

/// A plane that points are projected on.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    centre: Vec<f64>,
    /// Two rows of d numbers.
    axes: [Vec<f64>; 2],
    /// What the axes are, in words.
    pub name: String,
}

impl Plane {
    /// Two coordinates, from 0.
    #[must_use]
    pub fn of_coordinates(dim: usize, (first, second): (usize, usize)) -> Self {
        let axis = |index: usize| (0..dim).map(|j| if j == index { 1.0 } else { 0.0 }).collect();
        Self {
            centre: vec![0.0; dim],
            axes: [axis(first), axis(second)],
            name: format!("coordinates {first} and {second}"),
        }
    }

    /// The planes in which a cloud is looked at, [n, d]: its coordinates in up to two dimensions, each pair of them in
    /// three, the widest first; above, the first two where they have nearly all variance, else the first two principal
    /// components.
    ///
    /// Complexity: O(n·d² + d³).
    ///
    /// ```
    /// use eval::planar::Plane;
    /// // All variance is along (1, 1, 0, 0) and, a little, along the last coordinate.
    /// let [a, b] = [[1.0, 1.0, 0.0, 0.1], [2.0, 2.0, 0.0, -0.1]];
    /// let cloud = ndarray::arr2(&[a, [-1.0, -1.0, 0.0, 0.1], b, [-2.0, -2.0, 0.0, -0.1]]);
    /// let planes = Plane::of(cloud.view());
    /// let points = planes[0].project(cloud.view());
    /// assert!((points[2].0.abs() - 8.0_f64.sqrt()).abs() < 1e-9 && (points[2].1.abs() - 0.1).abs() < 1e-9);
    /// ```
    #[must_use]
    pub fn of(cloud: ArrayView2<'_, f64>) -> Vec<Self> {
        let dim = cloud.ncols();
        if dim <= 2 {
            return vec![Self::of_coordinates(dim, (0, 1))];
        }
        // No row, no variance.
        let variances =
            if cloud.nrows() > 0 { cloud.var_axis(Axis(0), 0.0) } else { ndarray::Array1::zeros(dim) };
        if dim == 3 {
            let area = |&(i, j): &(usize, usize)| {
                let variance = |index| variances.get(index).copied().unwrap_or(0.0);
                variance(i) * variance(j)
            };
            let mut pairs = [(0, 1), (0, 2), (1, 2)];
            pairs.sort_by(|a, b| area(b).total_cmp(&area(a)));
            return pairs.map(|pair| Self::of_coordinates(dim, pair)).into();
        }
        let (first, all) = (variances.iter().take(2).sum::<f64>(), variances.sum());
        if first >= NEARLY_ALL * all {
            return vec![Self::of_coordinates(dim, (0, 1))];
        }
        vec![Self::principal(cloud).unwrap_or_else(|| Self::of_coordinates(dim, (0, 1)))]
    }

    /// The plane of the first two principal components; none where the cloud is empty or not finite.
    fn principal(cloud: ArrayView2<'_, f64>) -> Option<Self> {
        let centre = cloud.mean_axis(Axis(0))?;
        let centred = &cloud - &centre;
        let covariance: Array2<f64> = centred.t().dot(&centred) / cloud.nrows() as f64;
        if covariance.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let dim = cloud.ncols();
        let matrix = Mat::from_fn(dim, dim, |i, j| covariance.get((i, j)).copied().unwrap_or(0.0));
        // Eigenvalues in rising order.
        let found = matrix.self_adjoint_eigen(Side::Lower).ok()?;
        let axis = |from_last: usize| (0..dim).map(|i| found.U()[(i, dim - from_last)]).collect::<Vec<f64>>();
        let share = (1..=2).map(|k| found.S()[dim - k]).sum::<f64>() / covariance.diag().sum();
        let name = format!(
            "the first two principal components of the data, {:.0} % of their variance",
            100.0 * share
        );
        Some(Self { centre: centre.to_vec(), axes: [axis(1), axis(2)], name })
    }

    /// The points of a cloud of the same dimension in the plane.
    #[must_use]
    pub fn project(&self, cloud: ArrayView2<'_, f64>) -> Vec<(f64, f64)> {
        let along = |row: &ArrayView1<'_, f64>, axis: &[f64]| -> f64 {
            row.iter().zip(&self.centre).zip(axis).map(|((x, centre), axis)| (x - centre) * axis).sum()
        };
        let [first, second] = &self.axes;
        cloud.rows().into_iter().map(|row| (along(&row, first), along(&row, second))).collect()
    }
}

/// Width and height of the images that the rows of a cloud are, [n, d]: squares of at least 8×8 pixels whose neighbours
/// are more alike than other pixels; none where they are none.
///
/// ```
/// // A bright bar that moves to the right.
/// let bar = |(i, j): (usize, usize)| if (j % 8).abs_diff(i) <= 1 { 1.0 } else { 0.0 };
/// let images = ndarray::Array2::from_shape_fn((8, 64), bar);
/// assert_eq!(eval::planar::image_size(images.view()), Some((8, 8)));
/// use rand::RngExt;
/// let mut rng = datasets::stream(0, "example", 0);
/// let noise = ndarray::Array2::from_shape_simple_fn((50, 64), || rng.random::<f64>());
/// assert_eq!(eval::planar::image_size(noise.view()), None);
/// ```
#[must_use]
pub fn image_size(cloud: ArrayView2<'_, f64>) -> Option<(usize, usize)> {
    let side = cloud.ncols().isqrt();
    if side < LEAST_SIDE || side * side != cloud.ncols() {
        return None;
    }
    let apart = |pairs: &mut dyn Iterator<Item = (usize, usize)>| {
        let difference = |(a, b): (usize, usize)| -> f64 {
            cloud.column(a).iter().zip(cloud.column(b)).map(|(x, y)| (x - y).powi(2)).sum()
        };
        let (sum, count) =
            pairs.fold((0.0, 0usize), |(sum, count), pair| (sum + difference(pair), count + 1));
        sum / count.max(1) as f64
    };
    let all = side * side;
    let below = apart(&mut (0..all - side).map(|pixel| (pixel, pixel + side)));
    let right = apart(&mut (0..all).filter(|pixel| (pixel + 1) % side > 0).map(|pixel| (pixel, pixel + 1)));
    // Pairs that are half a picture and half a line apart.
    let far = apart(&mut (0..all).map(|pixel| (pixel, (pixel + all / 2 + side / 2) % all)));
    let is_smooth = below.min(right) < SMOOTH * far && below.max(right) < far;
    is_smooth.then_some((side, side))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_of_coordinates_is_looked_at_as_it_is() {
        // Seven dimensions, of which two vary.
        let cloud =
            Array2::from_shape_fn(
                (50, 7),
                |(i, j)| if j < 2 { (i * (j + 1)) as f64 } else { 1e-4 * i as f64 },
            );
        let planes = Plane::of(cloud.view());
        assert_eq!(planes.len(), 1);
        assert_eq!(planes[0].name, "coordinates 0 and 1");
        assert_eq!(planes[0].project(cloud.view())[3], (3.0, 6.0));
        // Of three coordinates the second may be the dull one.
        assert_eq!(Plane::of(Array2::zeros((4, 3)).view()).len(), 3);
        // One coordinate has no second.
        assert_eq!(
            Plane::of(ndarray::array![[2.0]].view())[0].project(ndarray::array![[2.0]].view()),
            [(2.0, 0.0)]
        );
    }

    #[test]
    fn clouds_without_principal_components_are_looked_at_anyway() {
        for cloud in [Array2::from_elem((3, 5), f64::NAN), Array2::zeros((0, 5))] {
            assert_eq!(Plane::of(cloud.view()).len(), 1);
        }
    }
}
