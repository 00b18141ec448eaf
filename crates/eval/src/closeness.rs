//! How close generated clouds are to target clouds, by the protocol of the results.

use crate::results::{Metrics, Protocol};
use crate::{mode_coverage, off_manifold_rms};
use metrics::{
    OFF_MANIFOLD_RMS, SINKHORN_DIVERGENCE_2D, SINKHORN_DIVERGENCE_2D_AS_PUBLISHED, W2, W2_SQUARED,
};
use ndarray::{ArrayView2, s};
use ot_core::cost::Euclidean;
use ot_core::entropic::{EntropicError, Schedule, SinkhornPower, geomloss_divergence};
use ot_core::exact::{self, CertificateError, ExactError};
use ot_core::{Measure, MeasureError};
use thiserror::Error;

/// The blur of the published tables, geomloss' default.
const BLUR: f64 = 0.05;

/// Pairs of pinwheel samples take some hundred updates; the limit bounds the time of clouds that ran away.
const CONVERGED: Schedule = Schedule::Converged { tolerance: 1e-4, max_iterations: 1000 };

/// Clouds that cannot be measured.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClosenessError {
    /// A distance is beyond what floating point holds.
    #[error("the distance between the clouds is out of range: {0}")]
    OutOfRange(String),
    /// The points are not a measure.
    #[error(transparent)]
    Measure(MeasureError),
    /// The exact solver refused.
    #[error(transparent)]
    Exact(ExactError),
    /// The entropic solver refused.
    #[error(transparent)]
    Entropic(EntropicError),
}

impl From<MeasureError> for ClosenessError {
    fn from(error: MeasureError) -> Self {
        match error {
            MeasureError::NotFinite { .. } => Self::OutOfRange(error.to_string()),
            other => Self::Measure(other),
        }
    }
}

impl From<ExactError> for ClosenessError {
    fn from(error: ExactError) -> Self {
        match error {
            ExactError::CostNotFinite { .. } | ExactError::NotCertified(CertificateError::Value { .. }) => {
                Self::OutOfRange(error.to_string())
            }
            other => Self::Exact(other),
        }
    }
}

impl From<EntropicError> for ClosenessError {
    fn from(error: EntropicError) -> Self {
        Self::Entropic(error)
    }
}

