//! Initial laws ρ0 of the flows.

use std::f64::consts::{PI, TAU};

use ndarray::Array2;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::SampleError;

/// The law of the particles at time 0; every coordinate is independent and has the same law.
///
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InitialLaw {
    /// N(0, std²).
    Normal {
        /// Standard deviation of a coordinate.
        std: f64,
    },
    /// Uniform on [low, high).
    Uniform {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Logistic, with density e^{−z}/(s(1 + e^{−z})²), z = (x − location)/s, s the scale.
    Logistic {
        /// Mean of a coordinate.
        location: f64,
        /// Scale; the variance of a coordinate is π²·scale²/3.
        scale: f64,
    },
}

impl Default for InitialLaw {
    /// The standard normal law.
    fn default() -> Self {
        Self::Normal { std: 1.0 }
    }
}

impl InitialLaw {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`SampleError::Parameter`] where a parameter is not finite, a scale is not positive or `low ≥ high`.
    ///
    /// ```
    /// assert!(datasets::InitialLaw::Normal { std: 0.0 }.validate().is_err());
    /// ```
    pub fn validate(&self) -> Result<(), SampleError> {
        let positive = |field, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err(SampleError::Parameter { field, value, remedy: "give a finite number above 0" })
            }
        };
        let finite = |field, value: f64| {
            if value.is_finite() {
                Ok(())
            } else {
                Err(SampleError::Parameter { field, value, remedy: "give a finite number" })
            }
        };
        match *self {
            Self::Normal { std } => positive("std", std),
            Self::Uniform { low, high } => {
                finite("low", low)?;
                finite("high", high)?;
                if low < high && (high - low).is_finite() {
                    Ok(())
                } else {
                    Err(SampleError::Parameter { field: "high", value: high, remedy: "give high > low" })
                }
            }
            Self::Logistic { location, scale } => {
                finite("location", location)?;
                positive("scale", scale)
            }
        }
    }

    /// Draws `n` independent points of R^`dim`, row by row.
    ///
    /// Shapes: [n, dim]. Complexity: O(n·dim).
    ///
    /// # Errors
    /// [`SampleError::Dimension`] for `dim = 0`, [`SampleError::Memory`] for more points than fit, and what
    /// [`InitialLaw::validate`] finds.
    ///
    /// ```
    /// # fn main() -> Result<(), datasets::SampleError> {
    /// let points = datasets::InitialLaw::default().sample(5, 2, &mut datasets::stream(1, "initial-law", 0))?;
    /// assert_eq!(points.dim(), (5, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn sample<R: Rng + ?Sized>(
        &self,
        n: usize,
        dim: usize,
        rng: &mut R,
    ) -> Result<Array2<f64>, SampleError> {
        self.validate()?;
        if dim == 0 {
            return Err(SampleError::Dimension { found: dim, least: 1 });
        }
        let memory = || SampleError::Memory { points: n, dim };
        let (mut values, count) = (Vec::new(), n.checked_mul(dim).ok_or_else(memory)?);
        values.try_reserve_exact(count).map_err(|_| memory())?;
        values.extend(std::iter::repeat_with(|| self.coordinate(rng)).take(count));
        Array2::from_shape_vec((n, dim), values).map_err(|_| memory())
    }

    /// Mean and variance of a coordinate.
    ///
    /// ```
    /// let (mean, variance) = datasets::InitialLaw::Uniform { low: -1.0, high: 3.0 }.moments();
    /// assert_eq!((mean, variance), (1.0, 16.0 / 12.0));
    /// ```
    #[must_use]
    pub fn moments(&self) -> (f64, f64) {
        match *self {
            Self::Normal { std } => (0.0, std * std),
            Self::Uniform { low, high } => (0.5 * (low + high), (high - low).powi(2) / 12.0),
            Self::Logistic { location, scale } => (location, (PI * scale).powi(2) / 3.0),
        }
    }

    /// The logarithm of the density at a point of which these are the coordinates; −∞ where the law has no mass.
    ///
    /// ```
    /// let density = datasets::InitialLaw::default().log_density([1.0, 2.0]);
    /// assert!((density + 2.5 + std::f64::consts::TAU.ln()).abs() < 1e-15);
    /// ```
    #[must_use]
    pub fn log_density(&self, point: impl IntoIterator<Item = f64>) -> f64 {
        let coordinate = |x: f64| match *self {
            Self::Normal { std } => -0.5 * (x / std).powi(2) - std.ln() - 0.5 * TAU.ln(),
            Self::Uniform { low, high } if (low..high).contains(&x) => -(high - low).ln(),
            Self::Uniform { .. } => f64::NEG_INFINITY,
            Self::Logistic { location, scale } => {
                let z = ((x - location) / scale).abs();
                -z - scale.ln() - 2.0 * (-z).exp().ln_1p()
            }
        };
        point.into_iter().map(coordinate).sum()
    }

    fn coordinate<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        match *self {
            Self::Normal { std } => std * rng.sample::<f64, _>(StandardNormal),
            Self::Uniform { low, high } => low + (high - low) * rng.random::<f64>(),
            // The inverse distribution function at a uniform of the OPEN interval: 0 would give −∞.
            Self::Logistic { location, scale } => {
                let u: f64 = rng.sample(rand::distr::Open01);
                location + scale * (u / (1.0 - u)).ln()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::InitialLaw;
    use crate::{SampleError, stream};

    const LAWS: [InitialLaw; 3] = [
        InitialLaw::Normal { std: 0.3 },
        InitialLaw::Uniform { low: -1.0, high: 2.0 },
        InitialLaw::Logistic { location: 2.0, scale: 0.5 },
    ];

    /// Mean, variance and fourth central moment of one coordinate, from the textbook formulas: 3σ⁴; w²/12 and w⁴/80;
    /// π²s²/3 and 7π⁴s⁴/15.
    fn moments(law: &InitialLaw) -> (f64, f64, f64) {
        let pi = std::f64::consts::PI;
        match *law {
            InitialLaw::Normal { std } => (0.0, std.powi(2), 3.0 * std.powi(4)),
            InitialLaw::Uniform { low, high } => {
                ((low + high) / 2.0, (high - low).powi(2) / 12.0, (high - low).powi(4) / 80.0)
            }
            InitialLaw::Logistic { location, scale } => {
                (location, (pi * scale).powi(2) / 3.0, 7.0 * (pi * scale).powi(4) / 15.0)
            }
        }
    }

    #[test]
    fn more_points_than_memory_are_an_error() {
        let mut rng = stream(0, "test", 0);
        for (n, dim) in [(usize::MAX / 2, 2), (usize::MAX / 16, 1)] {
            let found = InitialLaw::default().sample(n, dim, &mut rng);
            assert_eq!(found, Err(SampleError::Memory { points: n, dim }));
        }
    }

    /// 5 standard errors: √(variance/n) of a mean, √((μ4 − σ⁴)/n) of a second moment, √(σ⁴/n) of a product.
    #[test]
    fn moments_and_independence() {
        let n = 20_000_usize;
        for law in &LAWS {
            for dim in [1, 2, 7, 12] {
                let points = law.sample(n, dim, &mut stream(3, "law", 0)).unwrap();
                let (mean, variance, fourth) = moments(law);
                let centred = &points - mean;
                let slack = |square: f64| 5.0 * (square / n as f64).sqrt();
                for j in 0..dim {
                    let column = centred.column(j);
                    assert!(column.mean().unwrap().abs() < slack(variance), "{law:?}");
                    let second = column.dot(&column) / n as f64;
                    assert!((second - variance).abs() < slack(fourth - variance * variance), "{law:?}");
                    let next = centred.column((j + 1) % dim);
                    let cross = column.dot(&next) / n as f64;
                    assert!(dim == 1 || cross.abs() < slack(variance * variance), "{law:?}");
                }
            }
        }
    }

    #[test]
    fn the_uniform_law_keeps_its_support() {
        let points = LAWS[1].sample(2000, 3, &mut stream(0, "law", 0)).unwrap();
        assert!(points.iter().all(|&x| (-1.0..2.0).contains(&x)));
        assert!(points.iter().any(|&x| x < -0.95) && points.iter().any(|&x| x > 1.95));
    }

    #[test]
    fn wrong_parameters_are_named() {
        let cases = [
            (InitialLaw::Normal { std: 0.0 }, "std"),
            (InitialLaw::Normal { std: f64::NAN }, "std"),
            (InitialLaw::Uniform { low: 1.0, high: 1.0 }, "high"),
            (InitialLaw::Uniform { low: f64::NEG_INFINITY, high: 1.0 }, "low"),
            (InitialLaw::Uniform { low: -f64::MAX, high: f64::MAX }, "high"),
            (InitialLaw::Logistic { location: f64::INFINITY, scale: 1.0 }, "location"),
            (InitialLaw::Logistic { location: 0.0, scale: -1.0 }, "scale"),
        ];
        for (law, name) in cases {
            let error = law.sample(3, 2, &mut stream(0, "law", 0)).unwrap_err();
            assert!(
                matches!(error, SampleError::Parameter { field, .. } if field == name),
                "{law:?} gave {error}"
            );
        }
        let error = InitialLaw::default().sample(3, 0, &mut stream(0, "law", 0)).unwrap_err();
        assert!(matches!(error, SampleError::Dimension { .. }));
    }
}
