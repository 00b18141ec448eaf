//! The report of an experiment: its tables, and curves and samples of every row.

use super::{provenance, run};
use crate::manifest::Manifest;
use anyhow::Result;
use eval::report::{Block, Page, Published, Section, comparison};
use eval::results::{Results, Row, Status};
use std::path::Path;

/// Points of a cloud in a figure: the page holds dozens of them.
const DRAWN_POINTS: usize = 1200;

/// The report of the experiment in a folder.
pub fn experiment(
    folder: &Path,
    title: &str,
    results: &Results,
    in_print: &[Published],
    manifest: &Manifest,
) -> Result<Page> {
    let diverged = results.rows.iter().filter(|row| row.status != Status::Ok).count();
    let tables = comparison(results, in_print).into_iter().map(Block::Table).collect();
    let mut sections = vec![Section { heading: "Table".into(), blocks: tables, ..Section::default() }];
    let first_seed = results.rows.iter().map(|row| row.seed).min();
    for row in results.rows.iter().filter(|row| Some(row.seed) == first_seed) {
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

/// Curves and samples of a row, of its first seed.
fn of_row(folder: &Path, row: &Row) -> Result<Section> {
    let text = format!(
        "{}, {} iterations in {:.0} s; all measures are in {}/report.html.",
        run::status(&row.status),
        row.iterations,
        row.seconds,
        row.run
    );
    let figures = run::figures(&folder.join(&row.run), row, DRAWN_POINTS)?;
    Ok(Section {
        heading: format!("{} {}D {} ({}), seed {}", row.dataset, row.dim, row.method, row.family, row.seed),
        folded: true,
        blocks: vec![Block::Text(text), Block::Figures(figures)],
    })
}
