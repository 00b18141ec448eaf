//! Measures of a critic that was trained alone.

use crate::known_map::known_pairs;
use crate::stream_name::FUNNELS;
use crate::subject::{Side, Target};
use crate::{MeasureError, Measurement, Tell};
use datasets::{Funnels, stream};
use eval::Metrics;
use eval::results::Protocol;
use metrics::{COSINE, CRITIC_SLOPE_MAX, W1_DUAL, W1_ERROR, W1_KNOWN, W1_KNOWN_ERROR};
use ndarray::{Array2, ArrayView1, Axis, concatenate};
use ot_core::Measure;
use ot_core::cost::Euclidean;
use ot_core::exact::{self, ExactError};
use train::TrainError;
use train::config::{Config, Points};
use train::model::CriticModel;
use train::source::Inputs;

/// Pairs of the optimal plan that critics are compared on.
const PAIRS: usize = 1 << 14;

/// Pairs (x, y) of the optimal plan that no training has seen, and the gradient of the optimal critic at x.
struct Truth {
    funnels: Funnels,
    x: Array2<f64>,
    y: Array2<f64>,
    slopes: Array2<f64>,
}

impl Truth {
    /// The truth between two laws with this seed; none where they are not the two sides of funnels.
    fn of(
        (initial, data): (&Points, &Points),
        seed: u64,
        inputs: &Inputs,
        protocol: Protocol,
    ) -> Result<Option<Self>, MeasureError> {
        let (Some(known), other) = (data.funnels(), initial.funnels()) else { return Ok(None) };
        if other != Some(known) {
            return Ok(None);
        }
        let (set, count, dim) = known;
        let funnels = set.funnels(count, dim, &inputs.data_sets)?;
        let (x, y) = funnels.pairs(known_pairs(protocol, PAIRS), &mut stream(seed, FUNNELS, 0));
        let slopes = funnels.critic(x.view()).1;
        Ok(Some(Self { funnels, x, y, slopes }))
    }

    /// W1, the mean of ‖x − y‖ over the pairs, and its standard error.
    fn w1(&self) -> (f64, f64) {
        let ways = (&self.x - &self.y).map_axis(Axis(1), length);
        (ways.mean().unwrap_or_default(), (ways.var(1.0) / ways.len() as f64).sqrt())
    }
}

fn length(x: ArrayView1<'_, f64>) -> f64 {
    x.dot(&x).sqrt()
}

/// The mean cosine between the rows of two arrays; rows of length 0 count 0.
fn cosine(ours: &Array2<f64>, truth: &Array2<f64>) -> f64 {
    let rows = ours.rows().into_iter().zip(truth.rows());
    let cosines = rows.map(|(a, b)| a.dot(&b) / (length(a) * length(b)).max(f64::MIN_POSITIVE));
    cosines.sum::<f64>() / ours.nrows().max(1) as f64
}

