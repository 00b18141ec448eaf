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
use eval::results::{Metrics, Results, Row, Status};
use measure::Records;
use metrics::{Metric, STEP_INVARIANCE_BY_STEPS};
use ndarray::{Array2, ArrayView1};
use std::path::{Path, PathBuf};
use train::run::CONFIG_FILE;

/// Points of a cloud in a figure.
const DRAWN_POINTS: usize = 2000;
/// Points of a cloud in a picture of the particles at one time.
const DRAWN_PARTICLES: usize = 512;

/// The report of a run folder with its results.
pub(crate) fn run(folder: &Path, results: &Results) -> Result<Page> {
    let row = results.rows.first().context("results.json has no row: delete it and resume the run")?;
    let configuration = std::fs::read_to_string(folder.join(CONFIG_FILE))?;
    let mut figures: Vec<Figure> = paths(folder, results)?.into_iter().collect();
    figures.extend(self::figures(folder, row, DRAWN_POINTS)?);
    figures.extend(step_invariance(row));
    let section = |heading: &str, blocks| Section { heading: heading.into(), blocks, ..Section::default() };
    let facts = [
        ("data", format!("{} in {} dimensions", row.dataset, row.dim)),
        ("seed", row.seed.to_string()),
        ("iterations", row.iterations.to_string()),
        ("training time", format!("{:.1} s", row.seconds)),
    ];
    let facts = facts.map(|(name, value)| (name.to_owned(), value)).into();
    Ok(Page {
        title: row.method.clone(),
        status: status(&row.status),
        sections: vec![
            section("Run", vec![Block::Facts(facts)]),
            section("Curves and samples", vec![Block::Figures(figures)]),
            section("Measures", vec![Block::Table(measures(results, row))]),
            section("Configuration", vec![Block::Code(configuration)]),
            provenance(&Manifest::read(folder)?),
        ],
    })
}

/// The samples over the data, and the curves of a run.
pub(super) fn figures(folder: &Path, row: &Row, points: usize) -> Result<Vec<Figure>> {
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
    figures.extend(curves(&Records::read(folder)?));
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

fn measures(results: &Results, row: &Row) -> Table {
    let floor = results.floors.first().map(|floor| &floor.metrics);
    let cells = metrics::all().filter_map(|metric| {
        let shown = |metrics: &Metrics| {
            let mean = metrics.get(metric)?;
            Some(Summary { mean, sd: metrics.deviation(metric), count: 1 }.to_string())
        };
        let value = shown(&row.metrics)?;
        let floor = floor.and_then(shown).unwrap_or_default();
        let better = metric.better.to_string();
        Some(vec![metric.name.into(), value, floor, metric.unit.into(), better, metric.definition.into()])
    });
    let protocol = results.protocol;
    Table {
        caption: format!(
            "± over {} pairs of independent clouds; n = {} for exact distances and the indicators, {} and {} for the \
             Sinkhorn divergences. The floor is the same between two independent samples of the target. The unit φ \
             is that of the critic's values.",
            protocol.pairs,
            protocol.exact_points,
            protocol.sinkhorn_points,
            protocol.sinkhorn_points_as_published
        ),
        head: ["measure", "value", "floor", "unit", "better", "definition"].map(Into::into).into(),
        rows: cells.collect(),
    }
}

pub(super) fn status(status: &Status) -> String {
    match status {
        Status::Ok => "ok".into(),
        Status::Diverged { step, reason } => format!("diverged at iteration {step}: {reason}"),
    }
}
