//! Measures of a trained generator.

use crate::error::finite;
use crate::stream_name::EVEN;
use crate::subject::{Side, Subject, Target, even_start, modes};
use crate::{MeasureError, Measurement, Tell, closeness, known_map};
use datasets::stream;
use eval::closeness_of_modes;
use eval::results::{Metrics, Protocol};
use ndarray::{Array2, Axis, concatenate};
use rand::seq::SliceRandom;
use train::model::GeneratorModel;
use train::source::Inputs;

/// Measures a trained generator against points of its target that it has not seen: [`closeness_of_modes`], or of rows
/// of somebody's own [`eval::closeness_to_rows`]; the same w2 from even starting points where the starting law has
/// them; of digits, accuracies and w2 against test digits. `tell` hears what is measured next.
///
/// Complexity: exact transport between [`Protocol::exact_points`] points a side, up to three times a pair.
///
/// # Errors
/// [`MeasureError::NotFinite`] where the generator leads out of the finite numbers; what reading the data reports.
pub fn generator(
    model: &GeneratorModel,
    inputs: &Inputs,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Measurement, MeasureError> {
    let measured = in_training_units(&model.in_training_units(), inputs, protocol, tell)?;
    Ok(measured.in_units(&model.units, &model.initial_units()))
}

fn in_training_units(
    model: &GeneratorModel,
    inputs: &Inputs,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Measurement, MeasureError> {
    let (initial, data) = match Subject::new(&model.config, inputs)? {
        Subject::Points { initial, data } => (initial, data),
        Subject::Digits(digits) => {
            return digits.measure((model.config.seed, protocol), tell, |x| model.generate(x));
        }
    };
    let (layout, seed) = (data.layout(protocol), model.config.seed);
    tell("the generated points");
    let start = model.initial(layout.pairs * layout.points, seed)?;
    let generated = finite(model.generate(start.view())?)?;
    let target = data.clouds(Side::Reference, layout)?;
    let clouds: Vec<Array2<f64>> =
        generated.axis_chunks_iter(Axis(0), layout.points.max(1)).map(|cloud| cloud.to_owned()).collect();
    let mut metrics = closeness_of_clouds(&data, &clouds, &target, protocol, tell)?;
    metrics.extend(closeness::of_training_rows(&data, &generated, tell)?);
    metrics.extend(known_map::scores(
        (&model.config.initial, &model.config.data),
        (seed, protocol),
        inputs,
        tell,
        |x| finite(model.generate(x)?),
        |_| Ok(None),
    )?);
    let mut even = Vec::new();
    for (pair, target) in target.iter().enumerate() {
        if let Some(start) = even_start(&initial, layout.points, seed, EVEN, pair as u64) {
            let points = finite(model.generate(start.view())?)?;
            even.push(eval::w2(points.view(), target.view())?);
        }
    }
    metrics.insert_repeated(metrics::W2_EVEN, &even);
    let views: Vec<_> = target.iter().map(|cloud| cloud.view()).collect();
    let target = concatenate(Axis(0), &views)?;
    Ok(Measurement { metrics, layout, start: Some(start), generated, labels: Vec::new(), target })
}

/// [`closeness_of_modes`] of pairs of clouds where the target is a law, and what is measured of flows too where it is
/// not.
pub(crate) fn closeness_of_clouds(
    target: &Target,
    x: &[Array2<f64>],
    y: &[Array2<f64>],
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Metrics, MeasureError> {
    if target.own().is_some() {
        return closeness::of_clouds(target, x, y, protocol, tell);
    }
    tell("distances to the target");
    let pairs: Vec<_> = x.iter().zip(y).map(|(x, y)| (x.view(), y.view())).collect();
    let modes = modes(target.law());
    Ok(closeness_of_modes(&pairs, modes.as_ref().map(|(centres, std)| (centres.as_slice(), *std)))?)
}

/// `count` of `rows` indices at random, or all of them.
pub(crate) fn drawn(rows: usize, count: usize, seed: u64, name: &str, pair: usize) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..rows).collect();
    indices.shuffle(&mut stream(seed, name, pair as u64));
    indices.truncate(count);
    indices
}
