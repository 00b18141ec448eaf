//! What is measured of a generator while it is trained.

use crate::stream_name::{MONITORED_START, MONITORED_TARGET};
use crate::subject::{Subject, even_start, modes};
use crate::{Digits, MeasureError, RING_POINTS};
use datasets::stream;
use eval::mode_coverage;
use metrics::Metric;
use ndarray::{Array2, ArrayView2, s};
use train::TrainError;
use train::config::GeneratorConfig;
use train::source::Inputs;

/// Digits of the source that the classifier is fitted on during the training.
const MOST_FITTED: usize = 10_000;
/// Digits a side for w2 during the training.
const MOST_TRANSPORTED: usize = 500;
/// Records between two measurements of w2 between digits.
const TRANSPORT_EVERY: u64 = 5;

/// Measures a generator on the same points at every record of its training: G of fixed starting points against a
/// fixed batch of the target, or moved source digits against the test digits of the target.
#[derive(Debug)]
pub struct Monitor {
    watched: Fixed,
}

/// What stays the same from record to record.
#[derive(Debug)]
enum Fixed {
    Points(Box<FixedPoints>),
    Digits(Box<Digits>),
}

#[derive(Debug)]
struct FixedPoints {
    start: Array2<f64>,
    target: Array2<f64>,
    /// Even points of the starting law, where it has them.
    even: Option<Array2<f64>>,
    modes: Option<(Vec<[f64; 2]>, f64)>,
}

/// What a [`Monitor`] saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The numbers of the record.
    pub values: Vec<(&'static Metric, f64)>,
    /// G of the fixed starting points, [512, d]; none of digits.
    pub particles: Option<Array2<f64>>,
}

impl Monitor {
    /// Draws the fixed points.
    ///
    /// # Errors
    /// What drawing or reading them reports.
    pub fn new(config: &GeneratorConfig, inputs: &Inputs) -> Result<Self, MeasureError> {
        let seed = config.seed;
        let watched = match Subject::new(config, inputs)? {
            Subject::Digits(digits) => Fixed::Digits(digits),
            Subject::Points { initial, data, .. } => Fixed::Points(Box::new(FixedPoints {
                start: initial.points(RING_POINTS, &mut stream(seed, MONITORED_START, 0))?,
                target: data.drawn(RING_POINTS, &mut stream(seed, MONITORED_TARGET, 0))?,
                even: even_start(&initial, RING_POINTS, seed, MONITORED_START, 0),
                modes: modes(data.law()),
            })),
        };
        Ok(Self { watched })
    }

