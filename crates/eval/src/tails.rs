//! Tails: how the norms of far points are distributed, which says something where moments do not exist.

use crate::closeness::{ClosenessError, w1};
use crate::results::Metrics;
use metrics::{TAIL_INDEX, TAIL_L1};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// One point in so many belongs to the tail whose index is estimated.
const POINTS_PER_TAIL_POINT: usize = 100;

/// The L1 distance of the radial survival functions S(r) = P(‖·‖ > r) of two clouds over log r, beyond the median m of the
/// norms of the second: ∫ₘ^∞ |S_x(r) − S_y(r)| d(log r).
///
/// It is finite for every law with a tail of some power, and has no unit. No grid is needed: survival functions over log r
/// are distribution functions, so that the integral is the W1 of max(log‖x‖, log m) and max(log‖y‖, log m) on the line. A
/// cloud whose far half is q times as far out as it should be has (log q)/2.
///
/// Shapes: [n, d] and [m, d]. Complexity: O(nd + md + n log n + m log m).
///
/// # Errors
/// [`ClosenessError`] where a cloud is empty, or has norms that are not finite; where half of the second lies at the
/// origin.
///
/// ```
/// let y: ndarray::Array2<f64> = ndarray::array![[1.0, 0.0], [0.0, 2.0], [-4.0, 0.0], [0.0, 8.0]]; // beyond the median 2: 2, 2, 4, 8
/// let found = eval::tail_l1((2.0 * &y).view(), y.view())?; // against 2, 4, 8, 16
/// assert!((found - 0.75 * 2.0_f64.ln()).abs() < 1e-15);
/// # Ok::<(), eval::ClosenessError>(())
/// ```
pub fn tail_l1(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<f64, ClosenessError> {
    let (x, y) = (falling_norms(x), falling_norms(y));
    let median = y.get(y.len() / 2).copied().unwrap_or(f64::NAN);
    let beyond = |norms: Vec<f64>| -> Array2<f64> {
        // A norm that is not a number stays so, and is refused below.
        Array1::from(norms).mapv(|r| if r < median { median } else { r }.ln()).insert_axis(Axis(1))
    };
    w1(beyond(x).view(), beyond(y).view())
}

/// Hill's estimate of the index ν of a tail P(‖x‖ > r) ~ r^(−ν), of the farthest hundredth of a cloud:
/// 1/ν = (1/k)·Σ_{i ≤ k} log(r_i/r_{k+1}), r₁ ≥ r₂ ≥ … the norms, k = ⌈n/100⌉.
///
/// Its standard error is ν/√k. Of a law without such a tail it is large: 10.9 for the normal law in the plane.
///
/// Shape: [n, d]. `None` where there are too few points, or where the farthest are all equally far or the next one lies at the
/// origin. Complexity: O(nd + n log n).
///
/// Source: B. M. Hill, A simple general approach to inference about the tail of a distribution, Ann. Statist. 3 (1975).
///
/// ```
/// let found = eval::tail_index(ndarray::array![[1.0], [-4.0], [2.0]].view()).ok_or("no tail")?;
/// assert!((found - 1.0 / 2.0_f64.ln()).abs() < 1e-15); // k = 1: 4 over 2
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn tail_index(points: ArrayView2<'_, f64>) -> Option<f64> {
    let norms = falling_norms(points);
    let count = norms.len().div_ceil(POINTS_PER_TAIL_POINT);
    let threshold = norms.get(count)?.ln();
    let excess = norms.iter().take(count).map(|r| r.ln() - threshold).sum::<f64>() / count as f64;
    Some(1.0 / excess).filter(|index| index.is_finite() && *index > 0.0)
}

/// How pairs of generated and target clouds compare where moments may not exist: mean and standard deviation over the pairs of
/// [`tail_l1`], and of the [`tail_index`] of the generated points.
///
/// # Errors
/// As [`tail_l1`].
///
/// ```
/// let y = ndarray::array![[1.0, 0.0], [0.0, 2.0], [-4.0, 0.0], [0.0, 8.0]];
/// let found = eval::closeness_of_tails(&[(y.view(), y.view())])?;
/// assert_eq!(found.get(metrics::TAIL_L1), Some(0.0));
/// # Ok::<(), eval::ClosenessError>(())
/// ```
pub fn closeness_of_tails(
    pairs: &[(ArrayView2<'_, f64>, ArrayView2<'_, f64>)],
) -> Result<Metrics, ClosenessError> {
    let mut metrics = Metrics::default();
    let distances: Result<Vec<f64>, _> = pairs.iter().map(|(x, y)| tail_l1(*x, *y)).collect();
    metrics.insert_repeated(TAIL_L1, &distances?);
    let indices: Option<Vec<f64>> = pairs.iter().map(|(x, _)| tail_index(*x)).collect();
    metrics.insert_repeated(TAIL_INDEX, &indices.unwrap_or_default());
    Ok(metrics)
}

/// The norms of the points, the largest first.
fn falling_norms(points: ArrayView2<'_, f64>) -> Vec<f64> {
    let mut norms: Vec<f64> = points.rows().into_iter().map(|x| x.dot(&x).sqrt()).collect();
    norms.sort_unstable_by(|a, b| b.total_cmp(a));
    norms
}

#[cfg(test)]
mod tests {
    use super::{tail_index, tail_l1};
    use datasets::{InitialLaw, StudentT, stream};
    use ndarray::Array2;

    fn student(nu: f64, n: usize, name: &str) -> Array2<f64> {
        StudentT::new(nu, 2, 2).unwrap().sample(n, &mut stream(1, name, 0))
    }

    #[test]
    fn norms_that_are_not_numbers_and_thresholds_at_the_origin_are_refused() {
        let y = student(1.5, 50, "y");
        let mut x = y.clone();
        x[[3, 0]] = f64::NAN;
        assert!(tail_l1(x.view(), y.view()).is_err() && tail_l1(y.view(), x.view()).is_err());
        assert_eq!(tail_index(ndarray::array![[0.0], [0.0], [1.0]].view()), None);
    }

    /// The definition: survival functions counted at the nodes of a fine grid of log r, from the median to beyond the
    /// farthest point.
    #[test]
    fn it_is_the_integral_of_survival_functions_over_the_logarithm_of_the_radius() {
        let (x, y) = (student(1.5, 150, "x"), 0.7 * student(3.0, 101, "y"));
        let norms = |cloud: &Array2<f64>| -> Vec<f64> {
            cloud.rows().into_iter().map(|point| point[0].hypot(point[1])).collect()
        };
        let (x_norms, mut y_norms) = (norms(&x), norms(&y));
        y_norms.sort_by(f64::total_cmp);
        let survival = |norms: &[f64], r: f64| {
            norms.iter().filter(|&&norm| norm > r).count() as f64 / norms.len() as f64
        };
        let (step, median) = (2e-4, y_norms[50]);
        let farthest = x_norms.iter().chain(&y_norms).copied().fold(0.0, f64::max);
        let nodes = ((farthest / median).ln() / step).ceil() as usize;
        let sum: f64 = (0..nodes)
            .map(|node| median * ((node as f64 + 0.5) * step).exp())
            .map(|r| (survival(&x_norms, r) - survival(&y_norms, r)).abs() * step)
            .sum();
        // Each of some 250 jumps of a hundredth and less is misplaced by up to half a step, either way.
        let found = tail_l1(x.view(), y.view()).unwrap();
        assert!((found - sum).abs() < 1e-4, "{found} for {sum}");
        assert!(found > 0.1, "the case says something: {found}");
    }

    /// In the plane both survival functions are known: e^(−r²/2), and (1 + r²/3)^(−3/2), with the median √(3(2^{2/3} − 1)).
    #[test]
    fn a_gaussian_misses_the_tail_by_what_the_closed_forms_say() {
        let n = 40_000;
        let normal = InitialLaw::default().sample(n, 2, &mut stream(2, "normal", 0)).unwrap();
        let found = tail_l1(normal.view(), student(3.0, n, "t").view()).unwrap();
        let median = (3.0 * (2.0_f64.powf(2.0 / 3.0) - 1.0)).sqrt();
        let step = 1e-3;
        let expected: f64 = (0..12_000)
            .map(|node| median * ((f64::from(node) + 0.5) * step).exp())
            .map(|r| ((-r * r / 2.0).exp() - (1.0 + r * r / 3.0).powf(-1.5)).abs() * step)
            .sum();
        // Four standard errors of a difference of two means of max(log r, log m), whose deviations are below ½ and ¼.
        assert!(
            (found - expected).abs() < 4.0 * (0.5 * 0.5 + 0.25 * 0.25_f64).sqrt() / 200.0,
            "{found} for {expected}"
        );
        let floor = tail_l1(student(3.0, n, "s").view(), student(3.0, n, "t").view()).unwrap();
        assert!(floor < 0.1 * expected, "two samples of one law differ little: {floor} beside {expected}");
    }

    /// Of 400 tail points the standard error is a twentieth; the index of the tail of t₁ beyond its hundredth is 1 within 1e−4.
    /// Scale and what lies within the threshold do not matter.
    #[test]
    fn the_index_is_that_of_the_law_and_large_of_a_gaussian() {
        let cloud = student(1.0, 40_000, "t");
        let index = tail_index(cloud.view()).unwrap();
        assert!((index - 1.0).abs() < 4.0 / 20.0, "{index}");
        let changed = cloud.mapv(|x| if x.abs() < 1.0 { 0.0 } else { 7.0 * x });
        let same = tail_index(changed.view()).unwrap();
        assert!((same - index).abs() < 0.02 * index, "{same} beside {index}");
        let normal = InitialLaw::default().sample(40_000, 2, &mut stream(2, "normal", 0)).unwrap();
        // Beyond the threshold r²/2 is log 100 + E, E exponential: 1/ν̂ is the mean of ½·log(1 + E/log 100), 0.0915.
        let index = tail_index(normal.view()).unwrap();
        assert!((index - 10.9).abs() < 4.0 * 10.9 / 20.0, "{index}");
    }

    #[test]
    fn clouds_without_a_tail_have_no_index_and_no_distance() {
        for cloud in [Array2::zeros((0, 2)), Array2::ones((1, 2)), Array2::ones((300, 2))] {
            assert_eq!(tail_index(cloud.view()), None);
        }
        let origin = Array2::<f64>::zeros((5, 2));
        assert!(tail_l1(Array2::ones((5, 2)).view(), origin.view()).is_err());
        assert!(tail_l1(Array2::zeros((0, 2)).view(), Array2::ones((5, 2)).view()).is_err());
    }
}
