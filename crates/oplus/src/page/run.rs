//! The report of one run.

use super::curves::curves;
use super::provenance;
use crate::kinds::DIRECTION;
use crate::manifest::Manifest;
use crate::samples::{self, GENERATED, PATHS, STARTS, TARGETS};
use anyhow::{Context, Result};
use eval::Summary;
use eval::report::{
    Block, Cloud, Curves, Figure, Images, Page, Paths, Scale, Scatter, Section, Series, Table,
};
use eval::results::{Layout, Metrics, Protocol, Reference, Results, Row, Status};
use flows::flow::Representation;
use measure::Records;
use metrics::{BY_CONSTRUCTION, Metric, STEP_INVARIANCE_BY_STEPS};
use ndarray::{Array2, ArrayView1};
use std::path::{Path, PathBuf};
use train::Config;
use train::run::{CONFIG_FILE, stored_config};

/// Points of a cloud in a figure.
const DRAWN_POINTS: usize = 2000;
/// Points of a cloud in a picture of the particles at one time.
const DRAWN_PARTICLES: usize = 512;

/// The report of a run folder with its results.
pub(crate) fn run(folder: &Path, results: &Results) -> Result<Page> {
    let row = results.rows.first().context("results.json has no row: delete it and resume the run")?;
    let configuration = std::fs::read_to_string(folder.join(CONFIG_FILE))?;
    let given = given(folder)?;
    let tells = |metric: &Metric| given.iter().all(|known| *known != metric);
    let mut figures: Vec<Figure> = paths(folder, results)?.into_iter().collect();
    figures.extend(self::figures(folder, row, DRAWN_POINTS, tells)?);
    if given.is_empty() {
        figures.extend(step_invariance(row));
    }
    let section = |heading: &str, blocks| Section { heading: heading.into(), blocks, ..Section::default() };
    let facts = [
        ("data", format!("{} in {} dimensions", row.dataset, row.dim)),
        ("seed", row.seed.to_string()),
        ("iterations", row.iterations.to_string()),
        ("training time", format!("{:.1} s, {:.1} s of readings beside", row.seconds, row.reading_seconds)),
    ];
    let facts = facts.map(|(name, value)| (name.to_owned(), value)).into();
    let verdict =
        row.verdict.iter().flat_map(|verdict| std::iter::once(&verdict.words).chain(&verdict.caveat));
    let mut about: Vec<Block> = verdict.map(|sentence| Block::Text(sentence.clone())).collect();
    about.push(Block::Facts(facts));
    let mut sections = vec![
        section("Run", about),
        section("Curves and samples", vec![Block::Figures(figures)]),
        section("Measures", vec![Block::Table(measures(results, row, tells))]),
    ];
    if !given.is_empty() {
        let text = "The flow is the Hopf–Lax formula of its critic. These hold for any critic, trained or not, up to \
                    the accuracy of the search for the ends of paths: they say nothing of how near the generated \
                    points are to the data.";
        let table = measures(results, row, |metric| !tells(metric));
        let blocks = vec![Block::Text(text.into()), Block::Table(table)];
        sections.push(Section { heading: "What holds by construction".into(), folded: true, blocks });
    }
    sections.push(section("Configuration", vec![Block::Code(configuration)]));
    sections.push(provenance(&Manifest::read(folder)?));
    Ok(Page { title: row.method.clone(), status: status(&row.status), sections })
}

/// What holds by construction for the flow of a run.
fn given(folder: &Path) -> Result<&'static [&'static Metric]> {
    Ok(match stored_config(folder)? {
        Config::Flow(config) if matches!(config.representation, Representation::HopfLax(_)) => {
            &BY_CONSTRUCTION
        }
        _ => &[],
    })
}

/// The samples over the data, and the curves of a run for the metrics that are `shown`.
pub(super) fn figures(
    folder: &Path,
    row: &Row,
    points: usize,
    shown: impl Fn(&Metric) -> bool,
) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    if row.samples.is_some() && row.dataset.contains(DIRECTION) {
        figures.push(mapped_digits(folder)?);
    } else if row.samples.is_some() {
        let cloud = |name: &str, file: &str| -> Result<Cloud> {
            let matrix = datasets::read_matrix(folder.join(file))?;
            Ok(Cloud { name: name.into(), points: planar(&matrix, points) })
        };
        let clouds = vec![cloud("data", TARGETS)?, cloud("generated", GENERATED)?];
        let caption = "Generated points over data, first two coordinates";
        figures.push(Figure::Scatter(Scatter { caption: caption.into(), clouds }));
    }
    figures.extend(particles(folder)?);
    figures.extend(curves(&Records::read(folder)?, shown));
    Ok(figures)
}

