//! Why there is no measurement.

use ndarray::Array2;
use std::path::PathBuf;
use thiserror::Error;

/// An error of a measurement.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// The model is there, but it leads out of the finite numbers: a divergence, not a failure.
    #[error("{0}")]
    NotFinite(String),
    /// The model, its configuration or its data.
    #[error(transparent)]
    Train(#[from] train::TrainError),
    /// Clouds that have no distance.
    #[error(transparent)]
    Closeness(eval::ClosenessError),
    /// Clouds of rows that have no distance.
    #[error(transparent)]
    Distance(#[from] eval::distances::DistanceError),
    /// Points without nearest ones.
    #[error(transparent)]
    Neighbours(#[from] ot_core::neighbours::NeighbourError),
    /// Labels that do not fit.
    #[error(transparent)]
    Accuracy(#[from] eval::AccuracyError),
    /// A trajectory without indicators.
    #[error(transparent)]
    Indicators(#[from] mfg::MfgError),
    /// Particles without moments.
    #[error(transparent)]
    Moments(#[from] ot_core::gaussian::GaussianError),
    /// Points that cannot be drawn.
    #[error(transparent)]
    Sample(#[from] datasets::SampleError),
    /// Digits that cannot be read.
    #[error(transparent)]
    Data(#[from] datasets::DataError),
    /// Clouds of different dimensions.
    #[error(
        "the clouds have different dimensions ({0}): measure a model against the data that it was trained on"
    )]
    Shape(#[from] ndarray::ShapeError),
    /// Records that cannot be read.
    #[error("{} cannot be read ({source}): give the folder of a run", path.display())]
    Records {
        /// The file.
        path: PathBuf,
        /// The reason given.
        source: std::io::Error,
    },
}

impl From<eval::ClosenessError> for MeasureError {
    /// Tells numbers that are out of range from programming and input errors.
    fn from(error: eval::ClosenessError) -> Self {
        match error {
            eval::ClosenessError::OutOfRange(_) => Self::NotFinite(error.to_string()),
            other => Self::Closeness(other),
        }
    }
}

/// Refuses points of which a coordinate is not finite.
pub(crate) fn finite(points: Array2<f64>) -> Result<Array2<f64>, MeasureError> {
    match points.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(MeasureError::NotFinite(format!("a generated coordinate is {value}"))),
        None => Ok(points),
    }
}
