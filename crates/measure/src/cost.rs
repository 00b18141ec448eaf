//! What a trained flow costs.

use crate::MeasureError;
use eval::Metrics;
use flows::scalar_field::ScalarField;
use metrics::SAMPLING_BY_STEPS;
use std::time::Instant;
use train::model::FlowModel;

/// Samples that are counted and timed.
const SAMPLES: usize = 1000;
/// The fewest times that they are drawn, and for how many seconds: the least time is that of the machine when it was least
/// disturbed.
const TIMES: usize = 3;
const SECONDS: f64 = 0.2;

/// The size of a trained flow, and evaluations of networks and milliseconds for 1000 samples in several numbers of steps
/// ([`SAMPLING_BY_STEPS`]).
///
/// The samples of a Hopf–Lax flow are searches, one a point, and are counted and timed as such. Complexity: that of some
/// 300 000 evaluations of a network.
///
/// # Errors
/// What drawing samples reports.
pub fn cost<N: ScalarField>(model: &FlowModel<N>) -> Result<Metrics, MeasureError> {
    let seed = model.config.seed;
    let start = model.initial(SAMPLES, seed)?;
    let mut metrics = Metrics::default();
    metrics.insert(metrics::PARAMETERS, model.parameter_count() as f64);
    for (steps, evaluations, milliseconds) in SAMPLING_BY_STEPS {
        metrics.insert(evaluations, model.evaluations(start.view(), steps)?);
        let (mut least, mut spent, mut times) = (f64::INFINITY, 0.0, 0);
        while times < TIMES || spent < SECONDS {
            let begun = Instant::now();
            model.push_forward(start.view(), steps, seed)?;
            let seconds = begun.elapsed().as_secs_f64();
            (least, spent, times) = (least.min(seconds), spent + seconds, times + 1);
        }
        metrics.insert(milliseconds, 1e3 * least);
    }
    Ok(metrics)
}
