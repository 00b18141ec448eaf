//! Measures of a trained generator.

use super::{Measurement, Unmeasured, not_finite};
use crate::digits::Digits;
use crate::kinds::data_sets;
use crate::monitor::even_start;
use anyhow::{Context, Result};
use datasets::stream;
use eval::results::{Floor, Metrics, Protocol};
use eval::{ClosenessError, mode_coverage};
use ndarray::{Array2, ArrayView2, Axis};
use ot_core::cost::Cost;
use ot_core::exact;
use rand::seq::SliceRandom;
use train::config::{GeneratorConfig as Config, Points};
use train::model::GeneratorModel as Model;
use train::source::{Draw, Inputs};

/// Stream of the clouds that generated ones are measured against.
const REFERENCE: &str = "measured-target";
/// Stream of the clouds that take the place of generated ones for the floor.
const FLOOR: &str = "measured-floor";
/// Stream of the even starting points.
const EVEN: &str = "measured-even-start";
/// Stream of the choice of source digits.
const SOURCE: &str = "measured-source-digits";

/// Measures a trained generator against fresh clouds of its target.
pub fn measure(model: &Model, protocol: Protocol) -> Result<Measurement, Unmeasured> {
    let config = &model.config;
    if let Some(digits) = digits(config)? {
        return of_digits(model, &digits, protocol);
    }
    let n = protocol.exact_points;
    let start = model.initial(protocol.pairs * n, config.seed)?;
    let generated = finite(model.generate(start.view())?)?;
    let target = clouds(&law(config)?, config.seed, REFERENCE, protocol)?;
    let pairs: Vec<_> = chunks(&generated, n).into_iter().zip(chunks(&target, n)).collect();
    let mut metrics = not_finite(closeness(&pairs, &config.data))?;
    let mut even = Vec::new();
    for (pair, target) in chunks(&target, n).into_iter().enumerate() {
        if let Some(start) = even_start(config, n, EVEN, pair as u64) {
            let points = finite(model.generate(start.view())?)?;
            even.push(not_finite(eval::w2_squared(points.view(), target))?.max(0.0).sqrt());
        }
    }
    metrics.insert_repeated("w2_even", &even);
    Ok(Measurement { metrics, start: Some(start), generated, target })
}

fn of_digits(model: &Model, digits: &Digits, protocol: Protocol) -> Result<Measurement, Unmeasured> {
    let seed = model.config.seed;
    let moved = finite(model.generate(digits.source.pixels.view())?)?;
    let accuracy = digits.accuracy(moved.view(), &digits.source.labels.to_vec())?;
    let mut metrics = Metrics::default();
    metrics.insert("accuracy_all", accuracy.all);
    metrics.insert("accuracy_2007", accuracy.drawn);
    let mut kept = Array2::zeros((0, digits.source.pixels.ncols()));
    let (mut generated, mut target) = (kept.clone(), kept.clone());
    let mut w2 = Vec::new();
    for pair in 0..protocol.pairs {
        let rows =
            |cloud: &Array2<f64>, name: &str| drawn(cloud.nrows(), protocol.exact_points, seed, name, pair);
        let (from, to) = (rows(&moved, SOURCE), rows(&digits.test.pixels, REFERENCE));
        let (x, y) = (moved.select(Axis(0), &from), digits.test.pixels.select(Axis(0), &to));
        w2.push(not_finite(eval::w2_squared(x.view(), y.view()))?.max(0.0).sqrt());
        let start = digits.source.pixels.select(Axis(0), &from);
        for (all, cloud) in [(&mut kept, &start), (&mut generated, &x), (&mut target, &y)] {
            all.append(Axis(0), cloud.view()).context("digits of different sizes")?;
        }
    }
    metrics.insert_repeated("w2", &w2);
    Ok(Measurement { metrics, start: Some(kept), generated, target })
}

