//! Rows without a training: what an experiment's numbers are compared with, measured by the same code.

use super::{Plan, Trial};
use crate::campaign::{Campaign, Kept};
use crate::kinds::{data_sets, dataset, inputs, protocol};
use crate::progress::Progress;
use anyhow::Result;
use datasets::{DigitSet, Split, UspsDigits, stream};
use eval::closeness_of_modes;
use eval::results::{Metrics, Row, Settings, Status};
use measure::{Digits, MeasureError, Tell};
use metrics::{ACCURACY_2007, ACCURACY_ALL, GEOMETRIC_DEVIATION, LABEL_AGREEMENT, W2};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use ot_core::Measure;
use ot_core::cost::Euclidean;
use ot_core::exact;
use ot_core::gaussian::Gaussian;
use rand::seq::SliceRandom;
use std::time::Instant;
use train::config::{Config, GeneratorConfig, Points};
use train::source::Draw;
use train::w2fe::{ExactFlow, Scheme};

/// Stream of the choice of digits and of particles.
const CHOICE: &str = "reference-points";
/// Steps of the exact flow.
const STEPS: u64 = 20;
/// Added to the covariances, whose background pixels do not vary.
const RIDGE: f64 = 0.01;
/// Digits a side of the exact plan.
const PLAN: usize = 3000;

/// The references of one kind of row, as the folder has them, or measured now.
pub(super) fn references(trial: &Trial, plan: &Plan, kept: &Kept) -> Result<Vec<Row>> {
    let Campaign { preset, out, .. } = &plan.campaign;
    let config = &trial.run.config;
    let sides = (config.initial(), config.data().as_measured(), trial.run.data_sha256(out)?);
    let seeds = (config.seed(), plan.seeds.to_string());
    let of = ("references", config.kind().to_string(), protocol(config, preset), sides, seeds);
    let found = kept.or_measure(&serde_json::to_string(&of)?, || measured(config, plan))?;
    let row = |(method, metrics, iterations, seconds): Reference| Row {
        method,
        family: trial.row.family.into(),
        dataset: dataset(config),
        dim: config.data().dim().unwrap_or(DigitSet::PIXELS),
        seed: 0,
        settings: Settings::default(),
        status: Status::Ok,
        run: ".".into(),
        samples: None,
        iterations,
        seconds,
        reading_seconds: 0.0,
        metrics,
        notes: Vec::new(),
        verdict: None,
    };
    Ok(found.into_iter().map(row).collect())
}

/// Those of the kind of data that the configuration names.
fn measured(config: &Config, plan: &Plan) -> Result<Vec<Reference>> {
    let digits = match (config.initial(), config.data()) {
        (&Points::Digits { set: start, .. }, &Points::Digits { set, .. }) => Some((start, set)),
        _ => None,
    };
    let judged_by = protocol(config, &plan.campaign.preset);
    let progress = Progress::new("references");
    let tell: Tell<'_> = &|stage| progress.stage(stage);
    Ok(match (config, digits) {
        (_, Some((start, set))) => of_digits(start, set, judged_by.exact_points, plan)?,
        _ if config.data().known_map().is_some() => {
            timed(|| measure::simple_maps(config, &inputs(), judged_by, tell))?
        }
        (Config::Critic(_), None) => timed(|| measure::simple_critics(config, &inputs(), judged_by, tell))?,
        _ if config.data().cells().is_some() => timed(|| measure::snapshots_around(config, &inputs(), tell))?,
        (Config::Flow(_), None) => timed(|| measure::image_references(config, &inputs(), judged_by, tell))?,
        (Config::Generator(generator), None) => of_points(generator, config, plan)?,
    })
}

/// Method, metrics, iterations and seconds.
type Reference = (String, Metrics, u64, f64);

