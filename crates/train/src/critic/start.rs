//! Where the tips of an envelope begin.

use crate::TrainError;
use crate::source::{Source, name};
use datasets::stream;
use flows::envelope::{Envelope, Side};
use flows::scalar_field::ScalarField;
use ot_core::Measure;
use ot_core::cost::Euclidean;
use ot_core::exact::{self, ExactError};

/// Most points of the plan whose potentials are the first heights: it takes a second or two.
const PLANNED: usize = 1024;

/// The parameters that a training begins with: tips at points of one law, of P for the lower side and of Q for the upper
/// one, with the Kantorovich potentials of the exact plan between these and as many points of the other law as heights.
///
/// So the critic of one minibatch is where the ascent begins: f(xᵢ) − f(yⱼ) = ‖xᵢ − yⱼ‖ on the pairs of its plan. Where there
/// are more tips than a plan is made for, each part of them has a plan of its own.
pub(super) fn parameters(envelope: &Envelope, source: &Source, seed: u64) -> Result<Vec<f32>, TrainError> {
    let (mut rng, bound) = (stream(seed, name::CRITIC, 0), envelope.bound());
    let (mut tips, mut heights) = (Vec::new(), Vec::new());
    for first in (0..envelope.tips()).step_by(PLANNED) {
        let count = PLANNED.min(envelope.tips() - first);
        let x = source.initial.points(count, &mut rng)?;
        let y = source.data.points(count, &mut rng)?;
        let from = Measure::uniform(x.view()).map_err(ExactError::from)?;
        let to = Measure::uniform(y.view()).map_err(ExactError::from)?;
        let plan = exact::solve(&from, &to, &Euclidean::Distance)?;
        let (points, values) = match envelope.side() {
            Side::Lower => (&x, plan.potentials.f().to_vec()),
            Side::Upper => (&y, plan.potentials.g().iter().map(|g| -g).collect()),
        };
        // The potentials of each plan are free up to a constant.
        let mean = values.iter().sum::<f64>() / count as f64;
        tips.extend(points.iter().map(|&x| x as f32));
        heights.extend(values.iter().map(|b| (bound * (b - mean)) as f32));
    }
    tips.extend(heights);
    debug_assert_eq!(tips.len(), envelope.parameter_count(), "a tip has its coordinates and its height");
    Ok(tips)
}