/// The exact squared distance W2² between two clouds of equal weights: min over plans P of Σᵢⱼ Pᵢⱼ‖xᵢ − yⱼ‖².
///
/// Shapes: [n, d] and [m, d]; the unit is length². Complexity: that of [`exact::solve`].
///
/// # Errors
/// [`ClosenessError`] where the clouds are empty, differ in dimension or hold values out of range.
///
/// ```
/// let (x, y) = (ndarray::array![[0.0, 0.0], [1.0, 0.0]], ndarray::array![[1.0, 2.0], [0.0, 2.0]]);
/// assert_eq!(eval::w2_squared(x.view(), y.view())?, 4.0);
/// # Ok::<(), eval::ClosenessError>(())
/// ```
pub fn w2_squared(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<f64, ClosenessError> {
    transport_cost(x, y, &Euclidean::Squared)
}

/// The exact distance W2 = (min over plans P of Σᵢⱼ Pᵢⱼ‖xᵢ − yⱼ‖²)^½ between two clouds of equal weights.
///
/// Shapes: [n, d] and [m, d]; the unit is length. Complexity: that of [`exact::solve`].
///
/// # Errors
/// As [`w2_squared`].
///
/// ```
/// let (x, y) = (ndarray::array![[0.0, 0.0], [1.0, 0.0]], ndarray::array![[1.0, 2.0], [0.0, 2.0]]);
/// assert_eq!(eval::w2(x.view(), y.view())?, 2.0);
/// # Ok::<(), eval::ClosenessError>(())
/// ```
pub fn w2(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<f64, ClosenessError> {
    // A distance of 0 may come out of the solver as a rounding error below it.
    Ok(w2_squared(x, y)?.max(0.0).sqrt())
}

/// The exact distance W1 between two clouds of equal weights: min over plans P of Σᵢⱼ Pᵢⱼ‖xᵢ − yⱼ‖.
///
/// Shapes: [n, d] and [m, d]; the unit is length. Complexity: that of [`exact::solve`].
///
/// # Errors
/// As [`w2_squared`].
///
/// ```
/// let (x, y) = (ndarray::array![[0.0, 0.0], [1.0, 0.0]], ndarray::array![[1.0, 2.0], [0.0, 2.0]]);
/// assert_eq!(eval::w1(x.view(), y.view())?, 2.0);
/// # Ok::<(), eval::ClosenessError>(())
/// ```
pub fn w1(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> Result<f64, ClosenessError> {
    Ok(transport_cost(x, y, &Euclidean::Distance)?.max(0.0))
}

fn transport_cost(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    cost: &Euclidean,
) -> Result<f64, ClosenessError> {
    let (x, y) = (Measure::named("source", x, None)?, Measure::named("target", y, None)?);
    Ok(exact::solve(&x, &y, cost)?.primal())
}

/// Distances between pairs of generated and target clouds: mean and standard deviation over the pairs.
///
/// `w2_squared` and `w2` in all coordinates, both Sinkhorn divergences in the first two where the protocol has points for
/// them, and, where the target lies on the plane
/// of the first `manifold_dim` coordinates, `off_manifold_rms`. Of each cloud a measure takes the first points, as many
/// as the protocol says. A cloud measured against another sample of the target gives the floor.
///
/// `sinkhorn_divergence_2d` is absent where the solver does not converge, which happens for clouds so far apart that
/// the blur means nothing.
///
/// # Errors
/// [`ClosenessError`] where clouds are empty, differ in dimension or hold values out of range.
///
/// Source: the protocol of Table 1 of arXiv 2407.11901, which has the divergence of the first two coordinates only.
pub fn closeness(
    pairs: &[(ArrayView2<'_, f64>, ArrayView2<'_, f64>)],
    protocol: Protocol,
    manifold_dim: Option<usize>,
) -> Result<Metrics, ClosenessError> {
    let mut metrics = Metrics::default();
    let exact = protocol.exact_points;
    let squares = repeated(pairs, |x, y| w2_squared(first(x, exact), first(y, exact)).map(Some))?;
    metrics.insert_repeated(W2_SQUARED, &squares);
    // A distance of 0 may come out of the solver as a rounding error below it.
    metrics.insert_repeated(W2, &squares.iter().map(|square| square.max(0.0).sqrt()).collect::<Vec<f64>>());
    let divergences = [
        (SINKHORN_DIVERGENCE_2D, protocol.sinkhorn_points, CONVERGED),
        (SINKHORN_DIVERGENCE_2D_AS_PUBLISHED, protocol.sinkhorn_points_as_published, Schedule::AS_PUBLISHED),
    ];
    for (metric, points, schedule) in divergences.into_iter().filter(|(_, points, _)| *points > 0) {
        let values = repeated(pairs, |x, y| planar_divergence(x, y, points, schedule))?;
        metrics.insert_repeated(metric, &values);
    }
    if let Some(dim) = manifold_dim {
        metrics.insert_repeated(OFF_MANIFOLD_RMS, &repeated(pairs, |x, _| Ok(off_manifold_rms(&x, dim)))?);
    }
    Ok(metrics)
}

/// Exact distances between pairs of generated and target clouds, and the modes that the generated points cover: mean
/// and standard deviation over the pairs.
///
/// `w1` and `w2` in all coordinates; where the target has `modes`, centres and a standard deviation, [`mode_coverage`].
///
/// # Errors
/// [`ClosenessError`] where clouds are empty, differ in dimension or hold values out of range.
///
/// Source: the ring of arXiv 2406.13619, which shows W1 and counts of modes.
///
/// ```
/// use eval::closeness_of_modes;
/// let (x, y) = (ndarray::array![[1.0, 0.1], [1.1, 0.0]], ndarray::array![[1.0, 0.0], [1.0, 0.0]]);
/// let found = closeness_of_modes(&[(x.view(), y.view())], Some((&[[1.0, 0.0]], 0.1)))?;
/// assert_eq!(found.get(metrics::MODES_COVERED), Some(1.0));
/// assert!((found.get(metrics::W1).unwrap_or(f64::NAN) - 0.1).abs() < 1e-12);
/// # Ok::<(), eval::ClosenessError>(())
/// ```
pub fn closeness_of_modes(
    pairs: &[(ArrayView2<'_, f64>, ArrayView2<'_, f64>)],
    modes: Option<(&[[f64; 2]], f64)>,
) -> Result<Metrics, ClosenessError> {
    let mut metrics = Metrics::default();
    metrics.insert_repeated(metrics::W1, &repeated(pairs, |x, y| w1(x, y).map(Some))?);
    metrics.insert_repeated(W2, &repeated(pairs, |x, y| w2(x, y).map(Some))?);
    if let Some((centres, std)) = modes {
        let found: Vec<_> = pairs.iter().map(|(x, _)| mode_coverage(x.view(), centres, std)).collect();
        let covered: Vec<f64> = found.iter().map(|found| found.covered as f64).collect();
        let near: Vec<f64> = found.iter().map(|found| found.high_quality_share).collect();
        metrics.insert_repeated(metrics::MODES_COVERED, &covered);
        metrics.insert_repeated(metrics::HIGH_QUALITY_SHARE, &near);
    }
    Ok(metrics)
}

/// A measure of every pair; nothing at all where one pair has no value.
fn repeated<'a>(
    pairs: &[(ArrayView2<'a, f64>, ArrayView2<'a, f64>)],
    measure: impl Fn(ArrayView2<'a, f64>, ArrayView2<'a, f64>) -> Result<Option<f64>, ClosenessError>,
) -> Result<Vec<f64>, ClosenessError> {
    let values: Result<Option<Vec<f64>>, _> = pairs.iter().map(|(x, y)| measure(*x, *y)).collect();
    Ok(values?.unwrap_or_default())
}

/// The Sinkhorn divergence of the first two coordinates.
fn planar_divergence(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    points: usize,
    schedule: Schedule,
) -> Result<Option<f64>, ClosenessError> {
    let plane = |cloud| {
        let cloud: ArrayView2<'_, f64> = first(cloud, points);
        let width = cloud.ncols().min(2);
        cloud.slice_move(s![.., ..width])
    };
    let (x, y) = (Measure::named("source", plane(x), None)?, Measure::named("target", plane(y), None)?);
    let divergence = geomloss_divergence(&x, &y, SinkhornPower::Two, BLUR, schedule);
    match divergence {
        Ok(divergence) => {
            let has_value = divergence.converged || schedule == Schedule::AS_PUBLISHED;
            Ok(has_value.then_some(divergence.value))
        }
        Err(EntropicError::TooSmall { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

fn first(points: ArrayView2<'_, f64>, count: usize) -> ArrayView2<'_, f64> {
    let count = count.min(points.nrows());
    points.slice_move(s![..count, ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::{Target, stream};
    use ndarray::{Array1, Array2};

    fn pinwheel(name: &str) -> Array2<f64> {
        Target::Pinwheel.sample(300, 7, &mut stream(5, name, 0)).unwrap()
    }

    /// Moving a cloud by δ along padded coordinates moves every point by δ: W2² = ‖δ‖², the plane sees nothing, and
    /// each padded coordinate is off by δⱼ.
    #[test]
    fn a_shift_off_the_plane_is_seen_by_the_full_distance_only() {
        let cloud = pinwheel("a");
        let shift = Array1::from(vec![0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.4]);
        let moved = &cloud + &shift;
        let metrics = closeness(&[(moved.view(), cloud.view()); 2], Protocol::SMOKE, Some(2)).unwrap();
        // Rounding of coordinates of order 10: 300 sums of 7 squares.
        assert!((metrics.get(W2_SQUARED).unwrap() - 0.25).abs() < 1e-12);
        assert_eq!(metrics.deviation(W2_SQUARED), Some(0.0));
        let planar = metrics.get(SINKHORN_DIVERGENCE_2D).unwrap();
        // A marginal error of 1e-4 times potentials of order ε.
        assert!(planar.abs() < 1e-6, "the clouds agree in the plane: {planar}");
        let off = metrics.get(OFF_MANIFOLD_RMS).unwrap();
        assert!((off - 0.05_f64.sqrt()).abs() < 1e-12, "√(.25/5): {off}");
    }

    /// With blur far below the spacing of the points the divergence is half the squared distance; for a shift in the
    /// plane both are known exactly.
    #[test]
    fn a_shift_in_the_plane_is_half_its_square_to_the_divergence() {
        let cloud = pinwheel("a");
        let moved = &cloud + &Array1::from(vec![3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let metrics = closeness(&[(moved.view(), cloud.view())], Protocol::SMOKE, None).unwrap();
        // The debiased cost of a translation is exactly ½‖δ‖²; 1e-4 of the mass may be a unit off.
        assert!((metrics.get(SINKHORN_DIVERGENCE_2D).unwrap() - 12.5).abs() < 1e-4);
        assert!((metrics.get(W2_SQUARED).unwrap() - 25.0).abs() < 1e-10);
        assert_eq!(metrics.get(OFF_MANIFOLD_RMS), None);
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let (x, y) = (pinwheel("a"), pinwheel("b"));
        let measured = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| closeness(&[(x.view(), y.view())], Protocol::SMOKE, Some(2)).unwrap())
        };
        assert_eq!(measured(1), measured(3));
    }

    #[test]
    fn clouds_that_ran_away_are_told_from_wrong_ones() {
        let cloud = pinwheel("a");
        // A few points so far away that the others are below the rounding of their costs.
        let scattered = Array2::from_shape_fn(cloud.dim(), |(i, j)| {
            cloud[[i, j]] * if i % 3 == 0 { 1e13 * (i as f64 / 300.0).powi(4) } else { 1.0 }
        });
        for away in [&cloud * 1e200, scattered] {
            let error = closeness(&[(away.view(), cloud.view())], Protocol::SMOKE, None).unwrap_err();
            assert!(matches!(error, ClosenessError::OutOfRange(_)), "{error}");
        }
        let narrow = Array2::zeros((5, 2));
        let error = closeness(&[(narrow.view(), cloud.view())], Protocol::SMOKE, None).unwrap_err();
        assert!(matches!(error, ClosenessError::Exact(_)), "{error}");
    }
}
