//! Measures of a trained generator.

use crate::error::finite;
use crate::floor::clouds;
use crate::stream_name::{EVEN, SOURCE};
use crate::subject::{Side, Subject, even_start, modes};
use crate::{Digits, MeasureError, Measurement};
use datasets::stream;
use eval::results::{Metrics, Protocol};
use eval::{ClosenessError, closeness_of_modes};
use ndarray::{Array2, ArrayView2, Axis};
use rand::seq::SliceRandom;
use train::model::GeneratorModel;
use train::source::{Draw, Inputs};

/// Measures a trained generator against fresh points of its target: [`closeness_of_modes`], the same w2 from even
/// starting points where the starting law has them; of digits, accuracies and w2 against test digits.
///
/// Complexity: exact transport between [`Protocol::exact_points`] points a side, up to three times a pair.
///
/// # Errors
/// [`MeasureError::NotFinite`] where the generator leads out of the finite numbers; what reading the data reports.
pub fn generator(
    model: &GeneratorModel,
    inputs: &Inputs,
    protocol: Protocol,
) -> Result<Measurement, MeasureError> {
    let measured = in_training_units(&model.in_training_units(), inputs, protocol)?;
    Ok(measured.in_units(&model.units, &model.initial_units()))
}

fn in_training_units(
    model: &GeneratorModel,
    inputs: &Inputs,
    protocol: Protocol,
) -> Result<Measurement, MeasureError> {
    let (initial, data) = match Subject::new(&model.config, inputs)? {
        Subject::Points { initial, data, .. } => (initial, data),
        Subject::Digits(digits) => return of_digits(model, &digits, protocol),
    };
    let (n, seed) = (protocol.exact_points, model.config.seed);
    let start = model.initial(protocol.pairs * n, seed)?;
    let generated = finite(model.generate(start.view())?)?;
    let target = clouds(&data, seed, Side::Reference, protocol)?;
    let mut metrics = modes_closeness(&generated, &target, &data, protocol)?;
    let mut even = Vec::new();
    for (pair, target) in chunks(&target, n).into_iter().enumerate() {
        if let Some(start) = even_start(&initial, n, seed, EVEN, pair as u64) {
            let points = finite(model.generate(start.view())?)?;
            even.push(eval::w2(points.view(), target)?);
        }
    }
    metrics.insert_repeated(metrics::W2_EVEN, &even);
    Ok(Measurement { metrics, start: Some(start), generated, target })
}

fn of_digits(
    model: &GeneratorModel,
    digits: &Digits,
    protocol: Protocol,
) -> Result<Measurement, MeasureError> {
    let seed = model.config.seed;
    let moved = finite(model.generate(digits.source.pixels.view())?)?;
    let accuracy = digits.accuracy(moved.view(), &digits.source.labels.to_vec())?;
    let mut metrics = Metrics::default();
    metrics.insert(metrics::ACCURACY_ALL, accuracy.all);
    metrics.insert(metrics::ACCURACY_2007, accuracy.drawn);
    let mut kept = Array2::zeros((0, digits.source.pixels.ncols()));
    let (mut generated, mut target) = (kept.clone(), kept.clone());
    let mut w2 = Vec::new();
    for pair in 0..protocol.pairs {
        let rows =
            |cloud: &Array2<f64>, name: &str| drawn(cloud.nrows(), protocol.exact_points, seed, name, pair);
        let (from, to) = (rows(&moved, SOURCE), rows(&digits.test.pixels, Side::Reference.stream()));
        let (x, y) = (moved.select(Axis(0), &from), digits.test.pixels.select(Axis(0), &to));
        w2.push(eval::w2(x.view(), y.view())?);
        let start = digits.source.pixels.select(Axis(0), &from);
        for (all, cloud) in [(&mut kept, &start), (&mut generated, &x), (&mut target, &y)] {
            all.append(Axis(0), cloud.view())?;
        }
    }
    metrics.insert_repeated(metrics::W2, &w2);
    Ok(Measurement { metrics, start: Some(kept), generated, target })
}

/// [`closeness_of_modes`] of the clouds of all pairs, which stand one after the other in `x` and in `y`.
pub(crate) fn modes_closeness(
    x: &Array2<f64>,
    y: &Array2<f64>,
    target: &Draw,
    protocol: Protocol,
) -> Result<Metrics, ClosenessError> {
    let n = protocol.exact_points;
    let pairs: Vec<_> = chunks(x, n).into_iter().zip(chunks(y, n)).collect();
    let modes = modes(target);
    closeness_of_modes(&pairs, modes.as_ref().map(|(centres, std)| (centres.as_slice(), *std)))
}

/// Clouds of `size` points that stand one after the other.
fn chunks(points: &Array2<f64>, size: usize) -> Vec<ArrayView2<'_, f64>> {
    points.axis_chunks_iter(Axis(0), size.max(1)).collect()
}

/// `count` of `rows` indices at random, or all of them.
pub(crate) fn drawn(rows: usize, count: usize, seed: u64, name: &str, pair: usize) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..rows).collect();
    indices.shuffle(&mut stream(seed, name, pair as u64));
    indices.truncate(count);
    indices
}