    /// Measures the generator G that `generate` applies to the rows of a matrix, all in the units of the training, for a
    /// record of this number, counted from 1.
    ///
    /// A distance that is not a number says that the generator no longer gives finite ones.
    ///
    /// # Errors
    /// What `generate` reports, and what the classifier does.
    pub fn measure(
        &self,
        record: u64,
        generate: impl Fn(ArrayView2<'_, f64>) -> Result<Array2<f64>, TrainError>,
    ) -> Result<Watched, MeasureError> {
        let FixedPoints { start, target, even, modes } = match &self.watched {
            Fixed::Points(points) => points.as_ref(),
            Fixed::Digits(digits) => {
                let moved = generate(digits.source.pixels.slice(s![..fitted(digits), ..]))?;
                let values = of_digits(digits, &moved, (record - 1).is_multiple_of(TRANSPORT_EVERY))?;
                return Ok(Watched { values, particles: None });
            }
        };
        let points = generate(start.view())?;
        let w1 = eval::w1(points.view(), target.view()).unwrap_or(f64::NAN);
        let mut values = vec![(metrics::W1, w1), (metrics::W2, w2(points.view(), target.view()))];
        if let Some(even) = even {
            values.push((metrics::W2_EVEN, w2(generate(even.view())?.view(), target.view())));
        }
        if let Some((centres, std)) = modes {
            let found = mode_coverage(points.view(), centres, *std);
            values.push((metrics::MODES_COVERED, found.covered as f64));
            values.push((metrics::HIGH_QUALITY_SHARE, found.high_quality_share));
        }
        Ok(Watched { values, particles: Some(points) })
    }
}

/// Source digits that the classifier is fitted on.
fn fitted(digits: &Digits) -> usize {
    digits.source.pixels.nrows().min(MOST_FITTED)
}

fn of_digits(
    digits: &Digits,
    moved: &Array2<f64>,
    transport: bool,
) -> Result<Vec<(&'static Metric, f64)>, MeasureError> {
    if moved.iter().any(|value| !value.is_finite()) {
        return Ok(Vec::new());
    }
    let labels: Vec<u8> = digits.source.labels.iter().take(fitted(digits)).copied().collect();
    let accuracy = digits.accuracy(moved.view(), &labels)?;
    let mut values = vec![(metrics::ACCURACY_ALL, accuracy.all), (metrics::ACCURACY_2007, accuracy.drawn)];
    if transport {
        let count = MOST_TRANSPORTED.min(moved.nrows()).min(digits.test.pixels.nrows());
        let head = |cloud: &Array2<f64>| cloud.slice(s![..count, ..]).to_owned();
        values.push((metrics::W2, w2(head(moved).view(), head(&digits.test.pixels).view())));
    }
    Ok(values)
}

/// NaN, which a record writes as null, where the generator no longer gives numbers that have a distance.
fn w2(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>) -> f64 {
    eval::w2(x, y).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use train::config::Configuration;

    fn monitor() -> Monitor {
        let text = include_str!("../../../configs/ring/methods/w2fe-k1.toml");
        let config = GeneratorConfig::parse(text, "w2fe-k1", None, &[]).unwrap();
        Monitor::new(&config, &Inputs::default()).unwrap()
    }

    /// To a cloud in one point c the only plan is the whole product: W1 = E‖y − c‖ and W2² = E‖y − c‖².
    #[test]
    fn a_generator_that_collapses_is_measured_by_hand() {
        let monitor = monitor();
        let collapsed = |points: ArrayView2<'_, f64>| {
            Ok(Array2::from_shape_fn(points.dim(), |(_, j)| if j == 0 { 1.0 } else { 0.0 }))
        };
        let Watched { values, particles } = monitor.measure(1, collapsed).unwrap();
        let Fixed::Points(fixed) = &monitor.watched else { panic!("the ring has no digits") };
        let squares: Vec<f64> =
            fixed.target.rows().into_iter().map(|y| (y[0] - 1.0).powi(2) + y[1].powi(2)).collect();
        let mean = |power: f64| squares.iter().map(|s| s.powf(power)).sum::<f64>() / RING_POINTS as f64;
        let expected = [mean(0.5), mean(1.0).sqrt(), mean(1.0).sqrt(), 1.0, 1.0];
        let metrics =
            [metrics::W1, metrics::W2, metrics::W2_EVEN, metrics::MODES_COVERED, metrics::HIGH_QUALITY_SHARE];
        assert_eq!(values.iter().map(|(metric, _)| *metric).collect::<Vec<_>>(), metrics);
        for ((metric, found), expected) in values.into_iter().zip(expected) {
            // Sums of 512 terms of order one.
            assert!((found - expected).abs() < 1e-12, "{metric}: {found} is not {expected}");
        }
        assert_eq!(particles.map(|points| points.dim()), Some((RING_POINTS, 2)));
    }

    #[test]
    fn a_generator_without_numbers_has_no_distance() {
        let lost = |points: ArrayView2<'_, f64>| Ok(Array2::from_elem(points.dim(), f64::NAN));
        let Watched { values, .. } = monitor().measure(1, lost).unwrap();
        let found = |metric| values.iter().find(|(name, _)| *name == metric).unwrap().1;
        assert!(found(metrics::W1).is_nan() && found(metrics::W2).is_nan());
        assert_eq!(found(metrics::MODES_COVERED), 0.0);
    }
}
