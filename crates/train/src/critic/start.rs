//! Where the tips of an envelope begin.

use crate::TrainError;
use crate::source::{Source, name};
use datasets::stream;
use flows::envelope::{Envelope, Side};
use flows::scalar_field::ScalarField;
use ndarray::{Array2, Axis};

/// Contractions that are tried: 1, 1/2, 1/4 and 1/8.
const HALVINGS: i32 = 4;
/// Points a side that they are compared on.
const POINTS: usize = 1024;

/// The parameters that a training begins with: heights of 0 over tips at points of one law, of P for the lower side and of Q
/// for the upper one, contracted towards their mean by the factor 1, 1/2, 1/4 or 1/8 with which E_P f − E_Q f is the largest.
///
/// In few dimensions these are the points themselves, f being the distance to their cloud. In many, where no point is near
/// any other, a tip in the middle is nearer to every point than those at points are, would take them all, and the others
/// would not learn: there all of them begin in the middle, equally good, and part.
pub(super) fn parameters(envelope: &Envelope, source: &Source, seed: u64) -> Result<Vec<f32>, TrainError> {
    let mut rng = stream(seed, name::CRITIC, 0);
    let law = match envelope.side() {
        Side::Lower => &source.initial,
        Side::Upper => &source.data,
    };
    let points = law.points(envelope.tips(), &mut rng)?;
    let (x, y) = (source.initial.points(POINTS, &mut rng)?, source.data.points(POINTS, &mut rng)?);
    let mut best: Option<(f64, Vec<f64>)> = None;
    for halvings in 0..HALVINGS {
        let parameters = contracted(&points, 0.5_f64.powi(halvings));
        let mean =
            |points: &Array2<f64>| Ok::<_, TrainError>(envelope.at(&parameters, points.view())?.0.mean());
        let dual = mean(&x)?.unwrap_or_default() - mean(&y)?.unwrap_or_default();
        if best.as_ref().is_none_or(|(most, _)| dual > *most) {
            best = Some((dual, parameters));
        }
    }
    Ok(best.map(|(_, parameters)| parameters.into_iter().map(|a| a as f32).collect()).unwrap_or_default())
}

/// The points, contracted towards their mean, and as many heights of 0.
fn contracted(points: &Array2<f64>, factor: f64) -> Vec<f64> {
    let mean = points.mean_axis(Axis(0)).unwrap_or_default();
    let mut parameters: Vec<f64> = (&mean + &((points - &mean) * factor)).iter().copied().collect();
    parameters.resize(parameters.len() + points.nrows(), 0.0);
    parameters
}