/// Measures a critic on points of both laws that it has not seen: its dual value, its largest slope, and where the optimal
/// critic is known the cosine between the gradients and the error of W1. `tell` hears what is measured next.
///
/// # Errors
/// [`MeasureError::NotFinite`] where the critic leads out of the finite numbers; what reading the data reports.
pub fn critic(
    model: &CriticModel,
    inputs: &Inputs,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Measurement, MeasureError> {
    let config = &model.config;
    let target = Target::new(config, inputs)?;
    let layout = target.layout(protocol);
    tell("the critic on fresh points");
    let truth = Truth::of((&config.initial, &config.data), config.seed, inputs, protocol)?;
    let (x, y) = match &truth {
        Some(truth) => (truth.x.clone(), truth.y.clone()),
        None => {
            let clouds = target.clouds(Side::Reference, layout)?;
            let views: Vec<_> = clouds.iter().map(|cloud| cloud.view()).collect();
            let y = model.units.restored(concatenate(Axis(0), &views)?.view());
            (model.initial(y.nrows(), config.seed)?, y)
        }
    };
    let bound = config.critic.bound();
    let ((at_x, slopes), (at_y, others)) = (model.at(x.view())?, model.at(y.view())?);
    let dual = (at_x.mean().unwrap_or_default() - at_y.mean().unwrap_or_default()) / bound;
    if !dual.is_finite() {
        return Err(MeasureError::NotFinite(format!("the dual value of the critic is {dual}")));
    }
    let between = model.at((0.5 * (&x + &y)).view())?.1;
    let steepest =
        [&slopes, &others, &between].map(|slopes| slopes.rows().into_iter().map(length).fold(0.0, f64::max));
    let mut metrics = Metrics::default();
    metrics.insert(W1_DUAL, dual);
    metrics.insert(CRITIC_SLOPE_MAX, steepest.into_iter().fold(0.0, f64::max) / bound);
    if let Some(truth) = &truth {
        let (w1, error) = truth.w1();
        metrics.insert(COSINE, cosine(&slopes, &truth.slopes));
        metrics.insert(W1_ERROR, 100.0 * (dual / w1 - 1.0));
        metrics.insert(W1_KNOWN, w1);
        metrics.insert(W1_KNOWN_ERROR, error);
    }
    Ok(Measurement { metrics, layout, start: None, generated: x, labels: Vec::new(), target: y })
}

/// What every critic has to beat where the optimal one is known, by name: `dot`, the exact plan between minibatches, whose
/// directions (x − y)/‖x − y‖ stand for gradients and whose cost for W1. None where it is not known.
///
/// # Errors
/// What reading the files reports.
pub fn simple_critics(
    config: &Config,
    inputs: &Inputs,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Vec<(&'static str, Metrics)>, MeasureError> {
    let sides = (config.initial(), config.data());
    let Some(truth) = Truth::of(sides, config.seed(), inputs, protocol)? else { return Ok(Vec::new()) };
    let (w1, error) = truth.w1();
    let (mut cosines, mut errors) = (Vec::new(), Vec::new());
    for pair in 1..=protocol.pairs as u64 {
        tell("the exact plan of a minibatch");
        let mut rng = stream(config.seed(), FUNNELS, pair);
        let (x, y) = (
            truth.funnels.source(protocol.exact_points, &mut rng),
            truth.funnels.image(protocol.exact_points, &mut rng),
        );
        let measure = |points| Measure::uniform(points).map_err(|e| TrainError::from(ExactError::from(e)));
        let (from, to) = (measure(x.view())?, measure(y.view())?);
        let plan = exact::solve(&from, &to, &Euclidean::Distance).map_err(TrainError::from)?;
        let directions = &x - &plan.barycentric_map();
        cosines.push(cosine(&directions, &truth.funnels.critic(x.view()).1));
        errors.push(100.0 * (plan.primal() / w1 - 1.0));
    }
    let mut metrics = Metrics::default();
    metrics.insert_repeated(COSINE, &cosines);
    metrics.insert_repeated(W1_ERROR, &errors);
    metrics.insert(W1_KNOWN, w1);
    metrics.insert(W1_KNOWN_ERROR, error);
    Ok(vec![("dot", metrics)])
}

#[cfg(test)]
mod tests {
    use super::{Truth, cosine, simple_critics};
    use eval::results::Protocol;
    use metrics::{COSINE, CRITIC_SLOPE_MAX, W1_DUAL, W1_ERROR, W1_KNOWN};
    use train::config::{Config, Configuration};
    use train::source::Inputs;
    use train::{CriticConfig, Run};

    fn text(critic: &str, iterations: u64) -> String {
        let points = "{ kind = \"funnels\", set = \"random\", funnels = 3, dim = 5 }";
        format!(
            "kind = \"critic\"\nname = \"small\"\ndata = {points}\ninitial = {points}\ncritic = {critic}\n[training]\n\
             iterations = {iterations}\nbatch = 256\naverage = 0.9\noptimiser = {{ learning_rate = 0.05 }}"
        )
    }

    /// Cones that begin at the potentials of one plan come within a percent of W1, and point the right way. (0.6 s.)
    #[test]
    fn a_hopf_lax_critic_learns_the_optimal_one() {
        let config = CriticConfig::parse(&text("{ tips = 64 }", 300), "small", None, &[]).unwrap();
        let model = Run::new(config).train().unwrap().model;
        let measured = super::critic(&model, &Inputs::default(), Protocol::SMOKE, &|_| {}).unwrap().metrics;
        let value = |metric| measured.get(metric).unwrap();
        // Where the training has come to with other seeds: cosines from .99 on, errors within .5 %.
        assert!(value(COSINE) > 0.97, "{measured:?}");
        assert!(value(W1_ERROR).abs() < 2.0, "{measured:?}");
        assert!(value(CRITIC_SLOPE_MAX) < 1.0 + 1e-9, "{measured:?}");
        assert!((value(W1_DUAL) / value(W1_KNOWN) - 1.0 - value(W1_ERROR) / 100.0).abs() < 1e-12);
    }

    /// The plan of a minibatch costs too much, the more the fewer points there are, and its directions are those of chance.
    #[test]
    fn the_plan_of_a_minibatch_is_no_critic() {
        let config = Config::parse(&text("{ tips = 64 }", 1), "small", None, &[]).unwrap();
        let found = simple_critics(&config, &Inputs::default(), Protocol::SMOKE, &|_| {}).unwrap();
        let [("dot", metrics)] = found.as_slice() else { panic!("{found:?}") };
        assert!(metrics.get(W1_ERROR).unwrap() > 5.0, "{metrics:?}");
        assert!(metrics.get(COSINE).unwrap() < 0.95, "{metrics:?}");
        // The truth is its own critic.
        let sides = (config.initial(), config.data());
        let truth = Truth::of(sides, 0, &Inputs::default(), Protocol::SMOKE).unwrap().unwrap();
        assert!((cosine(&truth.slopes, &truth.slopes) - 1.0).abs() < 1e-12);
    }
}
