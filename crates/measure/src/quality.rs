//! How near the samples of a flow are to its target while it is trained.

use crate::known_map::Truth;
use crate::subject::{Side, Target};
use crate::{MeasureError, Records};
use eval::results::{Layout, Protocol};
use flows::scalar_field::ScalarField;
use metrics::{L2_UVP, Metric, NEAR_FLOOR, W2_SQUARED};
use ndarray::{Array2, Axis, concatenate, s};
use std::time::Instant;
use train::config::{Configuration, FlowConfig, Points};
use train::model::FlowModel;
use train::source::Inputs;

/// Seconds that are never denied.
const ALWAYS: f64 = 0.25;
/// The most of the time of a training that is given to them.
const SHARE: f64 = 0.1;

/// What the quality of a flow is read in, the one that says more first.
pub const QUALITY: [&Metric; 2] = [L2_UVP, W2_SQUARED];

/// Measures [`QUALITY`] at some records of a training as [`crate::flow()`] measures it at the end: `l2_uvp` on the same
/// pairs where the optimal map is known, and elsewhere `w2_squared` from the same initial points, in as many steps, against
/// the same clouds. So the last point of the curve is the number of the table.
///
/// A reading is made when the iterations have grown by a factor √2, and left out where all of them would take more than a
/// tenth of the time that the training took so far; which ones are depends on the clock, their values do not.
#[derive(Debug)]
pub struct Quality {
    against: Against,
    every: u64,
    begun: Instant,
    /// Seconds of all readings, and of the last one.
    read: (f64, f64),
}

/// What a flow is compared with.
#[derive(Debug)]
enum Against {
    Truth(Box<Truth>),
    Clouds(Clouds),
    Nothing,
}

/// Clouds of the target, and where particles begin.
#[derive(Debug)]
struct Clouds {
    target: Vec<Array2<f64>>,
    /// Initial points of all clouds, one after the other; drawn by the first model.
    start: Option<Array2<f64>>,
    layout: Layout,
    points: usize,
}

impl Quality {
    /// Draws the pairs of the known map, or the clouds of the target, at most `pairs` of those of the protocol. Digits that are
    /// moved to digits are judged by test digits, at the end alone.
    ///
    /// # Errors
    /// What reading the data reports.
    pub fn new(
        config: &FlowConfig,
        inputs: &Inputs,
        protocol: Protocol,
        pairs: usize,
    ) -> Result<Self, MeasureError> {
        let sides = (&config.initial, &config.data);
        let against = match (Truth::of(sides, config.seed, inputs, protocol)?, sides) {
            (Some(truth), _) => Against::Truth(Box::new(truth)),
            (None, (Points::Digits { .. }, Points::Digits { .. })) => Against::Nothing,
            (None, _) => Against::Clouds(Clouds::new(config, inputs, protocol, pairs)?),
        };
        let (every, begun) = (config.training().log_every, Instant::now());
        Ok(Self { against, every, begun, read: (0.0, 0.0) })
    }

    /// The metric of the model after `iteration` iterations, in the units of the training, where a reading is due; NaN
    /// where the flow leads out of the finite numbers.
    ///
    /// # Errors
    /// What making the model and moving its points reports.
    pub fn measure<N: ScalarField + Clone, E: Into<MeasureError>>(
        &mut self,
        iteration: u64,
        model: impl FnOnce() -> Result<FlowModel<N>, E>,
    ) -> Result<Option<(&'static Metric, f64)>, MeasureError> {
        let trained = self.begun.elapsed().as_secs_f64() - self.read.0;
        let is_affordable = self.read.0 + self.read.1 <= ALWAYS.max(SHARE * trained);
        if !is_due(iteration, self.every) || !is_affordable {
            return Ok(None);
        }
        let begun = Instant::now();
        let model = model().map_err(Into::into)?.in_training_units();
        let found = match &mut self.against {
            Against::Truth(truth) => (L2_UVP, error(truth, &model)?),
            Against::Clouds(clouds) => (W2_SQUARED, clouds.distance(&model)?),
            Against::Nothing => return Ok(None),
        };
        let seconds = begun.elapsed().as_secs_f64();
        self.read = (self.read.0 + seconds, seconds);
        Ok(Some(found))
    }
}

/// `l2_uvp` of a flow.
fn error<N: ScalarField>(truth: &Truth, model: &FlowModel<N>) -> Result<f64, MeasureError> {
    let moved = model.push_forward(truth.x.view(), model.steps(), model.config.seed)?;
    Ok(truth.scores(&moved, None).get(L2_UVP).unwrap_or(f64::NAN))
}

impl Clouds {
    fn new(
        config: &FlowConfig,
        inputs: &Inputs,
        protocol: Protocol,
        pairs: usize,
    ) -> Result<Self, MeasureError> {
        let target = Target::new(config, inputs)?;
        let layout = target.layout(protocol);
        let layout = Layout { pairs: layout.pairs.min(pairs), ..layout };
        let points = protocol.exact_points.min(layout.points);
        let clouds = target.clouds(Side::Reference, layout)?;
        let head = |cloud: &Array2<f64>| target.coordinates(cloud.slice(s![..points, ..])).to_owned();
        let target = clouds.iter().map(head).collect();
        Ok(Self { target, start: None, layout, points })
    }

