//! Measures of a trained flow.

use crate::between::Between;
use crate::error::finite;
use crate::images::Generated;
use crate::subject::{Side, Target};
use crate::{
    Digits, MeasureError, Measurement, Tell, closeness, images, indicators, known, known_map, likelihood,
};
use eval::results::Protocol;
use flows::flow::Representation;
use flows::scalar_field::ScalarField;
use metrics::{
    KINETIC_ENERGY, NORMALISED_PATH_ENERGY, PATH_ENERGY, W2_SQUARED, W2_SQUARED_BY_STEPS, W2_SQUARED_START,
};
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use train::model::FlowModel;
use train::source::Inputs;

/// The most particles of the indicators.
const MOST_PARTICLES: usize = 2000;
/// Dimension from which on the indicators take fewer particles: the coordinates of all of them stay as many.
const FEW_DIMENSIONS: usize = 32;
/// The fewest particles of the indicators.
const FEWEST_PARTICLES: usize = 8;

/// Measures a trained flow: distances to points of its target that it has not seen, with its own number of Euler steps ([`FlowModel::steps`])
/// and with others ([`W2_SQUARED_BY_STEPS`]); the indicators of the optimality system along the paths of its particles;
/// the slopes of its critic; the distance to the optimum where that is known. Of images there are their scores too; of digits that
/// are moved to other digits the measures of generators. Of rows of somebody's own, not of a law,
/// what holds by construction is left out: other numbers of steps of a Hopf–Lax or an explicit flow (of images the
/// distances alone).
///
/// `inputs` are those of the run: an array in memory, where it was trained on one. The generated points are those that
/// [`FlowModel::sample`] draws with the seed of the run; `tell` hears what is measured next. Complexity: exact
/// transport between [`Protocol::exact_points`] points a side, some ten times a pair, and the Sinkhorn divergences of
/// [`eval::closeness`].
///
/// # Errors
/// [`MeasureError::NotFinite`] where the flow leads out of the finite numbers; what reading the data reports.
pub fn flow<N: ScalarField + Clone>(
    model: &FlowModel<N>,
    inputs: &Inputs,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Measurement, MeasureError> {
    let units = &model.units;
    Ok(in_training_units(&model.in_training_units(), inputs, protocol, tell)?.in_units(units, units))
}

fn in_training_units<N: ScalarField>(
    model: &FlowModel<N>,
    inputs: &Inputs,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Measurement, MeasureError> {
    let steps = model.steps();
    if let Some(digits) = Digits::of((&model.config.initial, &model.config.data), inputs, model.config.seed)?
    {
        let seed = model.config.seed;
        return digits.measure((seed, protocol), tell, |x| model.push_forward(x, steps, seed));
    }
    let target = Target::new(&model.config, inputs)?;
    let layout = target.layout(protocol);
    tell("the generated points");
    let initial = model.initial(layout.pairs * layout.points, model.config.seed)?;
    let generated = finite(model.push_forward(initial.view(), steps, model.config.seed)?)?;
    let target_clouds = target.clouds(Side::Reference, layout)?;
    let chunks = |points: &Array2<f64>| -> Vec<Array2<f64>> {
        points.axis_chunks_iter(Axis(0), layout.points.max(1)).map(|cloud| cloud.to_owned()).collect()
    };
    let mut metrics = closeness::of_clouds(&target, &chunks(&generated), &target_clouds, protocol, tell)?;
    metrics.extend(closeness::of_training_rows(&target, &generated, tell)?);
    let views: Vec<_> = target_clouds.iter().map(|cloud| cloud.view()).collect();
    let fresh = concatenate(Axis(0), &views)?;
    let [points, fresh_points] = [&generated, &fresh].map(|rows| target.coordinates(rows.view()).to_owned());
    let labels = target.labels(generated.view());
    let set = images::of(&model.config.data, inputs);
    if let (Some(set), Some(rows)) = (set, target.own()) {
        let training = target.coordinates(rows.training.view());
        let generated = Generated { images: points.view(), labels: labels.as_deref() };
        metrics.extend(images::scores(set, generated, fresh_points.view(), training, tell)?);
    }

    let by_construction = target.own().is_some()
        && matches!(model.config.representation, Representation::HopfLax(_) | Representation::Explicit(_));
    let initial_clouds = chunks(&initial);
    for (other, metric) in W2_SQUARED_BY_STEPS {
        if other == steps {
            metrics.repeat(W2_SQUARED, metric);
        }
        if other == steps || by_construction {
            continue;
        }
        tell(&format!("{metric}"));
        let distances: Result<Vec<f64>, _> = initial_clouds
            .iter()
            .zip(&target_clouds)
            .map(|(start, target)| w2_squared_after(model, other, start, target, protocol))
            .collect();
        match distances {
            Ok(distances) => metrics.insert_repeated(metric, &distances),
            // Too few steps may be unstable where its own are not.
            Err(MeasureError::NotFinite(_)) => {}
            Err(other) => return Err(other),
        }
    }
    tell("the indicators of the optimality system");
    let count = particles(protocol.exact_points, target.dim());
    let [start, end, reference] = [&initial, &generated, &fresh].map(|points| head(points, count));
    let [from, to] = [start, end].map(|rows| target.coordinates(rows));
    if let Some(error) = known::exact_flow_error(&model.config, from, to) {
        metrics.insert(metrics::EXACT_FLOW_ERROR, error);
    }
    if let Some(error) = known::exact_law_error(&model.config, to)? {
        metrics.insert(metrics::EXACT_LAW_ERROR, error);
    }
    metrics.extend(known_map::scores(
        (&model.config.initial, &model.config.data),
        (model.config.seed, protocol),
        inputs,
        tell,
        |x| finite(model.push_forward(x, steps, model.config.seed)?),
        |y| match model.config.representation {
            Representation::HopfLax(_) | Representation::Explicit(_) => Ok(Some(model.inverse(y)?)),
            _ => Ok(None),
        },
    )?);
    let sides = (&model.config.initial, &model.config.data);
    if let Some(snapshots) = Between::of(sides, inputs)? {
        tell("the snapshot held out");
        let steps = steps + steps % 2;
        let paths = model.trajectory(snapshots.earlier.view(), steps)?;
        if let Some(middle) = paths.parts().positions.get(steps / 2) {
            metrics.extend(snapshots.scores(middle.view(), None)?);
        }
    }
    tell("the indicators of the optimality system");
    if let Representation::OtFlow(_) = model.config.representation {
        metrics.extend(likelihood::of_points(model, reference)?);
    }
    // Of images the steps are what a figure is about, and the particles are few.
    let other_steps = !by_construction || set.is_some();
    metrics.extend(indicators::indicators(model, &target, start, other_steps)?);
    let (initial, fresh) = (target.coordinates(initial.view()), head(&fresh_points, protocol.exact_points));
    let initial = initial.slice(s![..initial.nrows().min(protocol.exact_points), ..]);
    let square = closeness::in_range(&target, eval::w2_squared(initial, fresh))?;
    if let Some(square) = square {
        metrics.insert(W2_SQUARED_START, square);
    }
    if let Some((energy, square)) = metrics.get(KINETIC_ENERGY).zip(square) {
        let energy = 2.0 * energy;
        metrics.insert(PATH_ENERGY, energy);
        // The optimum of a conditional flow is that under its conditions, not of all points together.
        if model.condition().is_none() {
            metrics.insert(NORMALISED_PATH_ENERGY, (energy * model.config.flow.horizon / square - 1.0).abs());
        }
    }
    if model.config.representation.has_critic() {
        metrics.extend(indicators::critic_slopes(model, end, reference)?);
    }
    Ok(Measurement {
        metrics,
        layout,
        start: None,
        generated: points,
        labels: labels.unwrap_or_default(),
        target: fresh_points,
    })
}

fn w2_squared_after<N: ScalarField>(
    model: &FlowModel<N>,
    steps: usize,
    start: &Array2<f64>,
    target: &Array2<f64>,
    protocol: Protocol,
) -> Result<f64, MeasureError> {
    let end = model.push_forward(head(start, protocol.exact_points), steps, model.config.seed)?;
    let (end, target) =
        (model.coordinates(end.view()), model.coordinates(head(target, protocol.exact_points)));
    Ok(eval::w2_squared(end, target)?)
}

/// Particles of the indicators.
fn particles(points: usize, dim: usize) -> usize {
    (points.min(MOST_PARTICLES) * FEW_DIMENSIONS / dim.max(FEW_DIMENSIONS)).max(FEWEST_PARTICLES)
}

fn head(points: &Array2<f64>, count: usize) -> ArrayView2<'_, f64> {
    points.slice(s![..points.nrows().min(count), ..])
}

#[cfg(test)]
mod tests {
    use super::particles;

    #[test]
    fn particles_become_fewer_in_many_dimensions_only() {
        assert_eq!([2, 12, 32].map(|dim| particles(2000, dim)), [2000; 3]);
        assert_eq!(particles(10_000, 2), 2000);
        assert_eq!((particles(2000, 784), particles(200, 784)), (81, 8));
    }
}
