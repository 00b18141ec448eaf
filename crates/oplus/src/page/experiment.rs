//! The report of an experiment: at a glance how near each row came, pictures of all, the tables, and what it cost.

use super::glance::{Group, groups};
use super::steps::steps;
use super::{definitions, pictures, provenance, run};
use crate::manifest::Manifest;
use crate::run_folder::REPORT_FILE;
use anyhow::Result;
use eval::report::{Block, Curves, Figure, Link, Page, Scale, Section, Series, Table};
use eval::results::{Results, Row, Status};
use measure::{Abscissa, QUALITY, Records};
use metrics::Metric;
use std::path::Path;

/// One metric of several rows of a family, over iterations and over time.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub caption: &'static str,
    pub family: &'static str,
    /// A metric of the records.
    pub metric: &'static Metric,
    pub scale: Scale,
    /// The methods of the rows.
    pub rows: &'static [&'static str],
}

/// The report of the experiment in a folder; `differences` say what differs from print, and why.
pub(crate) fn experiment(
    folder: &Path,
    title: &str,
    results: &Results,
    (tables, differences): (Vec<Table>, Vec<String>),
    curves: &[Comparison],
    manifest: &Manifest,
) -> Result<Page> {
    let section = |heading: &str, blocks| Section { heading: heading.into(), blocks, ..Section::default() };
    let groups = groups(results);
    let mut sections = Vec::new();
    let bars: Vec<Block> = super::glance::bars(results, &groups).into_iter().map(Block::Bars).collect();
    if !bars.is_empty() {
        sections.push(section("At a glance", bars));
    }
    sections.extend(samples(folder, &groups)?);
    if !differences.is_empty() {
        let blocks = differences.into_iter().map(Block::Text).collect();
        sections.push(section("What differs from print, and why", blocks));
    }
    sections.push(section("Tables", tables.into_iter().map(Block::Table).collect()));
    let figures = quality_over_cost(folder, &groups);
    if !figures.is_empty() {
        let text = "Each curve ends with its training, in the number of the table; means over the seeds.";
        let blocks = vec![Block::Text(text.into()), Block::Figures(figures)];
        sections.push(section("Quality against cost", blocks));
    }
    let mut figures = Vec::new();
    for comparison in curves {
        figures.extend(compared(folder, comparison, results)?);
    }
    if !figures.is_empty() {
        sections.push(section("Methods compared", vec![Block::Figures(figures)]));
    }
    sections.extend(steps(results));
    sections.push(section("Runs", vec![Block::Links(links(folder, results))]));
    sections.push(definitions(results));
    sections.push(provenance(manifest));
    Ok(Page { title: title.into(), status: status(results), sections, refresh: None })
}

/// How much the runs can tell, and how they ended.
fn status(results: &Results) -> String {
    let diverged = results.rows.iter().filter(|row| row.status != Status::Ok).count();
    let ended = if diverged == 0 { "none diverged".to_owned() } else { format!("{diverged} diverged") };
    let worth = match results.preset.as_str() {
        "smoke" => {
            "trained for seconds only, to show that everything works: its numbers say nothing of the methods"
        }
        "quick" => "trained for less than the tables need: a first impression",
        _ => "trained as the tables say",
    };
    format!("Preset {}, {worth}. {} rows, {ended}.", results.preset, results.rows.len())
}

