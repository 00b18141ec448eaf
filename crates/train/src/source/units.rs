//! The user's units of length, and those of the training.

use crate::TrainError;
use crate::checkpoint::{State, Stored};
use metrics::Metric;
use mfg::{MfgError, Noise, Trajectory};
use ndarray::{Array1, Array2, ArrayView2, s};

/// The map between points x in the user's units and points z as networks see them.
///
/// ```text
/// x = centre + scale·z        (one scale for all coordinates: an optimal coupling of z is one of x)
/// ```
///
/// Horizon and λ are the same in both units. The potentials U and φ, the kinetic energy and squared distances scale
/// with scale², slopes, velocities and distances with scale.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Units {
    /// Both are the same: z = x.
    #[default]
    Same,
    /// Points are centred and scaled before the training sees them.
    Scaled {
        /// The mean of each coordinate, \[d\].
        centre: Array1<f64>,
        /// The length that is 1 in the training.
        scale: f64,
    },
}

impl Units {
    /// The units in which the rows of `points` have mean 0 and mean square 1 over all coordinates.
    ///
    /// ```text
    /// centre = (1/n) Σ xᵢ,        scale² = (1/(n·d)) Σ ‖xᵢ − centre‖²
    /// ```
    ///
    /// The scale is 1 where all rows are equal. Shapes: [n, d]. Complexity: O(n·d).
    pub fn of(points: ArrayView2<'_, f64>) -> Self {
        let Some(first) = points.rows().into_iter().next() else { return Self::Same };
        // From the first point, so that no digit is lost far from the origin.
        let mut offset = Array1::zeros(first.len());
        points.rows().into_iter().for_each(|point| offset += &(&point - &first));
        let centre = &first + &(offset / points.nrows() as f64);
        let gaps =
            || points.rows().into_iter().flat_map(|point| point.into_iter().zip(&centre)).map(|(x, c)| x - c);
        let most = gaps().fold(0.0, |most: f64, gap| most.max(gap.abs()));
        if most == 0.0 {
            return Self::Scaled { centre, scale: 1.0 };
        }
        // In units of the largest, so that no square leaves the range of the numbers.
        let squares = gaps().map(|gap| (gap / most) * (gap / most)).sum::<f64>();
        Self::Scaled { centre, scale: most * (squares / points.len() as f64).sqrt() }
    }

    /// The length that is 1 in the training.
    pub fn scale(&self) -> f64 {
        match self {
            Self::Same => 1.0,
            Self::Scaled { scale, .. } => *scale,
        }
    }

    /// z = (x − centre)/scale of each row, [n, d]; further coordinates, a condition, stay.
    pub fn scaled(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut z = x.to_owned();
        if let Self::Scaled { centre, scale } = self {
            let mut coordinates = z.slice_mut(s![.., ..centre.len()]);
            coordinates -= centre;
            coordinates /= *scale;
        }
        z
    }

    /// x = centre + scale·z of each row, [n, d]; further coordinates, a condition, stay.
    pub fn restored(&self, z: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut x = z.to_owned();
        if let Self::Scaled { centre, scale } = self {
            let mut coordinates = x.slice_mut(s![.., ..centre.len()]);
            coordinates *= *scale;
            coordinates += centre;
        }
        x
    }

    /// The units of points of `dim` coordinates: the same for points that are not of the dimension of the data.
    pub(crate) fn of_dimension(&self, dim: usize) -> Self {
        match self {
            Self::Scaled { centre, .. } if centre.len() == dim => self.clone(),
            _ => Self::Same,
        }
    }

    /// A value of the training in the user's units: scaleᵖ·value, where lengthᵖ is in the unit of the metric
    /// ([`Metric::length_power`]).
    pub fn value(&self, metric: &Metric, value: f64) -> f64 {
        value * self.scale().powi(metric.length_power())
    }

