//! The report of an experiment: its tables, and curves and samples of every row.

use super::steps::steps;
use super::{provenance, run};
use crate::manifest::Manifest;
use anyhow::Result;
use eval::report::{Block, Curves, Figure, Page, Scale, Section, Series, Table};
use eval::results::{Results, Row, Status};
use measure::{Abscissa, Records};
use metrics::Metric;
use std::path::Path;

/// Points of a cloud in a figure: the page holds dozens of them.
const DRAWN_POINTS: usize = 1200;

/// One metric of several rows of a family, over iterations and over time.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub caption: &'static str,
    pub family: &'static str,
    /// A metric of the records.
    pub metric: &'static Metric,
    pub scale: Scale,
    /// The stems of the rows.
    pub rows: &'static [&'static str],
}

/// The report of the experiment in a folder.
pub(crate) fn experiment(
    folder: &Path,
    title: &str,
    results: &Results,
    tables: Vec<Table>,
    curves: &[Comparison],
    manifest: &Manifest,
) -> Result<Page> {
    let diverged = results.rows.iter().filter(|row| row.status != Status::Ok).count();
    let tables = tables.into_iter().map(Block::Table).collect();
    let mut sections = vec![Section { heading: "Table".into(), blocks: tables, ..Section::default() }];
    let mut figures = Vec::new();
    for comparison in curves {
        figures.extend(compared(folder, comparison, results)?);
    }
    if !figures.is_empty() {
        let blocks = vec![Block::Figures(figures)];
        sections.push(Section { heading: "Methods compared".into(), blocks, ..Section::default() });
    }
    sections.extend(steps(results));
    let first_seed = results.rows.iter().map(|row| row.seed).min();
    for row in results.rows.iter().filter(|row| Some(row.seed) == first_seed && row.run != ".") {
        sections.push(of_row(folder, row)?);
    }
    sections.push(provenance(manifest));
    let rows = results.rows.len();
    Ok(Page {
        title: title.into(),
        status: format!(
            "preset {}: {} of {rows} runs ended well, {diverged} diverged",
            results.preset,
            rows - diverged
        ),
        sections,
    })
}

/// A quantity of several rows over iterations and over seconds, the mean over the seeds that reached the record.
fn compared(folder: &Path, comparison: &Comparison, results: &Results) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (abscissa, x_label) in
        [(Abscissa::Iterations, "iteration"), (Abscissa::Seconds, "seconds of training")]
    {
        let mut series = Vec::new();
        for stem in comparison.rows {
            let mut runs = Vec::new();
            let same = |row: &&Row| row.family == comparison.family && row.method == *stem;
            for row in results.rows.iter().filter(same) {
                runs.push(Records::read(&folder.join(&row.run))?.over(abscissa, comparison.metric));
            }
            series.push(Series { name: (*stem).into(), points: mean_curve(&runs) });
        }
        series.retain(|series| !series.points.is_empty());
        if !series.is_empty() {
            let caption = format!(
                "{}, {}: {} (mean over seeds)",
                comparison.family, comparison.caption, comparison.metric
            );
            figures.push(Figure::Curves(Curves {
                caption,
                x_label: x_label.into(),
                scale: comparison.scale,
                series,
            }));
        }
    }
    Ok(figures)
}

/// Record by record the mean of both coordinates.
fn mean_curve(runs: &[Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let longest = runs.iter().map(Vec::len).max().unwrap_or(0);
    let mean = |record: usize| {
        let there: Vec<(f64, f64)> = runs.iter().filter_map(|run| run.get(record).copied()).collect();
        let count = there.len() as f64;
        let sum = there.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (sum.0 / count, sum.1 / count)
    };
    (0..longest).map(mean).collect()
}

/// Curves and samples of a row, of its first seed.
fn of_row(folder: &Path, row: &Row) -> Result<Section> {
    let text = format!(
        "{}, {} iterations in {:.0} s; all measures are in {}/report.html.",
        run::status(&row.status),
        row.iterations,
        row.seconds,
        row.run
    );
    let figures = run::figures(&folder.join(&row.run), row, DRAWN_POINTS, |_| true)?;
    Ok(Section {
        heading: format!("{} {}D {} ({}), seed {}", row.dataset, row.dim, row.method, row.family, row.seed),
        folded: true,
        blocks: vec![Block::Text(text), Block::Figures(figures)],
    })
}
