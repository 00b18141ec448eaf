//! Where the tips of an envelope begin.

use crate::TrainError;
use crate::source::{Source, name};
use datasets::stream;
use flows::envelope::{Envelope, Side};
use flows::scalar_field::ScalarField;
use ndarray::{Array2, Axis};

/// Contractions that are tried.
const FACTORS: [f64; 4] = [1.0, 0.5, 0.25, 0.125];
/// Points that they are compared on.
const POINTS: usize = 1024;

/// The parameters that a training begins with: heights of 0 over tips at points of one law, of P for the lower side and of Q
/// for the upper one, contracted towards their mean by the factor 1, 1/2, 1/4 or 1/8 with which points of the law are nearest
/// to a tip.
///
/// In few dimensions these are the points themselves, f being the distance to their cloud. In many, no point is near any
/// other: a tip in the middle is nearer to every point than those at points are, would take them all, and the others would
/// not learn. There all of them begin around the middle, equally good, and part.
pub(super) fn parameters(envelope: &Envelope, source: &Source, seed: u64) -> Result<Vec<f32>, TrainError> {
    let mut rng = stream(seed, name::CRITIC, 0);
    let law = match envelope.side() {
        Side::Lower => &source.initial,
        Side::Upper => &source.data,
    };
    let (tips, points) = (law.points(envelope.tips(), &mut rng)?, law.points(POINTS, &mut rng)?);
    let mut nearest = (f64::INFINITY, Vec::new());
    for factor in FACTORS {
        let parameters = contracted(&tips, factor);
        // Over heights of 0, |f| is L times the distance to the nearest tip.
        let distance = envelope.at(&parameters, points.view())?.0.mapv(f64::abs).sum();
        if distance < nearest.0 {
            nearest = (distance, parameters);
        }
    }
    Ok(nearest.1.into_iter().map(|number| number as f32).collect())
}

/// The points, contracted towards their mean, and as many heights of 0.
fn contracted(points: &Array2<f64>, factor: f64) -> Vec<f64> {
    let mean = points.mean_axis(Axis(0)).unwrap_or_default();
    let mut parameters: Vec<f64> = (&mean + &((points - &mean) * factor)).iter().copied().collect();
    parameters.resize(parameters.len() + points.nrows(), 0.0);
    parameters
}