/// Floors: two independent samples of the target; of digits, training against test digits.
pub fn floors(config: &Config, dataset: &str, protocol: Protocol) -> Result<Vec<Floor>> {
    let seed = config.seed;
    if let Some(digits) = digits(config)? {
        let Points::Digits { set, split } = &config.data else { return Ok(Vec::new()) };
        let train = set.read(&data_sets(), *split)?.pixels;
        let mut w2 = Vec::new();
        for pair in 0..protocol.pairs {
            let choose = |cloud: &Array2<f64>, name: &str| {
                cloud.select(Axis(0), &drawn(cloud.nrows(), protocol.exact_points, seed, name, pair))
            };
            let (x, y) = (choose(&train, FLOOR), choose(&digits.test.pixels, REFERENCE));
            w2.push(eval::w2_squared(x.view(), y.view())?.max(0.0).sqrt());
        }
        let mut metrics = Metrics::default();
        metrics.insert_repeated("w2", &w2);
        return Ok(vec![Floor { dataset: dataset.into(), dim: train.ncols(), metrics }]);
    }
    let data = law(config)?;
    let mut laws = vec![(dataset.to_owned(), data.clone(), data.clone())];
    if let Draw::Target { target, dim, balanced: true } = data {
        let random = Draw::Target { target, dim, balanced: false };
        let name = |what: &str| format!("{dataset}, {what}");
        laws.push((name("random against equal counts of the modes"), random.clone(), data));
        laws.push((name("random counts of the modes on both sides"), random.clone(), random));
    }
    let floor = |(dataset, generated, target): (String, Draw, Draw)| -> Result<Floor> {
        let (x, y) =
            (clouds(&generated, seed, FLOOR, protocol)?, clouds(&target, seed, REFERENCE, protocol)?);
        let n = protocol.exact_points;
        let pairs: Vec<_> = chunks(&x, n).into_iter().zip(chunks(&y, n)).collect();
        let metrics = closeness(&pairs, &config.data)?;
        Ok(Floor { dataset, dim: x.ncols(), metrics })
    };
    laws.into_iter().map(floor).collect()
}

/// The data, to be drawn afresh.
fn law(config: &Config) -> Result<Draw> {
    Ok(Inputs { data_sets: data_sets(), ..Inputs::default() }.data(config)?)
}

/// Exact distances of pairs of clouds, and modes where the target has them; mean and deviation over the pairs.
pub fn closeness(
    pairs: &[(ArrayView2<'_, f64>, ArrayView2<'_, f64>)],
    target: &Points,
) -> Result<Metrics, ClosenessError> {
    let mut metrics = Metrics::default();
    for (name, cost) in [("w1", Cost::Euclidean), ("w2", Cost::SquaredEuclidean)] {
        let of_pair = |(x, y): &(ArrayView2<'_, f64>, ArrayView2<'_, f64>)| {
            let cost_of_plan = exact::solve(*x, *y, None, None, cost)?.primal().max(0.0);
            Ok(if name == "w2" { cost_of_plan.sqrt() } else { cost_of_plan })
        };
        let values: Vec<f64> = pairs.iter().map(of_pair).collect::<Result<_, ClosenessError>>()?;
        metrics.insert_repeated(name, &values);
    }
    if let Some((centres, std)) = target.target().and_then(|target| target.modes()) {
        let found: Vec<_> = pairs.iter().map(|(x, _)| mode_coverage(x.view(), &centres, std)).collect();
        metrics.insert_repeated("modes_covered", &found.iter().map(|f| f.covered as f64).collect::<Vec<_>>());
        let shares: Vec<f64> = found.iter().map(|f| f.high_quality_share).collect();
        metrics.insert_repeated("high_quality_share", &shares);
    }
    Ok(metrics)
}

fn digits(config: &Config) -> Result<Option<Digits>> {
    match (&config.initial, &config.data) {
        (&Points::Digits { set: start, .. }, &Points::Digits { set, .. }) => {
            Digits::read(start, set, config.seed).map(Some)
        }
        _ => Ok(None),
    }
}

/// The clouds of all pairs, one after the other.
fn clouds(law: &Draw, seed: u64, name: &str, protocol: Protocol) -> Result<Array2<f64>> {
    let mut all = Array2::zeros((0, law.dim()));
    for pair in 0..protocol.pairs {
        let cloud = law.points(protocol.exact_points, &mut stream(seed, name, pair as u64))?;
        all.append(Axis(0), cloud.view())?;
    }
    Ok(all)
}

fn chunks(points: &Array2<f64>, size: usize) -> Vec<ArrayView2<'_, f64>> {
    points.axis_chunks_iter(Axis(0), size.max(1)).collect()
}

/// `count` of `rows` indices at random, or all of them.
fn drawn(rows: usize, count: usize, seed: u64, name: &str, pair: usize) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..rows).collect();
    indices.shuffle(&mut stream(seed, name, pair as u64));
    indices.truncate(count);
    indices
}

fn finite(points: Array2<f64>) -> Result<Array2<f64>, Unmeasured> {
    match points.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Unmeasured::NotFinite(format!("a generated coordinate is {value}"))),
        None => Ok(points),
    }
}