    /// A trajectory of the training in the user's units.
    pub(crate) fn trajectory(&self, trajectory: Trajectory) -> Result<Trajectory, MfgError> {
        let Self::Scaled { scale, .. } = *self else { return Ok(trajectory) };
        let mut parts = trajectory.parts().clone();
        parts.positions.iter_mut().for_each(|z| *z = self.restored(z.view()));
        parts.potential_gradient.iter_mut().for_each(|gradient| *gradient *= scale);
        parts.critic_gradient.iter_mut().for_each(|gradient| *gradient *= scale);
        // ΔU keeps its value: U grows with scale², and so does the square of a length that divides it.
        if let Some(Noise { sigma, .. }) = &mut parts.noise {
            *sigma *= scale;
        }
        let energies = [&mut parts.potential_time_derivative, &mut parts.interaction];
        energies.into_iter().flatten().flatten().for_each(|values| *values *= scale * scale);
        Trajectory::new(parts)
    }
}

/// The name of the units in a checkpoint.
const STORED: &str = "units";

impl Units {
    /// Writes the units into a state, if there are any.
    pub(crate) fn store(&self, state: &mut State) {
        if let Self::Scaled { centre, scale } = self {
            let numbers: Vec<f64> = std::iter::once(scale).chain(centre).copied().collect();
            state.doubles(STORED, &numbers);
        }
    }

    /// The units in a checkpoint.
    pub(crate) fn stored(state: &Stored) -> Result<Self, TrainError> {
        if !state.has(STORED)? {
            return Ok(Self::Same);
        }
        Ok(match state.doubles(STORED)?.split_first() {
            Some((&scale, centre)) => Self::Scaled { centre: centre.to_vec().into(), scale },
            None => Self::Same,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn points_have_mean_zero_and_mean_square_one() {
        // By hand: means 12 and 100, squares 3·1² + 3·2² … over six numbers.
        let points = array![[11.0, 98.0], [12.0, 100.0], [13.0, 102.0]];
        let units = Units::of(points.view());
        assert_eq!(units, Units::Scaled { centre: array![12.0, 100.0], scale: (10.0_f64 / 6.0).sqrt() });
        let z = units.scaled(points.view());
        assert_eq!(z[[1, 0]], 0.0);
        // Rounding of one division and one product.
        assert!((&units.restored(z.view()) - &points).iter().all(|gap| gap.abs() < 1e-13));
    }

    /// Seconds since 1970, a second apart: single precision steps by 128 there.
    #[test]
    fn no_digit_is_lost_far_from_the_origin() {
        let times = Array2::from_shape_fn((1000, 1), |(i, _)| 1.7e9 + i as f64);
        let units = Units::of(times.view());
        let z = units.scaled(times.view()).mapv(|z| f64::from(z as f32));
        // The deviation of 0, …, n − 1 is √((n² − 1)/12); single precision keeps 2⁻²⁴ of values up to √3.
        assert!((units.scale() - (999_999.0_f64 / 12.0).sqrt()).abs() < 1e-9);
        let lost =
            (&units.restored(z.view()) - &times).iter().fold(0.0, |most: f64, gap| most.max(gap.abs()));
        assert!(lost < 500.0 * 2.0_f64.powi(-24) + 1e-6, "{lost}");
    }

    #[test]
    fn equal_points_and_extreme_spreads_have_a_scale() {
        assert_eq!(Units::of(Array2::from_elem((4, 2), 1.7e9).view()).scale(), 1.0);
        for size in [1e-300, 1e300] {
            let units = Units::of(array![[-size], [size]].view());
            assert!((units.scale() / size - 1.0).abs() < 1e-15, "{units:?}");
        }
        assert_eq!(Units::of(Array2::zeros((0, 2)).view()), Units::Same);
    }

    /// Units that are the same change no bit, not even the sign of a zero.
    #[test]
    fn the_same_units_change_nothing() {
        let points = array![[-0.0, 1e-310]];
        assert!(Units::Same.restored(points.view())[[0, 0]].is_sign_negative());
        assert_eq!(Units::Same.value(metrics::W2_SQUARED, 0.1), 0.1);
    }
}