/// A picture of each method for each target.
fn samples(folder: &Path, groups: &[Group<'_>]) -> Result<Option<Section>> {
    let mut blocks = Vec::new();
    for target in groups.chunk_by(|a, b| a.target() == b.target()) {
        let mut figures = Vec::new();
        for group in target {
            let Some(row) = group.rows.iter().find(|row| row.run != ".") else { continue };
            let caption = format!("`{}`{}", group.method, group.of_family());
            figures.extend(pictures::small(&folder.join(&row.run), row, caption)?);
        }
        if let (false, Some(first)) = (figures.is_empty(), target.first()) {
            let text = format!(
                "{}: generated points over data, all on one scale, of the first seed.",
                first.target()
            );
            blocks.extend([Block::Text(text), Block::Pictures(figures)]);
        }
    }
    Ok((!blocks.is_empty()).then(|| Section { heading: "Samples".into(), blocks, ..Section::default() }))
}

/// The quality over the seconds of training, for each target, in the first of its metrics that was read on the way.
fn quality_over_cost(folder: &Path, groups: &[Group<'_>]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for target in groups.chunk_by(|a, b| a.target() == b.target()) {
        let Some(first) = target.first() else { continue };
        let mut found = QUALITY.into_iter().map(|metric| (metric, quality_curves(folder, target, metric)));
        if let Some((metric, series)) = found.find(|(_, series)| !series.is_empty()) {
            figures.push(Figure::Curves(Curves {
                caption: format!("{}: {metric} over seconds of training.", first.target()),
                x_label: "seconds of training".into(),
                scale: Scale::Logarithmic,
                x_scale: Scale::Logarithmic,
                series,
            }));
        }
    }
    figures
}

/// A metric over the seconds of training, a curve for each method that read it on the way.
fn quality_curves(folder: &Path, target: &[Group<'_>], metric: &Metric) -> Vec<Series> {
    let mut series = Vec::new();
    for group in target {
        let mut runs = Vec::new();
        for row in &group.rows {
            let Ok(records) = Records::read(&folder.join(&row.run)) else { continue };
            let mut curve = records.curve(Abscissa::Seconds, metric);
            curve.extend(row.metrics.get(metric).map(|end| [row.iterations as f64, row.seconds, end]));
            runs.push(curve);
        }
        let points = mean_curve(&runs);
        if points.len() > 1 {
            series.push(Series { name: format!("{}{}", group.method, group.of_family()), points });
        }
    }
    series
}

/// A quantity of several rows over iterations and over seconds, the mean over the seeds.
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
                if let Ok(records) = Records::read(&folder.join(&row.run)) {
                    runs.push(records.curve(abscissa, comparison.metric));
                }
            }
            series.push(Series { name: (*stem).into(), points: mean_curve(&runs) });
        }
        // One record makes no curve.
        series.retain(|series| series.points.len() > 1);
        if !series.is_empty() {
            let caption = format!(
                "{} ({}): `{}`, mean over seeds.",
                comparison.caption, comparison.family, comparison.metric
            );
            let (scale, x_scale) = (comparison.scale, Scale::Linear);
            figures.push(Figure::Curves(Curves { caption, x_label: x_label.into(), scale, x_scale, series }));
        }
    }
    Ok(figures)
}

/// The mean of both coordinates over the runs at every iteration of which one has a record, as far as all of them go: which
/// records have readings depends on the clock, so that a run is a straight line between two of its own.
fn mean_curve(runs: &[Vec<[f64; 3]>]) -> Vec<(f64, f64)> {
    let mut steps: Vec<f64> = runs.iter().flatten().map(|[step, ..]| *step).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let mean = |step: f64| {
        let there: Vec<(f64, f64)> = runs.iter().map(|run| between(run, step)).collect::<Option<_>>()?;
        let count = there.len() as f64;
        let sum = there.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        Some((sum.0 / count, sum.1 / count))
    };
    steps.into_iter().filter_map(mean).collect()
}

/// Both coordinates of a run at an iteration; of two records of one iteration, those of the later one.
fn between(run: &[[f64; 3]], step: f64) -> Option<(f64, f64)> {
    let (before, after) = run.split_at(run.partition_point(|[at, ..]| *at <= step));
    let [at, x, y] = *before.last()?;
    let Some([next, x_next, y_next]) = after.first() else { return (at == step).then_some((x, y)) };
    let part = (step - at) / (next - at);
    Some((x + part * (x_next - x), y + part * (y_next - y)))
}

/// The pages of the runs.
fn links(folder: &Path, results: &Results) -> Vec<Link> {
    let link = |row: &Row| {
        let address = format!("{}/{REPORT_FILE}", row.run);
        let how = match &row.status {
            Status::Ok => format!("{} iterations in {:.0} s", row.iterations, row.seconds),
            diverged => run::status(diverged),
        };
        let family = if row.family.is_empty() { String::new() } else { format!(" ({})", row.family) };
        Link {
            name: format!("{} {}D {}{family}, seed {}", row.dataset, row.dim, row.method, row.seed),
            address: folder.join(&address).is_file().then_some(address),
            words: row.notes.iter().fold(format!("– {how}"), |words, note| format!("{words}; {note}")),
        }
    };
    results.rows.iter().filter(|row| row.run != ".").map(link).collect()
}

#[cfg(test)]
mod tests {
    use super::mean_curve;

    #[test]
    fn runs_with_readings_at_other_iterations_are_averaged_at_the_same() {
        // Twice its iteration, and 10 throughout, which has come to iteration 30.
        let line: Vec<[f64; 3]> = [0.0, 20.0, 40.0].map(|step| [step, 0.1 * step, 2.0 * step]).into();
        let flat: Vec<[f64; 3]> = [0.0, 10.0, 30.0].map(|step| [step, 0.3 * step, 10.0]).into();
        let expected = [(0.0, 5.0), (2.0, 15.0), (4.0, 25.0), (6.0, 35.0)];
        for (found, expected) in mean_curve(&[line.clone(), flat]).into_iter().zip(expected) {
            assert!((found.0 - expected.0).abs() < 1e-12 && (found.1 - expected.1).abs() < 1e-12);
        }
        assert_eq!(mean_curve(std::slice::from_ref(&line)).len(), 3);
        assert!(mean_curve(&[line, Vec::new()]).is_empty());
    }
}
