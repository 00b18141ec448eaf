//! Modes: how many are covered, and how many points lie near one.

use ndarray::ArrayView2;

/// Deviations from a mode within which a point is of high quality.
const NEAR: f64 = 3.0;
/// A mode is covered when at least this part of an equal share of the points lies near it.
const COVERED: f64 = 0.25;

/// What [`mode_coverage`] finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModeCoverage {
    /// Modes with at least a quarter of n/m of the points near them.
    pub covered: usize,
    /// Share of the points that are near a mode.
    pub high_quality_share: f64,
}

/// Counts covered modes and points near a mode, that is within 3 standard deviations, for Gaussian modes in the plane
/// of the first two coordinates.
///
/// Shapes: points [n, d] with d ≥ 2, m centres. Complexity: O(n·m).
///
/// Source: the measures of mode collapse of Metz et al., arXiv 1611.02163, and Lin et al., arXiv 1712.04086.
///
/// ```
/// use eval::mode_coverage;
/// let points = ndarray::array![[1.0, 0.1], [1.1, 0.0], [0.0, 0.0], [-1.0, 0.5]];
/// let found = mode_coverage(points.view(), &[[1.0, 0.0], [-1.0, 0.0]], 0.1);
/// assert_eq!((found.covered, found.high_quality_share), (1, 0.5));
/// ```
#[must_use]
pub fn mode_coverage(points: ArrayView2<'_, f64>, centres: &[[f64; 2]], std: f64) -> ModeCoverage {
    let mut counts = vec![0_usize; centres.len()];
    for point in points.rows() {
        let (Some(&x), Some(&y)) = (point.get(0), point.get(1)) else { continue };
        let distance = |centre: &[f64; 2]| (x - centre[0]).hypot(y - centre[1]);
        let nearest = centres
            .iter()
            .map(distance)
            .zip(&mut counts)
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
            .filter(|(distance, _)| *distance <= NEAR * std);
        if let Some((_, count)) = nearest {
            *count += 1;
        }
    }
    let n = points.nrows() as f64;
    let enough = COVERED * n / centres.len() as f64;
    let near: usize = counts.iter().sum();
    ModeCoverage {
        covered: counts.iter().filter(|&&count| count > 0 && count as f64 >= enough).count(),
        high_quality_share: near as f64 / n,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::{Target, stream};

    /// A point of a Gaussian in the plane is within 3 standard deviations with probability 1 − e^{−9/2} = .9889.
    #[test]
    fn the_ring_covers_its_modes_and_one_mode_is_one() {
        let (centres, std) = Target::Ring.modes().unwrap();
        let ring = Target::Ring.sample_balanced(8000, 2, &mut stream(0, "ring", 0)).unwrap();
        let found = mode_coverage(ring.view(), &centres, std);
        assert_eq!(found.covered, 8);
        // Four standard errors of a share of 8000 points.
        let error = 4.0 * (0.9889 * 0.0111 / 8000.0_f64).sqrt();
        assert!((found.high_quality_share - (1.0 - (-4.5_f64).exp())).abs() < error, "{found:?}");
        let collapsed = ndarray::Array2::from_shape_fn((100, 2), |(_, j)| centres[3][j]);
        assert_eq!(mode_coverage(collapsed.view(), &centres, std).covered, 1);
    }
}
