//! The report of one run.

use super::curves::curves;
use super::{definitions, pictures, provenance};
use crate::manifest::Manifest;
use anyhow::{Context, Result};
use eval::Summary;
use eval::report::{Bar, Bars, Block, Curves, Figure, Page, Scale, Section, Series, Table};
use eval::results::{Layout, Metrics, Protocol, Reference, Results, Row, Status};
use eval::summary::significant;
use flows::flow::Representation;
use measure::Records;
use metrics::{BY_CONSTRUCTION, Metric, STEP_INVARIANCE_BY_STEPS};
use std::path::Path;
use train::Config;
use train::run::{CONFIG_FILE, stored_config};

/// The report of a run folder with its results.
pub(crate) fn run(folder: &Path, results: &Results) -> Result<Page> {
    let row = results.rows.first().context("results.json has no row: delete it and resume the run")?;
    let text = std::fs::read_to_string(folder.join(CONFIG_FILE))?;
    let config = stored_config(folder)?;
    let given = given(&config);
    let tells = |metric: &Metric| given.iter().all(|known| *known != metric);
    let section = |heading: &str, blocks| Section { heading: heading.into(), blocks, ..Section::default() };
    let folded = |heading: &str, blocks| Section { heading: heading.into(), folded: true, blocks };
    let mut sections = Vec::new();
    let mut seen: Vec<Figure> = pictures::samples(folder, row)?;
    seen.extend(pictures::paths(folder, results)?);
    if !seen.is_empty() {
        sections.push(section("Samples", vec![Block::Figures(seen)]));
    }
    if let Some(bars) = bars(results, row) {
        let mut blocks = vec![Block::Bars(bars)];
        let caveat = row.verdict.as_ref().and_then(|verdict| verdict.caveat.clone());
        blocks.extend(caveat.map(Block::Text));
        sections.push(section("Distance to the data", blocks));
    }
    let levels = pictures::levels(folder)?;
    if !levels.is_empty() {
        sections.push(section("Potential and critic", vec![Block::Figures(levels)]));
    }
    let (mut figures, constants) = curves(&Records::read(folder)?, tells);
    if given.is_empty() {
        figures.extend(step_invariance(row));
    }
    if !figures.is_empty() {
        let mut blocks = vec![Block::Figures(figures)];
        blocks.extend(constants.map(Block::Text));
        sections.push(section("On the way", blocks));
    }
    let particles = pictures::particles(folder)?;
    if !particles.is_empty() {
        sections.push(section("Particles on the way", vec![Block::Pictures(particles)]));
    }
    sections.push(section("Measures", vec![Block::Table(measures(results, row, tells))]));
    if !given.is_empty() {
        let text = "The flow is the Hopf–Lax formula of its critic. These hold for any critic, trained or not, up to \
                    the accuracy of the search for the ends of paths: they say nothing of how near the generated \
                    points are to the data.";
        let table = measures(results, row, |metric| !tells(metric));
        let blocks = vec![Block::Text(text.into()), Block::Table(table)];
        sections.push(folded("What holds by construction", blocks));
    }
    sections.push(definitions(results));
    sections.push(folded("Configuration", vec![Block::Code(text)]));
    sections.push(provenance(&Manifest::read(folder)?));
    Ok(Page { title: title(&config)?, status: status_line(row, &config), sections, refresh: None })
}

/// What tells this run from its neighbours: at last the digest of its configuration.
pub(super) fn title(config: &Config) -> Result<String> {
    let settings = match config {
        Config::Flow(config) if config.representation.has_critic() => {
            format!("λ = {}, L = {}, ", config.flow.lambda, config.critic.bound)
        }
        Config::Critic(config) => format!("L = {}, ", config.critic.bound()),
        _ => String::new(),
    };
    Ok(format!("{}: {settings}seed {}, {}", config.name(), config.seed(), config.hash()?))
}

/// What is trained, up to the name of the data.
pub(super) fn what(config: &Config) -> String {
    match config {
        Config::Flow(config) => format!("A flow of the representation {} to", config.representation.kind()),
        Config::Generator(_) => "A generator to".into(),
        Config::Critic(config) => {
            format!("A critic of the form {} between the laws of", config.critic.kind())
        }
    }
}

fn status_line(row: &Row, config: &Config) -> String {
    let what = what(config);
    let training = format!("{} iterations in {:.1} s", row.iterations, row.seconds);
    let readings = format!("readings on the way took {:.1} s more", row.reading_seconds);
    let ended = match &row.status {
        Status::Ok => String::new(),
        diverged => format!("; {}", status(diverged)),
    };
    let verdict = row.verdict.as_ref().map(|verdict| format!(" {}.", verdict.words)).unwrap_or_default();
    let notes: String = row.notes.iter().map(|note| format!(" Note: {note}.")).collect();
    format!(
        "{what} {} in {} dimensions: {training}; {readings}{ended}.{verdict}{notes}",
        row.dataset, row.dim
    )
}