/// What a library measures by itself, under its names: all of it takes one time.
fn timed(
    measure: impl FnOnce() -> Result<Vec<(&'static str, Metrics)>, MeasureError>,
) -> Result<Vec<Reference>> {
    let begun = Instant::now();
    let found = measure()?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(found.into_iter().map(|(name, metrics)| (name.to_owned(), metrics, 0, seconds)).collect())
}

/// The starting points as they are, and the flow with the exact transport map in place of networks.
fn of_points(config: &GeneratorConfig, kind: &Config, plan: &Plan) -> Result<Vec<Reference>> {
    let protocol = protocol(kind, &plan.campaign.preset);
    let target = inputs().data(config)?;
    let start = inputs().initial(config, &target)?;
    let cloud = |law: &Draw, name: &str, pair: usize| {
        law.points(protocol.exact_points, &mut stream(0, &format!("{CHOICE}-{name}"), pair as u64))
    };
    let mut pairs = Vec::new();
    for pair in 0..protocol.pairs {
        pairs.push((cloud(&start, "start", pair)?, cloud(&target.draw, "target", pair)?));
    }
    let views: Vec<_> = pairs.iter().map(|(x, y)| (x.view(), y.view())).collect();
    let modes = config.data.target().and_then(|target| target.modes());
    let modes = modes.as_ref().map(|(centres, std)| (centres.as_slice(), *std));
    let mut found = vec![("start".to_owned(), closeness_of_modes(&views, modes)?, 0, 0.0)];
    let Some((x, y)) = pairs.first() else { return Ok(found) };
    for epsilon in [0.1, 0.5] {
        let begun = Instant::now();
        let mut flow = ExactFlow::new(x.clone(), y.clone(), epsilon, Scheme::ForwardEuler)?;
        let first = flow.step()?;
        let mut deviation: f64 = 0.0;
        let mut w2 = first;
        for step in 1..=STEPS {
            w2 = flow.step()?;
            let expected = first * (1.0 - epsilon).powf(step as f64);
            deviation = deviation.max((w2 / expected - 1.0).abs());
        }
        let mut metrics = Metrics::default();
        metrics.insert(W2, w2);
        metrics.insert(GEOMETRIC_DEVIATION, deviation);
        found.push((
            format!("w2fe-exact, ε = {epsilon}, {STEPS} steps on particles"),
            metrics,
            STEPS,
            begun.elapsed().as_secs_f64(),
        ));
    }
    Ok(found)
}

/// The maps that any method must beat, and the ceiling.
fn of_digits(start: DigitSet, target: DigitSet, apart: usize, plan: &Plan) -> Result<Vec<Reference>> {
    let digits = Digits::read(&data_sets(), (start, target, Split::Train), 0)?;
    let train = digits.training()?;
    let (source, labels) = (&digits.source.pixels, digits.source.labels.to_vec());
    let (few, transported) = if plan.campaign.preset == "smoke" { (1000, 200) } else { (usize::MAX, PLAN) };
    let (source, labels) = (head(source, few), labels.get(..few.min(labels.len())).unwrap_or(&labels));
    let (from, to) = (mean(source.view()), mean(train.pixels.view()));
    let gaussian = |points: ArrayView2<'_, f64>| -> Result<Gaussian> {
        let sample = Gaussian::from_samples(points)?;
        let ridge = Array2::from_diag_elem(points.ncols(), RIDGE);
        Ok(Gaussian::new(sample.mean().to_owned(), &sample.covariance() + &ridge)?)
    };
    let map = gaussian(source.view())?.transport_map(&gaussian(train.pixels.view())?)?;
    let mut found = Vec::new();
    let ceiling = head(&train.pixels, few);
    let ceiling_labels: Vec<u8> = train.labels.iter().take(ceiling.nrows()).copied().collect();
    for (name, points, labels) in [
        ("no adaptation", source.clone(), labels),
        ("mean shift", &source + &(&to - &from), labels),
        ("Gaussian transport map, covariance + .01 I", map.apply(source.view())?, labels),
        ("ceiling: training digits of the target", ceiling, &ceiling_labels),
    ] {
        let begun = Instant::now();
        let metrics = judged(&digits, points.view(), labels, apart)?;
        found.push((name.to_owned(), metrics, 0, begun.elapsed().as_secs_f64()));
    }
    let begun = Instant::now();
    let metrics = barycentric(&digits, &train, transported, apart, plan)?;
    let name = format!("exact plan, barycentric, n = {transported}");
    found.insert(3, (name, metrics, 0, begun.elapsed().as_secs_f64()));
    Ok(found)
}

/// The accuracies of moved digits, and their distance to the test digits, both at random, `count` a side.
fn judged(digits: &Digits, points: ArrayView2<'_, f64>, labels: &[u8], count: usize) -> Result<Metrics> {
    let accuracy = digits.accuracy(points, labels)?;
    let choose = |cloud: ArrayView2<'_, f64>, name: &str| {
        let mut rows: Vec<usize> = (0..cloud.nrows()).collect();
        rows.shuffle(&mut stream(0, &format!("{CHOICE}-{name}"), 0));
        rows.truncate(count);
        cloud.select(Axis(0), &rows)
    };
    let (x, y) = (choose(points, "moved"), choose(digits.test.pixels.view(), "test"));
    let w2 = eval::w2(x.view(), y.view())?;
    let named = [(ACCURACY_ALL, accuracy.all), (ACCURACY_2007, accuracy.drawn), (W2, w2)];
    Ok(named.into_iter().collect())
}

/// The barycentric map of the exact plan between `count` training digits of each side, for each seed.
fn barycentric(
    digits: &Digits,
    train: &UspsDigits,
    count: usize,
    apart: usize,
    plan: &Plan,
) -> Result<Metrics> {
    let measured = [ACCURACY_ALL, ACCURACY_2007, LABEL_AGREEMENT, W2];
    let mut values = vec![Vec::new(); measured.len()];
    for seed in plan.seeds.iter() {
        let choose = |set: &UspsDigits, name: &str| {
            let mut rows: Vec<usize> = (0..set.labels.len()).collect();
            rows.shuffle(&mut stream(seed, &format!("{CHOICE}-{name}"), 0));
            rows.truncate(count);
            (set.pixels.select(Axis(0), &rows), set.labels.select(Axis(0), &rows).to_vec())
        };
        let ((x, labels), (y, truth)) = (choose(&digits.source, "source"), choose(train, "target"));
        let (source, target) = (Measure::uniform(x.view())?, Measure::uniform(y.view())?);
        let transport = exact::solve(&source, &target, &Euclidean::Squared)?;
        let agrees = |flow: &&exact::Flow| labels.get(flow.source) == truth.get(flow.target);
        let agreement = transport.coupling.iter().filter(agrees).map(|flow| flow.mass).sum();
        let mut metrics = judged(digits, transport.barycentric_map().view(), &labels, apart)?;
        metrics.insert(LABEL_AGREEMENT, agreement);
        for (all, metric) in values.iter_mut().zip(measured) {
            all.extend(metrics.get(metric));
        }
    }
    let mut metrics = Metrics::default();
    for (metric, values) in measured.iter().zip(&values) {
        metrics.insert_repeated(metric, values);
    }
    Ok(metrics)
}

fn head(points: &Array2<f64>, count: usize) -> Array2<f64> {
    points.slice(ndarray::s![..count.min(points.nrows()), ..]).to_owned()
}

fn mean(points: ArrayView2<'_, f64>) -> Array1<f64> {
    points.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(points.ncols()))
}
