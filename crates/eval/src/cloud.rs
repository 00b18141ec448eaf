//! Measures of one cloud against the set that it should lie on.

use ndarray::{ArrayRef2, s};

/// RMS distance per padded coordinate of points that should lie in the plane of the first k = `manifold_dim`
/// coordinates: (1/(n(d − k)) · Σᵢ Σ_{j>k} xᵢⱼ²)^½.
///
/// Shapes: `points` [n, d]; the unit is that of the coordinates. `None` where d ≤ k (nothing is padded) or n = 0.
/// Zero exactly on the plane; the targets of arXiv 2407.11901, section 5, pad with zeros.
/// Complexity: O(n·d).
///
/// ```
/// use ndarray::array;
/// let points = array![[5.0, 1.0, 0.3, 0.0], [2.0, 7.0, 0.0, -0.4]];
/// let rms = eval::off_manifold_rms(&points, 2).ok_or("no padded coordinate")?;
/// assert!((rms - 0.25).abs() < 1e-15); // √((.09 + .16)/4)
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn off_manifold_rms(points: &ArrayRef2<f64>, manifold_dim: usize) -> Option<f64> {
    if points.ncols() <= manifold_dim || points.nrows() == 0 {
        return None;
    }
    let padded = points.slice(s![.., manifold_dim..]);
    let mean_square = padded.iter().map(|value| value * value).sum::<f64>() / padded.len() as f64;
    Some(mean_square.sqrt())
}

#[cfg(test)]
mod tests {
    use super::off_manifold_rms;
    use datasets::{InitialLaw, Target, stream};
    use ndarray::Array2;

    #[test]
    fn targets_lie_on_their_plane() {
        let points = Target::Pinwheel.sample(500, 7, &mut stream(1, "target", 0)).unwrap();
        assert_eq!(off_manifold_rms(&points, 2), Some(0.0));
    }

    /// A normal cloud of deviation σ has mean square σ²·χ²_m/m per coordinate, m = n(d−2) = 20000, so the RMS is σ
    /// within σ·5/√(2m) at five standard deviations.
    #[test]
    fn a_normal_cloud_shows_its_deviation() {
        let points = InitialLaw::Normal { std: 0.3 }.sample(2000, 12, &mut stream(2, "cloud", 0)).unwrap();
        let rms = off_manifold_rms(&points, 2).unwrap();
        assert!((rms - 0.3).abs() < 0.3 * 5.0 / 40_000_f64.sqrt(), "{rms}");
    }

    #[test]
    fn nothing_padded_is_no_number() {
        assert_eq!(off_manifold_rms(&Array2::ones((5, 2)), 2), None);
        assert_eq!(off_manifold_rms(&Array2::ones((0, 7)), 2), None);
    }
}
