//! What a trained flow costs.

use crate::MeasureError;
use eval::Metrics;
use flows::scalar_field::ScalarField;
use metrics::SAMPLING_BY_STEPS;
use std::time::Instant;
use train::model::{FlowModel, Model};

/// Samples that are counted and timed.
const SAMPLES: usize = 1000;
/// The fewest times that they are drawn, and for how many seconds: the least time is that of the machine when it was least
/// disturbed.
const TIMES: usize = 3;
const SECONDS: f64 = 0.2;

/// The size of a trained flow, and evaluations of networks and milliseconds for 1000 samples in several numbers of steps
/// ([`SAMPLING_BY_STEPS`]).
///
/// The samples of a Hopf–Lax flow are searches, one a point, and are counted and timed as such. Of a flow that begins with
/// the samples of a run these cost too, in the steps of their own. Complexity: that of some
/// 300 000 evaluations of a network.
///
/// # Errors
/// What drawing samples reports.
pub fn cost<N: ScalarField>(model: &FlowModel<N>) -> Result<Metrics, MeasureError> {
    let seed = model.config.seed;
    let start = model.initial(SAMPLES, seed)?;
    let before = Before::of(model.initial_run(), seed)?;
    let mut metrics = Metrics::default();
    metrics.insert(metrics::PARAMETERS, (before.parameters + model.parameter_count()) as f64);
    for (steps, evaluations, milliseconds) in SAMPLING_BY_STEPS {
        metrics.insert(evaluations, before.evaluations + model.evaluations(start.view(), steps)?);
        let seconds = timed(|| Ok(model.push_forward(start.view(), steps, seed).map(drop)?))?;
        metrics.insert(milliseconds, 1e3 * (before.seconds + seconds));
    }
    Ok(metrics)
}

/// What the initial points cost that are the samples of a run.
#[derive(Default)]
struct Before {
    parameters: usize,
    evaluations: f64,
    seconds: f64,
}

impl Before {
    fn of(run: Option<&Model>, seed: u64) -> Result<Self, MeasureError> {
        let Some(first) = run else { return Ok(Self::default()) };
        let seconds = timed(|| Ok(first.sample(SAMPLES, seed).map(drop)?))?;
        let (before, parameters, evaluations) = match first {
            Model::Flow(first) => {
                let start = first.initial(SAMPLES, seed)?;
                let evaluations = first.evaluations(start.view(), first.steps())?;
                (first.initial_run(), first.parameter_count(), evaluations)
            }
            Model::Generator(first) => (first.initial_run(), first.parameter_count(), 1.0),
            Model::Critic(_) => return Ok(Self::default()),
        };
        let before = Self::of(before, seed)?;
        Ok(Self {
            parameters: before.parameters + parameters,
            evaluations: before.evaluations + evaluations,
            seconds,
        })
    }
}

/// The least seconds of several times.
fn timed(mut act: impl FnMut() -> Result<(), MeasureError>) -> Result<f64, MeasureError> {
    let (mut least, mut spent, mut times) = (f64::INFINITY, 0.0, 0);
    while times < TIMES || spent < SECONDS {
        let begun = Instant::now();
        act()?;
        let seconds = begun.elapsed().as_secs_f64();
        (least, spent, times) = (least.min(seconds), spent + seconds, times + 1);
    }
    Ok(least)
}
