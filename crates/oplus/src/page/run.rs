//! The report of one run.

use super::provenance;
use super::records::Records;
use crate::kinds::DIRECTION;
use crate::manifest::Manifest;
use crate::monitor::PARTICLES;
use crate::run_folder::{self, SAMPLES, STARTS, TARGETS};
use anyhow::{Context, Result};
use eval::Summary;
use eval::report::{Block, Cloud, Curves, Figure, Images, Page, Scale, Scatter, Section, Series, Table};
use eval::results::{METRICS, Results, Row, Status};
use ndarray::Array2;
use std::path::Path;
use train::run::CONFIG_FILE;

/// Points of a cloud in a figure.
const DRAWN_POINTS: usize = 2000;
/// Points of a cloud in a picture of the particles at one time.
const DRAWN_PARTICLES: usize = 512;

/// The report of a run folder.
pub fn run(folder: &Path) -> Result<Page> {
    let results = run_folder::results(folder)?;
    let row = results.rows.first().context("results.json has no row: delete it and resume the run")?;
    let configuration = std::fs::read_to_string(folder.join(CONFIG_FILE))?;
    let mut figures = figures(folder, row, DRAWN_POINTS)?;
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
            section("Measures", vec![Block::Table(measures(&results, row))]),
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
        let clouds = vec![cloud("data", TARGETS)?, cloud("generated", SAMPLES)?];
        let caption = "Generated points over data, first two coordinates";
        figures.push(Figure::Scatter(Scatter { caption: caption.into(), clouds }));
    }
    figures.extend(particles(folder)?);
    figures.extend(Records::read(folder)?.figures());
    Ok(figures)
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
    let rows = vec![pictures(STARTS)?, pictures(SAMPLES)?];
    Ok(Figure::Images(Images {
        caption: "Source digits, and what they are mapped to".into(),
        size: DIGIT,
        rows,
    }))
}

/// The particles at several times over the data.
fn particles(folder: &Path) -> Result<Vec<Figure>> {
    let Ok(entries) = std::fs::read_dir(folder.join("samples")) else { return Ok(Vec::new()) };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    // Numbers are zero-padded, so their order is that of the iterations.
    files.sort();
    let mut figures = Vec::new();
    for file in files {
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(iteration) = stem.strip_prefix(PARTICLES).map(|number| number.trim_start_matches('0'))
        else {
            continue;
        };
        let cloud = |name: &str, file: &Path| -> Result<Cloud> {
            let matrix = datasets::read_matrix(file)?;
            Ok(Cloud { name: name.into(), points: planar(&matrix, DRAWN_PARTICLES) })
        };
        let targets = folder.join(TARGETS);
        if targets.is_file() {
            let clouds = vec![cloud("data", &targets)?, cloud("particles", &file)?];
            let caption = format!("Particles after iteration {iteration}");
            figures.push(Figure::Scatter(Scatter { caption, clouds }));
        }
    }
    Ok(figures)
}

fn planar(matrix: &Array2<f64>, points: usize) -> Vec<(f64, f64)> {
    let pair = |row: ndarray::ArrayView1<'_, f64>| {
        let coordinate = |index| row.get(index).copied().unwrap_or(0.0);
        (coordinate(0), coordinate(1))
    };
    matrix.rows().into_iter().take(points).map(pair).collect()
}

fn step_invariance(row: &Row) -> Option<Figure> {
    let value = |exponent: u32| {
        let name = match exponent {
            0 => "step_invariance".into(),
            _ => format!("step_invariance_{}", 1 << exponent),
        };
        Some((f64::from(exponent), row.metrics.get(&name)?))
    };
    let points: Vec<_> = (0..=6).filter_map(value).filter(|(_, y)| *y > 0.0).collect();
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
    let cells = METRICS.iter().filter_map(|metric| {
        let shown = |metrics: &eval::Metrics| {
            let mean = metrics.get(metric.name)?;
            Some(Summary { mean, sd: metrics.deviation(metric.name), count: 1 }.to_string())
        };
        let value = shown(&row.metrics)?;
        let floor = floor.and_then(shown).unwrap_or_default();
        Some(vec![metric.name.into(), value, floor, metric.definition.into()])
    });
    let protocol = results.protocol;
    Table {
        caption: format!(
            "± over {} pairs of independent clouds; n = {} for exact distances and the indicators, {} and {} for the Sinkhorn \
             divergences. The floor is the same between two independent samples of the target.",
            protocol.pairs,
            protocol.exact_points,
            protocol.sinkhorn_points,
            protocol.sinkhorn_points_as_published
        ),
        head: ["measure", "value", "floor", "definition"].map(Into::into).into(),
        rows: cells.collect(),
    }
}

pub(super) fn status(status: &Status) -> String {
    match status {
        Status::Ok => "ok".into(),
        Status::Diverged { step, reason } => format!("diverged at iteration {step}: {reason}"),
    }
}