    fn distance<N: ScalarField>(&mut self, model: &FlowModel<N>) -> Result<f64, MeasureError> {
        let seed = model.config.seed;
        let start = match &self.start {
            Some(start) => start,
            None => {
                let Layout { pairs, points, .. } = self.layout;
                let all = model.initial(pairs * points, seed)?;
                let clouds = all.axis_chunks_iter(Axis(0), points.max(1));
                let heads: Vec<_> = clouds.map(|cloud| cloud.slice_move(s![..self.points, ..])).collect();
                self.start.insert(concatenate(Axis(0), &heads)?)
            }
        };
        let generated = model.push_forward(start.view(), model.steps(), seed)?;
        if generated.iter().any(|x| !x.is_finite()) {
            return Ok(f64::NAN);
        }
        let generated = model.coordinates(generated.view());
        let clouds = generated.axis_chunks_iter(Axis(0), self.points.max(1));
        let distances = clouds.zip(&self.target).map(|(x, y)| eval::w2_squared(x, y.view()));
        let sum = distances.sum::<Result<f64, _>>();
        // A distance that is out of range is one of a flow that diverges.
        Ok(sum.map_or(f64::NAN, |sum| sum / self.target.len() as f64))
    }
}

/// Whether a power of √2 lies after the record before this one, `every` iterations ago.
fn is_due(iteration: u64, every: u64) -> bool {
    let power = |k: i32| 2_f64.powf(f64::from(k) / 2.0).ceil() as u64;
    (0..2 * u64::BITS as i32).any(|k| (iteration.saturating_sub(every) + 1..=iteration).contains(&power(k)))
}

/// Seconds of training until `w2_squared` was near its `floor` ([`NEAR_FLOOR`]), by the records of a run and what it had
/// after all `seconds`; none where it never was.
#[must_use]
pub fn seconds_to_near_floor(
    records: &Records,
    (seconds, w2_squared): (f64, f64),
    floor: f64,
) -> Option<f64> {
    let limit = NEAR_FLOOR * floor;
    let on_the_way = records.until(crate::Abscissa::Seconds, W2_SQUARED, limit);
    on_the_way.or((w2_squared <= limit).then_some(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use train::{Run, TrainError};

    #[test]
    fn readings_are_a_factor_of_the_root_of_two_apart() {
        let due = |every, all| -> Vec<u64> {
            (1..=all / every).map(|i| i * every).filter(|&at| is_due(at, every)).collect()
        };
        assert_eq!(
            due(100, 12_800),
            [100, 200, 300, 400, 600, 800, 1100, 1500, 2100, 2900, 4100, 5800, 8200, 11600]
        );
        assert_eq!(due(1, 12), [1, 2, 3, 4, 6, 8, 12]);
    }

    /// The whole measurement is another code path from the model to the number.
    #[test]
    fn a_reading_is_the_number_of_the_table() {
        let clouds = include_str!("../../../configs/table1/explicit/pinwheel-7d-w1w2.toml");
        let known = include_str!("../../../configs/w2-benchmark/known/gaussian-2d-explicit.toml");
        for (text, metric) in [(clouds, W2_SQUARED), (known, L2_UVP)] {
            let changes = ["training.iterations=20".into(), "data.samples=500".into()];
            let config = FlowConfig::parse(text, "row", Some("smoke"), &changes).unwrap();
            let model = Run::new(config.clone()).train().unwrap().model;
            let protocol = Protocol {
                pairs: 2,
                exact_points: 50,
                sinkhorn_points: 30,
                sinkhorn_points_as_published: 60,
            };
            let inputs = Inputs::default();
            let mut quality = Quality::new(&config, &inputs, protocol, protocol.pairs).unwrap();
            let found = quality.measure(10, || Ok::<_, TrainError>(model.clone())).unwrap();
            let measured = crate::flow(&model, &inputs, protocol, &|_| {}).unwrap().metrics;
            // The same sum in the same order.
            assert_eq!(found, measured.get(metric).map(|value| (metric, value)));
        }
    }

    #[test]
    fn readings_that_would_take_too_long_are_left_out() {
        let text = include_str!("../../../configs/table1/explicit/pinwheel-7d-w1w2.toml");
        let config = FlowConfig::parse(text, "row", Some("smoke"), &["data.samples=500".into()]).unwrap();
        let protocol = Protocol { pairs: 1, exact_points: 8, ..Protocol::SMOKE };
        let mut quality = Quality::new(&config, &Inputs::default(), protocol, protocol.pairs).unwrap();
        quality.read = (100.0, 1.0);
        let model = || -> Result<FlowModel, TrainError> { panic!("no model is asked for") };
        assert_eq!(quality.measure(30, model).unwrap(), None);
    }
}
