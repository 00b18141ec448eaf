//! What is measured of a generator while it is trained.

use crate::digits::Digits;
use crate::kinds::{RING_POINTS, data_sets};
use anyhow::{Context, Result};
use datasets::{stratified_normal, stream, write_npy_f32};
use eval::mode_coverage;
use metrics::Metric;
use ndarray::{Array2, ArrayView2, s};
use ot_core::cost::Cost;
use ot_core::exact;
use std::fs;
use std::path::{Path, PathBuf};
use train::config::{GeneratorConfig as Config, Points};
use train::run::Measured;
use train::source::{Draw, Inputs};
use train::training::Training;
use train::w2fe::GeneratorRun;

/// Stream of the fixed starting points.
const START: &str = "monitored-start";
/// Stream of the fixed batch of the target.
const TARGET: &str = "monitored-target";
/// Digits of the source that the classifier is fitted on during the training.
const MOST_FITTED: usize = 10_000;
/// Digits a side for w2 during the training.
const MOST_TRANSPORTED: usize = 500;
/// Records between two measurements of w2 between digits.
const TRANSPORT_EVERY: u64 = 5;

/// Name of the pictures of the particles at an iteration, in the folder of the samples.
pub const PARTICLES: &str = "particles-";

/// Measures G of fixed points at every record.
pub enum Monitor {
    Points(Box<FixedPoints>),
    Digits(Box<FixedDigits>),
}

/// G(fixed z) against a fixed batch.
pub struct FixedPoints {
    start: Array2<f64>,
    target: Array2<f64>,
    /// Even points of the starting law, where it is normal in the plane.
    even: Option<Array2<f64>>,
    modes: Option<(Vec<[f64; 2]>, f64)>,
    samples: PathBuf,
    records: u64,
}

/// Moved source digits against the test digits of the target.
pub struct FixedDigits {
    digits: Digits,
    records: u64,
}

impl Monitor {
    pub fn new(config: &Config, folder: &Path) -> Result<Self> {
        if let (&Points::Digits { set: start, .. }, &Points::Digits { set: target, .. }) =
            (&config.initial, &config.data)
        {
            let digits = Digits::read(start, target, config.seed)?;
            return Ok(Self::Digits(Box::new(FixedDigits { digits, records: 0 })));
        }
        let modes = config.data.target().and_then(|target| target.modes());
        let inputs = Inputs { data_sets: data_sets(), ..Inputs::default() };
        let data = inputs.data(config)?;
        let points = |law: &Draw, name: &str| law.points(RING_POINTS, &mut stream(config.seed, name, 0));
        Ok(Self::Points(Box::new(FixedPoints {
            start: points(&inputs.initial(config, data.dim())?, START)?,
            target: points(&data, TARGET)?,
            even: even_start(config, RING_POINTS, START, 0),
            modes,
            samples: folder.join("samples"),
            records: 0,
        })))
    }

    pub fn measure(&mut self, run: &GeneratorRun) -> Measured {
        match self {
            Self::Points(points) => points.measure(run),
            Self::Digits(digits) => digits.measure(run),
        }
        .map_err(Into::into)
    }
}

impl FixedPoints {
    fn measure(&mut self, run: &GeneratorRun) -> Result<Vec<(&'static Metric, f64)>> {
        let points = run.trainer().generate(self.start.view())?;
        self.records += 1;
        if is_round(self.records) {
            fs::create_dir_all(&self.samples)
                .with_context(|| format!("{} cannot be made", self.samples.display()))?;
            let name = format!("{PARTICLES}{:09}.npy", run.iteration());
            write_npy_f32(self.samples.join(name), &points.mapv(|x| x as f32))?;
        }
        let mut values = vec![
            (metrics::W1, distance(&points, &self.target, Cost::Euclidean)),
            (metrics::W2, w2(&points, &self.target)),
        ];
        if let Some(even) = &self.even {
            values.push((metrics::W2_EVEN, w2(&run.trainer().generate(even.view())?, &self.target)));
        }
        if let Some((centres, std)) = &self.modes {
            let found = mode_coverage(points.view(), centres, *std);
            values.push((metrics::MODES_COVERED, found.covered as f64));
            values.push((metrics::HIGH_QUALITY_SHARE, found.high_quality_share));
        }
        Ok(values)
    }
}

impl FixedDigits {
    fn measure(&mut self, run: &GeneratorRun) -> Result<Vec<(&'static Metric, f64)>> {
        let Digits { source, test, .. } = &self.digits;
        let fitted = source.pixels.nrows().min(MOST_FITTED);
        let moved = run.trainer().generate(source.pixels.slice(s![..fitted, ..]))?;
        if moved.iter().any(|value| !value.is_finite()) {
            return Ok(Vec::new());
        }
        let labels: Vec<u8> = source.labels.iter().take(fitted).copied().collect();
        let accuracy = self.digits.accuracy(moved.view(), &labels)?;
        let mut values =
            vec![(metrics::ACCURACY_ALL, accuracy.all), (metrics::ACCURACY_2007, accuracy.drawn)];
        if self.records.is_multiple_of(TRANSPORT_EVERY) {
            let count = MOST_TRANSPORTED.min(moved.nrows()).min(test.pixels.nrows());
            let head = |cloud: ArrayView2<'_, f64>| cloud.slice(s![..count, ..]).to_owned();
            values.push((metrics::W2, w2(&head(moved.view()), &head(test.pixels.view()))));
        }
        self.records += 1;
        Ok(values)
    }
}

/// Points that fill the starting law evenly: none but for normal laws in the plane.
pub fn even_start(config: &Config, count: usize, name: &str, index: u64) -> Option<Array2<f64>> {
    match config.initial {
        Points::Normal { std, .. } if config.initial.dim().or(config.data.dim()) == Some(2) => {
            Some(stratified_normal(count, std, &mut stream(config.seed, name, index)))
        }
        _ => None,
    }
}

/// Whether the digits of a count are 1, 2 or 5 with zeros.
fn is_round(count: u64) -> bool {
    let mut leading = count;
    while leading >= 10 && leading.is_multiple_of(10) {
        leading /= 10;
    }
    matches!(leading, 1 | 2 | 5)
}

fn w2(x: &Array2<f64>, y: &Array2<f64>) -> f64 {
    distance(x, y, Cost::SquaredEuclidean).sqrt()
}

/// NaN, which a record writes as null, where the generator no longer gives numbers that have a distance.
fn distance(x: &Array2<f64>, y: &Array2<f64>, cost: Cost) -> f64 {
    exact::solve(x.view(), y.view(), None, None, cost).map_or(f64::NAN, |plan| plan.primal().max(0.0))
}

#[cfg(test)]
mod tests {
    use super::is_round;

    #[test]
    fn pictures_become_rare() {
        let found: Vec<u64> = (1..=1000).filter(|&count| is_round(count)).collect();
        assert_eq!(found, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]);
    }
}