/// Particles of a flow on their way; none where their paths were not kept.
///
/// In one dimension they are drawn over time, else in the plane of the first two coordinates.
pub(crate) fn paths(folder: &Path, results: &Results) -> Result<Option<Figure>> {
    let (file, row) = (folder.join(PATHS), results.rows.first());
    let Some(row) = row.filter(|_| file.is_file()) else { return Ok(None) };
    let positions = datasets::read_matrix(file)?;
    let at = |path: ArrayView1<'_, f64>| -> Vec<(f64, f64)> {
        let path = path.to_vec();
        if row.dim == 1 {
            let last = path.len().saturating_sub(1).max(1) as f64;
            return path.iter().enumerate().map(|(i, &x)| (i as f64 / last, x)).collect();
        }
        path.chunks_exact(2).filter_map(|x| Some((*x.first()?, *x.get(1)?))).collect()
    };
    let data = match row.dim {
        1 => Vec::new(),
        _ => planar(&datasets::read_matrix(folder.join(TARGETS))?, DRAWN_POINTS),
    };
    let paths: Vec<_> = positions.rows().into_iter().map(at).collect();
    let caption = match row.dim {
        1 => "Particles on their way, over t/T",
        2 => "Particles on their way",
        _ => "Particles on their way, first two coordinates",
    };
    Ok(Some(Figure::Paths(Paths { caption: caption.into(), data, paths })))
}

/// Digits above what they were mapped to.
const DRAWN_DIGITS: usize = 20;
/// The width and height of a digit.
const DIGIT: (usize, usize) = (16, 16);

fn mapped_digits(folder: &Path) -> Result<Figure> {
    let pictures = |file: &str| -> Result<Vec<Vec<f64>>> {
        let matrix = datasets::read_matrix(folder.join(file))?;
        Ok(matrix.rows().into_iter().take(DRAWN_DIGITS).map(|row| row.to_vec()).collect())
    };
    let rows = vec![pictures(STARTS)?, pictures(GENERATED)?];
    Ok(Figure::Images(Images {
        caption: "Source digits, and what they are mapped to".into(),
        size: DIGIT,
        rows,
    }))
}

/// The particles at several times over the data.
fn particles(folder: &Path) -> Result<Vec<Figure>> {
    let targets = folder.join(TARGETS);
    if !targets.is_file() {
        return Ok(Vec::new());
    }
    let cloud = |name: &str, file: &Path| -> Result<Cloud> {
        let matrix = datasets::read_matrix(file)?;
        Ok(Cloud { name: name.into(), points: planar(&matrix, DRAWN_PARTICLES) })
    };
    let figure = |(file, iteration): (PathBuf, u64)| {
        let clouds = vec![cloud("data", &targets)?, cloud("particles", &file)?];
        let caption = format!("Particles after iteration {iteration}");
        Ok(Figure::Scatter(Scatter { caption, clouds }))
    };
    samples::particles(folder).into_iter().map(figure).collect()
}

fn planar(matrix: &Array2<f64>, points: usize) -> Vec<(f64, f64)> {
    let pair = |row: ArrayView1<'_, f64>| {
        let coordinate = |index| row.get(index).copied().unwrap_or(0.0);
        (coordinate(0), coordinate(1))
    };
    matrix.rows().into_iter().take(points).map(pair).collect()
}

fn step_invariance(row: &Row) -> Option<Figure> {
    let value = |(steps, metric): (usize, &Metric)| Some(((steps as f64).log2(), row.metrics.get(metric)?));
    let points: Vec<_> =
        STEP_INVARIANCE_BY_STEPS.into_iter().filter_map(value).filter(|(_, y)| *y > 0.0).collect();
    let series = vec![Series { name: "E‖x_h − x_fine‖ / E‖x_fine − x_0‖".into(), points }];
    let curves = Curves {
        caption: "Dependence on the step".into(),
        x_label: "log₂ of the number of steps".into(),
        scale: Scale::Logarithmic,
        series,
    };
    let drawable = curves.series.iter().any(|series| !series.points.is_empty());
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
        Some(vec![metric.name.into(), value, floor, metric.unit.into(), better, metric.definition.into()])
    });
    Table {
        caption: caption(results, row),
        head: ["measure", "value", "floor", "unit", "better", "definition"].map(Into::into).into(),
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
            "± over {pairs} pairs of independent clouds; n = {exact_points} for exact distances and the indicators, \
             {sinkhorn_points} and {sinkhorn_points_as_published} for the Sinkhorn divergences. The floor is the same \
             between two independent samples of the target."
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
