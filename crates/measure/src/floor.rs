//! Floors: the measures of a model, taken between two independent samples of its target.

use crate::generator::closeness_of_clouds;
use crate::images::Generated;
use crate::subject::{Side, Subject, Target};
use crate::{Digits, MeasureError, Tell, closeness, images};
use eval::results::{Floor, Protocol};
use ndarray::{Axis, concatenate};
use train::config::{Config, FlowConfig, GeneratorConfig};
use train::source::Inputs;

/// The floors of what a configuration trains, measured as the model is.
///
/// Of a flow [`eval::closeness`] between two samples of its target, of a generator [`eval::closeness_of_modes`], of
/// digits w2 between training and test digits. Of rows of somebody's own [`eval::closeness_to_rows`] of rows of the
/// training to rows that were held out, as many as are generated, and the distance of these to the nearest row of the
/// training; where none were held out, between the halves of all. A target with equal counts of its modes has two more
/// floors of a generator: generated points begin at random points, whose counts of the modes are random however well
/// the generator is trained.
///
/// `dataset` names the target in the results, `inputs` are those of the run; `tell` hears what is measured next.
/// Complexity: that of the measures.
///
/// # Errors
/// What drawing or reading the target reports.
pub fn floor(
    config: &Config,
    inputs: &Inputs,
    dataset: &str,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Vec<Floor>, MeasureError> {
    match config {
        Config::Flow(config) => Ok(vec![of_flow(config, inputs, dataset, protocol, tell)?]),
        Config::Generator(config) => of_generator(config, inputs, dataset, protocol, tell),
        // It generates nothing.
        Config::Critic(_) => Ok(Vec::new()),
    }
}

fn of_flow(
    config: &FlowConfig,
    inputs: &Inputs,
    dataset: &str,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Floor, MeasureError> {
    if let Some(digits) = Digits::of((&config.initial, &config.data), inputs, config.seed)? {
        return digits.floor((config.seed, protocol), dataset);
    }
    let target = Target::new(config, inputs)?;
    let layout = target.layout(protocol);
    let (x, y) = (target.clouds(Side::Floor, layout)?, target.clouds(Side::Reference, layout)?);
    let mut metrics = closeness::of_clouds(&target, &x, &y, protocol, tell)?;
    metrics.extend(closeness::of_held_out_rows(&target, tell)?);
    if let (Some(set), Some(rows)) = (images::of(&config.data, inputs), target.own()) {
        let [x, y] = [&x, &y].map(|clouds| {
            let views: Vec<_> = clouds.iter().map(|cloud| cloud.view()).collect();
            concatenate(Axis(0), &views)
        });
        let of = |rows| target.coordinates(rows);
        let (x, y) = (x?, y?);
        let labels = target.labels(x.view());
        let floor = Generated { images: of(x.view()), labels: labels.as_deref() };
        metrics.extend(images::scores(set, floor, of(y.view()), of(rows.training.view()), tell)?);
    }
    let metrics = metrics.map(|metric, value| target.units.value(metric, value));
    Ok(Floor { dataset: dataset.into(), dim: target.dim(), metrics })
}

fn of_generator(
    config: &GeneratorConfig,
    inputs: &Inputs,
    dataset: &str,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Vec<Floor>, MeasureError> {
    let seed = config.seed;
    let data = match Subject::new(config, inputs)? {
        Subject::Points { data, .. } => *data,
        Subject::Digits(digits) => return Ok(vec![digits.floor((seed, protocol), dataset)?]),
    };
    let mut laws = vec![(dataset.to_owned(), data.clone(), data.clone())];
    if let Some(random) = data.unbalanced() {
        let name = |what: &str| format!("{dataset}, {what}");
        laws.push((name("random against equal counts of the modes"), random.clone(), data));
        laws.push((name("random counts of the modes on both sides"), random.clone(), random));
    }
    let floor = |(dataset, generated, target): (String, Target, Target)| -> Result<Floor, MeasureError> {
        let layout = target.layout(protocol);
        let (x, y) = (generated.clouds(Side::Floor, layout)?, target.clouds(Side::Reference, layout)?);
        let mut metrics = closeness_of_clouds(&target, &x, &y, protocol, tell)?;
        metrics.extend(closeness::of_held_out_rows(&target, tell)?);
        let metrics = metrics.map(|metric, value| target.units.value(metric, value));
        Ok(Floor { dataset, dim: target.dim(), metrics })
    };
    laws.into_iter().map(floor).collect()
}
