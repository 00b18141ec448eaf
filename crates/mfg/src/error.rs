//! What can be wrong with the arrays or parameters of a game.

use thiserror::Error;

/// A trajectory, residual or closed form that cannot be computed from what was given.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum MfgError {
    /// An array has the wrong shape.
    #[error(
        "{array} has shape {found:?} where {expected:?} is needed: give one entry per time, particle and coordinate"
    )]
    Shape {
        /// The array.
        array: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// The shape needed.
        expected: Vec<usize>,
    },
    /// There are too few of something.
    #[error("{found} {what} given: at least {least} are needed")]
    TooFew {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        least: usize,
    },
    /// A value is NaN or infinite.
    #[error("{array} holds {value} at time index {time}: stop the flow before it diverges")]
    NonFinite {
        /// The array.
        array: &'static str,
        /// The index of the time.
        time: usize,
        /// The value.
        value: f64,
    },
    /// The times do not start at 0 or do not increase.
    #[error("time {time} has index {index}: times start at 0 and increase strictly")]
    Times {
        /// The index.
        index: usize,
        /// The time there.
        time: f64,
    },
    /// A parameter is outside its domain.
    #[error("{parameter} = {value} is outside its domain: {remedy}")]
    Parameter {
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What to give instead.
        remedy: &'static str,
    },
}

/// Checks that a parameter is finite and above 0.
pub(crate) fn positive(parameter: &'static str, value: f64) -> Result<(), MfgError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(MfgError::Parameter { parameter, value, remedy: "give a finite number above 0" })
    }
}

/// Checks the shape of an array.
pub(crate) fn shape(array: &'static str, found: &[usize], expected: &[usize]) -> Result<(), MfgError> {
    if found == expected {
        Ok(())
    } else {
        Err(MfgError::Shape { array, found: found.to_vec(), expected: expected.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::{MfgError, positive, shape};

    #[test]
    fn only_finite_numbers_above_zero_are_positive() {
        for value in [f64::MIN_POSITIVE, 1.0, f64::MAX] {
            assert_eq!(positive("lambda", value), Ok(()));
        }
        for value in [0.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let message = positive("lambda", value).unwrap_err().to_string();
            assert_eq!(
                message,
                format!("lambda = {value} is outside its domain: give a finite number above 0")
            );
        }
    }

    #[test]
    fn shapes_are_equal_or_both_are_named() {
        assert_eq!(shape("positions", &[3, 2], &[3, 2]), Ok(()));
        let (array, found, expected) = ("positions", vec![3, 2], vec![3, 3]);
        assert_eq!(shape(array, &[3, 2], &[3, 3]), Err(MfgError::Shape { array, found, expected }));
    }
}
