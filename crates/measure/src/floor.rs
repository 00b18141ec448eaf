//! Floors: the measures of a model, taken between two independent samples of its target.

use crate::MeasureError;
use crate::generator::{drawn, modes_closeness};
use crate::subject::{FreshTarget, Side, Subject, unbalanced};
use datasets::stream;
use eval::results::{Floor, Metrics, Protocol};
use ndarray::{Array2, Axis};
use train::config::{Config, FlowConfig, GeneratorConfig};
use train::source::{Draw, Inputs};

/// The floors of what a configuration trains, measured as the model is.
///
/// Of a flow [`eval::closeness`] between two samples of its target, or between the halves of a set of points; of a
/// generator [`eval::closeness_of_modes`] between two samples, of digits w2 between training and test digits. A target
/// with equal counts of its modes has two more floors of a generator: generated points begin at random points, whose
/// counts of the modes are random however well the generator is trained.
///
/// `dataset` names the target in the results, `inputs` are those of the run. Complexity: that of the measures.
///
/// # Errors
/// What drawing or reading the target reports.
pub fn floor(
    config: &Config,
    inputs: &Inputs,
    dataset: &str,
    protocol: Protocol,
) -> Result<Vec<Floor>, MeasureError> {
    match config {
        Config::Flow(config) => Ok(vec![of_flow(config, inputs, dataset, protocol)?]),
        Config::Generator(config) => of_generator(config, inputs, dataset, protocol),
    }
}

fn of_flow(
    config: &FlowConfig,
    inputs: &Inputs,
    dataset: &str,
    protocol: Protocol,
) -> Result<Floor, MeasureError> {
    let fresh = FreshTarget::new(config, inputs)?;
    let size = fresh.largest_cloud().min(protocol.most_points());
    let clouds: Vec<(Array2<f64>, Array2<f64>)> = (0..protocol.pairs)
        .map(|pair| Ok((fresh.cloud(Side::Floor, pair, size)?, fresh.cloud(Side::Reference, pair, size)?)))
        .collect::<Result<_, MeasureError>>()?;
    let pairs: Vec<_> = clouds.iter().map(|(a, b)| (a.view(), b.view())).collect();
    let metrics = eval::closeness(&pairs, protocol, fresh.manifold_dim())?;
    let metrics = metrics.map(|metric, value| fresh.units.value(metric, value));
    Ok(Floor { dataset: dataset.into(), dim: fresh.dim(), metrics })
}

fn of_generator(
    config: &GeneratorConfig,
    inputs: &Inputs,
    dataset: &str,
    protocol: Protocol,
) -> Result<Vec<Floor>, MeasureError> {
    let seed = config.seed;
    let (data, units) = match Subject::new(config, inputs)? {
        Subject::Points { data, units, .. } => (data, units),
        Subject::Digits(digits) => {
            let train = digits.training()?.pixels;
            let mut w2 = Vec::new();
            for pair in 0..protocol.pairs {
                let choose = |cloud: &Array2<f64>, side: Side| {
                    let rows = drawn(cloud.nrows(), protocol.exact_points, seed, side.stream(), pair);
                    cloud.select(Axis(0), &rows)
                };
                let (x, y) = (choose(&train, Side::Floor), choose(&digits.test.pixels, Side::Reference));
                w2.push(eval::w2(x.view(), y.view())?);
            }
            let mut metrics = Metrics::default();
            metrics.insert_repeated(metrics::W2, &w2);
            return Ok(vec![Floor { dataset: dataset.into(), dim: train.ncols(), metrics }]);
        }
    };
    let mut laws = vec![(dataset.to_owned(), data.clone(), data.clone())];
    if let Some(random) = unbalanced(&data) {
        let name = |what: &str| format!("{dataset}, {what}");
        laws.push((name("random against equal counts of the modes"), random.clone(), data));
        laws.push((name("random counts of the modes on both sides"), random.clone(), random));
    }
    let floor = |(dataset, generated, target): (String, Draw, Draw)| -> Result<Floor, MeasureError> {
        let x = clouds(&generated, seed, Side::Floor, protocol)?;
        let y = clouds(&target, seed, Side::Reference, protocol)?;
        let metrics = modes_closeness(&x, &y, &target, protocol)?;
        let metrics = metrics.map(|metric, value| units.value(metric, value));
        Ok(Floor { dataset, dim: x.ncols(), metrics })
    };
    laws.into_iter().map(floor).collect()
}

/// The clouds of all pairs, one after the other.
pub(crate) fn clouds(
    law: &Draw,
    seed: u64,
    side: Side,
    protocol: Protocol,
) -> Result<Array2<f64>, MeasureError> {
    let mut all = Array2::zeros((0, law.dim()));
    for pair in 0..protocol.pairs {
        let cloud = law.points(protocol.exact_points, &mut stream(seed, side.stream(), pair as u64))?;
        all.append(Axis(0), cloud.view())?;
    }
    Ok(all)
}