/// Distances that have a floor.
const AGAINST_FLOOR: [&Metric; 7] = [
    metrics::W2_SQUARED,
    metrics::W2,
    metrics::W1,
    metrics::CONDITIONAL_W2_SQUARED,
    metrics::JOINT_W2_SQUARED,
    metrics::SLICED_W2,
    metrics::SINKHORN_DIVERGENCE_2D,
];

fn bars(results: &Results, row: &Row) -> Option<Bars> {
    let floors = &results.floors.first()?.metrics;
    let bar = |metric: &&Metric| {
        let (value, floor) = (row.metrics.get(metric)?, floors.get(metric).filter(|floor| *floor > 0.0)?);
        let what = format!("{} over {}", significant(value), significant(floor));
        Some(Bar::over_floor(format!("`{metric}`"), value / floor, &what))
    };
    let bars: Vec<Bar> = AGAINST_FLOOR.iter().filter_map(bar).collect();
    let caption = "Over its floor, the same distance between two samples of the data: the line. Lengths are logarithms.";
    (!bars.is_empty()).then(|| Bars { caption: caption.into(), bars })
}

/// What holds by construction for the flow of a run.
pub(super) fn given(config: &Config) -> &'static [&'static Metric] {
    match config {
        Config::Flow(config) if matches!(config.representation, Representation::HopfLax(_)) => {
            &BY_CONSTRUCTION
        }
        _ => &[],
    }
}

fn step_invariance(row: &Row) -> Option<Figure> {
    let value = |(steps, metric): (usize, &Metric)| Some((steps as f64, row.metrics.get(metric)?));
    let points: Vec<_> =
        STEP_INVARIANCE_BY_STEPS.into_iter().filter_map(value).filter(|(_, y)| *y > 0.0).collect();
    let series = vec![Series { name: "E‖x_h − x_fine‖ / E‖x_fine − x_0‖".into(), points }];
    let curves = Curves {
        caption: "Dependence on the step".into(),
        x_label: "Euler steps".into(),
        scale: Scale::Logarithmic,
        x_scale: Scale::Logarithmic,
        series,
    };
    let drawable = curves.series.iter().any(|series| series.points.len() > 1);
    drawable.then_some(Figure::Curves(curves))
}

/// The metrics that are `shown`, beside their floors.
fn measures(results: &Results, row: &Row, shown: impl Fn(&Metric) -> bool) -> Table {
    let floor = results.floors.first().map(|floor| &floor.metrics);
    let cells = metrics::all().filter(|metric| shown(metric)).filter_map(|metric| {
        let shown = |metrics: &Metrics| {
            let mean = metrics.get(metric)?;
            Some(Summary { mean, sd: metrics.deviation(metric), count: 1 }.to_string())
        };
        let value = shown(&row.metrics)?;
        let floor = floor.and_then(shown).unwrap_or_default();
        let better = metric.better.to_string();
        Some(vec![metric.name.into(), value, floor, metric.unit.into(), better])
    });
    Table {
        caption: caption(results, row),
        head: ["measure", "value", "floor", "unit", "better"].map(Into::into).into(),
        rows: cells.collect(),
    }
}

/// What is measured against what.
fn caption(results: &Results, row: &Row) -> String {
    let Protocol { pairs, exact_points, sinkhorn_points, sinkhorn_points_as_published } = results.protocol;
    let how = match row.verdict.as_ref().map(|verdict| verdict.layout) {
        Some(Layout { reference: Reference::HeldOutRows, pairs, points }) => format!(
            "± over {pairs} disjoint parts of {points} rows each that were held out. The floor is the same for as many \
             rows of the training; that of nearest_training_distance is of the rows held out."
        ),
        Some(Layout { reference: Reference::TrainingRows, pairs, points }) => format!(
            "± over {pairs} disjoint parts of {points} rows each. No rows were held out: generated points are set \
             against rows of the training, and the floor is the same for other rows of it, so that learning by heart \
             cannot show."
        ),
        _ => format!(
            "± over {pairs} pairs of independent clouds; n = {exact_points} for exact distances and the indicators{}. The \
             floor is the same between two independent samples of the target.",
            match sinkhorn_points {
                0 => String::new(),
                _ => format!(
                    ", {sinkhorn_points} and {sinkhorn_points_as_published} for the Sinkhorn divergences"
                ),
            }
        ),
    };
    format!("{how} The unit φ is that of the critic's values.")
}

pub(super) fn status(status: &Status) -> String {
    match status {
        Status::Ok => "ok".into(),
        Status::Diverged { step, reason } => format!("diverged at iteration {step}: {reason}"),
    }
}
